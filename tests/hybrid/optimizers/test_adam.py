import numpy as np
import pytest

from hybrid.optimizers import get
from hybrid.optimizers.trend import fall, window


def test_iterates_are_optaxs(functions, drive):
    """Thirty steps of optax.adam from the same start, float64."""
    import jax
    import optax

    function = functions.mean_field(4)
    outcome = drive(get("adam", learning_rate=0.03, patience=100), function.f, function.start, max_steps=30)
    with jax.enable_x64(True):
        adam = optax.adam(0.03)
        theta, state = function.start, adam.init(function.start)
        for row in outcome.rows:
            assert row == pytest.approx(np.asarray(theta), abs=1e-13)
            updates, state = adam.update(function.f(np.asarray(theta))[1], state, theta)
            theta = np.asarray(optax.apply_updates(theta, updates))


def test_global_precision_is_left_alone(functions, drive):
    import jax
    import jax.numpy as jnp

    before = jnp.ones(1).dtype
    function = functions.sinusoids(2)
    drive(get("adam"), function.f, function.start, max_steps=3)
    assert jnp.ones(1).dtype == before
    with jax.enable_x64(False):
        drive(get("adam"), function.f, function.start, max_steps=3)
        assert jnp.ones(1).dtype == jnp.float32


@pytest.mark.parametrize("accuracy", [1e-3, 1e-6])
def test_rosenbrock(accuracy, functions, drive):
    """The curved valley: rates must rise and fall for the accuracy to be reached at all."""
    function, optimizer = functions.rosenbrock(), get("adam")
    outcome = drive(optimizer, function.f, function.start, accuracy=accuracy)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] < accuracy


def test_too_high_a_rate_comes_down(functions, drive):
    """Steps of a whole radian circle the minimum for good unless they are halved."""
    function, optimizer = functions.quadratic(20.0, 4), get("adam", learning_rate=1.0)
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-9, max_steps=1000)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 1e-9
    assert outcome.state.rate < 1.0


def test_noisy_means_answer_better_than_noisy_minima(functions, drive):
    """With errors of 0.02 on values and gradients, an accuracy of 0.02 is held in 10 of 10 runs."""
    function, optimizer = functions.quadratic(4.0, 4), get("adam")
    for seed in range(10):
        outcome = drive(optimizer, function.f, function.start, accuracy=0.02, sigma=0.02, seed=seed, max_steps=1000)
        assert optimizer.converged(outcome.state)
        assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 0.02


def test_never_converged_inside_the_noise(functions, drive):
    """Standard errors of 100 accuracies need 160,000 values; 500 prove nothing."""
    function, optimizer = functions.quadratic(4.0, 4), get("adam")
    outcome = drive(optimizer, function.f, function.start, accuracy=2e-4, sigma=0.02, max_steps=500)
    assert outcome.steps == 500


def test_window_knows_the_fall():
    """Simulated: over the window's length, the halves of pure noise differ by accuracy / 2 in standard deviation."""
    n = window(0.02, 0.01, 20)
    trace = np.random.default_rng(0).normal(scale=0.02, size=(4000, n))
    falls = [fall(tuple(row), n)[0] for row in trace]
    assert np.std(falls) == pytest.approx(0.005, rel=0.05)  # 4000 samples know it to 1.1 %
