"""Graphics cards: their names and memory, and the refusal of what does not fit there.

NVIDIA's cards are asked through ``nvidia-smi``, so that nothing is loaded and no card is touched to learn about them.
The first that CUDA_VISIBLE_DEVICES names is the one that libraries compute on.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from backends import memory
from backends.memory import HEADROOM, in_bytes, readable
from circuits.errors import OutOfMemory, Refused

FIELDS = "name,memory.total,memory.free"

KEPT_S = 2
"""For so long an answer is kept, seconds."""

LIMIT_S = 20
"""For so long an answer is waited for, seconds."""


@dataclass(frozen=True)
class Card:
    """A graphics card, at one moment.

    Attributes:
        name: Its maker's name for it.
        total_bytes: Its memory, or what of it this process may have at all.
        free_bytes: What may still be taken of it.
    """

    name: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class OnCard:
    """Memory that work takes on a card, beside what it takes of this machine's own.

    Attributes:
        card: Where.
        memory_bytes: At once.
    """

    card: Card
    memory_bytes: int

    def check(self, *, what: str) -> None:
        """Refuse work that does not fit into what is free on the card, with both numbers.

        Args:
            what: The work, as the beginning of the message.

        Raises:
            OutOfMemory: naming the card.

        >>> OnCard(Card("Pocket 1", 2**30, 2**29), 2**30).check(what="26 qubits")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        circuits.errors.OutOfMemory: 26 qubits needs 1073741824 bytes (1.0 GiB) of memory on Pocket 1, but ...
        """
        card = self.card
        if self.memory_bytes > card.free_bytes:
            raise OutOfMemory(
                f"{what} needs {in_bytes(self.memory_bytes)} ({readable(self.memory_bytes)}) of memory on {card.name}, "
                f"but {readable(card.free_bytes)} of its {readable(card.total_bytes)} are free; use fewer qubits, "
                "single precision, or a backend on the processor"
            )


@dataclass(frozen=True)
class Held:
    """Memory that work takes at once: this machine's, and that of a card."""

    memory_bytes: int
    on_card: OnCard | None = None

    def check(self, *, what: str) -> None:
        """Refuse work that does not fit into either; see `backends.memory.check` and `OnCard.check`."""
        memory.check(self.memory_bytes, what=what)
        if self.on_card is not None:
            self.on_card.check(what=what)


def cards() -> tuple[Card, ...]:
    """NVIDIA's cards that this process may use, the default one first; none where there are none."""
    return _seen()[0]


def first_card(what: str) -> Card:
    """The card that libraries compute on.

    Args:
        what: Wants it, as the beginning of a message.

    Raises:
        Refused: if there is none, and why.
    """
    found, why_not = _seen()
    if not found:
        raise Refused(f"{what} needs an NVIDIA card, and {why_not}; use a backend on the processor")
    return found[0]


def card_of(device: Any) -> Card | None:
    """An accelerator as JAX sees it, with what its pool may still give; None for one without memory of its own.

    Args:
        device: Of JAX.
    """
    held = device.memory_stats() or {}
    if "bytes_limit" not in held:
        return None
    limit = int(held["bytes_limit"])
    return Card(str(device.device_kind), limit, limit - int(held.get("bytes_in_use", 0)))


def _seen() -> tuple[tuple[Card, ...], str]:
    """The cards, and why there are none."""
    return _asked(shutil.which("nvidia-smi"), os.environ.get("CUDA_VISIBLE_DEVICES"), time.monotonic() // KEPT_S)


@lru_cache(maxsize=1)
def _asked(tool: str | None, visible: str | None, _moment: float) -> tuple[tuple[Card, ...], str]:
    if tool is None:
        return (), "none is here (there is no nvidia-smi on the PATH)"
    if visible is not None and visible.strip() in ("", "-1", "NoDevFiles"):
        return (), f"CUDA_VISIBLE_DEVICES={visible!r} hides every card"
    chosen = [] if visible is None else [f"--id={visible}"]
    try:
        done = subprocess.run(
            [tool, *chosen, f"--query-gpu={FIELDS}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        return (), f"nvidia-smi gave no answer ({err})"
    lines = done.stdout.strip().splitlines()
    if done.returncode:
        said = (lines or done.stderr.strip().splitlines() or ["nothing"])[0]
        return (), f"nvidia-smi found none (it says: {said})"
    try:
        return tuple(map(_card, lines)), "nvidia-smi lists none"
    except ValueError:
        return (), f"nvidia-smi does not say how much memory it has (it says: {lines[0]})"


def _card(line: str) -> Card:
    """A card from a line of name, total and free mebibytes."""
    name, total, free = line.rsplit(",", 2)
    return Card(name.strip(), int(total) * 2**20, int(int(free) * 2**20 * HEADROOM))
