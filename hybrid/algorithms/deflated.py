"""A backend whose energies contain a penalty for the overlap with given states: deflation."""

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.quantum_info import PauliList, SparsePauliOp

from backends.base import Backend, Capabilities, Jobs
from backends.batch import Batch, Evaluate, Expectations
from backends.checks import ObservablesLike, as_observables, as_rows
from backends.cost import Cost, Footprint, Work
from backends.gradients.value_and_gradient import ValueAndGradient, as_function
from backends.measurement.outcomes import all_bits
from backends.seeds import child_seed
from circuits.errors import Refused

if TYPE_CHECKING:
    from backends.providers.dispatch import Dispatch

MAX_QUBITS = 16
"""Most qubits of an overlap: the projector on |0...0> has 2^n terms."""


class Deflated(Backend, Jobs):
    """Another backend's energies, with penalties: <H> + penalty sum_j |<psi(theta)|psi(theta_j)>|^2.

    The overlaps are the probabilities of |0...0> after the circuit and the inverse of the circuit at theta_j: exact or
    sampled, with or without gradients of its own, as the other backend does it.

    Args:
        backend: Where the numbers come from.
        ansatz: The circuit of the states below.
        below: Parameters theta_j of the states below, shape (states, params), radians.
        penalty: In the unit of H.

    References:
        O. Higgott, D. Wang, S. Brierley, Variational quantum computation of excited states, Quantum 3, 156 (2019).
    """

    def __init__(self, backend: Backend, ansatz: QuantumCircuit, below: np.ndarray, penalty: float):
        self._backend, self._penalty, self.around = backend, penalty, backend
        self._states = ansatz, below
        self.hardware: Any = backend.hardware if isinstance(backend, Jobs) else None
        self._inverses = [ansatz.assign_parameters(row).inverse() for row in below]

    def through(self, dispatch: "Dispatch") -> "Deflated":
        """The same, with the other backend's jobs sent by the dispatch; see `Jobs`."""
        assert isinstance(self._backend, Jobs)
        other = copy.copy(self)
        other._backend = self._backend.through(dispatch)
        return other

    @property
    def on(self) -> Callable[[Backend], "Deflated"]:
        """A function that puts the same penalties around another backend's energies, and can be sent to a process."""
        return partial(_deflated, *self._states, self._penalty)

    def capabilities(self) -> Capabilities:
        """Those of the other backend, under a name that says what its energies are."""
        other = self._backend.capabilities()
        return replace(other, name=f"deflated {other.name}")

    def footprint(self, work: Work) -> Footprint:
        """The other backend's footprint, with each overlap counted as a circuit of twice the length."""
        other = self._backend.footprint(work)
        return replace(other, passes=other.passes * (1 + 2 * len(self._inverses)))

    def predict(self, work: Work) -> Cost:
        """The other backend's cost, with each overlap counted as a circuit of twice the length."""
        other = self._backend.predict(work)
        return replace(other, seconds=other.seconds * (1 + 2 * len(self._inverses)))

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """A function for energies with their penalties; see `Backend.prepare`.

        Args:
            circuit: The ansatz.
            observables: A single one, H.

        Returns:
            A function like that of `Backend.prepare`; it takes shots, but no precision.

        Raises:
            Refused: if the other backend cannot do the circuit, or for more than 16 qubits.
        """
        (H,) = as_observables(observables, circuit.num_qubits)
        energy = self._backend.prepare(circuit, H)
        zero = zero_projector(circuit.num_qubits)
        overlaps = [self._backend.prepare(_composed(circuit, inverse), zero) for inverse in self._inverses]

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            rows = as_rows(parameters, circuit)
            if precision is not None:
                raise Refused("penalized energies take a number of shots, not a precision")
            energies = energy(rows, shots=shots, seed=child_seed(seed, 0))
            values, variances = energies.values.copy(), energies.standard_errors**2
            for k, overlap in enumerate(overlaps):
                added = overlap(rows, shots=shots, seed=child_seed(seed, 1 + k))
                values += self._penalty * added.values
                variances += (self._penalty * added.standard_errors) ** 2
            return replace(energies, values=values, standard_errors=np.sqrt(variances))

        return evaluate

    def overlaps(self, circuit: QuantumCircuit, theta: np.ndarray, *, shots: int | None, seed: int) -> np.ndarray:
        """|<psi(theta)|psi(theta_j)>|^2 for each of the states below.

        Args:
            circuit: The ansatz.
            theta: Its parameters, shape (params,), radians.
            shots: Shots for each overlap; None for exact values, or the other backend's default.
            seed: Of the shots.

        Returns:
            Shape (states,).
        """
        zero = zero_projector(circuit.num_qubits)
        asked = [
            Batch(_composed(circuit, inverse), zero, theta, shots=shots, seed=child_seed(seed, k))
            for k, inverse in enumerate(self._inverses)
        ]
        return np.array([self._backend.submit(batch).result().values[0, 0] for batch in asked])

    def value_and_grad(
        self,
        circuit: QuantumCircuit,
        observable: SparsePauliOp,
        *,
        precision: float | None = None,
        shots: int | None = None,
        seed: int | None = None,
    ) -> ValueAndGradient:
        """By the other backend's method where that is exact, else by parameter shift; see `Backend.value_and_grad`.

        Args:
            circuit: The ansatz.
            observable: H.
            precision: Must be None.
            shots: Shots for each measured circuit.
            seed: Root of the random numbers of every call.
        """
        can = self._backend.capabilities()
        if precision is not None or shots is not None or not can.exact or can.gradient == "parameter-shift":
            return super().value_and_grad(circuit, observable, precision=precision, shots=shots, seed=seed)
        zero = zero_projector(circuit.num_qubits)
        parts = [(1.0, self._backend.value_and_grad(circuit, observable))]
        for inverse in self._inverses:
            parts.append((self._penalty, self._backend.value_and_grad(_composed(circuit, inverse), zero)))

        def evaluate(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
            del seed  # nothing is random
            values, gradients = np.zeros(len(rows)), np.zeros(rows.shape)
            for weight, part in parts:
                value, gradient = part(rows)
                values += weight * value
                gradients += weight * gradient
            return values, gradients

        return as_function(circuit, evaluate, seed)


def _deflated(ansatz: QuantumCircuit, below: np.ndarray, penalty: float, backend: Backend) -> Deflated:
    return Deflated(backend, ansatz, below, penalty)


def _composed(circuit: QuantumCircuit, inverse: QuantumCircuit) -> QuantumCircuit:
    both = circuit.copy()
    both.compose(inverse, inplace=True)
    return both


def zero_projector(n_qubits: int) -> SparsePauliOp:
    """The projector |0...0><0...0| = prod_q (1 + Z_q) / 2.

    Raises:
        Refused: above 16 qubits.
    """
    if n_qubits > MAX_QUBITS:
        raise Refused(f"overlaps on {n_qubits} qubits would need 2^{n_qubits} terms; at most {MAX_QUBITS} qubits do")
    z = all_bits(2**n_qubits).astype(bool)
    return SparsePauliOp(PauliList.from_symplectic(z, np.zeros_like(z)), np.full(2**n_qubits, 0.5**n_qubits))
