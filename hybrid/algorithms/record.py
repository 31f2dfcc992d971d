"""The folder of an algorithm, open: each stage is computed once, so that it can be killed and called again.

`hybrid.runs.algorithm` names the files.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.base import Backend
from circuits import Problem
from circuits.errors import Refused
from hybrid.algorithms.places import Around, Places
from hybrid.algorithms.stages import Stages, Tally, W
from hybrid.loop.clock import Clock
from hybrid.loop.ledger import Evaluate, Ledger, Place
from hybrid.loop.minimize import continue_run, run
from hybrid.loop.optimize import Ending, optimize
from hybrid.loop.stop import Stopped
from hybrid.loop.team import Tiled, shared
from hybrid.ranks.mpi import Ranks
from hybrid.routing.plan import rank
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.files import checked, digest_of, read_json, to_json
from hybrid.runs.journal import Journal
from hybrid.runs.result import Result
from hybrid.runs.stages import StageFiles
from hybrid.terminal.progress import Progress
from hybrid.workload.beside import UNASKED_S
from hybrid.workload.workload import Workload, workload


@dataclass(frozen=True)
class Record(Stages):
    """An algorithm's folder, locked for this process, with what all stages share.

    Attributes:
        files: The files of its stages.
        places: Where the stages run.
        work: The first minimization; the others share its optimizer, accuracy, steps, shots and label.
        should_stop: Whether a signal asks to stop.
        team: Ranks that share the evaluations of the runs; this one leads.
        tally: What the stages took.
        progress: Shows which stage goes on.
    """

    files: StageFiles
    places: Places
    work: Workload
    should_stop: Callable[[], bool]
    team: Ranks
    tally: Tally = field(default_factory=Tally)
    progress: Progress = field(default_factory=lambda: Progress(""))

    @property
    def folder(self) -> Path:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Path of the folder."""
        return self.files.folder

    @property
    def backend(self) -> Backend:
        """Where the next stage runs; after failovers where the last one went on."""
        return self.places.backend

    def check_stop(self) -> None:
        """Stop here if a signal asks for it; finished stages are saved.

        Raises:
            Stopped: if one does.
        """
        if self.should_stop():
            raise Stopped(f"finished stages are saved in {self.folder}; the same call goes on with them")

    def run(
        self,
        name: str,
        circuit: QuantumCircuit,
        problem: Problem,
        *,
        theta: ArrayLike | None = None,
        seed: int = 0,
        around: Around = lambda backend: backend,
    ) -> Result:
        """Minimize in a run; continue it, or read it, if it was begun before. See `Stages.run`."""
        self.check_stop()
        self.progress.update(0, name)
        place, kept = self.folder / name, self.work
        device, spares = self.places.of_run(place, around)
        if folders.is_run(place):
            result = continue_run(place, backend=device, should_stop=self.should_stop, team=self.team, made=spares)
        else:
            work = workload(
                circuit,
                problem,
                optimizer=kept.optimizer,
                theta=theta,
                accuracy=kept.accuracy,
                max_steps=kept.max_steps,
                seed=seed,
                shots=kept.shots,
                label=kept.label,
            )
            plan = rank(work, [device])
            notes = {"stage": name}
            result = run(
                work, plan, folder=place, notes=notes, should_stop=self.should_stop, team=self.team, spares=spares
            )
        if result.status == "stopped":
            self.check_stop()
        self.files.ended(name)
        self.places.follow(place, around)
        self.tally.add(result)
        return result

    def descend(self, name: str, theta: np.ndarray, make: Callable[[Backend], Tiled]) -> tuple[Ending, np.ndarray]:
        """Minimize with a journal; continue it if it was begun before. See `Stages.descend`."""
        self.progress.update(0, name)
        path, work, clock = self.folder / f"{name}.sqlite", self.work, Clock()
        run_digest = digest_of(self.folder / folders.ALGORITHM)
        if not path.exists():
            journal.create(path, run_digest)

        def evaluate(backend: Backend) -> Evaluate:
            return shared(make, make, backend, self.team, contained=self.places.more)

        def after(err: Exception, number: int) -> Place:
            self.places.leave(err, name, number)
            return self.places.place(name, evaluate)

        with Journal(path, run_digest) as opened:
            ledger = Ledger(opened, self.places.place(name, evaluate), clock, team=self.team, after=after)
            ending = optimize(
                work.optimizer,
                theta,
                ledger.answer,
                accuracy=work.accuracy,
                seed=work.seed,
                max_steps=work.max_steps,
                should_stop=self.should_stop,
                clock=clock,
                title=work.problem.name,
                unit=work.problem.unit,
            )
        if ending.status == "stopped":
            self.check_stop()
        self.files.ended(path.name)
        tally = self.tally
        tally.steps += ending.steps
        tally.evaluations += sum(len(evaluation.theta) for evaluation in ledger.evaluations)
        for phase, seconds in ledger.report().items():
            if phase != "total":
                tally.spend(phase, seconds)
        tally.spend("evaluate", ledger.replayed_s)
        return ending, np.array([evaluation.told.values[0] for evaluation in ledger.evaluations])

    def compute_once(self, name: str, model: type[W], compute: Callable[[Backend], W]) -> W:
        """Read the result of a stage from its file, or compute it and write it there. See `Stages.compute_once`."""
        path = self.folder / f"{name}.json"
        self.check_stop()
        if not self.files.has(path.name):
            self.progress.update(0, name)
            with self.timed():
                self.files.write(path.name, to_json(self.places.attempt(name, compute).model_dump()))
        return checked(model, read_json(path), path)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """A context whose time is that of stages which are no runs."""
        start = time.perf_counter()
        yield
        self.tally.spend("stages", time.perf_counter() - start)

    def grow(self, name: str, model: type[W], number: int, compute: Callable[[Sequence[W]], W]) -> list[W]:
        """Compute the steps that the file lacks, each written before the next is begun. See `Stages.grow`.

        A line that a kill left unfinished is removed.
        """
        file = f"{name}.jsonl"
        steps = self.files.lines(file, model)
        with self.timed():
            while len(steps) < number:
                self.check_stop()
                self.progress.update(len(steps), f"step {len(steps)} of {number - 1}")
                steps.append(compute(steps))
                self.files.append(file, steps[-1])
        self.tally.steps = self.tally.evaluations = len(steps) - 1
        return steps


def with_cached_exact_energy(problem: Problem) -> Problem:
    """The same problem, whose exact energy is computed once for all stages; unchanged where it is too large."""
    seconds = problem.exact_energy_seconds()
    if seconds > UNASKED_S:
        return problem
    return replace(problem, solve=cache(problem.exact_energy), solve_seconds=seconds)


def without_exact_energy(problem: Problem) -> Problem:
    """The same problem, which refuses to give its exact energy: the minimum that is looked for is another."""

    def refuse() -> float:
        raise Refused("the exact energy of H is not the minimum that is looked for")

    return replace(problem, solve=refuse, solve_seconds=0.0)
