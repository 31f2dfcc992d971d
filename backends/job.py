"""A submitted batch, which outlives the process that submitted it."""

from abc import ABC, abstractmethod
from typing import Literal

from backends.batch import Expectations
from circuits import tables


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

    def __repr__(self) -> str:
        return f"Job {self.id}: {self._words()}"

    def _repr_html_(self) -> str:
        return tables.html([(self.id, self._words())], title="Job")

    def _words(self) -> str:
        """What is known of the job without asking anybody."""
        return "status() says where it stands, result() waits for it"


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

    def _words(self) -> str:
        rows, observables = self._expectations.values.shape
        return f"done, {rows} rows of parameters, {observables} observables"
