"""Circuits that leave nothing to choose: their energy is the answer, at once."""

import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import backends
import hybrid
from hybrid.optimizers import names


def ghz() -> QuantumCircuit:
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    return circuit


HAMILTONIAN = SparsePauliOp(["XXX", "ZZI", "IIZ"], [0.75, 0.5, 2.0])


@pytest.mark.parametrize("backend", ["statevector", "reference"])
@pytest.mark.parametrize(("circuit", "energy"), [(ghz(), 0.75 + 0.5), (QuantumCircuit(3), 0.5 + 2.0)], ids=["ghz", "0"])
@pytest.mark.parametrize("optimizer", names())
def test_converges_to_the_only_energy(optimizer, circuit, energy, backend, tmp_path):
    """A GHZ state has <XXX> = <ZZI> = 1 and <IIZ> = 0; |000> has <ZZI> = <IIZ> = 1 and <XXX> = 0."""
    result = hybrid.minimize(circuit, HAMILTONIAN, optimizer=optimizer, backend=backend, folder=tmp_path / "run")
    assert result.energy == pytest.approx(energy, abs=1e-12)
    assert result.status == "converged"
    assert result.theta.shape == (0,)
    assert result.steps == 1


@pytest.mark.parametrize("circuit", [ghz(), QuantumCircuit(3)], ids=["ghz", "0"])
def test_derivatives_are_empty(circuit):
    engine = backends.get("statevector")
    assert engine.metric(circuit)([]).shape == (0, 0)
    assert engine.hessian(circuit, HAMILTONIAN)([]).shape == (0, 0)
