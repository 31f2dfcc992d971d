"""What blocks cost, and from which size on states are evolved kernel by kernel."""

from backends.statevector.whole.fuse import Costs

STEPWISE = 17
"""Qubits from which on states are large enough to be evolved kernel by kernel."""

SMALL: Costs = (1.0, 1.0, 1.0, 1.1, 1.5)
LARGE: Costs = (7.0, 7.0, 7.0, 7.0, 8.2, 9.4)
"""Times of blocks on 0, 1, ... qubits, in passes over the state, a gradient's share included; in either precision."""


def is_stepwise(n_qubits: int) -> bool:
    """Whether states are evolved kernel by kernel."""
    return n_qubits >= STEPWISE


def block_costs(n_qubits: int) -> Costs:
    """Times of blocks by their width."""
    return (LARGE if is_stepwise(n_qubits) else SMALL)[: n_qubits + 1]
