"""The surrogate of an energy: against a slow closed form, against scikit-learn, and on curves that are known."""

import numpy as np
import pytest
from scipy.stats import norm

from circuits.errors import Refused
from hybrid.optimizers.gaussian_process import condition, fit
from hybrid.survey.surrogate import learn, scaled, warped

RANGES = {"r": (0.8, 3.0)}


def morse(r):
    """A bond: steep where it is short, flat where it is long."""
    return -7.88 + 0.09 * (1.0 - np.exp(-1.1 * (r - 1.55))) ** 2


def on_grid(n, f=morse):
    x = np.linspace(0.8, 3.0, n)
    return learn(RANGES, x[:, None], f(x), np.zeros(n))


@pytest.mark.slow
def test_process_of_either_kernel_is_that_of_scikit_learn():
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    from sklearn.gaussian_process import GaussianProcessRegressor

    rng = np.random.default_rng(1)
    X, errors = rng.uniform(-1, 1, size=(12, 2)), rng.uniform(0.01, 0.1, size=12)
    y, x = np.sin(2 * X[:, 0]) * X[:, 1], rng.uniform(-1, 1, size=(5, 2))
    hyper, scale = np.log([0.7, 1.3, 2.0]), y.std()
    for kernel, theirs in (
        ("matern", kernels.Matern([0.7, 1.3], nu=2.5)),
        ("squared exponential", kernels.RBF([0.7, 1.3])),
    ):
        ours = condition(X, y, errors, hyper=hyper, least_scale=1e-9, kernel=kernel)
        other = GaussianProcessRegressor(2.0 * theirs, alpha=(errors / scale) ** 2, optimizer=None)
        other.fit(X, (y - y.mean()) / scale)
        mean, deviation = other.predict(x, return_std=True)
        assert np.allclose(ours.predict(x)[0], y.mean() + scale * mean, atol=1e-9)
        assert np.allclose(ours.predict(x)[1], scale * deviation, atol=1e-9)
        slopes = ours.slopes(x[0])
        for k, step in enumerate(1e-5 * np.eye(2)):
            ends = ours.predict(np.array([x[0] + step, x[0] - step]))
            assert np.allclose([slopes[2][k], slopes[3][k]], [(end[0] - end[1]) / 2e-5 for end in ends], atol=1e-6)


def test_lengths_maximize_the_likelihood_of_the_squared_exponential():
    rng = np.random.default_rng(2)
    X = rng.uniform(-1, 1, size=(15, 1))
    y, errors = np.cos(3 * X[:, 0]), np.full(15, 0.02)
    found = fit(X, y, errors, start=np.zeros(2), least_scale=1e-9, kernel="squared exponential")

    def slow(hyper):
        """The density itself, and the prior that the module states."""
        length, signal = np.exp(hyper)
        K = signal * np.exp(-0.5 * (X - X.T) ** 2 / length**2) + np.eye(15) * (0.02 / y.std()) ** 2
        z = (y - y.mean()) / y.std()
        return -0.5 * z @ np.linalg.solve(K, z) - 0.5 * np.linalg.slogdet(K)[1] + norm.logpdf(hyper[0], np.log(2), 1)

    around = [slow(found + step) for step in (0.05 * np.vstack([np.eye(2), -np.eye(2)]))]
    assert slow(found) > max(around)
    assert slow(found) > slow(np.zeros(2)) + 1.0


def test_leaving_out_one_is_what_learning_without_it_predicts():
    x = np.array([0.8, 1.1, 1.5, 2.0, 2.6, 3.0])
    noise = np.full(6, 2e-3)
    s = learn(RANGES, x[:, None], morse(x), noise)
    for member in s.members[:3]:
        mean, variance = member.left_out(s.energies)
        process = member.process
        for k in range(6):
            rest = np.arange(6) != k
            X = warped(scaled(s.X, RANGES), member.warps)
            # The same process, its offset and scale those of all runs, without run k.
            K = process.factor @ process.factor.T
            y = (s.energies - process.offset) / process.scale
            solved = np.linalg.solve(K[np.ix_(rest, rest)], np.column_stack([y[rest], K[rest, k]]))
            assert mean[k] == pytest.approx(process.offset + process.scale * K[k, rest] @ solved[:, 0], abs=1e-9)
            assert variance[k] == pytest.approx(process.scale**2 * (K[k, k] - K[k, rest] @ solved[:, 1]), rel=1e-6)
            assert X.shape == (6, 1)


def test_runs_are_met_and_deviations_vanish_there():
    s = on_grid(7)
    mean, deviation = s(r=np.linspace(0.8, 3.0, 7))
    assert np.allclose(mean, morse(np.linspace(0.8, 3.0, 7)), atol=1e-5)
    assert deviation.max() < 1e-4 < s(r=1.3)[1]


def test_a_bond_needs_fewer_runs_than_a_cubic_spline():
    from scipy.interpolate import CubicSpline

    x, fine = np.linspace(0.8, 3.0, 7), np.linspace(0.8, 3.0, 201)
    ours = np.abs(on_grid(7)(r=fine)[0] - morse(fine)).max()
    theirs = np.abs(CubicSpline(x, morse(x))(fine) - morse(fine)).max()
    assert ours < theirs / 2


@pytest.mark.parametrize("f", [morse, lambda r: np.sin(3 * r), lambda r: np.minimum(morse(r), -7.83)])
def test_intervals_hold_about_as_often_as_they_say(f):
    fine = np.linspace(0.8, 3.0, 201)
    inside = []
    for n in range(5, 13):
        mean, deviation = on_grid(n, f)(r=fine)
        inside.append(np.abs(mean - f(fine)) <= 1.96 * deviation + 1e-6)
    assert np.mean(inside) > 0.8


def test_noise_is_averaged_over():
    rng = np.random.default_rng(3)
    x = np.linspace(0.8, 3.0, 30)
    s = learn(RANGES, x[:, None], morse(x) + rng.normal(scale=5e-3, size=30), np.full(30, 5e-3))
    mean, deviation = s(r=x)
    assert 1e-3 < np.median(deviation) < 4e-3
    assert np.sqrt(np.mean((mean - morse(x)) ** 2)) < 4e-3


def test_warps_keep_the_ends_and_the_order():
    u = np.linspace(-1, 1, 21)[:, None]
    for warp in (-4.0, -1.0, 0.0, 1.0, 4.0):
        v = warped(u, (warp,))[:, 0]
        assert np.allclose(v[[0, -1]], [-1, 1])
        assert (np.diff(v) > 0).all()
    assert warped(np.zeros((1, 1)), (2.0,))[0, 0] > 0.4  # a positive one stretches the lower end


def test_wrong_questions_are_refused():
    s = on_grid(5)
    for values, words in (({"x": 1.0}, "takes r"), ({"r": 5.0}, "from 0.8 to 3.0"), ({"r": np.nan}, "from 0.8")):
        with pytest.raises(Refused, match=words):
            s(**values)
    with pytest.raises(Refused, match="2 runs at least"):
        learn(RANGES, [[1.0]], [1.0], [0.0])
    with pytest.raises(Refused, match="finite"):
        learn(RANGES, [[1.0], [2.0]], [1.0, np.inf], [0.0, 0.0])
