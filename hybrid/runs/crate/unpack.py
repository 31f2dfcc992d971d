"""Taking a crate apart, whoever made it: nothing is written outside one folder, and no more than it may hold."""

import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from circuits.errors import Refused

MOST_FILES = 200_000
"""Files of a crate: a sweep of ten thousand points has a tenth of it."""

MOST_BYTES = 64 * 2**30
"""Of all files together, once they are unpacked."""

FREE_BYTES, MOST_TIMES = 64 * 2**20, 100
"""A crate larger than the first may hold so many times its own size; journals shrink to a third or a tenth."""


def unpacked(crate: Path, scratch: Path) -> Path:
    """The folder that a crate is, or that it is unpacked to.

    Args:
        crate: A zip file, or a folder, which is left as it is.
        scratch: An empty folder, for what is in a zip file.

    Raises:
        Refused: if there is no such file, it is no zip file, or it holds what no crate needs: paths that lead out of
            it, links, devices, one name twice, or far more bytes than its own size.
    """
    if crate.is_dir():
        return crate
    if not crate.is_file():
        raise Refused(f"{crate}: no such crate")
    try:
        with zipfile.ZipFile(crate) as file:
            _check(crate, file.infolist())
            for entry in file.infolist():
                _unpack(file, entry, scratch)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as err:
        raise Refused(f"{crate} cannot be unpacked: {err}") from err
    return scratch


def _check(crate: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_FILES:
        raise Refused(f"{crate} holds {len(entries):,} files, and {MOST_FILES:,} are the most: it is not unpacked")
    seen: set[PurePosixPath] = set()
    for entry in entries:
        if why := _why_not(entry):
            raise Refused(f"{crate} holds {entry.filename!r}, {why}: nothing of it was unpacked")
        path = PurePosixPath(entry.filename)
        if path in seen:
            raise Refused(f"{crate} holds {entry.filename!r} twice: nothing of it was unpacked")
        seen.add(path)
    total, packed = sum(entry.file_size for entry in entries), crate.stat().st_size
    most = min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * packed))
    if total > most:
        raise Refused(
            f"{crate} is {packed:,} bytes long and would be {total:,} unpacked, where {most:,} are the most: nothing "
            "of it was unpacked. If it is to be trusted, unpack it with unzip, and give the folder"
        )


def _why_not(entry: zipfile.ZipInfo) -> str:
    """Why an entry is not unpacked; empty if it may be."""
    name, kind = entry.orig_filename, stat.S_IFMT(entry.external_attr >> 16)
    if name.startswith("/") or "\\" in name or "\0" in name or name[1:2] == ":":
        return "which is no path inside it"
    if any(part in ("..", ".", "") for part in name.rstrip("/").split("/")):
        return "which leads out of it"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "which is a link" if kind == stat.S_IFLNK else "which is neither a file nor a folder"
    if not name.isprintable():
        return "whose name cannot be printed"
    return "which is encrypted" if entry.flag_bits & 1 else ""


def _unpack(file: zipfile.ZipFile, entry: zipfile.ZipInfo, scratch: Path) -> None:
    place = scratch / entry.filename
    if entry.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with file.open(entry) as packed, place.open("xb") as out:  # no more than the size that was checked comes out
        shutil.copyfileobj(packed, out, 2**20)


def check_folder(crate: Path) -> None:
    """Refuse a folder in which something is neither a file nor a folder.

    Args:
        crate: The folder.

    Raises:
        Refused: if there is a link, a device or the like in it; the message names it.
    """
    for place, folders, files in os.walk(crate):
        for name in (*folders, *files):
            path = Path(place, name)
            mode = path.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                what = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
                raise Refused(f"{crate} holds {str(path.relative_to(crate))!r}, which is {what}: it is not taken")
