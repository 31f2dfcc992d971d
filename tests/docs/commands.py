"""The command lines of the guides."""

import re
import shlex
from dataclasses import dataclass

from guides import GUIDES, Block, blocks

INLINE = re.compile(r"`(hybrid [a-z]+ [^`\n]*)`")
LAUNCHERS = {"mpiexec", "srun"}


@dataclass(frozen=True)
class Line:
    """One line of a block that calls `hybrid`, perhaps through a launcher and into a file."""

    page: str
    text: str
    words: tuple[str, ...]

    @property
    def arguments(self) -> list[str]:
        """What `hybrid` is given."""
        after = self.words[self.words.index("hybrid") + 1 :]
        return list(after[: after.index(">")] if ">" in after else after)


def lines() -> list[Line]:
    """Every command line of every page, in the order of the pages."""
    return [line for page in GUIDES for block in blocks(page, "sh") for line in of_block(block)]


def of_block(block: Block) -> list[Line]:
    """The command lines of one block."""
    found = []
    for text in block.text.splitlines():
        try:
            words = shlex.split(text, comments=True)
        except ValueError:
            continue  # a line of a script with quotes that end elsewhere
        if words and (words[0] == "hybrid" or (words[0] in LAUNCHERS and "hybrid" in words)):
            found.append(Line(block.page.name, text, tuple(words)))
    return found


def inline() -> list[tuple[str, str]]:
    """Commands within sentences, and the pages that they stand on."""
    return [(page.name, text) for page in GUIDES for text in INLINE.findall(page.read_text())]
