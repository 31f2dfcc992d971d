"""How many rows of parameters a minimization evaluates: what was measured of each optimizer, as a formula.

    rows = exp(level) params^size f^demand,       f = 10^-4 / accuracy for exact values,
                                                  f = sigma / accuracy for those with statistical errors,

where sigma is what the shots leave of the Hamiltonian's coefficients, |c| / sqrt(shots), and never more than the rows
of ``max_steps`` steps. ``benchmarks/evaluations.py`` fits it to runs on spin chains, molecules and QAOA, and measures
on workloads that were held out how often the interval holds; ``benchmarks/results/evaluations.json`` keeps both.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused
from hybrid import optimizers
from hybrid.optimizers.optimizer import Optimizer
from hybrid.workload.coefficients import EXACT, NOISY, OTHERS

USUAL = 1e-4
"""Accuracy, in the problem's unit, to which the levels for exact values belong."""

ENDLESS = 10**9
"""Steps that no minimization takes."""


@dataclass(frozen=True)
class Expected:
    """Rows of parameters that a minimization evaluates.

    Attributes:
        rows: As many runs take more as take fewer.
        low: Nine of ten runs take more.
        high: Nine of ten runs take fewer.
        at_once: Rows that a step asks for.
        most: Rows that the allowed steps can ask for.
        unlimited: The rows, if there were no last step.
        own_s: Predicted time of the optimizer itself for each row, seconds.
    """

    rows: int
    low: int
    high: int
    at_once: int
    most: int
    unlimited: float
    own_s: float = 0.0

    def plus(self, rows: int) -> "Expected":
        """With rows that are evaluated in any case."""
        return replace(self, rows=self.rows + rows, low=self.low + rows, high=self.high + rows)


def expected(
    optimizer: Optimizer, n_params: int, *, accuracy: float, max_steps: int, sigma: float = 0.0, factor: float = 1.0
) -> Expected:
    """What a minimization is expected to take.

    Args:
        optimizer: With its settings; what it guesses itself says how much they change.
        n_params: Number of parameters.
        accuracy: Wanted, in the problem's unit.
        max_steps: Most steps.
        sigma: Statistical error of one value, in the problem's unit; 0 for exact values.
        factor: What runs on this machine were found to take, relative to this.

    >>> few = expected(optimizers.get("lbfgs"), 8, accuracy=1e-6, max_steps=200)
    >>> few.low < few.rows < few.high < few.most
    True
    """
    most = rows_of(optimizer, n_params, max_steps)
    at_once = max(round(_slope(optimizer, n_params)), 1)
    if n_params == 0:
        return Expected(most, most, most, at_once, most, most)
    table = NOISY if sigma else EXACT
    fit = table.get(optimizer.kind)
    if fit is None:
        fit = OTHERS
        middle = float(optimizer.evaluations(n_params, max_steps))
    else:
        demand = (sigma if sigma else USUAL) / accuracy
        middle = math.exp(fit.level) * n_params**fit.size * demand**fit.demand * _settings(optimizer, n_params)
    rows, low, high = (
        max(1, min(round(min(factor * middle * spread, 1e15)), most)) for spread in (1.0, fit.low, fit.high)
    )
    return Expected(rows, low, high, at_once, most, factor * middle, fit.own_s * n_params**fit.own_size)


def comparisons(optimizer: Optimizer, n_params: int, rows: int) -> int:
    """States that metrics and fidelities take beside so many rows.

    Args:
        optimizer: With its settings.
        n_params: Number of parameters.
        rows: That it asks for.
    """
    if not optimizer.geometry:
        return 0
    more = optimizer.comparisons(n_params, 8) - optimizer.comparisons(n_params, 4)
    return round(rows * more / (4 * _slope(optimizer, n_params)))


def rows_of(optimizer: Optimizer, n_params: int, n_steps: int) -> int:
    """The rows that so many steps ask for, whether or not they are needed."""
    if n_params == 0 or n_steps <= 4:
        return max(optimizer.evaluations(n_params, n_steps), 1)
    return round(optimizer.evaluations(n_params, 4) + (n_steps - 4) * _slope(optimizer, n_params))


def deviation(hamiltonian: SparsePauliOp, shots: int | None) -> float:
    """What so many shots leave of the coefficients, |c| / sqrt(shots): about the standard error of one value.

    Args:
        hamiltonian: In the problem's unit.
        shots: For each measured circuit; None for exact values, without an error.
    """
    if shots is None:
        return 0.0
    measured = hamiltonian.paulis.x.any(axis=1) | hamiltonian.paulis.z.any(axis=1)
    return float(np.linalg.norm(np.asarray(hamiltonian.coeffs)[measured])) / math.sqrt(shots)


def _slope(optimizer: Optimizer, n_params: int) -> float:
    """Rows of one more step: the optimizer's guess, where it does not yet hope to have ended."""
    return max((optimizer.evaluations(n_params, 8) - optimizer.evaluations(n_params, 4)) / 4, 1.0)


def _settings(optimizer: Optimizer, n_params: int) -> float:
    """How many times the rows these settings take of those of the default ones, as the optimizer guesses."""
    try:
        usual = optimizers.get(optimizer.kind)
    except (Refused, TypeError):
        return 1.0  # another package's, with settings that have no default
    return optimizer.evaluations(n_params, ENDLESS) / max(usual.evaluations(n_params, ENDLESS), 1)
