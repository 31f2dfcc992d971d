"""A quantum neural classifier: data as angles, a trained circuit, one qubit's polarization for each class."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.gradients.value_and_gradient import ValueAndGradient
from backends.mitigation.words import MitigationLike
from backends.seeds import child_seed
from circuits import Problem
from circuits.errors import Refused
from circuits.problems.checks import check_circuit_size, whole
from hybrid.algorithms.algorithm import Algorithm, Stage
from hybrid.algorithms.carry_out import carry_out
from hybrid.algorithms.dataset import DataLike, Dataset, baseline, load
from hybrid.algorithms.inputs import data_files, read_data
from hybrid.algorithms.kinds import Carry, settings
from hybrid.algorithms.outlook import steps_of
from hybrid.algorithms.stages import ALGORITHM, Stages
from hybrid.algorithms.summary import Summary
from hybrid.loop.evaluator import Tile
from hybrid.optimizers.optimizer import Points, Told
from hybrid.routing.spares import Failing
from hybrid.runs.algorithm import Status
from hybrid.runs.budget import Budget
from hybrid.workload.arguments import BackendLike, OptimizerLike
from hybrid.workload.spec import RecordModel
from hybrid.workload.workload import Workload, workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHARPNESS = 5.0
"""A class's score is its qubit's <Z> times this: probabilities of two classes may differ by exp(10)."""


TILE_ROWS = 8
"""Rows of data that are computed together: the same tiles on any number of ranks, so that losses have the same bits."""


class Predictions(RecordModel):
    """Predicted class numbers of the rows, as their file holds them, and what logistic regression gets right."""

    train: list[int]
    test: list[int]
    baseline: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Classifier(Summary):
    """A trained classifier.

    Attributes:
        data: What it was trained on, and the rows held out.
        circuit: Its parameters are ``theta``, then the angles ``x`` of a row.
        theta: Trained parameters, shape (params,), radians.
        losses: Cross entropy of the batch of every step, shape (steps,), in nats.
        train_accuracy: Share of the training rows that it gets right.
        accuracy: Share of the rows held out that it gets right.
        chance: Share of the most frequent class among them.
        baseline: Share that logistic regression on the same angles gets right.
        folder: Where the record lies.
        backend: That it was trained on, and predicts with; None where it was read from a folder that does not hold it.
        problem: The classes' observables, which the circuit is trained for.
        status: How the training ended, as for a run.
    """

    computed: ClassVar[frozenset[str]] = frozenset({"loss", "theta"})

    data: Dataset
    circuit: QuantumCircuit
    theta: np.ndarray
    losses: np.ndarray
    train_accuracy: float
    accuracy: float
    chance: float
    baseline: float
    folder: Path
    backend: Backend | None
    problem: Problem
    status: Status

    def predict(self, rows: ArrayLike, *, shots: int | None = None, seed: int = 0) -> np.ndarray:
        """Predict the classes of rows of data.

        Args:
            rows: Raw features, shape (rows, raw features), in the units of the training data.
            shots: Shots for each measured circuit; None for exact values, or the backend's default.
            seed: Of the shots.

        Returns:
            Numbers of the classes, positions in ``data.classes``, shape (rows,).

        Raises:
            Refused: if it was read from a folder that does not hold the whole backend.
        """
        if self.backend is None:
            raise Refused(
                f"{self.folder} does not hold the backend that it predicts with; call hybrid.classifier again with the "
                f"same arguments, that backend and folder='{self.folder}'"
            )
        scores = Scores(self.backend, self.circuit, len(self.data.classes), shots)
        return np.argmax(scores(self.theta, self.data.angles(rows), seed), axis=1)

    def content(self) -> dict[str, Any]:
        """See `Summary.content`; there is no energy."""
        kept = ("accuracy", "train_accuracy", "chance", "baseline", "theta")
        return {
            "status": self.status,
            "energy": None,
            "standard_error": None,
            "exact_energy": None,
            **{key: getattr(self, key) for key in kept},
            "loss": float(np.mean(self.losses[-10:])),
            "classes": self.data.classes,
            "rows": {"training": len(self.data.train), "held_out": len(self.data.test)},
        }

    def plot(self) -> "Figure":
        """The loss of the batch of every step, and its mean over the last ten.

        Returns:
            The figure, which can be saved with ``savefig``.
        """
        from hybrid.report.panels import Panel, Series, panels

        steps = np.arange(1, len(self.losses) + 1)
        means = np.array([np.mean(self.losses[max(0, k - 10) : k]) for k in steps])
        drawn = [Series("batch", steps, self.losses), Series("mean of the last ten", steps, means)]
        return panels([Panel("cross entropy (nats)", drawn)], x_label="steps", title=self.title(), whole_numbers=True)

    def title(self) -> str:
        """What was done to what."""
        return f"Classifier of {self.data.name}: {self.circuit.num_qubits} qubits, {len(self.theta)} parameters"

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text."""
        return [
            ("held out", f"{_share(self.accuracy, len(self.data.test))} of {len(self.data.test)} rows right"),
            ("training", f"{_share(self.train_accuracy, len(self.data.train))} of {len(self.data.train)} rows right"),
            ("baseline", f"{_share(self.baseline, len(self.data.test))} held out, by logistic regression on the same"),
            ("chance", f"{self.chance:.1%}, the most frequent of {len(self.data.classes)} classes"),
            ("status", self.status),
            ("loss", f"{self.losses[0]:.3f} to {np.mean(self.losses[-10:]):.3f} nats in {len(self.losses)} steps"),
            ("record", str(self.folder)),
        ]


def _share(share: float, n_rows: int) -> str:
    """A share of rows with the standard error of so few, sqrt(p (1 - p) / n), as text."""
    p = (share * n_rows + 0.5) / (n_rows + 1)  # all of n rows are right with an error of about one in n
    return f"{share:.1%} ± {math.sqrt(p * (1 - p) / n_rows):.1%}"


def classifier(
    data: DataLike = "breast_cancer",
    *,
    n_qubits: int = 4,
    layers: int = 2,
    batch_size: int = 32,
    held_out: float = 0.3,
    split_seed: int | None = None,
    backend: BackendLike = "auto",
    optimizer: OptimizerLike = "adam",
    seed: int = 0,
    max_steps: int = 100,
    accuracy: float = 1e-3,
    shots: int | None = None,
    label: str = "open",
    mitigation: MitigationLike | None = None,
    budget: Budget | Mapping[str, float] | None = None,
    failover: Failing = False,
    folder: str | Path | None = None,
    progress: bool = True,
) -> Classifier:
    """Train a circuit that takes the data anew in every layer, by the cross entropy of batches of rows.

    A layer turns qubit q by RY(x_q), entangles neighbours by CZ, and turns each qubit by RZ and RY of trained angles.
    Class k has the score 5 <Z_k>; the scores' softmax are the probabilities. Each step draws the next rows of a
    shuffled epoch; all rows of a batch are one call of the backend for each class.

    Args:
        data: "breast_cancer", "digits", "iris", "wine", a `hybrid.algorithms.table.Table` or (X, y); see
            `hybrid.algorithms.dataset.load`.
        n_qubits: Principal components of the data, one for each qubit; at least as many as classes.
        layers: Number of layers, at least 1.
        batch_size: Rows of data in each step.
        held_out: Share of the rows that are kept out of training and measure the accuracy, between 0 and 1.
        split_seed: Of the choice of the rows held out; None for ``seed``.
        backend: As for `hybrid.minimize`.
        optimizer: As for `hybrid.minimize`; with batches one that expects noise.
        seed: Root of all random numbers: rows held out, start, batches, shots.
        max_steps: Most steps of the optimizer.
        accuracy: Of the loss, in nats.
        shots: As for `hybrid.minimize`.
        label: As for `hybrid.minimize`.
        mitigation: As for `hybrid.minimize`.
        budget: What all stages together may spend at a vendor; as for `hybrid.minimize`.
        failover: As for `hybrid.minimize`; where one stage went on, the next one begins.
        folder: Where the record goes; called again with the same arguments, it continues what it finds there.
        progress: As for `hybrid.minimize`.

    Returns:
        A `Classifier`, which prints itself beside chance and a classical baseline.

    Raises:
        Refused: for data that do not fit; if the extra ``learn`` is not installed.

    References:
        M. Schuld, A. Bocharov, K. M. Svore, N. Wiebe, Phys. Rev. A 101, 032308 (2020), for circuits as classifiers.
        A. Perez-Salinas et al., Data re-uploading for a universal quantum classifier, Quantum 4, 226 (2020).
    """
    algorithm = prepared(
        data,
        n_qubits=n_qubits,
        layers=layers,
        batch_size=batch_size,
        held_out=held_out,
        split_seed=split_seed,
        optimizer=optimizer,
        seed=seed,
        max_steps=max_steps,
        accuracy=accuracy,
        shots=shots,
        label=label,
    )
    return carry_out(
        algorithm,
        backend=backend,
        mitigation=mitigation,
        budget=budget,
        failover=failover,
        folder=folder,
        progress=progress,
    )


def prepared(
    data: DataLike,
    *,
    n_qubits: int,
    layers: int,
    batch_size: int,
    held_out: float,
    split_seed: int | None,
    seed: int,
    **settings: Any,
) -> Algorithm[Classifier]:
    """A classifier, ready to be predicted and trained; see `classifier`.

    Args:
        data: As for `classifier`.
        n_qubits: As for `classifier`.
        layers: As for `classifier`.
        batch_size: As for `classifier`.
        held_out: As for `classifier`.
        split_seed: As for `classifier`.
        seed: As for `classifier`.
        settings: Optimizer, max_steps, accuracy, shots and label.
    """
    layers, batch_size = whole(layers, "layers", at_least=1), whole(batch_size, "batch_size", at_least=1)
    seed = whole(seed, "seed", at_least=0)
    split_seed = seed if split_seed is None else whole(split_seed, "split_seed", at_least=0)
    dataset = load(data, n_features=n_qubits, held_out=held_out, seed=split_seed)
    n_classes = len(dataset.classes)
    if n_classes > n_qubits:
        raise Refused(f"n_qubits must be at least {n_classes}, one for each class of {dataset.name}, not {n_qubits}")
    circuit = classifier_circuit(n_qubits, layers=layers)
    n_theta = circuit.num_parameters - n_qubits
    work = training_work(circuit, dataset, seed=seed, **settings)
    rows = min(batch_size, len(dataset.train))
    return Algorithm(
        "classifier",
        work,
        {"layers": layers, "batch_size": batch_size, "held_out": held_out, "data": digest(dataset)},
        [Stage("training", steps_of(work, n_theta, each=rows * n_classes))],
        [
            f"all {work.max_steps} steps are taken, each of {rows} rows of data for each of {n_classes} classes",
            "the predictions and the classical baseline take no time beside them",
        ],
        lambda stages: carried_out(stages, dataset, batch_size),
        lambda: data_files(dataset),
    )


def training_work(circuit: QuantumCircuit, dataset: Dataset, *, seed: int, **settings: Any) -> Workload:
    """The workload that stands for a training: its circuit, with the classes' observables.

    Args:
        circuit: Of `classifier_circuit`.
        dataset: What it is trained on.
        seed: As for `classifier`.
        settings: Optimizer, max_steps, accuracy, shots and label.
    """
    n_qubits, n_classes = circuit.num_qubits, len(dataset.classes)
    start = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    n_theta = circuit.num_parameters - n_qubits
    problem = Problem(
        SparsePauliOp.sum(class_observables(n_qubits, n_classes)),
        name=f"classes of {dataset.name}",
        unit="nat",
        source={},
    )
    theta = np.concatenate([start.uniform(-0.5, 0.5, n_theta), np.zeros(n_qubits)])
    return workload(circuit, problem, theta=theta, seed=seed, **settings)


class Loss:
    """The mean cross entropy of the batch of each step, in tiles of rows of data that any rank can compute.

    Args:
        work: The training's workload.
        dataset: What it is trained on.
        batch_size: Rows in a batch.
        backend: Where the numbers come from.
    """

    def __init__(self, work: Workload, dataset: Dataset, batch_size: int, backend: Backend):
        self._dataset, self._batch_size, self._seed = dataset, batch_size, work.seed
        self._size = min(batch_size, len(dataset.train))
        self._n_theta = work.circuit.num_parameters - work.circuit.num_qubits
        self._scores = Scores(backend, work.circuit, len(dataset.classes), work.shots)
        whole_batch = backend.capabilities().place == "provider"
        self._tile_rows = self._size if whole_batch else TILE_ROWS

    def __call__(self, points: Points, number: int) -> Told:
        """Losses of a batch at points, with the standard errors of the means over its rows.

        Args:
            points: What the optimizer asks for.
            number: Of the evaluation, from which rows and seeds follow.
        """
        return self.combine(points, self.compute(points, number, self.tiles(points)))

    def tiles(self, points: Points) -> list[Tile]:
        """Some rows of the batch at one of the points each; a provider gets the whole batch at once."""
        size, step = self._size, self._tile_rows
        cuts = [
            (slice(k * size + start, k * size + min(start + step, size)), k)
            for k in range(len(points.rows))
            for start in range(0, size, step)
        ]
        return [Tile(number, *cut) for number, cut in enumerate(cuts)]

    def width(self, points: Points) -> int:
        """Number of columns that `compute` returns: log of the right class's probability, and the loss's gradient."""
        return 1 + (self._n_theta if points.gradient else 0)

    def compute(self, points: Points, number: int, tiles: list[Tile]) -> np.ndarray:
        """Log probabilities of the right classes, and gradients of their negatives, for the rows of some tiles.

        Args:
            points: What the optimizer asks for.
            number: Of the evaluation.
            tiles: Some of its tiles.

        Returns:
            Shape (rows, width).
        """
        data, size = self._dataset, self._size
        chosen = batch_rows(len(data.train), self._batch_size, step=number, seed=_seed(self._seed, 0))
        computed = [np.empty((0, self.width(points)))]
        for tile in tiles:
            rows = chosen[tile.rows.start - tile.group * size : tile.rows.stop - tile.group * size]
            seed = child_seed(_seed(self._seed, 1, number), tile.number)
            theta, angles, labels = points.rows[tile.group], data.train[rows], data.train_labels[rows]
            computed.append(self._rows(theta, angles, labels, seed, gradient=points.gradient))
        return np.concatenate(computed)

    def _rows(
        self, theta: np.ndarray, angles: np.ndarray, labels: np.ndarray, seed: int, *, gradient: bool
    ) -> np.ndarray:
        if gradient:
            s, slopes = self._scores.with_gradients(theta, angles, seed)
        else:
            s, slopes = self._scores(theta, angles, seed), None
        shifted = s - np.max(s, axis=1, keepdims=True)
        log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        right = np.arange(len(labels)), labels
        columns = [log_p[right][:, None]]
        if slopes is not None:
            wrong = np.exp(log_p)
            wrong[right] -= 1.0
            columns.append(np.einsum("rk,rkp->rp", wrong, slopes))
        return np.concatenate(columns, axis=1)

    def combine(self, points: Points, numbers: np.ndarray) -> Told:
        """The losses from the rows of all tiles in order.

        Args:
            points: What the optimizer asks for.
            numbers: What `compute` returns for all tiles.
        """
        rows = numbers.reshape(len(points.rows), self._size, -1)
        log_p = rows[:, :, 0]
        errors = np.std(log_p, axis=1) / np.sqrt(self._size)
        return Told(-np.mean(log_p, axis=1), errors, np.mean(rows[:, :, 1:], axis=1) if points.gradient else None)

    def with_geometry(self, told: Told, points: Points, number: int) -> Told:
        """The same: there is no metric of a loss."""
        del points, number
        return told


def _seed(root: int, *place: int) -> int:
    """As `Stages.seed`, where there are no stages."""
    return child_seed(root, ALGORITHM, *place)


def predictions(stages: Stages, dataset: Dataset, theta: np.ndarray, backend: Backend) -> list[list[int]]:
    """The classes that the trained circuit gives the rows for training, and those held out.

    Args:
        stages: Whose seeds the shots follow from.
        dataset: The rows.
        theta: Trained parameters, shape (params,), radians.
        backend: Where the numbers come from.
    """
    scores = Scores(backend, stages.work.circuit, len(dataset.classes), stages.work.shots)
    return [
        np.argmax(scores(theta, rows, stages.seed(2, k)), axis=1).tolist()
        for k, rows in enumerate((dataset.train, dataset.test))
    ]


def reader(path: Path, asked: Mapping[str, Any]) -> tuple[Workload, Carry]:
    """How its folder is read; see `hybrid.algorithms.kinds.Reader`.

    Args:
        path: Of the folder.
        asked: What was asked.
    """
    data, batch_size = read_data(path), asked["batch_size"]
    circuit = classifier_circuit(data.train.shape[1], layers=asked["layers"])
    work = training_work(circuit, data, **settings(asked))
    return work, lambda stages: carried_out(stages, data, batch_size)


def carried_out(record: Stages, dataset: Dataset, batch_size: int) -> Classifier:
    """The stages of a classifier.

    Args:
        record: Where they are computed, or read.
        dataset: What it is trained on.
        batch_size: Rows in a batch.
    """
    circuit = record.work.circuit
    start = record.work.theta[: circuit.num_parameters - circuit.num_qubits]
    ending, losses = record.descend("training", start, partial(Loss, record.work, dataset, batch_size))
    theta = ending.theta

    def predict(backend: Backend) -> Predictions:
        train, test = predictions(record, dataset, theta, backend)
        return Predictions(train=train, test=test, baseline=baseline(dataset))

    predicted = record.compute_once("predictions", Predictions, predict)
    return Classifier(
        data=dataset,
        circuit=circuit,
        theta=theta,
        losses=losses,
        train_accuracy=float(np.mean(np.array(predicted.train) == dataset.train_labels)),
        accuracy=float(np.mean(np.array(predicted.test) == dataset.test_labels)),
        chance=float(np.max(np.bincount(dataset.test_labels)) / len(dataset.test_labels)),
        baseline=baseline(dataset) if predicted.baseline is None else predicted.baseline,
        folder=record.folder,
        backend=_backend(record),
        problem=record.work.problem,
        status=ending.status,
    )


def _backend(record: Stages) -> Backend | None:
    try:
        return record.backend
    except Refused:
        return None  # it was an object, or had secrets: predicting says so


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


def batch_rows(n_rows: int, batch_size: int, *, step: int, seed: int) -> np.ndarray:
    """The rows of data of one step: each epoch goes once through all rows, shuffled anew, in batches of one size.

    Rows that are left over at the end of an epoch, too few for a batch, are left out.

    Args:
        n_rows: Number of rows of training data.
        batch_size: Rows in a batch; all of them where there are fewer.
        step: Number of the step, from 0.
        seed: Of the shuffling.

    Returns:
        Numbers of the rows, ascending, shape (batch size,).
    """
    size = min(batch_size, n_rows)
    epoch, place = divmod(step, n_rows // size)
    order = np.random.default_rng(child_seed(seed, epoch)).permutation(n_rows)
    return np.sort(order[place * size : (place + 1) * size])


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


def digest(data: Dataset) -> str:
    """Fingerprint of the rows and their classes."""
    content = b"".join(part.tobytes() for part in (data.train, data.train_labels, data.test, data.test_labels))
    return hashlib.sha256(content).hexdigest()[:16]
