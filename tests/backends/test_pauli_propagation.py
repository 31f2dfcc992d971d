"""Pauli propagation: answers from closed forms and light cones, its derivatives, its estimate of its own error."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import efficient_su2
from qiskit.quantum_info import Clifford, Pauli, SparsePauliOp, random_pauli_list

import backends
from backends import Batch
from backends.gradients.finite_difference import finite_difference
from circuits import Problem
from circuits.errors import BudgetExceeded, Refused
from hybrid import minimize
from hybrid.loop.evaluator import Evaluator
from hybrid.optimizers.optimizer import Points
from hybrid.routing.plan import plan
from hybrid.workload.workload import workload

spec = importlib.util.spec_from_file_location("propagated", Path(__file__).parents[2] / "benchmarks" / "propagated.py")
assert spec is not None
assert spec.loader is not None
propagated: Any = importlib.util.module_from_spec(spec)
sys.modules["propagated"] = propagated
spec.loader.exec_module(propagated)
EAGLE, eagle, kicked_ising, random_case, z_on = (
    getattr(propagated, name) for name in ("EAGLE", "eagle", "kicked_ising", "random_case", "z_on")
)


def value(backend, circuit, observable, row=()):
    result = backend.submit(Batch(circuit, observable, row)).result()
    return result.values[0, 0], result.bias[0, 0]


def tfim_layers(n_qubits, layers, dt=0.2, field=1.1):
    circuit = QuantumCircuit(n_qubits)
    for _ in range(layers):
        for q in range(n_qubits - 1):
            circuit.rzz(-2 * dt, q, q + 1)
        circuit.rx(-2 * field * dt, range(n_qubits))
    return circuit


class TestKickedIsingOnTheHeavyHexagons:
    """The 127 qubits of Kim et al., Nature 618, 500 (2023)."""

    def test_lattice(self):
        degree = np.bincount(np.array(eagle()).ravel(), minlength=EAGLE)
        assert len(eagle()) == 144
        assert degree.max() == 3
        assert np.bincount(degree).tolist() == [0, 2, 89, 36]  # as in the map of ibm_sherbrooke

    def test_no_kick_leaves_the_state(self):
        assert value(backends.get("pauli"), kicked_ising(0.0, 5), z_on([62], EAGLE)) == (1.0, 0.0)

    @pytest.mark.parametrize(
        ("qubit", "sign", "letters"),
        [
            (13, 1, {"X": [13, 29, 31], "Y": [9, 30], "Z": [8, 12, 17, 28, 32]}),
            (
                58,
                -1,
                {
                    "X": [37, 41, 52, 56, 57, 58, 62, 79],
                    "Y": [75],
                    "Z": [38, 40, 42, 63, 72, 80, 90, 91],
                },
            ),
        ],
    )
    def test_the_strings_of_weight_10_and_17(self, qubit, sign, letters):
        """After five kicks of pi/2 Z of one qubit has become the paper's string, up to its sign; without, it is 0."""
        word = "".join(letter * len(qubits) for letter, qubits in letters.items())
        string = SparsePauliOp.from_sparse_list(
            [(word, [q for qubits in letters.values() for q in qubits], 1.0)], EAGLE
        )
        kicks = Clifford(kicked_ising(np.pi / 2, 5))
        evolved = Pauli("I" * (EAGLE - 1 - qubit) + "Z" + "I" * qubit).evolve(kicks, frame="s")
        assert SparsePauliOp(evolved).equiv(sign * string)
        assert value(backends.get("pauli"), kicked_ising(np.pi / 2, 5), string) == (sign, 0.0)
        assert value(backends.get("pauli"), kicked_ising(0.0, 5), string) == (0.0, 0.0)

    @pytest.mark.parametrize("theta", [0.3, 0.8, 1.2])
    def test_two_steps_in_the_light_cone(self, theta):
        """Z_62 sees at most the qubits two bonds away, which the statevector engine computes as a whole."""
        near = {62}
        for _ in range(2):
            near |= {q for edge in eagle() for q in edge if near & set(edge)}
        place = {q: k for k, q in enumerate(sorted(near))}
        assert 5 <= len(place) <= 16
        small = QuantumCircuit(len(place))
        for _ in range(2):
            small.rx(theta, range(len(place)))
            for a, b in eagle():
                if a in place and b in place:
                    small.rzz(-np.pi / 2, place[a], place[b])
        wanted, _ = value(backends.get("statevector"), small, z_on([place[62]], len(place)))
        found, bias = value(backends.get("pauli", threshold=0), kicked_ising(theta, 2), z_on([62], EAGLE))
        assert found == pytest.approx(wanted, abs=1e-12)
        assert bias == 0
        assert abs(wanted) < 0.99


def test_a_chain_of_a_hundred_qubits_has_the_energy_of_its_light_cones():
    """After two layers a bond sees two more sites on each side: every bulk bond has the value of one in 12 sites."""
    small, wide = tfim_layers(12, 2), tfim_layers(100, 2)
    engine = backends.get("statevector")
    bond = {q: value(engine, small, z_on([q, q + 1], 12))[0] for q in range(11)}
    field = {q: value(engine, small, SparsePauliOp.from_sparse_list([("X", [q], 1.0)], 12))[0] for q in range(12)}
    wanted = -sum(bond[q if q < 5 else 5 if q < 94 else q - 88] for q in range(99))
    wanted -= 1.1 * sum(field[q if q < 5 else 5 if q < 95 else q - 88] for q in range(100))
    H = SparsePauliOp.from_sparse_list(
        [("ZZ", [q, q + 1], -1.0) for q in range(99)] + [("X", [q], -1.1) for q in range(100)], 100
    )
    found, bias = value(backends.get("pauli", threshold=0), wide, H)
    assert found == pytest.approx(wanted, abs=1e-10)
    assert bias == 0
    cut, bias = value(backends.get("pauli", threshold=1e-3), wide, H)
    assert 0 < abs(cut - wanted) <= bias < 0.3


def test_two_thousand_qubits():
    circuit = tfim_layers(2000, 1)
    found, _ = value(backends.get("pauli"), circuit, z_on([1990], 2000))
    assert found == pytest.approx(np.cos(0.44), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_gradients_are_those_of_the_statevector(seed):
    circuit = efficient_su2(5, reps=2)
    rng = np.random.default_rng(seed)
    row = rng.uniform(-3, 3, circuit.num_parameters) * (seed > 0)
    H = SparsePauliOp(random_pauli_list(5, 4, seed=seed, phase=False), [1.0, -0.5, 0.3, 0.2])
    found, gradient = backends.get("pauli", threshold=0).value_and_grad(circuit, H)(row)
    wanted, slopes = backends.get("statevector").value_and_grad(circuit, H)(row)
    assert found == pytest.approx(wanted, abs=1e-12)
    assert gradient == pytest.approx(slopes, abs=1e-12)


def test_a_gradient_at_angles_of_zero_is_not_cut_off():
    """There, a rotation makes strings of coefficient 0 that have all of the derivative."""
    theta = ParameterVector("t", 6)
    circuit = QuantumCircuit(3)
    circuit.h(0)
    for q in range(3):
        circuit.ry(theta[q], q)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    for q in range(3):
        circuit.rx(theta[3 + q], q)
    H = SparsePauliOp(["XIX", "YIY", "XYZ", "ZXI"], [1.0, 0.7, 0.5, -0.3])
    _, gradient = backends.get("pauli", threshold=0.01).value_and_grad(circuit, H)(np.zeros(6))
    _, wanted = backends.get("reference").value_and_grad(circuit, H)(np.zeros(6))
    assert gradient == pytest.approx(wanted, abs=1e-12)
    assert np.abs(wanted).max() > 0.1


def test_gradients_of_what_was_cut_follow_its_values():
    """Close to the finite differences of the exact value, to what truncation changes."""
    circuit = efficient_su2(6, reps=2)
    row = np.random.default_rng(3).uniform(-1, 1, circuit.num_parameters)
    H = SparsePauliOp(["ZZIIII", "IIXXII"], [1.0, 1.0])
    _, gradient = backends.get("pauli", threshold=1e-3).value_and_grad(circuit, H)(row)
    _, wanted = finite_difference(backends.get("statevector"), circuit, H)(row)
    assert gradient == pytest.approx(wanted, abs=0.01)
    assert np.abs(wanted).max() > 0.3


@pytest.mark.parametrize("options", [{"threshold": 3e-3}, {"max_weight": 4}, {"max_terms": 300}])
def test_the_estimate_covers_the_error(options):
    """Of 30 random circuits of six kinds; the benchmark takes 200. Each option cuts in most of them."""
    rng = np.random.default_rng(11)
    engine, backend = backends.get("reference"), backends.get("pauli", **options)
    cut, covered = 0, 0
    for _ in range(30):
        _, circuit, observable = random_case(rng, 8)
        found, bias = value(backend, circuit, observable)
        error = abs(found - value(engine, circuit, observable)[0])
        cut += bias > 0
        covered += error <= bias + 1e-9
    assert cut >= 15
    assert covered >= 26  # of 95 %, 4 misses in 30 or fewer come with a probability of 0.94


def test_exact_values_refuse_to_drop_strings():
    rng = np.random.default_rng(0)
    circuit = efficient_su2(8, reps=3).assign_parameters(rng.uniform(-3, 3, 64))
    with pytest.raises(BudgetExceeded, match="more than 100 Pauli strings"):
        value(backends.get("pauli", threshold=0, max_terms=100), circuit, "Z" * 8)
    _, bias = value(backends.get("pauli", threshold=1e-9, max_terms=100), circuit, "Z" * 8)
    assert bias > 0


def test_more_strings_than_there_is_memory_for_are_refused_before_they_are_made():
    with pytest.raises(BudgetExceeded, match="536870912 Pauli strings on 'pauli' needs"):
        backends.get("pauli", max_terms=2**29).prepare(QuantumCircuit(1000), "Z" * 1000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -1.0}, "threshold of pauli must be at least 0"),
        ({"threshold": float("nan")}, "threshold"),
        ({"max_weight": 0}, "max_weight of pauli must be a whole number of at least 1"),
        ({"max_terms": 0}, "max_terms of pauli must be a whole number of at least 1"),
    ],
)
def test_options_that_mean_nothing(options, message):
    with pytest.raises(Refused, match=message):
        backends.get("pauli", **options)


def test_shots_are_refused():
    circuit = QuantumCircuit(1)
    with pytest.raises(Refused, match="draws no samples"):
        backends.get("pauli").submit(Batch(circuit, "Z", shots=10))
    with pytest.raises(Refused, match="draws no samples"):
        backends.get("pauli").value_and_grad(circuit, SparsePauliOp("Z"), shots=10)


def test_a_plan_refuses_what_its_estimate_does_not_allow():
    circuit = efficient_su2(10, reps=3)
    H = SparsePauliOp.from_sparse_list([("ZZ", [q, q + 1], -1.0) for q in range(9)], 10)
    backend = backends.get("pauli", threshold=1e-2)
    (refusal,) = plan(circuit, H, backend=backend, accuracy=1e-6).refusals
    assert "more than the accuracy of 1e-06; lower its threshold, or ask for less accuracy" in refusal.reason
    assert plan(circuit, H, backend=backend, accuracy=10.0).chosen.name == "pauli"


def test_angles_of_any_size():
    """Whole quarter turns take one string to one, and nothing else is taken for them."""
    backend = backends.get("pauli", threshold=0)
    for angle in (0.3 + 1e6, 1e17, -1e300, 1001 * np.pi, 7 * np.pi / 2, -np.pi / 2, -3 * np.pi):
        circuit = QuantumCircuit(1)
        circuit.rx(0.4, 0)
        circuit.rz(0.5, 0)
        circuit.rx(angle, 0)
        for letter in "XYZ":
            wanted, _ = value(backends.get("reference"), circuit, letter)
            assert value(backend, circuit, letter) == (pytest.approx(wanted, abs=1e-12), 0.0)


def test_a_minimum_of_a_wide_circuit():
    """One layer of QAOA on a ring of 40 qubits: <ZZ> = -1/2 at its best."""
    a, b = Parameter("a"), Parameter("b")
    circuit, ring = QuantumCircuit(40), [(q, (q + 1) % 40) for q in range(40)]
    circuit.h(range(40))
    for bond in ring:
        circuit.rzz(a, *bond)
    circuit.rx(b, range(40))
    H = SparsePauliOp.from_sparse_list([("ZZ", list(bond), 1.0) for bond in ring], 40)
    backend = backends.get("pauli", threshold=1e-3)
    result = minimize(circuit, Problem(H, name="ring"), backend=backend, accuracy=5.0, theta=[0.4, 0.5])
    assert result.energy == pytest.approx(-20.0, abs=0.01)  # it may stop sooner, with an accuracy of 5


def test_a_gradient_in_the_loop_comes_with_the_bias_of_its_value():
    circuit = efficient_su2(8, reps=2)
    H = SparsePauliOp.from_sparse_list([("ZZ", [q, q + 1], -1.0) for q in range(7)], 8)
    row = np.random.default_rng(5).uniform(-1, 1, circuit.num_parameters)
    backend = backends.get("pauli", threshold=1e-2)
    told = Evaluator(workload(circuit, H, accuracy=1.0), backend)(Points(row[None], gradient=True), 0)
    found, bias = value(backend, circuit, H, row)
    assert (told.values[0], told.biases[0]) == (found, bias)
    assert bias > 0
    assert told.gradients.shape == (1, circuit.num_parameters)
    _, slopes = backend.value_and_grad(circuit, H)(row)
    assert np.array_equal(told.gradients[0], slopes)
