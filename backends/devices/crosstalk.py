"""What gates on two qubits suffer beside their own errors: crosstalk of gates beside them, and leakage.

The k-th layer of a circuit holds those gates on two qubits that have at most k - 1 others before them on their qubits,
one after the other. Two gates of one layer run at the same time; where an edge of the device joins a qubit of the one
with a qubit of the other, they disturb each other. For each gate that disturbs it, depolarizing noise of the average
error `crosstalk` acts on the two qubits of a gate, beside its stated error, which is that of a gate that runs alone.

Leakage takes the share `leakage` of the population out of the two qubits in each gate. What has left is approximated as
coming back at once in the maximally mixed state (depolarizing seepage): so it lowers values as leakage does, but does
not spread to later gates.

References:
    P. Murali, D. C. McKay, M. Martonosi, A. Javadi-Abhari, "Software mitigation of crosstalk on noisy
    intermediate-scale quantum computers", arXiv:2001.02826 (errors of gates that depend on those beside them);
    C. J. Wood, J. M. Gambetta, Phys. Rev. A 97, 032306 (2018), arXiv:1704.03081 (leakage and seepage as average rates).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from backends.devices.topology import Edge

if TYPE_CHECKING:
    from backends.devices.device import Device

WORST = 0.8
"""Largest average error of depolarizing noise on two qubits that is told from a larger one; as in `with_error`."""


def disturbing(gates: Sequence[tuple[int, int]], device: "Device") -> list[int]:
    """How many gates disturb each gate on two qubits.

    Args:
        gates: The qubits of each, in the order of the circuit.
        device: Whose edges join them.

    Returns:
        One number for each gate.

    >>> from backends import Device
    >>> disturbing([(0, 1), (2, 3), (1, 2), (3, 4)], Device(5, "line"))
    [1, 1, 1, 1]
    >>> disturbing([(0, 1), (3, 4)], Device(5, "line"))
    [0, 0]
    """
    near: dict[int, set[int]] = {}
    for a, b in cast("tuple[Edge, ...]", device.edges):
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    next_layer: dict[int, int] = {}
    layers: dict[int, dict[int, int]] = {}
    place = []
    for k, (a, b) in enumerate(gates):
        layer = max(next_layer.get(a, 0), next_layer.get(b, 0))
        next_layer[a] = next_layer[b] = layer + 1
        layers.setdefault(layer, {}).update({a: k, b: k})
        place.append(layer)
    found = []
    for k, pair in enumerate(gates):
        beside = layers[place[k]]
        found.append(len({beside[p] for q in pair for p in near.get(q, ()) if p in beside} - {k}))
    return found


def kept(crosstalk: Any, leakage: Any, n_disturbing: Any, xp: Any = np) -> Any:
    """What crosstalk and leakage leave of every Pauli string on a gate's two qubits but the identity.

    Args:
        crosstalk: Average error that each disturbing gate adds.
        leakage: Population that leaves in a gate.
        n_disturbing: Number of disturbing gates, of the same shape.
        xp: Array module.
    """
    return (1 - leakage) * (1 - xp.minimum(crosstalk, WORST) * (4 / 3)) ** n_disturbing
