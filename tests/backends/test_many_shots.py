"""Very many shots are drawn in portions, each with random numbers of its own, within the memory there is."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp

import backends
from backends import Batch
from backends.calibration import Probe
from backends.measurement import counted
from circuits.errors import BudgetExceeded


@pytest.fixture
def turned():
    circuit = QuantumCircuit(2)
    circuit.ry(np.pi / 3, 0)  # cos = 1/2
    circuit.cx(0, 1)
    return circuit


def flat(n: int) -> QuantumCircuit:
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    return circuit


@pytest.mark.parametrize("name", ["aer", "generic"])
def test_portions_add_up(name, turned, monkeypatch):
    monkeypatch.setattr(counted, "MOST_SAMPLE_BYTES", 80 * 1000)  # a thousand shots of two bits
    backend = backends.get("aer" if name == "aer" else GenericBackendV2(2, seed=1))
    counts = backend.sample(turned, shots=4321, seed=3)
    assert sum(counts.values()) == 4321
    assert counts == backend.sample(turned, shots=4321, seed=3)
    result = backend.submit(Batch(turned, "IZ", shots=4321, seed=3)).result()
    assert result.shots == 4321
    assert result.values[0, 0] == pytest.approx(0.5, abs=0.08)
    assert result.standard_errors[0, 0] == pytest.approx(np.sqrt(0.75 / 4321), rel=0.1)


def test_portions_are_independent(monkeypatch):
    seen = []

    class Spy(GenericBackendV2):
        def run(self, circuits, **options):
            seen.append(options["seed_simulator"])
            return super().run(circuits, **options)

    monkeypatch.setattr(counted, "MOST_SAMPLE_BYTES", 90 * 10)
    backends.get(Spy(2, seed=1)).sample(flat(2), shots=100, seed=8)
    backends.get(Spy(2, seed=1)).sample(flat(2), shots=100, seed=9)
    assert len(seen) == 20
    assert len(set(seen)) == len(seen)
    assert max(seen) > 2**50  # not folded to the few bits in which they would soon meet


def test_a_billion_shots_of_exact_simulators_are_one_draw():
    for name in ("statevector", "lightning", "reference"):
        counts = backends.get(name).sample(flat(3), shots=10**9, seed=2)
        assert sum(counts.values()) == 10**9
        assert max(abs(count - 1.25e8) for count in counts.values()) < 6 * np.sqrt(1.25e8)


def test_counts_that_outgrow_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr(counted, "MOST_SAMPLE_BYTES", 2**17)
    check = counted.check

    def small(n_bytes, *, what):
        if n_bytes > 10**6:
            check(10**30, what=what)

    monkeypatch.setattr(counted, "check", small)
    with pytest.raises(BudgetExceeded, match="what 1000000 shots on aer gave so far needs"):
        backends.get("aer").sample(flat(20), shots=10**6, seed=1)


def test_drawing_from_a_small_sector_takes_whole_states():
    n = 20
    cat = QuantumCircuit(n)
    cat.h(0)
    cat.cx(range(n - 1), range(1, n))  # reaches few basis states, but bit strings are drawn from all of them
    flips = SparsePauliOp("X" * n)
    drawn = backends.get("statevector").footprint(Probe(cat, (flips,), derivative=False, shots=100))
    assert drawn.memory_bytes >= 3 * 16 * 2**n  # turned, probabilities and counts
    along_z = Probe(cat, (SparsePauliOp("Z" * n),), derivative=False, shots=100)
    assert drawn.passes >= backends.get("statevector").footprint(along_z).passes + n  # a turn for each X
