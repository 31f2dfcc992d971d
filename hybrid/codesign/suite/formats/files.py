"""A record as files of another format, all of them written or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybrid.runs.benchmark.record import BenchRecord


@dataclass(frozen=True)
class Written:
    """What a record is in another format.

    Attributes:
        files: Path in the folder, with slashes, to the content of each file.
        left_out: A sentence for each kind of unit that the format has no truthful place for.
    """

    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: The file, or the folder of several.
        kind: The format.
        files: Each file, in order.
        left_out: A sentence for each kind of unit that the format has no truthful place for.
    """

    path: Path
    kind: str
    files: tuple[Path, ...]
    left_out: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """JSON-able form."""
        return {
            "path": str(self.path),
            "format": self.kind,
            "files": [str(file) for file in self.files],
            "left_out": list(self.left_out),
        }


def labels(record: BenchRecord) -> list[str]:
    """A name for each backend of a record that can be part of a file's name, no two alike."""
    names: list[str] = []
    for backend in record.backends:
        name = safe(backend.label)
        names.append(name if name not in names else f"{name}-{len(names)}")
    return names


def safe(text: str) -> str:
    """A text as part of a file's name.

    >>> safe("ibm:fake_torino shots=10")
    'ibm_fake_torino_shots_10'
    """
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)
