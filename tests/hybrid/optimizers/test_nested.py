"""Multistart and basin hopping around other optimizers."""

import numpy as np
import pytest

from hybrid.optimizers import Told, get
from hybrid.optimizers.inner import Comparison
from hybrid.optimizers.multistart import RUN
from hybrid.optimizers.streams import child_seed


def wells(x):
    """Two wells in each parameter, at about -1 and 1; the lowest of all has every parameter negative."""
    return float(((x**2 - 1.0) ** 2 + 0.3 * x).sum()), 4.0 * x * (x**2 - 1.0) + 0.3


def lowest(n):
    grid = np.linspace(-2.0, 0.0, 2_000_001)
    return n * float(np.min((grid**2 - 1.0) ** 2 + 0.3 * grid))


@pytest.mark.parametrize("kind", ["multistart", "basin-hopping"])
@pytest.mark.parametrize("inner", ["lbfgs", "nelder-mead"])
def test_out_of_the_wrong_well(kind, inner, drive):
    options = {"multistart": {"starts": 16}, "basin-hopping": {"patience": 16}}[kind]
    start, optimizer = np.array([1.2, -1.2]), get(kind, inner=inner, radius=2.5, **options)
    assert wells(get(inner).best(drive(get(inner), wells, start).state))[0] > lowest(2) + 0.4
    for seed in range(3):
        outcome = drive(optimizer, wells, start, seed=seed)
        assert optimizer.converged(outcome.state)
        assert wells(optimizer.best(outcome.state))[0] == pytest.approx(lowest(2), abs=1e-6)


@pytest.mark.parametrize("inner", ["lbfgs", "spsa", "rotosolve", "cma-es"])
def test_every_run_is_the_inner_optimizers_own(inner, functions, drive):
    """The rows that a start contributes to the batches are those of the inner optimizer alone, to the last bit."""
    function, optimizer = functions.mean_field(3), get("multistart", inner=inner, starts=3)
    state, rows = optimizer.init(function.start, accuracy=1e-2, seed=5), [[], [], []]
    starts = [optimizer.inner.best(run) for run in state.runs]
    assert np.array_equal(starts[0], function.start)
    assert all(0.01 < np.abs(other - function.start).max() <= np.pi for other in starts[1:])
    while not optimizer.converged(state):
        points = optimizer.ask(state)
        if state.comparison is None:
            sizes = [0 if optimizer.inner.converged(run) else len(optimizer.inner.ask(run).rows) for run in state.runs]
            assert len(points.rows) == sum(sizes)
            for k, part in enumerate(np.split(points.rows, np.cumsum(sizes)[:-1])):
                rows[k].extend(part)
        pairs = [function.f(row) for row in points.rows]
        gradients = np.array([g for _, g in pairs]) if points.gradient else None
        state = optimizer.tell(state, Told(np.array([v for v, _ in pairs]), np.zeros(len(pairs)), gradients))
    for k, start in enumerate(starts):
        alone = drive(get(inner), function.f, start, accuracy=1e-2, seed=child_seed(5, k, RUN))
        assert np.array_equal(alone.rows, rows[k])


def test_options_reach_the_inner_optimizer():
    optimizer = get("multistart", inner={"kind": "adam", "learning_rate": 0.2}, starts=4)
    assert optimizer.inner == get("adam", learning_rate=0.2)
    assert optimizer.describe()["inner"] == {
        "kind": "adam",
        "learning_rate": 0.2,
        "b1": 0.9,
        "b2": 0.999,
        "patience": 20,
    }
    assert get(**optimizer.describe()) == optimizer != get("multistart", inner="adam", starts=4)
    assert get("basin-hopping", inner=get("cobyla")).inner == get("cobyla")


def test_a_lowest_run_that_stalled_is_no_convergence(functions, drive):
    """SciPy's COBYLA never ends in a long valley; that the lowest value was found there is no convergence."""

    function, optimizer = functions.rosenbrock(), get("multistart", inner="cobyla", starts=2, radius=1e-6)
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-3)
    assert not optimizer.converged(outcome.state)
    assert optimizer.stalled(outcome.state).startswith("the lowest of 2 runs stalled: 20 restarts")


def test_before_the_end_the_lowest_run_answers(functions, drive):
    function, optimizer = functions.sinusoids(4), get("multistart")
    outcome = drive(optimizer, function.f, function.start, max_steps=4)
    assert not optimizer.converged(outcome.state)
    values = np.concatenate([told.values for told in outcome.told])
    assert function.f(optimizer.best(outcome.state))[0] == pytest.approx(values.min())


def test_temperature_lets_it_climb(drive):
    """At temperature 0 it never leaves a minimum for a higher one; at a high temperature it takes any."""
    for temperature, climbs in ((0.0, False), (1e6, True)):
        optimizer = get("basin-hopping", radius=2.0, temperature=temperature, patience=12)
        state, homes = optimizer.init(np.full(2, -1.2), accuracy=1e-6, seed=0), []
        while not optimizer.converged(state):
            (value, gradient) = wells(optimizer.ask(state).rows[0])
            gradients = gradient[None] if optimizer.ask(state).gradient else None
            state = optimizer.tell(state, Told(np.array([value]), np.zeros(1), gradients))
            if state.here is not None:
                homes.append(state.here.value)
        assert (max(np.diff(homes)) > 0.1) == climbs
        assert wells(optimizer.best(state))[0] == pytest.approx(lowest(2), abs=1e-6)


def test_noisy_candidates_are_valued_until_the_lowest_is_known():
    """Errors of 0.1 at 0, 0.03 and 1: the third is out after one round, the others take 16 for half of 0.051."""
    generator = np.random.default_rng(0)
    comparison, asked = Comparison.of(np.array([[0.0], [0.03], [1.0]]), 0.051), []
    while comparison.open.size:
        asked.append(len(comparison.ask().rows))
        rows = comparison.ask().rows
        told = Told(rows[:, 0] + 0.1 * generator.normal(size=len(rows)), np.full(len(rows), 0.1), None)
        comparison = comparison.tell(told)
    assert asked == [3] + 15 * [2]
    assert comparison.errors == pytest.approx([0.025, 0.025, 0.1])
    assert np.abs(comparison.means - [0.0, 0.03, 1.0])[:2].max() < 0.1
