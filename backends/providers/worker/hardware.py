"""A vendor's devices in an environment of its own, as hardware."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

from backends.border import says_too_large, too_large
from backends.measurement.counted import SEED_BITS
from backends.measurement.outcomes import Outcomes, from_counts
from backends.memory import free_bytes
from backends.providers.hardware import Elsewhere, Hardware, Here, JobRequest, JobState
from backends.providers.times import VendorTimes, moment_of
from backends.providers.worker.environment import needed
from backends.providers.worker.process import Silence, Worker
from backends.providers.worker.recipes import Recipe
from backends.seeds import folded
from circuits.errors import FailedJob, LostJob, ProviderUnreachable, Refused

ASK_S = 120.0
"""How long an answer about a device or a job may take, seconds: a vendor's client tries for a while."""

RUN_S = 3600.0
"""How long a local simulation may take, seconds."""


def hardware(recipe: Recipe, device: str) -> Hardware:
    """A device by its name.

    Args:
        recipe: Of the vendor's environment.
        device: As the vendor's file in `there` knows it.

    Raises:
        Refused: if the environment is not installed, or there is no such device.
        ProviderUnreachable: if nobody answered.
        FailedJob: if the process could not tell.
    """
    environment = needed(recipe)
    asked = worker_in(recipe, environment.python)
    name = f"{recipe.name}:{device}"
    try:
        told = asked.ask("describe", device=device, within_s=ASK_S)
    except Silence as err:
        raise ProviderUnreachable(f"{name}: {err}") from err
    return (WorkerHere if told["local"] else WorkerElsewhere)(name, device, asked, told)


@cache
def worker_in(recipe: Recipe, python: Path) -> Worker:
    """The process of an environment: one for all its devices, since it takes seconds to start."""
    return Worker(recipe.name, python, recipe.script, recipe.variables)


class _Told(Hardware):
    """What the process has told of the device."""

    def __init__(self, name: str, device: str, asked: Worker, told: Mapping[str, Any]):
        packages = ", ".join(f"{package} {version}" for package, version in asked.hello()["packages"].items())
        self.name = name
        self.summary = f"{told['summary']} ({packages})"
        self.target: Target = target_of(told)
        self.n_qubits = told["n_qubits"]
        self.noisy = told["noisy"]
        self._device, self._asked = device, asked


class WorkerHere(_Told, Here):
    """A simulator or a model of a device, in a process of its own on this machine."""

    def run(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """See `Here.run`."""
        if not circuits:
            return []
        seed = folded(seed, SEED_BITS)
        try:
            packed = self._asked.packed(circuits)
            counts = self._asked.ask(
                "run", within_s=RUN_S, device=self._device, circuits=packed, shots=shots, seed=seed
            )
        except Silence as err:
            raise FailedJob(f"{self.name}: {err}") from err
        except FailedJob as err:
            if says_too_large(str(err)):
                raise too_large(self.name, str(err), free_bytes()) from err
            raise
        return checked(counts, circuits, shots, self.name)


class WorkerElsewhere(_Told, Elsewhere):
    """A device whose jobs go through a process of its own on this machine."""

    def __init__(self, name: str, device: str, asked: Worker, told: Mapping[str, Any]):
        super().__init__(name, device, asked, told)
        self.most_circuits, self.most_shots = told["most_circuits"], told["most_shots"]

    def submit(self, request: JobRequest, tag: str) -> str:
        """See `Elsewhere.submit`."""
        try:
            packed = self._asked.packed(request.circuits)
        except Silence as err:
            raise ProviderUnreachable(f"{self.name}: {err}; nothing was sent") from err
        try:
            return self._ask("submit", circuits=packed, shots=request.shots, tag=tag)
        except Silence as err:
            raise LostJob(f"{self.name}: {err}; nobody knows whether the job was taken: {self.where_to_look}") from err

    def state(self, job_id: str) -> JobState:
        """See `Elsewhere.state`."""
        status, reason, ahead, moments = self._question("state", job=job_id)
        return JobState(status, reason, ahead, times=VendorTimes(*map(moment_of, moments)))

    def outcomes(self, job_id: str, request: JobRequest) -> list[Outcomes]:
        """See `Elsewhere.outcomes`."""
        counts = self._question("counts", job=job_id, n_circuits=len(request.circuits))
        return checked(counts, request.circuits, request.shots, self.name)

    def cancel(self, job_id: str) -> None:
        """See `Elsewhere.cancel`."""
        self._question("cancel", job=job_id)

    def find(self, tag: str) -> tuple[str, ...] | None:
        """See `Elsewhere.find`."""
        found = self._question("find", tag=tag)
        return None if found is None else tuple(found)

    def _ask(self, do: str, **content: Any) -> Any:
        return self._asked.ask(do, within_s=ASK_S, device=self._device, **content)

    def _question(self, do: str, **content: Any) -> Any:
        """Ask what may be asked again."""
        try:
            return self._ask(do, **content)
        except Silence as err:
            raise ProviderUnreachable(f"{self.name}: {err}") from err


def target_of(told: Mapping[str, Any]) -> Target:
    """The device as the transpiler sees it, with the gates that Qiskit has a name for.

    Args:
        told: As `there/serve.py` describes a device.

    Raises:
        Refused: if it measures nothing, or has no gate that is known.
    """
    known = get_standard_gate_name_mapping()
    times = [QubitProperties(t1=one["t1_s"], t2=one["t2_s"]) for one in told["qubits"]]
    target = Target(num_qubits=told["n_qubits"], qubit_properties=times or None)
    for gate in told["gates"]:
        if gate["name"] not in known:
            continue  # such as moves into a resonator, which the vendor's own software puts in
        if gate["places"] is None:
            target.add_instruction(known[gate["name"]], name=gate["name"])
            continue
        rows = zip(gate["places"], gate["duration_s"], gate["error"], strict=True)
        places = {tuple(qubits): InstructionProperties(duration, error) for qubits, duration, error in rows}
        target.add_instruction(known[gate["name"]], places, name=gate["name"])
    if "measure" not in target.operation_names or len(target.operation_names) < 2:
        said = ", ".join(gate["name"] for gate in told["gates"]) or "none"
        raise Refused(f"a device with the gates {said} runs no circuits that can be measured here")
    return target


def checked(counts: Any, circuits: Sequence[QuantumCircuit], shots: int, name: str) -> list[Outcomes]:
    """Counts that came over the pipe, as many and of such a form as circuits were sent.

    Raises:
        FailedJob: if they are not.
    """
    if not isinstance(counts, list) or len(counts) != len(circuits):
        raise FailedJob(f"{name} did not give one result for each of {len(circuits)} circuits")
    answers = []
    for one, circuit in zip(counts, circuits, strict=True):
        bits = circuit.num_clbits
        if any(len(string.replace(" ", "")) != bits or set(string) - set("01 ") for string in one):
            raise FailedJob(f"{name} gave other bit strings than of the {bits} bits that the circuit measures")
        if sum(one.values()) != shots or min(one.values(), default=0) < 0:
            raise FailedJob(f"{name} gave {sum(one.values())} shots, where {shots} were asked for")
        answers.append(from_counts(one))
    return answers
