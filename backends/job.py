"""A submitted batch, which outlives the process that submitted it."""

from abc import ABC, abstractmethod
from typing import Literal

from backends.batch import Expectations


class Job(ABC):
    """A submitted batch. It outlives the process: a provider's job can be found again by its id."""

    id: str

    @abstractmethod
    def status(self) -> Literal["queued", "running", "done", "failed", "cancelled"]:
        """Where the job stands."""

    @abstractmethod
    def result(self) -> Expectations:
        """The expectation values; waits for them.

        Raises:
            FailedJob: if the backend could not finish.
            LostJob: if nobody knows what became of it.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Stop the job if it has not ended; a finished one stays as it is."""


class FinishedJob(Job):
    """A job that a simulator in this process finished at submission."""

    def __init__(self, id: str, expectations: Expectations):  # noqa: A002 - the field's word
        self.id = id
        self._expectations = expectations

    def status(self) -> Literal["done"]:
        """Always done."""
        return "done"

    def result(self) -> Expectations:
        """The expectation values."""
        return self._expectations

    def cancel(self) -> None:
        """Nothing is left to stop."""
