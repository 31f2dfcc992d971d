"""How close what was counted is to a distribution, as QED-C's and MQT's benchmarks measure it."""

import math
from collections.abc import Mapping

import numpy as np

from hybrid.codesign.suite.benchmark import Estimate


def hellinger(counts: Mapping[str, int], ideal: np.ndarray) -> Estimate:
    """Hellinger fidelity (sum_x sqrt(p_x q_x))^2 of counts with a distribution.

    Counting alone lowers it, by about (outcomes - 1) / (4 shots) where both are the same: it needs more shots than the
    distribution has outcomes.

    Args:
        counts: Bit strings, qubit 0 rightmost, to counts.
        ideal: Probabilities, entry x of outcome x, shape (2**bits,).

    Returns:
        The fidelity, with the error of counting to first order, and of second order where that is all there is: there
        4 shots (1 - F) has the distribution chi square, whose mean is the number of outcomes less one.

    >>> hellinger({"0": 50, "1": 50}, np.array([0.5, 0.5])).value
    1.0
    """
    shots = sum(counts.values())
    seen = np.array([ideal[int(bits, 2)] for bits in counts])
    overlap = float(np.sum(np.sqrt(seen * np.array(list(counts.values())) / shots)))
    variance = max(float(np.sum(seen)) - overlap**2, 0.0) / (4 * shots)
    free = len(counts) - 1
    second = math.sqrt(free**2 + 2 * free) / (4 * shots)
    return Estimate(min(overlap**2, 1.0), math.hypot(2 * overlap * math.sqrt(variance), second))


def normalized(fidelity: Estimate, ideal: np.ndarray) -> Estimate:
    """A Hellinger fidelity on the scale on which uniformly random outcomes are worth 0; never below.

    Args:
        fidelity: With the distribution.
        ideal: The distribution, shape (outcomes,).

    Returns:
        The fidelity as it is where the distribution is itself uniform.

    References:
        T. Lubinski et al., IEEE Trans. Quantum Eng. 4, 3100332 (2023), arXiv:2110.03137.
    """
    floor = float(np.sum(np.sqrt(ideal / ideal.size))) ** 2
    if floor >= 1 - 1e-12:
        return fidelity
    value = (fidelity.value - floor) / (1 - floor)
    return Estimate(max(value, 0.0), fidelity.standard_error / (1 - floor))
