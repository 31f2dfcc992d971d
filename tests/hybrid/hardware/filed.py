"""A vendor whose jobs are files in a folder, for any number of processes: a Qiskit BackendV2, and a family ``filed``.

The same circuits always give the same counts. What goes wrong is written beforehand into ``faults.json`` in the folder:
for each kind of call a list of which every call takes the first word.

submit      "busy" (HTTP 429), "refuse" (HTTP 400), "unreachable", "drop" (the connection breaks, no job), "lose" (the
            connection breaks, the job exists), "die" (this process is killed, no job), "die after" (killed, it exists)
price       as state
state       "busy", "unavailable" (HTTP 503), "reset", "die", "stop" (this process gets SIGTERM)
result      "reset", "die"
fate        of the job submitted: "fail", "cancel", "hang" (it runs for ever), "" (it is done after some questions)

As a program it is the command line of the toolkit, in which the family is known.
"""

import fcntl
import hashlib
import json
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Measure, Parameter
from qiskit.circuit.library import CXGate, RZGate, SXGate, XGate
from qiskit.providers import BackendV2, JobStatus, JobV1, Options
from qiskit.quantum_info import Statevector
from qiskit.result import Result
from qiskit.transpiler import CouplingMap, Target

import backends.registry
from backends.providers.answers import asking
from backends.providers.device import Device
from backends.providers.dispatch import Patience
from backends.providers.family import Family
from backends.providers.hardware import Charge
from backends.providers.qiskit import QiskitElsewhere
from circuits.fingerprint import fingerprint

STUDY = """
[problem]
kind = "tfim"
n = 2
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "spsa"
accuracy = 0.1
max_steps = 2
[backend]
name = "filed:{vendor}"
shots = 100
"""
"""A study of two steps on it, to be formatted with the vendor's folder."""

QUICK = Patience(first_s=0.01, most_s=0.02, silent_s=5.0, listed_s=0.05)

USD_JOB, USD_SHOT = 0.30, 0.00035
"""What a job and a shot cost."""

RETRY_AFTER = "0"
"""Seconds that a busy vendor asks for."""

QUESTIONS = 2
"""After so many a job is done."""


class Http(Exception):
    """An answer that is no success, as libraries over HTTP raise it."""

    def __init__(self, status: int, headers: dict[str, str] | None = None):
        super().__init__(f"HTTP {status}")
        self.status_code, self.headers = status, headers or {}


class Vendor:
    """The folder, and what it can be asked."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tag = ""

    @contextmanager
    def alone(self):
        with (self.folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def plan(self, **faults: list[str]) -> None:
        """What is to go wrong; calls beyond the lists go well."""
        self._write("faults.json", faults)

    def fault(self, call: str) -> str:
        with self.alone():
            plan = self._read("faults.json") if (self.folder / "faults.json").exists() else {}
            words = plan.get(call, [])
            word = words.pop(0) if words else ""
            self._write("faults.json", plan)
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "stop":
            os.kill(os.getpid(), signal.SIGTERM)
        if word == "busy":
            raise Http(429, {"Retry-After": RETRY_AFTER})
        if word == "unavailable":
            raise Http(503)
        if word == "refuse":
            raise Http(400)
        if word == "unreachable":
            raise ConnectionRefusedError("nobody listens")
        if word in ("reset", "drop"):
            raise ConnectionResetError("the connection broke")
        return word

    def submit(self, circuits: list[QuantumCircuit], shots: int, tags: list[str]) -> str:
        word = self.fault("submit")
        with self.alone():
            number = len(self.jobs())
            counts = [_counts(circuit, shots) for circuit in circuits]
            content = {"tag": self.tag, "tags": tags, "shots": shots, "counts": counts, "asked": 0}
            plan = self._read("faults.json")
            content["fate"] = plan["fate"].pop(0) if plan.get("fate") else ""
            self._write("faults.json", plan)
            self._write(f"job-{number}.json", content)
        if word == "die after":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "lose":
            raise ConnectionResetError("the connection broke")
        return f"job-{number}"

    def jobs(self) -> list[str]:
        return sorted((path.stem for path in self.folder.glob("job-*.json")), key=lambda name: int(name[4:]))

    def tags(self) -> list[str]:
        return [tag for job in self.jobs() for tag in self.job(job)["tags"]]

    def job(self, name: str) -> dict:
        if name not in self.jobs():
            raise LookupError(f"no job {name}")
        return self._read(f"{name}.json")

    def status(self, name: str) -> JobStatus:
        self.fault("state")
        with self.alone():
            job = self.job(name)
            job["asked"] += 1
            self._write(f"{name}.json", job)
        if job["fate"] == "hang" or job["asked"] <= QUESTIONS:
            return JobStatus.QUEUED if job["asked"] <= 1 else JobStatus.RUNNING
        return {"fail": JobStatus.ERROR, "cancel": JobStatus.CANCELLED}.get(job["fate"], JobStatus.DONE)

    def cancel(self, name: str) -> None:
        with self.alone():
            self._write(f"{name}.json", self.job(name) | {"fate": "cancel", "asked": QUESTIONS})

    def _read(self, name: str) -> dict:
        return json.loads((self.folder / name).read_text())

    def _write(self, name: str, content: dict) -> None:
        scratch = self.folder / f".{name}.{os.getpid()}"
        scratch.write_text(json.dumps(content))
        scratch.replace(self.folder / name)


class FiledJob(JobV1):
    def __init__(self, backend, vendor: Vendor, name: str):
        super().__init__(backend, name)
        self._vendor = vendor

    def submit(self):
        raise NotImplementedError

    def status(self):
        return self._vendor.status(self.job_id())

    def cancel(self):
        self._vendor.cancel(self.job_id())

    def error_message(self):
        return "the laser was off"

    def result(self):
        self._vendor.fault("result")
        job = self._vendor.job(self.job_id())
        results = [
            {"shots": job["shots"], "success": True, "data": {"counts": counts}, "header": {"memory_slots": width}}
            for counts, width in job["counts"]
        ]
        return Result.from_dict({"results": results, "success": True, "backend_name": "filed", "job_id": self.job_id()})


class Filed(BackendV2):
    """A line of qubits; with ``tags`` its jobs can be searched, with ``retrieve`` they can be fetched by their ids."""

    def __init__(self, folder: str | Path, n_qubits: int = 4):
        super().__init__(name="filed")
        self.vendor = Vendor(folder)
        theta = Parameter("theta")
        self._target = Target(num_qubits=n_qubits)
        for gate in (RZGate(theta), SXGate(), XGate(), Measure()):
            self._target.add_instruction(gate, {(q,): None for q in range(n_qubits)})
        self._target.add_instruction(CXGate(), dict.fromkeys(CouplingMap.from_line(n_qubits)))

    @property
    def target(self):
        return self._target

    @property
    def max_circuits(self):
        return 3

    @classmethod
    def _default_options(cls):
        return Options(shots=1024)

    def run(self, circuits, shots=1024, job_tags=()):
        return FiledJob(self, self.vendor, self.vendor.submit(circuits, shots, list(job_tags)))


class FiledById(Filed):
    def retrieve_job(self, job_id):
        self.vendor.job(job_id)
        return FiledJob(self, self.vendor, job_id)


class FiledByTag(FiledById):
    @classmethod
    def _default_options(cls):
        return Options(shots=1024, job_tags=[])

    def jobs(self, tags):
        found = [name for name in self.vendor.jobs() if set(tags) <= set(self.vendor.job(name)["tags"])]
        return [FiledJob(self, self.vendor, name) for name in found]


class Priced(QiskitElsewhere):
    def __init__(self, *arguments, idempotent: bool = False):
        super().__init__(*arguments)
        self.idempotent = idempotent

    def submit(self, request, tag):
        """One job of all requests with a tag, where it is idempotent; the vendor's list may not show it."""
        device: Any = self.target
        known = [name for name in device.vendor.jobs() if device.vendor.job(name)["tag"] == tag]
        if self.idempotent and known:
            device.vendor.fault("submit")
            return known[0]
        device.vendor.tag = tag
        return super().submit(request, tag)

    def charge(self, request):
        device: Any = self.target
        with asking(self.name):
            device.vendor.fault("price")
        shots = request.shots * len(request.circuits)
        return Charge(usd=USD_JOB + USD_SHOT * shots, qpu_s=0.001 * shots, shots=shots)


def device(
    name: str,
    *,
    searched: Annotated[bool, "true or false"] = True,
    retrieved: Annotated[bool, "true or false"] = True,
    idempotent: Annotated[bool, "true or false"] = False,
) -> Device:
    """A device of the vendor in a folder."""
    kind = FiledByTag if searched else FiledById if retrieved else Filed
    return Device(Priced(kind(name), f"filed:{name}", idempotent=idempotent))


FILED = Family(device, "jobs in files", example="FOLDER")


def _counts(circuit: QuantumCircuit, shots: int) -> tuple[dict[str, int], int]:
    """Counts in hexadecimal, the same for the same circuit, and the number of classical bits."""
    place, plain = {}, QuantumCircuit(circuit.num_qubits)
    for instruction in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name == "measure":
            place[circuit.find_bit(instruction.clbits[0]).index] = qubits[0]
        elif instruction.operation.name != "barrier":
            plain.append(instruction.operation, qubits)
    probabilities = np.abs(Statevector(plain).data) ** 2
    digest = hashlib.sha256(f"{fingerprint(circuit)} {shots}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    drawn = rng.multinomial(shots, probabilities / probabilities.sum())
    counts: dict[str, int] = {}
    for index in np.flatnonzero(drawn).tolist():
        word = sum(((index >> qubit) & 1) << bit for bit, qubit in place.items())
        counts[hex(word)] = counts.get(hex(word), 0) + int(drawn[index])
    return counts, circuit.num_clbits


def register(module: str = "__main__") -> None:
    """Make the family known in this process, and let no test wait."""
    import hybrid.loop.dispatch

    sys.modules.setdefault("filed", sys.modules[module])
    backends.registry.BUILT_IN["filed"] = "filed:FILED"
    hybrid.loop.dispatch.PATIENCE = QUICK


if __name__ == "__main__":
    from hybrid.cli import main

    register()
    main()
