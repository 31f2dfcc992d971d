import numpy as np

from hybrid.optimizers import Told, get


def rastrigin(x):
    """Four minima along each parameter between -pi and pi, and one at 0, the lowest."""
    return float((x**2 / 4 + 1.0 - np.cos(4.0 * x)).sum()), x / 2 + 4.0 * np.sin(4.0 * x)


def test_the_lowest_of_many_minima(drive):
    """L-BFGS ends in the minimum next to the start; a population finds the lowest of 125 in most runs."""
    start = np.array([1.5, 2.9, -1.4])
    local, optimizer = get("lbfgs"), get("differential-evolution")
    assert rastrigin(local.best(drive(local, rastrigin, start).state))[0] > 0.1
    values = []
    for seed in range(10):
        outcome = drive(optimizer, rastrigin, start, seed=seed)
        assert optimizer.converged(outcome.state)
        values.append(rastrigin(optimizer.best(outcome.state))[0])
    assert np.sum(np.array(values) < 1e-6) >= 8


def test_first_population_covers_the_range(functions):
    function = functions.sinusoids(4)
    optimizer = get("differential-evolution", radius=0.5, population=10)
    rows = optimizer.ask(optimizer.init(function.start, accuracy=1e-3, seed=0)).rows
    assert np.array_equal(rows[0], function.start)
    assert np.abs(rows - function.start).max() <= 0.5
    tenths = np.floor((rows[1:] - function.start + 0.5) * 10).astype(int)
    assert all(len(set(column)) == 9 for column in tenths.T)  # every slice but the one the start took over


def test_trials_go_to_the_best_and_along_differences(functions, evaluate):
    """Each parameter of a trial is its member's, or x + F (best - x + a - b) with two others."""
    function, optimizer = functions.sinusoids(3), get("differential-evolution", population=6)
    state = optimizer.init(function.start, accuracy=1e-6, seed=1)
    members = optimizer.ask(state).rows
    told = evaluate(function.f, optimizer.ask(state))
    state = optimizer.tell(state, told)
    trials, best = optimizer.ask(state).rows, members[np.argmin(told.values)]
    explained = 0
    for member, trial in enumerate(trials):
        moved = np.abs(trial - members[member]) > 1e-12
        others = [k for k in range(6) if k != member]
        pulls = [best - members[member] + members[a] - members[b] for a in others for b in others if a != b]
        scales = [(trial - members[member])[moved] / pull[moved] for pull in pulls]
        explained += any(np.ptp(scale) < 1e-9 and 0.5 <= scale[0] <= 1.0 for scale in scales if scale.size)
    assert explained >= 4  # a parameter that would leave the range is drawn anew


def test_no_point_leaves_the_range(functions, drive):
    function, optimizer = functions.sinusoids(4), get("differential-evolution", radius=0.3)
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-3)
    assert np.abs(outcome.rows - function.start).max() <= 0.3 + 1e-12
    assert np.abs(optimizer.best(outcome.state) - function.start).max() > 0.29  # the minimum lies outside


def test_a_hundred_parameters_do_not_end_the_search_early(functions):
    """Condition number 30: what is called converged is within the accuracy, not twenty times above it."""
    function, optimizer = functions.quadratic(30.0, 100), get("differential-evolution")
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(100, 100)))[0]
    matrix = basis * np.logspace(0, -np.log10(30.0), 100) @ basis.T
    state = optimizer.init(function.start, accuracy=1e-3, seed=0)
    while not optimizer.converged(state):
        rows = optimizer.ask(state).rows
        values = 0.5 * ((rows @ matrix) * rows).sum(axis=1) - 1.0
        state = optimizer.tell(state, Told(values, np.zeros(len(rows)), None))
        assert len(state.told) < 2000
    assert function.f(optimizer.best(state))[0] - function.minimum < 1e-3


def test_noise_ends_stalled(functions, drive):
    function, optimizer = functions.quadratic(4.0, 4), get("differential-evolution")
    outcome = drive(optimizer, function.f, function.start, accuracy=0.02, sigma=0.02, max_steps=500)
    assert outcome.steps < 100
    assert "known to 0.02" in optimizer.stalled(outcome.state)
