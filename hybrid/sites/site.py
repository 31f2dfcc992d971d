"""The seam between a study and what runs it: a site's settings, and the four things it can do."""

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field

from hybrid.studies.fields import Section, Words

Activity = Literal["pending", "running"]
ACTIVITIES: tuple[Activity, ...] = get_args(Activity)

FOLDER = "batch"
"""In a run's folder, where scripts, logs and the record of submissions lie."""

SECRET = re.compile(r"(?i)\b\w*(token|secret|passw(or)?d|api_?key|credential)\w*\s*=")


def _minutes(text: str) -> str:
    if not re.fullmatch(r"(\d+-)?\d{1,3}:\d{2}(:\d{2})?|\d+", text) or walltime_s(text) < 60:
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


def no_secret(line: str) -> str:
    """Refuse a line that sets a secret: the script is kept, and read by others."""
    if "\n" in line or "\0" in line:
        raise ValueError("must be one line")
    if SECRET.search(line):
        raise ValueError(
            "looks like a secret, and the script is kept in the run's folder; set it in your own shell's environment"
        )
    return line


def _names(table: dict[str, str]) -> dict[str, str]:
    for name, value in table.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ValueError(f"'{name}' is no name of a variable")
        no_secret(f"{name}={value}")
    return table


Line = Annotated[str, AfterValidator(no_secret)]
WallTime = Annotated[str, AfterValidator(_minutes)]
Small = Annotated[int, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Batch:
    """What is handed to a site: points of one study, one task each.

    Attributes:
        run: The folder of the run or the sweep; absolute.
        base: The folder that paths in the study file are relative to; absolute.
        name: Of the job; no other job of this user has it.
        number: Which submission of this folder it is, from 1.
        points: Positions in the study's grid.
    """

    run: Path
    base: Path
    name: str
    number: int
    points: Sequence[int]

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
    launcher: Line = Field(default="mpiexec", description='what starts several ranks, such as "mpiexec" or "srun"')
    modules: Words = Field(default=(), description='a list of modules to load, such as ["python/3.11"]')
    environment: Annotated[dict[str, str], AfterValidator(_names)] = Field(
        default={}, description="a table of variables with strings, none of them a secret"
    )
    setup: Annotated[tuple[Line, ...], Field(strict=False)] = Field(
        default=(), description='a list of shell lines that prepare a task, such as ["source venv/bin/activate"]'
    )
    python: Line | None = Field(
        default=None, description="the Python that has this toolkit at the site; by default the one that submits"
    )
    throttle: Small | None = Field(default=None, description="how many tasks run at the same time, from 1")
    requeue: int = Field(
        default=10, ge=0, le=1000, description="how often a task that ran out of time goes back into the queue, from 0"
    )

    def directives(self, batch: Batch) -> list[str]:
        """Lines for the scheduler at the script's head."""
        del batch
        return []

    @abstractmethod
    def opening(self) -> list[str]:
        """Shell lines that set ``$point``, the position in the grid, and whatever the run must know of its limit."""

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
    def active(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> dict[int, Activity]:
        """The points of these jobs that wait or run."""

    @classmethod
    @abstractmethod
    def cancel(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], points: Sequence[int]) -> None:
        """End these active points; a running one saves its work first."""
