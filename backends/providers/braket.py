"""Amazon Braket: its simulators in this process, and the devices that its service sells time on."""

import os
import warnings
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le
from qiskit.transpiler import Target

from backends.measurement.outcomes import Outcomes
from backends.measurement.sampled import sampling
from backends.providers.aws import CREDENTIALS, aws
from backends.providers.braket_circuits import converted, gates
from backends.providers.braket_local import RATES, BraketHere, checked, noise_model
from backends.providers.family import of_hardware
from backends.providers.hardware import Charge, Elsewhere, Hardware, JobRequest, JobState, Status
from backends.providers.times import VendorTimes, moment_of
from circuits.errors import FailedJob, NotInstalled, Refused, ToolkitError, suggestion, unknown

LOCAL = ("local", "local-noise")
"""Simulators in this process."""

TAG = "hybrid-job"
"""Name of the tag that each task carries."""

TASK_USD = 0.3
"""Price of each task on a QPU, besides that of its shots: the same for all of them in Amazon's price list."""

STATES: dict[str, Status] = {
    "CREATED": "queued",
    "QUEUED": "queued",
    "RUNNING": "running",
    "CANCELLING": "running",
    "COMPLETED": "done",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}

Rate = Annotated[float, Ge(0), Le(1)]


def device(
    name: str,
    *,
    one_qubit_error: Annotated[Rate | None, "a probability from 0 to 1, for local-noise"] = None,
    two_qubit_error: Annotated[Rate | None, "a probability from 0 to 1, for local-noise"] = None,
    readout_error: Annotated[Rate | None, "a probability from 0 to 1, for local-noise"] = None,
    noise: Annotated[Any, "a NoiseModel of braket.circuits.noise_model, for local-noise"] = None,
    results: Annotated[str | None, "where in S3 a device's results go, as s3://BUCKET/FOLDER"] = None,
) -> Hardware:
    """A simulator or a device of Amazon Braket.

    Args:
        name: ``local``, without noise; ``local-noise``, a density matrix with noise; or a device of the service by its
            name, such as ``Garnet`` or ``SV1``, or by its ARN.
        one_qubit_error: Probability p of depolarizing noise after each one-qubit gate: with p the qubit gets X, Y or Z,
            each as likely. 0.001 if None.
        two_qubit_error: The same after each two-qubit gate, for the 15 products of Paulis. 0.01 if None.
        readout_error: Probability that a measured bit is told wrong. 0.02 if None.
        noise: A whole noise model instead of these rates.
        results: As ``s3://BUCKET/FOLDER``; the bucket that Braket makes for the account if None.

    Raises:
        Refused: for an unknown device, an option that it does not have, missing credentials, or without the extra
            ``braket``.
    """
    rates = {"one_qubit_error": one_qubit_error, "two_qubit_error": two_qubit_error, "readout_error": readout_error}
    chosen = {key: rate for key, rate in rates.items() if rate is not None}
    foreign = [*chosen, *(["noise"] if noise is not None else [])] if name != "local-noise" else []
    foreign += ["results"] if results is not None and name in LOCAL else []
    if foreign:
        raise Refused(f"'braket:{name}' has no option '{foreign[0]}'")
    if chosen and noise is not None:
        raise Refused(f"'noise' is a whole noise model: leave '{next(iter(chosen))}' out, or put it into the model")
    if name not in LOCAL and (name.startswith("local") or suggestion(name, LOCAL)):  # no device is called so
        raise unknown("simulator of Amazon Braket", name, LOCAL)
    _import(name)
    if name == "local":
        return BraketHere(name, None)
    if name == "local-noise":
        model = noise_model(**(RATES | chosen)) if noise is None else checked(noise)
        return BraketHere(name, model)
    return BraketElsewhere(_found(name), results)


class BraketElsewhere(Elsewhere):
    """A device of the Braket service; each circuit is one quantum task.

    Tasks carry the job's tag, by which they are found again, and a client token made from it: sending a job again with
    the same tag gives the task that is there already. On a QPU the gates stand in a verbatim box on the qubits that
    were chosen here, so that nothing is compiled again.

    Args:
        device: An ``AwsDevice``.
        results: As for `device`.
    """

    most_circuits = 1
    idempotent = True
    where_to_look = "look at the quantum tasks in the Amazon Braket console"

    def __init__(self, device: Any, results: str | None = None):
        from braket.aws import AwsDeviceType
        from qiskit_braket_provider.providers.target import aws_device_to_target

        self.name = f"braket:{device.name}"
        self.summary = f"{device.provider_name} {device.name} at Amazon Braket"
        self.noisy = device.type == AwsDeviceType.QPU
        self._device = device
        self._session: Any = device.aws_session
        self._results = results
        self._labels: list[int] | None = None
        service = device.properties.service
        self.most_shots = int(service.shotsRange[1])
        self._price: Any = service.deviceCost
        if self.noisy:
            _check_verbatim(self.name, device)
            self._labels = sorted(device.topology_graph.nodes)
            self.target = aws_device_to_target(device)
            self.n_qubits = self.target.num_qubits
        else:
            self.target = gates(aws_device_to_target(device).operation_names)
            self.n_qubits = int(device.properties.paradigm.qubitCount)

    def submit(self, request: JobRequest, tag: str) -> str:
        """See `Elsewhere.submit`."""
        from braket.aws import AwsQuantumTask

        (circuit,) = request.circuits
        program = converted(sampling(circuit, (), shots=request.shots), self.name, self._target(), self._labels)
        with aws(self.name):
            place = self._place()
        with aws(self.name, sending=True):
            task = AwsQuantumTask.create(
                _Tokened(self._session, tag),  # pyright: ignore[reportArgumentType]
                self._device.arn,
                program,
                place,
                request.shots,
                disable_qubit_rewiring=self.noisy,
                tags={TAG: tag},
            )
        return task.id

    def state(self, job_id: str) -> JobState:
        """See `Elsewhere.state`; the service tells when a task was made and when it ended, not when it began."""
        with aws(self.name):
            told = self._session.get_quantum_task(job_id)
            status = told["status"]
        if status not in STATES:
            raise FailedJob(f"{self.name} says that task {job_id} is {status}, which nobody here knows")
        position = str((told.get("queueInfo") or {}).get("position", "")).removeprefix(">")
        ahead = int(position) if position.isdigit() else None
        times = VendorTimes(created_at=moment_of(told.get("createdAt")), ended_at=moment_of(told.get("endedAt")))
        return JobState(STATES[status], told.get("failureReason", ""), ahead, times=times)

    def outcomes(self, job_id: str, request: JobRequest) -> list[Outcomes]:
        """See `Elsewhere.outcomes`."""
        from braket.aws import AwsQuantumTask

        with aws(self.name):
            result: Any = AwsQuantumTask(job_id, self._session, poll_timeout_seconds=0, quiet=True).result()
        (circuit,) = request.circuits
        asked = sampling(circuit, (), shots=request.shots)
        labels = [self._labels[q] if self._labels else q for q in asked.qubits]
        measured: list[int] = list(getattr(result, "measured_qubits", None) or ())
        shots = getattr(result, "measurements", None)
        if shots is None or len(shots) != request.shots or not set(labels) <= set(measured):
            raise FailedJob(
                f"{self.name} gave {0 if shots is None else len(shots)} shots of qubits {measured}, where "
                f"{request.shots} of qubits {labels} were asked for"
            )
        columns = np.asarray(shots)[:, [measured.index(label) for label in labels]]
        bits, counts = np.unique(columns, axis=0, return_counts=True)
        return [asked.classical(Outcomes(bits.astype(np.uint8), counts))]

    def cancel(self, job_id: str) -> None:
        """See `Elsewhere.cancel`."""
        if self.state(job_id).status in ("queued", "running"):
            with aws(self.name):
                self._session.cancel_quantum_task(job_id)

    def find(self, tag: str) -> tuple[str, ...] | None:
        """See `Elsewhere.find`; all tasks of the account on this device are gone through, since AWS filters no tags."""
        device = {"name": "deviceArn", "operator": "EQUAL", "values": [self._device.arn]}
        with aws(self.name):
            pages = self._session.braket_client.get_paginator("search_quantum_tasks").paginate(filters=[device])
            tasks = [task for page in pages for task in page["quantumTasks"]]
            return tuple(task["quantumTaskArn"] for task in tasks if (task.get("tags") or {}).get(TAG) == tag)

    def charge(self, request: JobRequest) -> Charge:
        """By the price that the device itself names; simulators are charged by time, here for one minute a circuit."""
        count = len(request.circuits)
        shots = count * request.shots
        price = float(self._price.price) if self._price is not None else 0.0
        by_shot = self._price is not None and str(self._price.unit).lower() == "shot"
        usd = price * shots if by_shot else price * count
        return Charge(usd=usd + (TASK_USD * count if self.noisy else 0.0), shots=shots)

    def left_usd(self) -> float | None:
        """What the account's own spending limits leave for this device, US dollars; None where it has set none."""
        device = {"name": "deviceArn", "operator": "EQUAL", "values": [self._device.arn]}
        with aws(self.name):
            pages = self._session.braket_client.get_paginator("search_spending_limits").paginate(filters=[device])
            limits = [limit for page in pages for limit in page["spendingLimits"]]
            spent = [float(one["queuedSpend"]) + float(one["totalSpend"]) for one in limits]
            left = [float(one["spendingLimit"]) - usd for one, usd in zip(limits, spent, strict=True)]
        return min(left, default=None)

    def _target(self) -> Target | None:
        return self.target if self.noisy and isinstance(self.target, Target) else None

    def _place(self) -> Any:
        uri = self._results or os.environ.get("AMZN_BRAKET_TASK_RESULTS_S3_URI")
        if uri is None:
            return self._session.default_bucket(), "tasks"
        try:
            return self._session.parse_s3_uri(uri)
        except ValueError as err:
            raise Refused(f"results must be s3://BUCKET/FOLDER; it is {uri!r}") from err


class _Tokened:
    """Braket's session, whose next task gets a client token: the service makes one task of all requests that have it.

    The SDK passes none; its AWS client would make a new one for each call.
    """

    def __init__(self, session: Any, token: str):
        self._session = session
        self._token = token

    def create_quantum_task(self, **request: Any) -> str:
        return self._session.create_quantum_task(clientToken=self._token, **request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def _import(name: str) -> None:
    try:
        import braket.aws  # noqa: F401
        import qiskit_braket_provider  # noqa: F401
    except ImportError as err:
        raise NotInstalled(f"'braket:{name}' needs Amazon's SDK: pip install 'hybrid-codesign[braket]'") from err


def _found(name: str) -> Any:
    """The device of a name or an ARN, as Braket's ``AwsDevice``."""
    from braket.aws import AwsDevice, AwsSession

    what = f"braket:{name}"
    try:
        with aws(what), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")  # a region that could not be searched is a warning to the SDK
            session = AwsSession()
            if session.boto_session.get_credentials() is None:
                raise Refused(f"{what} cannot be asked without credentials; {CREDENTIALS}")
            if name.startswith("arn:"):
                return AwsDevice(name, session)
            found = AwsDevice.get_devices(names=[name], aws_session=session)
            known = [] if found else [device.name for device in AwsDevice.get_devices(aws_session=session)]
    except ToolkitError:
        raise
    except ValueError as err:
        raise Refused(f"{what} is no device of this account: {err}") from err
    if not found and told:
        raise Refused(f"{what} was not found, and not every region could be searched: {told[0].message}; {CREDENTIALS}")
    if not found:
        raise unknown("device of Amazon Braket", name, [*LOCAL, *known])
    return found[0]


def _check_verbatim(name: str, device: Any) -> None:
    from braket.device_schema import DeviceActionType

    action = device.properties.action.get(DeviceActionType.OPENQASM)
    if action is None or "verbatim" not in (getattr(action, "supportedPragmas", None) or ()):
        raise Refused(
            f"{name} takes no verbatim boxes, so that its service would compile circuits again, and undo gates that "
            "were written on purpose; use a device that takes them"
        )


BRAKET = of_hardware(
    device, "Amazon Braket: simulators here, with or without noise, and devices", example="local-noise"
)
