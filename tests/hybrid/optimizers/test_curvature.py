import numpy as np
import pytest

from hybrid.optimizers.curvature import FULL, promise


def look(f, theta, **options):
    asked = []

    def values(rows):
        asked.append(len(rows))
        return np.array([f(row) for row in rows])

    options = {"h": 0.01, "reach": 0.5} | options
    left, step = promise(values, theta, f(theta), **options)
    return left, step, asked


def test_a_quadratic_is_seen_through():
    """The promise is what lies between point and minimum, the step leads there: along a rotated valley."""
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    matrix = basis * [1.0, 0.1, 0.01, 1e-3] @ basis.T
    theta = basis @ np.array([0.1, 0.1, 0.2, 0.3])
    left, step, asked = look(lambda x: 3.0 + x @ matrix @ x / 2, theta)
    assert left == pytest.approx(theta @ matrix @ theta / 2, rel=1e-6)
    assert theta + step == pytest.approx(np.zeros(4), abs=1e-6)
    assert asked == [14]  # 8 neighbours along the axes, 6 between them


def test_a_saddle_promises_a_step_of_the_reach():
    left, step, _ = look(lambda x: x[0] ** 2 - 0.3 * x[1] ** 2, np.zeros(2))
    assert left == pytest.approx(0.3 * 0.5**2)
    assert np.abs(step) == pytest.approx([0.0, 0.5], abs=1e-9)


def test_flat_directions_promise_nothing():
    left, _, _ = look(lambda x: 5.0 + x[0] ** 2, np.zeros(2))
    assert left < 1e-9


def test_many_parameters_are_looked_at_one_by_one():
    n = FULL + 1
    left, _, asked = look(lambda x: x @ x, np.full(n, 0.1))
    assert asked == [2 * n]
    assert left == pytest.approx(0.01 * n)
