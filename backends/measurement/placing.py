"""The same place for the same qubit each time, where Qiskit's transpiler leaves it to chance.

Qubits without a gate on two can stand anywhere on a device. Qiskit gives them the best places that are left; among
equally good ones, it takes another from call to call, whatever its seed is. But places that are equal to the transpiler
may read, relax or wait differently, so that values would not be reproducible.
"""

from collections import defaultdict

from qiskit import QuantumCircuit
from qiskit.transpiler import Target

Layout = tuple[int, ...]
"""For each original qubit the device's qubit that holds it at the end."""


def settled(moved: QuantumCircuit, layout: Layout, target: Target) -> tuple[QuantumCircuit, Layout]:
    """Move each qubit without a gate on two to the lowest of the places that are as good as its own.

    Args:
        moved: On the device's qubits and in its gates.
        layout: As the transpiler found it.
        target: The device.

    Returns:
        The circuit and the layout; as they were, if nothing moves.
    """
    index = {bit: k for k, bit in enumerate(moved.qubits)}
    gates = [[index[bit] for bit in one.qubits] for one in moved.data if one.operation.name != "barrier"]
    coupled = {place for on in gates if len(on) > 1 for place in on}
    used = {place for on in gates for place in on}
    alone = [place for place in layout if place not in coupled]
    if not alone or used - coupled - set(alone):
        return moved, layout  # a helper that is none of the original qubits, which nothing is known of
    free: defaultdict[frozenset, list[int]] = defaultdict(list)
    uncoupled = [place for place in range(moved.num_qubits) if place not in coupled]
    for place in uncoupled:
        free[_quality(target, place)].append(place)
    to: dict[int, int] = {}
    for places in free.values():
        mine = [place for place in alone if place in places]
        to.update(zip(mine, places, strict=False))
    if all(old == new for old, new in to.items()):
        return moved, layout
    left = [place for place in uncoupled if place not in to]
    to |= dict(zip(left, sorted(set(uncoupled) - set(to.values())), strict=True))
    made = moved.copy_empty_like()
    made._layout = None  # which told other places
    for one in moved.data:
        places = (index[bit] for bit in one.qubits)
        made.append(one.replace(qubits=tuple(made.qubits[to.get(place, place)] for place in places)))
    return made, tuple(to.get(place, place) for place in layout)


def _quality(target: Target, place: int) -> frozenset:
    """Names and errors of what a qubit can do, which is all that the transpiler goes by."""
    found = []
    for name in target.operation_names:
        places = target[name]
        if (place,) in places:
            told = places[(place,)]
            found.append((name, None if told is None else told.error))
    return frozenset(found)
