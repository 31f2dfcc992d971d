"""What each optimizer was measured to take, in the terms of `hybrid.workload.expected`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fit:
    """Of one optimizer.

    Attributes:
        level: Logarithm of the rows for one parameter and a demand of one.
        size: Power of the number of parameters.
        demand: Power of the demand.
        low: Nine of ten runs take more than so many times the predicted rows.
        high: Nine of ten runs take fewer than so many times them.
        own_s: The optimizer's own time for each row and one parameter, seconds.
        own_size: Power of the number of parameters in that time.
    """

    level: float
    size: float
    demand: float
    low: float
    high: float
    own_s: float
    own_size: float


EXACT: dict[str, Fit] = {
    "adam": Fit(3.64, 0.568, 0.0902, 0.374, 1.97, 0.000434, 0.377),
    "basin-hopping": Fit(2.9, 1.0, 0.0682, 0.358, 3.62, 0.000681, 0.0),
    "cma-es": Fit(5.1, 1.03, 0.084, 0.547, 4.87, 0.000145, 0.0),
    "cobyla": Fit(2.88, 1.42, 0.0365, 0.704, 3.25, 0.0015, 0.128),
    "differential-evolution": Fit(8.41, 0.684, 0.0166, 0.248, 3.28, 4.01e-05, 0.00287),
    "lbfgs": Fit(1.36, 1.04, 0.0427, 0.0766, 2.05, 0.000144, 0.246),
    "multistart": Fit(3.63, 1.04, 0.0676, 0.375, 2.23, 0.000332, 0.401),
    "natural-gradient": Fit(1.4, 1.03, -0.0105, 0.235, 3.3, 0.000148, 0.16),
    "nelder-mead": Fit(3.46, 1.39, 0.0488, 0.522, 1.83, 0.000389, 0.0),
    "qn-spsa": Fit(5.08, 1.1, 0.0874, 0.679, 4.24, 0.0006, 0.162),
    "rotosolve": Fit(4.24, 1.14, 0.0723, 0.0548, 27.5, 6.95e-05, 0.09),
    "spsa": Fit(5.97, 0.763, 0.125, 0.166, 4.64, 0.000476, 0.0),
    "surrogate": Fit(2.74, 0.817, 0.0664, 0.759, 1.52, 0.0375, 0.0),
}
"""For exact values."""

NOISY: dict[str, Fit] = {
    "adam": Fit(3.99, 0.7, 0.0396, 0.394, 7.41, 0.00213, 0.0),
    "basin-hopping": Fit(3.27, 0.7, 0.209, 0.394, 7.41, 0.000975, 0.0),
    "cma-es": Fit(5.43, 0.876, 0.0749, 0.394, 7.41, 0.000245, 0.0),
    "cobyla": Fit(2.46, 1.2, 0.127, 0.394, 7.41, 0.00351, 0.0),
    "differential-evolution": Fit(7.06, 0.422, -0.132, 0.241, 8.12, 0.000273, 0.0),
    "lbfgs": Fit(1.34, 0.848, 0.29, 0.328, 7.41, 0.000214, 0.336),
    "multistart": Fit(3.97, 0.546, 0.129, 0.394, 7.41, 0.00058, 0.0),
    "natural-gradient": Fit(0.761, 1.52, 0.238, 0.107, 7.41, 3.29e-05, 2.18),
    "nelder-mead": Fit(2.61, 1.19, -0.0497, 0.394, 7.41, 0.000747, 0.0),
    "qn-spsa": Fit(4.88, 1.18, 0.352, 0.26, 7.41, 0.000747, 0.0),
    "rotosolve": Fit(2.83, 0.853, 0.053, 0.332, 10.6, 3e-05, 0.795),
    "spsa": Fit(4.61, 0.927, 0.386, 0.394, 7.41, 0.000513, 0.0),
    "surrogate": Fit(2.77, 0.741, 0.2, 0.394, 7.41, 0.0291, 0.0),
}
"""For values with statistical errors."""

OTHERS = Fit(0.0, 0.0, 0.0, 0.2, 5.0, 4e-4, 0.3)
"""Of optimizers that were not measured: the interval and the time alone, around what they guess themselves."""
