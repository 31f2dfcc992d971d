"""A Slurm cluster, by its own commands: a study is a job array, one point a task."""

import re
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from circuits.errors import FailedJob, LostJob, ProviderUnreachable, Refused
from hybrid.sites.site import Activity, Batch, Line, Site, Small, walltime_s
from hybrid.studies.fields import fault

ANSWER_S = 60
"""How long Slurm is given to answer, in seconds."""

WAITING = ("PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "CONFIGURING", "SUSPENDED")

Word = Annotated[str, Field(pattern=r"^[\w.,:?+@%/=*&|\[\]()-]+$")]
Option = Annotated[Line, Field(pattern=r"^--[a-z]")]


class Slurm(Site):
    """Settings of a Slurm cluster."""

    kind: Literal["slurm"]
    launcher: Line = Field(default="srun", description='what starts several ranks, such as "srun --mpi=pmi2"')
    account: Word | None = Field(default=None, description="an account, in one word")
    partition: Word | None = Field(default=None, description="a partition, in one word")
    qos: Word | None = Field(default=None, description="a quality of service, in one word")
    nodes: Small | None = Field(default=None, description="the nodes of a task, a whole number from 1")
    gpus: Small | None = Field(default=None, description="the GPUs of a rank, a whole number from 1")
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

    def directives(self, batch: Batch) -> list[str]:
        """Options of sbatch."""
        output = str(batch.folder / "slurm").replace("%", "%%")
        given = {
            "ntasks": self.ranks,
            "cpus-per-task": self.cpus,
            "nodes": self.nodes,
            "gpus-per-task": self.gpus,
            "mem": self.memory,
            "time": self.time,
            "account": self.account,
            "partition": self.partition,
            "qos": self.qos,
            "dependency": self.dependency,
            "signal": f"B:USR1@{self.warn_s}",
            "open-mode": "append",
            "output": f'"{output}/%A_%a.out"',
        }
        words = [f"--{key}={value}" for key, value in given.items() if value is not None]
        return [f"#SBATCH {word}" for word in (*words, "--requeue" if self.requeue else "--no-requeue", *self.options)]

    def opening(self) -> list[str]:
        """The point is the array's index, moved by the script's argument where one array could not hold them all."""
        return ["point=$(($1 + SLURM_ARRAY_TASK_ID))"]

    def again(self) -> list[str]:
        """Back into the queue, so many times."""
        return [f'[ "${{SLURM_RESTART_COUNT:-0}}" -lt {self.requeue} ] && scontrol requeue "$SLURM_JOB_ID"']

    def submit(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """One array for as many points as Slurm's ``MaxArraySize`` lets it have.

        Raises:
            FailedJob: if Slurm does not take it.
            LostJob: if it does not answer in a minute; it may have taken it.
            ProviderUnreachable: if it is not here.
            Refused: if the run's folder has a name that sbatch would not understand.
        """
        if set('"\\\n') & set(str(batch.folder)):
            raise Refused(f"{batch.run}: sbatch takes no quotes, backslashes or line breaks in a folder's name")
        (batch.folder / "slurm").mkdir(exist_ok=True)
        size = _array_size()
        arrays: defaultdict[int, list[int]] = defaultdict(list)
        for point in batch.points:
            arrays[point // size * size].append(point % size)
        for offset, indices in arrays.items():
            array = ranges(indices) + (f"%{self.throttle}" if self.throttle else "")
            command = ["sbatch", "--parsable", f"--array={array}", f"--job-name={batch.name}.{offset}"]
            try:
                said = _ask([*command, str(batch.script), str(offset)])
            except subprocess.TimeoutExpired as err:
                raise LostJob(
                    f"sbatch did not answer in {ANSWER_S} s, so nobody knows whether it took the job. Submit again "
                    f"when it answers: the job is looked for by its name, {batch.name}, before another one is sent"
                ) from err
            yield {"id": said.strip().partition(";")[0], "offset": offset}

    @classmethod
    def find(cls, batch: Batch) -> list[dict[str, Any]]:
        """By the job's name."""
        found = {}
        for job, _, name, _ in _queue():
            stem, dot, offset = name.rpartition(".")
            if dot and stem == batch.name:
                found[job] = {"id": job, "offset": int(offset)}
        return list(found.values())

    @classmethod
    def active(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> dict[int, Activity]:
        """What `squeue` lists."""
        del batch
        offsets = {job["id"]: job["offset"] for job in jobs}
        return {
            offsets[job] + int(index): "pending" if state in WAITING else "running"
            for job, index, _, state in (_queue() if jobs else ())
            if job in offsets
        }

    @classmethod
    def cancel(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], points: Sequence[int]) -> None:
        """With `scancel`, task by task."""
        waiting = cls.active(batch, jobs)
        starts = sorted(job["offset"] for job in jobs)
        for job in jobs:
            after = [start for start in starts if start > job["offset"]]
            mine = [
                p - job["offset"] for p in points if p in waiting and job["offset"] <= p < min(after, default=p + 1)
            ]
            if mine:
                _ask(["scancel", f"{job['id']}_[{ranges(mine)}]"])


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers as Slurm writes them.

    >>> ranges([0, 1, 2, 3, 7, 9, 10])
    '0-3,7,9-10'
    """
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def _array_size() -> int:
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask_patiently(["scontrol", "show", "config"]), re.MULTILINE)
    if found is None or int(found[1]) < 1:
        raise ProviderUnreachable("scontrol show config: names no MaxArraySize, which arrays of jobs need")
    return int(found[1])


def _queue() -> list[tuple[str, str, str, str]]:
    """Job, array index, name and state of every task of this user that has not ended."""
    said = _ask_patiently(["squeue", "--me", "--array", "--noheader", "--format=%F|%K|%T|%j"])
    rows = [line.split("|", 3) for line in said.splitlines()]
    return [(job, index, name, state) for job, index, state, name in rows if index.isdecimal()]


def _ask_patiently(command: Sequence[str]) -> str:
    """Ask what may be asked again."""
    try:
        return _ask(command)
    except (FailedJob, subprocess.TimeoutExpired) as err:
        raise ProviderUnreachable(f"Slurm does not answer: {err}") from err


def _ask(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S, stdin=subprocess.DEVNULL)
    except FileNotFoundError as err:
        raise ProviderUnreachable(
            f"{command[0]} is not here: log in where jobs are submitted from, or load its module"
        ) from err
    if done.returncode:
        said = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise FailedJob(f"{shlex.join(command[:3])}: {said}")
    return done.stdout
