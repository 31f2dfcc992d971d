"""The seam between a study and what runs it: a site's settings, and the four things it can do."""

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from hybrid.sites.words import Launcher, Lines, Modules, Program, Variables, check_folder
from hybrid.studies.fields import Section

Activity = Literal["pending", "running", "ended"]
"""Of a task that a site knows; one that has ended is of interest as long as its results are still there."""

FOLDER = "batch"
"""In a run's folder, where scripts, logs and the record of submissions lie."""

TIME = re.compile(r"([0-9]{1,5}-)?[0-9]{1,3}:[0-9]{2}(:[0-9]{2})?|[0-9]{1,9}")


def _minutes(text: str) -> str:
    if not TIME.fullmatch(text) or walltime_s(text) < 60:
        raise ValueError('must be minutes, "hours:minutes:seconds" or "days-hours:minutes", a minute at least')
    return text


def walltime_s(text: str) -> int:
    """Seconds of a time as Slurm writes it.

    >>> walltime_s("90"), walltime_s("2:30"), walltime_s("01:00:00"), walltime_s("1-12:00")
    (5400, 150, 3600, 129600)
    """
    days, dash, rest = text.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if dash:
        hours, minutes, seconds = [*parts, 0, 0][:3]
    elif len(parts) == 3:
        hours, minutes, seconds = parts
    else:
        hours, minutes, seconds = 0, *[*parts, 0][:2]
    return int(days or 0) * 86400 + hours * 3600 + minutes * 60 + seconds


WallTime = Annotated[str, AfterValidator(_minutes)]
Small = Annotated[int, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Active:
    """A task that waits or runs, or has ended elsewhere with results that are not here yet, as far as the site says.

    Attributes:
        state: Which of them.
        job: The scheduler's number for it, as its own commands take it; empty where there is none.
        node: Where it runs; empty where it does not.
        elapsed_s: How long it has run by now, in seconds; None where that is not known.
        reason: Why it waits; empty where nothing is said.
    """

    state: Activity
    job: str = ""
    node: str = ""
    elapsed_s: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Batch:
    """What is handed to a site: points of one study, one or some of them in each task.

    A task is known by the number of its first point.

    Attributes:
        run: The folder of the run or the sweep; absolute.
        name: Of the job, a safe word; no other job of this user has it.
        number: Which submission of this folder it is, from 1.
        points: Positions in the study's grid.
        per_task: How many points a task takes, one after the other; the last one may have fewer.
        names: Of all points of the study, as those of their folders in that of the run; empty without a sweep.
        base: The folder that paths in the study are relative to; absolute.
        inputs: The files that tasks read besides the study, absolute; known only where it is submitted.
    """

    run: Path
    name: str
    number: int
    points: Sequence[int]
    per_task: int = 1
    names: Sequence[str] = ()
    base: Path = Path()
    inputs: Sequence[Path] = ()

    @property
    def tasks(self) -> dict[int, Sequence[int]]:
        """The points of each task.

        >>> Batch(Path(), "job", 1, [0, 2, 3], per_task=2).tasks
        {0: [0, 2], 3: [3]}
        """
        starts = range(0, len(self.points), self.per_task)
        return {self.points[k]: self.points[k : k + self.per_task] for k in starts}

    def task_of(self, point: int) -> int:
        """The task of a point, which is one of the batch's."""
        return self.points[self.points.index(point) // self.per_task * self.per_task]

    @property
    def folder(self) -> Path:
        """Where scripts, logs and the record of submissions lie."""
        return self.run / FOLDER

    @property
    def script(self) -> Path:
        """The script that a task runs."""
        return self.folder / f"job-{self.number}.sh"


class Site(Section):
    """Settings of one place where studies run. Each kind is a final subclass in a file of its own."""

    kind: str
    time: WallTime | None = Field(
        default=None, description='the wall-time limit of a task, such as "30" (minutes), "02:00:00" or "1-12:00"'
    )
    ranks: Small = Field(default=1, description="the MPI ranks of a task, a whole number from 1")
    cpus: Small | None = Field(default=None, description="the cores of a rank, a whole number from 1")
    launcher: Launcher = Field(default="mpiexec", description='what starts several ranks, such as "mpiexec" or "srun"')
    modules: Modules = Field(default=(), description='a list of modules to load, such as ["python/3.11"]')
    environment: Variables = Field(default={}, description="a table of variables with strings, none of them a secret")
    setup: Lines = Field(
        default=(), description='a list of shell lines that prepare a task, such as ["source venv/bin/activate"]'
    )
    python: Program | None = Field(
        default=None, description="the Python that has this toolkit at the site; by default the one that submits"
    )
    throttle: Small | None = Field(default=None, description="how many tasks run at the same time, from 1")
    requeue: int = Field(
        default=10, ge=0, le=1000, description="how often a task that ran out of time goes back into the queue, from 0"
    )

    def check(self, folder: Path) -> None:
        """Refuse, before anything is written, a folder that cannot be named to this site.

        Args:
            folder: That of the run, or of the study; absolute.
        """
        check_folder(folder)

    def check_settings(self) -> None:
        """Refuse, before anything is written, settings that the site does not know, as far as it can be asked."""

    def reachable(self) -> str:
        """Why nothing can be submitted from here; empty if it can."""
        return ""

    def there(self, batch: Batch) -> Batch:
        """The batch as the site's tasks see it; a site that shares no file system with this one has other folders.

        Args:
            batch: As it is here.
        """
        return batch

    def commands(self, batch: Batch) -> list[list[str]]:
        """The commands by which a batch would be handed over, for people to read; nothing is sent or written.

        Args:
            batch: What would be submitted.
        """
        del batch
        return []

    @abstractmethod
    def opening(self) -> list[str]:
        """Shell lines that set ``$hybrid_point``, the task's first point, and what the run must know of its limit."""

    @abstractmethod
    def again(self) -> list[str]:
        """Shell lines that run when a task has saved its work and is to go on later."""

    @abstractmethod
    def submit(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """Hand over the script that lies in the batch's folder.

        Yields:
            Each job as soon as it is accepted, as JSON-able values that the methods below understand.

        Raises:
            FailedJob: if the scheduler does not take it; the message is the scheduler's own.
            ProviderUnreachable: if there is no scheduler here, or it does not answer.
        """

    @classmethod
    @abstractmethod
    def find(cls, batch: Batch) -> list[dict[str, Any]]:
        """The jobs of a batch whose answer was lost; none if it never arrived, or has ended."""

    @classmethod
    @abstractmethod
    def active(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> dict[int, Active]:
        """The tasks of these jobs that wait or run."""

    @classmethod
    @abstractmethod
    def cancel(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], tasks: Sequence[int]) -> None:
        """End these active tasks; a running one saves its work first.

        Raises:
            FailedJob: if the scheduler refuses.
            ProviderUnreachable: if a task cannot be ended from here, or nobody answers.
        """

    @classmethod
    def fetch(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> Iterator[int]:
        """Bring the results of tasks that have ended elsewhere into the batch's folders here.

        Yields:
            Each task as soon as all of it is here; none at a site that shares a file system with this one.

        Raises:
            Refused: if what comes is not as it was left, or is not what was asked.
            FailedJob: if the site cannot hand it over.
            ProviderUnreachable: if nobody answers.
        """
        del batch, jobs
        yield from ()

    @classmethod
    def output(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], task: int) -> Path | None:
        """The file in which the scheduler keeps what it has to say of a task, or None; it need not exist."""
        del batch, jobs, task
        return None

    @classmethod
    def remark(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], task: int) -> str:
        """What is to be said of a task that was interrupted and left no words of its own; empty if nothing is."""
        del batch, jobs, task
        return ""
