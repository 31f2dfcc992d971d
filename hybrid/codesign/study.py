"""From a study file to the question which number of its device limits it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from backends.devices.device import Device
from circuits.errors import Refused
from hybrid.algorithms.algorithm import Algorithm
from hybrid.algorithms.carry_out import carry_out
from hybrid.codesign.codesign import prepared
from hybrid.codesign.grid import Variant, devices_of, variants
from hybrid.codesign.result import Codesign
from hybrid.studies.study import Point, Study, build
from hybrid.studies.sweep import slug

DEVICE_KEYS = {"of", "topology", *(field.name for field in fields(Device))}


@dataclass(frozen=True)
class Asked:
    """What is asked in place of what the file says in [codesign]; None for what it says.

    Attributes:
        devices: Names of devices and topologies.
        vary: Numbers of the device to their values.
        target: Wanted error, in the problem's unit.
        method: As for `hybrid.codesign`.
        reoptimize: As for `hybrid.codesign`.
        mitigation: As for `hybrid.codesign`.
        shots: Of each measured circuit.
    """

    devices: Sequence[str] | None = None
    vary: Mapping[str, Any] | None = None
    target: float | None = None
    method: Any = None
    reoptimize: bool | None = None
    mitigation: Any = None
    shots: int | None = None


@dataclass(frozen=True)
class Application:
    """One problem of a study with its ansatz, on some devices.

    Attributes:
        name: Values of the sweep that belong to it; empty where the study has one alone.
        algorithm: What is asked.
        notes: What the record keeps of the study.
    """

    name: str
    algorithm: Algorithm[Codesign]
    notes: Mapping[str, Any]


def applications(study: Study, asked: Asked) -> list[Application]:
    """What a study asks: one application for each problem and ansatz, each on all devices that the file names.

    Args:
        study: That has been read; each value of a sweep over [device] is a device.
        asked: What is asked in place of the file's words.

    Raises:
        Refused: for a study without a device or with an algorithm, and as `hybrid.codesign`.
    """
    groups: dict[str, list[Point]] = {}
    for point in study.points():
        record = point.record()
        groups.setdefault(repr((record.get("problem"), record.get("ansatz"))), []).append(point)
    several = list(groups.values())
    return [_application(points, asked, names=_names(points, several)) for points in several]


def run(
    found: Sequence[Application],
    folder: Path,
    *,
    should_stop: Callable[[], bool],
    told: Callable[[str, Codesign], None] = lambda name, result: None,
) -> list[tuple[str, Codesign]]:
    """Answer what a study asks, in one folder, or in one folder below it for each application.

    Args:
        found: At least one application.
        folder: Where the record goes, or is.
        should_stop: As for `hybrid.minimize`.
        told: Called with each answer.

    Raises:
        Stopped: if it was to stop; what is done is saved.
    """
    answers = []
    for one in found:
        place = folder / one.name if one.name else folder
        answer = carry_out(
            one.algorithm, backend="statevector", folder=place, notes=dict(one.notes), should_stop=should_stop
        )
        told(one.name, answer)
        answers.append((one.name, answer))
    return answers


def _names(points: Sequence[Point], groups: Sequence[Sequence[Point]]) -> list[str]:
    """The sweep variables whose values tell an application from the others; none where there is one alone."""
    if len(groups) == 1:
        return []
    return [name for name, value in points[0].values.items() if all(point.values[name] == value for point in points)]


def _application(points: Sequence[Point], asked: Asked, *, names: Sequence[str]) -> Application:
    first = points[0]
    spec = first.spec
    if spec.algorithm is not None:
        raise Refused(
            f"{first.where}: [algorithm] kind = {spec.algorithm.kind}: codesign asks about one minimization; leave the "
            'section out, and give an [ansatz] such as kind = "qaoa"'
        )
    own = [device_of(point) for point in points]
    said, options = spec.codesign, spec.backend.options
    problem, circuit, arguments = build(first, backend="statevector")
    n = circuit.num_qubits
    named = asked.devices if asked.devices is not None else said.devices
    try:
        grid: list[Variant] = []
        for point, device in zip(points, own, strict=True):
            if named is None and device is None:
                raise Refused(
                    "[device]: missing; give the device's section, or name devices, as in --devices ibm:fake_manila"
                )
            at = {name: value for name, value in point.values.items() if name not in names}
            found = devices_of(list(named) if named is not None else device, n, device)
            grid += variants(found, {**said.vary, **(asked.vary or {})}, n, at)
            if named is not None and not at and len(points) > 1:
                break
        algorithm = prepared(
            circuit,
            problem,
            grid,
            target=said.target if asked.target is None else asked.target,
            method=asked.method if asked.method is not None else said.method or "auto",
            reoptimize=bool(said.reoptimize) if asked.reoptimize is None else asked.reoptimize,
            mitigation=asked.mitigation or said.mitigation or options.get("mitigation"),
            shots=spec.backend.shots if asked.shots is None else asked.shots,
            optimization_level=options.get("optimization_level", 1),
            theta=arguments["theta"],
            seed=spec.run.seed,
            label=spec.run.label,
            exact=spec.run.exact,
        )
    except Refused as err:
        raise type(err)(f"{first.where}: {err}") from err
    name = ",".join(f"{key}={slug(first.values[key])}" for key in names)
    return Application(name, algorithm, {"sections": first.record()})


def device_of(point: Point) -> Device | None:
    """The device of a study's point: its section [device], or the snapshot that [backend] names; None for neither.

    Args:
        point: Of a study.

    Raises:
        Refused: if it is an impossible device.
    """
    name, options = point.spec.backend.name, point.spec.backend.options
    given: Any = None
    if name == "device":
        given = {key: value for key, value in options.items() if key in DEVICE_KEYS}
    elif name in ("density", "aer"):
        given = options.get("device" if name == "density" else "noise")
    elif ":fake_" in name:
        given = name
    try:
        return None if given is None else Device.of(given)
    except Refused as err:
        raise type(err)(f"{point.where}: [device] {err}") from err
