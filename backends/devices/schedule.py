"""How long qubits wait: gates begin as soon as their qubits are free, and each qubit is measured after its last."""

from typing import Any

import numpy as np


def waits(timeline: np.ndarray, seconds: Any, n_qubits: int, xp: Any = np) -> Any:
    """How long each qubit waits for the other before each gate on two qubits.

    Args:
        timeline: The gates in order: their two qubits, or one of them twice, and a place in `seconds`; (gates, 3).
        seconds: Durations of gates, shape (durations,).
        n_qubits: How many qubits there are.
        xp: Array module.

    Returns:
        For each gate on two qubits the seconds of the first and the second, shape (gates on two qubits, 2).
    """
    pairs = timeline[:, 0] != timeline[:, 1]
    if xp is np:
        free, found = np.zeros(n_qubits), np.zeros((len(timeline), 2))
        for k, (a, b, place) in enumerate(timeline):
            begin = max(free[a], free[b])
            found[k] = begin - free[a], begin - free[b]
            free[a] = free[b] = begin + seconds[place]
        return found[pairs]
    import jax

    def gate(free: Any, row: Any) -> tuple[Any, Any]:
        a, b, place = row
        begin = xp.maximum(free[a], free[b])
        waited = xp.stack([begin - free[a], begin - free[b]])
        return free.at[a].set(begin + seconds[place]).at[b].set(begin + seconds[place]), waited

    found = jax.lax.scan(gate, xp.zeros(n_qubits, seconds.dtype), xp.asarray(timeline))[1]
    return found[np.flatnonzero(pairs)]
