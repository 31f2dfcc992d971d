"""CMA-ES: a Gaussian cloud of points that learns where the function is lower, and its curvature on the way."""

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

import numpy as np

from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import FEW, Optimizer, Points, Told, checked, require, rows_bytes, starting_point
from hybrid.optimizers.streams import stream
from hybrid.optimizers.trend import settled

CONDITION = 1e14
"""Condition number of the covariance beyond which its samples are rounding."""


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    seed: int
    mean: np.ndarray
    sigma: float
    covariance: np.ndarray
    factor: np.ndarray
    path: np.ndarray
    path_sigma: np.ndarray
    k: int = 0
    lowest: np.ndarray | None = None
    value: float = np.inf
    lows: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    recent: tuple[np.ndarray, ...] = ()
    noisy: bool = False
    broken: bool = False
    done: bool = False


@dataclass(frozen=True)
class CMAES(Optimizer[_State]):
    """Covariance matrix adaptation, x ~ mean + sigma N(0, C), for rugged functions of up to some hundred parameters.

    Each step asks for one generation, without gradients. The better half of it moves the mean; all of it moves C (by
    rank-mu and rank-one updates, worse points with negative weights); the length of the mean's path moves sigma. All
    constants are the tutorial's. Samples are made with the Cholesky factor A of C instead of its symmetric root, and
    the path of sigma with A^-1 instead of C^-1/2: a generation is distributed as before.

    With exact values it has converged when the values of the last generation and the lowest ones of the last
    10 + 30 params / population generations lie within half the accuracy; the answer is the lowest point. With standard
    errors, sigma grows (not beyond the first) while the values of a generation scatter hardly more than their errors,
    so that a slope stays visible; it has converged when the mean values of the generations stopped falling, as SPSA
    judges it; the answer is the average of the last means, over a tenth of the run.

    Args:
        sigma: First standard deviation in each parameter, radians.
        population: Points of a generation; by default 4 + 3 ln(params).

    References:
        Hansen, arXiv:1604.00772 (2016); Krause, Arbonès, Igel, NIPS 29, 370 (2016) for the factor; Hansen,
        Niederberger, Guzzella, Koumoutsakos, IEEE Trans. Evol. Comput. 13, 180 (2009) for sigma under noise.
    """

    sigma: float = 0.5
    population: int | None = None

    kind: ClassVar[str] = "cma-es"

    def __post_init__(self):
        require(self, "sigma", 1e-12)
        if self.population is not None:
            require(self, "population", 4, 1_000_000, whole=True)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first generation; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        nothing, unit = np.zeros_like(theta), np.eye(theta.size)
        return _State(accuracy, seed, theta, float(self.sigma), unit, unit, nothing, nothing)

    @one_thread()
    def ask(self, state: _State) -> Points:
        """One generation, shape (population, params)."""
        return Points(state.mean + state.sigma * (self._normals(state) @ state.factor.T), gradient=False)

    @one_thread()
    def tell(self, state: _State, told: Told) -> _State:
        """The state after one generation; see `Optimizer.tell`."""
        points = self.ask(state)
        told = checked(points, told)
        order = np.argsort(told.values, kind="stable")
        lowest = float(told.values[order[0]])
        if lowest < state.value:
            state = replace(state, lowest=points.rows[order[0]], value=lowest)
        if state.mean.size == 0:
            return replace(state, done=True)
        noise = float(np.mean(told.standard_errors**2))
        hidden = noise > 0.0 and float(np.var(told.values, ddof=1)) < 2.0 * noise
        state = self._adapt(state, order, hidden=hidden)
        state = replace(
            state,
            k=state.k + 1,
            noisy=state.noisy or noise > 0.0,
            lows=(*state.lows, lowest),
            values=(*state.values, float(np.mean(told.values))),
            recent=(*state.recent, state.mean)[-max(10, state.k // 10) :],
        )
        return replace(state, done=_flat(state, told))

    def best(self, state: _State) -> np.ndarray:
        """The lowest point, or the average of the last means if values are noisy; shape (params,)."""
        if state.noisy:
            return np.mean(state.recent, axis=0)
        return state.mean if state.lowest is None else state.lowest

    def converged(self, state: _State) -> bool:
        """Whether the values stopped falling, as far as their standard errors tell."""
        return state.done

    def stalled(self, state: _State) -> str:
        """That the covariance cannot be factored any more."""
        if state.done or not state.broken:
            return ""
        return f"the covariance's condition number exceeds {CONDITION:g}: some parameters hardly matter"

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """A guess of the rows; measured to 1e-6: 30 generations for one parameter, 150 for ten, 800 for a hundred."""
        return self._size(n_params) * min(max_steps, 40 + round(25 * n_params**0.75))

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """Five matrices: covariance and factor, the new ones, a product, and LAPACK's copy; generations, last means."""
        n_rows = FEW + 5 * n_params + 6 * self._size(n_params) + max(10, max_steps // 10)
        return rows_bytes(n_rows, n_params)

    @property
    def uses_gradient(self) -> bool:
        """No."""
        return False

    def _size(self, n_params: int) -> int:
        if n_params == 0:
            return 1
        return self.population or 4 + int(3.0 * math.log(n_params))

    def _normals(self, state: _State) -> np.ndarray:
        """The normal random numbers of the generation, shape (population, params)."""
        n = state.mean.size
        return stream(state.seed, state.k).standard_normal((self._size(n), n))

    def _adapt(self, state: _State, order: np.ndarray, *, hidden: bool) -> _State:
        """Mean, sigma and C from a generation's points in the order of their values."""
        n = state.mean.size
        constants = _constants(n, self._size(n))
        better = constants.weights > 0.0
        z = self._normals(state)[order]
        y = z @ state.factor.T
        weights = constants.weights[:, None]
        step, normal = (weights[better] * y[better]).sum(axis=0), (weights[better] * z[better]).sum(axis=0)

        mean = state.mean + state.sigma * step

        keep = 1.0 - constants.c_sigma
        path_sigma = keep * state.path_sigma + math.sqrt((1.0 - keep**2) * constants.mu_eff) * normal
        length = math.sqrt(float((path_sigma**2).sum())) / constants.chi
        settled = math.sqrt(1.0 - keep ** (2.0 * (state.k + 1)))
        steady = float(length < (1.4 + 2.0 / (n + 1.0)) * settled)
        keep = 1.0 - constants.c_c
        path = keep * state.path + steady * math.sqrt((1.0 - keep**2) * constants.mu_eff) * step

        # A worse point's weight is scaled to |A^-1 y|^2 = n, so that C stays positive.
        scale = np.where(constants.weights < 0.0, n / np.maximum((z**2).sum(axis=1), 1e-300), 1.0)
        shares = np.append(constants.c_mu * constants.weights * scale, constants.c_1)
        left = 1.0 - constants.c_1 - constants.c_mu * float(constants.weights.sum())
        left += constants.c_1 * (1.0 - steady) * constants.c_c * (2.0 - constants.c_c)
        along = np.vstack([y, path])
        covariance = (along.T * shares) @ along
        covariance += left * state.covariance

        growth = constants.c_sigma / constants.d_sigma * (length - 1.0)
        if hidden:
            # Sigma would grow and C shrink for ever; in C's own scale, sigma says how wide the cloud is.
            scale = math.sqrt(float(np.mean(np.diagonal(covariance))))
            covariance /= scale**2
            path = path / scale
            state = replace(state, sigma=scale * state.sigma, factor=state.factor / scale)
            growth = (
                max(growth, constants.c_sigma / constants.d_sigma) if state.sigma < self.sigma else min(growth, 0.0)
            )
        sigma = state.sigma * math.exp(min(1.0, growth))
        state = replace(state, mean=mean, sigma=sigma, path=path, path_sigma=path_sigma, covariance=covariance)
        factor = _factor(covariance) if state.k % constants.lazy == 0 else state.factor
        return replace(state, broken=True) if factor is None else replace(state, factor=factor)


@dataclass(frozen=True, eq=False)
class _Constants:
    """The tutorial's table 1, by its names."""

    weights: np.ndarray
    mu_eff: float
    c_sigma: float
    d_sigma: float
    c_c: float
    c_1: float
    c_mu: float
    chi: float
    lazy: int


@cache
def _constants(n: int, population: int) -> _Constants:
    raw = math.log((population + 1.0) / 2.0) - np.log(np.arange(1, population + 1))
    good, bad = raw[: population // 2], raw[population // 2 :]
    mu_eff, mu_bad = good.sum() ** 2 / (good**2).sum(), bad.sum() ** 2 / (bad**2).sum()
    c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0)
    c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n)
    c_1 = 2.0 / ((n + 1.3) ** 2 + mu_eff)
    c_mu = min(1.0 - c_1, 2.0 * (0.25 + mu_eff + 1.0 / mu_eff - 2.0) / ((n + 2.0) ** 2 + mu_eff))
    most = min(1.0 + c_1 / c_mu, 1.0 + 2.0 * mu_bad / (mu_eff + 2.0), (1.0 - c_1 - c_mu) / (n * c_mu))
    return _Constants(
        weights=np.concatenate([good / good.sum(), most * bad / np.abs(bad).sum()]),
        mu_eff=float(mu_eff),
        c_sigma=float(c_sigma),
        d_sigma=float(1.0 + 2.0 * max(0.0, math.sqrt((mu_eff - 1.0) / (n + 1.0)) - 1.0) + c_sigma),
        c_c=float(c_c),
        c_1=float(c_1),
        c_mu=float(c_mu),
        chi=math.sqrt(n) * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n**2)),
        lazy=max(1, int(1.0 / (2.0 * n * (c_1 + c_mu)))),
    )


def _factor(covariance: np.ndarray) -> np.ndarray | None:
    """The lower factor A of a positive matrix A A^T, or None beyond `CONDITION`."""
    try:
        factor = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        return None
    pivots = np.diagonal(factor) ** 2
    rounded = pivots.max() > CONDITION * pivots.min() or np.any(pivots * CONDITION < np.diagonal(covariance))
    return None if rounded else factor


def _flat(state: _State, told: Told) -> bool:
    """Whether the values stopped falling."""
    size, accuracy = told.values.size, state.accuracy
    shortest = 10 + math.ceil(30.0 * state.mean.size / size)
    if not state.noisy:
        seen = np.concatenate([state.lows[-shortest:], told.values])
        return state.k >= shortest and float(np.ptp(seen)) < accuracy / 2.0
    error = float(np.mean(told.standard_errors)) / math.sqrt(size)
    return settled(state.values, 2.0 * error, accuracy, 2 * shortest)
