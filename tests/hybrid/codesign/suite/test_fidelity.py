"""Hellinger fidelities, against Qiskit's and against repeated drawing."""

import numpy as np
import pytest
from qiskit.quantum_info import hellinger_fidelity

from hybrid.codesign.suite.fidelity import hellinger, normalized


def drawn(rng, p, shots):
    counts = rng.multinomial(shots, p)
    width = int(np.log2(len(p)))
    return {f"{x:0{width}b}": int(n) for x, n in enumerate(counts) if n}


@pytest.mark.parametrize("seed", range(4))
def test_hellinger_is_qiskits(seed):
    rng = np.random.default_rng(seed)
    ideal, other = rng.dirichlet(np.ones(8), 2)
    counts = drawn(rng, other, 500)
    theirs = hellinger_fidelity(counts, {f"{x:03b}": p for x, p in enumerate(ideal)})
    assert hellinger(counts, ideal).value == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("same", [True, False])
def test_the_error_is_that_of_repeated_drawing(same):
    rng = np.random.default_rng(5)
    ideal, other = rng.dirichlet(3 * np.ones(8), 2)
    true = 1.0 if same else float(np.sum(np.sqrt(ideal * other))) ** 2
    found = [hellinger(drawn(rng, ideal if same else other, 2000), ideal) for _ in range(400)]
    misses = np.array([one.value - true for one in found])
    stated = np.mean([one.standard_error for one in found])
    assert np.sqrt(np.mean(misses**2)) == pytest.approx(stated, rel=0.2)


def test_guessing_is_worth_nothing_above_guessing():
    ideal = np.array([0.7, 0.1, 0.1, 0.1])
    uniform = {f"{x:02b}": 1000 for x in range(4)}
    assert normalized(hellinger(uniform, ideal), ideal).value == pytest.approx(0.0, abs=1e-12)
    flat = np.full(4, 0.25)
    assert normalized(hellinger(uniform, flat), flat).value == 1.0  # guessing is right
