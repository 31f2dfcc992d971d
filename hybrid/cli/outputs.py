"""Whether the files that a command is to write can be written, asked before it measures anything."""

import tempfile
from pathlib import Path

from circuits.errors import Refused


def check_file(path: Path, option: str) -> None:
    """Refuse a file that cannot be written, or whose folder is missing.

    Args:
        path: Of the file.
        option: That named it.

    Raises:
        Refused: with the reason.
    """
    if path.is_dir():
        raise Refused(f"{option} {path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise Refused(f"{option} {path}: there is no folder {path.parent}; make it first, or name another")
    _try(path.parent, path, option)


def check_picture(path: Path, option: str) -> None:
    """Refuse a picture that cannot be written: a name without a known ending, a folder that cannot be made.

    Args:
        path: Of the picture; its folder is made when it is drawn.
        option: That named it.

    Raises:
        Refused: with the reason.
    """
    from matplotlib.backend_bases import FigureCanvasBase

    if path.suffix.removeprefix(".").lower() not in FigureCanvasBase.filetypes:
        raise Refused(f"{option} {path}: no format of a picture; end its name in .png, .pdf or .svg")
    if path.is_dir():
        raise Refused(f"{option} {path}: is a folder; name a file in it")
    check_folder(path.parent, option)


def check_folder(path: Path, option: str) -> None:
    """Refuse a folder that cannot be made, or in which nothing can be written.

    Args:
        path: Of the folder.
        option: That named it.

    Raises:
        Refused: with the reason.
    """
    there = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not there.is_dir():
        raise Refused(f"{option} {path}: {there} is a file, and no folder")
    _try(there, path, option)


def _try(folder: Path, path: Path, option: str) -> None:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as err:
        raise Refused(f"{option} {path}: nothing can be written in {folder}: {err.strerror}") from err
