# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Quantum resources that a scheduler has granted to this job, by QRMI; runs in QRMI's environment (see serve.py).

Slurm's plugin sets ``QRMI_JOB_QPU_RESOURCES``, ``QRMI_JOB_QPU_TYPES`` and, for each resource, ``<name>_QRMI_*``, which
hold addresses and credentials; `qrmi` reads them from the environment, and nothing else does.
"""

import json
from collections import Counter

PACKAGES = ("qrmi", "qiskit-ibm-runtime")

IBM = ("ibm-quantum-system", "ibm-quantum-compute-service", "qiskit-runtime-service")
"""Types of resources that take the programs of Qiskit's primitives."""

REFUSED = (
    *("AuthenticationFailedError", "ConfigError", "EnvVarNotSetError", "InvalidInputError", "ResourceNotFoundError"),
    *("UnsupportedFunctionError", "UnsupportedPayloadError", "UnsupportedResourceTypeError"),
)
STATUS = {"Queued": "queued", "Running": "running", "Completed": "done", "Failed": "failed", "Cancelled": "cancelled"}

LAST_LETTERS = 500
"""Of a failed job's log."""


def devices():
    """Names of the resources; none outside of a job."""
    return sorted(_granted())


def device(name):
    """A resource by its name."""
    granted = _granted()
    if name not in granted:
        said = f"this job has {', '.join(sorted(granted))}" if granted else "this job has none"
        raise LookupError(
            f"no quantum resource '{name}' was granted: {said}; ask for it by qpu = [...] in the site file"
        )
    if granted[name] not in IBM:
        raise LookupError(f"'{name}' is of type {granted[name]}; only these are reachable: {', '.join(IBM)}")
    from qrmi import QRMIService

    resource = QRMIService().resource(name)
    if resource is None:
        raise ConnectionError(f"'{name}' was granted, but cannot be reached now")
    return Resource(name, resource)


def kind(error, doing):
    """What an error means; QRMI's are known by their names."""
    names = {one.__name__ for one in type(error).__mro__}
    if "TaskNotFoundError" in names:
        return "lost"
    if names.intersection(REFUSED):
        return "refused"
    if "QrmiError" in names:
        return "lost" if doing == "submit" else "unreachable"
    return None


def _granted():
    """Name to type."""
    from qrmi import get_job_qpu_resources_and_types

    try:
        return {name.strip(): kind.strip() for name, kind in zip(*get_job_qpu_resources_and_types())}  # noqa: B905
    except RuntimeError:  # outside of a job
        return {}


class Resource:
    """A device behind QRMI that runs samplers."""

    local, noisy, most_circuits, most_shots = False, True, None, None

    def __init__(self, name, resource):
        from qrmi.primitives.ibm import get_backend

        self.resource = resource
        self.target = get_backend(resource).target
        self.summary = f"quantum resource {name}, granted by the scheduler"

    def submit(self, circuits, shots, tag):
        """Once."""
        from qiskit import qasm3
        from qrmi import Payload

        del tag  # QRMI keeps none
        programs = [
            (qasm3.dumps(one, disable_constants=True, allow_aliasing=True), None, shots) for one in map(named, circuits)
        ]
        asked = {"pubs": programs, "shots": shots, "options": {}, "version": 2, "support_qiskit": True}
        return self.resource.task_start(Payload.QiskitPrimitive(input=json.dumps(asked), program_id="sampler"))

    def state(self, job):
        """One question; of a failed job also its log. QRMI tells no times."""
        status = STATUS[str(self.resource.task_status(job)).rpartition(".")[2]]
        reason = str(self.resource.task_logs(job))[-LAST_LETTERS:] if status == "failed" else ""
        return status, reason, None, (None, None, None)

    def counts(self, job, n_circuits):
        """Of a job that is done."""
        try:
            from qiskit_ibm_runtime.decoders.result_decoder import ResultDecoder
        except ModuleNotFoundError:
            from qiskit_ibm_runtime.utils.result_decoder import ResultDecoder

        results = ResultDecoder.decode(self.resource.task_result(job).value)
        if isinstance(results, dict):  # as IBM's interface gives it to those who are not Qiskit
            found = [tallied(**one["data"][REGISTER]) for one in results["results"]]
        else:
            found = [dict(one.data[REGISTER].get_counts()) for one in results]
        if len(found) != n_circuits:
            raise RuntimeError(f"the job has {len(found)} results where {n_circuits} circuits were sent")
        return found

    def cancel(self, job):
        """One question."""
        self.resource.task_stop(job)

    def find(self, tag):
        """QRMI cannot be searched."""
        del tag


REGISTER = "c"


def tallied(samples, num_bits):
    """Counts of single shots, which are numbers in hexadecimal."""
    return {f"{int(one, 16):0{num_bits}b}": count for one, count in Counter(samples).items()}


def named(circuit):
    """The circuit with all its bits in one register of a known name, by which the results are found."""
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    plain = QuantumCircuit(QuantumRegister(circuit.num_qubits, "q"), ClassicalRegister(circuit.num_clbits, REGISTER))
    for one in circuit.data:
        qubits = [circuit.find_bit(bit).index for bit in one.qubits]
        plain.append(one.operation, qubits, [circuit.find_bit(bit).index for bit in one.clbits])
    return plain
