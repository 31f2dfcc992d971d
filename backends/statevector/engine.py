"""The statevector engine behind the seam of all backends."""

import time
from typing import Any

import jax
import numpy as np
from qiskit import QuantumCircuit

from backends import dense, memory
from backends.base import Backend, Capabilities, Expectations, Footprint, Precision, Work
from backends.batch import as_observables, as_rows, check_request, check_unitary
from backends.sampling import measurements, sampled_circuit
from backends.statevector.evolve import Masks, energies, energy_and_slopes, evolve
from backends.statevector.lower import Factors, lower
from backends.statevector.observe import Terms
from circuits.errors import Refused

_energies = jax.jit(energies, static_argnames="n_qubits")
_energy_and_slopes = jax.jit(energy_and_slopes, static_argnames="n_qubits")
_evolve = jax.jit(evolve, static_argnames="n_qubits")

MAX_QUBITS = 31
"""Indices of amplitudes are 32-bit numbers."""

STATES_HELD = 6
"""States that one row holds at its peak: psi, lambda, and the temporaries of one factor."""


class Statevector(Backend):
    """Exact expectation values and adjoint gradients in JAX, compiled once for each shape of circuit.

    Args:
        precision: Of the amplitudes: "double" (complex128) or "single" (complex64).
    """

    def __init__(self, *, precision: Precision = "double"):
        if precision not in ("double", "single"):
            raise Refused(f"precision must be 'double' or 'single', not {precision!r}")
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
        """One pass for each factor and each term; gradients hold the same states."""
        n = work.circuit.num_qubits
        if n > MAX_QUBITS:
            raise Refused(
                f"the circuit has {n} qubits; 'statevector' takes at most {MAX_QUBITS} "
                f"(a state of {n} qubits alone needs {self._state_bytes(n)} bytes)"
            )
        n_terms = sum(len(observable) for observable in work.observables)
        error = 0.0 if work.shots is None else measurements(work.observables).standard_error(work.shots)
        return Footprint(
            standard_error=error,
            passes=len(lower(work.circuit)) + n_terms,
            amplitudes=2.0**n,
            memory_bytes=STATES_HELD * self._state_bytes(n),
        )

    def prepare(self, circuit: QuantumCircuit, observables: Any):
        """Lower the circuit and the observables once. See `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_memory(circuit.num_qubits)
        factors = lower(circuit)
        with self._arithmetic():
            masks = Masks.of(factors, self._real)
            terms = tuple(Terms.of(observable, self._complex) for observable in observables)

        def evaluate(parameters, precision=None, shots=None, seed=None) -> Expectations:
            check_request(precision, shots, seed)
            if shots is not None:
                return self._sampled(factors, observables, as_rows(parameters, circuit), shots, seed)
            start = time.perf_counter()
            rows = as_rows(parameters, circuit)
            angles = factors.angles.values(rows).astype(self._real)
            with self._arithmetic():
                values = [np.asarray(_energies(masks, row, terms, circuit.num_qubits)) for row in angles]
            values = np.array(values, dtype=np.float64).reshape(len(rows), len(terms))
            return Expectations(values, np.zeros_like(values), seconds={"execute": time.perf_counter() - start})

        return evaluate

    def value_and_grad(self, circuit, observable, *, precision=None, shots=None, seed=None):
        """Adjoint gradients; with shots, parameter shift on samples. See `Backend.value_and_grad`."""
        if shots is not None:
            return super().value_and_grad(circuit, observable, precision=precision, shots=shots, seed=seed)
        check_unitary(circuit)
        (observable,) = as_observables(observable, circuit.num_qubits)
        self._check_memory(circuit.num_qubits)
        factors = lower(circuit)
        with self._arithmetic():
            masks, terms = Masks.of(factors, self._real), Terms.of(observable, self._complex)

        def f(theta, seed=None):
            rows = as_rows(theta, circuit)
            angles = factors.angles.values(rows).astype(self._real)
            with self._arithmetic():
                pairs = [_energy_and_slopes(masks, row, terms, circuit.num_qubits) for row in angles]
            values = np.array([float(value) for value, _ in pairs])
            slopes = np.array([np.asarray(slope, dtype=np.float64) for _, slope in pairs]).reshape(angles.shape)
            gradients = np.array(
                [factors.angles.jacobian(row).T @ slope for row, slope in zip(rows, slopes, strict=True)]
            )
            return (float(values[0]), gradients[0]) if np.ndim(theta) == 1 else (values, gradients)

        return f

    def _sampled(self, factors: Factors, observables, rows: np.ndarray, shots: int, seed: int | None) -> Expectations:
        start = time.perf_counter()
        plan = measurements(observables)
        streams = np.random.SeedSequence(seed).spawn(len(rows))
        estimates = []
        for row, stream in zip(rows, streams, strict=True):
            psi = self._state(factors, row).reshape((2,) * factors.n_qubits)
            estimates.append(dense.estimate(psi, plan, shots, stream))
        values, errors = (np.array(column) for column in zip(*estimates, strict=True))
        return Expectations(values, errors, shots, {"execute": time.perf_counter() - start})

    def sample(self, circuit: QuantumCircuit, parameters=(), *, shots=1024, seed=None) -> dict[str, int]:
        """Counts drawn from the final state's probabilities."""
        circuit, row = sampled_circuit(circuit, parameters, shots)
        p = dense.probabilities(self.state(circuit, row))
        return dense.draw(p, shots, np.random.default_rng(seed)).to_counts()

    def state(self, circuit: QuantumCircuit, parameters: Any = ()) -> np.ndarray:
        """The final state up to a global phase, shape (2^n,); bit q of the index is qubit q."""
        check_unitary(circuit)
        self._check_memory(circuit.num_qubits)
        (row,) = as_rows(parameters, circuit)
        return self._state(lower(circuit), row)

    def _state(self, factors: Factors, row: np.ndarray) -> np.ndarray:
        angles = factors.angles.values(row[None])[0].astype(self._real)
        with self._arithmetic():
            return np.asarray(_evolve(Masks.of(factors, self._real), angles, factors.n_qubits))

    def _arithmetic(self):
        return jax.enable_x64(self._precision == "double")

    def _state_bytes(self, n_qubits: int) -> int:
        return self._complex.itemsize * 2**n_qubits

    def _check_memory(self, n_qubits: int) -> None:
        memory.check(STATES_HELD * self._state_bytes(n_qubits), what=f"{n_qubits} qubits on 'statevector'")
        if n_qubits > MAX_QUBITS:
            raise Refused(f"'statevector' takes at most {MAX_QUBITS} qubits, not {n_qubits}")
