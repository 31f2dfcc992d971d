"""A surrogate of an energy over a few numbers: its mean and how sure one can be of it anywhere, learnt from runs.

It is made of Gaussian processes as `hybrid.optimizers.gaussian_process` has them. The noise of a run is its standard
error and the accuracy of its minimization together; lengths and signal maximize the marginal likelihood times the prior
that is stated there, by which an energy changes over about the whole of a range.

An energy may change faster at one end of a range, as a bond does where it is short, and may have a kink or none. So
each range, mapped onto t in [0, 1], is warped by

    t -> (1 - exp(-w t)) / (1 - exp(-w))

with w from `WARPS`, and both kernels are tried. For several ranges w is chosen for one after the other. All processes
that were tried are averaged, each with the weight of its evidence: where they disagree, the deviation is large.

Whether the deviations can be believed is asked of the runs themselves. Left out one by one, run i deviates from what
the others predict by z_i standard deviations, for each process in closed form,

    mean_i = y_i - [K^-1 y]_i / [K^-1]_ii,   variance_i = 1 / [K^-1]_ii,

and where the root mean square of z is above 1, all deviations are widened by it.

References:
    Rasmussen, Williams, Gaussian Processes for Machine Learning (2006), section 5.4.2, for leaving out one;
    Snoek, Swersky, Zemel, Adams, ICML 31 (2014), for warped ranges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cho_solve

from circuits.errors import Refused
from hybrid.optimizers.gaussian_process import Kernel, Process, condition, evidence, fit
from hybrid.optimizers.one_thread import one_thread

TWO_SIDED = 1.959963984540054
"""Standard deviations to each side that hold 95 % of a normal distribution."""

LEAST_RUNS = 2

WARPS = (0.0, -2.0, 2.0, -4.0, 4.0)
"""Of a range; 0 leaves it as it is, 4 stretches its lower end fifty times as much as the upper one."""

PRIOR = 2.0
"""Standard deviation of a normal prior of the warps."""

KERNELS: tuple[Kernel, ...] = ("matern", "squared exponential")

LEAST_WEIGHT = 1e-6
"""Of a process that is kept."""


@dataclass(frozen=True, eq=False)
class Member:
    """One of the processes that are averaged.

    Attributes:
        kernel: Of the process.
        warps: Of each range.
        hyper: Logarithms of the lengths, in halves of the warped ranges, and of the signal's variance.
        weight: In the average.
        process: Conditioned on the runs.
    """

    kernel: Kernel
    warps: tuple[float, ...]
    hyper: np.ndarray
    weight: float
    process: Process

    def predict(self, U: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance at rows of scaled values."""
        mean, deviation = self.process.predict(warped(U, self.warps))
        return mean, deviation**2

    def left_out(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each run, noise included, by the others."""
        process = self.process
        inverse = np.diag(cho_solve((process.factor, True), np.eye(len(y))))
        return y - process.scale * process.weights / inverse, process.scale**2 / inverse


@dataclass(frozen=True, eq=False)
class Surrogate:
    """What runs say of the energies between them; make it with `learn`.

    Attributes:
        ranges: Names to lower and upper ends.
        X: Where the runs are, shape (n, ranges).
        energies: Shape (n,), in `unit`.
        errors: Standard deviation of the noise of each, shape (n,).
        unit: Of the energies.
        members: The processes that are averaged, the weightiest first.
        residuals: Of each run, left out, in standard deviations of what the others predict, shape (n,).
        widening: By which all deviations are multiplied, 1 or more.
    """

    ranges: Mapping[str, tuple[float, float]]
    X: np.ndarray
    energies: np.ndarray
    errors: np.ndarray
    unit: str
    members: tuple[Member, ...]
    residuals: np.ndarray
    widening: float

    def __call__(self, **values: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the energy somewhere.

        Args:
            values: Of each range, numbers or arrays that broadcast against each other.

        Returns:
            Mean and standard deviation, each of the shape of the arrays, in `unit`.

        Raises:
            Refused: for other names than those of the ranges, or values outside of them.
        """
        if set(values) != set(self.ranges):
            raise Refused(f"the surrogate takes {', '.join(self.ranges)}, not {', '.join(values) or 'nothing'}")
        arrays = np.broadcast_arrays(*(np.asarray(values[name], dtype=float) for name in self.ranges))
        for (name, (low, high)), array in zip(self.ranges.items(), arrays, strict=True):
            if not np.all((array >= low) & (array <= high)):
                raise Refused(f"{name}: the surrogate knows it from {low} to {high}, and nothing beyond")
        mean, deviation = self.predict(np.stack([array.ravel() for array in arrays], axis=1))
        return mean.reshape(arrays[0].shape), deviation.reshape(arrays[0].shape)

    def predict(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation at rows, (m, ranges) -> (m,), (m,)."""
        U = scaled(X, self.ranges)
        with one_thread():
            mean, variance = _average(self.members, [member.predict(U) for member in self.members])
        return mean, self.widening * np.sqrt(variance)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        rows = zip(self.X.tolist(), self.energies.tolist(), self.errors.tolist(), self.residuals.tolist(), strict=True)
        return {
            "ranges": {name: list(ends) for name, ends in self.ranges.items()},
            "unit": self.unit,
            "widening": self.widening,
            "processes": [
                {"kernel": m.kernel, "warps": list(m.warps), "hyper": m.hyper.tolist(), "weight": m.weight}
                for m in self.members
            ],
            "runs": [
                {"values": dict(zip(self.ranges, x, strict=True)), "energy": energy, "error": error, "left_out": z}
                for x, energy, error, z in rows
            ],
        }


def learn(
    ranges: Mapping[str, tuple[float, float]],
    X: ArrayLike,
    energies: ArrayLike,
    standard_errors: ArrayLike,
    *,
    accuracy: float = 1e-6,
    unit: str = "",
) -> Surrogate:
    """The surrogate that has seen some runs.

    Args:
        ranges: Names to lower and upper ends.
        X: Where the runs are, shape (n, ranges).
        energies: Shape (n,).
        standard_errors: Of the energies, shape (n,).
        accuracy: To which each run was minimized, in the unit of the energies.
        unit: Of the energies.

    Raises:
        Refused: for fewer than two runs, or numbers that are not finite.
    """
    X, y = np.array(X, dtype=float).reshape(-1, len(ranges)), np.array(energies, dtype=float)
    errors = np.hypot(np.array(standard_errors, dtype=float), accuracy)
    if len(X) < LEAST_RUNS:
        raise Refused(f"a surrogate needs {LEAST_RUNS} runs at least, and there are {len(X)}")
    if not (np.isfinite(X).all() and np.isfinite(y).all() and np.isfinite(errors).all()):
        raise Refused("a surrogate needs finite values, energies and standard errors")
    with one_thread():
        members = _members(scaled(X, ranges), y, errors, accuracy)
        mean, variance = _average(members, [member.left_out(y) for member in members])
    residuals = (mean - y) / np.sqrt(variance)
    widening = max(1.0, float(np.sqrt(np.mean(residuals**2))))
    return Surrogate(dict(ranges), X, y, errors, unit, members, residuals, widening)


def _members(U: np.ndarray, y: np.ndarray, errors: np.ndarray, accuracy: float) -> tuple[Member, ...]:
    """The processes with all kernels and warps that are tried."""
    n_ranges = U.shape[1]
    tried: dict[tuple[Kernel, tuple[float, ...]], tuple[float, np.ndarray]] = {}
    for kernel in KERNELS:
        best = (0.0,) * n_ranges
        for k in range(n_ranges):
            for warp in WARPS:
                warps = (*best[:k], warp, *best[k + 1 :])
                if (kernel, warps) not in tried:
                    tried[kernel, warps] = _fitted(U, y, errors, kernel, warps, accuracy)
            logs = {warps: log for (kind, warps), (log, _) in tried.items() if kind == kernel}
            best = max(logs, key=lambda warps: logs[warps])
    most = max(weight for weight, _ in tried.values())
    total = sum(np.exp(weight - most) for weight, _ in tried.values())
    members = []
    for (kernel, warps), (log, hyper) in tried.items():
        weight = float(np.exp(log - most) / total)
        if weight > LEAST_WEIGHT:
            process = condition(warped(U, warps), y, errors, hyper=hyper, least_scale=accuracy, kernel=kernel)
            members.append(Member(kernel, warps, hyper, weight, process))
    return tuple(sorted(members, key=lambda member: -member.weight))


def _fitted(
    U: np.ndarray, y: np.ndarray, errors: np.ndarray, kernel: Kernel, warps: tuple[float, ...], accuracy: float
) -> tuple[float, np.ndarray]:
    """The evidence of a kernel with warps, and the process's lengths and signal."""
    V, start = warped(U, warps), np.zeros(U.shape[1] + 1)
    hyper = fit(V, y, errors, start=start, least_scale=accuracy, kernel=kernel)
    log = evidence(V, y, errors, hyper=hyper, least_scale=accuracy, kernel=kernel)
    return log - 0.5 * sum((warp / PRIOR) ** 2 for warp in warps), hyper


def _average(members: Sequence[Member], told: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of a mixture of normal distributions."""
    weights = np.array([member.weight for member in members])
    weights /= weights.sum()
    means, variances = np.array([mean for mean, _ in told]), np.array([variance for _, variance in told])
    mean = weights @ means
    return mean, weights @ (variances + (means - mean) ** 2)


def scaled(X: np.ndarray, ranges: Mapping[str, Sequence[float]]) -> np.ndarray:
    """Values with each range mapped onto [-1, 1], shape (n, ranges)."""
    low, high = np.array(list(ranges.values()), dtype=float).T
    return (2.0 * X - low - high) / (high - low)


def warped(U: np.ndarray, warps: Sequence[float]) -> np.ndarray:
    """Scaled values with each range warped, onto [-1, 1] again."""
    return np.stack([_warped(u, warp) for u, warp in zip(U.T, warps, strict=True)], axis=1)


def _warped(u: np.ndarray, warp: float) -> np.ndarray:
    return u if warp == 0.0 else 2.0 * np.expm1(-warp * (u + 1.0) / 2.0) / np.expm1(-warp) - 1.0
