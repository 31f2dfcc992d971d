"""A run's history as arrays."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hybrid.runs.evaluation import Evaluation


@dataclass(frozen=True, eq=False)
class History:
    """Every row of parameters that was evaluated, in order.

    Attributes:
        step: Step of the optimizer that asked, shape (rows,).
        energy: Shape (rows,), in the problem's unit.
        standard_error: Of the energy, shape (rows,), in the problem's unit; 0 where it is exact.
        theta: Shape (rows, params), radians.
        gradient_norm: Euclidean norm of the gradient, shape (rows,), in the unit per radian; NaN where none was asked.
        seconds: Wall time of each row, shape (rows,): that of an evaluation divided by its rows.
    """

    step: np.ndarray
    energy: np.ndarray
    standard_error: np.ndarray
    theta: np.ndarray
    gradient_norm: np.ndarray
    seconds: np.ndarray

    @classmethod
    def from_evaluations(cls, evaluations: Iterable[Evaluation], n_params: int) -> "History":
        """The history of a run from the evaluations in its journal.

        Args:
            evaluations: In order, each of one or more rows.
            n_params: Number of parameters of the circuit; needed where there is no evaluation.
        """
        step, energy, error, theta, norm, seconds = [], [], [], [np.empty((0, n_params))], [], []
        for evaluation in evaluations:
            told, n_rows = evaluation.told, len(evaluation.theta)
            step += [evaluation.step] * n_rows
            energy += told.values.tolist()
            error += told.standard_errors.tolist()
            theta.append(evaluation.theta)
            nothing = np.full(n_rows, np.nan)
            norm += (nothing if told.gradients is None else np.linalg.norm(told.gradients, axis=1)).tolist()
            seconds += [evaluation.seconds / n_rows] * n_rows
        return cls(
            np.array(step, dtype=int),
            np.array(energy),
            np.array(error),
            np.concatenate(theta),
            np.array(norm),
            np.array(seconds),
        )

    def __len__(self) -> int:
        return len(self.energy)

    def same_bits(self, other: "History") -> bool:
        """Whether steps, energies, standard errors and parameters agree to the last bit."""
        pairs = [(getattr(self, name), getattr(other, name)) for name in ("step", "energy", "standard_error", "theta")]
        return all(a.tobytes() == b.tobytes() for a, b in pairs)
