"""Density matrices under a device's noise, behind the seam of all backends."""

import time
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends import dense, memory
from backends.base import Backend, Capabilities, Samples
from backends.batch import Evaluate, Expectations
from backends.checks import as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.density.evolution import every, kept_states
from backends.density.program import MAX_QUBITS, Program, check_width, prepared
from backends.density.values import Values
from backends.devices.device import Device
from backends.gradients.shift_rule import n_shifted
from backends.gradients.value_and_gradient import as_function
from backends.measurement.groups import Measurements, measurements
from backends.measurement.sampled import sampling
from backends.measurement.targets import LEVELS, OptimizationLevel
from circuits.errors import Refused

Told = Callable[[str], np.ndarray]
"""Probabilities, shape (2^n,), of the bit strings that are told where each qubit is measured in a letter's basis."""


class Density(Backend, Samples):
    """Exact values of a device with noise, in double precision, with derivatives by backpropagation.

    Values are those of infinitely many shots on the device; with shots, bit strings are drawn.

    Args:
        device: A `Device`, the name of a snapshot such as "ibm:fake_torino", or the keys of a device's section.
        optimization_level: For the one transpilation of each circuit; 0 runs every gate that was written.
    """

    automatic = False

    def __init__(
        self,
        *,
        device: Annotated[Any, 'a device, such as "ibm:fake_manila", or its numbers'] = None,
        optimization_level: Annotated[OptimizationLevel, LEVELS] = 0,
    ):
        if device is None:
            raise Refused(
                'density applies the noise of a device: give one, as in device="ibm:fake_manila"; without noise take '
                "statevector"
            )
        self.device = Device.of(device)
        self._level: OptimizationLevel = optimization_level

    def capabilities(self) -> Capabilities:
        """Values without statistical errors, with noise, with gradients of its own."""
        return Capabilities(
            name="density",
            summary=f"density matrices, with the noise of {self.device.name}",
            max_qubits=min(MAX_QUBITS, self.device.n_qubits),
            exact=True,
            noise=True,
            gradient="backprop",
        )

    def footprint(self, work: Work) -> Footprint:
        """One pass over 4^n numbers for each pair of gates; a derivative goes back, and some of the way twice.

        Raises:
            Refused: for a circuit that cannot be brought to the device, or takes too many of its qubits.
        """
        program = prepared(work.circuit, self.device, self._level)
        steps, size = len(program.pairs), 4.0**program.n_qubits
        plan = None if work.shots is None else measurements(work.observables)
        again = every(steps, program.n_qubits) < steps
        derivative = work.derivative and work.shots is None
        return Footprint(
            passes=float((3 + again) * steps if derivative else steps),
            amplitudes=size,
            memory_bytes=_bytes(program, derivative=derivative),
            values=1 + n_shifted(work.circuit) if work.derivative and not derivative else 1,
            standard_error=0.0 if plan is None or work.shots is None else plan.standard_error(work.shots),
            circuits=0 if plan is None else len(plan.groups),
            shots=0 if plan is None else len(plan.groups) * (work.shots or 0),
            steps=float(len(program.segments)),
            kind="density matrix",
        )

    def prepare(self, circuit: QuantumCircuit, observables: Any) -> Evaluate:
        """Transpile once. See `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        values = Values(self._program(circuit, derivative=False), self.device, observables)
        plan = measurements(observables)

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            start = time.perf_counter()
            errors = np.zeros((len(rows), len(observables)))
            if shots is None:
                found = np.array([values(row) for row in rows]).reshape(errors.shape)
            else:
                streams = np.random.SeedSequence(seed).spawn(len(rows))
                pairs = [_drawn(_told(values, row), plan, shots, one) for row, one in zip(rows, streams, strict=True)]
                found, errors = (np.reshape(part, errors.shape) for part in zip(*pairs, strict=True))
            return Expectations(found, errors, shots or 0, {"execute": time.perf_counter() - start})

        return evaluate

    def value_and_grad(self, circuit, observable, *, precision=None, shots=None, seed=None):
        """Backpropagation; with shots, parameter shift on samples. See `Backend.value_and_grad`."""
        check_request(precision, shots, seed)
        if shots is not None:
            return super().value_and_grad(circuit, observable, precision=precision, shots=shots, seed=seed)
        check_unitary(circuit)
        (observable,) = as_observables(observable, circuit.num_qubits)
        values = Values(self._program(circuit, derivative=True), self.device, (observable,))

        def evaluate(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
            found = [values.and_slopes(row) for row in rows]
            gradients = np.array([gradient for _, gradient in found]).reshape(len(rows), circuit.num_parameters)
            return np.array([value for value, _ in found]), gradients

        return as_function(circuit, evaluate, seed)

    def function(self, circuit: QuantumCircuit, observable: SparsePauliOp) -> Callable[..., Any]:
        """The value as a function of JAX's, of the angles and of noise parameters; see `noisy_value`."""
        from backends.density.function import noisy_value

        return noisy_value(circuit, observable, self.device, optimization_level=self._level)

    def sample(
        self, circuit: QuantumCircuit, parameters: Any = (), *, shots: int = 1024, seed: int | None = None
    ) -> dict[str, int]:
        """Counts of bit strings, of circuits that measure at their end at most; see `Samples`."""
        request = sampling(circuit, parameters, shots=shots, seed=seed)
        circuit = request.at_end("density")
        told = _told(Values(self._program(circuit, derivative=False), self.device), request.row)
        drawn = dense.draw(told("Z" * circuit.num_qubits), shots, np.random.default_rng(seed))
        return request.of_all(drawn)

    def _program(self, circuit: QuantumCircuit, *, derivative: bool) -> Program:
        check_width(circuit.num_qubits, self.device)
        program = prepared(circuit, self.device, self._level)
        memory.check(_bytes(program, derivative=derivative), what=f"{program.n_qubits} qubits on density")
        return program


def _bytes(program: Program, *, derivative: bool) -> int:
    """States, and the matrices of the steps with what they are made of."""
    states = 3 + kept_states(len(program.pairs), program.n_qubits) if derivative else 1
    matrices = len(program.segments) * (12 if derivative else 6) + program.blocks.size * (6 if derivative else 2)
    return 8 * (4**program.n_qubits * states + 256 * matrices)


def _told(values: Values, row: np.ndarray) -> Told:
    """The probabilities of what is told at a row of parameters."""
    program = values.program
    r = values.told(row).reshape((4,) * program.n_qubits)

    def told(basis: str) -> np.ndarray:
        letters = dict(zip(program.place, reversed(basis.replace("I", "Z")), strict=True))
        kept = r
        for axis, q in enumerate(reversed(range(program.n_qubits))):
            kept = np.take(kept, [0, "IXYZ".index(letters.get(q, "Z"))], axis)
        return probabilities(kept, program.place)

    return told


def _drawn(told: Told, plan: Measurements, shots: int, stream: np.random.SeedSequence) -> Any:
    """Values and standard errors from drawn bit strings, a random stream for each group."""
    streams = stream.spawn(len(plan.groups))
    return plan.estimate(
        [
            dense.draw(told(group.basis), shots, np.random.default_rng(one))
            for group, one in zip(plan.groups, streams, strict=True)
        ]
    )


def probabilities(values: np.ndarray, place: tuple[int, ...]) -> np.ndarray:
    """Probabilities of bit strings from the expectation values of all products of one letter on each qubit.

    Args:
        values: Of I or the letter on each qubit, shape (2,) * n, axis n-1-k for qubit k of the state.
        place: Qubit of the state that holds each qubit; others are summed over.

    Returns:
        Shape (2^len(place),); bit q of an index is qubit q.
    """
    n = values.ndim
    kept = values[tuple(slice(None) if n - 1 - axis in place else 0 for axis in range(n))]
    order = sorted(place)
    axes = [len(order) - 1 - order.index(k) for k in reversed(place)]
    p = np.transpose(kept, axes)
    for axis in range(p.ndim):
        one, z = np.take(p, 0, axis), np.take(p, 1, axis)
        p = np.stack([one + z, one - z], axis) / 2
    p = np.clip(p.reshape(-1), 0, None)
    return p / p.sum()
