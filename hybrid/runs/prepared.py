"""The state that a circuit prepares at given parameters, and what measuring it gives."""

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends import registry
from backends.base import Samples, States
from circuits.errors import Refused
from hybrid.workload.arguments import BackendLike


def state(circuit: QuantumCircuit, theta: ArrayLike) -> np.ndarray:
    """The exact state, up to a global phase.

    Args:
        circuit: Without measurements.
        theta: Shape (params,), radians.

    Returns:
        Complex, shape (2^n,); bit q of the index is qubit q.

    Raises:
        Refused: if the state does not fit into this machine's memory.
    """
    engine = registry.get("statevector")
    assert isinstance(engine, States)
    return engine.states(circuit)(np.asarray(theta))


def sample(
    circuit: QuantumCircuit, theta: ArrayLike, *, shots: int, seed: int | None, backend: BackendLike
) -> dict[str, int]:
    """Counts of measuring all qubits.

    Args:
        circuit: Without measurements.
        theta: Shape (params,), radians.
        shots: How many.
        seed: Of the random numbers; None for new ones in every call.
        backend: Name or backend that samples.

    Returns:
        How often each bit string came, qubit 0 rightmost.

    Raises:
        Refused: if the backend cannot sample.
    """
    found = registry.get(backend)
    if not isinstance(found, Samples):
        raise Refused(f"'{found.capabilities().name}' draws no samples; take backend=\"statevector\"")
    return found.sample(circuit, theta, shots=shots, seed=seed)
