import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

import backends
from backends.gradients.fidelity import fidelities
from backends.gradients.metric import metric
from circuits import hamiltonian_variational, hardware_efficient, tfim
from circuits.errors import Refused


@pytest.fixture
def circuit():
    return hamiltonian_variational(tfim(3), layers=2)


def _pairs(circuit, n=3):
    return np.random.default_rng(0).normal(scale=0.3, size=(n, 2, circuit.num_parameters))


def test_one_rotation_has_the_closed_form():
    """F(a, b) of RY(a)|0> and RY(b)|0> is cos^2((a - b) / 2), and the metric 1/4."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("t"), 0)
    pairs = np.array([[[0.3], [1.4]], [[0.0], [np.pi]]])
    found = fidelities(backends.get("reference"), circuit)(pairs, 0)
    assert found == pytest.approx([np.cos(0.55) ** 2, 0.0], abs=1e-15)
    assert metric(backends.get("reference"), circuit)(np.array([0.3]), 0) == pytest.approx(np.array([[0.25]]))


def test_compute_uncompute_agrees_with_states(circuit):
    """20,000 shots know a probability to 0.0035; five of these are allowed."""
    pairs = _pairs(circuit)
    exact = fidelities(backends.get("reference"), circuit)(pairs, 0)
    assert exact.max() - exact.min() > 0.1
    for name in ("aer", "statevector"):
        sampled = fidelities(backends.get(name), circuit, shots=20_000)(pairs, 1)
        assert np.all(sampled != exact)
        assert sampled == pytest.approx(exact, abs=0.018)


def test_samples_depend_on_the_seed_and_on_nothing_else(circuit):
    compare, pairs = fidelities(backends.get("aer"), circuit, shots=50), _pairs(circuit, 1)
    assert compare(pairs, 1) == compare(pairs, 1)
    several = compare(np.repeat(pairs, 6, axis=0), 1)
    assert len(set(several)) > 1  # one seed for all would correlate the noise of a difference


@pytest.mark.parametrize("kind", ["own parameters", "shared parameters"])
def test_metric_by_shifts_is_that_of_the_engine(kind):
    """Shared parameters and several layers: the engine pushes tangents, the reference shifts fidelities."""
    problem = tfim(3)
    circuit = hardware_efficient(3, layers=2) if kind[0] == "o" else hamiltonian_variational(problem, layers=2)
    theta = np.random.default_rng(1).normal(size=circuit.num_parameters)
    engine = backends.get("statevector").metric(circuit)(theta)
    shifted = metric(backends.get("reference"), circuit)(theta, 0)
    assert np.abs(engine - np.diag(np.diag(engine))).max() > 0.01
    assert shifted == pytest.approx(engine, abs=1e-12)


def test_metric_of_shots_scatters_around_the_exact_one(circuit):
    theta = np.random.default_rng(2).normal(size=circuit.num_parameters)
    exact = backends.get("statevector").metric(circuit)(theta)
    sampled = metric(backends.get("statevector"), circuit, shots=10**6)(theta, 0)
    assert 0 < np.abs(sampled - exact).max() < 0.02  # some hundred fidelities known to 5e-4, weights of 1/4 and 1/2
    assert np.array_equal(sampled, sampled.T)


def test_exact_ones_are_refused_where_there_are_no_states(circuit):
    for function in (fidelities, metric):
        with pytest.raises(Refused, match=r"'aer' hands out no states.*give shots"):
            function(backends.get("aer"), circuit)
    with pytest.raises(Refused, match="give shots"):
        metric(backends.get("lightning"), circuit)
