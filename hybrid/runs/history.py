"""A run's history as arrays."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hybrid.runs.journal import Evaluation


@dataclass(frozen=True, eq=False)
class History:
    """Every row that was evaluated, in order.

    Attributes:
        step: Step of the optimizer that asked, shape (evaluations,).
        energy: Shape (evaluations,), in the problem's unit.
        standard_error: Shape (evaluations,).
        theta: Shape (evaluations, params), radians.
        gradient_norm: Euclidean norm of the gradient, NaN where none was asked; shape (evaluations,).
        seconds: What each row took, shape (evaluations,).
    """

    step: np.ndarray
    energy: np.ndarray
    standard_error: np.ndarray
    theta: np.ndarray
    gradient_norm: np.ndarray
    seconds: np.ndarray

    @classmethod
    def of(cls, evaluations: Iterable[Evaluation], n_params: int) -> "History":
        """From the journal's evaluations."""
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
        """Whether energies, standard errors and parameters agree to the last bit."""
        pairs = [(getattr(self, name), getattr(other, name)) for name in ("step", "energy", "standard_error", "theta")]
        return all(a.tobytes() == b.tobytes() for a, b in pairs)
