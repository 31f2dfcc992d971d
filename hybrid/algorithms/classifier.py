"""A quantum neural classifier: data as angles, a trained circuit, one qubit's polarization for each class."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.seeds import child_seed
from circuits import Problem
from circuits.errors import Refused
from circuits.problems.checks import whole
from hybrid.algorithms.dataset import Dataset, baseline, load
from hybrid.algorithms.record import opened
from hybrid.algorithms.summary import Summary
from hybrid.optimizers.optimizer import Points, Told
from hybrid.workload.workload import workload

SHARPNESS = 5.0
"""A class's score is its qubit's <Z> times this: probabilities of two classes may differ by exp(10)."""


@dataclass(frozen=True, eq=False, repr=False)
class Classifier(Summary):
    """A trained classifier.

    Attributes:
        data: What it was trained on, and the rows held out.
        circuit: Its parameters are ``theta``, then the angles ``x`` of a row.
        theta: Trained parameters, shape (params,), radians.
        losses: Of the batch of every step, in nats.
        train_accuracy: Share of the training rows that it gets right.
        accuracy: Share of the rows held out that it gets right.
        chance: Share of the most frequent class among them.
        baseline: Share that logistic regression on the same angles gets right.
        folder: Where the record lies.
        backend: Where it runs.
    """

    data: Dataset
    circuit: QuantumCircuit
    theta: np.ndarray
    losses: np.ndarray
    train_accuracy: float
    accuracy: float
    chance: float
    baseline: float
    folder: Path
    backend: Backend

    def predict(self, rows: Any, *, shots: int | None = None, seed: int = 0) -> np.ndarray:
        """Class numbers of raw rows, shape (rows,)."""
        scores = _Scores(self.backend, self.circuit, len(self.data.classes), shots)
        return np.argmax(scores(self.theta, self.data.angles(rows), seed), axis=1)

    def title(self) -> str:
        """What was done to what."""
        return f"Classifier of {self.data.name}: {self.circuit.num_qubits} qubits, {len(self.theta)} parameters"

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of words."""
        return [
            ("held out", f"{self.accuracy:.1%} of {len(self.data.test)} rows right"),
            ("training", f"{self.train_accuracy:.1%} of {len(self.data.train)} rows right"),
            ("baseline", f"{self.baseline:.1%} held out, by logistic regression on the same features"),
            ("chance", f"{self.chance:.1%}, the most frequent of {len(self.data.classes)} classes"),
            ("loss", f"{self.losses[0]:.3f} to {np.mean(self.losses[-10:]):.3f} in {len(self.losses)} steps"),
            ("record", str(self.folder)),
        ]


def classifier(
    data: Any = "breast_cancer",
    *,
    n_qubits: int = 4,
    layers: int = 2,
    batch_size: int = 32,
    held_out: float = 0.3,
    backend: Any = "auto",
    optimizer: Any = "adam",
    seed: int = 0,
    max_steps: int = 100,
    accuracy: float = 1e-3,
    shots: int | None = None,
    label: str = "open",
    folder: str | Path | None = None,
) -> Classifier:
    """Train a circuit that takes the data anew in every layer, by the cross entropy of batches of rows.

    A layer turns qubit q by RY(x_q), entangles neighbours by CZ, and turns each qubit by RZ and RY of trained angles.
    Class k has the score 5 <Z_k>; the scores' softmax are the probabilities. Each step draws the next rows of a
    shuffled epoch; all rows of a batch are one call of the backend for each class.

    Args:
        data: "breast_cancer", "digits", "iris", "wine", or (X, y); see `hybrid.algorithms.dataset.load`.
        n_qubits: Principal components of the data, one for each qubit; at least as many as classes.
        layers: At least 1.
        batch_size: Rows for each step.
        held_out: Share of the rows that it is judged by.
        backend: As for `hybrid.minimize`.
        optimizer: As for `hybrid.minimize`; with batches one that expects noise.
        seed: Root of all random numbers: rows held out, start, batches, shots.
        max_steps: Most steps of the optimizer.
        accuracy: Of the loss, in nats.
        shots: As for `hybrid.minimize`.
        label: As for `hybrid.minimize`.
        folder: Where the record goes; called again with the same arguments, it continues what it finds there.

    Returns:
        A `Classifier`, which prints itself beside chance and a classical baseline.

    Raises:
        Refused: for data that do not fit; if the extra ``learn`` is not installed.

    References:
        M. Schuld, A. Bocharov, K. M. Svore, N. Wiebe, Phys. Rev. A 101, 032308 (2020), for circuits as classifiers.
        A. Perez-Salinas et al., Data re-uploading for a universal quantum classifier, Quantum 4, 226 (2020).
    """
    layers, batch_size = whole(layers, "layers", at_least=1), whole(batch_size, "batch_size", at_least=1)
    dataset = load(data, n_features=n_qubits, held_out=held_out, seed=whole(seed, "seed", at_least=0))
    n_classes = len(dataset.classes)
    if n_classes > n_qubits:
        raise Refused(f"n_qubits must be at least {n_classes}, one for each class of {dataset.name}, not {n_qubits}")
    circuit, n_theta = model(n_qubits, layers)
    start = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))).uniform(-0.5, 0.5, n_theta)
    work = workload(
        circuit,
        Problem(f"classes of {dataset.name}", SparsePauliOp.sum(polarizations(n_qubits, n_classes)), "nat", {}),
        optimizer=optimizer,
        theta=np.concatenate([start, np.zeros(n_qubits)]),
        accuracy=accuracy,
        max_steps=max_steps,
        seed=seed,
        shots=shots,
        label=label,
    )
    asked = {"layers": layers, "batch_size": batch_size, "held_out": held_out, "data": _digest(dataset)}
    with opened("classifier", work, backend=backend, folder=folder, asked=asked) as record:
        scores = _Scores(record.backend, circuit, n_classes, shots)

        def evaluate(points: Points, step: int) -> Told:
            rows = batch(len(dataset.train), batch_size, step, record.seed(0))
            return _loss(scores, points, dataset.train[rows], dataset.train_labels[rows], record.seed(1, step))

        ending, losses = record.descend("training", start, evaluate)
        theta = ending.theta

        def ask() -> dict[str, Any]:
            parts = {"train": dataset.train, "test": dataset.test}
            return {
                name: np.argmax(scores(theta, rows, record.seed(2, k)), axis=1)
                for k, (name, rows) in enumerate(parts.items())
            }

        predicted = record.answer("predictions", ask)
        result = Classifier(
            data=dataset,
            circuit=circuit,
            theta=theta,
            losses=losses,
            train_accuracy=float(np.mean(np.array(predicted["train"]) == dataset.train_labels)),
            accuracy=float(np.mean(np.array(predicted["test"]) == dataset.test_labels)),
            chance=float(np.max(np.bincount(dataset.test_labels)) / len(dataset.test_labels)),
            baseline=baseline(dataset),
            folder=record.folder,
            backend=record.backend,
        )
        kept = ("accuracy", "train_accuracy", "chance", "baseline", "theta")
        record.finish({key: getattr(result, key) for key in kept})
    return result


def model(n_qubits: int, layers: int) -> tuple[QuantumCircuit, int]:
    """The circuit, and the number of trained parameters, which come first."""
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
    return circuit, len(theta)


def polarizations(n_qubits: int, n_classes: int) -> list[SparsePauliOp]:
    """Z on qubit k for class k."""
    return [SparsePauliOp.from_sparse_list([("Z", [k], 1.0)], n_qubits) for k in range(n_classes)]


def batch(n_rows: int, batch_size: int, step: int, seed: int) -> np.ndarray:
    """The rows of one step: all are seen once, in a new order, before any is seen again; a rest is left out."""
    size = min(batch_size, n_rows)
    epoch, place = divmod(step, n_rows // size)
    order = np.random.default_rng(child_seed(seed, epoch)).permutation(n_rows)
    return np.sort(order[place * size : (place + 1) * size])


class _Scores:
    """Scores of rows, shape (rows, classes), with or without their gradients by theta."""

    def __init__(self, backend: Backend, circuit: QuantumCircuit, n_classes: int, shots: int | None):
        observables = polarizations(circuit.num_qubits, n_classes)
        self._values = backend.prepare(circuit, observables)
        self._slopes: list[Callable] | None = None
        self._make = lambda: [backend.value_and_grad(circuit, one, shots=shots) for one in observables]
        self._shots = shots

    def __call__(self, theta: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
        return SHARPNESS * self._values(_joined(theta, rows), shots=self._shots, seed=seed).values

    def with_gradients(self, theta: np.ndarray, rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Scores, and gradients of shape (rows, classes, params)."""
        self._slopes = self._slopes or self._make()
        told = [slope(_joined(theta, rows), seed=child_seed(seed, k)) for k, slope in enumerate(self._slopes)]
        values, slopes = (np.stack([one[part] for one in told], axis=1) for part in (0, 1))
        return SHARPNESS * values, SHARPNESS * slopes[:, :, : len(theta)]


def _joined(theta: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.concatenate([np.tile(theta, (len(rows), 1)), rows], axis=1)


def _loss(scores: _Scores, points: Points, rows: np.ndarray, labels: np.ndarray, seed: int) -> Told:
    """Mean cross entropy of a batch, with the standard error of the mean, at each of the points."""
    values, errors, gradients = [], [], []
    for k, theta in enumerate(points.rows):
        if points.gradient:
            s, slopes = scores.with_gradients(theta, rows, child_seed(seed, k))
        else:
            s, slopes = scores(theta, rows, child_seed(seed, k)), None
        shifted = s - np.max(s, axis=1, keepdims=True)
        log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        right = np.arange(len(labels)), labels
        values.append(-np.mean(log_p[right]))
        errors.append(np.std(log_p[right]) / np.sqrt(len(labels)))
        if slopes is not None:
            wrong = np.exp(log_p)
            wrong[right] -= 1.0
            gradients.append(np.einsum("rk,rkp->p", wrong, slopes) / len(labels))
    return Told(np.array(values), np.array(errors), np.array(gradients) if points.gradient else None)


def _digest(data: Dataset) -> str:
    content = b"".join(part.tobytes() for part in (data.train, data.train_labels, data.test, data.test_labels))
    return hashlib.sha256(content).hexdigest()[:16]
