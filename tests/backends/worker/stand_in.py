"""A vendor for tests: what its libraries do wrong, and jobs that outlive the process that sent them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from qiskit.circuit import Parameter
from qiskit.circuit.library import CZGate, Measure, RGate
from qiskit.quantum_info import Statevector
from qiskit.transpiler import InstructionProperties, Target

PACKAGES = ("qiskit-aer", "no-such-package")

print("a library that prints while it is imported")
subprocess.run(["echo", "and a program that it starts"], check=True)


def devices():
    return ["here", "elsewhere"]


def device(name):
    if name == "secret":
        raise LookupError(f"the server said: 401 for token {os.environ['STAND_IN_TOKEN']}")
    if name == "dies":
        print("token", os.environ.get("STAND_IN_TOKEN"), "terrible trouble", file=sys.stderr)
        os.abort()
    if name == "hangs":
        print("waiting for godot", file=sys.stderr)
        time.sleep(1000)
    if name == "variables":
        raise LookupError(json.dumps(dict(os.environ)))
    if name == "pid":
        raise LookupError(str(os.getpid()))
    if name not in devices():
        raise LookupError("no such device; there are here, elsewhere")
    return Device(name)


def kind(error, doing):
    return "unreachable" if isinstance(error, ConnectionRefusedError) else None


class Device:
    most_circuits, most_shots, noisy = 2, 1000, False

    def __init__(self, name):
        self.local = name == "here"
        self.summary = f"a device {name}"
        self.target = Target(num_qubits=3)
        lines = {(0, 1): InstructionProperties(2e-7, 0.01), (1, 2): InstructionProperties(3e-7, 0.02)}
        self.target.add_instruction(CZGate(), lines)
        self.target.add_instruction(RGate(Parameter("a"), Parameter("b")), {(q,): None for q in range(3)})
        self.target.add_instruction(Measure(), {(q,): InstructionProperties(error=0.1 * q) for q in range(3)})

    def run(self, circuits, shots, seed):
        if shots == 999:
            raise RuntimeError("std::bad_alloc")
        print("noise on standard output")
        sys.stdout.flush()
        os.write(1, b'{"number": 1, "answer": "a library that writes what looks like an answer"}\n')
        return [measured(circuit, shots, seed) for circuit in circuits]

    def submit(self, circuits, shots, tag):
        trouble = Path(os.environ["STAND_IN_JOBS"]) / "trouble"
        if trouble.exists():
            raise {
                "refused": ConnectionRefusedError,
                "reset": ConnectionResetError,
                "wrong": LookupError,
                "fault": KeyError,
            }[trouble.read_text()]("trouble")
        job = f"job-{tag[:5]}"
        counts = [measured(circuit, shots, 1) for circuit in circuits]
        (trouble.parent / job).write_text(json.dumps({"tag": tag, "counts": counts}))
        return job

    def _job(self, job):
        return json.loads((Path(os.environ["STAND_IN_JOBS"]) / job).read_text())

    def state(self, job):
        none = (None, None, None)
        return ("done", "", None, none) if "counts" in self._job(job) else ("queued", "", 3, none)

    def counts(self, job, n_circuits):
        return self._job(job)["counts"]

    def cancel(self, job):
        (Path(os.environ["STAND_IN_JOBS"]) / job).unlink()

    def find(self, tag):
        jobs = sorted(Path(os.environ["STAND_IN_JOBS"]).glob("job-*"))
        return [job.name for job in jobs if json.loads(job.read_text())["tag"] == tag]


def measured(circuit, shots, seed):
    """By the final state, each measured bit from its qubit."""
    places = {}
    for one in circuit.data:
        if one.operation.name == "measure":
            places[circuit.find_bit(one.clbits[0]).index] = circuit.find_bit(one.qubits[0]).index
    state = Statevector(circuit.remove_final_measurements(inplace=False))
    state.seed(seed)
    return {str(k): int(v) for k, v in state.sample_counts(shots, [places[k] for k in sorted(places)]).items()}
