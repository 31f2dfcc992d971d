import numpy as np
import pytest

from hybrid.optimizers import gaussian_process
from hybrid.optimizers.gaussian_process import condition, fit


def _data(n=25, d=3, sigma=0.0, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.5, 1.5, size=(n, d))
    values = np.cos(X @ np.arange(1, d + 1) * 0.5) + 2.0 * np.sin(X[:, 0])
    return X, values + sigma * rng.normal(size=n), np.full(n, sigma)


def test_posterior_is_the_textbooks():
    """Rasmussen and Williams, eqs. (2.25) and (2.26), with LAPACK and an explicit kernel."""
    X, values, errors = _data(sigma=0.1)
    hyper = np.log([0.8, 1.5, 3.0, 2.0])
    model = condition(X, values, errors, hyper=hyper, least_scale=1e-3)
    x = np.random.default_rng(1).uniform(-1.5, 1.5, size=(7, 3))

    def kernel(a, b):
        r = np.linalg.norm((a[:, None] - b[None]) / np.exp(hyper[:-1]), axis=2)
        return 2.0 * (1 + np.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-np.sqrt(5) * r)

    scale = values.std()
    K = kernel(X, X) + np.diag((errors / scale) ** 2)
    means = values.mean() + kernel(x, X) @ np.linalg.solve(K, values - values.mean())
    variances = 2.0 - np.einsum("jk,kj->j", kernel(x, X), np.linalg.solve(K, kernel(X, x)))
    mean, deviation = model.predict(x)
    assert mean == pytest.approx(means, abs=1e-7)
    assert deviation == pytest.approx(scale * np.sqrt(variances), rel=1e-5)
    assert model.means == pytest.approx(model.predict(X)[0], abs=1e-9)
    assert deviation.min() > 0.01


@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_posterior_and_fit_are_scikit_learns(sigma, monkeypatch):
    """The same kernel with a variance for each value; the prior on the lengths is ours, and taken out here."""
    gaussian = pytest.importorskip("sklearn.gaussian_process", reason="scikit-learn is not installed (extra learn)")
    kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
    monkeypatch.setattr(gaussian_process, "PRIOR", (0.0, np.inf))
    X, values, errors = _data(n=40, sigma=sigma)
    hyper = fit(X, values, errors, start=np.zeros(4), least_scale=1e-3)
    scale = values.std()
    noise = (errors / scale) ** 2 + 1e-10
    kernel = kernels.ConstantKernel(1.0, gaussian_process.SIGNALS) * kernels.Matern(
        np.ones(3), [gaussian_process.LENGTHS] * 3, nu=2.5
    )
    theirs = gaussian.GaussianProcessRegressor(kernel, alpha=noise).fit(X, (values - values.mean()) / scale)
    assert hyper[:-1] == pytest.approx(np.log(theirs.kernel_.k2.length_scale), abs=0.02)  # L-BFGS-B's tolerance
    theirs = gaussian.GaussianProcessRegressor(
        kernels.ConstantKernel(np.exp(hyper[-1])) * kernels.Matern(np.exp(hyper[:-1]), nu=2.5),
        alpha=noise,
        optimizer=None,
    ).fit(X, (values - values.mean()) / scale)
    x = np.random.default_rng(1).uniform(-1.5, 1.5, size=(7, 3))
    mean, deviation = theirs.predict(x, return_std=True)
    ours = condition(X, values, errors, hyper=hyper, least_scale=1e-3).predict(x)
    assert ours[0] == pytest.approx(values.mean() + scale * mean, abs=1e-7)
    assert ours[1] == pytest.approx(scale * deviation, rel=1e-4)
    assert deviation.min() > 1e-4


def test_exact_values_are_met():
    X, values, errors = _data()
    model = condition(X, values, errors, hyper=np.log([1.5, 1.5, 1.5, 1.0]), least_scale=1e-6)
    mean, deviation = model.predict(X)
    assert mean == pytest.approx(values, abs=1e-6)
    assert deviation.max() < 1e-4


def test_slopes_are_those_of_the_predictions():
    X, values, errors = _data(sigma=0.05)
    model = condition(X, values, errors, hyper=np.log([0.8, 1.5, 3.0, 2.0]), least_scale=1e-3)
    x, h = np.array([0.2, -0.4, 0.9]), 1e-6
    mean, deviation, d_mean, d_deviation = model.slopes(x)
    assert (mean, deviation) == pytest.approx([float(part[0]) for part in model.predict(x[None])])
    up, down = (model.predict(x + step * np.eye(3)) for step in (h, -h))
    assert d_mean == pytest.approx((up[0] - down[0]) / (2 * h), abs=1e-6)
    assert d_deviation == pytest.approx((up[1] - down[1]) / (2 * h), abs=1e-6)
    assert np.abs(d_mean).min() > 1e-3


@pytest.mark.parametrize("kernel", ["matern", "squared exponential"])
def test_likelihood_has_the_gradient_that_the_fit_follows(kernel):
    X, values, errors = _data(sigma=0.1)
    y, noise = (values - values.mean()) / values.std(), (errors / values.std()) ** 2
    hyper, h = np.log([0.8, 1.5, 3.0, 2.0]), 1e-5

    def loss(hyper):
        return gaussian_process._loss(hyper, X, y, noise, kernel)

    _, gradient = loss(hyper)
    numeric = [(loss(hyper + h * e)[0] - loss(hyper - h * e)[0]) / (2 * h) for e in np.eye(4)]
    assert gradient == pytest.approx(numeric, abs=1e-6)
    fitted = fit(X, values, errors, start=hyper, least_scale=1e-3)
    assert loss(fitted)[0] < loss(hyper)[0] - 1.0


def test_parameters_that_matter_less_get_longer_lengths():
    rng = np.random.default_rng(2)
    X = rng.uniform(-2.0, 2.0, size=(40, 2))
    lengths = np.exp(fit(X, np.sin(2.0 * X[:, 0]) + 0.05 * X[:, 1], np.zeros(40), start=np.zeros(3), least_scale=1e-3))
    assert lengths[1] > 3.0 * lengths[0]


def test_the_same_point_twice_is_no_accident():
    """Exact duplicates make the covariance singular; the factor is regularized instead of failing."""
    X, values, errors = _data(8)
    twice = condition(
        np.repeat(X, 2, axis=0), np.repeat(values, 2), np.repeat(errors, 2), hyper=np.zeros(4), least_scale=1e-9
    )
    assert twice.means[::2] == pytest.approx(values, abs=1e-4)
