"""How the parameters of an ansatz move so that its state follows a time evolution: McLachlan's principle.

With the tangents t_j = (1 - |psi><psi|) d_j psi of the ansatz, the metric g_jk = Re <t_j|t_k> and the direction
chi = -i (H - E) psi in real or -(H - E) psi in imaginary time, the parameters move by

    g dtheta/dt = V,   V_j = Re <t_j|chi>,   which makes ||sum_j t_j dtheta_j/dt - chi||, the residual, smallest.

Where g is nearly singular the parameters would race, and no integrator could follow; so (g + regularization) is solved,
and what that costs is part of the residual, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from backends.base import Backend, Tangents
from circuits.errors import FailedJob
from circuits.problems.exact import as_product
from hybrid.workload.workload import Workload

Kind = Literal["real", "imaginary"]

TOLERANCE = 1e-6
"""Error of one step of the integrator, radians."""


@dataclass(frozen=True, eq=False)
class Motion:
    """How the parameters move at one point of a trajectory.

    Attributes:
        velocity: dtheta / dt, shape (params,), radians per unit of time.
        energy: <H>, in the problem's unit.
        residual: ||sum_j t_j dtheta_j/dt - chi||, per unit of time.
    """

    velocity: np.ndarray
    energy: float
    residual: float


def motion(
    theta: np.ndarray,
    *,
    kind: Kind,
    state_and_tangents: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    product: Callable[[np.ndarray], np.ndarray],
    regularization: float,
) -> Motion:
    """How the parameters move at one point: the solution of g dtheta/dt = V.

    Args:
        theta: Parameters, shape (params,), radians.
        kind: "real" or "imaginary".
        state_and_tangents: From theta to psi, shape (2^n,), and d_j psi, shape (params, 2^n).
        product: From psi to H psi, both of shape (2^n,).
        regularization: As for `real_time_evolution`.
    """
    psi, slopes = state_and_tangents(theta)
    t = slopes - np.outer(slopes @ psi.conj(), psi)
    moved = product(psi)
    energy = float(np.vdot(psi, moved).real)
    chi = (-1j if kind == "real" else -1.0) * (moved - energy * psi)
    g = np.real(t.conj() @ t.T)
    V = np.real(t.conj() @ chi)
    velocity = np.linalg.solve(g + regularization * np.eye(len(g)), V)
    return Motion(velocity, energy, float(np.linalg.norm(velocity @ t - chi)))


def motions(backend: Backend, work: Workload, kind: Kind, regularization: float) -> Callable[[np.ndarray], Motion]:
    """The function from parameters to how they move.

    Args:
        backend: One that gives the derivatives of a state.
        work: Circuit and problem.
        kind: "real" or "imaginary".
        regularization: As for `real_time_evolution`.
    """
    assert isinstance(backend, Tangents)  # refused before the first point
    return partial(
        motion,
        kind=kind,
        state_and_tangents=backend.tangents(work.circuit),
        product=as_product(work.problem.hamiltonian),
        regularization=regularization,
    )


def moved(move: Callable[[np.ndarray], Motion], theta: np.ndarray, dt: float) -> np.ndarray:
    """The parameters a time dt later; a function of its arguments alone, so that a trajectory can be continued.

    Args:
        move: From parameters to how they move.
        theta: Parameters, shape (params,), radians.
        dt: In one over the problem's unit.

    Raises:
        FailedJob: if the integrator cannot follow the parameters.
    """
    from scipy.integrate import solve_ivp

    solved = solve_ivp(lambda _, row: move(row).velocity, (0.0, dt), theta, rtol=TOLERANCE, atol=TOLERANCE)
    if not solved.success:
        raise FailedJob(f"the integrator cannot follow the parameters: {solved.message} Give a larger regularization")
    return solved.y[:, -1]
