"""Whether a run's folder is as the run left it, and where it is not: by the chain of its journal alone.

Nothing is computed, and no row needs to make sense: so what was changed has a name even where the record cannot be read
any more.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from circuits.errors import RecordFailed, Refused
from hybrid.runs import calibrations, chain, journal, redaction
from hybrid.runs.files import read_bytes, read_json
from hybrid.runs.folder import JOURNAL, RESULT, SPEC

CHAINED = 4
"""Format of spec.json from which on every journal has a chain."""


@dataclass(frozen=True)
class Evidence:
    """What the chain says of a run's folder.

    Attributes:
        rows: Of the chain; 0 where there is none.
        head: Of its last row, in hexadecimal; empty where there is none.
        sealed: Whether result.json is there and is the last one that the run came to.
        faults: What was changed, one sentence each.
        open: What is missing or old, as a kill leaves it, too: the run has to be resumed.
        chained: Whether there is a chain at all; there is none in records of earlier versions.
        seal: The row of the last result in the chain, and its head; None before the first result.
        redacted: What was withheld before the record was handed on, in one sentence; empty if nothing was.
    """

    rows: int
    head: str
    sealed: bool
    faults: tuple[str, ...]
    open: tuple[str, ...] = ()
    chained: bool = True
    seal: tuple[int, str] | None = None
    redacted: str = ""


def examine(folder: Path) -> Evidence:
    """Compare a run's folder with the chain of its journal.

    Args:
        folder: Of the run.

    Raises:
        RecordFailed: if a file cannot be read.
    """
    try:
        redacted = str(redaction.read(folder))
        written = journal.read_chain(folder / JOURNAL)
    except Refused as err:
        return Evidence(0, "", False, (f"{JOURNAL}: {err}",))
    if written is None:
        faults = (f"{JOURNAL}, chain: missing",) if _format(folder) >= CHAINED else ()
        return Evidence(0, "", False, faults, chained=False)
    beside = list(_beside(folder, written))
    result, late = _result(folder, written)
    if len(beside) + len(result) > 1:
        beside.insert(0, f"{JOURNAL}: that of another run, or what lies beside it is")
    faults = (*written.faults, *beside, *result)
    seal = written.seals[-1] if written.seals else None
    return Evidence(written.rows, written.head, not (result or late), faults, tuple(late), seal=seal, redacted=redacted)


def _format(folder: Path) -> int:
    try:
        found = read_json(folder / SPEC).get("format")
    except (Refused, RecordFailed):
        return CHAINED  # whatever it says can be read no more
    return found if isinstance(found, int) else CHAINED


def _beside(folder: Path, written: chain.Chain) -> Iterator[str]:
    """The files beside the journal that are not as they were written."""
    for name, digest in written.files.items():
        if not (folder / name).is_file():
            yield f"{name}: missing"
        elif hashlib.sha256(read_bytes(folder / name)).hexdigest() != digest:
            yield f"{name}: changed"
    if calibrations.FILE not in written.files and (folder / calibrations.FILE).exists():
        yield f"{calibrations.FILE}: inserted"


def _result(folder: Path, written: chain.Chain) -> tuple[list[str], list[str]]:
    """What is wrong with result.json, and what is only not yet right with it."""
    file, results = folder / RESULT, written.results
    if not file.is_file():
        there = f"{RESULT}: missing, although row {results[-1][0]} of the chain announces it" if results else ""
        return [], [there] if there else [f"{RESULT}: not there yet"]
    digest = hashlib.sha256(read_bytes(file)).hexdigest()
    rows = [row for row, known in results if known == digest]
    if not rows:
        return [_unknown(file, written)], []
    if rows[-1] != results[-1][0]:
        last = results[-1][0]
        return [], [f"{RESULT}: an earlier one, of row {rows[-1]} of the chain; that of row {last} is missing"]
    return [], []


def _unknown(file: Path, written: chain.Chain) -> str:
    """Of a result.json that the chain does not know."""
    try:
        rests = (read_json(file).get("chain") or {}).get("rows")
    except (Refused, AttributeError):
        return f"{RESULT}: changed"
    if isinstance(rests, int) and rests >= written.rows:
        return f"{RESULT}: it rests on {rests} rows of the chain, which has {written.rows}: its end is missing"
    return f"{RESULT}: changed" if written.results else f"{RESULT}: inserted, the run had come to no result"
