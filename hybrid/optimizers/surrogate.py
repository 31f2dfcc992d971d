"""A Gaussian-process surrogate: every evaluation goes where a model of all earlier ones expects most of it."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hybrid.optimizers.gaussian_process import Process, condition, fit
from hybrid.optimizers.hypercube import hypercube
from hybrid.optimizers.one_thread import one_thread
from hybrid.optimizers.optimizer import FEW, Optimizer, Points, Told, checked, require, rows_bytes, starting_point
from hybrid.optimizers.streams import stream

NEAREST = 200
"""Most points that the model is made of, the nearest to the best one: its cost grows as their cube."""

SUCCESSES = 3
"""Steps in a row that found a lower point after which the trust region is doubled."""

SMALLEST = 0.05
"""Radians: half width below which the trust region never shrinks."""

LARGEST = np.pi
"""Radians: half width beyond which a rotation comes back."""

CANDIDATES, REFINED = 100, 3
"""Random candidates for each parameter (in all at most ten times as many), and how many of the best are refined."""

CALM = 3
"""Steps in a row that must agree that nothing is left."""


@dataclass(frozen=True, eq=False)
class _State:
    accuracy: float
    seed: int
    rows: np.ndarray
    X: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    best: np.ndarray
    hyper: np.ndarray
    width: float
    lowest: float = 0.0
    promised: tuple[float, ...] = ()
    fitted: int = 0
    successes: int = 0
    failures: int = 0
    calm: int = 0
    k: int = 0


@dataclass(frozen=True)
class Surrogate(Optimizer[_State]):
    """Bayesian optimization in a trust region, for noisy and costly values.

    The first tell is of the start and a Latin hypercube of 2 params rows around it. From then on each step asks for
    `batch` rows, the maxima of the expected improvement below the best point, EI = E max(mu(best) - f, 0), of a
    Gaussian process (see `hybrid.optimizers.gaussian_process`) inside the trust region: a box around the point of the
    lowest posterior mean, with sides in proportion to the model's lengths. As in TuRBO it is doubled after three
    successes in a row and halved after max(4, params) / batch failures; being around a given start, it is never
    restarted, and not shrunk below 0.05 rad, or where the noise would hide all differences. Further rows of a batch
    believe the model at those before them.

    The noise is what the standard errors say. It has converged when in three steps in a row the expected improvement
    was below a tenth of the accuracy, what came was within the accuracy and three standard errors of what the model
    promised, and the best point is known to the accuracy. Where only the last is missing, the best point is evaluated
    again. As with every local method, a valley outside the box is not seen.

    Meant for up to some twenty parameters and a few hundred rows: a step takes some hundredths to tenths of a second.

    Args:
        radius: First half width of the trust region, radians.
        batch: Rows in each step, for backends that evaluate several at a time.

    References:
        Eriksson, Pearce, Gardner, Turner, Poloczek, NeurIPS 32 (2019), for the trust region (TuRBO);
        Jones, Schonlau, Welch, J. Glob. Optim. 13, 455 (1998), for expected improvement;
        Ginsbourger, Le Riche, Carraro (2010), for batches that believe the model.
    """

    radius: float = 0.5
    batch: int = 1

    kind: ClassVar[str] = "surrogate"

    def __post_init__(self):
        require(self, "radius", SMALLEST, LARGEST)
        require(self, "batch", 1, 1000, whole=True)

    def init(self, theta: np.ndarray, *, accuracy: float, seed: int) -> _State:
        """The state before the first step; see `Optimizer.init`."""
        theta = starting_point(theta, accuracy)
        d = theta.size
        rng = stream(seed, 0)
        rows = np.concatenate([theta[None], theta + self.radius * hypercube(rng, 2 * d, d)])
        nothing = np.zeros(0)
        hyper = np.zeros(d + 1)
        return _State(accuracy, seed, rows, rows[:0], nothing, nothing, theta, hyper, float(self.radius))

    def ask(self, state: _State) -> Points:
        """The start and a hypercube around it; then the rows of the largest expected improvement."""
        return Points(state.rows.copy(), gradient=False)

    @one_thread()
    def tell(self, state: _State, told: Told) -> _State:
        """The state with more points seen, and the next ones chosen; see `Optimizer.tell`."""
        told = checked(self.ask(state), told)
        state = replace(
            state,
            X=np.concatenate([state.X, state.rows]),
            values=np.concatenate([state.values, told.values]),
            errors=np.concatenate([state.errors, told.standard_errors]),
            k=state.k + 1,
        )
        if state.best.size == 0:
            return replace(state, calm=CALM)
        near = _nearest(state)
        data = (state.X[near], state.values[near], state.errors[near])
        if len(state.X) >= 1.1 * state.fitted:
            hyper = fit(*data, start=state.hyper, least_scale=state.accuracy)
            state = replace(state, hyper=hyper, fitted=len(state.X))
        model = condition(*data, hyper=state.hyper, least_scale=state.accuracy)
        state = self._judged(state, model, told)
        rows, expected, promised, deviation = self._acquired(state, model)
        calm = state.calm + 1 if expected < state.accuracy / 10.0 else 0
        if calm >= CALM and deviation > state.accuracy:
            calm, rows, promised = (
                CALM - 1,
                np.repeat(state.best[None], self.batch, axis=0),
                [state.lowest] * self.batch,
            )
        return replace(state, calm=calm, rows=rows, promised=tuple(promised))

    def best(self, state: _State) -> np.ndarray:
        """The evaluated point of the lowest posterior mean, shape (params,)."""
        return state.best

    def converged(self, state: _State) -> bool:
        """Whether the model expects nothing more, was right lately, and knows the best point to the accuracy."""
        return state.calm >= CALM

    def evaluations(self, n_params: int, max_steps: int) -> int:
        """The first rows, and a batch for each step; a guess from circuits of up to ten parameters."""
        return 1 + 2 * n_params + self.batch * (min(max_steps, 20 + 5 * n_params) - 1)

    def memory_bytes(self, n_params: int, max_steps: int) -> int:
        """All points so far, the model of the nearest ones, and the candidates with their covariances."""
        n_points = 1 + 2 * n_params + self.batch * max_steps
        near, candidates = min(n_points, NEAREST), CANDIDATES * min(n_params, 10)
        model = 8 * (6 * near * near + 4 * candidates * near)
        return rows_bytes(FEW + 2 * n_points + 4 * candidates, n_params) + model

    @property
    def uses_gradient(self) -> bool:
        """No."""
        return False

    def _judged(self, state: _State, model: Process, told: Told) -> _State:
        """The best point and the width of the trust region in the light of what came."""
        row = int(np.argmin(model.means))
        lowest = float(model.means[row])
        # Compared in the light of today: yesterday's mean at yesterday's best point was the luckiest of many.
        found = state.k == 1 or lowest < float(model.predict(state.best[None])[0][0]) - 1e-3 * model.scale
        successes, failures = (state.successes + 1, 0) if found else (0, state.failures + 1)
        width = state.width
        if successes == SUCCESSES:
            width, successes = min(2.0 * width, LARGEST), 0
        elif failures >= max(4, state.best.size) / self.batch:
            width, failures = max(width / 2.0, min(_visible(state, model), self.radius)), 0
        doubt = state.accuracy + 3.0 * told.standard_errors
        kept = not state.promised or bool(np.all(np.abs(told.values - state.promised) <= doubt))
        return replace(
            state,
            best=model.X[row],
            lowest=lowest,
            width=width,
            successes=successes,
            failures=failures,
            calm=state.calm if kept else 0,
        )

    def _acquired(self, state: _State, model: Process) -> tuple[np.ndarray, float, list[float], float]:
        """The next rows, the first one's expected improvement, their means, and how well the best point is known."""
        box = _box(state, model)
        rng = stream(state.seed, state.k)
        deviation = float(model.predict(state.best[None])[1][0])
        rows, means, expected = [], [], []
        while True:
            row, gain = _most_promising(model, state.best, min([state.lowest, *means]), box, rng)
            rows.append(row)
            means.append(float(model.predict(row[None])[0][0]))
            expected.append(gain)
            if len(rows) == self.batch:
                return np.array(rows), expected[0], means, deviation
            near = _nearest(state)
            X = np.concatenate([state.X[near], rows])
            values = np.concatenate([state.values[near], means])
            errors = np.concatenate([state.errors[near], np.zeros(len(rows))])
            model = condition(X, values, errors, hyper=state.hyper, least_scale=state.accuracy)


def _nearest(state: _State) -> np.ndarray:
    """Indices of the points that the model is made of, ascending."""
    if len(state.X) <= NEAREST:
        return np.arange(len(state.X))
    apart = ((state.X - state.best) ** 2).sum(axis=1)
    return np.sort(np.argsort(apart, kind="stable")[:NEAREST])


def _visible(state: _State, model: Process) -> float:
    """Half width of the smallest trust region in which differences stand out of the noise."""
    noise = float(np.median(state.errors)) / (model.scale * math.sqrt(model.signal))
    return max(SMALLEST, 2.0 * noise * float(np.exp(np.log(model.lengths).mean())))


def _box(state: _State, model: Process) -> np.ndarray:
    """Lower and upper ends of the trust region, shape (params, 2): of the wanted width in the geometric mean."""
    shape = model.lengths / np.exp(np.log(model.lengths).mean())
    half = np.minimum(state.width * shape, LARGEST)
    return np.stack([state.best - half, state.best + half], axis=1)


def _most_promising(
    model: Process, best: np.ndarray, lowest: float, box: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The point in a box of the largest expected improvement below the lowest value, and that improvement."""
    from scipy.optimize import minimize

    d = best.size
    n = CANDIDATES * min(d, 10)
    # Far from the best point in every parameter at once, nothing is known where there are many: move some of them.
    moved = rng.uniform(size=(n, d)) < min(1.0, 20.0 / d)
    moved[np.arange(n), rng.integers(0, d, size=n)] = True
    candidates = np.where(moved, rng.uniform(box[:, 0], box[:, 1], size=(n, d)), best)
    means, deviations = model.predict(candidates)
    logs = np.log(deviations) + log_h((lowest - means) / deviations)[0]

    def loss(x: np.ndarray) -> tuple[float, np.ndarray]:
        mean, deviation, d_mean, d_deviation = model.slopes(x)
        z = (lowest - mean) / deviation
        log, slope = log_h(np.array([z]))
        d_z = -(d_mean + z * d_deviation) / deviation
        return -math.log(deviation) - float(log[0]), -d_deviation / deviation - float(slope[0]) * d_z

    found = []
    for k in np.argsort(-logs, kind="stable")[:REFINED]:
        refined = minimize(loss, candidates[k], jac=True, method="L-BFGS-B", bounds=box, options={"maxiter": 20})
        found.append((float(refined.fun), np.asarray(refined.x)))
    value, point = min(found, key=lambda pair: pair[0])
    return point, math.exp(-value)


def log_h(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The logarithm of h(z) = phi(z) + z Phi(z), and its derivative Phi / h; below z = -6 by the asymptote phi / z^2.

    The expected improvement of a normal variable that lies z of its deviations below the best value is sigma h(z).
    """
    from scipy.special import ndtr

    far = z < -6.0
    near, low = np.where(far, 0.0, z), np.where(far, z, -6.0)
    h = np.exp(-0.5 * near * near) / math.sqrt(2.0 * math.pi) + near * ndtr(near)
    asymptote = -0.5 * low * low - 0.5 * math.log(2.0 * math.pi) - 2.0 * np.log(-low)
    return np.where(far, asymptote, np.log(h)), np.where(far, -low - 2.0 / low, ndtr(near) / h)
