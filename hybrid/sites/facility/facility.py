"""A facility that is reached over HTTP, by an interface in the manner of the IRI Facility API: one task, one job.

Nothing is shared with the facility but what is sent: the study and its inputs go there, the points' folders come back.

References:
    https://iri.science; https://github.com/doe-iri/iri-facility-api-python, whose paths and words these are:
    /status/resources, /compute/job, /compute/status, /compute/cancel, /filesystem/..., /task.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from circuits.errors import FailedJob, LostJob, ProviderUnreachable, Refused, ToolkitError
from hybrid.runs.files import write
from hybrid.runs.folder import ALGORITHM, SPEC
from hybrid.runs.lock import Lock
from hybrid.runs.parcel import take_back
from hybrid.sites.facility import files, token
from hybrid.sites.facility import where as places
from hybrid.sites.facility.client import Client, Rejected
from hybrid.sites.facility.where import Where
from hybrid.sites.site import FOLDER, Active, Activity, Batch, Site, Small, walltime_s
from hybrid.sites.words import Launcher, Program, Word, one_line
from hybrid.studies.fields import fault

STATES: dict[str, Activity] = {"new": "pending", "queued": "pending", "held": "pending", "active": "running"}
"""The facility's word for a job that has not ended, and ours."""

PAGE = 100
"""Jobs that a list holds."""

SPACE = uuid.UUID("5d7f3f0a-3a0b-5b0e-9c67-3c1f8f0f7f52")
"""Of the keys by which a facility knows a request again."""


def _address(text: str) -> str:
    parts = urlsplit(one_line(text))
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or "@" in text:
        raise ValueError('must be an address such as "https://api.iri.nersc.gov/api/v1"')
    if parts.scheme == "http" and not here:
        raise ValueError("must begin with https://, since a token is sent with each request")
    return text.rstrip("/")


def _directory(text: str) -> str:
    if not re.fullmatch(r"/[\w./+=@-]*", text) or "/../" in f"{text}/":
        raise ValueError("must be the absolute path of a folder at the facility, of letters, digits and any of ._+=@-/")
    return text.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]
Directory = Annotated[str, AfterValidator(_directory)]
Variable = Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")]


class Facility(Site):
    """Settings of a facility with an interface over HTTP."""

    kind: Literal["facility"]
    url: Address = Field(description='the address of its interface, such as "https://api.iri.nersc.gov/api/v1"')
    resource: Word = Field(description="its id of what computes, in one word")
    storage: Word | None = Field(default=None, description="its id of the file system, in one word; else the resource")
    directory: Directory = Field(description="an absolute path there, under which each submission makes a folder")
    token_variable: Variable = Field(default="", description="the name of the variable that holds the token")
    token_file: str = Field(default="", description="the path of a file that holds the token, and only you can read")
    python: Program | None = Field(default="python3", description="the Python that has this toolkit at the facility")
    launcher: Launcher = Field(default="srun", description='what starts several ranks, such as "srun"')
    account: Word | None = Field(default=None, description="an account or a project, in one word")
    queue: Word | None = Field(default=None, description="a queue, in one word")
    nodes: Small | None = Field(default=None, description="the nodes of a task, a whole number from 1")
    gpus: Small | None = Field(default=None, description="the GPUs of a rank, a whole number from 1")
    attributes: dict[str, str] = Field(default={}, description="a table of the facility's own attributes of a job")
    idempotency: bool = Field(
        default=False, description="true or false: whether it knows a request again by the header Idempotency-Key"
    )

    @model_validator(mode="after")
    def _one_token(self):
        if bool(self.token_variable) == bool(self.token_file):
            raise fault("token_variable", self.token_variable, "give either token_variable or token_file")
        return self

    @model_validator(mode="after")
    def _no_throttle(self):
        if self.throttle is not None:
            raise fault("throttle", self.throttle, "a facility's interface knows no such limit; submit with --points")
        return self

    def check_settings(self) -> None:
        """The token, whether it is there."""
        token.read(self.token_variable, self.token_file)

    def reachable(self) -> str:
        """By the state that it tells of the resource, and a list of jobs, for which it looks at the token."""
        where = self._where("")
        try:
            client = where.client()
            told = client.get(where.path("status/resources"))
            state = told.get("current_status") if isinstance(told, Mapping) else None
            if state == "down":
                return f"{self.resource} is down, {self.url} says"
            client.post(where.path("compute/status"), {}, limit=1)
        except ToolkitError as err:
            return str(err)
        return ""

    def there(self, batch: Batch) -> Batch:
        """In a folder of the submission's own."""
        home = Path(self.directory, batch.name)
        return replace(batch, run=home / files.RUN, base=home / files.INPUTS)

    def commands(self, batch: Batch) -> list[list[str]]:
        """The requests that send jobs, as ``curl`` would make them, without the token."""
        where = self._where(f"{self.directory}/{batch.name}")
        return [["POST", self.url + where.path("compute/job"), str(self._spec(batch, task))] for task in batch.tasks]

    def opening(self) -> list[str]:
        """The task is the script's argument."""
        limit = [f"export HYBRID_END_TIME=$(($(date +%s) + {walltime_s(self.time)}))"] if self.time else []
        return ["hybrid_point=$1", *limit]

    def again(self) -> list[str]:
        """The exit code is the job's; what is saved goes on with the next submission."""
        return ["exit 75"]

    def submit(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """What the tasks need, then a job for each.

        Raises:
            Refused: if what they need cannot be sent.
            FailedJob: if the facility does not take it.
            LostJob: if it may have taken a job, and does not list it.
            ProviderUnreachable: if it does not answer, or not to this token.
        """
        content = files.archive(batch)
        where = self._where(f"{self.directory}/{batch.name}")
        client = where.client()
        places.write(batch.folder, batch.number, where)
        files.send(client, where, content)
        for task in batch.tasks:
            yield {"id": self._sent(client, where, batch, task), "task": task}

    def _where(self, directory: str) -> Where:
        storage = self.storage or self.resource
        return Where(self.url, self.resource, storage, directory, self.token_variable, self.token_file)

    def _sent(self, client: Client, where: Where, batch: Batch, task: int) -> str:
        """The id of a job that is sent once; where the answer is lost, the one that the facility lists by its name."""
        spec, key = self._spec(batch, task), None
        if self.idempotency:
            key = str(uuid.uuid5(SPACE, spec["name"]))
        try:
            answer = client.send(where.path("compute/job"), spec, key=key)
            number = answer.get("id") if isinstance(answer, Mapping) else None
            if isinstance(number, str | int) and str(number):
                return str(number)
            raise LostJob(f"{self.url} answered without a job's id, so nobody knows whether it took the job")
        except LostJob as err:
            found = next((job for job in _listed(client, where, batch) if job["task"] == task), None)
            if found is not None:
                return str(found["id"])
            raise LostJob(
                f"{err}, and it lists none of that name yet. Submit again: the job is looked for by its name, "
                f"{spec['name']}, before another one is sent"
            ) from err

    def _spec(self, batch: Batch, task: int) -> dict[str, Any]:
        """A job as PSI/J and the facility describe it; its name is one that no other job has."""
        there = self.there(batch)
        said = f"{there.folder}/job-{task}"
        resources = {
            "node_count": self.nodes,
            "process_count": self.ranks,
            "cpu_cores_per_process": self.cpus,
            "gpu_cores_per_process": self.gpus,
        }
        attributes = {
            "duration": walltime_s(self.time) if self.time else None,
            "queue_name": self.queue,
            "account": self.account,
            "custom_attributes": self.attributes or None,
        }
        return {
            "executable": "/bin/bash",
            "arguments": [str(there.script), str(task)],
            "directory": str(there.folder),
            "name": f"{batch.name}.{task}",
            "stdout_path": f"{said}.out",
            "stderr_path": f"{said}.err",
            "resources": {key: value for key, value in resources.items() if value is not None},
            "attributes": {key: value for key, value in attributes.items() if value is not None},
        }

    @classmethod
    def find(cls, batch: Batch) -> list[dict[str, Any]]:
        """By the jobs' names."""
        if not places.place(batch.folder, batch.number).is_file():
            return []  # it was ended before anything was sent
        where = places.read(batch.folder, batch.number)
        return _listed(_client(where), where, batch)

    @classmethod
    def active(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> dict[int, Active]:
        """What the facility says of each job whose results are not here yet."""
        if not jobs:
            return {}
        where = places.read(batch.folder, batch.number)
        client, found = _client(where), {}
        for number, task in _open(batch, jobs, where):
            found[task] = _asked(client, where, number)
        return found

    @classmethod
    def cancel(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], tasks: Sequence[int]) -> None:
        """Job by job; those that have ended stay as they are."""
        where = places.read(batch.folder, batch.number)
        client = _client(where)
        for number, task in _open(batch, jobs, where):
            if task in tasks:
                client.delete(where.path("compute/cancel", number))

    @classmethod
    def fetch(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]]) -> Iterator[int]:
        """Point by point, its record compared with the facility's SHA-256, its journal's chain, and what is here."""
        if not jobs:
            return
        where = places.read(batch.folder, batch.number)
        client = _client(where)
        failed: list[ToolkitError] = []
        for number, task in _open(batch, jobs, where):
            if _asked(client, where, number).state != "ended":
                continue
            try:
                _bring(client, where, batch, task)
            except (Refused, FailedJob) as err:  # the others can be fetched nevertheless
                failed.append(err)
                continue
            places.note_fetched(batch.folder, batch.number, task)
            yield task
        if failed:
            raise failed[0]

    @classmethod
    def output(cls, batch: Batch, jobs: Sequence[Mapping[str, Any]], task: int) -> Path | None:
        """What the facility's scheduler said of a task, once it is fetched."""
        del jobs
        return batch.folder / f"job-{task}.err"


def _bring(client: Client, where: Where, batch: Batch, task: int) -> None:
    """Fetch the folders of a task's points, and what it said."""
    run = f"{where.directory}/{files.RUN}"
    known = files.names(client, where, run)
    for point in batch.tasks[task]:
        name, place = batch.names[point], batch.run / batch.names[point]
        if name in known if name else known & {SPEC, ALGORITHM}:
            to = f"{where.directory}/fetched-{point}.tar.gz"
            content = files.fetch_folder(client, where, f"{run}/{name}".rstrip("/"), to)
            place.mkdir(parents=True, exist_ok=True)
            with Lock(place):
                take_back(content, place, without=FOLDER)
    said = files.names(client, where, f"{run}/{FOLDER}")
    for name in (f"{task}.json", f"{task}.log", f"job-{task}.out", f"job-{task}.err"):
        if name in said:
            write(batch.folder / name, files.fetch_file(client, where, f"{run}/{FOLDER}/{name}"))


def _client(where: Where) -> Client:
    """What asks the facility; that there is no token now is a reason why nothing can be known."""
    try:
        return where.client()
    except Refused as err:
        raise ProviderUnreachable(str(err)) from err


def _listed(client: Client, where: Where, batch: Batch) -> list[dict[str, Any]]:
    """The jobs of a batch that the facility lists, those that have ended, too; the first of each name."""
    found: dict[int, str] = {}
    seen: set[str] = set()
    offset = 0
    while True:
        query = {"offset": offset, "limit": PAGE, "historical": "true", "include_spec": "true"}
        page = client.post(where.path("compute/status"), None, **query)
        jobs = [job for job in page if isinstance(job, Mapping)] if isinstance(page, list) else []
        for job in jobs:
            spec = job.get("job_spec")
            name = spec.get("name") if isinstance(spec, Mapping) else None
            stem, _, task = str(name).rpartition(".")
            if stem == batch.name and task.isdecimal() and int(task) in batch.tasks and job.get("id") is not None:
                found.setdefault(int(task), str(job["id"]))
        fresh = {str(job.get("id")) for job in jobs} - seen
        if len(jobs) < PAGE or not fresh:
            return [{"id": number, "task": task} for task, number in sorted(found.items())]
        seen |= fresh
        offset += PAGE


def _open(batch: Batch, jobs: Sequence[Mapping[str, Any]], where: Where) -> Iterator[tuple[str, int]]:
    """Id and task of each job whose results are not here yet.

    Raises:
        Refused: if the record of a job is damaged.
    """
    for job in jobs:
        number, task = job.get("id"), job.get("task")
        if not (isinstance(number, str) and isinstance(task, int) and task in batch.tasks):
            raise Refused(f"{batch.folder}: the record of submission {batch.number} is damaged: a job without an id")
        if task not in where.fetched:
            yield number, task


def _asked(client: Client, where: Where, number: str) -> Active:
    """What the facility says of a job; one that it has forgotten has ended."""
    try:
        job = client.get(where.path("compute/status", number), historical="true")
    except Rejected as err:
        if err.status not in (404, 410):
            raise ProviderUnreachable(str(err)) from err
        job = {}
    status = job.get("status") if isinstance(job, Mapping) else None
    told = status if isinstance(status, Mapping) else {}
    state = STATES.get(str(told.get("state")), "ended")
    reason = "".join(c for c in str(told.get("message") or "") if c.isprintable())[:200]
    return Active(state, number, reason=reason if state == "pending" else "")
