"""What `qrmi` offers, as far as it is used: one resource, whose tasks are files."""

import json
import os
from enum import Enum
from pathlib import Path

TaskStatus = Enum("TaskStatus", ["Queued", "Running", "Completed", "Failed", "Cancelled"])


class QrmiError(Exception):
    pass


class AuthenticationFailedError(QrmiError):
    pass


class TaskNotFoundError(QrmiError):
    pass


def get_job_qpu_resources_and_types():
    if "QRMI_JOB_QPU_RESOURCES" not in os.environ:
        raise RuntimeError("The environment variable `QRMI_JOB_QPU_RESOURCES` is not set")
    return os.environ["QRMI_JOB_QPU_RESOURCES"].split(","), os.environ["QRMI_JOB_QPU_TYPES"].split(",")


class Payload:
    class QiskitPrimitive:
        def __init__(self, input, program_id):  # noqa: A002
            assert program_id == "sampler"
            self.input = input


class QRMIService:
    def resource(self, name):
        return QuantumResource(name)


def get_backend(resource):
    from qiskit.providers.fake_provider import GenericBackendV2

    return GenericBackendV2(
        3, basis_gates=["x", "sx", "rz", "cx"], coupling_map=[[0, 1], [1, 0], [1, 2], [2, 1]], seed=1
    )


def plain(results):
    """As IBM's interface gives it by its schema."""
    rows = [
        {"data": {name: {"samples": [hex(int(one, 2)) for one in memory], "num_bits": len(memory[0])}}, "metadata": {}}
        for name, memory in results
    ]
    return json.dumps({"results": rows, "metadata": {"version": 2}})


def encoded(results):
    """As IBM's interface gives it where ``support_qiskit`` is asked for: Qiskit's own objects."""
    from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult
    from qiskit_ibm_runtime.json import RuntimeEncoder

    rows = [
        SamplerPubResult(DataBin(**{name: BitArray.from_samples(list(memory), len(memory[0]))}, shape=()))
        for name, memory in results
    ]
    return json.dumps(PrimitiveResult(rows, {"version": 2}), cls=RuntimeEncoder)


class Value:
    def __init__(self, value):
        self.value = value


class QuantumResource:
    def __init__(self, name):
        self.key = os.environ[f"{name}_QRMI_IBM_QS_IAM_APIKEY"]
        self.tasks = Path(os.environ["QRMI_STAND_IN_FOLDER"])

    def _trouble(self):
        if (self.tasks / "trouble").exists():
            raise globals()[(self.tasks / "trouble").read_text()](f"the server does not like the key {self.key}")

    def task_start(self, payload):
        from qiskit import qasm3
        from qiskit.quantum_info import Statevector

        self._trouble()
        asked, results = json.loads(payload.input), []
        for text, _, shots in asked["pubs"]:
            circuit = qasm3.loads(text)
            (register,) = circuit.cregs
            places = {
                circuit.find_bit(one.clbits[0]).index: circuit.find_bit(one.qubits[0]).index
                for one in circuit.data
                if one.operation.name == "measure"
            }
            state = Statevector(circuit.remove_final_measurements(inplace=False))
            memory = state.sample_memory(shots, [places[k] for k in sorted(places)])
            results.append((register.name, memory))
        task = f"task-{len(list(self.tasks.iterdir()))}"
        (self.tasks / task).write_text(plain(results) if os.environ.get("QRMI_STAND_IN_FORM") else encoded(results))
        return task

    def task_status(self, task):
        self._trouble()
        if not (self.tasks / task).exists():
            raise TaskNotFoundError(task)
        return TaskStatus.Failed if (self.tasks / "failed").exists() else TaskStatus.Completed

    def task_logs(self, task):
        return f"the log of the task, with key {self.key}"

    def task_result(self, task):
        return Value((self.tasks / task).read_text())

    def task_stop(self, task):
        (self.tasks / task).unlink()
