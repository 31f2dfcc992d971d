"""Work on pubs in the background, behind Qiskit's handle for it."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from threading import Event, Thread
from typing import Any

from qiskit.primitives import PrimitiveJob
from qiskit.providers import JobStatus

from circuits import tables

WAKE_S = 0.2
"""Between two looks, in seconds, at whether Ctrl-C was pressed: a signal may reach another thread, and wakes nobody."""


class Job(PrimitiveJob):
    """What a primitive's `run` returns.

    Qiskit's own job, except that one that is running can be cancelled, too: it stops before its next circuit.

    Args:
        compute: The work. It is given an event, and stops with a CancelledError once that is set.
    """

    def __init__(self, compute: Callable[[Event], Any]):
        super().__init__(compute)
        self._given_up, self._ended = Event(), Event()
        self._error: BaseException | None = None
        Thread(target=self._work, args=(compute,), daemon=True, name=f"hybrid-{self.job_id()}").start()

    def _work(self, compute: Callable[[Event], Any]) -> None:
        try:
            self._result = compute(self._given_up)
        except BaseException as err:  # noqa: BLE001 - raised again for whoever asks for the result
            self._error = err
        finally:
            self._ended.set()

    def result(self) -> Any:
        """The `PrimitiveResult`; waits for it.

        Raises:
            CancelledError: if the job was cancelled before it ended.
            Refused: if a pub cannot be done.
            FailedJob: if a backend failed.
        """
        while not self._ended.wait(WAKE_S):
            pass
        if self._error is not None:
            raise self._error
        return self._result

    def status(self) -> JobStatus:
        """Where the job stands."""
        if not self._ended.is_set():
            return JobStatus.RUNNING
        if isinstance(self._error, CancelledError):
            return JobStatus.CANCELLED
        return JobStatus.DONE if self._error is None else JobStatus.ERROR

    def cancel(self) -> bool:
        """Ask the job to stop; one that has ended stays as it is, and what a provider has taken goes on there.

        Returns:
            Whether there was anything left to stop.
        """
        self._given_up.set()
        return not self._ended.is_set()

    def __repr__(self) -> str:
        return f"Job {self.job_id()}: {self.status().name.lower()}"

    def _repr_html_(self) -> str:
        return tables.html([(self.job_id(), self.status().name.lower())], title="Job")

    def __getstate__(self) -> dict[str, Any]:
        self.result()
        return {"job_id": self._job_id, "metadata": self.metadata, "result": self._result}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._job_id, self.metadata, self._result = state["job_id"], state["metadata"], state["result"]
        self._given_up, self._ended, self._error = Event(), Event(), None
        self._ended.set()
