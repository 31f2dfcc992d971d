"""Standard errors of what is counted and averaged."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from hybrid.codesign.suite.benchmark import Estimate


def proportion(hits: int, shots: int) -> Estimate:
    """A probability from counts.

    The error is that of (hits + 1) / (shots + 2), so that it is not zero where no shot, or every shot, was a hit.

    Args:
        hits: Shots with the outcome.
        shots: All shots.

    References:
        A. Agresti, B. A. Coull, Am. Stat. 52, 119 (1998), with one success and one failure added.

    >>> proportion(500, 1000)
    Estimate(value=0.5, standard_error=0.015795...)
    """
    near = (hits + 1) / (shots + 2)
    return Estimate(hits / shots, math.sqrt(near * (1 - near) / (shots + 2)))


def parity(counts: Mapping[str, int]) -> Estimate:
    """The expectation value of the product of Z over all bits, from counts.

    Args:
        counts: Bit strings to counts.
    """
    shots = sum(counts.values())
    even = proportion(sum(n for bits, n in counts.items() if bits.count("1") % 2 == 0), shots)
    return Estimate(2 * even.value - 1, 2 * even.standard_error)


def weighted(weights: Sequence[float], estimates: Sequence[Estimate]) -> Estimate:
    """The sum of weights times independent estimates.

    Args:
        weights: One for each estimate.
        estimates: At least one.
    """
    pairs = list(zip(weights, estimates, strict=True))
    value = sum(weight * one.value for weight, one in pairs)
    return Estimate(value, math.sqrt(sum((weight * one.standard_error) ** 2 for weight, one in pairs)))


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """The mean over random circuits: its error comes from their scatter, which the shots are part of.

    Of a single circuit it is the error of that circuit; the scatter of a few that happen to agree is not believed
    where it is below what their shots alone make.

    Args:
        estimates: At least one, each of another random circuit.
    """
    values = np.array([one.value for one in estimates])
    shots_error = math.sqrt(sum(one.standard_error**2 for one in estimates)) / len(values)
    scatter = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return Estimate(float(values.mean()), max(scatter, shots_error))
