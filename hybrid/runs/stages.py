"""Stages in a folder, of an algorithm or a benchmark: each is done once, so that a kill at any moment costs one stage.

A stage is a file that is written whole, a line that a file grows by, or a run (or another loop) with a journal of its
own. `stages.sqlite` chains them (`hybrid.runs.chain`): the files that say what was asked; a digest of every file and
line, which is put on disk right before the file or line itself; of every stage with a journal the head of that
journal's chain, once it has ended; and the result. So only the very last link can stand for what is not there:
a kill came between the two. What else is missing, changed or swapped became so afterwards; what is missing is done
again when the work goes on, and the chain says that it was gone.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from pydantic import BaseModel

from circuits.errors import Refused
from hybrid.runs import chain, index, journal
from hybrid.runs.chain import Chain, Link
from hybrid.runs.evidence import examine, head_of
from hybrid.runs.files import append, digest_of, line_of, read_bytes, read_lines, write
from hybrid.runs.folder import RESULT, STAGES
from hybrid.runs.journal import Journal

M = TypeVar("M", bound=BaseModel)


def begin(folder: Path, head: str, files: Mapping[str, bytes]) -> None:
    """Write what is asked into a folder; the head file comes last, so that half a folder is never taken for a record.

    Args:
        folder: Locked, and free for it.
        head: Name of the file by which the record is known.
        files: Content of this and of the other files of what is asked, by name.

    Raises:
        RecordFailed: if they cannot be written.
    """
    for name, content in files.items():
        if name != head:
            write(folder / name, content)
    (folder / STAGES).unlink(missing_ok=True)  # of a record that never began
    journal.create(folder / STAGES, hashlib.sha256(files[head]).hexdigest(), files)
    write(folder / head, files[head])
    index.add(folder)


class StageFiles:
    """The stages in a folder, open for one process to add to.

    Args:
        folder: Locked.
        head: Name of the file by which the record is known.

    Attributes:
        folder: The same.

    Raises:
        Refused: if something in it was changed after it was written; it is left as it is.
        RecordFailed: if it cannot be written.
    """

    def __init__(self, folder: Path, head: str):
        self.folder = folder
        self._journal: Journal | None = None
        self._written = Chain(0, "", ())
        self._lines: dict[str, int] = {}
        found = examine(folder)
        if found.changed:
            raise Refused(
                f"{folder} was changed after it was written ({chain.told(found.changed)}): it was left as it is. "
                "Restore it from a copy, or start anew in another folder"
            )
        if not found.chained:
            return  # an earlier version began it
        self._written = journal.read_chain(folder / STAGES) or self._written
        self._journal = Journal(folder / STAGES, digest_of(folder / head))
        for one in found.lost:
            self._journal.link(one)
            self._written.stages.pop(one.key, None)

    def __enter__(self) -> "StageFiles":
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        if self._journal is not None:
            self._journal.close()

    def has(self, name: str) -> bool:
        """Whether a stage's file was written.

        Args:
            name: Of the file.

        Raises:
            Refused: if the file is there, and was not written as a stage.
        """
        there = (self.folder / name).exists()
        if there and self._journal is not None and name not in self._written.stages:
            raise Refused(f"{self.folder / name}: inserted, no stage has written it; remove it, then resume")
        return there

    def write(self, name: str, content: bytes) -> None:
        """Write the file of a stage that is done at once.

        Args:
            name: Of the file.
            content: Its bytes.

        Raises:
            RecordFailed: if it cannot be written.
        """
        self._link(Link(chain.STAGE, name, hashlib.sha256(content).digest()))
        self._written.stages[name] = hashlib.sha256(content).hexdigest()
        write(self.folder / name, content)

    def lines(self, name: str, model: type[M]) -> list[M]:
        """The lines of a file that grows; one that a kill left unfinished is removed.

        Args:
            name: Of the file, which need not exist.
            model: What each line should hold.

        Raises:
            Refused: if a line is damaged.
        """
        found = read_lines(self.folder / name, model)
        self._lines[name] = len(found)
        return found

    def append(self, name: str, line: BaseModel) -> None:
        """Add a line to a file whose `lines` were read.

        Args:
            name: Of the file.
            line: Its content.

        Raises:
            RecordFailed: if the disk is full or the folder is gone.
        """
        content, number = line_of(line), self._lines[name] + 1
        self._link(Link(chain.LINE, chain.line_name(name, number), hashlib.sha256(content).digest()))
        append(self.folder / name, content)
        self._lines[name] = number

    def ended(self, name: str) -> None:
        """Chain a stage with a journal of its own, which has ended.

        Args:
            name: Of its folder, or of its journal.

        Raises:
            RecordFailed: if it cannot be written.
        """
        head = head_of(self.folder / name)
        if head is not None and self._written.stages.get(name) != head:
            self._link(Link(chain.STAGE, name, bytes.fromhex(head)))
            self._written.stages[name] = head

    def finish(self, result: bytes) -> None:
        """Write the result, once all stages are done; one that is there already is left as it is.

        Args:
            result: Content of result.json.

        Raises:
            RecordFailed: if it cannot be written.
        """
        file = self.folder / RESULT
        if file.exists() and read_bytes(file) == result:
            return
        if self._journal is not None:
            self._journal.seal(result)
        write(file, result)

    def _link(self, link: Link) -> None:
        if self._journal is not None:
            self._journal.link(link)
