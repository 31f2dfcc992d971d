"""What a folder can hold: a run, an algorithm or a benchmark, each known by one file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from circuits.errors import Refused
from hybrid.runs.folder import ALGORITHM, BENCHMARK, JOURNAL, SPEC, STAGES

Name = Literal["run", "algorithm", "benchmark"]


@dataclass(frozen=True)
class Kind:
    """A kind of record.

    Attributes:
        name: In words.
        head: File by which it is known: what was asked.
        journal: File whose chain stands for the whole folder.
        version: Key of the head file that says its version.
        chained: Version from which on there is a chain.
    """

    name: Name
    head: str
    journal: str
    version: str
    chained: int


KINDS = (
    Kind("algorithm", ALGORITHM, STAGES, "format", 3),
    Kind("benchmark", BENCHMARK, STAGES, "version", 2),
    Kind("run", SPEC, JOURNAL, "format", 4),
)


def kind_of(folder: Path) -> Kind | None:
    """What a folder holds; None for none of these.

    Args:
        folder: Its path.
    """
    return next((kind for kind in KINDS if (folder / kind.head).is_file()), None)


def check_record(folder: Path) -> Kind:
    """What a folder holds.

    Args:
        folder: Its path.

    Raises:
        Refused: if it holds no run, no algorithm and no benchmark.
    """
    if (kind := kind_of(folder)) is not None:
        return kind
    if not folder.is_dir():
        raise Refused(f"{folder} is a file; give a folder" if folder.exists() else f"{folder}: no such folder")
    heads = ", ".join(kind.head for kind in KINDS)
    raise Refused(f"{folder} holds no run, algorithm or benchmark: it has none of {heads}")
