"""The kinds of algorithms: a new one is a line here.

Each is named by functions of its own module, which is imported when a folder of the kind is read.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.base import Backend
from circuits.errors import Refused
from hybrid import optimizers
from hybrid.algorithms.reading import Reading
from hybrid.algorithms.stages import Stages
from hybrid.algorithms.summary import Summary
from hybrid.workload.arguments import BackendLike
from hybrid.workload.workload import Workload

if TYPE_CHECKING:
    from hybrid.verification.verification import Check

Carry = Callable[[Stages], Summary]
"""What reads the stages."""

Reader = Callable[[Path, Mapping[str, Any]], tuple[Workload, Carry]]
"""From an algorithm's folder and what was asked to its first minimization, and what reads the stages."""

Checks = Callable[[Any, Reading], "Iterator[Check]"]
"""From what the stages came to, and their reading, to the checks of numbers behind which no run stands."""

Around = Callable[[Path, Path, BackendLike | None], Backend | None]
"""From the folders of an algorithm and of one of its runs, and the backend, to what the run was made on; None for the
backend itself."""


@dataclass(frozen=True)
class Kind:
    """How a kind of algorithm is read and checked, as names: ``module:function``.

    Attributes:
        read: A `Reader`.
        checks: `Checks`; empty where runs stand behind all numbers.
        around: `Around`; empty where all runs are made on the algorithm's backend.
    """

    read: str
    checks: str = ""
    around: str = ""

    @property
    def reader(self) -> Reader:
        """What reads it."""
        return _named(self.read)

    @property
    def checked(self) -> Checks | None:
        """What checks its own numbers."""
        return _named(self.checks) if self.checks else None

    @property
    def backend_of_run(self) -> Around | None:
        """What makes the backend of one of its runs again."""
        return _named(self.around) if self.around else None


KINDS = {
    "qaoa": Kind("hybrid.algorithms.qaoa:reader"),
    "vqd": Kind("hybrid.algorithms.vqd:reader", around="hybrid.algorithms.vqd:penalized_backend"),
    "adapt": Kind("hybrid.algorithms.adapt:reader"),
    "classifier": Kind(
        "hybrid.algorithms.classifier:reader", "hybrid.algorithms.verification_of_classifier:of_classifier"
    ),
    "real-time": Kind(
        "hybrid.algorithms.evolution:reader_of_real", "hybrid.algorithms.verification_of_evolution:of_evolution"
    ),
    "imaginary-time": Kind(
        "hybrid.algorithms.evolution:reader_of_imaginary", "hybrid.algorithms.verification_of_evolution:of_evolution"
    ),
    "codesign": Kind("hybrid.codesign.codesign:reader"),
}


def kind_of(name: str, path: Path) -> Kind:
    """The kind of a name.

    Args:
        name: As algorithm.json has it.
        path: Of the folder, for messages.

    Raises:
        Refused: if there is none of this name.
    """
    if name not in KINDS:
        raise Refused(f"{path} holds an algorithm of the kind '{name}', which this version does not know")
    return KINDS[name]


def settings(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `hybrid.workload.workload.workload` that a record of a minimization says.

    Args:
        asked: What was asked of the algorithm.
    """
    kept = {key: asked[key] for key in ("accuracy", "max_steps", "seed", "shots", "label")}
    return kept | {"optimizer": optimizers.get(**asked["optimizer"])}


def _named(words: str) -> Any:
    module, _, name = words.partition(":")
    return getattr(import_module(module), name)
