"""Evaluates the points that an optimizer asks for on one backend, in tiles that do not depend on who computes them.

The rows of parameters are cut into tiles of a fixed number of rows, and a Hamiltonian that costs much more than the
circuit into groups of terms. Each tile draws from a random seed of its own, and groups are summed in a fixed order:
whether one process computes all tiles or many share them, the numbers are the same to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from qiskit import QuantumCircuit

from backends.base import Backend
from backends.gradients.fidelity import fidelities
from backends.gradients.metric import metric
from backends.gradients.shift_rule import shift_rule
from backends.seeds import child_seed
from circuits.layers import layers
from hybrid.loop.terms import term_groups
from hybrid.optimizers.optimizer import Metric, Points, Told
from hybrid.workload.workload import Workload

EVALUATIONS = 1
"""Branch of the run's tree of seeds that the evaluations draw from."""

HEAD = 3
"""Columns of what is computed before those of the gradient: value, standard error, bias."""

METRICS, FIDELITIES = 1, 2
"""Branches of an evaluation's own tree."""

TILE_ROWS, TILE_QUBITS = 16, 10
"""Rows of a tile for exact values of small states: all of them take an engine hardly longer than a few."""


@dataclass(frozen=True)
class Tile:
    """A piece of an evaluation: some rows of parameters, and one group of the Hamiltonian's terms.

    Attributes:
        number: Position among the tiles of the evaluation, from which its seed follows.
        rows: Which of the rows to be evaluated.
        group: Number of the group of terms.
    """

    number: int
    rows: slice
    group: int


class Evaluator:
    """Compiles the workload for a backend once, then evaluates points.

    Args:
        workload: What is minimized.
        backend: Where the numbers come from.
    """

    def __init__(self, workload: Workload, backend: Backend):
        self._workload, self._backend = workload, backend
        can = backend.capabilities()
        exact = can.exact and workload.shots is None
        small = exact and workload.circuit.num_qubits <= TILE_QUBITS
        self._exact = exact
        self._alone = can.place == "provider"
        self._tile_rows = TILE_ROWS if small else 1
        random = workload.shots is not None or can.noise or can.default_shots is not None
        shifted = workload.derivative and (random or can.gradient == "parameter-shift")
        self._rule = shift_rule(workload.circuit) if shifted else None
        self._groups = term_groups(workload, backend) if exact else (workload.problem.hamiltonian,)
        self._ready: dict[tuple[bool, int], Callable[[np.ndarray, int], np.ndarray]] = {}
        if workload.optimizer.geometry == "metric":
            self._metrics = _metrics(backend, workload.circuit, None if exact else workload.shots)
        if workload.optimizer.geometry == "fidelities":
            self._fidelities = fidelities(backend, workload.circuit, shots=workload.shots)

    def __call__(self, points: Points, number: int) -> Told:
        """Evaluate points.

        Args:
            points: What the optimizer asks for.
            number: Of the evaluation in the run, from 0; its random seeds follow from it.

        Returns:
            Values, standard errors, and what else the points ask for.

        Raises:
            FailedJob: if the backend fails.
        """
        told = self.combine(points, self.compute(points, number, self.tiles(points)))
        return self.with_geometry(told, points, number)

    def tiles(self, points: Points) -> list[Tile]:
        """The tiles of an evaluation, in the order in which they are combined; a provider gets a single one."""
        n_rows = len(self._rows(points))
        step = max(n_rows, 1) if self._alone else self._tile_rows
        groups = range(len(self._groups))
        cuts = [(slice(start, min(start + step, n_rows)), g) for start in range(0, n_rows, step) for g in groups]
        return [Tile(number, *cut) for number, cut in enumerate(cuts)]

    def width(self, points: Points) -> int:
        """Number of columns that `compute` returns: value, standard error, bias, and the gradient where it is exact."""
        return HEAD + (points.rows.shape[1] if points.gradient and self._rule is None else 0)

    def compute(self, points: Points, number: int, tiles: list[Tile]) -> np.ndarray:
        """Values, standard errors, biases and gradients of some tiles.

        Args:
            points: What the optimizer asks for.
            number: Of the evaluation.
            tiles: Some of its tiles.

        Returns:
            The rows of all tiles, one tile below the other, shape (rows, width).
        """
        rows = self._rows(points)
        computed = [np.empty((0, self.width(points)))]
        for tile in tiles:
            seed = child_seed(self._workload.seed, EVALUATIONS, number, tile.number)
            computed.append(self._function(points.gradient, tile.group)(rows[tile.rows], seed))
        return np.concatenate(computed)

    def combine(self, points: Points, numbers: np.ndarray) -> Told:
        """The result of an evaluation from those of its tiles, but for metrics and fidelities.

        Args:
            points: What the optimizer asks for.
            numbers: What `compute` returns for all tiles in order, shape (rows of all tiles, width).
        """
        ends = np.cumsum([tile.rows.stop - tile.rows.start for tile in self.tiles(points)])
        parts, n_groups = np.split(numbers, ends[:-1]), len(self._groups)
        whole = np.concatenate([sum(parts[k + 1 : k + n_groups], parts[k]) for k in range(0, len(parts), n_groups)])
        values, errors, biases = whole[:, :HEAD].T
        if not points.gradient:
            return Told(values, errors, None, biases=_unless_zero(biases))
        if self._rule is None:
            return Told(values, errors, whole[:, HEAD:], biases=_unless_zero(biases))
        derivative = self._rule.combine(points.rows, values, errors)
        unshifted = biases.reshape(len(points.rows), -1)[:, 0]
        return Told(derivative.values, derivative.standard_errors, derivative.gradients, biases=_unless_zero(unshifted))

    def with_geometry(self, told: Told, points: Points, number: int) -> Told:
        """The result with metrics and fidelities, where the points ask for them; these are not cut into tiles.

        Args:
            told: The result without them.
            points: What the optimizer asks for.
            number: Of the evaluation.
        """
        seed = child_seed(self._workload.seed, EVALUATIONS, number)
        if points.metric:
            told = replace(told, metrics=self._metrics(points.rows, points.metric, child_seed(seed, METRICS)))
        if points.pairs is not None:
            told = replace(told, fidelities=self._fidelities(points.pairs, child_seed(seed, FIDELITIES)))
        return told

    def _rows(self, points: Points) -> np.ndarray:
        """The rows to evaluate: the points themselves, or these and all their shifts."""
        return self._rule.rows(points.rows) if points.gradient and self._rule is not None else points.rows

    def _function(self, gradient: bool, group: int) -> Callable[[np.ndarray, int], np.ndarray]:
        """Rows and a seed to numbers, for a group of terms; compiled when it is first needed."""
        if (gradient, group) not in self._ready:
            circuit = self._rule.circuit if gradient and self._rule is not None else self._workload.circuit
            if gradient and self._rule is None:
                found = None if self._exact else self._backend.prepare(circuit, self._groups[group])
                made = _with_slopes(self._backend.value_and_grad(circuit, self._groups[group]), found)
            else:
                made = _values(self._backend.prepare(circuit, self._groups[group]), self._workload.shots)
            self._ready[gradient, group] = made
        return self._ready[gradient, group]


def _unless_zero(biases: np.ndarray) -> np.ndarray | None:
    return biases if np.any(biases) else None


def _values(prepared: Callable, shots: int | None) -> Callable[[np.ndarray, int], np.ndarray]:
    def evaluate(rows: np.ndarray, seed: int) -> np.ndarray:
        result = prepared(rows, shots=shots, seed=seed)
        return np.stack([result.values[:, 0], result.standard_errors[:, 0], result.bias[:, 0]], axis=1)

    return evaluate


def _with_slopes(value_and_grad: Callable, prepared: Callable | None) -> Callable[[np.ndarray, int], np.ndarray]:
    """Rows and a seed to numbers; what is not exact says with its values how far off they may be."""

    def evaluate(rows: np.ndarray, seed: int) -> np.ndarray:
        del seed  # nothing is random
        values, gradients = value_and_grad(rows)
        nothing = biases = np.zeros_like(values)
        if prepared is not None:
            result = prepared(rows)
            values, biases = result.values[:, 0], result.bias[:, 0]
        return np.column_stack([values, nothing, biases, gradients])

    return evaluate


def _metrics(
    backend: Backend, circuit: QuantumCircuit, shots: int | None
) -> Callable[[np.ndarray, Metric, int], np.ndarray]:
    """Metrics of rows: exact ones, or from the fidelities of so many shots."""
    one = metric(backend, circuit, shots=shots)
    same_layer = np.zeros((circuit.num_parameters,) * 2, dtype=bool)
    for block in layers(circuit):
        same_layer[np.ix_(block, block)] = True

    def evaluate(rows: np.ndarray, part: Metric, seed: int) -> np.ndarray:
        metrics = np.stack([one(row, child_seed(seed, k)) for k, row in enumerate(rows)])
        return metrics if part == "full" else np.where(same_layer, metrics, 0.0)

    return evaluate
