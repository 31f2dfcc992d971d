"""Why a backend takes the time that it does: the facts of a workload on it, as sentences for a plan."""

from backends.base import Backend
from backends.cost import Cost
from hybrid.routing.routed import Routed

SMALLER = 2
"""Times by which the numbers that a backend works on must be fewer than those of the whole state to be worth a word."""

WRITTEN = 40
"""Qubits up to which the size of the whole state is written out."""


def facts(work: Routed, backend: Backend, cost: Cost) -> list[str]:
    """What makes a backend fast or slow at a workload: the size of its states, and how it comes by gradients.

    Args:
        work: What is to be run.
        backend: Where.
        cost: Predicted for it there.
    """
    return [*_gradients(work, backend, cost), *_states(work, cost)] if cost.values else []


def _gradients(work: Routed, backend: Backend, cost: Cost) -> list[str]:
    how = backend.capabilities().gradient
    if not work.derivative:
        return ["values only"]
    if cost.values > 1:
        return [f"gradients by {how}: {cost.values:,} values each, with shifted angles"]
    return [f"gradients by {how}"]


def _states(work: Routed, cost: Cost) -> list[str]:
    n = work.circuit.num_qubits
    if not 0 < SMALLER * cost.amplitudes <= 2.0 ** min(n, 1000):
        return []
    whole = f"{2**n:,}" if n <= WRITTEN else f"2^{n}"
    return [f"works on {cost.amplitudes:,.0f} numbers instead of the {whole} of the whole state"]
