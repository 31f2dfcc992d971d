"""The angles of a circuit's gates as functions of its parameters, for many rows at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.circuit import ParameterExpression

from circuits.errors import Refused

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Angles:
    """alpha(theta) = A theta + b, and a slower path for the angles that are not affine.

    Attributes:
        parameters: The circuit's parameters, in its order.
        angle: Row of each entry of A other than 0, ascending; rows of angles that are not affine are empty.
        column: Its column, ascending in each row.
        slope: The entry, of the same shape.
        offset: b, shape (angles,).
        curved: For each other angle its index, expression and ``(column, derivative)`` pairs.
    """

    parameters: tuple[Any, ...]
    angle: np.ndarray
    column: np.ndarray
    slope: np.ndarray
    offset: np.ndarray
    curved: tuple[tuple[int, Any, tuple[tuple[int, Any], ...]], ...]

    @property
    def n_angles(self) -> int:
        """Number of angles."""
        return len(self.offset)

    @cached_property
    def n_slopes(self) -> np.ndarray:
        """On how many parameters each angle depends affinely, shape (angles,)."""
        return np.bincount(self.angle, minlength=self.n_angles)

    @cached_property
    def matrix(self) -> "csr_array":
        """A, shape (angles, params), sparse; SciPy's sparse arrays take longer to be imported than one row needs."""
        from scipy.sparse import csr_array

        ends = np.append(0, np.cumsum(self.n_slopes))
        return csr_array((self.slope, self.column, ends), shape=(self.n_angles, len(self.parameters)))

    def values(self, rows: np.ndarray) -> np.ndarray:
        """Angles for each row of parameters: (rows, params) -> (rows, angles), radians."""
        rows = np.asarray(rows, dtype=np.float64)
        if len(rows) == 1:
            angles = np.bincount(self.angle, self.slope * rows[0, self.column], self.n_angles)[None] + self.offset
        else:
            angles = (self.matrix @ rows.T).T + self.offset
        for k, expression, _ in self.curved:
            angles[:, k] = [self._evaluate(expression, row) for row in rows]
        return angles

    def jacobian(self, row: np.ndarray) -> "csr_array":
        """Derivatives of every angle by every parameter at one row, shape (angles, params), sparse."""
        if not self.curved:
            return self.matrix
        from scipy.sparse import csr_array

        entries = [(k, column, self._evaluate(slope, row)) for k, _, slopes in self.curved for column, slope in slopes]
        index, columns, data = (np.array(part) for part in zip(*entries, strict=True))
        return csr_array(self.matrix + csr_array((data, (index, columns)), shape=self.matrix.shape))

    def second_derivatives(self, row: np.ndarray) -> list[tuple[int, int, int, float]]:
        """(angle, parameter, parameter, second derivative) of the angles that are not affine."""
        column = {p: k for k, p in enumerate(self.parameters)}
        return [
            (k, first, column[p], self._evaluate(_slope(slope, p), row))
            for k, _, slopes in self.curved
            for first, slope in slopes
            if isinstance(slope, ParameterExpression)
            for p in slope.parameters
        ]

    def pulled(self, rows: np.ndarray, slopes: np.ndarray) -> np.ndarray:
        """Derivatives by the parameters from those by the angles: (rows, params), (rows, angles) -> (rows, params)."""
        if not self.curved:
            if len(slopes) == 1:
                return np.bincount(self.column, self.slope * slopes[0, self.angle], len(self.parameters))[None]
            return (self._transposed @ slopes.T).T
        pairs = zip(rows, slopes, strict=True)
        return np.array([self.jacobian(row).T @ slope for row, slope in pairs]).reshape(rows.shape)

    @cached_property
    def _transposed(self) -> "csr_array":
        return self.matrix.T.tocsr()

    def _evaluate(self, expression, row) -> float:
        if not isinstance(expression, ParameterExpression):
            return float(np.real(expression))
        column = {p: k for k, p in enumerate(self.parameters)}
        here = {p: float(row[column[p]]) for p in expression.parameters}
        try:
            value = complex(expression.bind(here))
        except Exception as err:
            raise Refused(f"the gate angle {expression} has no value at {_named(here)}: {err}") from err
        if abs(value.imag) > 1e-12 or not np.isfinite(value.real):
            raise Refused(f"the gate angle {expression} is {value} at {_named(here)}; it must be a finite real number")
        return value.real


def compile_angles(expressions: Sequence[Any], parameters: Iterable[Any]) -> Angles:
    """Prepare angles for evaluation.

    Args:
        expressions: Numbers, Parameters and ParameterExpressions.
        parameters: The order of the columns of theta.

    Raises:
        Refused: for an expression that cannot be differentiated, or with a parameter that is not among the given.
    """
    parameters = tuple(parameters)
    column = {p: k for k, p in enumerate(parameters)}
    offset = np.zeros(len(expressions))
    entries, curved = [], []
    for k, expression in enumerate(expressions):
        if not isinstance(expression, ParameterExpression):
            offset[k] = float(expression)
            continue
        slopes = tuple((column[p], _slope(expression, p)) for p in expression.parameters)
        if any(isinstance(slope, ParameterExpression) and slope.parameters for _, slope in slopes):
            curved.append((k, expression, slopes))
            continue
        entries += [(k, place, float(np.real(complex(slope)))) for place, slope in slopes]
        offset[k] = complex(expression.bind(dict.fromkeys(expression.parameters, 0.0))).real
    entries.sort()
    angle, columns, slope = zip(*entries, strict=True) if entries else ((), (), ())
    affine = np.array(angle, np.intp), np.array(columns, np.intp), np.array(slope, float)
    return Angles(parameters, *affine, offset, tuple(curved))


def _slope(expression, parameter):
    try:
        return expression.gradient(parameter)
    except Exception as err:
        raise Refused(f"the gate angle {expression} has no derivative by {parameter.name}: {err}") from err


def _named(here) -> str:
    return ", ".join(f"{p.name} = {v}" for p, v in here.items())
