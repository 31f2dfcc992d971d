"""Central differences, to check gradients by."""

import numpy as np
from qiskit import QuantumCircuit

from backends.base import Backend
from backends.checks import ObservableLike, as_observables
from backends.gradients.value_and_gradient import ValueAndGradient, as_function


def finite_difference(
    backend: Backend, circuit: QuantumCircuit, observable: ObservableLike, *, step: float = 1e-4
) -> ValueAndGradient:
    """Value and central differences (f(theta + h e_k) - f(theta - h e_k)) / 2h, in the form of `parameter_shift`.

    Args:
        backend: Exact; differences of sampled values say nothing.
        circuit: With parameters, without measurements.
        observable: One Hermitian operator on the circuit's qubits.
        step: h, radians. At 1e-4 the method's own error is h^2 / 6 times the third derivative, some 1e-9 of the scale
            of the observable.
    """
    (observable,) = as_observables(observable, circuit.num_qubits)
    expectation = backend.prepare(circuit, observable)

    def evaluate(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        n_params = rows.shape[1]
        moves = step * np.concatenate([np.zeros((1, n_params)), np.eye(n_params), -np.eye(n_params)])
        shifted = (rows[:, None, :] + moves).reshape(len(rows) * len(moves), n_params)
        values = expectation(shifted, seed=seed).values.reshape(len(rows), -1)
        return values[:, 0], (values[:, 1 : 1 + n_params] - values[:, 1 + n_params :]) / (2 * step)

    return as_function(circuit, evaluate, seed=None)
