"""The lowest energy that an ansatz reaches without noise, as far as descents from given angles find it."""

import numpy as np
from scipy.optimize import minimize

import backends
from circuits.errors import Refused
from hybrid.workload.workload import Workload

MOST_QUBITS = 12
"""Widest circuit that is minimized beside a run."""

MOST_PARAMETERS = 100
"""Most parameters of such a circuit."""

MOST_STEPS = 100
"""Of each descent."""


def reachable_energy(work: Workload, theta: np.ndarray, validated: float) -> float | None:
    """The lowest energy that descents without noise find, in the problem's unit; None where the circuit is too large.

    Args:
        work: The workload.
        theta: Angles from which a descent starts, besides the workload's own, shape (params,), radians.
        validated: The energy there, without noise.
    """
    if work.circuit.num_qubits > MOST_QUBITS or not 0 < theta.size <= MOST_PARAMETERS:
        return None
    try:
        slope = backends.get("statevector").value_and_grad(work.circuit, work.problem.hamiltonian)
    except Refused:
        return None  # the device knows gates that the simulator does not; the budget says that it is not told apart
    ends = [
        minimize(slope, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS}).fun
        for start in (theta, work.theta)
    ]
    return float(min(validated, *ends))
