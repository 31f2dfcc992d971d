"""Any Qiskit BackendV2: a device, a simulator, or a fake of a device."""

import time
from typing import Annotated, Any

from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2

from backends.base import Backend, Capabilities, Samples
from backends.batch import Expectations
from backends.checks import as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.gradients.shift_rule import n_shifted
from backends.measurement.circuits import check_alone, measure, measured_circuits, outcomes_of, with_partners
from backends.measurement.groups import measurements
from backends.measurement.outcomes import Outcomes
from backends.measurement.sampled import sampling
from backends.measurement.targets import LEVELS, OptimizationLevel, transpiled
from backends.memory import check
from backends.seeds import child_seed, folded
from backends.simulators.readout import readout
from circuits.errors import FailedJob, Refused

DEFAULT_SHOTS = 4096
MOST_CIRCUITS = 1000
"""Circuits in one call where the device names no limit of its own."""

SEED_BITS = 63
"""Of the seeds that simulators take behind this interface."""


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

    def prepare(self, circuit: QuantumCircuit, observables: Any):
        """Transpile once; see `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_size(circuit.num_qubits)
        check(self._memory_bytes(circuit.num_qubits), what=f"{circuit.num_qubits} qubits on {self._name}")
        start = time.perf_counter()
        together = self._together()
        program = measured_circuits(circuit, observables, self._device, level=self._level, together=together)
        compile_s = time.perf_counter() - start

        def evaluate(parameters, precision=None, shots=None, seed=None) -> Expectations:
            nonlocal compile_s
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            taken = program.plan.shots(precision, shots, DEFAULT_SHOTS) or DEFAULT_SHOTS
            start = time.perf_counter()
            outcomes = self._run(program.measured(rows), taken, seed)
            values, errors = program.estimate(outcomes, len(rows))
            seconds = {"compile": compile_s, "execute": time.perf_counter() - start}
            compile_s = 0.0
            return Expectations(values, errors, taken if outcomes else 0, seconds)

        return evaluate

    def sample(self, circuit, parameters=(), *, shots=1024, seed=None):
        """Counts of bit strings from measuring every qubit; see `Samples`."""
        request = sampling(circuit, parameters, shots=shots, seed=seed)
        circuit = request.circuit
        self._check_size(circuit.num_qubits)
        check(self._memory_bytes(circuit.num_qubits), what=f"{circuit.num_qubits} qubits on {self._name}")
        moved, layout = transpiled(circuit.assign_parameters(request.row), self._device, level=self._level)
        if request.middle:
            check_alone(self._together())
            return self._run([moved], shots, seed)[0].to_counts(request.registers)
        read = with_partners([layout[q] for q in request.qubits], layout, self._together())
        return request.of_qubits(self._run([measure(moved, read, self._together())], shots, seed)[0])

    def _together(self) -> tuple[tuple[int, ...], ...]:
        """Sets of qubits that one measurement must read for the noise of a simulator to apply."""
        model = getattr(self._device.options, "noise_model", None)
        if model is not self._read[0]:
            self._read = (model, readout(model).together)
        return self._read[1]

    def _run(self, circuits: list[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        outcomes: list[Outcomes] = []
        size = self._device.max_circuits or MOST_CIRCUITS
        for number, first in enumerate(range(0, len(circuits), size)):
            part = circuits[first : first + size]
            options: dict[str, Any] = {"shots": shots}
            if hasattr(self._device.options, "seed_simulator"):
                options["seed_simulator"] = folded(child_seed(seed, number), SEED_BITS)
            try:
                outcomes += outcomes_of(self._device.run(part, **options).result(), len(part))
            except QiskitError as err:
                raise FailedJob(f"{self._name} could not run the circuits: {err}") from err
        return outcomes

    def _check_size(self, n_qubits: int) -> None:
        size = self._device.num_qubits
        if size is not None and n_qubits > size:
            raise Refused(
                f"the circuit has {n_qubits} qubits, but {self._name} has {size} "
                f"(a state of {n_qubits} qubits on a simulator would take {16 * 2**n_qubits} bytes)"
            )

    def _memory_bytes(self, n_qubits: int) -> int:
        return 16 * 2**n_qubits if is_local(self._device) else 0


def is_local(device: BackendV2) -> bool:
    """Whether the device is a simulator or a fake inside this process."""
    modules = {kind.__module__ for kind in type(device).__mro__}
    return any(
        name.startswith("qiskit_aer.") or "fake_provider" in name or "basic_provider" in name for name in modules
    )


def _is_ideal(device: Any) -> bool:
    modules = {kind.__module__ for kind in type(device).__mro__}
    if any("basic_provider" in name for name in modules):
        return True
    is_aer = any(name.startswith("qiskit_aer.") for name in modules)
    return is_aer and device.options.noise_model is None
