"""Counting many circuits in one call: the counts of each, and where the time went."""

import pytest
from qiskit import QuantumCircuit

import backends
from circuits.errors import OutOfMemory


def some(n: int) -> list[QuantumCircuit]:
    circuits = []
    for angle in (0.3, 1.1, 2.0):
        circuit = QuantumCircuit(n)
        circuit.ry(angle, range(n))
        circuit.cx(0, n - 1)
        circuits.append(circuit)
    return circuits


@pytest.mark.parametrize(
    ("name", "phases"),
    [
        ("statevector", {"compile", "execute"}),
        ("aer", {"transpile", "execute"}),
        ("reference", {"execute"}),  # does not tell its phases apart
    ],
)
def test_the_counts_are_those_of_each_circuit_alone(name, phases):
    backend, circuits = backends.get(name), some(3)
    found = backend.sample_circuits(circuits, shots=200, seeds=[5, 6, 7])
    alone = [backend.sample(one, shots=200, seed=seed) for one, seed in zip(circuits, (5, 6, 7), strict=True)]
    assert found.counts == alone
    assert set(found.seconds) == phases
    assert all(seconds > 0 for seconds in found.seconds.values())


def test_a_device_runs_all_circuits_together():
    manila, circuits = backends.get("ibm:fake_manila"), some(3)
    found = manila.sample_circuits(circuits, shots=400, seeds=[5, 6, 7])
    assert found.counts[0] == manila.sample(circuits[0], shots=400, seed=5)
    assert [sum(counts.values()) for counts in found.counts] == [400] * 3
    assert set(found.seconds) == {"transpile", "execute"}


def test_no_circuits_are_no_counts():
    for name in ("statevector", "aer"):
        assert backends.get(name).sample_circuits([], shots=10, seeds=[]).counts == []


def test_counts_that_do_not_fit_into_the_memory_are_refused_before_they_are_drawn(monkeypatch):
    """A state of 24 qubits takes 256 MiB; turning it to probabilities and drawing takes several times that."""
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "1200")
    with pytest.raises(OutOfMemory, match="counts of 24 qubits"):
        backends.get("statevector").prepare_samples(some(24)[0])
