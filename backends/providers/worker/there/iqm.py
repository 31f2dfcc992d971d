# pyright: reportMissingImports=false
"""IQM's devices and its fakes of them; runs in IQM's environment (see serve.py)."""

import os
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules
from statistics import fmean
from uuid import UUID

PACKAGES = ("iqm-client", "qiskit-aer")
FAKE = "fake_"

REFUSED = (
    *("CircuitValidationError", "ClientAuthenticationError", "ClientConfigurationError", "AuthenticationError"),
    *("ValidationError", "ForbiddenError", "NotFoundError", "DataSizeError", "InvalidOperationError"),
)
UNREACHABLE = ("SystemUnavailableError", "BadGatewayError", "InternalSystemError", "OperationTimeoutError")
"""By these, nobody knows whether a job was taken that was being sent."""

STATUS = {"completed": "done", "failed": "failed", "cancelled": "cancelled", "processing": "running"}


def devices():
    """Names of the fakes."""
    return sorted(_fakes())


def device(name):
    """A fake, or a device of the server that the environment names."""
    if name.startswith(FAKE):
        fakes = _fakes()
        if name not in fakes:
            raise LookupError(f"there is no fake of this name; there are {', '.join(sorted(fakes))}")
        return Fake(fakes[name]())
    if not os.environ.get("IQM_SERVER_URL"):
        raise LookupError(
            f"'{name}' would be a real device: set IQM_SERVER_URL and IQM_TOKEN in the environment, or use one of "
            f"{', '.join(sorted(_fakes()))}"
        )
    return Real(name)


class NotSent(Exception):
    """A job was surely not sent; why is its cause."""


def kind(error, doing):
    """What an error means; IQM's are known by their names."""
    import requests

    if isinstance(error, NotSent):
        return kind(error.__cause__, "describe") or "failed"
    names = {one.__name__ for one in type(error).__mro__}
    if "NotFoundError" in names and doing in ("state", "counts", "cancel"):
        return "lost"
    if names.intersection(REFUSED):
        return "refused"
    if isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in str(error) or "RateLimitError" in names:
        return "unreachable"
    if isinstance(error, requests.RequestException) or names.intersection(UNREACHABLE):
        return "lost" if doing == "submit" else "unreachable"
    return None


def _fakes():
    """Name to a function that makes it."""
    from iqm.qiskit_iqm import fake_backends

    found = {}
    for module in iter_modules(fake_backends.__path__):
        own = vars(import_module(f"{fake_backends.__name__}.{module.name}"))
        for made in own:
            if module.name.startswith(FAKE) and made.startswith("IQMFake") and made != "IQMFakeBackend":
                found[module.name] = own[made]
    return found


class Fake:
    """IQM's model of a device, with the noise that it has."""

    local, noisy, most_circuits, most_shots = True, True, None, None

    def __init__(self, backend):
        self.backend = backend
        self.summary = f"IQM's model of {backend.name.removeprefix('IQMFake').removesuffix('Backend')}, with its noise"
        self.target = backend.target
        self._tell_errors()

    def _tell_errors(self):
        """Put the errors and durations of the model's profile into the target, which has none."""
        profile, update = self.backend.error_profile, self.target.update_instruction_properties
        for (qubit,) in self.target["r"]:
            update("r", (qubit,), known([("r", (qubit,))], self.backend))
        for pair in self.target["cz"]:
            update("cz", pair, known(steps(pair, self.backend), self.backend))
        for qubit, wrong in profile.readout_errors.items():
            update(
                "measure", (self.backend.qubit_name_to_index(qubit),), known([], self.backend, fmean(wrong.values()))
            )

    def run(self, circuits, shots, seed):
        """By IQM's noise model; its own ``run`` takes no seed."""
        from iqm.qiskit_iqm.iqm_circuit_validation import validate_circuit
        from qiskit_aer import AerSimulator

        ready = [routed(circuit, self.backend) for circuit in circuits]
        for circuit in ready:
            validate_circuit(circuit, self.backend)
        simulator = AerSimulator(noise_model=self.backend.noise_model)
        result = simulator.run([plain(circuit) for circuit in ready], shots=shots, seed_simulator=seed).result()
        if not result.success:
            raise RuntimeError("; ".join(str(one.status) for one in result.results) or str(result.status))
        return [dict(result.get_counts(k)) for k in range(len(ready))]


def steps(pair, backend):
    """What a CZ consists of: itself, or a move into a resonator of both qubits, a CZ with it, and a move back."""
    noise = backend.noise_model._local_quantum_errors
    if pair in noise["cz"] or pair[::-1] in noise["cz"]:
        return [("cz", pair)]
    for stays, goes in (pair, pair[::-1]):
        for place in noise["move"]:
            if place[0] == goes and (stays, place[1]) in noise["cz"]:
                return [("move", place), ("cz", (stays, place[1])), ("move", place)]
    return []


def known(gates, backend, error=None):
    """Duration and average infidelity of gates one after the other, by the model's profile."""
    from qiskit.quantum_info import average_gate_fidelity
    from qiskit.transpiler import InstructionProperties

    profile, noise = backend.error_profile, backend.noise_model._local_quantum_errors
    durations = profile.single_qubit_gate_durations | profile.two_qubit_gate_durations
    seconds, fidelity = 0.0, 1.0
    for name, qubits in gates:
        one = noise[name].get(qubits) or noise[name][qubits[::-1]]
        seconds += durations["prx" if name == "r" else name] * 1e-9
        fidelity *= average_gate_fidelity(one.to_quantumchannel())
    return InstructionProperties(seconds or None, error if not gates else 1 - fidelity)


class Real:
    """A device of an IQM server."""

    local, noisy, most_circuits, most_shots = False, True, None, None

    def __init__(self, name):
        from iqm.qiskit_iqm import IQMProvider

        self.backend = IQMProvider(quantum_computer=name).get_backend()
        self.target = self.backend.target
        self.summary = f"IQM {name}"

    def submit(self, circuits, shots, tag):
        """Once."""
        del tag  # the server keeps none
        try:  # it asks for the calibration before it sends
            ready = [routed(circuit, self.backend) for circuit in circuits]
            job = self.backend.create_circuit_job_definition(ready, shots=shots)
        except Exception as err:
            raise NotSent(str(err)) from err
        return str(self.backend.client.submit_circuit_job(job).job_id)

    def state(self, job):
        """One question."""
        tracker = self.backend.client.get_job(UUID(job))
        status = str(getattr(tracker.status, "value", tracker.status)).lower()
        reason = "; ".join(str(getattr(one, "message", one)) for one in getattr(tracker.job_data, "errors", None) or ())
        return STATUS.get(status, "queued"), reason, tracker.job_data.queue_position, moments(tracker.job_data)

    def counts(self, job, n_circuits):
        """Of a job that is done."""
        result = self.backend.retrieve_job(job).result(timeout=30)
        if not result.success or len(result.results) != n_circuits:
            raise RuntimeError(f"the job has {len(result.results)} results where {n_circuits} circuits were sent")
        return [dict(result.get_counts(k)) for k in range(n_circuits)]

    def cancel(self, job):
        """One question; a job that has ended stays as it is."""
        from exa.common.errors.iqm_error import ConflictError

        with suppress(ConflictError):
            self.backend.client.cancel_job(UUID(job))

    def find(self, tag):
        """The server cannot be searched."""
        del tag


def moments(job):
    """When the server took a job, and when the instruments began and ended with it, by its timeline."""
    found = {entry.status: entry.timestamp.isoformat() for entry in reversed(job.timeline)}  # of several, the first
    return [found.get(step) for step in ("created", "execution_started", "execution_ended")]


def routed(circuit, backend):
    """On devices whose qubits meet in a resonator, with the moves there and back that a CZ stands for."""
    if not backend.has_resonators():
        return circuit
    from iqm.qiskit_iqm.iqm_naive_move_pass import IQMNaiveResonatorMoving
    from qiskit.transpiler import PassManager

    return PassManager([IQMNaiveResonatorMoving(target=backend.get_real_target())]).run(circuit)


def plain(circuit):
    """A circuit in gates that Aer knows."""
    if "move" not in circuit.count_ops():
        return circuit
    from iqm.qiskit_iqm.iqm_transpilation import IQMReplaceGateWithUnitaryPass
    from iqm.qiskit_iqm.move_gate import MOVE_GATE_UNITARY

    return IQMReplaceGateWithUnitaryPass("move", MOVE_GATE_UNITARY)(circuit)
