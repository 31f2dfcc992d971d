"""Gaussian-process regression: a smooth function, and how sure one can be of it, from noisy values.

The kernel is Matern's with nu = 5/2 and a length of its own for each parameter,

    k(x, x') = s^2 (1 + sqrt5 r + 5 r^2 / 3) exp(-sqrt5 r),   r^2 = sum_i (x_i - x'_i)^2 / l_i^2,

and the noise of each value is its own, known standard error. Lengths and s maximize the likelihood times a wide prior:
an energy is a sum of waves of frequencies around 1, so lengths are around 2 radians. Call it inside `one_thread`, for
the same bits on any number of threads. For functions without a kink there is the squared exponential, too,

    k(x, x') = s^2 exp(-r^2 / 2),

which `evidence` compares with Matern's on the values at hand.

Why not scikit-learn's GaussianProcessRegressor: tried with the same kernel and ``alpha`` = the variances, it finds the
same lengths and predictions to rounding (the tests hold ours to it), but it has no derivatives of its predictions,
along which the expected improvement is climbed; no prior, but by a function of ours in the place of its optimizer;
no way on where rounding makes the covariance indefinite; and it is an optional library, takes a second or more to
import, three times as long for a fit, and 0.2 to 0.4 ms where `Process.slopes` takes 0.05 to 0.1 ms.

References:
    Rasmussen, Williams, Gaussian Processes for Machine Learning (2006), chapters 2, 4 and 5.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.spatial.distance import cdist

Kernel = Literal["matern", "squared exponential"]

LENGTHS = (0.05, 20.0)
"""Bounds of the lengths, radians: within them an energy changes."""

PRIOR = (float(np.log(2.0)), 1.0)
"""Mean and standard deviation of the logarithm of a length; without it, few and noisy values are overfitted."""

SIGNALS = (0.05, 20.0)
"""Bounds of s^2 for values of unit variance."""

JITTER = (1e-14, 1e-10)
"""Bounds of the variance added to values of unit variance, so that neighbours stay distinguishable in rounding."""

LEAST = 1e-15
"""Posterior variance, for values of unit variance, below which rounding rules."""

ITERATIONS = 30
"""Most iterations of the maximization of the likelihood."""


@dataclass(frozen=True, eq=False)
class Process:
    """A Gaussian process that has seen values; make it with `condition`.

    Attributes:
        X: Where, shape (n, params).
        lengths: Of each parameter, shape (params,).
        signal: s^2, in units of scale^2.
        offset: Mean of the values.
        scale: Their standard deviation.
        factor: Lower Cholesky factor of the scaled covariance, shape (n, n).
        weights: Inverse covariance times scaled values, shape (n,).
        means: Posterior mean at X, shape (n,), in the unit of the values.
        kernel: Which of the two it is.
    """

    X: np.ndarray
    lengths: np.ndarray
    signal: float
    offset: float
    scale: float
    factor: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    kernel: Kernel = "matern"

    def predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and standard deviation at rows, (m, params) -> (m,), (m,)."""
        k, _ = _kernel(x, self.X, self.lengths, self.signal, self.kernel)
        reached = solve_triangular(self.factor, k.T, lower=True)
        variance = np.maximum(self.signal - (reached * reached).sum(axis=0), LEAST)
        return self.offset + self.scale * (k @ self.weights), self.scale * np.sqrt(variance)

    def slopes(self, x: np.ndarray) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Mean, standard deviation and their gradients at one point, shape (params,)."""
        k, slope = _kernel(x[None], self.X, self.lengths, self.signal, self.kernel)
        dk = -slope[0][:, None] * (x - self.X) / self.lengths**2
        solved = cho_solve((self.factor, True), k[0])
        deviation = float(np.sqrt(max(self.signal - k[0] @ solved, LEAST)))
        mean = self.offset + self.scale * float(k[0] @ self.weights)
        return mean, self.scale * deviation, self.scale * (self.weights @ dk), -self.scale / deviation * (solved @ dk)


def condition(
    X: np.ndarray,
    values: np.ndarray,
    standard_errors: np.ndarray,
    *,
    hyper: np.ndarray,
    least_scale: float,
    kernel: Kernel = "matern",
) -> Process:
    """The process that has seen values at X.

    Args:
        X: Shape (n, params).
        values: Shape (n,).
        standard_errors: Shape (n,).
        hyper: Logarithms of the lengths and of s^2, shape (params + 1,).
        least_scale: Below it, differences of the values do not matter.
        kernel: Which of the two.

    Returns:
        The process, whose means and deviations have the unit of the values.
    """
    offset, scale, y, noise = _normal(values, standard_errors, least_scale)
    lengths, signal = np.exp(hyper[:-1]), float(np.exp(hyper[-1]))
    K, _ = _kernel(X, X, lengths, signal, kernel)
    factor, noise = _factor(K, noise)
    weights = cho_solve((factor, True), y)
    means = offset + scale * (y - noise * weights)
    return Process(X, lengths, signal, offset, scale, factor, weights, means, kernel)


def fit(
    X: np.ndarray,
    values: np.ndarray,
    standard_errors: np.ndarray,
    *,
    start: np.ndarray,
    least_scale: float,
    kernel: Kernel = "matern",
) -> np.ndarray:
    """The `hyper` of `condition` that maximizes likelihood times prior, from a start, within bounds.

    Args:
        X: Shape (n, params).
        values: Shape (n,).
        standard_errors: Shape (n,).
        start: Where the search starts, shape (params + 1,).
        least_scale: Below it, differences of the values do not matter.
        kernel: Which of the two.

    Returns:
        Logarithms of the lengths and of s^2, shape (params + 1,).
    """
    from scipy.optimize import minimize

    _, _, y, noise = _normal(values, standard_errors, least_scale)
    bounds = np.log([LENGTHS] * X.shape[1] + [SIGNALS])
    found = minimize(
        lambda hyper: _loss(hyper, X, y, noise, kernel),
        np.clip(start, bounds[:, 0], bounds[:, 1]),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": ITERATIONS},
    )
    return np.asarray(found.x)


def evidence(
    X: np.ndarray,
    values: np.ndarray,
    standard_errors: np.ndarray,
    *,
    hyper: np.ndarray,
    least_scale: float,
    kernel: Kernel = "matern",
) -> float:
    """The logarithm of likelihood times prior, up to a constant that depends on the values alone.

    Args:
        X: Shape (n, params).
        values: Shape (n,).
        standard_errors: Shape (n,).
        hyper: As `fit` returns it.
        least_scale: Below it, differences of the values do not matter.
        kernel: Which of the two.
    """
    _, _, y, noise = _normal(values, standard_errors, least_scale)
    return -_loss(hyper, X, y, noise, kernel)[0]


def _loss(
    hyper: np.ndarray, X: np.ndarray, y: np.ndarray, noise: np.ndarray, kernel: Kernel
) -> tuple[float, np.ndarray]:
    """Minus the logarithm of likelihood times prior, up to a constant, and its gradient."""
    lengths, signal = np.exp(hyper[:-1]), float(np.exp(hyper[-1]))
    K, slope = _kernel(X, X, lengths, signal, kernel)
    factor, _ = _factor(K, noise)
    weights = cho_solve((factor, True), y)
    loss = 0.5 * float(y @ weights) + float(np.log(np.diag(factor)).sum())
    pull = cho_solve((factor, True), np.eye(len(y))) - np.multiply.outer(weights, weights)
    felt = pull * slope
    by_length = [(felt * np.subtract.outer(x, x) ** 2).sum() for x in (X / lengths).T]
    unusual = (hyper[:-1] - PRIOR[0]) / PRIOR[1]
    loss += 0.5 * float((unusual * unusual).sum())
    return loss, 0.5 * np.append(by_length, (pull * K).sum()) + np.append(unusual / PRIOR[1], 0.0)


def _kernel(
    x: np.ndarray, X: np.ndarray, lengths: np.ndarray, signal: float, kernel: Kernel
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel between rows, (m, params) and (n, params) -> (m, n), and minus twice its derivative by r^2."""
    if kernel == "squared exponential":
        k = signal * np.exp(-0.5 * cdist(x / lengths, X / lengths, "sqeuclidean"))
        return k, k
    root = np.sqrt(5.0) * cdist(x / lengths, X / lengths)
    decay = signal * np.exp(-root)
    return (1.0 + root + root * root / 3.0) * decay, 5.0 / 3.0 * (1.0 + root) * decay


def _normal(
    values: np.ndarray, standard_errors: np.ndarray, least_scale: float
) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Mean and scale of the values; the values and their variances in these units."""
    offset, scale = float(values.mean()), max(float(values.std()), least_scale)
    jitter = float(np.clip((0.1 * least_scale / scale) ** 2, *JITTER))
    return offset, scale, (values - offset) / scale, (standard_errors / scale) ** 2 + jitter


def _factor(K: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cholesky factor of K + diag(noise), and the noise, raised until rounding lets the factor exist."""
    more = 0.0
    while True:
        try:
            return np.linalg.cholesky(K + np.diag(noise + more)), noise + more
        except np.linalg.LinAlgError:
            more = max(10.0 * more, JITTER[0])
