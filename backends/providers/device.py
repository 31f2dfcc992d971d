"""Expectation values and samples from whatever measures circuits: a vendor's device, a simulator, a snapshot."""

import copy
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends.base import Backend, Capabilities, Jobs, Samples
from backends.batch import Evaluate, Expectations
from backends.checks import as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.gradients.shift_rule import n_shifted
from backends.measurement.circuits import check_alone, measure, measured_circuits, with_partners
from backends.measurement.groups import measurements
from backends.measurement.outcomes import Outcomes
from backends.measurement.sampled import Sampling, sampling
from backends.measurement.targets import OptimizationLevel, transpiled
from backends.memory import check, in_bytes
from backends.providers.dispatch import Direct, Dispatch
from backends.providers.hardware import Elsewhere, Hardware, Here, JobRequest
from circuits.errors import Refused

DEFAULT_SHOTS = 4096
"""Of each measured circuit, where neither shots nor a precision is asked for."""


class Device(Backend, Samples, Jobs):
    """Expectation values from counts on hardware, whatever noise it has.

    Terms are measured in groups; all rows and groups go out in one job, or in as few as the hardware allows.

    Args:
        hardware: What measures.
        optimization_level: For the one transpilation of each circuit; 0 runs every gate that was written, 1 to 3 are
            Qiskit's own levels, which shorten circuits (and cancel what was folded to amplify noise).
    """

    def __init__(self, hardware: Hardware, *, optimization_level: OptimizationLevel = 0):
        self.hardware = hardware
        self._level: OptimizationLevel = optimization_level
        self._dispatch: Dispatch = Direct()

    def through(self, dispatch: Dispatch) -> "Device":
        """The same device, whose jobs are sent by a given `Dispatch`, such as one that keeps a journal."""
        other = copy.copy(self)
        other._dispatch = dispatch
        return other

    def capabilities(self) -> Capabilities:
        """What the device can do."""
        return Capabilities(
            name=self.hardware.name,
            summary=self.hardware.summary,
            max_qubits=self.hardware.n_qubits,
            exact=False,
            noise=self.hardware.noisy,
            gradient="parameter-shift",
            place="here" if isinstance(self.hardware, Here) else "provider",
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
        dense = 2**n_qubits < shots and self.hardware.noisy  # then Aer prefers a density matrix, if it fits
        memory_bytes = self._memory_bytes(2 * n_qubits if dense else n_qubits)
        return Footprint(passes, 2.0**n_qubits, memory_bytes, values, plan.standard_error(shots))

    def prepare(self, circuit: QuantumCircuit, observables: Any) -> Evaluate:
        """Transpile once; see `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_room(circuit.num_qubits)
        start = time.perf_counter()
        plan = measurements(observables)
        moved, layout = self._transpiled(circuit)
        program = measured_circuits(
            moved,
            layout,
            plan,
            self.hardware.target,
            parameters=tuple(circuit.parameters),
            together=self.hardware.together(),
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
        measured, written = self._sampled(sampling(circuit, parameters, shots=shots, seed=seed))
        return written(self._counted([measured], shots, seed)[0])

    def sample_rows(
        self, circuit: QuantumCircuit, rows: np.ndarray, *, shots: int, seeds: Sequence[int | None]
    ) -> list[dict[str, int]]:
        """Counts for each row, all of whose jobs are sent before any is waited for; see `Samples`."""
        if isinstance(self.hardware, Here):
            return super().sample_rows(circuit, rows, shots=shots, seeds=seeds)
        prepared = [self._sampled(sampling(circuit, row, shots=shots, seed=None)) for row in rows]
        outcomes = self._counted([measured for measured, _ in prepared], shots, None)
        return [written(one) for (_, written), one in zip(prepared, outcomes, strict=True)]

    def _sampled(self, request: Sampling) -> tuple[QuantumCircuit, Callable[[Outcomes], dict[str, int]]]:
        """The measured circuit of a request for counts, and how what it measured is written."""
        circuit = request.circuit.assign_parameters(request.row)
        self._check_room(circuit.num_qubits)
        moved, layout = self._transpiled(circuit)
        together = self.hardware.together()
        if request.middle:
            check_alone(together)
            return moved, lambda outcomes: outcomes.to_counts(request.registers)
        read = with_partners([layout[q] for q in request.qubits], layout, together)
        return measure(moved, read, together), request.of_qubits

    def _transpiled(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
        return transpiled(circuit, self.hardware.target, level=self._level)

    def _counted(self, circuits: list[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """What circuits measured, here or in as few jobs as the hardware allows."""
        hardware = self.hardware
        if isinstance(hardware, Here):
            return hardware.run(circuits, shots, seed)
        assert isinstance(hardware, Elsewhere)
        if hardware.most_shots is not None and shots > hardware.most_shots:
            raise Refused(
                f"{hardware.name} takes at most {hardware.most_shots} shots of a circuit, and {shots} are asked for; "
                "ask for fewer, or for a larger standard error"
            )
        size = hardware.most_circuits or max(len(circuits), 1)
        parts = [tuple(circuits[first : first + size]) for first in range(0, len(circuits), size)]
        answers = self._dispatch(hardware, [JobRequest(part, shots) for part in parts])
        return [outcomes for answer in answers for outcomes in answer]

    def _check_room(self, n_qubits: int) -> None:
        self._check_size(n_qubits)
        check(self._memory_bytes(n_qubits), what=f"{n_qubits} qubits on {self.hardware.name}")

    def _check_size(self, n_qubits: int) -> None:
        size = self.hardware.n_qubits
        if size is not None and n_qubits > size:
            raise Refused(
                f"the circuit has {n_qubits} qubits, but {self.hardware.name} has {size} "
                f"(a state of {n_qubits} qubits on a simulator would take {in_bytes(16 * 2**n_qubits)})"
            )

    def _memory_bytes(self, n_qubits: int) -> int:
        return 16 * 2**n_qubits if isinstance(self.hardware, Here) else 0
