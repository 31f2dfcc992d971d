import numpy as np
import pytest

from hybrid.optimizers import get


def test_noisy_quadratic(functions, drive):
    """Errors of 0.02 in values; the accuracy of 0.05 is held in 10 of 10 runs."""
    function, optimizer = functions.quadratic(4.0, 4), get("spsa")
    for seed in range(10):
        outcome = drive(optimizer, function.f, function.start, accuracy=0.05, sigma=0.02, seed=seed)
        assert optimizer.converged(outcome.state)
        assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 0.05


def test_rows_and_calibration(functions, evaluate):
    function, optimizer = functions.sinusoids(5), get("spsa", calibration=7, perturbation=0.1, first_step=0.3)
    state = optimizer.init(function.start, accuracy=0.01, seed=0)
    rows = optimizer.ask(state).rows
    assert rows.shape == (14, 5)
    assert np.abs(rows - function.start) == pytest.approx(np.full((14, 5), 0.1))
    assert (rows[0::2] + rows[1::2]) / 2 == pytest.approx(np.tile(function.start, (7, 1)))
    state = optimizer.tell(state, evaluate(function.f, optimizer.ask(state)))
    lengths = []
    for _ in range(3):
        before = optimizer.ask(state).rows.mean(axis=0)
        assert optimizer.ask(state).rows.shape == (2, 5)
        state = optimizer.tell(state, evaluate(function.f, optimizer.ask(state)))
        lengths.append(np.linalg.norm(optimizer.ask(state).rows.mean(axis=0) - before))
    assert 0.03 < max(lengths) <= 0.6  # about first_step, never more than twice


def test_a_start_near_the_minimum_calibrates_no_runaway(drive):
    """The slope there is small, so the first gain is far too large; long steps must bring it down for good."""
    optimizer = get("spsa")
    outcome = drive(optimizer, lambda x: (0.5 * x @ x, x), np.array([0.004, -0.003]), accuracy=1e-3, max_steps=1000)
    assert optimizer.converged(outcome.state)
    assert np.abs(outcome.rows).max() < 2.0
    assert 0.5 * optimizer.best(outcome.state) @ optimizer.best(outcome.state) < 1e-3


def test_seeds_differ(functions, drive):
    function = functions.sinusoids(3)
    first, second = (drive(get("spsa"), function.f, function.start, seed=s, max_steps=2).rows for s in (0, 1))
    assert not np.array_equal(first, second)


def test_never_converged_inside_the_noise(functions, drive):
    function, optimizer = functions.quadratic(4.0, 3), get("spsa")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-4, sigma=0.02, max_steps=500)
    assert outcome.steps == 500


def test_rows_are_counted_exactly(functions, drive):
    function, optimizer = functions.sinusoids(3), get("spsa")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-6, max_steps=30)
    assert len(outcome.rows) == optimizer.evaluations(3, 30)


@pytest.mark.parametrize("kind", ["spsa", "adam", "cma-es"])
def test_a_long_valley_in_noise_is_no_convergence(kind, functions, drive):
    """Twenty parameters, condition 30, errors of 0.02: values that creep must not be taken for values that stand."""
    function, optimizer = functions.quadratic(30.0, 20), get(kind)
    for seed in range(3):
        start = 3.0 * np.random.default_rng(seed).uniform(-1.0, 1.0, 20)
        outcome = drive(optimizer, function.f, start, accuracy=0.1, sigma=0.02, seed=seed, max_steps=800)
        error = function.f(optimizer.best(outcome.state))[0] - function.minimum
        assert error < 0.1 or not optimizer.converged(outcome.state)
