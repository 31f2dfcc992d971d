"""The study file: a grid of workloads in one TOML file, checked whole before anything runs."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

import backends
import circuits
from circuits import registry
from circuits.errors import Refused
from hybrid import optimizers
from hybrid.registry.words import is_registry
from hybrid.runs.start import PREFIX, started
from hybrid.studies.fields import InputPath, KindSection
from hybrid.studies.refusals import refusal
from hybrid.studies.sections import Spec
from hybrid.studies.sweep import Value, check_use, fill, grid, placeholders, positions, slug, variables
from hybrid.survey.proposals import first_design
from hybrid.survey.question import Question, question_of

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from backends.base import Backend
    from circuits.problems.problem import Problem
    from hybrid.algorithms.algorithm import Algorithm
    from hybrid.runs.budget import Budget

MAX_BYTES = 1 << 20

MAX_DEPTH = 16
"""Of tables and lists within each other; nothing that is understood is nested more than four deep."""

_QUOTED = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)|"(?:\\.|[^"\\\n])*+"?'  # strings, also unfinished ones
    r"|'''.*?(?:'''|\Z)|'[^'\n]*+'?"  # and those without escapes
    r"|#[^\n]*+",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){{{MAX_DEPTH}}}")

UNRECORDED = {"failover", "exact"}
"""Keys of [run] that change nothing in what is asked."""

MAX_NAME_BYTES = 200
"""Of the name of a point, which is that of its folder: file systems take 255, and files beside it have longer names."""


@dataclass(frozen=True)
class Point:
    """One workload of a study.

    Attributes:
        values: The sweep variables' values here; empty without a sweep.
        spec: All sections, checked, with the values filled in and paths made absolute.
        where: The file and the values, for messages.
        units: Of the sweep variables that have one.
    """

    values: Mapping[str, Value]
    spec: Spec
    where: str
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the point's folder, such as ``r=1.2,layers=3``, unique in the study; empty without a sweep."""
        return ",".join(f"{name}={slug(value)}" for name, value in self.values.items())

    def record(self) -> dict[str, Any]:
        """The sections of the file at this point, as JSON-able values; input files by their names and contents.

        The budget, [codesign], where the run may go on, and whether the exact energy is computed beside it are not
        among them: they change nothing in what is asked, and others may be given later.
        """
        sections = self.spec.model_dump(
            exclude_unset=True, exclude={"budget": True, "codesign": True, "run": UNRECORDED}
        )
        given = self.spec.run.model_fields_set - UNRECORDED
        return _recorded({name: section for name, section in sections.items() if name != "run" or given})


def _recorded(value: Any) -> Any:
    if isinstance(value, InputPath):
        return value.record()
    if isinstance(value, Mapping):
        return {key: _recorded(content) for key, content in value.items()}
    return [_recorded(content) for content in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True)
class Study:
    """A study file that has been read.

    Attributes:
        path: The file.
        sweep: Names of the sweep variables to their values, in the order of the file.
        partial: Whether it holds only some points of the grid.
        survey: What a survey asks, whose points but the first are chosen as it goes; None without one.
    """

    path: Path
    sweep: Mapping[str, list[Value]]
    _points: tuple[Point, ...]
    partial: bool = False
    survey: Question | None = None
    _sections: Mapping[str, Any] = field(default_factory=dict)
    _base: Path = Path()

    def points(self) -> tuple[Point, ...]:
        """The workloads, the last sweep variable running fastest; a single one without a sweep; a survey's first."""
        return self._points

    def at(self, values: Mapping[str, Value], **run: Any) -> "Study":
        """The study of a survey at one point.

        Args:
            values: Of the survey's ranges.
            run: Keys of the section [run] with their values, in place of the file's; None leaves one out.

        Raises:
            Refused: if the sections do not take the values.
        """
        given = {**self._sections.get("run", {}), **run}
        given = {key: value for key, value in given.items() if value is not None}
        point = _point(self.path, self._base, {**self._sections, "run": given}, values)
        return replace(self, _points=(point,), partial=True)

    @property
    def warm_start(self) -> bool:
        """Whether each point starts from the one before it along the last sweep variable."""
        return self._points[0].spec.run.warm_start

    @property
    def budget(self) -> "Budget | None":
        """What all its points together may spend at vendors; None where the file does not say."""
        from hybrid.runs.budget import Budget

        limits = self._points[0].spec.budget.arguments()
        return Budget(**limits) if limits else None

    def chains(self) -> list[tuple[int, ...]]:
        """Chains of points of which each starts from the one before it; different chains do not depend on each other.

        Returns:
            Numbers of the points of each chain, in order; chains of one point each without a warm start.
        """
        if not self.warm_start:
            return [(k,) for k in range(len(self._points))]
        last = list(self.sweep)[-1]
        chains: dict[Any, list[int]] = {}
        for k, point in enumerate(self._points):
            chains.setdefault(tuple(v for name, v in point.values.items() if name != last), []).append(k)
        return [tuple(chain) for chain in chains.values()]

    def check_apart(self) -> None:
        """Refuse to run points independently of each other if they start from each other.

        Raises:
            Refused: for a study with a warm start.
        """
        if self.warm_start:
            raise Refused(
                f"{self.path}: [run] warm_start = true: a point needs the one before it, so points cannot run apart; "
                "run the whole sweep in one job, on many ranks if you like"
            )

    def only(self, selection: Iterable[str]) -> "Study":
        """The study with some of its points.

        Args:
            selection: Numbers in the grid from 0, ranges such as ``3-7``, or names of points.

        Raises:
            Refused: for anything else, with the nearest name; if points start from each other; for a survey.
        """
        if self.survey is not None:
            raise Refused(f"{self.path}: [survey]: each run follows from those before it, so none can be chosen")
        self.check_apart()
        chosen = positions(selection, [point.name for point in self._points])
        return replace(self, _points=tuple(self._points[number] for number in chosen), partial=True)


def read(
    path: str | Path,
    *,
    backend: str | None = None,
    base: str | Path | None = None,
    exact: bool | None = None,
    surveys: bool = False,
) -> Study:
    """Read and check a study file, every point of its sweep included.

    Args:
        path: A TOML file.
        backend: A name to use instead of the file's.
        base: The folder that paths in the file are relative to; by default the file's own.
        exact: Whether exact energies are computed beside the runs, instead of what the file says.
        surveys: Whether the file may ask for a survey, whose points are not known beforehand.

    Raises:
        Refused: if the file cannot be read, or says anything that is not understood. The message names file, section,
            key, value, and what would be right.
    """
    path = Path(path)
    return check(parse(path), path=path, backend=backend, base=base, exact=exact, surveys=surveys)


def check(
    data: Mapping[str, Any],
    *,
    path: str | Path,
    backend: str | None = None,
    base: str | Path | None = None,
    exact: bool | None = None,
    surveys: bool = False,
) -> Study:
    """Check the content of a study file that is parsed already, every point of its sweep included.

    Args:
        data: The file's content, as `tomllib` gives it.
        path: Of the file, for messages and relative paths; it need not exist.
        backend: As for `read`.
        base: As for `read`.
        exact: As for `read`.
        surveys: As for `read`.

    Raises:
        Refused: as `read`.
    """
    path = Path(path)
    _check_depth(path, data)
    sections = {key: value for key, value in data.items() if key not in ("sweep", "survey")}
    sections = with_device(sections, path)
    for section, key, value in (("backend", "name", backend), ("run", "exact", exact)):
        given = sections.get(section, {})
        if value is not None and isinstance(given, dict):  # what is no table is refused below
            sections[section] = {**given, key: value}
    try:
        sweep = variables(data.get("sweep", {}))
        if "survey" not in data:
            check_use(sections, sweep)
    except Refused as err:
        raise Refused(f"{path}: {err}") from err
    folder = path.absolute().parent if base is None else Path(base).absolute()
    if "survey" in data:
        return _survey(path, folder, data, sections, allowed=surveys)
    study = Study(path, sweep, tuple(_point(path, folder, sections, values) for values in grid(sweep)))
    for point in study.points():
        if len(os.fsencode(point.name)) > MAX_NAME_BYTES:
            raise Refused(
                f"{point.where[:300]}: [sweep] the values make a name of {len(os.fsencode(point.name))} bytes for the "
                f"point's folder; at most {MAX_NAME_BYTES} are possible: sweep shorter values, such as paths of files"
            )
    if any(point.spec.budget != study.points()[0].spec.budget for point in study.points()):
        raise Refused(f"{path}: [budget] must not depend on [sweep]: all points of a study share one budget")
    if study.warm_start and not sweep:
        raise Refused(f"{path}: [run] warm_start = true: there is no [sweep], so nothing to start from")
    return study


def _survey(path: Path, folder: Path, data: Mapping[str, Any], sections: dict[str, Any], *, allowed: bool) -> Study:
    """The study of a survey, with the points of its first design."""
    if not allowed:
        raise Refused(
            f"{path}: [survey]: only `hybrid run` and `hybrid plan` take a survey, whose runs follow from each other; "
            "within a batch job call `hybrid run`, or give a [sweep]"
        )
    run = sections.get("run", {})
    seed = run.get("seed", 0) if isinstance(run, Mapping) else 0
    try:
        if "sweep" in data:
            raise Refused("[sweep] and [survey]: a study has one of the two; leave one out")
        try:
            question = question_of(data["survey"], seed=seed if isinstance(seed, int) else 0)
        except Refused as err:
            raise Refused(f"[survey] {err}") from err
        check_use(sections, question.ranges, section="survey")
    except Refused as err:
        raise Refused(f"{path}: {err}") from err
    points = tuple(_point(path, folder, sections, one.values) for one in first_design(question))
    if any(point.spec.budget != points[0].spec.budget for point in points):
        raise Refused(f"{path}: [budget] must not depend on [survey]: all points of a study share one budget")
    if question.interval < (accuracy := points[0].spec.optimizer.accuracy):
        raise Refused(
            f"{path}: [survey] interval = {question.interval:g}: below [optimizer] accuracy = {accuracy:g}, to which "
            "each run is minimized; promise a wider interval, or give a smaller accuracy"
        )
    return Study(path, {}, points, survey=question, _sections=sections, _base=folder)


DEVICE_GOES = {"device": None, "density": "device", "trajectories": "device", "aer": "noise", "auto": "device"}
"""Backends that take the section [device], and the option that it is; None: its keys are options themselves."""


def with_device(sections: Mapping[str, Any], path: str | Path) -> dict[str, Any]:
    """The sections with [device] as options of the backend: the device itself, where [backend] names no other.

    Args:
        sections: Of a study file.
        path: Of the file, for messages.

    Raises:
        Refused: for a backend that takes no device, or options that say the same twice.
    """
    if "device" not in sections:
        return dict(sections)
    others = {key: value for key, value in sections.items() if key != "device"}
    device, given = sections["device"], sections.get("backend", {})
    if not isinstance(device, Mapping) or not isinstance(given, Mapping):
        raise Refused(f"{path}: [device] and [backend] must be sections")
    name = given.get("name", "device")
    if name not in DEVICE_GOES:
        raise Refused(
            f'{path}: [device] is for the backends {", ".join(DEVICE_GOES)}, and [backend] names "{name}"; leave one '
            "of the two out"
        )
    option = DEVICE_GOES[name]
    put = dict(device) if option is None else {option: dict(device)}
    if twice := sorted(put.keys() & given.keys()):
        raise Refused(f"{path}: [backend] {twice[0]}: [device] says it, too; leave one of them out")
    return others | {"backend": {**given, "name": name, **put}}


def build(
    point: Point,
    *,
    problem: "Problem | None" = None,
    circuit: "QuantumCircuit | None" = None,
    backend: "str | Backend | None" = None,
) -> "tuple[Problem, QuantumCircuit, dict[str, Any]]":
    """Make a point's problem and circuit.

    Args:
        point: Of a study.
        problem: Made for another point with the same section, if there is one; it is not made again.
        circuit: The same, for a point with the same problem.
        backend: The one that the point asks for, or its name, if it is not to be made here.

    Returns:
        The problem, the ansatz circuit on its qubits, and the other arguments of `hybrid.minimize`: ``backend``
        ("auto" or a `Backend`), ``optimizer``, ``theta``, ``max_steps``, ``accuracy``, ``shots``, ``seed``,
        ``label``, ``name``, and ``exact`` where it is switched off.

    Raises:
        Refused: if there is no such problem, circuit, optimizer or backend; the message names file and section.
    """
    spec = point.spec
    assert spec.algorithm is None  # see `build_algorithm`
    problem, circuit = _works_on(point, problem, circuit)
    assert problem is not None
    assert circuit is not None
    with _section(point, "optimizer"):
        optimizer = optimizers.get(**spec.optimizer.description)
    with _section(point, "run"):
        begin = start_of(point)
        theta = begin if is_registry(begin) else started(begin, circuit)[0]
    if backend is None:
        backend = backend_asked(point, circuit)
    return (
        problem,
        circuit,
        {
            "backend": backend,
            "optimizer": optimizer,
            "theta": theta,
            "max_steps": spec.optimizer.max_steps,
            "accuracy": spec.optimizer.accuracy,
            "shots": spec.backend.shots,
            "seed": spec.run.seed,
            "label": spec.run.label,
            "name": spec.run.name,
        }
        | ({} if spec.run.exact else {"exact": False}),
    )


def build_algorithm(
    point: Point,
    *,
    problem: "Problem | None" = None,
    circuit: "QuantumCircuit | None" = None,
) -> "Algorithm[Any]":
    """Make the algorithm of a point that has one.

    Args:
        point: Of a study, with a section [algorithm].
        problem: As for `build`.
        circuit: As for `build`; not used where the algorithm brings its own.

    Raises:
        Refused: as `build`, and if the algorithm's data are unfit.
    """
    from hybrid.studies.algorithm import algorithm_of

    problem, circuit = _works_on(point, problem, circuit)
    with _section(point, "run"):
        theta = None if circuit is None else started(start_of(point), circuit)[0]
    with _section(point, "algorithm"):
        return algorithm_of(point.spec, problem=problem, circuit=circuit, theta=theta)


def backend_asked(point: Point, circuit: "QuantumCircuit") -> "str | Backend":
    """The backend that a point asks for, "auto" or a `Backend`; for "auto" on a modelled device the one that suits it.

    Args:
        point: Of a study.
        circuit: What it runs.

    Raises:
        Refused: if there is no such backend here.
    """
    asked = point.spec.backend
    with _section(point, "backend"):
        if asked.name != "auto":
            return backends.get(asked.name, **asked.options)
        if not asked.options:
            return "auto"
        name, _ = simulator_of(point, circuit)
        device = asked.options["device"]
        return backends.get(name, **(device if DEVICE_GOES[name] is None else {"device": device}))


def simulator_of(point: Point, circuit: "QuantumCircuit") -> tuple[str, str]:
    """For "auto" on a modelled device: the backend that simulates it, and why; see `backends.devices.choose`."""
    from backends.devices.choose import simulator

    return simulator(point.spec.backend.options["device"], circuit, shots=point.spec.backend.shots)


def _works_on(
    point: Point, problem: "Problem | None", circuit: "QuantumCircuit | None"
) -> "tuple[Problem | None, QuantumCircuit | None]":
    """The problem and the ansatz of a point, made unless they are given; None for a section that it has not."""
    spec = point.spec
    with _section(point, "problem"):
        if spec.problem is None:
            problem = None
        elif problem is None:
            problem = _problem(spec.problem)
    with _section(point, "ansatz"):
        if spec.ansatz is None or problem is None:
            circuit = None
        elif circuit is None:
            circuit = _circuit(spec.ansatz, problem)
    return problem, circuit


def start_of(point: Point) -> "tuple[float, ...] | str | None":
    """The starting point that a point asks for, as `hybrid.minimize` takes it."""
    theta = point.spec.run.theta
    return f"{PREFIX}{Path(theta).parent}" if isinstance(theta, InputPath) else theta


@contextmanager
def _section(point: Point, name: str) -> Iterator[None]:
    """Say in which file and section a refused request stands."""
    try:
        yield
    except Refused as err:
        raise type(err)(f"{point.where}: [{name}] {err}") from err


def _problem(section: KindSection) -> "Problem":
    return registry.load("problem", section.kind)(**section.arguments())


def _circuit(section: KindSection, problem: "Problem") -> "QuantumCircuit":
    kind, arguments = section.kind, section.arguments()
    if kind == "hardware_efficient":
        return circuits.hardware_efficient(problem.n_qubits, **arguments)
    if kind != "file":
        return registry.load("ansatz", kind)(problem, **arguments)
    circuit = circuits.load_circuit(arguments["path"])
    if circuit.num_qubits != problem.n_qubits:
        raise Refused(
            f"path: the circuit in {arguments['path']} has {circuit.num_qubits} qubits, "
            f"but {problem.name} needs {problem.n_qubits}"
        )
    return circuit


def _point(path: Path, folder: Path, sections: Mapping[str, Any], values: Mapping[str, Value]) -> Point:
    at = ", ".join(f"{name} = {value}" for name, value in values.items())
    where = f"{path} (at {at})" if at else str(path)
    data = fill(sections, values)
    try:
        return Point(values, Spec.model_validate(data, context={"folder": folder}), where, _units(sections, values))
    except ValidationError as err:
        raise refusal(err, data, where=where) from err


def _units(sections: Mapping[str, Any], values: Mapping[str, Value]) -> dict[str, str]:
    """The units of numbers that stand for coordinates of atoms, as in ``"H 0 0 0; H 0 0 {r}"``."""
    problem = sections.get("problem")
    geometry = problem.get("geometry") if isinstance(problem, Mapping) else None
    atoms = [atom.split()[1:] for atom in re.split("[;\n]", geometry)] if isinstance(geometry, str) else []
    return {name: "angstrom" for name in placeholders(atoms) if not isinstance(values[name], str)}


def _check_keys(path: Path, text: str) -> None:
    """Refuse keys of so many parts that the parser would take memory by the square of their number."""
    bare = _QUOTED.sub(lambda found: "" if found[0][0] == "#" else "quoted", text)
    if _LONG_KEY.search(bare):
        raise Refused(f"{path}: a key has more than {MAX_DEPTH} parts: tables are nested deeper than {MAX_DEPTH}")


def _check_depth(path: Path, data: Any) -> None:
    level = [data]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for value in level
            if isinstance(value, Mapping | list)
            for inner in (value.values() if isinstance(value, Mapping) else value)
        ]
        if not level:
            return
    raise Refused(f"{path}: lists or tables are nested deeper than {MAX_DEPTH}")


def parse(path: Path) -> dict[str, Any]:
    """The content of a study file, as `check` takes it.

    Raises:
        Refused: if it cannot be read, or is no TOML.
    """
    try:
        content = path.open("rb").read(MAX_BYTES + 1)
    except FileNotFoundError as err:
        here = [str(file) for file in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        near = difflib.get_close_matches(str(path), here, n=1)
        raise Refused(f"{path}: no such file" + (f"; did you mean '{near[0]}'?" if near else "")) from err
    except (OSError, ValueError) as err:
        raise Refused(f"{path}: cannot be read: {err}") from err
    if len(content) > MAX_BYTES:
        raise Refused(f"{path}: larger than {MAX_BYTES >> 20} MiB, too large for a study file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = content[: err.start].count(b"\n") + 1
        raise Refused(f"{path}: line {line}: not UTF-8, which TOML must be") from err
    _check_keys(path, text)
    try:
        return tomllib.loads(text)
    except RecursionError as err:
        raise Refused(f"{path}: lists or tables are nested too deeply") from err
    except ValueError as err:
        raise Refused(f"{path}: not TOML: {err}") from err
