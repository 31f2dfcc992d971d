"""Any Qiskit BackendV2: a device, a simulator, or a fake of a device."""

import time
from typing import Annotated, Any

from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

from backends.base import Backend, Capabilities, Samples
from backends.batch import Evaluate, Expectations
from backends.checks import as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.gradients.shift_rule import n_shifted
from backends.measurement.circuits import check_alone, measure, measured_circuits, with_partners
from backends.measurement.counted import counted
from backends.measurement.groups import measurements
from backends.measurement.outcomes import Outcomes
from backends.measurement.sampled import sampling
from backends.measurement.targets import LEVELS, OptimizationLevel, transpiled
from backends.memory import check, in_bytes
from backends.simulators.readout import readout
from circuits.errors import Refused

DEFAULT_SHOTS = 4096
"""Of each measured circuit, where neither shots nor a precision is asked for."""

HERE = ("qiskit_aer.", "braket.devices.local_simulator", "braket.emulation")
"""Modules of simulators that run in this process; those of Qiskit and its fakes are known by a part of the name."""


class QiskitDevice(Backend, Samples):
    """Expectation values from counts on a Qiskit BackendV2, whatever noise it has.

    Terms are measured in groups; all rows and groups go out in one call, or in as few as the device allows.

    Args:
        device: The BackendV2.
        name: As it shall appear in tables and records; the device's own name if None.
        optimization_level: For the one transpilation of each circuit; 0, the default, runs every gate that was written,
            1 to 3 are Qiskit's own levels, which shorten circuits (and cancel what was folded to amplify noise).
    """

    def __init__(
        self,
        device: BackendV2,
        *,
        name: Annotated[str | None, "how it shall appear in tables and records"] = None,
        optimization_level: Annotated[OptimizationLevel, LEVELS] = 0,
    ):
        if not isinstance(device, BackendV2):
            raise Refused(
                f"{type(device).__module__}.{type(device).__name__} is not a backend: give a name such as "
                "'statevector', or a Qiskit BackendV2"
            )
        if not _counts(device):
            raise Refused(
                f"{device.name} simulates whole unitaries and measures nothing: give a backend that counts shots, such "
                "as qiskit_aer's AerSimulator()"
            )
        self._device: Any = device
        self._name = name or str(device.name)
        self._level: OptimizationLevel = optimization_level
        self._read: tuple[Any, tuple[tuple[int, ...], ...]] = (None, ())  # reading a large model takes seconds

    def capabilities(self) -> Capabilities:
        """What the device can do; noise is assumed unless it is a plain Aer simulator without a noise model."""
        return Capabilities(
            name=self._name,
            summary=getattr(self._device, "description", None) or f"Qiskit backend {self._device.name}",
            max_qubits=self._device.num_qubits,
            exact=False,
            noise=not _is_ideal(self._device),
            gradient="parameter-shift",
            place="here" if is_local(self._device) else "provider",
            default_shots=DEFAULT_SHOTS,
        )

    def footprint(self, work: Work) -> Footprint:
        """Gates times groups; a local fake holds a density matrix where that is cheaper than the shots, else one state.

        Raises:
            Refused: if the circuit has more qubits than the device.
        """
        n_qubits = work.circuit.num_qubits
        self._check_size(n_qubits)
        plan = measurements(work.observables)
        shots = plan.shots(work.precision, work.shots, DEFAULT_SHOTS) or DEFAULT_SHOTS
        passes = (len(work.circuit.data) + 1) * max(1, len(plan.groups))
        values = 1 + n_shifted(work.circuit) if work.derivative else 1
        dense = 2**n_qubits < shots and not _is_ideal(self._device)  # then Aer prefers a density matrix, if it fits
        memory_bytes = self._memory_bytes(2 * n_qubits if dense else n_qubits)
        return Footprint(passes, 2.0**n_qubits, memory_bytes, values, plan.standard_error(shots))

    def prepare(self, circuit: QuantumCircuit, observables: Any) -> Evaluate:
        """Transpile once; see `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_size(circuit.num_qubits)
        check(self._memory_bytes(circuit.num_qubits), what=f"{circuit.num_qubits} qubits on {self._name}")
        start = time.perf_counter()
        plan = measurements(observables)
        moved, layout = self._transpiled(circuit)
        program = measured_circuits(
            moved, layout, plan, self._device, parameters=tuple(circuit.parameters), together=self._together()
        )
        compile_s = time.perf_counter() - start

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            nonlocal compile_s
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            taken = plan.shots(precision, shots, DEFAULT_SHOTS) or DEFAULT_SHOTS
            start = time.perf_counter()
            outcomes = self._counted(program.measured(rows), taken, seed)
            values, errors = program.estimate(outcomes, len(rows))
            seconds = {"compile": compile_s, "execute": time.perf_counter() - start}
            compile_s = 0.0
            return Expectations(values, errors, taken if outcomes else 0, seconds)

        return evaluate

    def sample(
        self, circuit: QuantumCircuit, parameters: Any = (), *, shots: int = 1024, seed: int | None = None
    ) -> dict[str, int]:
        """Counts of bit strings, also of circuits that measure on the way; see `Samples`."""
        request = sampling(circuit, parameters, shots=shots, seed=seed)
        circuit = request.circuit.assign_parameters(request.row)
        self._check_size(circuit.num_qubits)
        check(self._memory_bytes(circuit.num_qubits), what=f"{circuit.num_qubits} qubits on {self._name}")
        moved, layout = self._transpiled(circuit)
        together = self._together()
        if request.middle:
            check_alone(together)
            return self._counted([moved], shots, seed)[0].to_counts(request.registers)
        read = with_partners([layout[q] for q in request.qubits], layout, together)
        return request.of_qubits(self._counted([measure(moved, read, together)], shots, seed)[0])

    def _transpiled(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
        return transpiled(circuit, self._device, level=self._level)

    def _counted(self, circuits: list[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        return counted(
            self._device,
            circuits,
            shots=shots,
            seed=seed,
            name=self._name,
            at_once=self._device.max_circuits,
            here=is_local(self._device),
        )

    def _together(self) -> tuple[tuple[int, ...], ...]:
        """Sets of qubits that one measurement must read for the noise of a simulator to apply."""
        model = getattr(self._device.options, "noise_model", None)
        if model is not self._read[0]:
            self._read = (model, readout(model).together)
        return self._read[1]

    def _check_size(self, n_qubits: int) -> None:
        size = self._device.num_qubits
        if size is not None and n_qubits > size:
            raise Refused(
                f"the circuit has {n_qubits} qubits, but {self._name} has {size} "
                f"(a state of {n_qubits} qubits on a simulator would take {in_bytes(16 * 2**n_qubits)})"
            )

    def _memory_bytes(self, n_qubits: int) -> int:
        return 16 * 2**n_qubits if is_local(self._device) else 0


def is_local(device: BackendV2) -> bool:
    """Whether the device is a simulator or a fake inside this process.

    Args:
        device: Of any vendor; what is not known to run here is taken to be elsewhere.
    """
    modules = _modules(device)
    if any("qiskit_braket_provider" in name for name in modules):  # its local backend runs what it wraps
        modules = _modules(getattr(device, "_device", None))
    return any(name.startswith(HERE) or "fake_provider" in name or "basic_provider" in name for name in modules)


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
