"""The statevector engine behind the seam of all backends."""

import time
from typing import Any

import jax
import numpy as np
from qiskit import QuantumCircuit

from backends import dense, memory
from backends.base import Backend, Capabilities, Expectations, Footprint, Precision, Work, check_precision
from backends.batch import as_observables, as_rows, check_request, check_unitary
from backends.gradients import as_function
from backends.sampling import measurements, sampled_circuit
from backends.statevector.fuse import fuse, total_cost
from backends.statevector.lower import lower
from backends.statevector.observe import MOST_PRECOMPUTED, by_x_mask
from backends.statevector.program import Program, block_costs, compile_program
from circuits.errors import Refused

MAX_QUBITS = 31
"""Indices of amplitudes are 32-bit numbers."""

STATES_HELD = 12
"""States that one row holds at its peak, as XLA reports it: psi, lambda, both moved, and those of the observable."""


class Statevector(Backend):
    """Exact expectation values and adjoint gradients in JAX, compiled once for each shape of circuit.

    Args:
        precision: Of the amplitudes: "double" (complex128) or "single" (complex64).
    """

    def __init__(self, *, precision: Precision = "double"):
        check_precision(precision, "statevector")
        self._precision: Precision = precision
        self._real = np.dtype(np.float64 if precision == "double" else np.float32)
        self._complex = np.dtype(np.complex128 if precision == "double" else np.complex64)

    def capabilities(self) -> Capabilities:
        """Exact, without noise, with gradients of its own."""
        return Capabilities(
            name="statevector",
            summary="JAX statevector",
            max_qubits=MAX_QUBITS,
            exact=True,
            noise=False,
            gradient="adjoint",
            precision=self._precision,
        )

    def footprint(self, work: Work) -> Footprint:
        """One pass for each block, wide factor and X mask of the observables; gradients hold the same states."""
        n = work.circuit.num_qubits
        if n > MAX_QUBITS:
            raise Refused(
                f"the circuit has {n} qubits; 'statevector' takes at most {MAX_QUBITS} "
                f"(a state of {n} qubits alone needs {self._state_bytes(n)} bytes)"
            )
        costs = block_costs(n, self._real)
        steps = fuse(lower(work.circuit), costs)
        n_masks = sum(len(by_x_mask(observable)) for observable in work.observables)
        error = 0.0 if work.shots is None else measurements(work.observables).standard_error(work.shots)
        return Footprint(
            standard_error=error,
            passes=total_cost(steps, costs) + n_masks,
            amplitudes=2.0**n,
            memory_bytes=STATES_HELD * self._state_bytes(n) + self._table_bytes(n, n_masks),
        )

    def prepare(self, circuit: QuantumCircuit, observables: Any):
        """Lower the circuit and the observables once. See `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_memory(circuit.num_qubits)
        with self._arithmetic():
            program = compile_program(circuit, self._real)
            energies = program.energies(tuple(program.terms(observable) for observable in observables))

        def evaluate(parameters, precision=None, shots=None, seed=None) -> Expectations:
            check_request(precision, shots, seed)
            if shots is not None:
                return self._sampled(program, observables, as_rows(parameters, circuit), shots, seed)
            start = time.perf_counter()
            rows = as_rows(parameters, circuit)
            with self._arithmetic():
                values = energies(rows).astype(np.float64)
            return Expectations(values, np.zeros_like(values), seconds={"execute": time.perf_counter() - start})

        return evaluate

    def value_and_grad(self, circuit, observable, *, precision=None, shots=None, seed=None):
        """Adjoint gradients; with shots, parameter shift on samples. See `Backend.value_and_grad`."""
        check_request(precision, shots, seed)
        if shots is not None:
            return super().value_and_grad(circuit, observable, precision=precision, shots=shots, seed=seed)
        check_unitary(circuit)
        (observable,) = as_observables(observable, circuit.num_qubits)
        self._check_memory(circuit.num_qubits)
        with self._arithmetic():
            program = compile_program(circuit, self._real)
            run = program.energies_and_slopes((program.terms(observable),))

        def evaluate(rows, seed):
            with self._arithmetic():
                values, slopes = run(rows)
            return values[:, 0].astype(np.float64), program.angles.pulled(rows, slopes[:, 0].astype(np.float64))

        return as_function(circuit, evaluate, seed)

    def _sampled(self, program: Program, observables, rows: np.ndarray, shots: int, seed: int | None) -> Expectations:
        start = time.perf_counter()
        plan = measurements(observables)
        streams = np.random.SeedSequence(seed).spawn(len(rows))
        values = np.empty((len(rows), len(observables)))
        errors = np.empty_like(values)
        for k, (row, stream) in enumerate(zip(rows, streams, strict=True)):
            psi = self._state(program, row).reshape((2,) * observables[0].num_qubits)
            values[k], errors[k] = dense.estimate(psi, plan, shots, stream)
        return Expectations(values, errors, shots, {"execute": time.perf_counter() - start})

    def sample(self, circuit: QuantumCircuit, parameters=(), *, shots=1024, seed=None) -> dict[str, int]:
        """Counts drawn from the final state's probabilities."""
        circuit, row = sampled_circuit(circuit, parameters, shots, seed)
        p = dense.probabilities(self.state(circuit, row))
        return dense.draw(p, shots, np.random.default_rng(seed)).to_counts()

    def state(self, circuit: QuantumCircuit, parameters: Any = ()) -> np.ndarray:
        """The final state up to a global phase, shape (2^n,); bit q of the index is qubit q."""
        check_unitary(circuit)
        self._check_memory(circuit.num_qubits)
        (row,) = as_rows(parameters, circuit)
        with self._arithmetic():
            program = compile_program(circuit, self._real)
        return self._state(program, row)

    def _state(self, program: Program, row: np.ndarray) -> np.ndarray:
        with self._arithmetic():
            return program.state(row).astype(self._complex)

    def _arithmetic(self):
        return jax.enable_x64(self._precision == "double")

    def _state_bytes(self, n_qubits: int) -> int:
        return self._complex.itemsize * 2**n_qubits

    def _table_bytes(self, n_qubits: int, n_masks: int) -> int:
        """Diagonals of the observables, complex at worst."""
        return self._complex.itemsize * min(n_masks * 2**n_qubits, MOST_PRECOMPUTED)

    def _check_memory(self, n_qubits: int) -> None:
        memory.check(STATES_HELD * self._state_bytes(n_qubits), what=f"{n_qubits} qubits on 'statevector'")
        if n_qubits > MAX_QUBITS:
            raise Refused(f"'statevector' takes at most {MAX_QUBITS} qubits, not {n_qubits}")
