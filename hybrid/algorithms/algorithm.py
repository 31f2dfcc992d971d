"""An algorithm that is prepared: what it asks, which stages it will take, and how these are carried out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from backends.base import Backend
from hybrid.algorithms.summary import Summary
from hybrid.runs.prediction import Prediction
from hybrid.workload.question import SETTINGS
from hybrid.workload.workload import Workload

if TYPE_CHECKING:
    from hybrid.algorithms.stages import Stages

R = TypeVar("R", bound=Summary, covariant=True)
"""What the algorithm finds."""


@dataclass(frozen=True)
class Stage:
    """A part of an algorithm, as far as it can be predicted.

    Attributes:
        name: Of the part, such as "layers 2".
        predict: From the backend to what the part takes there.
    """

    name: str
    predict: Callable[[Backend], Prediction]


@dataclass(frozen=True, eq=False)
class Algorithm(Generic[R]):
    """What is asked of an algorithm.

    Attributes:
        kind: Its name.
        work: Its first minimization; the others share its optimizer, accuracy, steps, shots and label.
        asked: Its own arguments, as JSON-able values.
        stages: What it is expected to take, part by part.
        assumed: What that rests on, a sentence for each assumption.
        carry_out: Runs the stages in a folder, or reads them, and says what they found.
        inputs: Gives the files that the folder needs besides to be read by itself: name to content.
        settings: Names of those attributes of the workload that it uses.
        ability: Class that its backend must have for a base, such as `backends.base.Samples`.
    """

    kind: str
    work: Workload
    asked: Mapping[str, Any]
    stages: Sequence[Stage]
    assumed: Sequence[str]
    carry_out: "Callable[[Stages], R]"
    inputs: Callable[[], Mapping[str, bytes]]
    settings: Sequence[str] = SETTINGS
    ability: type = object
