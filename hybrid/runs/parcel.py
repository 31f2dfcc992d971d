"""The folder of a run as bytes: to be sent to another process or machine, and taken back with what was done there.

What comes back is looked at before anything is replaced: the chain of its journal must be sound, and go on from where
the journal here ends.
"""

import io
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from circuits.errors import RecordFailed, Refused
from hybrid.runs.chain import told
from hybrid.runs.evidence import examine
from hybrid.runs.files import read_bytes, reason
from hybrid.runs.folder import CIRCUIT, HAMILTONIAN, JOURNAL, RESULT, SPEC, is_run

STAYS = "lock"
"""The file that belongs to the place and not to the run."""


def packed(folder: Path) -> bytes:
    """The files of a run's folder, or of an algorithm's, as a compressed archive.

    Args:
        folder: Which nobody writes meanwhile.

    Raises:
        RecordFailed: if a file cannot be read.
    """
    content = io.BytesIO()
    try:
        with tarfile.open(fileobj=content, mode="w:gz") as archive:
            for file in sorted(folder.rglob("*")):
                if file.is_file() and file.name != STAYS:
                    archive.add(file, arcname=str(file.relative_to(folder)), recursive=False, filter=_nobody)
    except OSError as err:
        raise RecordFailed(f"{folder} cannot be read: {err.strerror}") from err
    return content.getvalue()


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose the file is stays here."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def unpacked(content: bytes, folder: Path) -> None:
    """Write the files of an archive into a new folder; nothing outside of it, and no links.

    Args:
        content: As `packed` gives it, or another program that makes archives of this kind.
        folder: Which is made.

    Raises:
        Refused: if it is no such archive, or holds what does not belong into a run's folder.
        RecordFailed: if it cannot be written.
    """
    try:
        folder.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in archive.getmembers():
                if not (member.isfile() or member.isdir()):
                    raise Refused(f"the archive of {folder.name} holds {member.name!a}, which is no plain file")
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, ValueError) as err:
        if isinstance(err, Refused):
            raise
        raise Refused(f"the archive of {folder.name} is damaged: {err}") from err
    except OSError as err:
        if err.errno is None:  # what gzip cannot read
            raise Refused(f"the archive of {folder.name} is damaged: {err}") from err
        raise RecordFailed(f"{folder} cannot be written: {reason(err)}") from err


def take_back(content: bytes, place: Path, *, without: str = "") -> None:
    """Put what came back into the folder of a run; the folder's lock must be held.

    Args:
        content: As `packed` gives it, or with everything in one folder more, as ``tar`` does by itself.
        place: The folder, which need not exist; what it holds is replaced, the result last.
        without: A folder in it that is left out.

    Raises:
        Refused: if what came was changed on the way, is another run, or does not go on from what is here; nothing is
            replaced then.
        RecordFailed: if the folder cannot be written.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=place) as scratch:
            came = Path(scratch, place.name)
            unpacked(content, came)
            while len(inside := list(came.iterdir())) == 1 and inside[0].is_dir():
                came = inside[0]
            if without:
                shutil.rmtree(came / without, ignore_errors=True)
            for run in _runs(came):
                _check_goes_on(run, place / run.relative_to(came))
            files = sorted((file for file in came.rglob("*") if file.is_file()), key=lambda file: file.name == RESULT)
            for file in files:
                if file.name != STAYS:
                    target = place / file.relative_to(came)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    file.replace(target)
    except OSError as err:
        raise RecordFailed(f"{place} cannot be written: {reason(err)}") from err


def _runs(folder: Path) -> Iterator[Path]:
    """The folders of runs in a folder: itself, or those of an algorithm's stages."""
    return (file.parent for file in folder.rglob(SPEC) if is_run(file.parent))


def _check_goes_on(came: Path, here: Path) -> None:
    """Refuse a run that is not as it was left, or does not continue the one that is here."""
    _roll_back(came / JOURNAL)
    evidence = examine(came)
    if evidence.faults:
        raise Refused(f"{here}: what came back was changed on the way: {told(evidence.faults)}")
    if not is_run(here):
        return
    if any(read_bytes(came / name) != read_bytes(here / name) for name in (SPEC, CIRCUIT, HAMILTONIAN)):
        raise Refused(f"{here}: what came back is another run; the one that is here was left as it is")
    before = examine(here)
    if before.rows and _head(came / JOURNAL, before.rows) != before.head:
        raise Refused(
            f"{here}: what came back does not go on from the {before.rows} rows of the journal here, so somebody has "
            "worked on both; what is here was left as it is"
        )


def _roll_back(journal: Path) -> None:
    """Undo a last commit that was broken off, as SQLite does when it next opens the file."""
    if journal.with_name(f"{journal.name}-journal").exists():
        database = sqlite3.connect(journal)
        try:
            database.execute("SELECT count(*) FROM journal").fetchone()
        except sqlite3.Error as err:
            raise Refused(f"{journal.name} of {journal.parent.name} came back damaged: {err}") from err
        finally:
            database.close()


def _head(journal: Path, row: int) -> str:
    """The head of a row of a journal's chain, in hexadecimal; empty where it has no such row."""
    database = sqlite3.connect(journal)
    try:
        found = database.execute("SELECT head FROM chain WHERE row = ?", (row,)).fetchone()
        return "" if found is None else bytes(found[0]).hex()
    finally:
        database.close()
