"""Learning with a quantum kernel: how well a device tells two classes of points apart."""

from collections.abc import Sequence
from itertools import combinations, product
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from hybrid.codesign.suite.benchmark import Answer, Benchmark, Score, Size, Task
from hybrid.codesign.suite.statistics import mean, proportion

TRAIN, TEST = 8, 8
"""Points, half of them of each class."""

SPREAD = 0.2
"""Standard deviation of the points of a class around its centre, radians."""

APART = 0.5
"""Largest kernel of the two centres."""

RIDGE = 0.05
"""Added to the kernel's diagonal where the machine is trained."""


class QuantumKernel(Benchmark):
    """Accuracy on points not seen before of a classifier whose kernel |<psi(x)|psi(y)>|^2 is measured on a device.

    Points have one angle for each qubit and lie around two random centres, one for each class, which a perfect kernel
    tells apart. Of each pair of points the circuit U(y)^-1 U(x) is run, and the part of
    the shots that find |0...0> is the kernel; classes come from kernel ridge regression. One more circuit returns
    a point to itself, which is what Metriq's kernel benchmark measures.

    References:
        V. Havlíček et al., Nature 567, 209 (2019), for kernel and circuit.
    """

    name = "quantum-kernel"
    title = "Quantum kernel"
    sizes: ClassVar = {
        "quick": (Size(2),),
        "small": (Size(2), Size(3)),
        "full": (Size(2), Size(4), Size(6)),
    }
    most = 10

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """One circuit for each pair of training points, each test and training point, and one point with itself."""
        train, train_classes, test, test_classes = data(size.n_qubits, seed)
        pairs = [("train", i, j, train[i], train[j]) for i, j in combinations(range(TRAIN), 2)]
        pairs += [("test", i, j, test[i], train[j]) for i, j in product(range(TEST), range(TRAIN))]
        pairs.append(("itself", 0, 0, train[0], train[0]))
        facts = {"train_classes": train_classes, "test_classes": test_classes}
        return [
            Task(returning(x, y), shots=shots, facts={"kind": kind, "row": i, "column": j, **facts})
            for kind, i, j, x, y in pairs
        ]

    def reference(self, size: Size, *, seed: int) -> float:
        """The accuracy with the exact kernel."""
        train, train_classes, test, test_classes = data(size.n_qubits, seed)
        states = [np.array([Statevector(feature_map(x)).data for x in points]) for points in (train, test)]
        kernel, across = (np.abs(rows.conj() @ states[0].T) ** 2 for rows in states)
        return float(np.mean(classified(kernel, train_classes, across) == test_classes))

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The accuracy, and the probability that a point returns to itself; see `Benchmark.score`."""
        zero = "0" * size.n_qubits
        kernel, across = np.eye(TRAIN), np.zeros((TEST, TRAIN))
        itself = []
        for task, answer in zip(tasks, answers, strict=True):
            found = proportion(answer.counts.get(zero, 0), sum(answer.counts.values()))
            i, j, kind = task.facts["row"], task.facts["column"], task.facts["kind"]
            if kind == "train":
                kernel[i, j] = kernel[j, i] = found.value
            elif kind == "test":
                across[i, j] = found.value
            else:
                itself.append(found)
        facts = tasks[0].facts
        right = classified(kernel, facts["train_classes"], across) == facts["test_classes"]
        accuracy = proportion(int(np.sum(right)), TEST)
        return Score(accuracy.value, accuracy.standard_error, {"self_overlap": mean(itself)})


def feature_map(x: np.ndarray) -> QuantumCircuit:
    """U(x)|0...0>: H and exp(-i x_j Z_j / 2), then exp(-i (pi - x_j)(pi - x_k) Z_j Z_k / 2) of neighbours.

    Args:
        x: Radians, shape (qubits,).
    """
    n = len(x)
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for j in range(n):
        circuit.rz(x[j], j)
    for j in (*range(0, n - 1, 2), *range(1, n - 1, 2)):
        circuit.cx(j, j + 1)
        circuit.rz((np.pi - x[j]) * (np.pi - x[j + 1]), j + 1)
        circuit.cx(j, j + 1)
    return circuit


def returning(x: np.ndarray, y: np.ndarray) -> QuantumCircuit:
    """U(y)^-1 U(x), a barrier between, so that equal points do not cancel before they are run."""
    circuit = feature_map(x)
    circuit.barrier()
    circuit.compose(feature_map(y).inverse(), inplace=True)
    return circuit


def data(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points and their classes, to train with and to test on.

    Args:
        n: Qubits.
        seed: Of the centres and the points.

    Returns:
        Training points of shape (TRAIN, qubits), radians, their classes -1 or 1, and the same of TEST points.
    """
    rng = np.random.default_rng(seed)
    while True:
        centres = rng.uniform(np.pi / 2, 3 * np.pi / 2, (2, n))
        first, second = (Statevector(feature_map(centre)).data for centre in centres)
        if np.abs(np.vdot(first, second)) ** 2 < APART:
            break
    classes = np.repeat([-1, 1], TRAIN // 2), np.repeat([-1, 1], TEST // 2)
    train, test = (centres[(found + 1) // 2] + rng.normal(0, SPREAD, (len(found), n)) for found in classes)
    return train, classes[0], test, classes[1]


def classified(kernel: np.ndarray, classes: np.ndarray, across: np.ndarray) -> np.ndarray:
    """The classes that kernel ridge regression gives, -1 or 1.

    Args:
        kernel: Of the training points, shape (train, train).
        classes: Of the training points.
        across: Kernel of other points with them, shape (others, train).
    """
    weights = np.linalg.solve(kernel + RIDGE * np.eye(len(kernel)), classes)
    return np.where(across @ weights >= 0, 1, -1)
