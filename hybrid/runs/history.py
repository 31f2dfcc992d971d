"""A run's history as arrays."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Any, NamedTuple, overload

import numpy as np

from circuits import tables
from circuits.errors import Refused
from hybrid.runs.evaluation import Evaluation
from hybrid.terminal.words import duration, measured

COLUMNS = ("step", "energy", "gradient norm", "time")
"""Of the table that a history shows itself as."""


class Row(NamedTuple):
    """One row of parameters that was evaluated; the fields mean what they mean in a `History`, theta is (params,)."""

    step: int
    energy: float
    standard_error: float
    theta: np.ndarray
    gradient_norm: float
    seconds: float

    def cells(self) -> tuple[str, ...]:
        """The columns of a table, in the order of `COLUMNS`, as text."""
        slope = "-" if np.isnan(self.gradient_norm) else f"{self.gradient_norm:.2e}"
        return str(self.step), _number(self.energy, self.standard_error), slope, duration(self.seconds)


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

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> "History": ...
    def __getitem__(self, index: int | slice) -> "Row | History":
        """One row, or the history of some rows."""
        columns = [getattr(self, field.name)[index] for field in fields(self)]
        if isinstance(index, slice):
            return History(*columns)
        step, energy, error, theta, norm, seconds = columns
        return Row(int(step), float(energy), float(error), theta, float(norm), float(seconds))

    def __repr__(self) -> str:
        if not len(self):
            return "History: no evaluations yet"
        lowest = int(np.argmin(self.energy))
        energy = _number(self.energy[lowest], self.standard_error[lowest])
        steps = len(np.unique(self.step))
        return f"History: {len(self)} evaluations in {steps} steps, lowest energy {energy} in step {self.step[lowest]}"

    def _repr_html_(self) -> str:
        rows = tables.ends(len(self), lambda k: self[k].cells())
        return tables.html(rows, title=repr(self), columns=COLUMNS, notes=["Energies are in the problem's unit."])

    def to_pandas(self) -> Any:
        """The history as a pandas.DataFrame, one line a row.

        Returns:
            Columns step, energy, standard_error, gradient_norm, seconds, then theta_0, theta_1, ...

        Raises:
            Refused: if pandas is not installed.
        """
        try:
            pandas = import_module("pandas")
        except ImportError as err:
            raise Refused("history.to_pandas() needs pandas, which is not installed: pip install pandas") from err
        names = ("step", "energy", "standard_error", "gradient_norm", "seconds")
        columns = {name: getattr(self, name) for name in names}
        return pandas.DataFrame(columns | {f"theta_{k}": column for k, column in enumerate(self.theta.T)})

    def same_bits(self, other: "History") -> bool:
        """Whether steps, energies, standard errors and parameters agree to the last bit.

        Args:
            other: The history of another run.
        """
        pairs = [(getattr(self, name), getattr(other, name)) for name in ("step", "energy", "standard_error", "theta")]
        return all(a.tobytes() == b.tobytes() for a, b in pairs)


def _number(energy: float, standard_error: float) -> str:
    return measured(energy, standard_error, "").rstrip()
