"""Channels on pairs of qubits: the C++ kernels beside NumPy, and derivatives beside differences."""

import numpy as np
import pytest

from backends.density import evolution
from backends.statevector import native

pytestmark = pytest.mark.skipif(not native.available(), reason="there are no C++ kernels here")


def random_steps(rng, n_qubits, n_steps):
    pairs = np.array([sorted(rng.choice(n_qubits, 2, replace=False)) for _ in range(n_steps)], dtype=np.int32)
    return rng.normal(size=(n_steps, 16, 16)) / 4, pairs


@pytest.mark.parametrize("isa", native.instruction_sets() if native.available() else [])
@pytest.mark.parametrize("n_qubits", [2, 3, 5])
def test_kernels_do_what_numpy_does(n_qubits, isa, monkeypatch):
    rng = np.random.default_rng(n_qubits)
    steps, pairs = random_steps(rng, n_qubits, 7)
    slopes = rng.normal(size=4**n_qubits)
    forward = native.evolve(steps, pairs, n_qubits, isa=isa)
    back = [native.pull_back(steps, pairs, n_qubits, slopes, every, isa=isa) for every in (1, 2, 3, 7, 100)]
    monkeypatch.setattr(native, "available", lambda: False)
    np.testing.assert_allclose(forward, evolution.evolved(steps, pairs, n_qubits), atol=1e-12)
    plain = evolution.pulled_back(steps, pairs, n_qubits, slopes)
    for one in back:
        np.testing.assert_allclose(one, plain, atol=1e-12)
    assert np.abs(plain).max() > 0.1


def test_the_derivative_of_plain_numpy_is_that_of_differences(monkeypatch):
    rng = np.random.default_rng(0)
    steps, pairs = random_steps(rng, 3, 4)
    slopes, direction = rng.normal(size=64), rng.normal(size=(4, 16, 16))
    monkeypatch.setattr(native, "available", lambda: False)
    up, down = (evolution.evolved(steps + h * direction, pairs, 3) @ slopes for h in (1e-5, -1e-5))
    found = np.sum(evolution.pulled_back(steps, pairs, 3, slopes) * direction)
    assert found == pytest.approx((up - down) / 2e-5, rel=1e-7)


def test_results_have_the_same_bits_on_any_number_of_threads():
    rng = np.random.default_rng(1)
    steps, pairs = random_steps(rng, 9, 5)
    slopes = rng.normal(size=4**9)
    one, two = (native.pull_back(steps, pairs, 9, slopes, 2, workers=workers) for workers in (1, 2))
    assert np.array_equal(one, two)
    one, two = (native.evolve(steps, pairs, 9, workers=workers) for workers in (1, 2))
    assert np.array_equal(one, two)


def test_a_derivative_of_many_steps_keeps_few_states():
    """24 steps of 12 qubits would be 3 GiB: kept are one for every five, and five between them."""
    assert evolution.every(24, 12) == 5
    assert evolution.kept_states(24, 12) == 9
    assert evolution.kept_states(24, 6) == 24


def test_pairs_that_are_none_are_refused():
    with pytest.raises(ValueError, match="different qubits"):
        native.evolve(np.zeros((1, 16, 16)), np.array([[1, 1]], dtype=np.int32), 2)
