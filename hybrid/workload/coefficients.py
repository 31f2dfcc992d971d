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
    "adam": Fit(3.31, 0.738, 0.0987, 0.415, 3.3, 0.000403, 0.414),
    "basin-hopping": Fit(2.9, 1.01, 0.0697, 0.506, 3.06, 0.000694, 0.0),
    "cma-es": Fit(5.07, 1.03, 0.0865, 0.62, 4.27, 0.000145, 0.0),
    "cobyla": Fit(2.87, 1.43, 0.0369, 0.761, 2.79, 0.0022, 0.00542),
    "differential-evolution": Fit(8.41, 0.684, 0.0166, 0.357, 5.62, 4.6e-05, 0.0),
    "lbfgs": Fit(1.39, 0.995, 0.0393, 0.107, 2.28, 0.000137, 0.194),
    "multistart": Fit(3.63, 1.04, 0.0676, 0.426, 2.01, 0.000332, 0.401),
    "natural-gradient": Fit(1.42, 1.06, 0.0181, 0.262, 3.73, 0.000208, 0.0),
    "nelder-mead": Fit(3.26, 1.54, 0.0487, 0.719, 1.63, 0.000248, 0.0),
    "qn-spsa": Fit(5.08, 1.1, 0.0873, 0.71, 7.07, 0.000571, 0.191),
    "rotosolve": Fit(4.11, 1.18, 0.0741, 0.127, 23.0, 0.0001, 0.0),
    "spsa": Fit(5.66, 0.852, 0.148, 0.211, 7.5, 0.000487, 0.0),
    "surrogate": Fit(2.74, 0.817, 0.0664, 0.783, 2.9, 0.0387, 0.0),
}
"""For exact values."""

NOISY: dict[str, Fit] = {
    "adam": Fit(3.54, 0.7, 0.0412, 0.42, 4.58, 0.00226, 0.0),
    "basin-hopping": Fit(3.27, 0.701, 0.209, 0.42, 4.58, 0.00101, 0.0),
    "cma-es": Fit(5.41, 0.889, 0.052, 0.42, 4.58, 0.000255, 0.0),
    "cobyla": Fit(2.46, 1.2, 0.127, 0.42, 4.58, 0.00378, 0.0),
    "differential-evolution": Fit(7.05, 0.425, -0.133, 0.29, 8.27, 0.000287, 0.0),
    "lbfgs": Fit(1.66, 0.741, 0.132, 0.42, 4.58, 0.00011, 0.596),
    "multistart": Fit(3.94, 0.559, 0.123, 0.42, 4.58, 0.000604, 0.0),
    "natural-gradient": Fit(0.761, 1.52, 0.238, 0.143, 7.18, 3.29e-05, 2.18),
    "nelder-mead": Fit(2.62, 1.19, 0.0202, 0.42, 4.58, 0.000948, 0.0),
    "qn-spsa": Fit(4.93, 1.16, 0.358, 0.304, 4.58, 0.000771, 0.0),
    "rotosolve": Fit(2.6, 0.969, -0.0052, 0.277, 7.77, 2.99e-05, 0.814),
    "spsa": Fit(4.61, 0.927, 0.386, 0.42, 4.58, 0.000519, 0.0),
    "surrogate": Fit(2.62, 0.826, 0.24, 0.42, 4.58, 0.0338, 0.0),
}
"""For values with statistical errors."""

OTHERS = Fit(0.0, 0.0, 0.0, 0.2, 5.0, 4e-4, 0.3)
"""Of optimizers that were not measured: the interval and the time alone, around what they guess themselves."""
