"""Running a suite: every application at every size on every backend, with a record that can be gone on with."""

import json
import math
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import backends as floor
from backends.base import Backend
from backends.seeds import child_seed
from circuits.errors import RecordFailed, Refused, ToolkitError, shown, unknown
from circuits.problems.checks import whole
from circuits.secrets import redacted
from hybrid.codesign.suite import registry
from hybrid.codesign.suite.benchmark import Benchmark, Score, Size, SuiteName
from hybrid.codesign.suite.circuit_file import CircuitFiles
from hybrid.codesign.suite.formats.mqt_bench import applications
from hybrid.codesign.suite.measure import Account, measure, warm_up
from hybrid.codesign.suite.result import Bench, earlier_record
from hybrid.loop import notebook
from hybrid.loop.dispatch import held, journaled
from hybrid.loop.failover import is_failure
from hybrid.loop.stop import Stopped
from hybrid.routing.policy import guarded
from hybrid.runs import journal
from hybrid.runs.benchmark import folder as folders
from hybrid.runs.benchmark.compare import check_comparable
from hybrid.runs.benchmark.record import LABEL, BenchRecord, BenchSpec, Measured, Number, Queue, Seconds, Status, Unit
from hybrid.runs.budget import Budget, budget_of, spending_of
from hybrid.runs.files import digest_of, to_json
from hybrid.runs.folder import JOBS, is_benchmark
from hybrid.runs.journal import Journal
from hybrid.runs.lock import Lock
from hybrid.runs.places import folder_of, fresh
from hybrid.runs.provenance import provenance
from hybrid.runs.queue_time import HERE, NOT_SENT, QueueTime, queue_of_all, running_s
from hybrid.runs.stages import StageFiles
from hybrid.terminal.progress import Progress
from hybrid.workload.arguments import BackendLike
from hybrid.workload.spec import BackendSpec, backend_spec

SEED_BITS = 53
"""Of a unit's seed: what every reader of JSON takes as a whole number."""


@dataclass(frozen=True, eq=False)
class Place:
    """A backend as it was asked for.

    Attributes:
        label: As it was named.
        backend: Made; None if its provider did not answer.
        error: Why it was not made.
    """

    label: str
    backend: Backend | None
    error: ToolkitError | None = None

    def written(self) -> Measured:
        """As a record holds it."""
        if self.backend is None:
            return Measured(label=self.label, spec=BackendSpec(name=self.label), place="provider")
        can = self.backend.capabilities()
        return Measured(
            label=self.label,
            spec=backend_spec(self.backend),
            summary=can.summary,
            max_qubits=can.max_qubits,
            noise=can.noise,
            place=can.place,
        )


def bench(
    suite: str = "small",
    *,
    backends: BackendLike | Sequence[BackendLike] = ("statevector", "aer"),
    only: Sequence[str] | None = None,
    sizes: Sequence[str | int] | None = None,
    circuits: str | Path | None = None,
    shots: int | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
    budget: Budget | Mapping[str, float] | None = None,
    against: str | Path | BenchRecord | Bench | None = None,
    progress: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    on_unit: Callable[[Unit], None] = lambda unit: None,
) -> Bench:
    """Run a suite of applications on several backends: scores with their errors, and times by phase.

    Args:
        suite: ``"quick"`` (seconds), ``"small"`` (minutes) or ``"full"``: which sizes are run.
        backends: One or several: names as `backends.get` takes them, which options may follow as in
            ``"ibm:fake_torino optimization_level=3"``; or objects.
        only: Names of applications; None for all.
        sizes: Instead of the suite's, for every application that has such instances: qubits such as 4, or qubits x
            layers such as ``"4x8"``.
        circuits: A folder of circuits with MQT Bench's names, which are run in place of the suite's applications.
        shots: Of each circuit; None for each application's own number.
        seed: Root of every random number, from 0: all backends run the same circuits.
        folder: Where the record goes; by default a new folder under ``runs/`` (or ``$HYBRID_RUNS``). A folder in which
            the same was begun is gone on with: what has ended is not measured again, no job is sent twice, and what
            failed is tried again.
        budget: What all jobs at providers together may cost, as for `hybrid.minimize`.
        against: An earlier record that `Bench.compare` will be given: what can have no unit in common with it is
            refused before anything is measured.
        progress: Whether to show how far it has come.
        should_stop: Asked before each round of circuits; finished units are kept.
        on_unit: Called with each unit that ends.

    Returns:
        The record, which prints as a table, can be drawn and compared. Units that a backend cannot do, or that a
        provider failed at, are in it with the reason.

    Raises:
        Refused: for an unknown suite, application, size or backend; if the folder holds anything else; or if nothing
            of it can be compared with the earlier record.
        Stopped: if it was to stop. In a notebook also if the cell was interrupted before.

    References:
        The papers of each application are named in its class, in `hybrid.codesign.suite`.
    """
    circuit_files = {} if circuits is None else applications(circuits)
    asked = _asked(registry.suite(suite), circuit_files or registry.applications(), only, sizes)
    shots = None if shots is None else whole(shots, "shots", at_least=1)
    seed = whole(seed, "seed", at_least=0)
    places = _places(backends)
    limits = None if budget is None else budget_of(budget)
    spec = BenchSpec(
        suite=suite,
        shots=shots,
        seed=seed,
        sizes={name: list(map(str, found)) for name, found in asked.items()},
        backends=[place.written() for place in places],
        circuits={
            key: digest
            for name in asked
            if name in circuit_files
            for key, digest in circuit_files[name].digests().items()
        },
        provenance=provenance(),
    )
    if against is not None:
        check_comparable(earlier_record(against), spec)
    question = {"bench": spec.suite, **_question(spec)}
    n_units = len(places) * sum(map(len, asked.values()))
    with (
        notebook.interrupts() as interrupted,
        Progress(f"benchmark {suite}", n_units, shown=progress) as shown_to,
        ExitStack() as stack,
    ):
        path = folder_of(folder) if folder is not None else notebook.folder_to_continue(question)
        path = path or fresh(f"bench-{suite}")
        notebook.remember(question, path)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise Refused(f"the folder {path} cannot be written: {err.strerror}; choose another one") from err
        stack.enter_context(Lock(path))
        if is_benchmark(path):
            spec = _continued(path, spec)
        else:
            folders.begin(path, spec)
        if limits is not None:
            spending_of(path).grant(limits)
        files = stack.enter_context(StageFiles(path, folders.SPEC))
        todo = _Todo(
            files,
            spec,
            circuit_files or registry.applications(),
            places,
            lambda: should_stop() or interrupted(),
            shown_to,
            on_unit,
            stack,
        )
        try:
            record = todo.carry_out(asked)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"What has ended is saved; the same call with folder='{path}' goes on.")
            raise
        if (path / JOBS).exists():
            files.ended(JOBS)
        files.finish(to_json(record.model_dump()))
        shown_to.end_with("finished")
    return Bench(record, path)


class _Todo:
    """The units of a benchmark that are left to do, in a folder that is locked."""

    def __init__(
        self,
        files: StageFiles,
        spec: BenchSpec,
        known: Mapping[str, Benchmark],
        places: Sequence[Place],
        should_stop: Callable[[], bool],
        progress: Progress,
        on_unit: Callable[[Unit], None],
        stack: ExitStack,
    ):
        self._files, self._path = files, files.folder
        self._spec, self._known, self._places = spec, known, places
        self._should_stop, self._progress, self._on_unit, self._stack = should_stop, progress, on_unit, stack
        self._journal: Journal | None = None
        self._ready: dict[int, tuple[Backend, Callable[[int, str], None] | None]] = {}

    def carry_out(self, asked: Mapping[str, Sequence[Size]]) -> BenchRecord:
        """Measure what has not ended, and give the whole record."""
        before = folders.latest(self._files.lines(folders.UNITS, Unit))
        ended = {unit.place: unit for unit in before if unit.status != "failed"}
        done = 0
        for name, sizes in asked.items():
            for size in sizes:
                for number, place in enumerate(self._places):
                    where = (name, size.n_qubits, size.depth, number)
                    self._progress.update(done, f"{name} {size} on {place.label}")
                    if where not in ended:
                        ended[where] = self._measured(self._known[name], size, number)
                        self._files.append(folders.UNITS, ended[where])
                        self._on_unit(ended[where])
                    done += 1
        self._progress.update(done)
        return folders.record_of(self._spec, list(ended.values()))

    def _measured(self, benchmark: Benchmark, size: Size, number: int) -> Unit:
        """Measure one unit; what a backend cannot do, or fails at, is its outcome."""
        self._check_stop()
        seed = child_seed(self._spec.seed, zlib.crc32(benchmark.name.encode()), size.n_qubits, size.depth or 0)
        seed >>= 128 - SEED_BITS
        shots = self._spec.shots or benchmark.shots
        account, score, reference = Account(), None, None
        status: Status = "done"
        reason, start = "", time.perf_counter()
        try:
            reference = benchmark.reference(size, seed=seed)
            backend, begin = self._backend(number)
            stage = folders.stage_of(benchmark.name, str(size), number)
            account.resumed = begin is not None and any(row.place.stage == stage for row in self._opened().jobs())
            start = time.perf_counter()
            score = measure(
                benchmark,
                size,
                backend,
                shots=shots,
                seed=seed,
                account=account,
                on_round=(lambda round_: begin(round_, stage)) if begin is not None else (lambda round_: None),
                check_stop=self._check_stop,
            )
            if isinstance(benchmark, CircuitFiles) and (made := self._places[number].backend) is not None:
                score = replace(score, details={**score.details, **benchmark.predicted(size, made)})
            _check_finite(benchmark.name, score)
        except Exception as err:
            if isinstance(err, RecordFailed) or not isinstance(err, ToolkitError | ImportError):
                raise
            status, score = ("refused" if isinstance(err, Refused) else "failed"), None
            reason = redacted(str(err))
        queue = self._queue_time(number, folders.stage_of(benchmark.name, str(size), number))
        return Unit(
            application=benchmark.name,
            title=benchmark.title,
            n_qubits=size.n_qubits,
            depth=size.depth,
            backend=number,
            status=status,
            reason=reason,
            score=None if score is None else Number(value=score.value, standard_error=score.standard_error),
            reference=reference,
            unit=benchmark.unit,
            higher_is_better=benchmark.higher_is_better,
            details={}
            if score is None
            else {
                name: Number(value=one.value, standard_error=one.standard_error) for name, one in score.details.items()
            },
            shots=shots,
            n_circuits=account.n_circuits,
            circuit=account.circuit,
            seed=seed,
            seconds=_seconds(account, time.perf_counter() - start, *queue),
            queue=Queue(**{name: value for name, value in queue[0].to_dict().items() if name != "seconds"}),
            finished_utc=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )

    def _backend(self, number: int) -> tuple[Backend, Callable[[int, str], None] | None]:
        """The backend with journal, budget and policy around its jobs, warmed up; opened once."""
        if number not in self._ready:
            place = self._places[number]
            if place.error is not None:
                raise place.error
            assert place.backend is not None
            self._stack.enter_context(held(place.backend))
            backend, begin = guarded(place.backend, LABEL, self._path), None
            if backend.capabilities().place == "provider":
                spending = spending_of(self._path)
                backend, begin = journaled(backend, self._opened(), spending, should_stop=self._should_stop)
            warm_up(backend)
            self._ready[number] = backend, begin
        return self._ready[number]

    def _queue_time(self, number: int, stage: str) -> tuple[QueueTime, float | None]:
        """How long the jobs of a unit waited, and ran; those of earlier processes count, too."""
        place = self._places[number]
        if place.backend is not None and place.backend.capabilities().place == "here":
            return HERE, None
        _, begin = self._ready.get(number, (None, None))
        if begin is None:
            reason = "it sends its jobs by itself, and does not tell their times" if number in self._ready else NOT_SENT
            return QueueTime(None, "unknown", reason=reason), None
        jobs = [row for row in self._opened().jobs() if row.place.stage == stage]
        return queue_of_all(jobs), running_s(jobs)

    def _check_stop(self) -> None:
        if self._should_stop():
            raise Stopped(f"what has ended is saved in {self._path}; the same call with this folder goes on")

    def _opened(self) -> Journal:
        """The journal of the jobs of all units."""
        if self._journal is None:
            file, digest = self._path / JOBS, digest_of(self._path / folders.SPEC)
            if not file.exists():
                journal.create(file, digest)
                self._files.ended(JOBS)
            self._journal = self._stack.enter_context(Journal(file, digest))
        return self._journal


def _asked(
    suite: SuiteName, known: Mapping[str, Benchmark], only: Sequence[str] | None, sizes: Sequence[str | int] | None
) -> dict[str, tuple[Size, ...]]:
    """The sizes of each application that are to be run."""
    if not isinstance(only, Sequence | None):
        raise Refused(f"only must be a list of names of applications, not {shown(only)}")
    names = list(known) if only is None else [only] if isinstance(only, str) else list(only)
    if not names:
        raise Refused(f"no application is asked for; there are {', '.join(known)}")
    for name in names:
        if name not in known:
            raise unknown("application", name, known)
    found = {name: known[name] for name in names}
    if sizes is None:
        return {name: one.sizes[suite] for name, one in found.items() if one.sizes[suite]}
    wanted = tuple(dict.fromkeys(Size.of(str(size)) for size in ([sizes] if isinstance(sizes, str | int) else sizes)))
    asked, reasons = {}, []
    for name, one in found.items():
        fitting = []
        for size in wanted:
            try:
                one.check(size)
                fitting.append(size)
            except Refused as err:
                reasons.append(str(err))
        if fitting:
            asked[name] = tuple(fitting)
    if only is not None and reasons:
        raise Refused("; ".join(reasons))
    if not asked:
        raise Refused(f"no application has an instance of size {', '.join(map(str, wanted))}: {'; '.join(reasons)}")
    return asked


def _places(asked: BackendLike | Sequence[BackendLike]) -> list[Place]:
    """The backends, made; a provider that does not answer is kept with its error."""
    given: list[Any] = list(asked) if isinstance(asked, list | tuple) else [asked]
    if not given:
        raise Refused(f"no backend is asked for; there are {', '.join(floor.names())}")
    places = []
    for one in given:
        label = one if isinstance(one, str) else None
        try:
            if label is not None and not label.strip():
                raise Refused("the name of a backend is empty")
            if label == "auto":
                raise Refused(f"'auto' is no backend to measure; name some of {', '.join(floor.names())}")
            backend = floor.get(one) if label is None else _named(label)
            places.append(Place(label or _label(backend), backend))
        except ToolkitError as err:
            if label is None or not is_failure(err):
                raise
            places.append(Place(label, None, err))
    labels = [place.label for place in places]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise Refused(f"backend {shown(twice[0])} is named twice; each is measured once")
    return places


def _named(words: str) -> Backend:
    """The backend of a name that options may follow, as in ``"ibm:fake_torino optimization_level=3"``."""
    name, *given = words.split()
    options: dict[str, Any] = {}
    for word in given:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise Refused(f"{shown(word)} after backend {name} is no option: write it as NAME=VALUE")
        try:
            options[key] = json.loads(text)
        except ValueError:
            options[key] = text
    return floor.get(name, **options)


def _label(backend: Backend) -> str:
    if backend.origin is None:
        return backend.capabilities().name
    spec = backend_spec(backend)
    return " ".join([spec.title, *(f"{name}={value}" for name, value in spec.options.items())])


def _question(spec: BenchSpec) -> dict:
    """What must be the same for a benchmark to go on, by the words that a message names it with."""
    return {
        "suite": spec.suite,
        "applications and sizes": spec.sizes,
        "circuits": spec.circuits,
        "backends": [[one.label, repr(one.spec.question)] for one in spec.backends],
        "shots": spec.shots,
        "seed": spec.seed,
    }


def _continued(path: Path, asked: BenchSpec) -> BenchSpec:
    """What the folder was begun with; refuse if it is not what is asked for now, or was begun elsewhere."""
    kept = folders.read_spec(path)
    before, now = _question(kept), _question(asked)
    if differ := [word for word in now if before[word] != now[word]]:
        raise Refused(
            f"{path} holds a benchmark with other arguments: {', '.join(differ)} differ; give them as they were, or "
            "choose another folder"
        )
    if elsewhere := [key for key in ("machine", "python", "packages") if kept.provenance[key] != asked.provenance[key]]:
        raise Refused(
            f"{path} was begun on another machine, or with other versions: {', '.join(elsewhere)} differ, and the "
            "times of one record must be comparable; choose another folder"
        )
    return kept


def _check_finite(name: str, score: Score) -> None:
    """Refuse a score that is no number, as of a device that answers noise alone."""
    numbers = [score.value, score.standard_error]
    numbers += [number for one in score.details.values() for number in (one.value, one.standard_error)]
    if not all(map(math.isfinite, numbers)):
        raise Refused(f"{name} has no finite score for these answers: {score}")


def _seconds(account: Account, total: float, queue: QueueTime, running: float | None) -> Seconds:
    """The times of a unit; what was answered from the record of an earlier process is not timed."""
    spent = {phase: seconds for phase, seconds in account.seconds.items() if phase != "jobs" or not account.resumed}
    if running is not None:
        spent["execute"] = running
    return Seconds(**spent, queue=queue.seconds, total=total)
