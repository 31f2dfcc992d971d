"""IBM's machines: jobs for the vendor's client-side Sampler, found again by tag and id from any process.

References:
    https://quantum.cloud.ibm.com/docs/guides/estimate-job-run-time (what a job takes of the machine),
    https://www.ibm.com/quantum/pricing (what that costs).
"""

import math
import warnings
import weakref
from typing import Any, Literal

import numpy as np
from qiskit import QuantumCircuit

from backends.forecast.prices import price_of
from backends.measurement.outcomes import Outcomes
from backends.providers.calibration import Calibration, from_properties
from backends.providers.hardware import Charge, Elsewhere, JobRequest, JobState, Status
from backends.providers.ibm_connection import KEY_PAGE, Connection
from backends.providers.times import VendorTimes, moment_of
from circuits.errors import FailedJob, ToolkitError

Mode = Literal["job", "batch", "session"]

Twirling = Literal["gates", "measurements", "both"]

Decoupling = Literal["XX", "XpXm", "XY4"]

RANDOMIZATIONS = 32
"""Twirled versions of each circuit."""

SUB_JOB_S = 2.0
"""Of the machine, for each job beside its circuits."""

REP_DELAY_S = 250e-6
"""Between two executions, where the device names no other."""

STATUS: dict[str, Status] = {
    "INITIALIZING": "queued",
    "QUEUED": "queued",
    "VALIDATING": "queued",
    "RUNNING": "running",
    "DONE": "done",
    "ERROR": "failed",
    "CANCELLED": "cancelled",
}


class IBMDevice(Elsewhere):
    """A machine of IBM's.

    With twirling, each circuit is run in up to 32 versions, all equally often; the shots that this makes too many, 31
    at most, are left out of the counts.

    Args:
        device: The vendor's object, of `Connection.device`.
        connection: That it came through.
        name: As it appears in tables and records.
        mode: Whether jobs stand alone, or this process opens a batch or a session for them, until `close` or its end.
        twirling: What the vendor twirls, if anything.
        dynamical_decoupling: The sequence that the vendor puts where qubits wait, if any.
        max_execution_time_s: After so many seconds on the machine the vendor stops a job.
        is_free: Whether the account's plan costs nothing.
    """

    where_to_look = f"look at the list of workloads at {KEY_PAGE}"

    def __init__(
        self,
        device: Any,
        connection: Connection,
        *,
        name: str,
        mode: Mode = "job",
        twirling: Twirling | None = None,
        dynamical_decoupling: Decoupling | None = None,
        max_execution_time_s: int | None = None,
        is_free: bool = False,
    ):
        self.name = name
        self.target = device
        self.n_qubits = device.num_qubits
        self.summary = f"IBM device {device.name}, {device.num_qubits} qubits"
        self.most_shots = getattr(device, "max_shots", None)
        self.most_circuits = getattr(device, "max_experiments", None)
        self._connection = connection
        self._mode: Mode = mode
        self._twirling = twirling
        self._decoupling = dynamical_decoupling
        self._max_execution_time_s = max_execution_time_s
        self._is_free = is_free
        self._opened: Any = None
        self._closing: Any = None

    def submit(self, request: JobRequest, tag: str) -> str:
        """See `Elsewhere.submit`."""
        from qiskit_ibm_runtime.executor_sampler import Sampler

        def sent(service: Any) -> str:
            sampler = Sampler(mode=self._opening(), options=self._options(tag))
            return str(sampler.run(list(request.circuits), shots=request.shots).job_id())

        return self._connection.ask(sent, sends=True)

    def state(self, job_id: str) -> JobState:
        """See `Elsewhere.state`; a job has left the queue when IBM begins to prepare it, before the machine has it."""

        def asked(service: Any) -> JobState:
            job = service.job(job_id)
            said = str(job.status())
            failed = said in ("ERROR", "CANCELLED")
            times = _times(job) if failed or said == "DONE" else VendorTimes()
            return JobState(STATUS[said], reason=str(job.error_message() or "") if failed else "", times=times)

        return self._connection.ask(asked)

    def outcomes(self, job_id: str, request: JobRequest) -> list[Outcomes]:
        """See `Elsewhere.outcomes`."""
        result = self._connection.ask(lambda service: service.job(job_id).result())
        try:
            found = [_counted(one.data, circuit) for one, circuit in zip(result, request.circuits, strict=True)]
        except (TypeError, ValueError, KeyError, AttributeError) as err:
            raise FailedJob(
                f"job {job_id} on {self.name} gave no results of the circuits that were sent: {err}"
            ) from err
        for bits in found:
            if not request.shots <= len(bits) < request.shots + RANDOMIZATIONS:
                raise FailedJob(
                    f"job {job_id} on {self.name} gave {len(bits)} shots, where {request.shots} were asked for"
                )
        return [_outcomes(bits[: request.shots]) for bits in found]

    def cancel(self, job_id: str) -> None:
        """See `Elsewhere.cancel`."""
        from qiskit_ibm_runtime.exceptions import RuntimeInvalidStateError

        def asked(service: Any) -> None:
            try:
                service.job(job_id).cancel()
            except RuntimeInvalidStateError:
                return  # it has ended

        self._connection.ask(asked)

    def find(self, tag: str) -> tuple[str, ...]:
        """See `Elsewhere.find`."""
        return self._connection.ask(lambda service: tuple(str(j.job_id()) for j in service.jobs(None, job_tags=[tag])))

    def charge(self, request: JobRequest) -> Charge:
        """Two seconds a job, and for each execution the circuit's own time and the pause before the next; see `Charge`.

        The money is what the time costs by the price table, and nothing in a free plan.
        """
        runs = self._runs(request.shots)
        delay_s = getattr(self.target, "default_rep_delay", None) or REP_DELAY_S
        qpu_s = SUB_JOB_S + sum(runs * (delay_s + duration_s(one, self.target.target)) for one in request.circuits)
        if self._max_execution_time_s is not None:
            qpu_s = min(qpu_s, float(self._max_execution_time_s))
        price = price_of(self.name)
        usd_per_s = 0.0 if self._is_free else None if price is None else price.usd_per_qpu_s
        shots = runs * len(request.circuits)
        return Charge((usd_per_s or 0.0) * qpu_s, qpu_s, shots, priced=usd_per_s is not None)

    def calibration(self) -> Calibration | None:
        """See `Hardware.calibration`; asks the vendor for the newest."""
        device: Any = self.target
        properties = self._connection.ask(lambda service: device.properties(refresh=True))
        return None if properties is None else from_properties(self.name, properties)

    def close(self) -> None:
        """Close the batch or session of this process, if one is open; see `Elsewhere.close`."""
        if self._closing is not None:
            self._closing()
        self._opened = self._closing = None

    def _runs(self, shots: int) -> int:
        """How often each circuit is run for so many shots."""
        if self._twirling is None:
            return shots
        versions = min(RANDOMIZATIONS, shots)
        return versions * math.ceil(shots / versions)

    def _options(self, tag: str) -> dict[str, Any]:
        return {
            "environment": {"job_tags": [tag]},
            "max_execution_time": self._max_execution_time_s,
            "dynamical_decoupling": {"enable": True, "sequence_type": self._decoupling} if self._decoupling else {},
            "twirling": {
                "enable_gates": self._twirling in ("gates", "both"),
                "enable_measure": self._twirling in ("measurements", "both"),
                "num_randomizations": RANDOMIZATIONS,
            },
        }

    def _opening(self) -> Any:
        """What jobs are sent in: nothing, or the batch or session of this process."""
        from qiskit_ibm_runtime import Batch, Session

        if self._mode == "job":
            return self.target
        if self._opened is None:
            self._opened = (Batch if self._mode == "batch" else Session)(backend=self.target)
            self._closing = weakref.finalize(self, _closed, self._connection, self._opened)
        return self._opened


def duration_s(circuit: QuantumCircuit, target: Any) -> float:
    """How long a circuit takes, by the durations of its gates along its longest path; of blocks, the longest counts.

    Args:
        circuit: In the device's gates and on its qubits.
        target: Of Qiskit; a gate whose duration it does not know takes none.
    """
    busy = dict.fromkeys((*circuit.qubits, *circuit.clbits), 0.0)
    for instruction in circuit.data:
        operation, on = instruction.operation, (*instruction.qubits, *instruction.clbits)
        if hasattr(operation, "blocks"):
            takes = max((duration_s(block, target) for block in operation.blocks), default=0.0)
        elif operation.name == "delay":
            takes = operation.duration * (target.dt or 0.0) if operation.unit == "dt" else _seconds(operation)
        else:
            places = tuple(circuit.find_bit(qubit).index for qubit in instruction.qubits)
            known = target[operation.name].get(places) if operation.name in target else None
            takes = (known.duration or 0.0) if known is not None else 0.0
        end = max((busy[bit] for bit in on), default=0.0) + takes
        busy.update(dict.fromkeys(on, end))
    return max(busy.values(), default=0.0)


def _times(job: Any) -> VendorTimes:
    """Those of a job that has ended; none where the service does not give them, since no run may fail for them."""
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    try:
        told = job.metrics().get("timestamps") or {}
    except IBMRuntimeError:
        return VendorTimes()
    return VendorTimes(*(moment_of(told.get(key)) for key in ("created", "running", "finished")))


def _seconds(delay: Any) -> float:
    from qiskit.utils import apply_prefix

    return float(apply_prefix(float(delay.duration), delay.unit))


def _counted(data: Any, circuit: QuantumCircuit) -> np.ndarray:
    """Single shots, shape (shots, bits); column k is the circuit's classical bit k."""
    parts = {}
    for register in circuit.cregs:
        array = data[register.name]
        parts[register.name] = np.unpackbits(array.array, axis=-1, count=None)[:, ::-1][:, : len(register)]
    shots = len(next(iter(parts.values())))
    bits = np.zeros((shots, circuit.num_clbits), dtype=np.uint8)
    for register in circuit.cregs:
        for k, bit in enumerate(register):
            bits[:, circuit.find_bit(bit).index] = parts[register.name][:, k]
    return bits


def _outcomes(bits: np.ndarray) -> Outcomes:
    strings, counts = np.unique(bits, axis=0, return_counts=True)
    return Outcomes(strings, counts)


def _closed(connection: Connection, opened: Any) -> None:
    """Close a batch or session: it is paid until then."""
    try:
        connection.ask(lambda service: opened.close())
    except ToolkitError as err:
        kind = type(opened).__name__.lower()
        warnings.warn(f"the {kind} {opened.session_id} could not be closed, and ends by itself: {err}", stacklevel=1)
