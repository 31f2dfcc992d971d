"""A workload: problem, ansatz, optimizer, accuracy and the label of its data; the unit that is routed."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.checks import as_observables, as_rows, check_request, check_unitary
from backends.gradients.fidelity import obtainable
from circuits import Problem
from circuits.errors import Refused, unknown
from circuits.problems.checks import finite, whole
from circuits.problems.problem import as_problem
from hybrid import optimizers
from hybrid.optimizers.optimizer import Optimizer
from hybrid.terminal.words import counted, with_unit
from hybrid.workload.arguments import OptimizerLike, ProblemLike
from hybrid.workload.expected import Expected, comparisons, deviation, expected

LABELS = ("open", "internal", "restricted")
"""Data labels. Only open data may leave this machine for a provider."""

START_SPREAD = 0.1
"""Half width, in radians, of the random starting point of a circuit that suggests none."""


@dataclass(frozen=True, eq=False)
class Workload:
    """What is to be minimized, how, and how well.

    Attributes:
        circuit: Ansatz with parameters, on the problem's qubits.
        problem: Hamiltonian and what is known about it.
        optimizer: The algorithm and its settings.
        theta: Starting point, shape (params,), radians.
        accuracy: Wanted accuracy of the minimum, in the problem's unit.
        max_steps: Most steps that the optimizer may take.
        seed: Root of every random number of the run.
        shots: Shots for each measured circuit, or None for exact values (a device then takes its default).
        label: Classification of the data, one of `LABELS`.
    """

    circuit: QuantumCircuit
    problem: Problem
    optimizer: Optimizer
    theta: np.ndarray
    accuracy: float
    max_steps: int
    seed: int
    shots: int | None
    label: str

    @property
    def observables(self) -> tuple[SparsePauliOp, ...]:
        """What is evaluated: the Hamiltonian alone."""
        return (self.problem.hamiltonian,)

    @property
    def n_rows(self) -> int:
        """Rows of parameters in one evaluation: 1, since `n_evaluations` counts rows."""
        return 1

    @property
    def n_evaluations(self) -> int:
        """Predicted number of rows until the end, and of states compared for the geometry, which cost as much.

        What finished runs have taught is not in it: so that the same workload is sent to the same backend tomorrow.
        """
        rows = self.expected().rows
        return rows + comparisons(self.optimizer, len(self.theta), rows)

    def expected(self, *, shots: int | None = None, factor: float = 1.0) -> Expected:
        """The rows until the optimizer ends or its steps are spent; those of the conclusion come on top.

        Args:
            shots: That a device takes by default, where the workload names none.
            factor: What runs on this machine were found to take, relative to what is expected elsewhere.
        """
        return expected(
            self.optimizer,
            len(self.theta),
            accuracy=self.accuracy,
            max_steps=self.max_steps,
            sigma=deviation(self.problem.hamiltonian, self.shots or shots),
            factor=factor,
        )

    @property
    def n_final(self) -> int:
        """Rows that a run with statistical errors evaluates in the end, in two calls; see `hybrid.loop.conclusion`.

        The optimizer's answer, the best point on the way and the start, then the lowest of them once more.
        """
        return 4 if len(self.theta) else 1

    @property
    def n_calls(self) -> int:
        """Predicted number of times that rows are sent together: once a step, but every comparison of states alone."""
        n_evaluations = self.n_evaluations
        at_once = 1 if self.optimizer.geometry else self.expected().at_once
        calls = math.ceil(n_evaluations / at_once)
        calls = calls if self.optimizer.geometry else min(calls, self.max_steps)
        return calls + min(self.n_final, 2)

    @property
    def derivative(self) -> bool:
        """Whether gradients are asked for."""
        return self.optimizer.uses_gradient

    @property
    def precision(self) -> float | None:
        """Wanted standard error of each value: None, since a workload asks for shots instead."""
        return None

    @property
    def description(self) -> str:
        """Problem, sizes, optimizer and accuracy, on one line."""
        circuit, problem = self.circuit, self.problem
        qubits, n_params = counted(circuit.num_qubits, "qubits"), counted(circuit.num_parameters, "parameters")
        return (
            f"{problem.name}: {qubits}, {n_params}, {counted(len(problem.hamiltonian), 'terms')}, "
            f"{type(self.optimizer).__name__}, accuracy {with_unit(f'{self.accuracy:g}', problem.unit)}"
        )

    @property
    def held_bytes(self) -> int:
        """The memory that the optimizer takes for itself; part of every predicted cost."""
        return self.optimizer.memory_bytes(len(self.theta), self.max_steps)

    @property
    def holder(self) -> str:
        """Whose memory `held_bytes` is: the optimizer's."""
        return self.optimizer.kind

    @property
    def rows(self) -> np.ndarray | None:
        """None: the optimizer chooses; but of a circuit without parameters there is one row, and it is empty."""
        return None if len(self.theta) else self.theta[None]

    @property
    def first(self) -> np.ndarray:
        """The starting point."""
        return self.theta

    def check(self, backend: Backend) -> None:
        """Refuse a backend that cannot give the optimizer the geometry of the states, if it asks for that."""
        if self.optimizer.geometry:
            obtainable(backend, self.shots)


def workload(
    circuit: QuantumCircuit,
    problem: ProblemLike,
    *,
    optimizer: OptimizerLike = "lbfgs",
    theta: ArrayLike | None = None,
    accuracy: float = 1e-6,
    max_steps: int = 200,
    seed: int = 0,
    shots: int | None = None,
    label: str = "open",
    exact: bool = True,
) -> Workload:
    """A workload from what a user gave, checked and converted.

    Args:
        circuit: Ansatz with parameters; no measurements.
        problem: A `circuits.Problem`, or a Hermitian operator on the circuit's qubits.
        optimizer: Name or `Optimizer`.
        theta: Starting point, shape (params,), radians; by default the one in the circuit's metadata, or a small
            random one.
        accuracy: Wanted accuracy of the minimum, in the problem's unit.
        max_steps: Most steps of the optimizer.
        seed: Root of every random number.
        shots: Shots for each measured circuit; None for exact values, or a device's default.
        label: Classification of the data, one of `LABELS`.
        exact: Whether the lowest energy of the problem may be computed beside the run, where that costs little.

    Raises:
        Refused: if the parts do not fit each other.
    """
    check_unitary(circuit)
    problem = as_problem(problem, circuit.num_qubits)
    if problem.n_qubits != circuit.num_qubits:
        raise Refused(
            f"the Hamiltonian of {problem.name} acts on {counted(problem.n_qubits, 'qubits')}, but the circuit has "
            f"{circuit.num_qubits}: give an ansatz made for this problem"
        )
    as_observables(problem.hamiltonian, circuit.num_qubits)
    problem = problem if exact else without_exact_energy(problem)
    if finite(accuracy, "accuracy") <= 0:
        raise Refused(f"accuracy must be a positive number in {problem.unit}, not {accuracy}")
    max_steps = whole(max_steps, "max_steps", at_least=1)
    seed = whole(seed, "seed", at_least=0)
    check_request(None, shots, None)
    if label not in LABELS:
        raise unknown("data label", str(label), LABELS)
    start = _start(circuit, seed) if theta is None else theta
    if np.ndim(start) > 1:
        raise Refused(f"theta must have the shape ({circuit.num_parameters},), not {np.shape(start)}")
    (row,) = as_rows(start, circuit)
    return Workload(circuit, problem, optimizers.get(optimizer), row, float(accuracy), max_steps, seed, shots, label)


def without_exact_energy(problem: Problem) -> Problem:
    """The same problem, whose lowest energy is computed for nobody who does not ask the problem itself for it."""
    return replace(problem, solve=problem.exact_energy, solve_seconds=math.inf)


def _start(circuit: QuantumCircuit, seed: int) -> np.ndarray:
    """The ansatz's own starting point, or a small random one."""
    suggested = (circuit.metadata or {}).get("theta")
    if suggested is not None and len(suggested) != circuit.num_parameters:
        raise Refused(
            f"the circuit's metadata suggest {len(suggested)} starting parameters, but it has "
            f"{circuit.num_parameters}: it was changed after it was made; give theta"
        )
    if suggested is not None:
        return np.asarray(suggested, dtype=float)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    return rng.uniform(-START_SPREAD, START_SPREAD, circuit.num_parameters)
