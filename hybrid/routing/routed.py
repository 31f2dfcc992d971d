"""What can be planned: work, with what decides who may do it."""

from typing import Protocol

import numpy as np

from backends.base import Backend
from backends.cost import Work


class Routed(Work, Protocol):
    """Work that a plan finds a place for; a workload of the loop is one, and so is a single evaluation."""

    @property
    def description(self) -> str:
        """On one line, for the head of the plan."""
        ...

    @property
    def label(self) -> str:
        """Classification of the data; see `hybrid.workload.workload.LABELS`."""
        ...

    @property
    def accuracy(self) -> float:
        """How well the answer must be known, in the observables' unit; infinite where that was not said."""
        ...

    @property
    def held_bytes(self) -> int:
        """Memory that is taken here beside the backend's own."""
        ...

    @property
    def holder(self) -> str:
        """What takes it, for a message."""
        ...

    @property
    def rows(self) -> np.ndarray | None:
        """All parameters that will be asked, shape (rows, params), radians; None where an optimizer chooses them."""
        ...

    @property
    def first(self) -> np.ndarray:
        """The parameters that will be asked first, shape (params,), radians."""
        ...

    def check(self, backend: Backend) -> None:
        """Refuse a backend that cannot give what is asked, whatever the size of the work.

        Raises:
            Refused: saying what it lacks.
        """
        ...
