"""The circuit of a classifier, and the scores that it gives the classes of rows of data."""

from functools import cached_property

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.gradients.value_and_gradient import ValueAndGradient
from backends.seeds import child_seed
from circuits.problems.checks import check_circuit_size

SHARPNESS = 5.0
"""A class's score is its qubit's <Z> times this: probabilities of two classes may differ by exp(10)."""


def classifier_circuit(n_qubits: int, *, layers: int) -> QuantumCircuit:
    """The classifier's circuit, with one row of data encoded anew in every layer.

    Args:
        n_qubits: Number of qubits, and of features.
        layers: Number of layers.

    Returns:
        A circuit whose parameters are first ``theta``, the 2 * layers * n_qubits trained angles, then ``x``, the
        n_qubits angles of a row of data.
    """
    check_circuit_size(3 * layers * n_qubits, f"the classifier of {layers} layers on {n_qubits} qubits")
    theta, x = ParameterVector("theta", 2 * layers * n_qubits), ParameterVector("x", n_qubits)
    angles = iter(theta)
    circuit = QuantumCircuit(n_qubits, name="classifier")
    for _ in range(layers):
        for q in range(n_qubits):
            circuit.ry(x[q], q)
        for q in range(n_qubits - 1):
            circuit.cz(q, q + 1)
        for q in range(n_qubits):
            circuit.rz(next(angles), q)
            circuit.ry(next(angles), q)
    return circuit


def class_observables(n_qubits: int, n_classes: int) -> list[SparsePauliOp]:
    """The observable of each class: Z on qubit k for class k.

    Args:
        n_qubits: Number of qubits.
        n_classes: Number of classes, at most as many as qubits.
    """
    return [SparsePauliOp.from_sparse_list([("Z", [k], 1.0)], n_qubits) for k in range(n_classes)]


class Scores:
    """Scores of rows of data, shape (rows, classes), with or without their gradients by theta.

    Args:
        backend: Where the numbers come from.
        circuit: Of `classifier_circuit`.
        n_classes: Number of classes.
        shots: Shots for each measured circuit; None for exact values, or the backend's default.
    """

    def __init__(self, backend: Backend, circuit: QuantumCircuit, n_classes: int, shots: int | None):
        self._backend, self._circuit, self._shots = backend, circuit, shots
        self._observables = class_observables(circuit.num_qubits, n_classes)
        self._values = backend.prepare(circuit, self._observables)

    def __call__(self, theta: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
        """Scores, shape (rows, classes); as `with_gradients`."""
        return SHARPNESS * self._values(_joined(theta, rows), shots=self._shots, seed=seed).values

    def with_gradients(self, theta: np.ndarray, rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Scores and their gradients by theta.

        Args:
            theta: Trained parameters, shape (params,), radians.
            rows: Angles of rows of data, shape (rows, features), radians.
            seed: Of the shots, if there are any.

        Returns:
            Scores, shape (rows, classes), and gradients, shape (rows, classes, params).
        """
        joined = _joined(theta, rows)
        results = [f(joined, seed=child_seed(seed, k)) for k, f in enumerate(self._values_and_gradients)]
        values, gradients = (np.stack(arrays, axis=1) for arrays in zip(*results, strict=True))
        return SHARPNESS * values, SHARPNESS * gradients[:, :, : len(theta)]

    @cached_property
    def _values_and_gradients(self) -> list[ValueAndGradient]:
        """A function for each class; compiled when a gradient is first asked for."""
        return [self._backend.value_and_grad(self._circuit, Z, shots=self._shots) for Z in self._observables]


def _joined(theta: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.concatenate([np.tile(theta, (len(rows), 1)), rows], axis=1)
