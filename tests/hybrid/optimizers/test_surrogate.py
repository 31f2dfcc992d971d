import numpy as np

import hybrid
from circuits import hardware_efficient, tfim
from hybrid.optimizers import get


def test_few_evaluations(functions, drive):
    """What it is for: COBYLA, which spares evaluations, too, takes more to the same accuracy."""
    for function in (functions.mean_field(4), functions.quadratic(10.0, 8)):
        rows = {}
        for kind in ("surrogate", "cobyla"):
            optimizer = get(kind)
            outcome = drive(optimizer, function.f, function.start, accuracy=1e-3)
            assert optimizer.converged(outcome.state)
            assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 1e-3
            rows[kind] = len(outcome.rows)
        assert rows["surrogate"] < rows["cobyla"]


def test_noisy_values(functions, drive):
    """Errors of 0.02 in values; the accuracy of 0.05 is held in 9 of 10 runs (39 of 40), never missed by far."""
    function, optimizer = functions.sinusoids(6), get("surrogate")
    above = []
    for seed in range(10):
        outcome = drive(optimizer, function.f, function.start, accuracy=0.05, sigma=0.02, seed=seed, max_steps=150)
        assert optimizer.converged(outcome.state)
        above.append(function.f(optimizer.best(outcome.state))[0] - function.minimum)
    assert np.sum(np.array(above) > 0.05) <= 1
    assert max(above) < 0.1


def test_never_converged_inside_the_noise(functions, drive):
    """Standard errors of 50 accuracies: 2500 values would be needed, 60 prove nothing."""
    function, optimizer = functions.quadratic(4.0, 2), get("surrogate")
    outcome = drive(optimizer, function.f, function.start, accuracy=0.01, sigma=0.5, max_steps=60)
    assert outcome.steps == 60


def test_the_best_value_is_not_the_luckiest(functions, drive):
    """Of noisy values the lowest flatters, here by half of what the start was away; the posterior mean does not."""
    function, optimizer = functions.quadratic(4.0, 2), get("surrogate")
    flattery = []
    for seed in range(5):
        outcome = drive(optimizer, function.f, function.start, accuracy=0.05, sigma=0.2, seed=seed, max_steps=40)
        values = np.concatenate([told.values for told in outcome.told])
        luckiest = outcome.rows[np.argmin(values)]
        state = outcome.state
        flattery.append([function.f(state.best)[0] - state.lowest, function.f(luckiest)[0] - values.min()])
    ours, lucky = np.mean(flattery, axis=0)
    assert lucky > 0.2
    assert abs(ours) < 0.3 * lucky


def test_first_rows_fill_the_box(functions):
    function, optimizer = functions.sinusoids(5), get("surrogate", radius=0.3)
    rows = optimizer.ask(optimizer.init(function.start, accuracy=0.01, seed=0)).rows
    assert rows.shape == (11, 5)
    assert np.array_equal(rows[0], function.start)
    places = (rows[1:] - function.start) / 0.3
    assert np.abs(places).max() <= 1.0
    strata = np.floor((places + 1.0) * 5.0).astype(int)
    assert all(sorted(column) == list(range(10)) for column in strata.T)  # a Latin hypercube


def test_batches_are_different_points_and_save_steps(functions, drive):
    function = functions.sinusoids(5)
    optimizer = get("surrogate", batch=4)
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-3)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 1e-3
    batch = outcome.rows[11:15]
    apart = np.linalg.norm(batch[:, None] - batch[None], axis=2)[np.triu_indices(4, 1)]
    assert apart.min() > 0.01
    assert outcome.steps < drive(get("surrogate"), function.f, function.start, accuracy=1e-3).steps


def test_all_points_lie_in_regions_around_the_best(functions, drive):
    """A region that started at 0.05 rad can only have grown by doubling: no jump in the first three steps."""
    function = functions.sinusoids(3)
    outcome = drive(get("surrogate", radius=0.05), function.f, function.start, max_steps=4)
    assert np.abs(outcome.rows - function.start).max() < 1.0
    assert np.abs(outcome.rows[:7] - function.start).max() <= 0.05


def test_a_noisy_circuit(tmp_path):
    """Eight parameters, 4000 shots: within a hundred steps near what L-BFGS finds with exact gradients, in whose valley
    it starts; at other starts of this circuit one run in three ends in a valley 0.3 to 1 higher.
    """
    problem = tfim(4)
    circuit = hardware_efficient(4, layers=1)
    theta = np.random.default_rng(1).normal(scale=0.5, size=circuit.num_parameters)
    options: dict = {"backend": "statevector"}
    exact = hybrid.minimize(circuit, problem, optimizer="lbfgs", folder=tmp_path / "exact", theta=theta, **options)
    noisy = hybrid.minimize(
        circuit,
        problem,
        optimizer="surrogate",
        shots=4000,
        accuracy=0.03,
        max_steps=100,
        folder=tmp_path / "noisy",
        theta=exact.theta + np.random.default_rng(2).normal(scale=0.5, size=theta.size),
        **options,
    )
    assert noisy.history.energy[0] - exact.energy > 1.0
    assert noisy.energy - exact.energy < 0.15
    assert noisy.evaluations < 125
