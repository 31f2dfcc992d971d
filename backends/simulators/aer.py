"""Qiskit Aer: its statevector, density-matrix, matrix-product-state and stabilizer methods, with noise that is applied.

Without noise and without shots, values are exact. With a noise model, what is computed is what a device with this noise
would report: the circuits are the measured ones, the changes of basis and the readout are noisy too. The density-matrix
method gives the limit of infinitely many shots, every other method counts.
"""

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import numpy as np
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.base import Backend, Capabilities, Precision, Samples
from backends.batch import Expectations
from backends.checks import as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.gradients.shift_rule import n_shifted
from backends.measurement.circuits import (
    MeasuredCircuits,
    check_alone,
    measure,
    measured_circuits,
    outcomes_of,
    with_partners,
)
from backends.measurement.groups import measurements
from backends.measurement.outcomes import Outcomes
from backends.measurement.sampled import sampling
from backends.measurement.targets import LEVELS, OptimizationLevel, gates_of, transpiled
from backends.memory import check
from backends.seeds import child_seed, folded
from backends.simulators.bonds import bond_bytes
from backends.simulators.clifford import check_clifford
from backends.simulators.noise import Noise, as_noise
from circuits.errors import FailedJob, Refused
from circuits.problems.checks import whole

if TYPE_CHECKING:
    from qiskit_aer import AerSimulator

Method = Literal["automatic", "statevector", "density_matrix", "matrix_product_state", "stabilizer"]

DEFAULT_SHOTS = 1024
"""Trajectories of each measured circuit, where noise makes them necessary and nothing else was asked."""

MAX_DENSITY_QUBITS = 10
"""Largest circuit for which "automatic" turns a noise model into a density matrix rather than trajectories."""

MOST_CIRCUITS = 1000
"""Circuits in one call of Aer."""

SEED_BITS = 63
"""Of the seeds that Aer takes."""


class Aer(Backend, Samples):
    """Qiskit Aer on this machine's processor.

    Args:
        method: ``"automatic"`` means a statevector, or, with noise, a density matrix up to 10 qubits.
        noise: A qiskit_aer ``NoiseModel``; or a device, as a Qiskit BackendV2 or by the name of a snapshot such as
            ``"fake_manila"``, whose noise, gates and couplings are then all used.
        noise_model: Another word for ``noise``.
        precision: Of the amplitudes.
        max_bond_dimension: Where the matrix-product state is cut; None keeps it exact.
        optimization_level: For the one transpilation of each circuit. 0 runs every gate that was written, 1 to 3 are
            Qiskit's own levels, which shorten circuits (and cancel what was folded to amplify noise). None means 0
            with noise, and 1 without, where no value depends on it.
    """

    library = "qiskit_aer"

    def __init__(
        self,
        *,
        method: Annotated[Method, f"one of {', '.join(get_args(Method))}"] = "automatic",
        noise: Annotated[Any, 'a device whose noise Aer imitates, such as "fake_manila"'] = None,
        noise_model: Annotated[Any, "as noise"] = None,
        precision: Annotated[Precision, '"double" or "single"'] = "double",
        max_bond_dimension: Annotated[int | None, "the largest bond of a matrix-product state, from 1"] = None,
        optimization_level: Annotated[OptimizationLevel | None, LEVELS] = None,
    ):
        if noise is not None and noise_model is not None:
            raise Refused("noise and noise_model of aer are two words for one thing; give one of them")
        noise = noise_model if noise is None else noise
        if max_bond_dimension is not None and method != "matrix_product_state":
            raise Refused(f"max_bond_dimension has no effect on method '{method}'; use method='matrix_product_state'")
        if max_bond_dimension is not None:
            whole(max_bond_dimension, "max_bond_dimension of aer", at_least=1)
        if precision == "single" and method == "stabilizer":
            raise Refused("precision has no effect on method 'stabilizer'")
        self._method: Method = method
        self._noise: Noise | None = None if noise is None else as_noise(noise)
        self._precision: Precision = precision
        self._max_bond = max_bond_dimension
        self._level: OptimizationLevel = optimization_level or (
            1 if optimization_level is None and noise is None else 0
        )

    def capabilities(self) -> Capabilities:
        """What Aer does with these options."""
        exact = self._noise is None or self._method in ("automatic", "density_matrix")
        noise = "" if self._noise is None else f" with the noise of {self._noise.name}"
        return Capabilities(
            name="aer",
            summary=f"Qiskit Aer, method {self._method}{noise}",
            max_qubits=None if self._noise is None else self._noise.n_qubits,
            exact=exact,
            noise=self._noise is not None,
            gradient="parameter-shift",
            precision=self._precision,
            default_shots=None if exact else DEFAULT_SHOTS,
        )

    def footprint(self, work: Work) -> Footprint:
        """Gates and terms; one state, in the form that the method keeps it.

        Raises:
            Refused: for a gate that the stabilizer method cannot do, or more qubits than the noise model's device has.
        """
        circuit, method = work.circuit, self._resolve(work.circuit.num_qubits)
        self._check_circuit(circuit)
        plan = measurements(work.observables)
        shots = plan.shots(work.precision if not self._exact(method) else None, work.shots, self._default(method))
        passes = len(circuit.data) + sum(len(observable) for observable in work.observables)
        if self._noise is not None or shots is not None:
            passes = (len(circuit.data) + 1) * max(1, len(plan.groups))
        return Footprint(
            passes=passes,
            amplitudes=4.0**circuit.num_qubits if method == "density_matrix" else 2.0**circuit.num_qubits,
            memory_bytes=self._memory_bytes(circuit),
            values=1 + n_shifted(circuit) if work.derivative else 1,
            standard_error=0.0 if shots is None else plan.standard_error(shots),
        )

    def prepare(self, circuit: QuantumCircuit, observables: Any):
        """Transpile once, for exact values or for counts, whichever is asked first; see `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_circuit(circuit)
        check(self._memory_bytes(circuit), what=f"{circuit.num_qubits} qubits on aer ({self._method})")
        simulator = self._simulator(circuit.num_qubits)
        method = self._resolve(circuit.num_qubits)
        programs: dict[str, Any] = {}

        def evaluate(parameters, precision=None, shots=None, seed=None) -> Expectations:
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            if method == "stabilizer":
                for row in rows:
                    check_clifford(circuit.assign_parameters(row))
            plan_needed = self._noise is not None or shots is not None
            kind = "measured" if plan_needed else "saved"
            start = time.perf_counter()
            if kind not in programs:
                make = self._measured if plan_needed else self._saved
                programs[kind] = make(circuit, observables, simulator)
            seconds = {"compile": time.perf_counter() - start}
            start = time.perf_counter()
            program, taken = programs[kind], 0
            if not plan_needed:
                values = self._exact_values(simulator, program, circuit, rows, len(observables))
                errors = np.zeros_like(values)
            elif shots is None and self._exact(method):
                values, errors = self._noisy_values(simulator, program, rows)
            else:
                taken = program.plan.shots(precision, shots, DEFAULT_SHOTS) or DEFAULT_SHOTS
                outcomes = self._count(simulator, program.measured(rows), taken, seed)
                values, errors = program.estimate(outcomes, len(rows))
                taken = taken if outcomes else 0
            return Expectations(values, errors, taken, {**seconds, "execute": time.perf_counter() - start})

        return evaluate

    def sample(self, circuit, parameters=(), *, shots=1024, seed=None):
        """Counts of bit strings from measuring every qubit; see `Samples`."""
        request = sampling(circuit, parameters, shots=shots, seed=seed)
        circuit = request.circuit.assign_parameters(request.row)
        self._check_circuit(circuit)
        check(self._memory_bytes(circuit), what=f"{circuit.num_qubits} qubits on aer ({self._method})")
        simulator = self._simulator(circuit.num_qubits)
        moved, layout = transpiled(circuit, self._target(simulator, circuit.num_qubits), level=self._level)
        if request.middle:
            check_alone(self._together)
            return self._count(simulator, [moved], shots, seed)[0].to_counts(request.registers)
        read = with_partners([layout[q] for q in request.qubits], layout, self._together)
        return request.of_qubits(self._count(simulator, [measure(moved, read, self._together)], shots, seed)[0])

    @property
    def _together(self) -> tuple[tuple[int, ...], ...]:
        """Sets of qubits that one measurement must read for their noise to apply."""
        return () if self._noise is None else self._noise.readout.together

    def _resolve(self, n_qubits: int) -> Method:
        if self._method != "automatic":
            return self._method
        return "density_matrix" if self._noise is not None and n_qubits <= MAX_DENSITY_QUBITS else "statevector"

    def _exact(self, method: Method) -> bool:
        return self._noise is None or method == "density_matrix"

    def _default(self, method: Method) -> int | None:
        return None if self._exact(method) else DEFAULT_SHOTS

    def _check_circuit(self, circuit: QuantumCircuit) -> None:
        if self._noise is not None:
            self._noise.check(circuit.num_qubits)
        if self._method == "stabilizer":
            check_clifford(circuit)

    def _memory_bytes(self, circuit: QuantumCircuit) -> int:
        n_qubits, amplitude = circuit.num_qubits, 16 if self._precision == "double" else 8
        method = self._resolve(n_qubits)
        if method == "stabilizer":
            return 8 * n_qubits * (2 * n_qubits + 1)
        if method == "matrix_product_state":
            return bond_bytes(circuit, self._max_bond)
        return amplitude * (4**n_qubits if method == "density_matrix" else 2**n_qubits)

    def _simulator(self, n_qubits: int):
        from qiskit_aer import AerSimulator

        options: dict[str, Any] = {"method": self._resolve(n_qubits), "precision": self._precision}
        if self._noise is not None:
            options["noise_model"] = self._noise.model
        if self._max_bond is not None:
            options["matrix_product_state_max_bond_dimension"] = self._max_bond
        return AerSimulator(**options)

    def _target(self, simulator: "AerSimulator", n_qubits: int) -> BackendV2 | Target:
        """What to transpile for: the device whose noise is asked for, or Aer's own gates."""
        device = None if self._noise is None else self._noise.device
        return gates_of(simulator, n_qubits) if device is None else device

    def _measured(self, circuit, observables, simulator) -> MeasuredCircuits:
        target = self._target(simulator, circuit.num_qubits)
        return measured_circuits(circuit, observables, target, level=self._level, together=self._together)

    def _saved(self, circuit, observables, simulator) -> QuantumCircuit:
        moved, layout = transpiled(circuit, self._target(simulator, circuit.num_qubits), level=self._level)
        for k, observable in enumerate(observables):
            moved.save_expectation_value(observable, list(layout), label=str(k))  # pyright: ignore[reportAttributeAccessIssue]
        return moved

    def _exact_values(self, simulator, program, circuit, rows, n_observables) -> np.ndarray:
        values = []
        for row in rows:  # bound here: Aer's own parameter_binds leaves controlled rotations wrong (0.18.0)
            bound = program.assign_parameters(dict(zip(circuit.parameters, row, strict=True)), strict=False)
            data = _result(simulator.run(bound)).data(0)
            values.append([np.real(data[str(o)]) for o in range(n_observables)])
        return np.array(values, dtype=np.float64).reshape(len(rows), n_observables)

    def _noisy_values(self, simulator, program: MeasuredCircuits, rows) -> tuple[np.ndarray, np.ndarray]:
        assert self._noise is not None
        readout = self._noise.readout
        readout.check_exact()
        values = np.empty((len(rows), len(program.plan.constants)))
        for k, row in enumerate(rows):
            probabilities = []
            for circuit in program.rotated(row[None]):
                circuit.save_probabilities(list(program.layout), label="p")  # pyright: ignore[reportAttributeAccessIssue]
                p = np.asarray(_result(simulator.run(circuit)).data(0)["p"])
                probabilities.append(readout.confused(p, program.layout))
            values[k] = program.plan.expectations(probabilities)
        return values, np.zeros_like(values)

    def _count(self, simulator, circuits: list[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        outcomes: list[Outcomes] = []
        for number, first in enumerate(range(0, len(circuits), MOST_CIRCUITS)):
            part = circuits[first : first + MOST_CIRCUITS]
            job = simulator.run(part, shots=shots, seed_simulator=folded(child_seed(seed, number), SEED_BITS))
            outcomes += outcomes_of(_result(job), len(part))
        return outcomes


def _result(job):
    """Aer's result, or its failure as our own error."""
    try:
        result = job.result()
    except QiskitError as err:
        raise FailedJob(f"aer could not run the circuit: {err}") from err
    if result.success:
        return result
    failures = {r.status for r in result.results if not r.success} or {result.status}
    reason = "; ".join(sorted(str(status) for status in failures))
    if "memory" in reason.lower():
        raise Refused(f"aer has too little memory for this circuit: {reason}; use fewer qubits or another method")
    if "invalid instructions" in reason or "invalid parameters" in reason:
        raise Refused(f"aer's method cannot do this circuit or noise ({reason}); use another method, or 'automatic'")
    raise FailedJob(f"aer could not run the circuit: {reason}")
