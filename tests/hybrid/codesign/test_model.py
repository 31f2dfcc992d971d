"""The analytic model against density matrices: exact where there is one path, near elsewhere."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

import backends
import hybrid
from backends.measurement.targets import transpiled
from circuits import hamiltonian_variational, tfim
from hybrid.codesign.model import model, paths

H = SparsePauliOp.from_list([("ZZI", 1.0), ("XXX", 0.7), ("YYX", -0.4), ("IZZ", 0.3), ("III", 0.25)])
"""Whose terms are all 1 or -1 in the state of `clifford`."""


def engine_of(circuit, observable, device, seed=0):
    moved, layout = transpiled(circuit, device.fake(), level=0)
    state = Statevector(circuit)
    ideal = {
        label: float(state.expectation_value(SparsePauliOp(label)).real) for label in observable.paulis.to_labels()
    }
    return model(paths(moved, layout, observable, ideal, device, seed=seed), device)


def clifford():
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(0, 2)
    return circuit


@pytest.mark.parametrize("topology", ["line", "all-to-all"])
def test_it_is_exact_for_clifford_circuits_under_depolarizing_noise(topology):
    on = hybrid.Device(3, topology, one_qubit_error=1e-3, two_qubit_error=0.02, readout_error=0.03)
    exact = backends.get("density", device=on).prepare(clifford(), H)(()).values[0, 0]
    found = engine_of(clifford(), H, on).value(on.values())
    assert found == pytest.approx(exact, abs=1e-12)
    ideal = Statevector(clifford()).expectation_value(H).real
    assert abs(exact - ideal) > 0.02


def test_numbers_of_each_place_count_where_they_are():
    on = hybrid.Device(3, "line", two_qubit_error=(0.01, 0.04), readout_error=(0.01, 0.0, 0.05))
    exact = backends.get("density", device=on).prepare(clifford(), H)(()).values[0, 0]
    assert engine_of(clifford(), H, on).value(on.values()) == pytest.approx(exact, abs=1e-12)


def test_it_is_near_for_other_circuits_and_its_derivatives_are_its_own():
    problem = tfim(6, periodic=True)
    circuit = hamiltonian_variational(problem, layers=2).copy()
    bound = circuit.assign_parameters([0.35, 0.6, 0.5, 0.3])
    on = hybrid.Device(6, "line", one_qubit_error=3e-4, two_qubit_error=8e-3, readout_error=0.01)
    noisy = backends.get("density", device=on).prepare(bound, problem.hamiltonian)(()).values[0, 0]
    ideal = Statevector(bound).expectation_value(problem.hamiltonian).real
    engine, noise = engine_of(bound, problem.hamiltonian, on), on.values()
    assert engine.value(noise) - ideal == pytest.approx(noisy - ideal, rel=0.1)
    assert noisy - ideal > 0.5
    slopes = engine.gradient(noise)
    for name in ("one_qubit_error", "two_qubit_error", "readout_error"):
        up, down = (dict(noise, **{name: noise[name] * (1 + sign * 1e-4)}) for sign in (1, -1))
        differences = (engine.value(up) - engine.value(down)) / (2e-4 * float(noise[name]))
        assert float(slopes[name]) == pytest.approx(differences, rel=1e-5)


def test_its_derivatives_by_every_number_at_every_place_are_those_of_differences():
    """Also where relaxation is worse than the stated error, which then does not count, as on the last qubit."""
    problem, rng = tfim(4), np.random.default_rng(2)
    numbers = {name: rng.uniform(0.005, 0.01, 3) for name in ("two_qubit_error", "crosstalk", "leakage")}
    numbers |= {name: rng.uniform(0.001, 0.002, 4) for name in ("one_qubit_error", "readout_error")}
    t1 = np.array([1e-4, 2e-4, 1e-4, 8e-6])
    on = hybrid.Device(4, "line", **numbers, t1=t1, t2=1.5 * t1, one_qubit_s=5e-8, two_qubit_s=(2e-7, 3e-7, 1e-7))
    bound = hamiltonian_variational(problem, layers=2).assign_parameters([0.35, 0.6, 0.5, 0.3])
    engine, noise = engine_of(bound, problem.hamiltonian, on), on.values()
    slopes = engine.gradient(noise)
    for name, value in noise.items():
        for k in np.ndindex(value.shape):
            step = np.zeros_like(value)
            step[k] = 1e-5 * value[k]
            up, down = (engine.value(dict(noise, **{name: value + sign * step})) for sign in (1, -1))
            differences = (up - down) / 2e-5
            assert slopes[name][k] * value[k] == pytest.approx(differences, rel=1e-5, abs=1e-9), (name, k)
    assert slopes["one_qubit_error"][3] == 0.0 != slopes["t1"][3]
    assert slopes["crosstalk"].tolist().count(0.0) == 1  # no gate runs beside that in the middle


def test_the_same_seed_draws_the_same_paths():
    problem = tfim(4)
    bound = hamiltonian_variational(problem, layers=1).assign_parameters([0.4, 0.7])
    on = hybrid.Device(4, "line", two_qubit_error=0.02)
    first, again = (engine_of(bound, problem.hamiltonian, on, seed=3).value(on.values()) for _ in range(2))
    assert first == again


def test_relaxation_counts_where_it_is_worse_than_the_stated_error():
    times = {"t1": 50e-6, "t2": 40e-6, "one_qubit_s": 1e-7, "two_qubit_s": 1e-6, "readout_s": 1e-6}
    on = hybrid.Device(3, "line", **times)
    engine = engine_of(clifford(), H, on)
    perfect = dict(on.values(), t1=np.array(np.inf), t2=np.array(np.inf))
    ideal = Statevector(clifford()).expectation_value(H).real
    assert engine.value(perfect) == pytest.approx(ideal)
    assert abs(engine.value(on.values()) - ideal) > 0.02
    assert float(engine.gradient(on.values())["two_qubit_error"]) == 0


def test_it_is_exact_for_crosstalk_and_leakage_of_clifford_circuits():
    """Two gates beside each other, then one alone: the four numbers of the edges count for those that they disturb."""
    circuit = QuantumCircuit(4)
    circuit.h([0, 2])
    circuit.cx([0, 2], [1, 3])
    circuit.cx(1, 2)
    observable = SparsePauliOp.from_list([("IIZZ", 1.0), ("IXXX", 0.7), ("ZZZI", -0.4), ("XXII", 0.2)])
    on = hybrid.Device(4, "line", crosstalk=(0.02, 0.05, 0.01), leakage=(0.003, 0.004, 0.0), two_qubit_error=0.01)
    exact = backends.get("density", device=on).prepare(circuit, observable)(()).values[0, 0]
    engine = engine_of(circuit, observable, on)
    assert engine.value(on.values()) == pytest.approx(exact, abs=1e-12)
    alone = on.with_(crosstalk=0.0).values()
    assert abs(engine.value(alone) - exact) > 0.01
    slope = engine.gradient(on.values())["crosstalk"]
    assert slope[1] == 0.0  # the gate in the middle has its layer alone
    assert np.all(np.abs(slope[[0, 2]]) > 0.1)
