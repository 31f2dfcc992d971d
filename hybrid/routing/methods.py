"""Methods for circuits of one kind: whether they can do a workload, and with which options.

Pauli propagation is exact where every string is kept, a matrix-product state where its bonds may be as large as they
become. Where that takes too much, strings are dropped and bonds cut, and what this moves is measured at the first
parameters, before anything is chosen: finer and finer, until it is within the accuracy. Each later value carries its
own measured bias.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import backends
from backends import memory
from backends.base import Backend
from backends.cost import Footprint
from backends.registry import Method
from backends.simulators.clifford import check_rows
from circuits.errors import Refused
from hybrid.routing.routed import Routed

SOON_S = 2.5
"""Predicted time within which a way for every circuit is fast enough: the methods are not looked at then, since their
library alone takes nearly as long to be imported."""

BONDS = (16, 32, 64, 128, 256)
"""Dimensions at which bonds are cut, tried in this order."""

THRESHOLDS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Below which Pauli strings are dropped, tried in this order."""

STRINGS = 2e8
"""Most that one value by Pauli propagation looks at, over all rotations: a second or two."""

MULTIPLICATIONS = 2e8
"""Most of one value on a matrix-product state whose bonds are larger than they need be, as they are counted: some ten
seconds."""

GATES = 6000
"""Most of a circuit that limits are tried out on: reading and running a longer one takes seconds each time."""

UNCUT = "by a matrix-product state whose bonds are not cut"

MOVED = 1e-8
"""What Aer drops of a state whose bonds are not cut."""


Limit = TypeVar("Limit", int, float)


@dataclass(frozen=True)
class Fitted:
    """A method with the options that suit a workload.

    Attributes:
        backend: With them.
        note: What is to be said of it.
        bias: What it moves the values by at the first parameters, in the observables' unit, as estimated; 0 where
            nothing is dropped or cut.
    """

    backend: Backend
    note: str = ""
    bias: float = 0.0


def with_options(method: Method, workload: Routed, *, alone: bool, try_out: bool) -> Fitted:
    """The backend of a method that can do a workload, and what is to be said of it.

    Args:
        method: Which one.
        workload: What is to be run.
        alone: Whether no exact way can do it. Only then are bonds cut; and strings dropped only then, or where an
            accuracy was named.
        try_out: Whether to compute values, to see how far these may go; else the coarsest limit is taken.

    Raises:
        Refused: if the circuit is not of the method's kind, or what it does to the values exceeds their accuracy.
    """
    if method.circuits == "clifford":
        if workload.rows is None:
            raise Refused("an optimizer's angles are not all multiples of pi/2, and others are no Clifford gates")
        check_rows(workload.circuit, workload.rows)
        made = backends.get(method.name, **method.options)
        return Fitted(made, "by stabilizers, since every gate is a Clifford gate")
    fit = _propagation if method.circuits == "local" else _chain
    return fit(method, workload, alone=alone, try_out=try_out)


def _propagation(method: Method, workload: Routed, *, alone: bool, try_out: bool) -> Fitted:
    def dropping(threshold: float) -> Backend:
        return backends.get(method.name, **method.options, threshold=threshold)

    whole = dropping(0.0)
    if workload.circuit.size() > GATES:
        raise Refused(
            f"beyond {GATES} gates no Pauli propagation is tried out; name '{method.name}' with a threshold if strings "
            "stay few"
        )
    if not try_out or _quick(whole, workload, STRINGS):
        return Fitted(whole, "by Pauli propagation that drops nothing")
    if not alone and workload.accuracy == 0:
        raise Refused("Pauli propagation would have to drop strings, and no accuracy was named")
    found, why = _coarsest(dropping, THRESHOLDS, workload, STRINGS, least=0.0, what="a threshold of {} moves")
    if found is None:
        raise Refused(
            f"Pauli propagation cannot meet the accuracy of {workload.accuracy:g}: {why}, and lower ones keep too many "
            "strings; ask for less accuracy"
        )
    backend, threshold, bias = found
    note = f"by Pauli propagation with a threshold of {threshold:g}, which moves values by about {bias:.1g}"
    return Fitted(backend, note, bias)


def _chain(method: Method, workload: Routed, *, alone: bool, try_out: bool) -> Fitted:
    def cut(limit: int) -> Backend:
        return backends.get(method.name, **method.options, max_bond_dimension=limit)

    whole = backends.get(method.name, **method.options)
    if workload.shots is not None or not alone:
        return Fitted(whole, UNCUT)
    uncut = whole.footprint(workload)
    if _is_quick(uncut, workload, MULTIPLICATIONS):
        return Fitted(whole, UNCUT)
    if not try_out:
        return Fitted(cut(BONDS[0]))
    found, why = _coarsest(cut, BONDS, workload, MULTIPLICATIONS, least=MOVED, what="bonds of {} move")
    if found is not None:
        backend, limit, bias = found
        note = f"by a matrix-product state with bonds cut at {limit}, which moves values by about {bias:.1g}"
        return Fitted(backend, note, bias)
    if uncut.total_bytes <= memory.free_bytes():
        return Fitted(whole, UNCUT)
    raise Refused(
        f"a matrix-product state of this circuit cannot meet the accuracy of {workload.accuracy:g}: {why}, and larger "
        "ones take too long or too much memory; ask for less accuracy"
    )


def _coarsest(
    limited: Callable[[Limit], Backend],
    limits: Sequence[Limit],
    workload: Routed,
    most: float,
    *,
    least: float,
    what: str,
) -> tuple[tuple[Backend, Limit, float] | None, str]:
    """The first limit whose measured bias is within the accuracy; where none was named, the last that is quick.

    Args:
        limited: Makes the backend with a limit.
        limits: The coarsest first.
        workload: What is to be run.
        most: Work of one value, as the backend counts it, beyond which a limit is not tried.
        least: Bias that a value has anyhow.
        what: That a limit moves something, for a message.

    Returns:
        Backend, limit and bias, or None; and by how much the last limit moved the values.
    """
    if workload.circuit.size() > GATES:
        return None, f"beyond {GATES} gates that is not tried out, so name a limit"
    found, why = None, "it has too many gates"
    for limit in limits:
        backend = limited(limit)
        try:
            if not _quick(backend, workload, most):
                break
        except Refused:  # a short propagation says so already
            why = f"{what.format(limit)} its values by more"
            continue
        result = backend.prepare(workload.circuit, workload.observables)(workload.first)
        bias = max(float(result.bias.max(initial=0.0)), least)
        why = f"{what.format(limit)} its values by about {bias:.1g}"
        found = backend, limit, bias
        if bias <= max(workload.accuracy, least):
            return found, why
    return (found if workload.accuracy == 0 else None), why


def _quick(backend: Backend, workload: Routed, most: float) -> bool:
    """The same of a backend that was not counted yet."""
    return _is_quick(backend.footprint(workload), workload, most)


def _is_quick(footprint: Footprint, workload: Routed, most: float) -> bool:
    """Whether one value takes little enough, of work and memory."""
    few = footprint.passes * footprint.amplitudes <= most
    return few and footprint.total_bytes + workload.held_bytes <= memory.free_bytes()
