"""The lowest energy that an ansatz reaches without noise, as far as descents from given angles find it."""

import numpy as np

import backends
from circuits.errors import Refused
from hybrid.workload.beside import DESCENT_STEPS, is_descended
from hybrid.workload.workload import Workload


def reachable_energy(work: Workload, theta: np.ndarray, validated: float) -> float | None:
    """The lowest energy that descents without noise find, in the problem's unit; None where the circuit is too large.

    Args:
        work: The workload.
        theta: Angles from which a descent starts, besides the workload's own, shape (params,), radians.
        validated: The energy there, without noise.
    """
    if not is_descended(work):
        return None
    from scipy.optimize import minimize

    try:
        slope = backends.get("statevector").value_and_grad(work.circuit, work.problem.hamiltonian)
    except Refused:
        return None  # the device knows gates that the simulator does not; the budget says that it is not told apart
    ends = [
        minimize(slope, start, jac=True, method="L-BFGS-B", options={"maxiter": DESCENT_STEPS}).fun
        for start in (theta, work.theta)
    ]
    return float(min(validated, *ends))
