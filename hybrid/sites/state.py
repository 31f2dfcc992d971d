"""What the driver of a local submission and everybody else tell each other, in files beside its script.

local-1.json        what waits, what runs, and what the driver knows to be cancelled; the driver writes it
cancel-1.json       what is to be cancelled; `hybrid cancel` writes it
local-1.lock        whose bytes say which tasks live, see `hybrid.sites.tasks`
driver-1.log        what the driver complained of
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from hybrid.runs.files import write_json
from hybrid.sites.stored import load


@dataclass(frozen=True)
class State:
    """What the driver wrote last.

    Attributes:
        host: Its machine.
        pending: Points that wait.
        running: Points whose tasks were started, and not found ended yet.
        cancelled: Points that it was told to end.
    """

    host: str
    pending: list[int]
    running: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Wish:
    """Points that are to be cancelled."""

    points: list[int]


def lock_of(folder: Path, number: int) -> Path:
    """The lock file of a submission."""
    return folder / f"local-{number}.lock"


def write_state(folder: Path, number: int, state: State) -> None:
    """Write what waits and what runs.

    Raises:
        RecordFailed: if it cannot be written.
    """
    write_json(_state(folder, number), asdict(state))


def read_state(folder: Path, number: int) -> State:
    """What the driver wrote last.

    Raises:
        Refused: if the file is missing or damaged.
    """
    return load(State, _state(folder, number))


def wished(folder: Path, number: int) -> list[int]:
    """The points that are to be cancelled.

    Raises:
        Refused: if the file is damaged.
    """
    path = _wish(folder, number)
    return load(Wish, path).points if path.exists() else []


def wish(folder: Path, number: int, points: list[int]) -> None:
    """Add points to those that are to be cancelled.

    Raises:
        RecordFailed: if that cannot be written.
    """
    write_json(_wish(folder, number), {"points": sorted({*wished(folder, number), *points})})


def _state(folder: Path, number: int) -> Path:
    return folder / f"local-{number}.json"


def _wish(folder: Path, number: int) -> Path:
    return folder / f"cancel-{number}.json"
