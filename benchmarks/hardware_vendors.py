"""The stand-ins of the tests, as the campaign of faults uses them: jobs in files, and three services over HTTP.

Each names the kinds of calls that can go wrong with the words for what does, and about how many of them a run makes.
"""

import os
import signal
import sys
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, ClassVar

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / folder) for folder in ("hybrid/hardware", "backends", "backends/providers")]

import braket_service  # noqa: E402
import filed  # noqa: E402
import ibm_service  # noqa: E402
import ionq_service  # noqa: E402
import workers  # noqa: E402, F401 - for the campaign

ASKED = ["die", "429", "500", "503", "half", "drop", "hang", "401"]
"""What goes wrong with a question over HTTP."""

SENT = ["die after", "lose", *ASKED]
"""What goes wrong with a job that is sent over HTTP."""

RETRY_AFTER = "1"
"""Seconds that a busy service asks for."""

WORKING_S = 0.02
"""For so long jobs wait, and run."""


class Vendor(ABC):
    """A stand-in.

    Attributes:
        calls: By kind of call, what can go wrong.
        reach: By kind of call, how many of them a run makes, about.
        backend: What runs are given.
        how: Options of that.
        environment: Variables of the processes that use it.
        modules: What these should have loaded beforehand.
        searchable: Whether it can always be searched by tag.
    """

    calls: ClassVar[dict[str, list[str]]]
    reach: ClassVar[dict[str, int]]
    backend: str
    how: dict[str, Any]
    environment: dict[str, str]
    modules: tuple[str, ...] = ()
    searchable = True

    @abstractmethod
    def plan(self, words: dict[str, list[str]]) -> None:
        """Say what is to go wrong: of each kind of call every call takes the first word."""

    @abstractmethod
    def left(self) -> dict[str, list[str]]:
        """The words that no call has taken."""

    @abstractmethod
    def tags(self) -> dict[str, str]:
        """The tag of every job that was taken, by its id."""

    def serve(self, process: int | None) -> None:  # noqa: B027 - jobs in files need none
        """Say which process asks, if one does: it is the one that dies."""

    def close(self) -> None:  # noqa: B027
        """Serve no more."""


class Filed(Vendor):
    """Jobs in files; at some of these vendors no job can be found by its tag."""

    calls: ClassVar = {
        "submit": ["die", "die after", "lose", "drop", "busy", "unreachable"],
        "state": ["die", "busy", "unavailable", "reset"],
        "result": ["die", "reset"],
        "fate": ["fail", "cancel"],
    }
    reach: ClassVar = {"submit": 18, "state": 50, "result": 18, "fate": 18}

    def __init__(self, folder: Path, *, searched: bool = True):
        self._vendor = filed.Vendor(folder / "vendor")
        self.backend, self.how, self.environment = f"filed:{self._vendor.folder}", {"searched": searched}, {}
        self.searchable = searched

    def plan(self, words: dict[str, list[str]]) -> None:
        """See `Vendor.plan`."""
        self._vendor.plan(**words)

    def left(self) -> dict[str, list[str]]:
        """See `Vendor.left`."""
        return self._vendor._read("faults.json")

    def tags(self) -> dict[str, str]:
        """See `Vendor.tags`."""
        return {name: self._vendor.job(name)["tag"] for name in self._vendor.jobs()}


class Http(Vendor):
    """A service on this machine."""

    service: Any

    def plan(self, words: dict[str, list[str]]) -> None:
        """See `Vendor.plan`."""
        self.service.faults.update({kind: list(some) for kind, some in words.items()})

    def left(self) -> dict[str, list[str]]:
        """See `Vendor.left`."""
        return dict(self.service.faults)

    def serve(self, process: int | None) -> None:
        """See `Vendor.serve`."""

        def dies() -> None:
            with suppress(ProcessLookupError):
                if process is not None:
                    os.kill(process, signal.SIGKILL)

        self.service.client_dies = dies


class Ibm(Http):
    """IBM's service, as IBM's own client reaches it; its time costs money."""

    calls: ClassVar = {
        "submit": [*SENT, "moved"],
        "job": ASKED,
        "results": ASKED,
        "usage": ASKED,
        "fate": ["fail", "cancel"],
    }
    reach: ClassVar = {"submit": 7, "job": 25, "results": 7, "usage": 3, "fate": 7}
    backend = "ibm:ibm_test"
    modules = ("qiskit_ibm_runtime.executor_sampler", "backends.providers.ibm")

    def __init__(self, folder: Path):
        self.service = ibm_service.Service()
        self.service.plan, self.service.delay_s, self.service.retry_after = "payg", WORKING_S, RETRY_AFTER
        self.how = {"deadline_s": 1.5}
        self._running = ExitStack()
        home = folder / "home"
        home.mkdir(parents=True)
        self.environment = self._running.enter_context(ibm_service.running(self.service)) | {"HOME": str(home)}

    def tags(self) -> dict[str, str]:
        """See `Vendor.tags`."""
        return {name: " ".join(job["tags"]) for name, job in self.service.jobs.items()}

    def close(self) -> None:
        """See `Vendor.close`."""
        self._running.close()


class IonQ(Http):
    """A machine of IonQ's, at prices that its service says."""

    calls: ClassVar = {"submit": SENT, "job": ASKED, "results": ASKED, "estimate": ASKED, "fate": ["fail", "cancel"]}
    reach: ClassVar = {"submit": 18, "job": 50, "results": 18, "estimate": 18, "fate": 18}
    backend = "ionq:forte-1"
    modules = ("backends.providers.ionq",)

    def __init__(self, folder: Path):
        self.service = ionq_service.Service(seconds=WORKING_S)
        self.service.repeats, self.service.retry_after = True, RETRY_AFTER
        self.how = {}
        self.environment = {"IONQ_API_URL": self.service.url, "IONQ_API_KEY": ionq_service.KEY}

    def tags(self) -> dict[str, str]:
        """See `Vendor.tags`."""
        return {name: job["name"] for name, job in self.service.jobs.items()}

    def close(self) -> None:
        """See `Vendor.close`."""
        self.service.close()


class Braket(Http):
    """A machine at Amazon Braket, as Amazon's own SDK reaches it; its service makes one task of a job sent twice."""

    asked: ClassVar = ["403" if word == "401" else word for word in ASKED]  # as Amazon says that a key has expired
    calls: ClassVar = {
        "submit": ["die after", "lose", *asked],
        "job": asked,
        "results": asked,
        "fate": ["fail", "cancel"],
    }
    reach: ClassVar = {"submit": 18, "job": 50, "results": 18, "fate": 18}
    backend = "braket:Standin"
    modules = ("backends.providers.braket", "braket.aws", "qiskit_braket_provider")

    def __init__(self, folder: Path):
        self.service = braket_service.Service()
        self.service.repeats = True
        self.how = {}
        self.environment = self.service.environment(folder)

    def tags(self) -> dict[str, str]:
        """See `Vendor.tags`."""
        return {name: task["body"]["tags"]["hybrid-job"] for name, task in self.service.tasks.items()}

    def close(self) -> None:
        """See `Vendor.close`."""
        self.service.close()


VENDORS = {"filed": Filed, "ibm": Ibm, "ionq": IonQ, "braket": Braket}
