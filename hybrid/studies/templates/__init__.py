"""Commented study files to start from."""

from pathlib import Path

from circuits.errors import unknown

_FOLDER = Path(__file__).parent


def kinds() -> list[str]:
    """The names of the study files to start from, sorted.

    >>> "molecule" in kinds()
    True
    """
    return sorted(file.stem for file in _FOLDER.glob("*.toml"))


def template(kind: str) -> str:
    """The text of a commented study file of this kind.

    Raises:
        Refused: for an unknown kind, with the nearest one.
    """
    if kind not in kinds():
        raise unknown("kind of study", kind, kinds())
    return (_FOLDER / f"{kind}.toml").read_text(encoding="utf-8")
