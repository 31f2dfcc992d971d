"""Functions with known minima, and the loop that every test drives an optimizer with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hybrid.optimizers import Optimizer, Points, Told


@dataclass(frozen=True)
class Function:
    """``f(theta) -> value, gradient``, its lowest value, and a start from which descent leads there."""

    f: Callable
    minimum: float
    start: np.ndarray


def quadratic(condition: float, n: int, seed: int = 0) -> Function:
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.normal(size=(n, n)))[0]
    matrix = basis * np.logspace(0, -np.log10(condition), n) @ basis.T
    return Function(lambda x: (0.5 * x @ matrix @ x - 1.0, matrix @ x), -1.0, generator.normal(size=n))


def rosenbrock() -> Function:
    def f(x):
        from scipy.optimize import rosen, rosen_der

        return rosen(x), rosen_der(x)

    return Function(f, 0.0, np.array([-1.2, 1.0]))


def sinusoids(n: int, seed: int = 0) -> Function:
    """Independent qubits: -sum a cos(theta - phi)."""
    generator = np.random.default_rng(seed)
    a, phi = generator.uniform(0.5, 1.5, n), generator.uniform(-1.0, 1.0, n)
    return Function(lambda x: (-(a @ np.cos(x - phi)), a * np.sin(x - phi)), -a.sum(), phi + generator.normal(size=n))


def mean_field(n: int, field: float = 1.5) -> Function:
    """Transverse-field Ising ring in product states: -sum cos cos' - field sum sin; at sin = field/2 the minimum."""

    def f(x):
        c, s = np.cos(x), np.sin(x)
        return -(c @ np.roll(c, -1)) - field * s.sum(), s * (np.roll(c, -1) + np.roll(c, 1)) - field * c

    return Function(f, -n * (1.0 + field**2 / 4.0), np.random.default_rng(1).normal(size=n) * 0.3)


def shared() -> Function:
    """One parameter in three gates and another scaled by 1/2: frequencies 1, 2, 3 and 1/2, minimum from a fine grid."""

    def f(x):
        t, u = x
        value = np.cos(t) + 0.5 * np.sin(2 * t + 0.3) + 0.3 * np.cos(3 * t - 1) - np.cos(0.5 * (u - 1))
        return value, np.array(
            [-np.sin(t) + np.cos(2 * t + 0.3) - 0.9 * np.sin(3 * t - 1), 0.5 * np.sin(0.5 * (u - 1))]
        )

    t = np.linspace(-np.pi, np.pi, 2_000_001)
    lowest = np.min(np.cos(t) + 0.5 * np.sin(2 * t + 0.3) + 0.3 * np.cos(3 * t - 1))
    return Function(f, float(lowest) - 1.0, np.array([2.5, -1.0]))


@pytest.fixture(scope="session")
def functions() -> SimpleNamespace:
    return SimpleNamespace(
        quadratic=quadratic, rosenbrock=rosenbrock, sinusoids=sinusoids, mean_field=mean_field, shared=shared
    )


@dataclass(frozen=True)
class Outcome:
    """How a loop ended: the last state, the number of tells, and every row asked for."""

    state: Any
    steps: int
    rows: np.ndarray
    told: tuple[Told, ...]


def geometry(points: Points, told: Told) -> Told:
    """What else was asked for, of states whose metric is the identity: fidelities exp(-|a - b|^2)."""
    if points.metric:
        told = replace(told, metrics=np.tile(np.eye(points.rows.shape[1]), (len(points.rows), 1, 1)))
    if points.pairs is not None:
        apart = points.pairs[:, 0] - points.pairs[:, 1]
        told = replace(told, fidelities=np.exp(-(apart**2).sum(axis=1)))
    return told


@pytest.fixture(scope="session")
def evaluate() -> Callable:
    def evaluate(f, points, sigma=0.0, generator=None):
        pairs = [f(row) for row in points.rows]
        values = np.array([value for value, _ in pairs], dtype=float)
        gradients = np.array([gradient for _, gradient in pairs], dtype=float)
        if sigma:
            values = values + sigma * generator.normal(size=values.shape)
            gradients = gradients + sigma * generator.normal(size=gradients.shape) / np.sqrt(2.0)
        return geometry(points, Told(values, np.full(values.shape, sigma), gradients if points.gradient else None))

    return evaluate


@pytest.fixture(scope="session")
def drive(evaluate) -> Callable:
    def drive(optimizer: Optimizer, f, theta, *, accuracy=1e-6, seed=0, max_steps=3000, sigma=0.0):
        generator = np.random.default_rng(seed + 1)
        state, rows, told = optimizer.init(theta, accuracy=accuracy, seed=seed), [], []
        while len(told) < max_steps and not optimizer.converged(state) and not optimizer.stalled(state):
            points = optimizer.ask(state)
            rows.append(points.rows)
            told.append(evaluate(f, points, sigma, generator))
            state = optimizer.tell(state, told[-1])
        return Outcome(state, len(told), np.concatenate(rows), tuple(told))

    return drive
