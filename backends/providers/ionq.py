"""IonQ's cloud: its simulators, with the noise of its machines or without, and the machines.

Spoken to over plain HTTP: Qiskit's client for IonQ asks for ever where nobody answers, and sends a job again whose
reply is late, by which there would be two.
"""

import hashlib
import json
import os
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Annotated, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Measure
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import Target

from backends.measurement.outcomes import Outcomes
from backends.measurement.sampled import Sampling, sampling
from backends.providers.answers import BUSY, busy, retry_after
from backends.providers.family import of_hardware
from backends.providers.hardware import Charge, Elsewhere, JobRequest, JobState, Status
from backends.providers.times import VendorTimes, moment_of
from circuits.errors import FailedJob, LostJob, ProviderUnreachable, Refused, printable, suggestion, unknown
from circuits.secrets import redacted

URL = "https://api.ionq.co/v0.4"

TIMEOUT_S = 30.0
"""For so long one request may be silent."""

MOST_QUBITS = 29
"""Of IonQ's simulator."""

UNCONNECTED = (ConnectionRefusedError, socket.gaierror, ssl.SSLError)
"""By which it is sure that a request has not reached the service."""

TAG = "hybrid-job"
"""Name under which each job's metadata hold its tag."""

GATES = {
    "x": "x", "y": "y", "z": "z", "h": "h", "s": "s", "sdg": "si", "t": "t", "tdg": "ti", "sx": "v", "sxdg": "vi",
    "rx": "rx", "ry": "ry", "rz": "rz", "cx": "cnot", "swap": "swap", "rxx": "xx", "ryy": "yy", "rzz": "zz",
}  # fmt: skip
"""Qiskit's names to those of IonQ."""

STATES: dict[str, Status] = {
    "submitted": "queued",
    "ready": "queued",
    "started": "running",
    "completed": "done",
    "failed": "failed",
    "canceled": "cancelled",
}


def device(
    name: str,
    *,
    noise_model: Annotated[str | None, 'a machine that the simulator imitates, such as "aria-1"'] = None,
    url: Annotated[str | None, "the root of the service, https://..., where it is not IonQ's own"] = None,
    key_variable: Annotated[str, "the environment variable that holds the key"] = "IONQ_API_KEY",
) -> "IonQ":
    """A simulator or a machine of IonQ's.

    Args:
        name: ``simulator``, or a machine such as ``forte-1`` (``qpu.forte-1`` is the same).
        noise_model: A machine whose noise the simulator imitates; None for none.
        url: Root of the service; that in the environment's IONQ_API_URL, or IonQ's own, if None.
        key_variable: Name of the environment variable that holds the API key. The key itself is kept nowhere.

    Raises:
        Refused: without a key, for an unknown machine, or an option that it does not have.
        ProviderUnreachable: if nobody answers who knows how many qubits a machine has.
    """
    if name != "simulator" and suggestion(name, ["simulator"]):  # no machine is called so, and none need be asked
        raise unknown("device of IonQ", name, ["simulator"])
    if noise_model is not None and name != "simulator":
        raise Refused(f"'ionq:{name}' has no option 'noise_model': only 'ionq:simulator' imitates machines")
    api = Api(_checked(url or os.environ.get("IONQ_API_URL") or URL), key_variable, f"ionq:{name}")
    api.key()
    return IonQ(name, api, noise_model)


class IonQ(Elsewhere):
    """A simulator or a machine at IonQ's service. Each job is one circuit.

    The service answers with the share of each bit string. A machine, or a simulator with noise, has counted shots:
    their numbers are what is given here. The simulator without noise has computed probabilities: shots are drawn from
    them here, by a seed made from the job's id, so that the statistical error is that of the shots that were asked for,
    and the same job gives the same counts whenever it is asked.

    There is no idempotency key: a job whose reply was lost is looked for in the list of all jobs by its tag.

    Args:
        name: As for `device`.
        api: The service.
        noise_model: As for `device`.
    """

    most_circuits = 1
    most_shots = 1_000_000
    where_to_look = "look at the list of jobs on cloud.ionq.com"
    verbatim = False  # its gates are compiled by the service

    def __init__(self, name: str, api: "Api", noise_model: str | None):
        self.name = f"ionq:{name}"
        self.target = gates()
        self._api = api
        self._noise_model = noise_model or "ideal"
        self._is_simulator = name == "simulator"
        self._backend = name if self._is_simulator else f"qpu.{name.removeprefix('qpu.')}"
        self.noisy = self._noise_model != "ideal" or not self._is_simulator
        if self._is_simulator:
            self.summary = f"IonQ's simulator, noise {self._noise_model}"
            self.n_qubits = MOST_QUBITS
        else:
            told = api.ask("GET", f"/backends/{urllib.parse.quote(self._backend)}")
            self.summary = f"IonQ's machine {self._backend}, {told.get('status', 'status unknown')}"
            self.n_qubits = int(told["qubits"])

    def submit(self, request: JobRequest, tag: str) -> str:
        """See `Elsewhere.submit`."""
        (circuit,) = request.circuits
        asked = sampling(circuit, (), shots=request.shots)
        gates = asked.at_end(self.name)
        body: dict[str, Any] = {
            "type": "ionq.circuit.v1",
            "name": tag,
            "metadata": {TAG: tag},
            "backend": self._backend,
            "shots": request.shots,
            "input": {"qubits": gates.num_qubits, "gateset": "qis", "circuit": written(gates, self.name)},
            # gates that were folded to amplify noise are to be run; corrected counts would have no known error
            "settings": {"compilation": {"opt": 0}, "error_mitigation": {"debiasing": False}},
        }
        if self._is_simulator:
            body["noise"] = {"model": self._noise_model}
        told = self._api.ask("POST", "/jobs", body)
        if not isinstance(told.get("id"), str):
            raise LostJob(f"{self.name} took a job and gave no id; {self.where_to_look}")
        return told["id"]

    def state(self, job_id: str) -> JobState:
        """See `Elsewhere.state`."""
        told = self._job(job_id)
        failure = told.get("failure") or {}
        reason = ": ".join(str(failure[key]) for key in ("code", "error") if failure.get(key))
        return JobState(STATES[told["status"]], reason, times=_times(told))

    def outcomes(self, job_id: str, request: JobRequest) -> list[Outcomes]:
        """See `Elsewhere.outcomes`."""
        (circuit,) = request.circuits
        asked = sampling(circuit, (), shots=request.shots)
        told = self._job(job_id)
        sent = told.get("shots", request.shots)
        if sent != request.shots:
            raise FailedJob(f"job {job_id} on {self.name} has {sent} shots, where {request.shots} were asked for")
        shares = self._api.ask("GET", f"/jobs/{job_id}/results/probabilities")
        return [self._counted(shares, asked, circuit.num_qubits, request.shots, job_id)]

    def cancel(self, job_id: str) -> None:
        """See `Elsewhere.cancel`."""
        if self.state(job_id).status in ("queued", "running"):
            self._api.ask("PUT", f"/jobs/{job_id}/status/cancel")

    def find(self, tag: str) -> tuple[str, ...] | None:
        """See `Elsewhere.find`; the whole list of jobs on this machine is gone through, page by page."""
        found: list[str] = []
        pages: list[str | None] = [None]
        while True:
            query = {"target": self._backend, **({"next": pages[-1]} if pages[-1] else {})}
            told = self._api.ask("GET", f"/jobs?{urllib.parse.urlencode(query)}")
            found += [job["id"] for job in told.get("jobs", ()) if (job.get("metadata") or {}).get(TAG) == tag]
            following = told.get("next")
            if not following:
                return tuple(found)
            if following in pages:
                raise FailedJob(f"{self.name} lists its jobs in a circle; {self.where_to_look}")
            pages.append(following)

    def charge(self, request: JobRequest) -> Charge:
        """What the service itself estimates for a machine; its simulators are free."""
        shots = request.shots * len(request.circuits)
        if self._is_simulator:
            return Charge(shots=shots)
        return sum((self._estimate(circuit, request.shots) for circuit in request.circuits), Charge())

    def _estimate(self, circuit: QuantumCircuit, shots: int) -> Charge:
        sizes = [len(one.qubits) for one in circuit.data if one.operation.name not in ("measure", "barrier")]
        query = {"backend": self._backend, "qubits": circuit.num_qubits, "shots": shots, "error_mitigation": "false"}
        query |= {"1q_gates": sizes.count(1), "2q_gates": sizes.count(2)}
        told = self._api.ask("GET", f"/jobs/estimate?{urllib.parse.urlencode(query)}")
        if str(told.get("cost_unit")).lower() != "usd":
            raise Refused(
                f"{self.name} counts its price in {told.get('cost_unit')!r}, which cannot be added to dollars"
            )
        return Charge(float(told["estimated_cost"]), float(told.get("estimated_execution_time") or 0.0), shots)

    def _job(self, job_id: str) -> dict[str, Any]:
        told = self._api.ask("GET", f"/jobs/{urllib.parse.quote(job_id)}")
        if told.get("status") not in STATES:
            raise FailedJob(f"{self.name} says that job {job_id} is {told.get('status')!r}, which nobody here knows")
        return told

    def _counted(self, shares: dict[str, Any], asked: Sampling, n_qubits: int, shots: int, job_id: str) -> Outcomes:
        """Counts from shares by bit string; bit q of a string's number is the circuit's qubit q."""
        try:
            strings = np.array([int(key) for key in shares], dtype=np.int64)
            p = np.array([float(value) for value in shares.values()])
        except (TypeError, ValueError) as err:
            raise FailedJob(f"job {job_id} on {self.name} gave no shares of bit strings: {err}") from err
        if not len(p) or p.min() < 0 or abs(p.sum() - 1) > 1e-3 or strings.min() < 0 or strings.max() >> n_qubits:
            raise FailedJob(f"job {job_id} on {self.name} gave shares that are none of {n_qubits} qubits")
        counts = np.rint(p * shots).astype(np.int64)
        if not self.noisy:
            seed = int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:16], "big")
            counts = np.random.default_rng(seed).multinomial(shots, p / p.sum())
        elif np.abs(p * shots - counts).max() > 0.05 or counts.sum() != shots:
            raise FailedJob(f"job {job_id} on {self.name} gave shares that are no counts of {shots} shots")
        bits = ((strings[:, None] >> np.array(asked.qubits)) & 1).astype(np.uint8)
        return asked.classical(Outcomes(bits[counts > 0], counts[counts > 0]))


class Api:
    """IonQ's service over HTTP: each call is one request, and nothing is tried again.

    Args:
        url: Its root.
        key_variable: Name of the environment variable that holds the key, which is read for each request.
        name: Of the backend, for messages.
    """

    def __init__(self, url: str, key_variable: str, name: str):
        self._url = url
        self._variable = key_variable
        self._name = name
        self._opener = urllib.request.build_opener(_NoRedirect)

    def key(self) -> str:
        """The key.

        Raises:
            Refused: if the environment has none.
        """
        key = os.environ.get(self._variable, "").strip()
        if not key:
            raise Refused(
                f"{self._name} needs a key: make one on cloud.ionq.com, and set the environment variable "
                f"{self._variable} to it"
            )
        return key

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make one request.

        Args:
            method: GET asks, PUT stops a job, POST sends one.
            path: Below the root.
            body: Sent as JSON.

        Raises:
            Refused: if the service does not take it.
            ProviderUnreachable: if nobody answered, and it may be asked again; `ProviderBusy` where it says when.
            LostJob: for a job that does not exist, or one that was sent and not answered.
        """
        key = self.key()
        headers = {"Authorization": f"apiKey {key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                told = json.loads(answer.read())
        except urllib.error.HTTPError as err:
            raise self._refusal(err, method, key) from err
        except urllib.error.URLError as err:
            if isinstance(err.reason, UNCONNECTED):
                raise ProviderUnreachable(
                    f"{self._name} cannot be reached ({err.reason}); it may be asked again"
                ) from err
            raise self._silence(err, method) from err
        except (OSError, HTTPException, ValueError) as err:  # closed, timed out, or half an answer
            raise self._silence(err, method) from err
        if not isinstance(told, dict):
            raise self._silence(ValueError("its answer is no JSON object"), method)
        return told

    def _silence(self, err: Exception, method: str) -> Exception:
        words = printable(str(err) or type(err).__name__)
        if method == "POST":
            return LostJob(f"{self._name} gave no answer while it was sent a job ({words}); {IonQ.where_to_look}")
        return ProviderUnreachable(f"{self._name} gave no answer ({words}); it may be asked again")

    def _refusal(self, err: urllib.error.HTTPError, method: str, key: str) -> Exception:
        said = redacted(f"{self._name} says {err.code}: {_message(err)}", key)
        if err.code == BUSY:
            return busy(self._name, retry_after(err.headers))
        if err.code in (401, 403):
            return Refused(f"{said}; is the key in {self._variable} right?")
        if err.code == 404 and method != "POST":
            return LostJob(said) if err.url and "/jobs" in err.url else Refused(said)
        if err.code >= 500 or err.code == 408:  # 408: it waited for more of the request
            return (
                LostJob(f"{said}; {IonQ.where_to_look}")
                if method == "POST"
                else ProviderUnreachable(f"{said}; it may be asked again")
            )
        return Refused(said)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses to go elsewhere: the key would be sent along."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> None:
        return None


def gates() -> Target:
    """IonQ's gates, on any qubits."""
    known = get_standard_gate_name_mapping()
    target = Target(num_qubits=None)
    for name in GATES:
        target.add_instruction(known[name], name=name)
    target.add_instruction(Measure())
    return target


def written(circuit: QuantumCircuit, name: str) -> Sequence[dict[str, Any]]:
    """Gates as IonQ writes them.

    Args:
        circuit: In IonQ's gates, without measurements or free parameters.
        name: Of the device, for messages.

    Raises:
        Refused: for any other gate.
    """
    gates = []
    for instruction in circuit.data:
        operation = instruction.operation
        if operation.name == "barrier":
            continue
        if operation.name not in GATES:
            raise Refused(f"{name} has no gate '{operation.name}'")
        on = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
        gate: dict[str, Any] = {"gate": GATES[operation.name]}
        gate |= {"control": on[0], "target": on[1]} if operation.name == "cx" else {"targets": on}
        gates.append(gate | ({"rotation": float(operation.params[0])} if operation.params else {}))
    return gates


def _checked(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise Refused(
            f"url must begin with https://, since the key is sent to it; it is {parts.scheme}://{parts.hostname}"
        )
    if parts.username or parts.password or parts.query:
        raise Refused("url must hold no credentials and no query: the key is read from the environment")
    return url.rstrip("/")


def _times(told: dict[str, Any]) -> VendorTimes:
    """Those of a job as the service tells it."""
    predicted_ms = told.get("predicted_wait_time_ms")
    return VendorTimes(
        *(moment_of(told.get(key)) for key in ("submitted_at", "started_at", "completed_at")),
        predicted_wait_s=predicted_ms / 1e3 if isinstance(predicted_ms, int | float) else None,
    )


def _message(err: urllib.error.HTTPError) -> str:
    """The service's words for an error, or the first line of whatever came."""
    text = err.read(4096).decode("utf-8", "replace")
    try:
        told = json.loads(text)
        return str(told.get("message") or told.get("error") or err.reason)
    except (ValueError, AttributeError):
        return (text.strip().splitlines() or [str(err.reason)])[0][:200]


IONQ = of_hardware(device, "IonQ's simulators and machines, over its cloud; needs a key")
