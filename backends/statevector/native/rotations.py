"""A lowered circuit as the Pauli rotations that the native kernels apply."""

from dataclasses import dataclass
from enum import Enum
from math import pi

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.lower import Factors
from backends.statevector.native.clifford import Frame, Pauli, permutes


class Absorb(Enum):
    """Which Clifford gates are not applied, but seen through."""

    NONE = "none"
    PERMUTATIONS = "those that take basis states to basis states"
    ALL = "all"


@dataclass(frozen=True, eq=False)
class Rotations:
    """exp(-i weight angle P) one after the other, and then a Clifford.

    Attributes:
        n_qubits: Width.
        x: X masks, shape (rotations,), unsigned.
        z: Z masks, shape (rotations,), unsigned.
        angle: Which of the circuit's angles each takes, shape (rotations,).
        weight: Of the angle, shape (rotations,).
        frame: The Clifford.
    """

    n_qubits: int
    x: np.ndarray
    z: np.ndarray
    angle: np.ndarray
    weight: np.ndarray
    frame: Frame

    def observed(self, observable: SparsePauliOp) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """X masks, Z masks and coefficients of an observable, seen through the Clifford, each of shape (terms,)."""
        bits = np.uint64(1) << np.arange(self.n_qubits, dtype=np.uint64)
        masks = zip(observable.paulis.x @ bits, observable.paulis.z @ bits, strict=True)
        seen = [self.frame.seen(Pauli.string(int(x), int(z))) for x, z in masks]
        signs = np.array([string.sign for string in seen], float)
        x, z = (np.array([string[k] for string in seen], np.uint64) for k in (0, 1))
        return x, z, signs * np.real(np.asarray(observable.coeffs))


def rotations(factors: Factors, absorb: Absorb) -> Rotations:
    """The strings of all factors, each a rotation; those whose angle is a multiple of pi/4 may go into the Clifford."""
    frame = Frame()
    found: list[tuple[int, int, int, float]] = []
    for strings in _gates(factors):
        turns = [(string, eighths) for string, eighths, _, _ in strings]
        fixed = [(string, eighths) for string, eighths in turns if eighths is not None]
        if absorb is not Absorb.NONE and len(fixed) == len(turns) and (absorb is Absorb.ALL or permutes(fixed)):
            for string, eighths in fixed:
                frame.turn(string, eighths)
            continue
        for string, _, angle, weight in strings:
            seen = frame.seen(string)
            found.append((seen.x, seen.z, angle, seen.sign * weight))
    x, z, angle, weight = zip(*found, strict=True) if found else ((), (), (), ())
    return Rotations(
        factors.n_qubits,
        np.array(x, np.uint64),
        np.array(z, np.uint64),
        np.array(angle, np.int32),
        np.array(weight, float),
        frame,
    )


def _gates(factors: Factors):
    """For each gate its strings, each with its angle in units of pi/4 if that is whole, its factor and its weight."""
    there = factors.weight != 0
    count = np.bitwise_count(factors.x[:, None] & factors.z).astype(int)
    weights = factors.weight * (1 - count // 2 % 2 * 2)
    eighths = weights * factors.angles.offset[:, None] * (4 / pi)
    gate: list = []
    for f in range(len(factors)):
        if f and factors.gate[f] != factors.gate[f - 1]:
            yield gate
            gate = []
        x = int(factors.x[f])
        for k in np.flatnonzero(there[f]).tolist():
            whole = (
                None if factors.free[f] or abs(eighths[f, k] - round(eighths[f, k])) > 1e-13 else round(eighths[f, k])
            )
            gate.append((Pauli.string(x, int(factors.z[f, k])), whole, f, float(weights[f, k])))
    if gate:
        yield gate
