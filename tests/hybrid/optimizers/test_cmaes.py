import numpy as np
import pytest

from hybrid.optimizers import get
from hybrid.optimizers.cmaes import _constants, _factor


def test_only_the_order_of_values_matters(functions, drive):
    """Any increasing function of the values gives the same points, to the last bit."""
    function = functions.quadratic(10.0, 4)

    def stretched(x):
        value, gradient = function.f(x)
        return np.expm1(3.0 * value), gradient

    plain = drive(get("cma-es"), function.f, function.start, accuracy=1e-12, max_steps=40)
    other = drive(get("cma-es"), stretched, function.start, accuracy=1e-12, max_steps=40)
    assert np.array_equal(plain.rows, other.rows)


def test_covariance_learns_the_inverse_hessian(functions, drive):
    """On a quadratic x.H.x / 2 with H of condition 1000, C H becomes a multiple of the identity."""
    n = 5
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(n, n)))[0]
    hessian = basis * np.logspace(0, 3, n) @ basis.T
    outcome = drive(get("cma-es"), lambda x: (x @ hessian @ x / 2, hessian @ x), np.ones(n), accuracy=1e-14)
    assert get("cma-es").converged(outcome.state)
    spectrum = np.linalg.eigvals(outcome.state.covariance @ hessian).real
    assert spectrum.max() / spectrum.min() < 10.0  # of the 1000 at the beginning


def test_speed_on_the_sphere(drive):
    """Ten decades in ten parameters: below 300 n evaluations, as evolution strategies take; random search, 10^50."""
    n, optimizer = 10, get("cma-es", population=10)
    outcome = drive(optimizer, lambda x: (x @ x, 2 * x), np.ones(n), accuracy=1e-10)
    assert optimizer.converged(outcome.state)
    assert len(outcome.rows) < 300 * n


@pytest.mark.parametrize(("n", "population"), [(3, 7), (5, 8), (20, 12), (20, 40), (150, 19)])
def test_constants_are_pycmas(n, population):
    """Learning rates and weights of Hansen's own implementation."""
    cma = pytest.importorskip("cma", reason="pycma is not installed (extra dev)")
    es = cma.CMAEvolutionStrategy(n * [0.0], 0.5, {"popsize": population, "verbose": -9})
    ours = _constants(n, population)
    assert ours.mu_eff == pytest.approx(es.sp.weights.mueff)
    assert ours.c_1 == pytest.approx(es.sp.c1)
    assert ours.c_mu == pytest.approx(es.sp.cmu)
    assert ours.weights[: population // 2] == pytest.approx(es.sp.weights.positive_weights)
    assert ours.c_c == pytest.approx(es.sp.cc)


def test_no_factor_where_rounding_rules():
    root = np.random.default_rng(1).normal(size=(30, 30))
    factor = _factor(root @ root.T + np.eye(30))
    assert factor is not None
    assert factor @ factor.T == pytest.approx(root @ root.T + np.eye(30), abs=1e-12)
    assert _factor(np.ones((3, 3))) is None
    assert _factor(np.diag([1.0, -1.0])) is None
    assert _factor(np.diag([1.0, 1e-15])) is None
    assert _factor(np.diag([1.0, 1e-13])) is not None


def test_a_covariance_without_a_factor_ends_the_run(drive):
    """Along the second parameter the function is flat by 16 orders of magnitude."""
    optimizer = get("cma-es")
    outcome = drive(
        optimizer, lambda x: (1e20 * x[0] ** 2 + 1e-3 * x[1], np.zeros(2)), np.ones(2), accuracy=1e-9, max_steps=2000
    )
    assert not optimizer.converged(outcome.state)
    assert "condition number" in optimizer.stalled(outcome.state)


def test_sigma_stays_where_the_noise_lets_a_slope_be_seen(functions, drive):
    """Without care it would shrink until noise is all that a generation sees; the first sigma is never exceeded."""
    function, optimizer = functions.quadratic(4.0, 4), get("cma-es", sigma=0.4)
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-4, sigma=0.02, max_steps=400)
    width = outcome.state.sigma * np.sqrt(np.mean(np.diagonal(outcome.state.covariance)))
    assert 0.02 < width < 1.0  # a scatter of 0.02 at curvatures up to 1 takes about 0.1
    assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 0.02


def test_population(functions):
    function = functions.sinusoids(5)
    for optimizer, size in ((get("cma-es"), 8), (get("cma-es", population=30), 30)):
        assert optimizer.ask(optimizer.init(function.start, accuracy=1e-3, seed=0)).rows.shape == (size, 5)
