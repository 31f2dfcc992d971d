"""All that the record of a run says, read at once and checked: what reports and exports are made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.providers.hardware import Charge
from circuits.errors import Refused
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.algorithm import TRAINING, AlgorithmSpec, StoredOutcome, read_outcome, read_spec, runs_of
from hybrid.runs.entries import RunEntry
from hybrid.runs.evaluation import Evaluation
from hybrid.runs.failovers import Failover
from hybrid.runs.files import checked, parsed, read_bytes, read_json
from hybrid.runs.folder import Record
from hybrid.runs.history import History
from hybrid.runs.journal import Content
from hybrid.runs.listing import entry_of
from hybrid.runs.loading import check_sealed
from hybrid.runs.result import StoredResult

SWEEP = "sweep.json"
"""What a sweep writes at its end: the values and the outcome of each point, those included that have no run."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII)
_UNFIT = re.compile(r"[^\w.+-]")
_NEXT_VARIABLE = re.compile(r",(?=[A-Za-z_]\w*=)")


@dataclass(frozen=True, eq=False)
class Account:
    """A run's record.

    Attributes:
        record: What was asked.
        content: What its journal holds.
        result: What came out; None for a run that has not ended.
        entry: The same as a list of runs says it; see `hybrid.runs.listing.entry_of`.
        values: Of the sweep's variables; of an algorithm's run the name of its "stage"; empty for a run by itself.
    """

    record: Record
    content: Content
    result: StoredResult | None
    entry: RunEntry
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Of the run's folder."""
        return self.record.path

    @property
    def unit(self) -> str:
        """Of the energies."""
        return self.record.spec.problem.unit

    @property
    def history(self) -> History:
        """Every row of parameters that was evaluated."""
        return History.from_evaluations(self.content.evaluations, self.record.circuit.num_parameters)

    @property
    def charge(self) -> Charge | None:
        """What its jobs at vendors came to; None where there were none."""
        sent = [row.charge for row in self.content.jobs if row.counts]
        return sum(sent, Charge()) if sent else None

    def backend_of(self, number: int) -> str:
        """Name of the backend that gave an evaluation.

        Args:
            number: Of the evaluation, from 0.
        """
        places = [change for change in self.content.failovers if change.evaluation <= number]
        return places[-1].name if places else self.begun_on

    @property
    def begun_on(self) -> str:
        """Name of the backend that the run was begun on."""
        changes: tuple[Failover, ...] = self.content.failovers
        return changes[0].failed if changes else self.record.spec.backend.title


def account(path: Path, values: dict[str, Any] | None = None) -> Account:
    """Read all that the record of a run says.

    Args:
        path: Of the run's folder.
        values: Of the sweep's variables, for a point of one.

    Returns:
        The account; of a run that has not ended as far as it has come.

    Raises:
        Refused: if the folder holds no run, a file is missing or damaged, the journal is that of another run, or the
            record was changed after the run's end.
        RecordFailed: if a file cannot be read.
    """
    record = folders.read(path)
    content = journal.read(record.journal)
    content.check_run(record.digest, record.journal)
    file, result = path / folders.RESULT, None
    if file.exists():
        written = read_bytes(file)
        result = checked(StoredResult, parsed(file, written), file)
        if record.spec.format > 1 and result.status != "stopped":
            check_sealed(path, written, content)
    return Account(record, content, result, entry_of(path), values or {})


@dataclass(frozen=True, eq=False)
class AlgorithmAccount:
    """An algorithm's record.

    Attributes:
        path: Of its folder.
        spec: What was asked.
        outcome: What came out; None for one that has not ended.
        entry: The same as a list of runs says it; see `hybrid.runs.listing.entry_of`.
        runs: Of its stages, in the order in which they were begun.
        losses: Of a classifier, of the batch of every step so far, in nats; empty for any other.
        values: Of the sweep's variables; empty for an algorithm by itself.
    """

    path: Path
    spec: AlgorithmSpec
    outcome: StoredOutcome | None
    entry: RunEntry
    runs: "tuple[Account | Unread, ...]"
    losses: tuple[Evaluation, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """Of the energies."""
        return self.spec.unit

    @property
    def own(self) -> dict[str, Any]:
        """What its result says of its own; empty before the end."""
        return {} if self.outcome is None else dict(self.outcome.model_extra or {})


@dataclass(frozen=True)
class Unread:
    """A point of a sweep of which there is no account.

    Attributes:
        name: Of the point.
        values: Of the sweep's variables.
        reason: Why there is none.
    """

    name: str
    values: dict[str, Any]
    reason: str


def is_sweep(path: Path) -> bool:
    """Whether the folder holds a sweep: no run or algorithm itself, but those of its points, or what became of them."""
    if folders.is_run(path) or folders.is_algorithm(path):
        return False
    return (path / SWEEP).is_file() or bool(_begun(path))


def algorithm_account(path: Path, values: dict[str, Any] | None = None) -> AlgorithmAccount:
    """Read all that the record of an algorithm says.

    Args:
        path: Of its folder.
        values: Of the sweep's variables, for a point of one.

    Returns:
        The account; of one that has not ended as far as it has come.

    Raises:
        Refused: if the folder holds none, or a damaged one.
        RecordFailed: if a file cannot be read.
    """
    spec, outcome, training = read_spec(path), read_outcome(path), path / TRAINING
    runs = tuple(_point(run, {"stage": run.name}) for run in runs_of(path))
    losses = journal.read(training).evaluations if training.exists() else ()
    return AlgorithmAccount(path, spec, outcome, entry_of(path), runs, losses, values or {})


def points(path: Path) -> Iterator[Account | AlgorithmAccount | Unread]:
    """The points of a sweep, in the order of its study file where that is known, else by their values.

    Args:
        path: Of the sweep's folder.

    Raises:
        Refused: if the sweep's own file is damaged.
        RecordFailed: if a file cannot be read.
    """
    told = list(_told(path / SWEEP))
    there = _begun(path)
    named = {name for name, _, _ in told}
    rest = sorted(((name, values_of(name), "") for name in there - named), key=lambda one: (_order(one[1]), one[0]))
    for name, values, reason in [*told, *rest]:
        yield (
            _point_of_any_kind(path / name, values)
            if name in there
            else Unread(name, values, reason or "it was not begun")
        )


def _begun(path: Path) -> set[str]:
    """Names of the folders below that hold a run or an algorithm."""
    return {head.parent.name for name in (folders.SPEC, folders.ALGORITHM) for head in path.glob(f"*/{name}")}


def _point(path: Path, values: dict[str, Any]) -> Account | Unread:
    try:
        return account(path, values)
    except Refused as err:
        return Unread(path.name, values, str(err))


def _point_of_any_kind(path: Path, values: dict[str, Any]) -> Account | AlgorithmAccount | Unread:
    if not folders.is_algorithm(path):
        return _point(path, values)
    try:
        return algorithm_account(path, values)
    except Refused as err:
        return Unread(path.name, values, str(err))


def _told(file: Path) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Name, values and, of one that failed, the reason, of each point that a sweep's file tells of."""
    if not file.exists():
        return
    content = read_json(file)
    try:
        for point in content["points"]:
            values = dict(point["values"])
            name = Path(point["folder"]).name if "folder" in point else _name(values)
            yield name, values, str(point.get("message", "")) if point["status"] == "failed" else ""
    except (TypeError, KeyError, ValueError) as err:
        raise Refused(f"{file} is damaged ({type(err).__name__}: {err}); restore it from a copy or remove it") from err


def _name(values: dict[str, Any]) -> str:
    """The name of a point's folder, from the values of the sweep's variables."""
    return ",".join(f"{name}={_UNFIT.sub('_', str(value))}" for name, value in values.items())


def values_of(name: str) -> dict[str, Any]:
    """The values of a sweep's variables from the name of a point's folder.

    >>> values_of("r=1.5,layers=3,site=ibm_fake_manila")
    {'r': 1.5, 'layers': 3, 'site': 'ibm_fake_manila'}
    """
    pairs = (part.partition("=") for part in _NEXT_VARIABLE.split(name))
    return {key: _value(text) for key, equals, text in pairs if equals}


def _value(text: str) -> int | float | str:
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def _order(values: dict[str, Any]) -> list[tuple[bool, float, str]]:
    """Numbers by their size, before words by the alphabet."""
    return [(isinstance(v, str), 0.0 if isinstance(v, str) else float(v), str(v)) for v in values.values()]
