"""Whether a folder is as its run, algorithm or benchmark left it, and where it is not: by its chains alone.

Nothing is computed, and no row needs to make sense: so what was changed has a name even where the record cannot be read
any more.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from circuits.errors import RecordFailed, Refused
from hybrid.runs import budget, calibrations, chain, journal, redaction
from hybrid.runs.chain import Link
from hybrid.runs.files import read_bytes, read_json
from hybrid.runs.folder import JOBS, JOURNAL, RESULT, SPEC, STAGES
from hybrid.runs.kinds import KINDS, Kind, kind_of

LOGS = ("decisions.jsonl",)
"""Files that others append to, and no stage reads: what was asked of the policy."""

LOOKS = 8
"""At a folder of stages which somebody is at work in: what was written between a look at the chain and one at the files
is no fault."""

RUN = next(kind for kind in KINDS if kind.name == "run")


@dataclass(frozen=True)
class Evidence:
    """What the chain says of a folder, and of a folder of stages the chains of their journals, too.

    Attributes:
        rows: Of the chain; 0 where there is none.
        head: Of its last row, in hexadecimal; empty where there is none.
        sealed: Whether result.json is there and is the last one that the run came to.
        faults: What was changed, one sentence each.
        open: What is missing or old, as a kill leaves it, too: it has to be resumed.
        chained: Whether there is a chain at all; there is none in records of earlier versions.
        lost: Stages that were done and are not there any more, as links; a fault says so of each.
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
    lost: tuple[Link, ...] = ()
    redacted: str = ""

    @property
    def changed(self) -> tuple[str, ...]:
        """The faults besides what is lost, which can be done again."""
        gone = {_missing(one.key) for one in self.lost}
        return tuple(fault for fault in self.faults if fault not in gone)


def examine(folder: Path) -> Evidence:
    """Compare the folder of a run, an algorithm or a benchmark with its chain, and its stages with theirs.

    Args:
        folder: Its path.

    Raises:
        RecordFailed: if a file cannot be read.
    """
    for _ in range(LOOKS):
        found = _examined(folder)
        if not found.faults or found.head == _examined(folder).head:
            break  # nobody has gone on with it meanwhile
    return found


def _examined(folder: Path) -> Evidence:
    kind = kind_of(folder) or next((kind for kind in KINDS if (folder / kind.journal).is_file()), RUN)
    name = kind.journal
    if name == STAGES and not (folder / name).is_file():
        lacking = (f"{name}: missing",) if _version(folder, kind) >= kind.chained else ()
        return Evidence(0, "", False, (*lacking, *_inside(folder)), chained=False)
    try:
        redacted = str(redaction.read(folder))
        written = journal.read_chain(folder / name)
    except Refused as err:
        return Evidence(0, "", False, (f"{name}: {err}",))
    if written is None:
        faults = (f"{name}, chain: missing",) if _version(folder, kind) >= kind.chained else ()
        return Evidence(0, "", False, faults, chained=False)
    stages = _stages(folder, written) if name == STAGES else _Stages(list(_beside(folder, written)))
    result, old = _result(folder, written)
    beside = stages.faults
    if name == JOURNAL and len(beside) + len(result) > 1:
        beside.insert(0, f"{JOURNAL}: that of another run, or what lies beside it is")
    faults = (*written.faults, *beside, *result)
    seal = written.seals[-1] if written.seals else None
    return Evidence(
        written.rows,
        written.head,
        not (result or old or stages.late),
        faults,
        (*stages.late, *old),
        seal=seal,
        lost=tuple(stages.lost),
        redacted=redacted,
    )


def head_of(stage: Path) -> str | None:
    """The head of the chain of a stage that has a journal of its own: of a run that of its last result.

    Args:
        stage: Folder of the run, or path of the journal.

    Returns:
        In hexadecimal; None where there is no chain, or the run has come to no result.

    Raises:
        Refused: if the journal is missing or damaged.
        RecordFailed: if it cannot be read.
    """
    if not stage.is_dir():
        written = journal.read_chain(stage)
        return None if written is None else written.head
    written = journal.read_chain(stage / JOURNAL)
    return written.seals[-1][1] if written is not None and written.seals else None


def _version(folder: Path, kind: Kind) -> int:
    try:
        found = read_json(folder / kind.head).get(kind.version)
    except (Refused, RecordFailed):
        return kind.chained  # whatever it says can be read no more
    return found if isinstance(found, int) else kind.chained


class _Stages(NamedTuple):
    """What is wrong with stages, what a kill has left undone, and which of them are not there."""

    faults: list[str]
    late: Sequence[str] = ()
    lost: Sequence[Link] = ()


def _stages(folder: Path, written: chain.Chain) -> _Stages:
    lines, torn = _lines(folder)
    ends = dict(_ends(folder, written))
    kinds = ((chain.LINE, written.lines, lines), (chain.STAGE, written.stages, ends))
    gone = [Link(kind, key, None) for kind, known, there in kinds for key in known if key not in there]
    lost = [one for one in gone if one.key != JOBS]  # they were paid for, and are not sent again
    last = written.latest
    files = [one for one in lost if one.kind == chain.LINE or _is_file(one.key)]
    pending = [one.key for one in files if last is not None and one[:2] == last[:2]]
    late = [f"{key}: not there yet" for key in pending]
    faults = list(_beside(folder, written))
    faults += [fault for one in kinds for fault in chain.differences(*one) if fault not in map(_missing, pending)]
    grown = {chain.file_of(one.key) for one in lost}
    faults += [f"{name}: ends in half a line" for name in torn if name not in grown]
    return _Stages([*faults, *_inside(folder, written.stages)], late, lost)


def _missing(key: str) -> str:
    return f"{key}: missing"


def _is_file(stage: str) -> bool:
    """Whether a stage is a file that was written at once, right after its link."""
    return stage.endswith(".json")


def _lines(folder: Path) -> tuple[dict[str, str], list[str]]:
    """The digest of each whole line of the files that grow, by its name, and the files whose last line is none."""
    found, torn = {}, []
    for file in sorted(file for file in folder.glob("*.jsonl") if file.is_file() and file.name not in LOGS):
        *whole, rest = read_bytes(file).split(b"\n")
        for number, line in enumerate(whole, start=1):
            found[chain.line_name(file.name, number)] = hashlib.sha256(line + b"\n").hexdigest()
        if rest:
            torn.append(file.name)
    return found, torn


def _ends(folder: Path, written: chain.Chain) -> Iterator[tuple[str, str]]:
    """The digest of the file, or the head of the journal, of each stage that is chained, or should be."""
    for name in filter(_is_file, written.stages):
        if (folder / name).is_file():
            yield name, hashlib.sha256(read_bytes(folder / name)).hexdigest()
    for stage in (*_runs(folder), *_journals(folder)):
        known = written.stages.get(stage.name)
        try:
            if known is not None and not stage.is_dir() and journal.holds_head(stage, known):
                yield stage.name, known  # what became known of jobs later follows it
                continue
            head = head_of(stage)
        except Refused:
            head = None  # `_inside` says why
        if known is not None or (written.results and head is not None):
            yield stage.name, head or ""


def _inside(folder: Path, ended: Collection[str] = ()) -> Iterator[str]:
    """What is wrong with the journals of the stages by themselves; of those that have ended nothing may be open."""
    for run in _runs(folder):
        found = examine(run)
        yield from (f"{run.name}: {fault}" for fault in (*found.faults, *(found.open if run.name in ended else ())))
    for file in _journals(folder):
        try:
            written = journal.read_chain(file)
        except Refused as err:
            yield f"{file.name}: {err}"
            continue
        yield from () if written is None else (f"{file.name}, {fault}" for fault in written.faults)


def _runs(folder: Path) -> list[Path]:
    return sorted({file.parent for name in (SPEC, JOURNAL) for file in folder.glob(f"*/{name}")})


def _journals(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.sqlite") if file.name not in (STAGES, budget.FILE))


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
