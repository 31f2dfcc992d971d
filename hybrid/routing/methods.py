"""Methods for circuits of one kind: whether they can do a workload, and with which options.

A matrix-product state is exact where its bonds may be as large as they become; where that takes too much, they are
cut, and what the cut moves is measured at the first parameters, before anything is chosen: the value with bonds of one
size against that with bonds of half of it. Each later value carries its own measured bias.
"""

from typing import Any

import backends
from backends import memory
from backends.base import Backend
from backends.registry import Method
from backends.simulators.clifford import check_rows
from circuits.errors import Refused
from hybrid.routing.routed import Routed

SOON_S = 10.0
"""Predicted time within which a way for every circuit is fast enough: the methods are not looked at then, which takes
seconds itself."""

BONDS = (16, 32, 64, 128, 256)
"""Dimensions at which bonds are cut, tried in this order."""

MULTIPLICATIONS = 1e9
"""Most of one value on a matrix-product state whose bonds are larger than they need be, as they are counted."""

UNCUT = "by a matrix-product state whose bonds are not cut"

MOVED = 1e-8
"""What Aer drops of a state whose bonds are not cut."""


def with_options(method: Method, workload: Routed, *, alone: bool, try_out: bool) -> tuple[Backend, str]:
    """The backend of a method that can do a workload, and what is to be said of it.

    Args:
        method: Which one.
        workload: What is to be run.
        alone: Whether nothing else can do it: only then are bonds cut, since everything else is exact.
        try_out: Whether to compute values, to see how far bonds may be cut; else the smallest ones are taken.

    Raises:
        Refused: if the circuit is not of the method's kind, or what it does to the values exceeds their accuracy.
    """
    if method.circuits == "clifford":
        if workload.rows is None:
            raise Refused("an optimizer's angles are not all multiples of pi/2, and others are no Clifford gates")
        check_rows(workload.circuit, workload.rows)
        return backends.get(method.name, **method.options), "by stabilizers, since every gate is a Clifford gate"
    whole = backends.get(method.name, **method.options)
    if workload.shots is not None or not alone or _quick(whole, workload):
        return whole, UNCUT
    return _cut(method, whole, workload) if try_out else (_with_bonds(method, BONDS[0]), "")


def _cut(method: Method, whole: Backend, workload: Routed) -> tuple[Backend, str]:
    """With the smallest bonds whose measured bias is within the accuracy; where none was said, with the largest."""
    found: tuple[Backend, str] | None = None
    why = "it has too many gates"
    for limit in BONDS:
        backend = _with_bonds(method, limit)
        if not _quick(backend, workload):
            break
        result = backend.prepare(workload.circuit, workload.observables)(workload.first)
        bias = max(float(result.bias.max(initial=0.0)), MOVED)
        why = f"bonds of {limit} move its values by about {bias:.1g}"
        found = backend, f"by a matrix-product state with bonds cut at {limit}, which moves values by about {bias:.1g}"
        if bias <= max(workload.accuracy, MOVED):
            return found
    if found is not None and workload.accuracy == 0:
        return found
    if whole.footprint(workload).memory_bytes <= memory.free_bytes():
        return whole, UNCUT
    raise Refused(
        f"a matrix-product state of this circuit cannot meet the accuracy of {workload.accuracy:g}: {why}, and larger "
        "ones take too long or too much memory; ask for less accuracy"
    )


def _with_bonds(method: Method, limit: int) -> Backend:
    options: dict[str, Any] = {**method.options, "max_bond_dimension": limit}
    return backends.get(method.name, **options)


def _quick(backend: Backend, workload: Routed) -> bool:
    footprint = backend.footprint(workload)
    few = footprint.passes * footprint.amplitudes <= MULTIPLICATIONS
    return few and footprint.memory_bytes + workload.held_bytes <= memory.free_bytes()
