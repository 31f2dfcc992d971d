"""A backend whose energies hold a penalty for every overlap with given states."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import PauliList, SparsePauliOp

from backends.base import Backend, Capabilities
from backends.batch import Batch, Expectations
from backends.checks import as_observables, as_rows
from backends.cost import Cost, Footprint, Work
from backends.gradients.value_and_gradient import as_function
from backends.measurement.outcomes import all_bits
from backends.seeds import child_seed
from circuits.errors import Refused

MAX_QUBITS = 16
"""The projector on |0...0> has 2^n terms."""


class Deflated(Backend):
    """Another backend's energies, with penalties: <H> + penalty sum_j |<psi(theta)|psi(theta_j)>|^2.

    The overlaps are the probabilities of |0...0> after the circuit and then, undone, the circuit at theta_j: exact or
    sampled, with or without gradients of its own, as the other backend does it.

    Args:
        backend: Where the numbers come from.
        ansatz: The circuit of the states below.
        below: Their parameters theta_j, shape (states, params).
        penalty: In the unit of H.
    """

    def __init__(self, backend: Backend, ansatz: QuantumCircuit, below: np.ndarray, penalty: float):
        self._backend, self._penalty = backend, penalty
        self._undone = [ansatz.assign_parameters(row).inverse() for row in below]

    def capabilities(self) -> Capabilities:
        """Those of the other backend, under a name that says what its energies are."""
        other = self._backend.capabilities()
        return replace(other, name=f"deflated {other.name}")

    def footprint(self, work: Work) -> Footprint:
        """Each overlap is taken for a circuit of twice the length."""
        other = self._backend.footprint(work)
        return replace(other, passes=other.passes * (1 + 2 * len(self._undone)))

    def predict(self, work: Work) -> Cost:
        """The other backend's cost, for so many circuits more."""
        other = self._backend.predict(work)
        return replace(other, seconds=other.seconds * (1 + 2 * len(self._undone)))

    def prepare(self, circuit: QuantumCircuit, observables: Any) -> Callable[..., Expectations]:
        """Energies with their penalties; see `Backend.prepare`. One observable is taken."""
        (H,) = as_observables(observables, circuit.num_qubits)
        energy = self._backend.prepare(circuit, H)
        zero = zeros(circuit.num_qubits)
        overlaps = [self._backend.prepare(_followed(circuit, undone), zero) for undone in self._undone]

        def evaluate(parameters, precision=None, shots=None, seed=None) -> Expectations:
            rows = as_rows(parameters, circuit)
            if precision is not None:
                raise Refused("penalized energies take a number of shots, not a precision")
            told = energy(rows, shots=shots, seed=child_seed(seed, 0))
            values, variances = told.values.copy(), told.standard_errors**2
            for k, overlap in enumerate(overlaps):
                added = overlap(rows, shots=shots, seed=child_seed(seed, 1 + k))
                values += self._penalty * added.values
                variances += (self._penalty * added.standard_errors) ** 2
            return replace(told, values=values, standard_errors=np.sqrt(variances))

        return evaluate

    def overlaps(self, circuit: QuantumCircuit, theta: np.ndarray, *, shots: int | None, seed: int) -> np.ndarray:
        """|<psi(theta)|psi(theta_j)>|^2 for each of the states, shape (states,)."""
        zero = zeros(circuit.num_qubits)
        asked = [
            Batch(_followed(circuit, undone), zero, theta, shots=shots, seed=child_seed(seed, k))
            for k, undone in enumerate(self._undone)
        ]
        return np.array([self._backend.submit(batch).result().values[0, 0] for batch in asked])

    def value_and_grad(self, circuit, observable, *, precision=None, shots=None, seed=None):
        """By the other backend's method where it is exact, else by parameter shift of the whole sum."""
        can = self._backend.capabilities()
        if precision is not None or shots is not None or not can.exact or can.gradient == "parameter-shift":
            return super().value_and_grad(circuit, observable, precision=precision, shots=shots, seed=seed)
        zero = zeros(circuit.num_qubits)
        parts = [(1.0, self._backend.value_and_grad(circuit, observable))]
        for undone in self._undone:
            parts.append((self._penalty, self._backend.value_and_grad(_followed(circuit, undone), zero)))

        def evaluate(rows, seed):
            found = [(weight, part(rows)) for weight, part in parts]
            values = sum((weight * value for weight, (value, _) in found), np.zeros(len(rows)))
            return values, sum((weight * slope for weight, (_, slope) in found), np.zeros(rows.shape))

        return as_function(circuit, evaluate, seed)


def _followed(circuit: QuantumCircuit, undone: QuantumCircuit) -> QuantumCircuit:
    both = circuit.copy()
    both.compose(undone, inplace=True)
    return both


def zeros(n_qubits: int) -> SparsePauliOp:
    """The projector |0...0><0...0| = prod_q (1 + Z_q) / 2.

    Raises:
        Refused: above 16 qubits.
    """
    if n_qubits > MAX_QUBITS:
        raise Refused(f"overlaps on {n_qubits} qubits would need 2^{n_qubits} terms; at most {MAX_QUBITS} qubits do")
    z = all_bits(2**n_qubits).astype(bool)
    return SparsePauliOp(PauliList.from_symplectic(z, np.zeros_like(z)), np.full(2**n_qubits, 0.5**n_qubits))
