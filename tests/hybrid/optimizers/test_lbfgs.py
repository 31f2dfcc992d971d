import numpy as np
import pytest

from hybrid.optimizers import Told, get
from hybrid.optimizers.gap import gap
from hybrid.optimizers.lbfgs import two_loop


def test_direction_is_optaxs():
    """The same secant pairs give the direction that optax's L-BFGS computes."""
    import jax
    import optax

    generator = np.random.default_rng(0)
    matrix = np.diag(generator.uniform(0.5, 2.0, 6))
    points = generator.normal(size=(5, 6))
    with jax.enable_x64(True):
        rule = optax.scale_by_lbfgs(memory_size=4)
        state = rule.init(points[0])
        for theta in points:
            expected, state = rule.update(matrix @ theta, state, theta)
    steps = np.diff(points, axis=0)
    pairs = tuple((s, matrix @ s) for s in steps)
    assert two_loop(matrix @ points[-1], pairs) == pytest.approx(np.asarray(expected), rel=1e-12)


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4])
@pytest.mark.parametrize("accuracy", [1e-2, 1e-5, 1e-9])
def test_ill_conditioned_quadratics(condition, accuracy, functions, drive):
    for seed in range(3):
        function = functions.quadratic(condition, 12, seed)
        optimizer = get("lbfgs")
        outcome = drive(optimizer, function.f, function.start, accuracy=accuracy)
        assert optimizer.converged(outcome.state)
        assert function.f(optimizer.best(outcome.state))[0] - function.minimum < accuracy
        assert outcome.steps < 12 if condition == 1.0 else outcome.steps < 250


def test_rosenbrock_in_few_evaluations(functions, drive):
    """SciPy's L-BFGS-B takes about 45 evaluations from this start."""
    function, optimizer = functions.rosenbrock(), get("lbfgs")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-8)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] < 1e-8
    assert outcome.steps < 60


def test_best_never_rises(functions, evaluate):
    function, optimizer = functions.rosenbrock(), get("lbfgs")
    state, lowest = optimizer.init(function.start, accuracy=1e-6, seed=0), np.inf
    while not optimizer.converged(state):
        state = optimizer.tell(state, evaluate(function.f, optimizer.ask(state)))
        value = function.f(optimizer.best(state))[0]
        assert value <= lowest + 1e-9  # a thousandth of the accuracy
        lowest = value


def test_a_stationary_start_is_left(drive):
    """At the top of cos(x) + cos(y) and in the saddle of cos(x) - cos(y) the gradient vanishes."""
    optimizer = get("lbfgs")
    for sign in (1.0, -1.0):
        weights = np.array([1.0, sign])
        outcome = drive(optimizer, lambda x, w=weights: (w @ np.cos(x), -w * np.sin(x)), np.zeros(2))
        assert optimizer.converged(outcome.state)
        assert weights @ np.cos(optimizer.best(outcome.state)) == pytest.approx(-2.0, abs=1e-6)


def test_rounding_noise_does_not_stop_it(functions, drive):
    """Values rounded to 1e-7, as in single precision: the gradient decides, and the accuracy of 1e-6 is reached."""
    function, optimizer = functions.mean_field(6), get("lbfgs")

    def rounded(x):
        value, gradient = function.f(x)
        return np.round(value, 7), np.round(gradient, 7)

    outcome = drive(optimizer, rounded, function.start, accuracy=1e-6)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 1e-6


def test_a_gradient_that_lies_is_found_out(functions, drive):
    function, optimizer = functions.sinusoids(3), get("lbfgs")
    outcome = drive(optimizer, lambda x: (function.f(x)[0], -function.f(x)[1]), function.start)
    assert not optimizer.converged(outcome.state)
    assert "not precise enough" in optimizer.stalled(outcome.state)
    assert outcome.steps < 100


def test_noise_above_the_accuracy_is_said(functions, drive):
    function, optimizer = functions.mean_field(4), get("lbfgs")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-4, sigma=0.02)
    assert not optimizer.converged(outcome.state)
    assert "accuracy 0.0001" in optimizer.stalled(outcome.state)
    assert outcome.steps < 100


def test_gap_bounds_a_quadratic():
    """f - f* <= |g|^2 / (2 mu) is an equality along the slowest direction."""
    matrix = np.diag([4.0, 0.5])
    pairs = tuple((s, matrix @ s) for s in np.eye(2))
    x = np.array([0.0, 3.0])
    assert gap(matrix @ x, pairs) == pytest.approx(0.5 * x @ matrix @ x, rel=1e-14)
    assert gap(matrix @ np.ones(2), pairs) >= 0.5 * np.ones(2) @ matrix @ np.ones(2)
    assert gap(np.zeros(2), ()) == 0.0
    assert gap(np.ones(2), ((np.ones(2), -np.ones(2)),)) == np.inf


def test_memory_bounds_the_state(functions, evaluate):
    function, optimizer = functions.rosenbrock(), get("lbfgs", memory=2)
    state = optimizer.init(function.start, accuracy=1e-6, seed=0)
    for _ in range(15):
        state = optimizer.tell(state, evaluate(function.f, optimizer.ask(state)))
    assert len(state.pairs) == 2


def test_told_errors_do_not_matter_when_zero():
    optimizer = get("lbfgs")
    state = optimizer.init(np.array([1.0]), accuracy=1e-3, seed=0)
    state = optimizer.tell(state, Told(np.array([0.5]), np.zeros(1), np.array([[1.0]])))
    assert optimizer.ask(state).rows == pytest.approx(np.array([[0.0]]))  # first step: unit length against the gradient
