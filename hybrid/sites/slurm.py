"""A Slurm cluster, by its own commands: a study is a job array, one point a task."""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from circuits.errors import FailedJob, LostJob, ProviderUnreachable, Refused
from hybrid.sites.site import TIME, Active, Batch, Site, Small, walltime_s
from hybrid.sites.words import Gres, Launcher, Line, Qpus, Word, ranges
from hybrid.studies.fields import fault

ANSWER_S = 60
"""How long Slurm is given to answer, in seconds."""

DEFAULT_ARRAY_SIZE = 1001
"""Slurm's own MaxArraySize."""

WAITING = ("PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "CONFIGURING", "SUSPENDED")

OWN = (
    *("array", "job-name", "output", "open-mode", "parsable", "requeue", "no-requeue"),
    *("wrap", "wait", "test-only", "clusters"),
)
"""Options of sbatch that the toolkit gives for every job, or that would break what it does with one."""

Option = Annotated[Line, Field(pattern=r"^--[a-z][a-z0-9-]*(=.*)?$")]


class Slurm(Site):
    """Settings of a Slurm cluster."""

    kind: Literal["slurm"]
    launcher: Launcher = Field(default="srun", description='what starts several ranks, such as "srun --mpi=pmi2"')
    account: Word | None = Field(default=None, description="an account, in one word")
    partition: Word | None = Field(default=None, description="a partition, in one word")
    qos: Word | None = Field(default=None, description="a quality of service, in one word")
    nodes: Small | None = Field(default=None, description="the nodes of a task, a whole number from 1")
    gpus: Small | None = Field(default=None, description="the GPUs of a rank, a whole number from 1")
    qpu: Qpus = Field(default=(), description='a list of quantum resources, in one word each, such as ["ibm_a"]')
    gres: Gres | None = Field(default=None, description='generic resources of a node, such as "qpu:2" or "gpu:a100:1"')
    memory: Word | None = Field(default=None, description='the memory of a node, such as "16G"')
    dependency: Word | None = Field(
        default=None, description='what the study waits for, such as "afterok:123" or "singleton"'
    )
    options: Annotated[tuple[Option, ...], Field(strict=False)] = Field(
        default=(), description='a list of more options of sbatch, such as ["--constraint=a100"]'
    )
    warn_s: int = Field(
        default=60, ge=1, le=65535, description="how long before its limit a task is told to save, 1 to 65535 seconds"
    )

    @model_validator(mode="after")
    def _time_to_work(self):
        if self.time is not None and walltime_s(self.time) <= self.warn_s:
            raise fault("time", self.time, f"leaves no time to work: {self.warn_s} s before its end (warn_s) it saves")
        return self

    @model_validator(mode="after")
    def _nothing_twice(self):
        for option in self.options:
            name = option[2:].partition("=")[0]
            for own in (*OWN, *self._settings()):
                if own.startswith(name) and name != "gpus":  # sbatch takes shortened names; --gpus is one of its own
                    raise fault("options", option, f"{option}: --{own} is the toolkit's to give; see the other keys")
        return self

    def _settings(self) -> dict[str, Any]:
        """Options of sbatch that come from the site file's keys, with their values."""
        given = {
            "ntasks": self.ranks,
            "cpus-per-task": self.cpus,
            "nodes": self.nodes,
            "gpus-per-task": self.gpus,
            "qpu": ",".join(self.qpu) or None,
            "gres": self.gres,
            "mem": self.memory,
            "time": self.time,
            "account": self.account,
            "partition": self.partition,
            "qos": self.qos,
            "dependency": self.dependency,
            "signal": f"B:USR1@{self.warn_s}",
            "requeue" if self.requeue else "no-requeue": True,
        }
        return {key: value for key, value in given.items() if value is not None}

    def _command(self, batch: Batch) -> list[str]:
        """sbatch, with everything but the array and its script.

        On the command line, not in the script: there every option is one word, whatever stands in it, and neither
        SBATCH_ACCOUNT and its like in the environment nor another directive can take its place.
        """
        output = str(batch.folder / "slurm").replace("%", "%%")
        settings = [f"--{key}" if value is True else f"--{key}={value}" for key, value in self._settings().items()]
        own = ["--parsable", "--open-mode=append", f"--output={output}/%A_%a.out"]
        return ["sbatch", *self.options, *settings, *own]

    def check(self, folder: Path) -> None:
        """Slurm reads a backslash in the name of an output file as a sign of its own."""
        super().check(folder)
        if "\\" in str(folder):
            raise Refused(f"the folder {folder}: sbatch takes no backslashes in a folder's name; choose another one")

    def opening(self) -> list[str]:
        """The point is the array's index, moved by the script's argument where one array could not hold them all."""
        return ["hybrid_point=$(($1 + SLURM_ARRAY_TASK_ID))"]

    def again(self) -> list[str]:
        """Back into the queue, so many times."""
        return [f'[ "${{SLURM_RESTART_COUNT:-0}}" -lt {self.requeue} ] && scontrol requeue "$SLURM_JOB_ID"']

    def submit(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """One array for as many points as Slurm's ``MaxArraySize`` lets it have.

        Raises:
            FailedJob: if Slurm does not take it.
            LostJob: if it may have taken it: it did not answer in a minute, or with no job's number.
            ProviderUnreachable: if it is not here.
        """
        size = _array_size()
        (batch.folder / "slurm").mkdir(exist_ok=True)
        for offset, command in self._arrays(batch, size):
            job = _sent([*command, str(batch.script), str(offset)], batch.name)
            yield {"id": job, "offset": offset, "command": command}

    def _arrays(self, batch: Batch, size: int) -> Iterator[tuple[int, list[str]]]:
        """Where each array begins in the grid, and its command without the script."""
        arrays: defaultdict[int, list[int]] = defaultdict(list)
        for task in batch.tasks:
            arrays[task // size * size].append(task % size)
        for offset, indices in arrays.items():
            array = ranges(indices) + (f"%{self.throttle}" if self.throttle else "")
            yield offset, [*self._command(batch), f"--array={array}", f"--job-name={batch.name}.{offset}"]

    def commands(self, batch: Batch) -> list[list[str]]:
        """With the cluster's ``MaxArraySize``, or Slurm's default where it cannot be asked."""
        try:
            size = _array_size()
        except ProviderUnreachable:
            size = DEFAULT_ARRAY_SIZE
        return [[*command, str(batch.script), str(offset)] for offset, command in self._arrays(batch, size)]

    def reachable(self) -> str:
        """By the controller's answer to ``scontrol ping``."""
        try:
            _ask_patiently(["scontrol", "ping"])
        except ProviderUnreachable as err:
            return str(err)
        return ""

    def check_settings(self) -> None:
        """The partition and the time, by ``scontrol show partition``; what else is wrong, sbatch says.

        Raises:
            Refused: if there is no such partition, or it does not allow the time.
        """
        if self.partition is None or "," in self.partition:
            return
        try:
            said = _ask(["scontrol", "show", "partition", self.partition])
        except (subprocess.TimeoutExpired, ProviderUnreachable):
            return  # the submission itself says so
        except FailedJob as err:
            if "not found" not in str(err):
                return
            raise Refused(f"partition = {self.partition}: Slurm has no such partition; `sinfo` lists them") from err
        longest = re.search(r"\bMaxTime=([0-9:-]+)", said)
        if self.time and longest and TIME.fullmatch(longest[1]) and walltime_s(self.time) > walltime_s(longest[1]):
            raise Refused(f"time = {self.time}: more than the partition {self.partition} allows, {longest[1]}")

    @classmethod
    def find(cls, batch: Batch) -> list[dict[str, Any]]:
        """By the job's name."""
        found = {}
        for task in _queue():
            stem, dot, offset = task.name.rpartition(".")
            if dot and stem == batch.name and offset.isdecimal():
                found[task.job] = {"id": task.job, "offset": int(offset)}
        return list(found.values())

    @classmethod
    def active(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> dict[int, Active]:
        """What `squeue` lists."""
        offsets = _offsets(batch, jobs)
        queued = _queue() if jobs else ()
        return {offsets[task.job] + task.index: task.active for task in queued if task.job in offsets}

    @classmethod
    def cancel(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], tasks: Sequence[int]) -> None:
        """With `scancel`, task by task."""
        offsets, wanted = _offsets(batch, jobs), set(tasks)
        mine: defaultdict[str, list[int]] = defaultdict(list)
        for task in _queue():
            if task.job in offsets and offsets[task.job] + task.index in wanted:
                mine[task.job].append(task.index)
        for job, indices in mine.items():
            command = ["scancel", f"{job}_[{ranges(indices)}]"]
            try:
                _ask(command)
            except subprocess.TimeoutExpired as err:
                raise ProviderUnreachable(f"scancel did not answer in {ANSWER_S} s; cancel again") from err

    @classmethod
    def output(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], task: int) -> Path | None:
        """What Slurm itself writes for a task: why it ended it, for one."""
        before = [(offset, job) for job, offset in _offsets(batch, jobs).items() if offset <= task]
        if not before:
            return None
        offset, job = max(before)
        return batch.folder / "slurm" / f"{job}_{task - offset}.out"


def _offsets(batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Where in the grid the array of each job begins.

    Raises:
        Refused: if the record of a job is damaged.
    """
    found = {}
    for job in jobs:
        number, offset = job.get("id"), job.get("offset")
        if not (isinstance(number, str) and re.fullmatch("[0-9]+", number) and isinstance(offset, int)):
            raise Refused(f"{batch.folder}: the record of submission {batch.number} is damaged: a job without a number")
        found[number] = offset
    return found


def _array_size() -> int:
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask_patiently(["scontrol", "show", "config"]), re.MULTILINE)
    if found is None or int(found[1]) < 1:
        raise ProviderUnreachable("scontrol show config: names no MaxArraySize, which arrays of jobs need")
    return int(found[1])


@dataclass(frozen=True)
class Queued:
    """A task in Slurm's queue.

    Attributes:
        job: Number of its array.
        index: In the array.
        state: Slurm's word.
        name: Of the job.
        elapsed: How long it has run, as Slurm writes times.
        place: The nodes of one that runs, or in brackets the reason why it waits.
    """

    job: str
    index: int
    state: str
    name: str
    elapsed: str
    place: str

    @property
    def active(self) -> Active:
        """What everybody else calls it."""
        number = f"{self.job}_{self.index}"
        if self.state in WAITING:
            return Active("pending", number, reason=self.place.strip("()"))
        elapsed_s = walltime_s(self.elapsed) if TIME.fullmatch(self.elapsed) else None
        return Active("running", number, node=self.place, elapsed_s=elapsed_s)


def _queue() -> list[Queued]:
    """Every task of this user that has not ended."""
    said = _ask_patiently(["squeue", "--me", "--array", "--noheader", "--format=%F|%K|%T|%j|%M|%R"])
    found = []
    for row in (line.split("|", 3) for line in said.splitlines()):
        if len(row) == 4 and row[1].isdecimal():  # another job's name may hold anything, line breaks, too
            name, elapsed, place = [*row[3].rsplit("|", 2), "", ""][:3]
            found.append(Queued(row[0], int(row[1]), row[2], name, elapsed, place))
    return found


def _sent(command: Sequence[str], name: str) -> str:
    """The number of the job that sbatch was given."""
    lost = (
        "so nobody knows whether it took the job. Submit again when Slurm answers: the job is looked for by its name, "
        f"{name}, before another one is sent"
    )
    try:
        said = _ask(command)
    except subprocess.TimeoutExpired as err:
        raise LostJob(f"sbatch did not answer in {ANSWER_S} s, {lost}") from err
    except FailedJob as err:
        if "timed out" in str(err).lower():  # sbatch has sent the job, and the answer did not come back
            raise LostJob(f"{err}, {lost}") from err
        raise
    number = said.strip().partition(";")[0]
    if not re.fullmatch("[0-9]+", number):
        raise LostJob(f"sbatch answered with {said[:60]!a} and not with a job's number, {lost}")
    return number


def _ask_patiently(command: Sequence[str]) -> str:
    """Ask what may be asked again."""
    try:
        return _ask(command)
    except (FailedJob, subprocess.TimeoutExpired) as err:
        raise ProviderUnreachable(f"Slurm does not answer: {err}") from err


def _ask(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=ANSWER_S, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as err:
        raise ProviderUnreachable(
            f"{command[0]} is not here: log in where jobs are submitted from, or load its module"
        ) from err
    except OSError as err:
        raise ProviderUnreachable(f"{command[0]} cannot be run here: {err.strerror}") from err
    if done.returncode:
        said = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise FailedJob(f"{command[0]}: {'; '.join(said.removeprefix(f'{command[0]}: ').splitlines())}")
    return done.stdout
