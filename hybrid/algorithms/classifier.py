"""A quantum neural classifier: data as angles, a trained circuit, one qubit's polarization for each class."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.mitigation.words import MitigationLike
from circuits import Problem
from circuits.errors import Refused
from circuits.problems.checks import whole
from hybrid.algorithms.algorithm import Algorithm, Stage
from hybrid.algorithms.carry_out import carry_out
from hybrid.algorithms.class_scores import Scores, class_observables, classifier_circuit
from hybrid.algorithms.cross_entropy import Loss
from hybrid.algorithms.dataset import DataLike, Dataset, baseline, load
from hybrid.algorithms.inputs import data_files, read_data
from hybrid.algorithms.kinds import Carry, settings
from hybrid.algorithms.outlook import steps_of
from hybrid.algorithms.stages import Stages
from hybrid.algorithms.summary import Summary
from hybrid.routing.spares import Failing
from hybrid.runs.algorithm import Status
from hybrid.runs.budget import Budget
from hybrid.workload.arguments import BackendLike, OptimizerLike
from hybrid.workload.spec import RecordModel
from hybrid.workload.workload import Workload, workload

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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


def digest(data: Dataset) -> str:
    """Fingerprint of the rows and their classes."""
    content = b"".join(part.tobytes() for part in (data.train, data.train_labels, data.test, data.test_labels))
    return hashlib.sha256(content).hexdigest()[:16]
