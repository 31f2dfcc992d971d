"""SciPy's methods by name, Optax's optimizers as objects."""

import subprocess
import sys

import numpy as np
import optax
import pytest

from circuits.errors import Refused
from hybrid.optimizers import get
from hybrid.optimizers.minimizers import GRADIENT, VALUES


@pytest.mark.parametrize("method", [*GRADIENT, *VALUES])
def test_points_are_scipys(method, functions, drive):
    """The very points that scipy.optimize.minimize visits, and its end."""
    from scipy.optimize import minimize

    function, seen = functions.mean_field(3), []

    def f(x):
        seen.append(x.copy())
        value, gradient = function.f(x)
        return (float(value), gradient) if method in GRADIENT else float(value)

    minimize(f, function.start, method=method, jac=method in GRADIENT or None, tol=1e-6)
    optimizer = get(f"scipy:{method}")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-6)
    assert np.array_equal(outcome.rows[: len(seen)], seen)
    assert len(outcome.rows) == len(seen)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 1e-5
    assert get(**optimizer.describe()) == optimizer


def test_names_are_scipys_in_any_case():
    assert get("scipy:bfgs") == get("scipy", method="BFGS")
    assert get("SciPy:nelder_mead").describe() == {"kind": "scipy", "method": "Nelder-Mead"}
    with pytest.raises(Refused, match="did you mean 'COBYLA'"):
        get("scipy:COBILA")
    with pytest.raises(Refused, match="needs second derivatives"):
        get("scipy:trust-exact")


def test_noise_is_no_convergence(functions, drive):
    function, optimizer = functions.mean_field(3), get("scipy:BFGS")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-3, sigma=0.02, max_steps=500)
    assert not optimizer.converged(outcome.state)


@pytest.mark.parametrize("rule", [optax.adam(0.1), optax.chain(optax.clip(0.5), optax.sgd(0.2, momentum=0.5))])
def test_steps_are_optax_s(rule, functions, drive):
    import jax

    function, optimizer = functions.mean_field(3), get(rule)
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-6)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 1e-6
    with jax.enable_x64(True):
        theta, state = function.start, rule.init(function.start)
        for row in outcome.rows[:10]:
            np.testing.assert_allclose(row, theta, atol=1e-13)
            change, state = rule.update(function.f(theta)[1], state, theta)
            theta = theta + np.asarray(change)


def test_noisy_values_that_are_at_rest(functions, drive):
    function, optimizer = functions.quadratic(4.0, 3), get(optax.adam(optax.exponential_decay(0.1, 100, 0.5)))
    outcome = drive(optimizer, function.f, function.start, accuracy=0.05, sigma=0.01, max_steps=2000)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] - function.minimum < 0.05


@pytest.mark.slow
def test_the_digest_is_that_of_every_process():
    code = "import optax; from hybrid.optimizers import get; print(get(optax.adamw(0.1)).digest)"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert get(optax.adamw(0.1)).describe()["digest"] == there


def test_the_digest_tells_numbers_and_functions_apart():
    here = get(optax.adamw(0.1)).describe()["digest"]
    assert get(optax.adamw(0.1)).describe()["digest"] == here
    others = [optax.adam(0.1), optax.adamw(0.2), optax.adamw(optax.linear_schedule(0.1, 0.0, 10)), optax.sgd(0.1)]
    others += [optax.adamw(optax.linear_schedule(0.1, 0.0, 20)), optax.chain(optax.clip(1.0), optax.adamw(0.1))]
    assert len({here, *(get(other).describe()["digest"] for other in others)}) == len(others) + 1


def test_what_optax_cannot_be_told_is_refused(functions, drive):
    function = functions.mean_field(3)
    with pytest.raises(Refused, match='line searches need the function itself: take "lbfgs"'):
        drive(get(optax.lbfgs()), function.f, function.start)
    with pytest.raises(Refused, match="give them to Optax"):
        get(optax.sgd(0.1), learning_rate=0.2)
    with pytest.raises(Refused, match="or an object of Optax's, not 3"):
        get(3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(Refused, match="call it, with its settings"):
        get(optax.sgd)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "meant"), [("BFGS", "scipy:BFGS"), ("l-bfgs-b", "scipy:L-BFGS-B"), ("Powell", "scipy:Powell")]
)
def test_a_name_of_scipys_alone_says_how_it_is_called_here(name, meant):
    with pytest.raises(Refused, match=f"unknown optimizer '{name}'; SciPy's is '{meant}'"):
        get(name)
