"""Why a backend takes the time that it does: the facts of a workload on it, as sentences for a plan."""

from contextlib import suppress

from backends.base import Backend
from backends.cost import Footprint
from circuits.errors import Refused
from hybrid.routing.routed import Routed

SMALLER = 2
"""Times by which the numbers that a backend works on must be fewer than those of the whole state to be worth a word."""

WRITTEN = 40
"""Qubits up to which the size of the whole state is written out."""


def facts(work: Routed, backend: Backend) -> list[str]:
    """What makes a backend fast or slow at a workload: the size of its states, and how it comes by gradients.

    Args:
        work: What is to be run.
        backend: Where.
    """
    amount = _footprint(work, backend)
    if amount is None:
        return []
    return [*_gradients(work, backend, amount), *_states(work, amount)]


def _gradients(work: Routed, backend: Backend, amount: Footprint) -> list[str]:
    how = backend.capabilities().gradient
    if not work.derivative:
        return ["values only"]
    if amount.values > 1:
        return [f"gradients by {how}: {amount.values:,} values each, with shifted angles"]
    return [f"gradients by {how}"]


def _states(work: Routed, amount: Footprint) -> list[str]:
    n = work.circuit.num_qubits
    if not 0 < SMALLER * amount.amplitudes <= 2.0 ** min(n, 1000):
        return []
    whole = f"{2**n:,}" if n <= WRITTEN else f"2^{n}"
    return [f"works on {amount.amplitudes:,.0f} amplitudes instead of {whole}"]


def _footprint(work: Routed, backend: Backend) -> Footprint | None:
    with suppress(Refused):
        return backend.footprint(work)
    return None
