"""What an optimizer around another one needs: making it, its seeds, and comparing what it found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from circuits.errors import Refused
from hybrid.optimizers.optimizer import Optimizer, Points, S, Told
from hybrid.optimizers.registry import get

Inner = str | Mapping[str, Any] | Optimizer
"""A name, a table of its kind and options, or an optimizer."""


class Nested(Optimizer[S]):
    """What optimizers around another one have in common; a dataclass with the setting ``inner``."""

    inner: Inner

    @property
    def uses_gradient(self) -> bool:
        """As the inner optimizer."""
        return self._inner.uses_gradient

    @property
    def geometry(self) -> Literal["", "metric", "fidelities"]:
        """As the inner optimizer."""
        return self._inner.geometry

    @property
    def _inner(self) -> Optimizer[Any]:
        return made(self.inner)


def made(inner: Inner) -> Optimizer:
    """The inner optimizer from a name, a table of its kind and options, or itself.

    Args:
        inner: Such as ``"adam"`` or ``{"kind": "adam", "learning_rate": 0.1}``.

    Returns:
        The optimizer; one that was given is returned as it is.

    Raises:
        Refused: if it is none of them, or the name or an option is wrong.
    """
    if isinstance(inner, str | Optimizer):
        return get(inner)
    if isinstance(inner, Mapping) and "kind" in inner:
        return get(**inner)
    raise Refused(
        'inner must be the name of an optimizer, or a table of its kind and options such as { kind = "adam", '
        f"learning_rate = 0.1 }}, not {inner!r}"
    )


def finished(inner: Optimizer[S], state: S) -> bool:
    """Whether more steps cannot help.

    Args:
        inner: The optimizer.
        state: Of its run.

    Returns:
        True when it has converged or stalled.
    """
    return inner.converged(state) or bool(inner.stalled(state))


def joined(asked: Sequence[Points]) -> Points:
    """Several runs' points as one question; what one of them wants to know of its rows is asked of all.

    Args:
        asked: What each run asks, one or more.

    Returns:
        Their rows and pairs, one run after the other.
    """
    pairs = [points.pairs for points in asked if points.pairs is not None]
    return Points(
        np.concatenate([points.rows for points in asked]),
        gradient=any(points.gradient for points in asked),
        metric=max((points.metric for points in asked), key=len),  # runs of one optimizer want the same part, or none
        pairs=np.concatenate(pairs) if pairs else None,
    )


def answers(asked: Sequence[Points], told: Told) -> Iterator[Told]:
    """What was told of the joined points, one run after the other, each only what it asked for.

    Args:
        asked: The runs' points, as they were `joined`.
        told: What the joined points were worth.

    Yields:
        What each run's points were worth.
    """
    row = pair = 0
    for points in asked:
        rows = slice(row, row := row + len(points.rows))
        pairs = slice(pair, pair := pair + (0 if points.pairs is None else len(points.pairs)))
        yield Told(
            told.values[rows],
            told.standard_errors[rows],
            told.gradients[rows] if points.gradient and told.gradients is not None else None,
            told.metrics[rows] if points.metric and told.metrics is not None else None,
            told.fidelities[pairs] if points.pairs is not None and told.fidelities is not None else None,
        )


@dataclass(frozen=True, eq=False)
class Comparison:
    """Candidates for the minimum, valued again and again until it is known which of them is lowest.

    A candidate needs no more values when its mean is known to half the tolerance, or lies four standard errors above
    the lowest one. Exact values need a single round.

    Attributes:
        rows: Shape (candidates, params).
        tolerance: In the objective's unit.
        counts: Values told so far, shape (candidates,).
        sums: Of these values.
        variances: Sums of their squared standard errors.
    """

    rows: np.ndarray
    tolerance: float
    counts: np.ndarray
    sums: np.ndarray
    variances: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, tolerance: float) -> "Comparison":
        """Candidates of which nothing is known."""
        nothing = np.zeros(len(rows))
        return cls(rows, tolerance, nothing, nothing, nothing)

    @property
    def means(self) -> np.ndarray:
        """Mean values, shape (candidates,); infinite before the first."""
        return np.where(self.counts > 0, self.sums / np.maximum(self.counts, 1), np.inf)

    @property
    def errors(self) -> np.ndarray:
        """Their standard errors, shape (candidates,); infinite before the first value."""
        return np.where(self.counts > 0, np.sqrt(self.variances) / np.maximum(self.counts, 1), np.inf)

    @property
    def open(self) -> np.ndarray:
        """Indices of the candidates that need another value."""
        if not self.counts.any():
            return np.arange(len(self.rows))
        means, errors = self.means, self.errors
        lowest = np.argmin(means)
        beaten = means - means[lowest] > 4.0 * np.hypot(errors, errors[lowest])
        return np.flatnonzero((errors > self.tolerance / 2.0) & ~beaten)

    def ask(self) -> Points:
        """The candidates that need another value."""
        return Points(self.rows[self.open], gradient=False)

    def tell(self, told: Told) -> "Comparison":
        """With one more value for each of those asked for."""
        counts, sums, variances = self.counts.copy(), self.sums.copy(), self.variances.copy()
        counts[self.open] += 1
        sums[self.open] += told.values
        variances[self.open] += told.standard_errors**2
        return replace(self, counts=counts, sums=sums, variances=variances)
