import numpy as np
import pytest

from hybrid.optimizers import get


def test_independent_sinusoids_in_one_sweep(functions, drive):
    """No coupling, one frequency: after one sweep of three rows a parameter, every parameter is exact."""
    function = functions.sinusoids(6)
    outcome = drive(get("rotosolve"), function.f, function.start, accuracy=1e-9, max_steps=7)
    assert len(outcome.rows) == 21
    error = function.f(get("rotosolve").best(outcome.state))[0] - function.minimum
    assert error == pytest.approx(0.0, abs=1e-13)


@pytest.mark.parametrize("accuracy", [1e-3, 1e-6, 1e-9])
def test_shared_and_scaled_parameters(accuracy, functions, drive):
    """Frequencies 1, 2, 3 in one parameter, 1/2 in the other: found out, and the global minimum of both reached."""
    function, optimizer = functions.shared(), get("rotosolve")
    outcome = drive(optimizer, function.f, function.start, accuracy=accuracy)
    assert optimizer.converged(outcome.state)
    assert abs(function.f(optimizer.best(outcome.state))[0] - function.minimum) < accuracy + 1e-11  # of the grid
    assert all(model > 0 for model in outcome.state.models)


@pytest.mark.parametrize("seed", range(20))
def test_never_an_uphill_step(seed, drive, evaluate):
    """Random sums of waves of random frequencies, integer or not: what it answers with never rises."""
    generator = np.random.default_rng(seed)
    k, a, phi = generator.uniform(0.3, 6.0, (4, 2)), generator.normal(size=(4, 2)), generator.uniform(0, 6, (4, 2))

    def f(x):
        return float((a * np.cos(k * x + phi)).sum() + 0.3 * np.cos(x.sum())), np.zeros(2)

    optimizer = get("rotosolve")
    state, lowest = optimizer.init(np.zeros(2), accuracy=1e-5, seed=0), np.inf
    for _ in range(400):
        state = optimizer.tell(state, evaluate(f, optimizer.ask(state)))
        value = f(optimizer.best(state))[0]
        assert value <= lowest + 1e-7  # a hundredth of the accuracy
        lowest = value
        if optimizer.converged(state):
            break
    assert optimizer.converged(state)
    x, step = optimizer.best(state), 1e-4
    slopes = [(f(x + step * e)[0] - f(x - step * e)[0]) / (2 * step) for e in np.eye(2)]
    assert np.abs(slopes).max() < 0.05  # an error of 1e-5 at curvature up to 100


def test_a_wrong_models_own_minimum_is_no_trap(drive):
    """At 0, three rows a third of a turn apart see sin x + sin 2x as flat: sin 2x looks like -sin x to them."""
    optimizer = get("rotosolve")
    outcome = drive(optimizer, lambda x: (np.sin(x[0]) + np.sin(2 * x[0]), np.zeros(1)), np.zeros(1))
    assert outcome.told[0].values == pytest.approx(np.zeros(3), abs=1e-15)
    assert optimizer.converged(outcome.state)
    grid = np.linspace(-np.pi, np.pi, 1_000_001)
    lowest = np.min(np.sin(grid) + np.sin(2 * grid))
    x = optimizer.best(outcome.state)[0]
    assert np.sin(x) + np.sin(2 * x) == pytest.approx(lowest, abs=1e-6)


def test_a_coupled_landscape(functions, drive):
    function, optimizer = functions.mean_field(8), get("rotosolve")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-8)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 1e-8
    assert outcome.state.models == (0,) * 8  # one frequency each: never a reason for distrust


def test_noise_is_no_reason_for_distrust(functions, drive):
    function, optimizer = functions.mean_field(4), get("rotosolve")
    for seed in range(5):
        outcome = drive(optimizer, function.f, function.start, accuracy=0.05, sigma=0.02, seed=seed, max_steps=300)
        assert optimizer.converged(outcome.state)
        assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 0.05
        assert sum(outcome.state.models) == 0


def test_noise_above_the_accuracy_is_said(functions, drive):
    function, optimizer = functions.mean_field(4), get("rotosolve")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-4, sigma=0.02, max_steps=1000)
    assert not optimizer.converged(outcome.state)
    assert "accuracy 0.0001" in optimizer.stalled(outcome.state)
