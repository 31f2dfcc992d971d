"""What a run computes beside its loop, and up to which size: the plan counts it and the loop does it by these rules."""

import backends
from backends.base import Backend, Capabilities
from circuits import Problem
from hybrid.workload.workload import Workload

UNASKED_S = 10.0
"""Predicted seconds up to which an exact energy is computed without being asked for."""

VALIDATED_QUBITS = 16
"""Widest circuit whose noisy answer is computed again without noise."""

DESCENDED_QUBITS = 12
"""Widest circuit that is minimized beside a run, to divide the error of its energy."""

DESCENDED_PARAMETERS = 100
"""Most parameters of such a circuit."""

DESCENT_STEPS = 100
"""Most steps of each such descent."""

DEVIATION_ENTRIES = 25_000_000
"""Most entries of a Hamiltonian's matrix that is applied to the final state, for the bound on the ground state."""


def has_exact_energy(problem: Problem) -> bool:
    """Whether the lowest energy of a problem is computed unasked, since it costs little."""
    return problem.exact_energy_seconds() <= UNASKED_S


def is_sampled(can: Capabilities, shots: int | None) -> bool:
    """Whether a backend's values have statistical errors.

    Args:
        can: What the backend can do.
        shots: Shots for each measured circuit that it is asked for; None for none.
    """
    return shots is not None or can.default_shots is not None


def is_validated(work: Workload, can: Capabilities) -> bool:
    """Whether the answer is computed again without noise and shots: it was not exact, and its states are small.

    Args:
        work: The workload.
        can: What the backend can do where it runs.
    """
    exact = can.exact and not can.noise and work.shots is None
    return not exact and work.circuit.num_qubits <= VALIDATED_QUBITS


def is_descended(work: Workload) -> bool:
    """Whether a validated run's circuit is minimized without noise, too, where the exact energy is known."""
    return work.circuit.num_qubits <= DESCENDED_QUBITS and 0 < len(work.theta) <= DESCENDED_PARAMETERS


def has_deviation(work: Workload) -> bool:
    """Whether the energy's standard deviation in the final state is computed: it takes some seconds at most."""
    flips = len({row.tobytes() for row in work.problem.hamiltonian.paulis.x})
    return flips << work.circuit.num_qubits <= DEVIATION_ENTRIES


def is_rounded(work: Workload, backend: Backend) -> bool:
    """Whether the answer in single precision is computed again in double.

    Args:
        work: The workload.
        backend: Where it runs.
    """
    can = backend.capabilities()
    return can.precision != "double" and can.exact and work.shots is None and backend.origin is not None


def in_double(backend: Backend) -> Backend:
    """The same backend in double precision, of one that `is_rounded`."""
    assert backend.origin is not None
    return backends.get(backend.origin.name, **(backend.origin.options | {"precision": "double"}))
