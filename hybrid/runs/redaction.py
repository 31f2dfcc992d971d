"""What was withheld of a record before it was handed on, as redaction.json beside its journal says it.

The chain of a journal keeps the digests of what was written. Of each file and each row from which words were withheld,
redaction.json holds that digest and the one of what is left; all other rows and files are checked as before, and so is
what is left, against the second digest. Only texts about where a run was made can be withheld: never an evaluation,
what a job measured, the circuit, or the Hamiltonian. Of each word that was withheld it says the kind, all places, and

    SHA-256(salt || " " || word),

whose salt the owner keeps: whoever is told word and salt can check it, and nobody can guess the word from it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from circuits.errors import Refused
from hybrid.runs.files import checked, read_bytes, read_json
from hybrid.workload.spec import RecordModel

FILE = "redaction.json"

FORMAT = 1

WORDS = "[withheld {number}]"
"""What stands where a word was; a number that was withheld is null."""

FILES = ("spec.json", "calibrations.json", "result.json")
"""Files in the chain of which words may be withheld."""

COLUMNS = {
    "job": ("tag", "id", "reason", "usd"),
    "failover": ("failed", "reason", "name", "backend", "provenance"),
}
"""The same of the tables of a journal."""

HEX = Field(pattern="^[0-9a-f]{64}$")


class Withheld(RecordModel):
    """A word that was withheld.

    Attributes:
        number: In its marks.
        kind: One of `hybrid.runs.crate.words.KINDS`.
        sha256: Of salt, a space, and the word, in hexadecimal.
        places: Where it stood: file and keys, or table, row and column.
    """

    number: int
    kind: str
    sha256: str = HEX
    places: list[str] = Field(default_factory=list)


class Exchanged(RecordModel):
    """A file or a row from which words were withheld.

    Attributes:
        kind: "file", "result", or the table of the row; as in the chain.
        key: Name of the file, or which row it is; as in the chain.
        was: SHA-256 of what was written, in hexadecimal.
        now: SHA-256 of what is left.
    """

    kind: str
    key: str
    was: str = HEX
    now: str = HEX


class _Stored(RecordModel):
    """The content of redaction.json."""

    format: int = Field(ge=1, le=FORMAT)
    withheld: list[Withheld]
    exchanged: list[Exchanged]


@dataclass(frozen=True)
class Redaction:
    """What was withheld of a record; nothing, of most.

    Attributes:
        withheld: Each word.
        exchanged: For kind and key of a link of the chain, and the digest of what was written, the digest of what is
            left.
        sha256: Of redaction.json, in hexadecimal; empty where nothing was withheld.
    """

    withheld: tuple[Withheld, ...] = ()
    exchanged: Mapping[tuple[str, str, str], str] = field(default_factory=dict)
    sha256: str = ""

    def __bool__(self) -> bool:
        return bool(self.sha256)

    def written(self, name: str, now: str) -> str:
        """The digest of a file as it was written.

        Args:
            name: Of the file.
            now: Its digest.
        """
        return next((was for (_, key, was), left in self.exchanged.items() if (key, left) == (name, now)), now)

    def __str__(self) -> str:
        """What was withheld, in one sentence; empty if nothing was."""
        if not self:
            return ""
        counts: dict[str, int] = {}
        for one in self.withheld:
            counts[one.kind] = counts.get(one.kind, 0) + 1
        kinds = ", ".join(f"{number} {kind if number == 1 else kind + 's'}" for kind, number in sorted(counts.items()))
        where = sorted({key if kind in ("file", "result") else f"{kind} rows" for kind, key, _ in self.exchanged})
        return f"redacted: {kinds or 'nothing'}" + (f", in {', '.join(where)}" if where else "")


def read(folder: Path) -> Redaction:
    """What was withheld of a run's record.

    Args:
        folder: Of the run.

    Raises:
        Refused: if redaction.json is damaged, or covers what is never withheld.
    """
    file = folder / FILE
    if not file.is_file():
        return Redaction()
    stored = checked(_Stored, read_json(file), file)
    for one in stored.exchanged:
        if not (one.key in FILES if one.kind in ("file", "result") else one.kind in COLUMNS):
            raise Refused(f"{file} covers {one.kind} {one.key}, of which nothing is ever withheld: it is not believed")
    exchanged = {(one.kind, one.key, one.was): one.now for one in stored.exchanged}
    return Redaction(tuple(stored.withheld), exchanged, hashlib.sha256(read_bytes(file)).hexdigest())
