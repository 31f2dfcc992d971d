"""The devices that are compared: named ones, and every combination of the numbers that are varied."""

import difflib
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

import numpy as np

from backends.devices.device import PARAMETERS, Device
from backends.devices.topology import Topology
from circuits.errors import Refused, shown, unknown

MAX_POINTS = 400
"""Of a grid; each takes some tenths of a second at least."""

SCALE = "scale"
"""What varies all errors, T1 and T2 together; see `Device.scaled`."""

NOT_VARIED = ("name", "gates", "virtual", "directed", "edges")

Value = bool | float | int | str

Vary = Mapping[str, Sequence[Value] | Mapping[str, float]]
"""Numbers of a device, each with its values or with a range; see `variants`."""


@dataclass(frozen=True)
class Variant:
    """One device of a grid.

    Attributes:
        base: With its topology and gates; circuits are transpiled for it.
        values: What is varied, and the device's name where there are several.
        device: The base with the varied numbers.
        named: Those of the values that tell it from others; all where none does.
    """

    base: Device
    values: Mapping[str, Value]
    device: Device
    named: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For tables."""
        told = {key: value for key, value in self.values.items() if key in self.named} or self.values
        return ", ".join(str(value) if key == "device" else f"{key} = {_short(value)}" for key, value in told.items())


def devices_of(given: Any, n_qubits: int, own: Device | None = None) -> list[tuple[str, Device]]:
    """Devices by what names them.

    Args:
        given: A device, the name of a snapshot, of a topology, or a list of these. A topology is the device `own` with
            other edges, or where there is none the device before it in the list, each number the median of that one's.
        n_qubits: That the circuit takes.
        own: The device of the study.

    Returns:
        Names and devices.

    Raises:
        Refused: for an unknown name, for none at all, and a device that is too small.
    """
    if isinstance(given, list | tuple) and not given:
        raise Refused("devices: none is named; give some, such as ibm:fake_manila, or leave it out")
    found: list[tuple[str, Device]] = []
    for one in list(given) if isinstance(given, list | tuple) else [given]:
        if isinstance(one, str) and ":" not in one:
            if one not in get_args(Topology):
                raise unknown("topology or device:", one, get_args(Topology))
            before = own or (found[-1][1] if found else None)
            if before is None:
                raise Refused(
                    f'devices: "{one}" is a topology, whose numbers are those of the section [device] or of the device '
                    "before it in the list, and there is neither; give one"
                )
            found.append((one, with_topology(before, one, n_qubits)))
            continue
        device = Device.of(one)
        found.append((one if isinstance(one, str) else device.name, device))
    for name, device in found:
        if device.n_qubits < n_qubits:
            raise Refused(f"device {name} has {device.n_qubits} qubits, and the circuit takes {n_qubits}")
    return found


def with_topology(device: Device, topology: str, n_qubits: int | None = None) -> Device:
    """A device with the same numbers and other edges.

    Args:
        device: Whose numbers are taken, of each the median over its places.
        topology: By name.
        n_qubits: Of the new one; by default as many as the device has.
    """
    n = device.n_qubits if n_qubits is None else n_qubits
    numbers = {name: float(np.median(device.per_place(name))) for name in (*PARAMETERS, "readout_s")}
    name = f"{topology} of {n}"
    return device.with_(n_qubits=n, edges=topology, name=name, **numbers)


def variants(
    devices: Sequence[tuple[str, Device]],
    vary: Mapping[str, Any] | None,
    n_qubits: int,
    at: Mapping[str, Value] | None = None,
) -> list[Variant]:
    """All combinations of devices and varied numbers.

    Args:
        devices: Names and devices.
        vary: Names of a device's numbers, "topology" or "scale", each with a list of values, or a table with "from",
            "to" and "points", which are spaced evenly in their logarithm.
        n_qubits: That the circuit takes.
        at: What was varied before, to be said beside it.

    Returns:
        The last name varies fastest.

    Raises:
        Refused: for an unknown name, impossible values, or too many combinations.
    """
    if not isinstance(vary, Mapping | None):
        raise Refused(
            f'vary must name numbers of a device with their values, as in {{"t1": [1e-4]}}, not {shown(vary)}'
        )
    lists = {name: _values(name, given) for name, given in (vary or {}).items()}
    if "n_qubits" in lists and "topology" not in lists:
        raise Refused(
            "vary: n_qubits: other qubits need other edges, so it is varied together with a topology, such as "
            'topology = ["line"]'
        )
    n_points = len(devices) * math.prod(len(values) for values in lists.values())
    if n_points > MAX_POINTS:
        raise Refused(
            f"vary makes {n_points} devices, more than {MAX_POINTS}: give fewer values, or vary fewer numbers at once"
        )
    found = []
    for name, device in devices:
        for combination in itertools.product(*lists.values()):
            values = dict(zip(lists, combination, strict=True))
            named = tuple(name for name, options in lists.items() if len(options) > 1)
            said = dict(at or {}) | ({"device": name} if len(devices) > 1 else {}) | values
            made = _variant(device, values, said, n_qubits)
            found.append(replace(made, named=("device", *(at or {}), *named)))
    return found


def sharing(grid: Iterable[Variant]) -> list[Variant]:
    """The same devices, all those of one topology, set of gates and way to wait with the base of the first of them.

    So a circuit is transpiled and compiled once for all of them, and numbers are compared for the same circuit.

    Args:
        grid: In order.
    """
    first: dict[Any, Device] = {}
    found = []
    for one in grid:
        base = one.base
        key = (base.n_qubits, base.edges, base.gates, base.virtual, base.directed, base.idle)
        found.append(replace(one, base=first.setdefault(key, base)))
    if len(found) > MAX_POINTS:
        raise Refused(f"{len(found)} devices, more than {MAX_POINTS}: give fewer values, or vary fewer numbers at once")
    return found


def _variant(device: Device, values: Mapping[str, Value], said: Mapping[str, Value], n_qubits: int) -> Variant:
    """A device with its varied numbers; what cannot be is refused with the values that it came from."""
    base, changes = device, {}
    n: Any = values.get("n_qubits")
    try:
        for name, value in values.items():
            if name == "topology":
                base = with_topology(base, str(value), n)
            elif name == "idle":
                base = base.with_(idle=value)
            elif name not in (SCALE, "n_qubits"):
                changes[name] = value
        made = base.with_(**changes) if changes else base
        made = made.scaled(float(values[SCALE])) if SCALE in values else made
    except Refused as err:
        at = ", ".join(f"{key} = {_short(value)}" for key, value in said.items())
        raise Refused(f"vary (at {at}): {err}") from err
    if made.n_qubits < n_qubits:
        raise Refused(f"vary: n_qubits = {made.n_qubits}, and the circuit takes {n_qubits}")
    return Variant(base, said, made)


def _values(name: str, given: Any) -> list[Value]:
    """The values of one varied number."""
    known = [SCALE, "topology", *(one.name for one in fields(Device) if one.name not in NOT_VARIED)]
    if name not in known:
        raise unknown("number of a device in vary:", name, known)
    if isinstance(given, Mapping):
        return _spread(name, given)
    values = list(given) if isinstance(given, list | tuple | np.ndarray) else [given]
    if not values:
        raise Refused(f"vary: {name}: is empty; give at least one value")
    for value in values:
        if name == "topology":
            if value not in get_args(Topology):
                near = difflib.get_close_matches(str(value), get_args(Topology), n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(get_args(Topology))}"
                raise Refused(f"vary: topology: {value!r} is no topology; {hint}")
        elif name == "idle":
            if not isinstance(value, bool):
                raise Refused(f"vary: idle: holds {value!r}, and must be true or false")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused(f"vary: {name}: holds {value!r}, which is no finite number")
    return values


def _spread(name: str, given: Mapping[str, Any]) -> list[Value]:
    """Values from one number to another, spaced evenly in their logarithm."""
    if set(given) != {"from", "to", "points"}:
        raise Refused(f"vary: {name}: a range is a table of from, to and points, not of {', '.join(given)}")
    low, high, points = given["from"], given["to"], given["points"]
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (low, high, points))
    if not numbers or not 0 < low < high or points != int(points) or not 2 <= points <= MAX_POINTS:
        raise Refused(
            f"vary: {name}: a range needs 0 < from < to, and points from 2 to {MAX_POINTS}; it has from = {low!r}, "
            f"to = {high!r}, points = {points!r}"
        )
    return [float(f"{value:.6g}") for value in np.geomspace(low, high, int(points))]


def _short(value: Value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
