"""A vendor's device, as measured circuits and jobs reach it: the seam behind which each vendor has one file.

`Here` runs circuits in this process, as a simulator or the snapshot of a device does. `Elsewhere` takes jobs, which
wait in a queue, cost money and outlive the process that sent them: a job is sent with a tag, and can be found again by
its id, at some vendors also by its tag.
"""

import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.forecast.prices import Price
from backends.measurement.outcomes import Outcomes
from backends.providers.calibration import Calibration
from backends.providers.times import UNTOLD, VendorTimes
from circuits.fingerprint import fingerprint
from circuits.secrets import redacted

HOLDING = threading.Lock()
"""Held while work at some hardware begins or ends, which may be in several threads."""

Status = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class JobState:
    """Where a job stands.

    Attributes:
        status: A job that is done, failed or cancelled has ended.
        reason: The vendor's words for a job that failed or was cancelled, on one line.
        ahead: Jobs before it in the queue; None where the vendor does not say.
        charge: What a job that has ended has cost; None where the vendor does not say: then what was predicted counts.
        times: When it was taken, began and ended, as far as the vendor says.
    """

    status: Status
    reason: str = ""
    ahead: int | None = None
    charge: "Charge | None" = None
    times: VendorTimes = UNTOLD

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", redacted(" ".join(self.reason.split())))  # it is kept, and shown on a line


@dataclass(frozen=True)
class Charge:
    """What work costs at a vendor.

    Attributes:
        usd: Money, in US dollars.
        qpu_s: Time on the device, in seconds.
        shots: Circuits that are run, each counted as often as it is repeated.
        priced: Whether the money is known; where it is not, ``usd`` leaves it out.
    """

    usd: float = 0.0
    qpu_s: float = 0.0
    shots: int = 0
    priced: bool = True

    def __add__(self, other: "Charge") -> "Charge":
        shots, priced = self.shots + other.shots, self.priced and other.priced
        return Charge(self.usd + other.usd, self.qpu_s + other.qpu_s, shots, priced)


@dataclass(frozen=True, eq=False)
class JobRequest:
    """What one job runs.

    Attributes:
        circuits: Measured, in the device's gates and on its qubits, without free parameters.
        shots: Of each circuit.
    """

    circuits: tuple[QuantumCircuit, ...]
    shots: int

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the meaning of all circuits and of the shots, in hexadecimal; the same in every process."""
        parts = [str(self.shots), *map(fingerprint, self.circuits)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Hardware(ABC):
    """A device or a simulator of one that measures circuits.

    Attributes:
        name: As it appears in tables and records, such as ``ibm:fake_manila``.
        summary: One line for a table.
        target: The device, or the gates of one, for which circuits are transpiled.
        n_qubits: None where only memory is the limit.
        noisy: Whether its answers have more than statistical errors.
        verbatim: Whether it runs the gates that it is sent, none cancelled: what folds gates to amplify their noise
            depends on it.
        price: What it costs by its own word; None: what the price table says.
    """

    name: str
    summary: str
    target: BackendV2 | Target
    n_qubits: int | None
    noisy: bool = True
    verbatim: bool = True
    price: Price | None = None

    def together(self) -> tuple[tuple[int, ...], ...]:
        """Sets of qubits that one measurement must read, as `backends.measurement.circuits.measure` takes them."""
        return ()

    def calibration(self) -> Calibration | None:
        """What was last measured of the device, where it can be asked for.

        Raises:
            ProviderUnreachable: if nobody answered.
        """
        return None


class Here(Hardware):
    """Hardware inside this process.

    Attributes:
        beside: Whether gates suffer what depends on the circuit around them, which is put into each circuit.
    """

    beside: bool = False

    @abstractmethod
    def run(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """Run measured circuits and count.

        Args:
            circuits: As in a `JobRequest`.
            shots: Of each circuit.
            seed: Root of the random numbers; None for fresh ones.

        Returns:
            What was measured, one entry for each circuit.

        Raises:
            Refused: if it cannot do a circuit.
            BudgetExceeded: if the memory does not suffice.
            FailedJob: if it could not run the circuits.
        """


class Elsewhere(Hardware):
    """Hardware that takes jobs. No method keeps anything that another process would need.

    Attributes:
        most_circuits: In one job; None where the vendor names no limit.
        most_shots: Of one circuit in one job; None where the vendor names no limit.
        idempotent: Whether a job that is sent again with the same tag and content is the job that is there already.
        where_to_look: What a person can do who wants to know whether a job exists, as the end of a message.
    """

    most_circuits: int | None = None
    most_shots: int | None = None
    idempotent: bool = False
    where_to_look: str = "look at the list of jobs on the vendor's own page"

    _holders: int = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Work at the device, in a ``with`` block: when all such blocks of this process have ended, it is closed."""
        with HOLDING:
            self._holders += 1
        try:
            yield
        finally:
            with HOLDING:
                self._holders -= 1
                last = not self._holders
            if last:
                self.close()

    def close(self) -> None:
        """Close what this process has opened at the vendor, such as a session; its jobs go on, and more may be sent.

        What cannot be closed is warned of, never raised: it ends by itself, and a run must not fail by it.
        """

    @abstractmethod
    def submit(self, request: JobRequest, tag: str) -> str:
        """Send a job, once; nothing is tried again here.

        Args:
            request: What to run.
            tag: Text of letters and digits, at most 64, that no other job has; kept with the job where the vendor can.

        Returns:
            The vendor's id of the job.

        Raises:
            Refused: if the vendor does not take such a job; it exists nowhere.
            ProviderUnreachable: if the job was surely not taken, and may be sent again; `ProviderBusy` where the vendor
                says when.
            LostJob: if nobody knows whether it was taken.
        """

    @abstractmethod
    def state(self, job_id: str) -> JobState:
        """Where a job stands; asks once.

        Args:
            job_id: As `submit` gave it, perhaps to another process.

        Raises:
            ProviderUnreachable: if nobody answered.
            LostJob: if the vendor has no such job.
        """

    @abstractmethod
    def outcomes(self, job_id: str, request: JobRequest) -> list[Outcomes]:
        """What a job that is done has measured, one entry for each circuit of the request; asks once.

        Args:
            job_id: As `submit` gave it, perhaps to another process.
            request: What was sent.

        Raises:
            ProviderUnreachable: if nobody answered.
            FailedJob: if what came is not what was asked for.
        """

    @abstractmethod
    def cancel(self, job_id: str) -> None:
        """Ask that a job be stopped; one that has ended stays as it is.

        Args:
            job_id: As `submit` gave it, perhaps to another process.

        Raises:
            ProviderUnreachable: if nobody answered.
        """

    @abstractmethod
    def find(self, tag: str) -> tuple[str, ...] | None:
        """The ids of all jobs that were sent with a tag; None where the vendor cannot be asked for it.

        Args:
            tag: As it was given to `submit`.

        Raises:
            ProviderUnreachable: if nobody answered.
        """

    def pending(self) -> int | None:
        """Jobs that wait at the device now; None where the vendor does not say.

        Raises:
            ProviderUnreachable: if nobody answered.
        """
        return None

    def charge(self, request: JobRequest) -> Charge:
        """What a job will cost at most, by the vendor's price list; here its shots, and money that is not known.

        Args:
            request: What is to be sent.
        """
        return Charge(shots=request.shots * len(request.circuits), priced=False)
