"""Any PennyLane device: a simulator, a noisy one, or a machine behind a plugin.

Qubit q is the device's q-th wire. What noise the device applies, by itself or by ``qml.add_noise``, is in every answer.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any
from uuid import uuid4

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Measure
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import Target

from backends.border import border
from backends.measurement.outcomes import Outcomes, from_counts
from backends.measurement.sampled import sampling
from backends.memory import check
from backends.providers.device import Device, with_device_options
from backends.providers.hardware import Elsewhere, Hardware, Here, JobRequest, JobState
from backends.seeds import child_seed
from backends.simulators.lightning import FIXED, TURNING, convert
from circuits.errors import FailedJob, LostJob, ProviderUnreachable, Refused, ToolkitError

HERE = ("pennylane.devices.default_", "pennylane.devices.reference_qubit", "pennylane_lightning.")
"""Modules of devices that compute in this process; what is not known to be one is taken to be elsewhere."""

IDEAL = ("pennylane.devices.default_qubit", "pennylane.devices.reference_qubit", "pennylane_lightning.")

MOST_SHOTS_AT_ONCE = 10**6
"""PennyLane keeps each shot of each wire as a whole number of 8 bytes."""


class PennyLaneDevice(Device):
    """Expectation values from counts on a PennyLane device, whatever noise it has.

    Args:
        device: As ``qml.device`` or ``qml.add_noise`` gives it. Shots are asked for with each request; those of the
            device have no effect.
        name: As it shall appear in tables and records; the device's own name if None.
        options: Those of `Device`.
    """

    @with_device_options
    def __init__(
        self,
        device: Any,
        *,
        name: Annotated[str | None, "how it shall appear in tables and records"] = None,
        **options: Any,
    ):
        super().__init__(hardware(device, name=name), **options)


def hardware(device: Any, *, name: str | None = None) -> Hardware:
    """A PennyLane device as hardware, in this process or elsewhere.

    Args:
        device: That measures.
        name: As it shall appear in tables and records; the device's own name if None.

    Raises:
        Refused: for noise of measurements that counts would not have.
    """
    from pennylane.devices import Device as PennyLaneObject
    from pennylane.devices import LegacyDeviceFacade

    if not isinstance(device, PennyLaneObject):
        device = LegacyDeviceFacade(device)
    _check_noise(device)
    known = any(module.startswith(HERE) for module in _modules(device))
    return PennyLaneHere(device, name) if known else PennyLaneElsewhere(device, name)


class _PennyLane(Hardware):
    """What a PennyLane device says of itself, and how it runs a circuit."""

    def __init__(self, device: Any, name: str | None):
        self.target = gates()
        self.name = name or str(device.name)
        self.summary = f"PennyLane device {device.name}"
        self.n_qubits = len(device.wires) if device.wires is not None else None
        self.noisy = _is_noisy(device)
        self._device = device

    def _counted(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """What circuits measured; all tapes go out together."""
        device = _with_readout(copy.copy(self._device))
        tallies = [Counter() for _ in circuits]
        requests = [sampling(circuit, (), shots=shots) for circuit in circuits]
        for k, portion in enumerate(_portions(shots)):
            if isinstance(getattr(device, "_rng", None), np.random.Generator):  # of PennyLane's own simulators
                device._rng = np.random.default_rng(None if seed is None else child_seed(seed, k))
            tapes = [self._tape(request, portion) for request in requests]
            for tally, counts in zip(tallies, self._run(device, tapes), strict=True):
                tally.update({str(bits)[::-1]: int(count) for bits, count in counts.items()})
        answers = []
        for request, tally in zip(requests, tallies, strict=True):
            measured = from_counts(tally)
            if measured.bits.shape[1] != len(request.qubits) or int(measured.counts.sum()) != shots:
                raise FailedJob(
                    f"{self.name} gave {measured.counts.sum()} shots of {measured.bits.shape[1]} wires, where {shots} "
                    f"of {len(request.qubits)} were asked for"
                )
            answers.append(request.classical(measured))
        return answers

    def _tape(self, request: Any, shots: int) -> Any:
        import pennylane as qml
        from pennylane.tape import QuantumScript

        circuit = request.at_end(self.name)
        last = circuit.num_qubits - 1
        wires = self._device.wires if self._device.wires is not None else range(circuit.num_qubits)
        operations, _, _ = convert(circuit)  # on wires n-1, ..., 0
        placed = {last - q: wires[q] for q in range(circuit.num_qubits)}
        moved = [operation.map_wires(placed) for operation in operations]
        measured = qml.counts(wires=[wires[q] for q in request.qubits])
        return QuantumScript(moved, [measured], shots=shots)

    def _run(self, device: Any, tapes: Iterable[Any]) -> Sequence[Any]:
        import pennylane as qml

        try:
            with border(self.name):
                return qml.execute(list(tapes), device, diff_method=None)  # pyright: ignore[reportReturnType]
        except ToolkitError:
            raise
        except Exception as err:
            raise FailedJob(f"{self.name} could not run the circuits: {type(err).__name__}: {err}") from err


class PennyLaneHere(_PennyLane, Here):
    """A PennyLane simulator in this process.

    A seed decides the counts of ``default.qubit``, ``default.mixed`` and devices made from them; others draw by
    generators of their own.
    """

    def run(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """See `Here.run`."""
        for n_qubits in {circuit.num_qubits for circuit in circuits}:
            axes = 2 * n_qubits if "mixed" in str(self._device.name) else n_qubits
            check(2 * 16 * 2**axes, what=f"{n_qubits} qubits on {self.name}")
        return self._counted(circuits, shots, seed)


class PennyLaneElsewhere(_PennyLane, Elsewhere):
    """A machine behind a PennyLane plugin.

    PennyLane has no jobs: a plugin waits until the machine has answered. So a job ends as it is sent, only this process
    knows what it gave, and one that was sent when the process died is lost.
    """

    where_to_look = "look at the list of jobs on the page of the machine's vendor; PennyLane keeps none"

    def __init__(self, device: Any, name: str | None):
        super().__init__(device, name)
        self._answers: dict[str, list[Outcomes]] = {}

    def submit(self, request: JobRequest, tag: str) -> str:
        """See `Elsewhere.submit`."""
        try:
            answer = self._counted(request.circuits, request.shots, None)
        except ProviderUnreachable as err:  # it may have taken the job before it fell silent
            raise LostJob(f"{self.name} fell silent while it had a job ({err}); {self.where_to_look}") from err
        job_id = f"{tag}-{uuid4().hex[:8]}"
        self._answers[job_id] = answer
        return job_id

    def state(self, job_id: str) -> JobState:
        """See `Elsewhere.state`."""
        self._answer(job_id)
        return JobState("done")

    def outcomes(self, job_id: str, request: JobRequest) -> list[Outcomes]:
        """See `Elsewhere.outcomes`."""
        return self._answer(job_id)

    def cancel(self, job_id: str) -> None:
        """Does nothing: a job has ended when its id is known."""

    def find(self, tag: str) -> tuple[str, ...] | None:
        """See `Elsewhere.find`; PennyLane cannot be asked."""
        return None

    def _answer(self, job_id: str) -> list[Outcomes]:
        if job_id not in self._answers:
            raise LostJob(
                f"job {job_id} was sent to {self.name} by another process, and PennyLane cannot ask for it; "
                f"{self.where_to_look}"
            )
        return self._answers[job_id]


def gates() -> Target:
    """The gates that mean the same in Qiskit and in PennyLane, on any qubits; PennyLane writes them in the device's."""
    known = get_standard_gate_name_mapping()
    target = Target(num_qubits=None)  # without the word it would have none
    for name in [*FIXED, *TURNING]:
        target.add_instruction(known[name], name=name)
    target.add_instruction(Measure())
    return target


def _portions(shots: int) -> Iterator[int]:
    while shots > 0:
        yield min(shots, MOST_SHOTS_AT_ONCE)
        shots -= MOST_SHOTS_AT_ONCE


def _with_readout(device: Any) -> Any:
    """The device, its probability of a wrong bit as the list of channels that its own measurements take.

    ``default.mixed`` keeps ``readout_prob`` as a number, and fails (PennyLane 0.45) where it measures.
    """
    import pennylane as qml

    probability = getattr(device, "readout_err", None)
    if isinstance(probability, int | float):
        device.readout_err = [lambda wires: qml.BitFlip(probability, wires=wires)]
    return device


def _check_noise(device: Any) -> None:
    """Refuse noise of measurements that are no counts: counts are all that is asked for, and would be without it."""
    import pennylane as qml

    while device is not None:
        given = [*getattr(device, "targs", ()), *getattr(device, "tkwargs", {}).values()]
        for model in given:
            for condition in getattr(model, "meas_map", {}):
                wires = list(device.wires) if device.wires is not None else [0]
                asked = [qml.counts(wires=wires), *(qml.counts(wires=[wire]) for wire in wires)]
                if not any(condition(one) for one in asked):
                    raise Refused(
                        f"the noise model of {device.name} has noise of measurements ({condition}) that does not apply "
                        "to counts, which are all that is measured here; write it with qml.noise.meas_eq(qml.counts)"
                    )
        device = getattr(device, "_original_device", None)


def _is_noisy(device: Any) -> bool:
    changed = hasattr(device, "_original_device")  # by qml.add_noise or another transform
    return changed or not any(module.startswith(IDEAL) for module in _modules(device))


def _modules(device: Any) -> set[str]:
    own = getattr(device, "target_device", device)  # of a device with PennyLane's former interface
    return {kind.__module__ for kind in type(own).__mro__}
