"""Where the tasks of a submission are, in a file beside its script, written before anything is sent.

facility-1.json     the facility, what it is asked for, and the tasks whose results have been fetched
"""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from hybrid.runs.files import write_json
from hybrid.sites.facility import token
from hybrid.sites.facility.client import Client
from hybrid.sites.stored import load


@dataclass(frozen=True)
class Where:
    """A submission at a facility.

    Attributes:
        url: Of the facility's interface.
        resource: Its id of what computes.
        storage: Its id of the file system.
        directory: Of the submission, there.
        token_variable: Name of the variable with the token; empty for a file.
        token_file: Path of the file with the token; empty for a variable.
        fetched: Tasks whose results are here.
    """

    url: str
    resource: str
    storage: str
    directory: str
    token_variable: str
    token_file: str
    fetched: list[int] = field(default_factory=list)

    def client(self) -> Client:
        """What asks the facility.

        Raises:
            Refused: if the token is not there.
        """
        return Client(self.url, token.read(self.token_variable, self.token_file))

    def path(self, what: str, *more: str) -> str:
        """The path of a request about what computes, such as ``compute/job``, or about files, ``filesystem/ls``."""
        of = self.storage if what.startswith("filesystem/") else self.resource
        return f"/{what}/" + "/".join(quote(part, safe="") for part in (of, *more))


def place(folder: Path, number: int) -> Path:
    """The file of a submission."""
    return folder / f"facility-{number}.json"


def write(folder: Path, number: int, where: Where) -> None:
    """Write it down.

    Raises:
        RecordFailed: if that cannot be.
    """
    write_json(place(folder, number), asdict(where))


def read(folder: Path, number: int) -> Where:
    """What was written.

    Raises:
        Refused: if the file is missing or damaged.
    """
    return load(Where, place(folder, number))


def note_fetched(folder: Path, number: int, task: int) -> None:
    """Note that the results of a task are here.

    Raises:
        RecordFailed: if that cannot be written.
    """
    before = read(folder, number)
    write(folder, number, replace(before, fetched=sorted({*before.fetched, task})))
