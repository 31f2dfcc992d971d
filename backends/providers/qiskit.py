"""Any Qiskit BackendV2: a device, a simulator, or a fake of a device."""

from collections.abc import Sequence
from typing import Annotated, Any

from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2, JobStatus

from backends.border import border
from backends.forecast.work import charge
from backends.measurement.counted import counted, outcomes_of
from backends.measurement.outcomes import Outcomes
from backends.providers.answers import NOT_FOUND, answer_of, asking, submitting
from backends.providers.device import Device, with_device_options
from backends.providers.hardware import Charge, Elsewhere, Hardware, Here, JobRequest, JobState, Status
from backends.simulators.aer import simulator_like
from backends.simulators.noise import Noise, is_fake, own_noise
from circuits.errors import LostJob, Refused

HERE = ("qiskit_aer.", "braket.devices.local_simulator", "braket.emulation")
"""Modules of simulators that run in this process; those of Qiskit and its fakes are known by a part of the name."""

STATUS: dict[JobStatus, Status] = {
    JobStatus.INITIALIZING: "queued",
    JobStatus.QUEUED: "queued",
    JobStatus.VALIDATING: "queued",
    JobStatus.RUNNING: "running",
    JobStatus.CANCELLED: "cancelled",
    JobStatus.DONE: "done",
    JobStatus.ERROR: "failed",
}


class QiskitDevice(Device):
    """Expectation values from counts on a Qiskit BackendV2, whatever noise it has.

    Args:
        device: The BackendV2.
        name: As it shall appear in tables and records; the device's own name if None.
        options: Those of `Device`.
    """

    @with_device_options
    def __init__(
        self,
        device: BackendV2,
        *,
        name: Annotated[str | None, "how it shall appear in tables and records"] = None,
        **options: Any,
    ):
        if isinstance(device, list | tuple):
            raise Refused(
                f"one backend is expected, and {len(device)} were given in a list: give one; failover=[...] names "
                "those to go on at, and hybrid.compare lays runs on several side by side"
            )
        if not isinstance(device, BackendV2):
            raise Refused(
                f"{type(device).__module__}.{type(device).__name__} is not a backend: give a name such as "
                "'statevector', a Qiskit BackendV2 or a PennyLane device"
            )
        if not _counts(device):
            raise Refused(
                f"{device.name} simulates whole unitaries and measures nothing: give a backend that counts shots, such "
                "as qiskit_aer's AerSimulator()"
            )
        super().__init__(hardware(device, name=name), **options)


def hardware(device: BackendV2, *, name: str | None = None) -> Hardware:
    """A BackendV2 as hardware, in this process or elsewhere.

    Args:
        device: That measures.
        name: As it shall appear in tables and records; the device's own name if None.
    """
    return QiskitHere(device, name) if is_local(device) else QiskitElsewhere(device, name)


class _Qiskit(Hardware):
    """What a BackendV2 says of itself."""

    def __init__(self, device: BackendV2, name: str | None):
        self.target: BackendV2 = device
        self.name = name or str(device.name)
        self.summary = getattr(device, "description", None) or f"Qiskit backend {device.name}"
        self.n_qubits = device.num_qubits
        self.noisy = not _is_ideal(device)


class QiskitHere(_Qiskit, Here):
    """A BackendV2 that computes in this process."""

    def __init__(self, device: BackendV2, name: str | None = None):
        super().__init__(device, name)
        self._read: tuple[Any, Noise | None] = (self, None)  # reading a large model takes seconds

    def run(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """See `Here.run`; with noise of Aer's, only the qubits in use are simulated."""
        at_once: Any = self.target.max_circuits
        device, noise = self.target, self._noise()
        if noise is not None and noise.crops:
            model, circuits = noise.applied(circuits)
            device = simulator_like(device, model)
        return counted(device, circuits, shots=shots, seed=seed, name=self.name, at_once=at_once)

    def together(self) -> tuple[tuple[int, ...], ...]:
        """Of the noise model that the simulator has, if it has one."""
        noise = self._noise()
        return () if noise is None else noise.readout.together

    def _noise(self) -> Noise | None:
        """The noise that the simulator has now: it may be given another model at any time."""
        model = getattr(self.target.options, "noise_model", None)
        if model is not self._read[0]:
            noise = own_noise(self.target) if _has_aer_inside(self.target) else None
            self._read = (getattr(self.target.options, "noise_model", None), noise)
        return self._read[1]


class QiskitElsewhere(_Qiskit, Elsewhere):
    """A BackendV2 whose jobs run elsewhere.

    Its jobs are found again by their ids if it has ``retrieve_job``, and by their tags if it takes ``job_tags`` and has
    ``jobs(tags=...)``; otherwise only by the process that sent them.
    """

    def __init__(self, device: BackendV2, name: str | None = None):
        super().__init__(device, name)
        self.most_circuits = device.max_circuits
        self.most_shots = getattr(device, "max_shots", None)
        self._jobs: dict[str, Any] = {}

    def submit(self, request: JobRequest, tag: str) -> str:
        """See `Elsewhere.submit`."""
        run: Any = self.target
        tags = {"job_tags": [tag]} if hasattr(self.target.options, "job_tags") else {}
        with submitting(self.name):
            job = run.run(list(request.circuits), shots=request.shots, **tags)
            job_id = str(job.job_id())
        self._jobs[job_id] = job
        return job_id

    def state(self, job_id: str) -> JobState:
        """See `Elsewhere.state`."""
        with border(self.name), asking(self.name):
            job = self._job(job_id)
            status = STATUS[job.status()]
            told = getattr(job, "error_message", None) if status == "failed" else None
            return JobState(status, str(told() or "") if callable(told) else "")

    def outcomes(self, job_id: str, request: JobRequest) -> list[Outcomes]:
        """See `Elsewhere.outcomes`."""
        with border(self.name), asking(self.name):
            result = self._job(job_id).result()
        return outcomes_of(result, request.circuits, request.shots, self.name)

    def cancel(self, job_id: str) -> None:
        """See `Elsewhere.cancel`."""
        with border(self.name), asking(self.name):
            self._job(job_id).cancel()

    def find(self, tag: str) -> tuple[str, ...] | None:
        """See `Elsewhere.find`."""
        device: Any = self.target
        if not (hasattr(device, "jobs") and hasattr(device.options, "job_tags")):
            return None
        with border(self.name), asking(self.name):
            return tuple(str(job.job_id()) for job in device.jobs(tags=[tag]))

    def charge(self, request: JobRequest) -> Charge:
        """By the price table, if it has the device; see `Elsewhere.charge`."""
        return charge(self.name, request, self.target.target) or super().charge(request)

    def pending(self) -> int | None:
        """See `Elsewhere.pending`."""
        ask = getattr(self.target, "status", None)
        if ask is None:
            return None
        with border(self.name):
            return getattr(ask(), "pending_jobs", None)

    def _job(self, job_id: str) -> Any:
        if job_id in self._jobs:
            return self._jobs[job_id]
        device: Any = self.target
        if not hasattr(device, "retrieve_job"):
            raise LostJob(
                f"job {job_id} was sent to {self.name} by another process, and it cannot be asked for it (it has no "
                f"retrieve_job); {self.where_to_look}"
            )
        try:
            self._jobs[job_id] = device.retrieve_job(job_id)
        except (LookupError, QiskitError) as err:
            answer = answer_of(err)
            if answer is not None and answer.status != NOT_FOUND:
                raise
            raise LostJob(f"{self.name} has no job {job_id}: {err}; {self.where_to_look}") from err
        return self._jobs[job_id]


def is_local(device: BackendV2) -> bool:
    """Whether the device is a simulator or a fake inside this process.

    Args:
        device: Of any vendor; what is not known to run here is taken to be elsewhere.
    """
    modules = _modules(device)
    if any("qiskit_braket_provider" in name for name in modules):  # its local backend runs what it wraps
        modules = _modules(getattr(device, "_device", None))
    return any(name.startswith(HERE) or "fake_provider" in name or "basic_provider" in name for name in modules)


def _has_aer_inside(device: Any) -> bool:
    """Whether a device is one of Aer's, or a fake that runs Aer, and nobody has given it another way to run."""
    known = ("qiskit_aer.", "qiskit.", "qiskit_ibm_runtime.")
    return type(device).run.__module__.startswith(known) and (
        is_fake(device) or any(name.startswith("qiskit_aer.") for name in _modules(device))
    )


def _is_ideal(device: Any) -> bool:
    modules = _modules(device)
    if any("basic_provider" in name for name in modules):
        return True
    is_aer = any(name.startswith("qiskit_aer.") for name in modules)
    return is_aer and getattr(device.options, "noise_model", None) is None


def _counts(device: Any) -> bool:
    """Whether it can measure: Aer's simulators of whole unitaries say that they can, but cannot."""
    is_aer = any(name.startswith("qiskit_aer.") for name in _modules(device))
    whole = is_aer and getattr(device.options, "method", None) in ("unitary", "superop")
    return not whole and not (is_aer and type(device).__name__ == "UnitarySimulator")


def _modules(thing: Any) -> set[str]:
    return {kind.__module__ for kind in type(thing).__mro__}
