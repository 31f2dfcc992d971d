"""Files to a facility and back, each compared with its SHA-256 over there."""

import base64
import binascii
import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path

from circuits.errors import FailedJob, RecordFailed, Refused
from hybrid.sites.facility.client import Client, Rejected
from hybrid.sites.facility.where import Where
from hybrid.sites.site import FOLDER, Batch

MOST_BYTES = 5 << 20
"""Of one file that goes or comes: more, the reference implementation of the IRI Facility API does not take."""

RUN, INPUTS = "run", "inputs"
"""In a submission's folder there: the run or the sweep, and what paths in the study start from."""

TRIES = 3
"""How often a file that came damaged is asked for."""


def archive(batch: Batch) -> bytes:
    """What the tasks of a batch need: study, script, input files, and the records of points that go on.

    Raises:
        Refused: if an input lies outside of the study's folder, or it is all too much.
        RecordFailed: if a file cannot be read.
    """
    content = io.BytesIO()
    try:
        with tarfile.open(fileobj=content, mode="w:gz", dereference=True) as made:
            for name, file in _members(batch).items():
                made.add(file, arcname=name, recursive=False, filter=_nobody)
    except OSError as err:
        raise RecordFailed(f"{err.filename or batch.run} cannot be read: {err.strerror}") from err
    if len(content.getvalue()) > MOST_BYTES:
        raise Refused(
            f"{batch.run}: what its tasks need has {len(content.getvalue()) / 2**20:.1f} MiB, and a facility takes "
            f"{MOST_BYTES >> 20} at once: submit fewer points at a time (--points), or smaller inputs"
        )
    return content.getvalue()


def _members(batch: Batch) -> dict[str, Path]:
    """The files to send, by their names there."""
    found = {f"{RUN}/{FOLDER}/{file.name}": file for file in (batch.folder / "study.toml", batch.script)}
    for file in batch.inputs:
        plain = Path(os.path.normpath(file))
        try:
            found[f"{INPUTS}/{plain.relative_to(os.path.normpath(batch.base))}"] = file
        except ValueError as err:
            raise Refused(
                f"{file}: lies outside of the study's folder {batch.base}, and only what is in it is sent to a "
                "facility; copy it there, and name it by a relative path"
            ) from err
    for point in batch.points:
        for file in (batch.run / batch.names[point]).rglob("*"):
            if file.is_file() and file.name != "lock" and batch.folder not in file.parents:
                found[f"{RUN}/{file.relative_to(batch.run)}"] = file
    return found


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def send(client: Client, where: Where, content: bytes) -> None:
    """Put an archive there, and its files into the submission's folder.

    Raises:
        FailedJob: if it does not arrive as it was sent.
        ProviderUnreachable: if the facility does not answer.
    """
    file = f"{where.directory}/sent.tar.gz"
    client.task(where.path("filesystem/mkdir"), {"path": f"{where.directory}/{INPUTS}", "parent": True})
    for _ in range(TRIES):
        client.upload(where.path("filesystem/upload"), content, file)
        if _checksum(client, where, file) == hashlib.sha256(content).hexdigest():
            break
    else:
        raise FailedJob(f"{file}: arrived otherwise than it was sent, {TRIES} times; submit again")
    client.task(where.path("filesystem/extract"), {"path": file, "target_path": where.directory})


def names(client: Client, where: Where, folder: str) -> set[str]:
    """The names of what a folder there holds; none where there is no such folder."""
    try:
        listed = client.task(where.path("filesystem/ls"), {"path": folder})
    except Rejected:
        return set()
    found = [entry.get("name") for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    return {name.rstrip("/").rpartition("/")[2] for name in found if isinstance(name, str)}


def fetch_folder(client: Client, where: Where, folder: str, to: str) -> bytes:
    """A folder there as a compressed archive.

    Args:
        client: Asks the facility.
        where: The submission.
        folder: Its path there.
        to: Path there of the archive.

    Raises:
        FailedJob: if it does not come as it is there.
        ProviderUnreachable: if the facility does not answer.
    """
    client.task(where.path("filesystem/compress"), {"path": folder, "target_path": to})
    return fetch_file(client, where, to)


def fetch_file(client: Client, where: Where, file: str) -> bytes:
    """A file there, the same bytes as there.

    Raises:
        FailedJob: if it does not come as it is there.
        ProviderUnreachable: if the facility does not answer.
    """
    wanted = _checksum(client, where, file)
    for _ in range(TRIES):
        came = client.task(where.path("filesystem/download"), {"path": file})
        try:
            content = base64.b64decode(came, validate=True) if isinstance(came, str) else b""
        except (binascii.Error, ValueError):
            continue
        if hashlib.sha256(content).hexdigest() == wanted:
            return content
    raise FailedJob(f"{file}: came otherwise than it is at the facility (SHA-256 {wanted[:16]}...); fetch again")


def _checksum(client: Client, where: Where, file: str) -> str:
    found = client.task(where.path("filesystem/checksum"), {"path": file})
    said = found.get("checksum") if isinstance(found, Mapping) else None
    if not isinstance(said, str) or len(said) != 64:
        raise FailedJob(f"{file}: the facility names no SHA-256 of it")
    return said.lower()
