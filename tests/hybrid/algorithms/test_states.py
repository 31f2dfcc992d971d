"""What comes out of runs and algorithms can be looked at: circuits, states, samples, histories."""

import numpy as np
import pytest
from qiskit.quantum_info import Statevector

import hybrid
from circuits import Refused, hamiltonian_variational, hardware_efficient, maxcut, molecule, tfim


def check(result, problem, energy):
    """The state is that of the circuit at theta, has the result's energy, and is what is sampled."""
    state = result.state()
    expected = Statevector(result.circuit.assign_parameters(result.theta))
    assert abs(np.vdot(expected.data, state)) == pytest.approx(1.0, abs=1e-6)
    assert Statevector(state).expectation_value(problem.hamiltonian).real == pytest.approx(energy, abs=1e-5)
    counts = result.sample(shots=200, seed=1)
    assert sum(counts.values()) == 200
    assert all(expected.probabilities_dict()[bits] > 1e-6 for bits in counts)


def test_qaoa(tmp_path):
    triangle = maxcut([(0, 1), (1, 2), (2, 0)])
    result = hybrid.qaoa(triangle, layers=2, backend="reference", folder=tmp_path / "run")
    check(result, triangle, result.energy)
    assert result.history[0].step == 0
    assert len(result.history) == len(result.runs[-1].history)


def test_adapt_on_a_tapered_molecule_in_another_mapping(tmp_path):
    pytest.importorskip("pyscf")
    h2 = molecule("H 0 0 0; H 0 0 0.735", mapping="parity", taper=True)
    result = hybrid.adapt(h2, backend="reference", folder=tmp_path / "run")
    assert result.energy == pytest.approx(-1.137306, abs=1e-6)
    check(result, h2, result.energy)


def test_evolution(tmp_path):
    chain = tfim(3)
    circuit = hamiltonian_variational(chain, layers=2)
    result = hybrid.real_time_evolution(circuit, chain, time=0.1, backend="statevector", folder=tmp_path / "run")
    check(result, chain, result.energy)


def test_levels(tmp_path):
    result = hybrid.vqd(
        hardware_efficient(2, layers=1), tfim(2), levels=2, backend="reference", folder=tmp_path / "run"
    )
    states = [level.state() for level in result.levels]
    assert abs(np.vdot(*states)) == pytest.approx(0.0, abs=1e-3)


def test_an_operator_alone_is_taken_by_algorithms(tmp_path):
    result = hybrid.adapt("ZI", pool=["YI", "IY"], backend="reference", folder=tmp_path / "adapt")
    assert result.problem.name == "Hamiltonian"
    assert hybrid.qaoa("ZZ", layers=1, backend="reference", folder=tmp_path / "qaoa").value == -1.0


def test_a_wide_state_is_refused_in_a_sentence(tmp_path):
    chain = tfim(40)
    result = hybrid.minimize(
        hamiltonian_variational(chain, layers=1), chain, backend="pauli", max_steps=1, folder=tmp_path / "run"
    )
    with pytest.raises(Refused, match=r"the circuit has 40 qubits, but .* at most"):
        result.state()


def test_a_history_says_what_it_holds(tmp_path):
    result = hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", folder=tmp_path / "run")
    assert repr(result.history).startswith(f"History: {len(result.history)} evaluations in ")
    assert repr(result.history[:0]) == "History: no evaluations yet"
