"""The loss of a classifier: the mean cross entropy of batches of rows of data, computed in tiles."""

import numpy as np

from backends.base import Backend
from backends.seeds import child_seed
from hybrid.algorithms.class_scores import Scores
from hybrid.algorithms.dataset import Dataset
from hybrid.algorithms.stages import ALGORITHM
from hybrid.loop.evaluator import Tile
from hybrid.optimizers.optimizer import Points, Told
from hybrid.workload.workload import Workload

TILE_ROWS = 8
"""Rows of data that are computed together: the same tiles on any number of ranks, so that losses have the same bits."""


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
