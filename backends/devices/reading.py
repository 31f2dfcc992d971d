"""Devices from what others say of them: snapshots of vendors, Qiskit's targets, sections of files."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.devices.device import Device, from_mapping
from backends.devices.gates import SYMMETRIC
from circuits.errors import Refused

REPETITION_DELAY_S = 250e-6


def read(source: Any, given: Mapping[str, Any]) -> Device:
    """The device that a source describes, with the given durations where it tells none; see `Device.of`."""
    if isinstance(source, Device):
        return source
    if isinstance(source, Target):  # which is a mapping, too
        return of_target(source, "device", given)
    if isinstance(source, Mapping):
        return from_mapping(source)
    if isinstance(source, str):
        return _named(source, given)
    if isinstance(source, BackendV2):
        return of_backend(source, str(source.name), given)
    raise Refused(
        "a device is made from the name of a snapshot such as 'ibm:fake_torino', a Qiskit Target or BackendV2, or the "
        f"keys of a section, not from {source!r}"
    )


def _named(name: str, given: Mapping[str, Any]) -> Device:
    """A snapshot, or a vendor's machine as its service describes it now."""
    from backends.providers.ibm import snapshot

    vendor, colon, machine = name.rpartition(":")
    if vendor in ("", "ibm") and (not colon or machine.startswith("fake_")):
        return of_backend(snapshot(machine), name, given)
    import backends

    hardware: Any = getattr(backends.get(name), "hardware", None)
    target: Any = getattr(hardware, "target", None)
    if isinstance(target, BackendV2):
        return of_backend(target, name, given)
    if isinstance(target, Target):
        return of_target(target, name, given)
    raise Refused(f"{name} does not tell its gates and errors, so there is no device to make of it")


def of_backend(backend: BackendV2, name: str, given: Mapping[str, Any]) -> Device:
    """A device from a Qiskit backend; one of IBM's knows both errors of its measurements.

    Args:
        backend: Of any vendor.
        name: For tables.
        given: As for `of_target`.
    """
    target: Any = backend.target
    made = of_target(target, name, given)
    ask: Any = getattr(backend, "properties", None)
    properties: Any = ask() if callable(ask) else None
    if properties is None:
        return made
    delay = getattr(backend, "default_rep_delay", None) or REPETITION_DELAY_S
    error, bias = [], []
    for q in range(made.n_qubits):
        told = properties.qubit_property(q)
        if "prob_meas1_prep0" not in told or "prob_meas0_prep1" not in told:
            return made.with_(repetition_delay_s=delay, name=name)
        one, zero = told["prob_meas1_prep0"][0], told["prob_meas0_prep1"][0]
        error.append((one + zero) / 2)
        bias.append((zero - one) / (zero + one) if zero + one else 0.0)
    return made.with_(readout_error=tuple(error), readout_bias=tuple(bias), repetition_delay_s=delay, name=name)


def of_target(target: Target, name: str, given: Mapping[str, Any]) -> Device:
    """A device from a target of Qiskit's.

    Its gate on two qubits is the one that the most pairs have, and the numbers of gates on one qubit are those of the
    one with the largest error, which on most devices all share. T2 above 2 T1, as measurements at different times may
    give, is taken as 2 T1. A number that the target gives at some places alone is the worst of these at the others, and
    one that it gives nowhere is taken as perfect; but where qubits relax, it has to give the durations of gates.

    Args:
        target: With gates on one and two qubits; others are left out.
        name: For tables.
        given: Durations of gates, where the target tells none.
    """
    n = target.num_qubits
    if not n:
        raise Refused("the target names no number of qubits, so there is no device to make of it")
    pairs = {name: _places(target, name, 2) for name in sorted(target.operation_names)}
    two = max(pairs, key=lambda name: len(pairs[name]), default="")
    if n > 1 and not pairs.get(two):
        raise Refused("the target has no gate on two qubits that names its pairs; a simulator is no device")
    edges, directed = _edges(pairs.get(two, []), symmetric=two in SYMMETRIC)
    _check_pairs(pairs, two)
    physical, virtual = _one_qubit(target)
    if not physical and not virtual:
        raise Refused("the target has no gate on one qubit")
    chosen = max(physical, key=lambda name: _total(target, name), default=None)
    known = target.qubit_properties or [None] * n
    t1 = [_or(getattr(one, "t1", None), math.inf) for one in known]
    t2 = [min(_or(getattr(one, "t2", None), math.inf), 2 * t) for one, t in zip(known, t1, strict=True)]
    places: list[tuple[int, ...]] = [(q,) for q in range(n)]
    return Device(
        n,
        edges,
        one_qubit_error=_even(_column(target, chosen, places, "error")),
        two_qubit_error=_even(_column(target, two, edges, "error")),
        readout_error=_even(_column(target, "measure", places, "error")),
        t1=_even(t1),
        t2=_even(t2),
        one_qubit_s=given.get("one_qubit_s", _seconds(target, chosen, places)),
        two_qubit_s=given.get("two_qubit_s", _seconds(target, two, edges)),
        readout_s=_even(_column(target, "measure", places, "duration")),
        gates=(*virtual, *physical, *((two,) if n > 1 else ())),
        virtual=tuple(virtual),
        directed=directed,
        name=name,
    )


def _places(target: Target, name: str, k: int) -> list[tuple[int, ...]]:
    """Where a gate of a standard kind on k qubits stands."""
    from qiskit.circuit import Gate
    from qiskit.circuit.library import get_standard_gate_name_mapping

    found = target.operation_from_name(name)
    if not isinstance(found, Gate) or found.num_qubits != k or name not in get_standard_gate_name_mapping():
        return []
    return [tuple(on) for on in target[name] or () if on is not None]


def _edges(pairs: Iterable[tuple[int, ...]], *, symmetric: bool) -> tuple[tuple[tuple[int, int], ...], bool]:
    """Each joined pair once, and whether any gate runs one way alone, which one that is symmetric never does."""
    found: list[tuple[int, int]] = [(on[0], on[1]) for on in pairs]
    ways = set(found)
    if not symmetric and any((b, a) not in ways for a, b in found):
        return tuple(sorted(found)), True
    return tuple(sorted(edge for edge in found if edge[0] < edge[1] or (edge[1], edge[0]) not in ways)), False


def _check_pairs(pairs: Mapping[str, list[tuple[int, ...]]], two: str) -> None:
    """Refuse a target in which some pairs have another gate than the most."""
    known = {frozenset(on) for on in pairs.get(two, [])}
    for name, on in pairs.items():
        other = sorted({tuple(sorted(one)) for one in on if frozenset(one) not in known})
        if other:
            raise Refused(
                f"the target has the gate {two} on {len(known)} pairs and {name} on others such as {list(other[0])}, "
                "and a device has one gate on two qubits; describe it by n_qubits, edges and gates"
            )


def _one_qubit(target: Target) -> tuple[list[str], list[str]]:
    """The gates on one qubit that err or take time, and those that do neither; identities are left out."""
    physical, virtual = [], []
    for name in sorted(target.operation_names):  # whose own order may change between processes
        on = _places(target, name, 1)
        if not on or name == "id":
            continue
        told = [target[name][one] for one in on]
        errs = any(one is not None and (one.error or one.duration) for one in told)
        (physical if errs else virtual).append(name)
    return physical, virtual


def _column(target: Target, name: str | None, places: Sequence[tuple[int, ...]], what: str) -> list[float]:
    """A number of a gate at each place; the worst told at others where it is not told, or 0."""
    table: Any = target[name] if name is not None and name in target.operation_names else {}
    told = [getattr(table.get(on), what, None) for on in places]
    return [_or(one, max((_or(other, 0.0) for other in told), default=0.0)) for one in told]


def _seconds(target: Target, name: str | None, places: Sequence[tuple[int, ...]]) -> Any:
    """The durations of a gate; None where the target tells none of them."""
    if name is None or not places:
        return 0.0
    if all(getattr((target[name] or {}).get(on), "duration", None) is None for on in places):
        return None
    return _even(_column(target, name, places, "duration"))


def _total(target: Target, name: str) -> float:
    return sum(_or(getattr(one, "error", None), 0.0) for one in (target[name] or {}).values())


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None or np.isnan(value) else float(value)


def _even(found: list[float]) -> Any:
    """One number where all are the same."""
    if not found:
        return 0.0
    return found[0] if len(set(found)) == 1 else tuple(found)
