"""Second derivatives of energies and the metric of states, through the same blocks.

Directions in the space of parameters are pushed forward through the program that computes the gradient, or the state.

References:
    Stokes, Izaac, Killoran and Carleo, Quantum natural gradient, Quantum 4, 269 (2020), for the metric.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from backends.angles import Angles
from backends.statevector.representation import TracedProgram
from backends.statevector.runtime.compiled import executable


def hessian(program: TracedProgram, terms: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Second derivatives of one expectation value as a function of one row: (params,) -> (params, params)."""

    def evaluate(row: np.ndarray) -> np.ndarray:
        jacobian = program.angles.jacobian(row).toarray()
        pushed, slopes = _pushed("slopes", program, row, jacobian, (terms,))
        found = jacobian.T @ pushed[:, 0].T.astype(np.float64)
        return (found + found.T) / 2 + _curvature(program.angles, row, slopes[0, 0].astype(np.float64))

    return evaluate


def metric(program: TracedProgram) -> Callable[[np.ndarray], np.ndarray]:
    """The Fubini-Study metric as a function of one row: (params,) -> (params, params).

    g_jk = Re <d_j psi | d_k psi> - <d_j psi | psi> <psi | d_k psi>, the real part of the quantum geometric tensor and a
    quarter of the quantum Fisher information.
    """

    def evaluate(row: np.ndarray) -> np.ndarray:
        jacobian = program.angles.jacobian(row).toarray()
        pushed, states = _pushed("state", program, row, jacobian, ())
        pushed = pushed.reshape(len(pushed), states[0].size).astype(np.float64)
        psi = states[0].astype(np.float64)
        if len(psi) == 1:  # everything is real
            return pushed @ pushed.T
        re, im = psi.reshape(2, -1)
        along = pushed @ np.concatenate([-im, re])  # Im <psi | d_j psi>
        return pushed @ pushed.T - np.outer(along, along)

    return evaluate


def tangents(program: TracedProgram) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The state and its derivatives as a function of one row: (params,) -> (2^n,) and (params, 2^n), complex.

    Both are in the gauge of the program: the state's global phase is whatever it is, and so is its change.
    """

    def evaluate(row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pushed, states = _pushed("state", program, row, program.angles.jacobian(row).toarray(), ())
        return program.vector(states[0]), np.stack([program.vector(one) for one in pushed])

    return evaluate


def _pushed(what: str, program: TracedProgram, row: np.ndarray, jacobian: np.ndarray, terms: tuple):
    """For each parameter the derivative along it of the last that the program's function returns; and that itself."""
    real = program.real
    angles = program.angles.values(row[None]).astype(real)[0]
    static = (type(program), what, program.static)
    compiled = executable(_pushed_along, (program.arrays, (angles, angles), terms), static=static)
    directions = jacobian.T.astype(real)
    somewhere = directions if len(directions) else np.zeros((1, len(angles)), real)  # without parameters, nowhere
    found = [compiled(program.arrays, (angles, direction), terms) for direction in somewhere]
    pushed = np.array([np.asarray(tangent) for tangent, _ in found])
    return pushed[: len(directions)], np.asarray(found[0][1])[None]


def _pushed_along(kind: type[TracedProgram], what: str, static: tuple, arrays: Any, pair: tuple, terms: tuple):
    def derived(angles):
        return kind.functions[what](*static, arrays, angles, terms)[-1]

    value, tangent = jax.jvp(derived, (pair[0],), (pair[1],))
    return tangent, value


def _curvature(angles: Angles, row: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """What angles that are not affine add: sum_k slope_k d^2 angle_k / d theta d theta."""
    total = np.zeros((len(row), len(row)))
    for k, first, second, value in angles.second_derivatives(row):
        total[first, second] += slopes[k] * value
    return total
