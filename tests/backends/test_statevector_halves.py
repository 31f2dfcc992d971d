"""Circuits that run as two halves: the same numbers as whole, and only where that is cheaper."""

import os
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp, Statevector

import backends
from backends.statevector import cut as cutting
from backends.statevector import design
from backends.statevector.design import Design
from backends.statevector.halves import HalvesProgram
from backends.statevector.lower import lower
from backends.statevector.program import program_of
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, maxcut, molecule, qaoa, tfim, uccsd

TOLERANCE = 1e-10  # see test_statevector

GATES = {
    1: ("h", "s", "t", "sx", "x", "y"),
    2: ("cx", "cz", "swap", "iswap", "ecr", "dcx", "ch"),
    "angle": ("rx", "ry", "rz", "p"),
    "angles": ("rxx", "ryy", "rzz", "rzx", "cp", "crx", "crz"),
}


def scattered(n: int, gates: int, seed: int) -> QuantumCircuit:
    """Gates of all kinds, mostly between neighbours."""
    rng, theta = np.random.default_rng(seed), ParameterVector("t", 6)
    circuit = QuantumCircuit(n)
    for k in range(gates):
        a = int(rng.integers(n))
        b = (a + 1) % n if rng.random() < 0.8 else int(rng.choice([q for q in range(n) if q != a]))
        angle = [theta[k % 6] * (1 + k % 3), theta[k % 6] * theta[(k + 1) % 6], 0.3][k % 3]
        kind = rng.choice(list(map(str, GATES)))
        if kind == "1":
            getattr(circuit, rng.choice(GATES[1]))(a)
        elif kind == "2":
            getattr(circuit, rng.choice(GATES[2]))(a, b)
        elif kind == "angle":
            getattr(circuit, rng.choice(GATES["angle"]))(angle, a)
        else:
            getattr(circuit, rng.choice(GATES["angles"]))(angle, a, b)
    return circuit


def strings(n: int, terms: int, seed: int) -> SparsePauliOp:
    rng = np.random.default_rng(seed)
    labels = ["".join(rng.choice(list("IIXYZ"), size=n)) for _ in range(terms)]
    return SparsePauliOp(labels, rng.normal(size=terms)).simplify()


def cubic(n: int):
    return maxcut(nx.random_regular_graph(3, n, seed=1))


CASES = {
    "chain": lambda: (hardware_efficient(12, layers=4), tfim(12).hamiltonian),
    "ring": lambda: (hamiltonian_variational(tfim(14, periodic=True), layers=2), tfim(14, periodic=True).hamiltonian),
    "heisenberg": lambda: (hamiltonian_variational(heisenberg(14), layers=1), heisenberg(14).hamiltonian),
    "turned qaoa": lambda: (qaoa(cubic(14), layers=1), cubic(14).hamiltonian),
    "strings": lambda: (hardware_efficient(13, layers=2), strings(13, 12, 1)),
}


def design_of(circuit, *observables):
    return Design(lower(circuit), np.dtype(float), observables)


@pytest.fixture
def always(monkeypatch):
    """Cut whatever can be cut."""
    monkeypatch.setattr(design, "SMALLEST_CUT", 2)
    monkeypatch.setattr(cutting.Cut, "cost", lambda cut, observables: 0.0)


def whole(circuit, observable, theta, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(design, "cut", lambda factors: None)
        return backends.get("statevector", **options).values_and_jacobian(circuit, observable)(theta)


@pytest.mark.parametrize(
    ("case", "precision", "tolerance"),
    [*((case, "double", TOLERANCE) for case in CASES), ("chain", "single", 1e-5), ("heisenberg", "single", 1e-5)],
)
def test_halves_give_the_same_as_the_whole(case, precision, tolerance):
    circuit, observable = CASES[case]()
    theta = np.random.default_rng(4).normal(size=(1, circuit.num_parameters))
    engine = backends.get("statevector", precision=precision)
    assert isinstance(program_of(design_of(circuit, observable)), HalvesProgram)
    values, slopes = engine.values_and_jacobian(circuit, observable)(theta)
    wanted, wanted_slopes = whole(circuit, observable, theta)
    assert values == pytest.approx(wanted, abs=tolerance * len(observable))
    assert slopes == pytest.approx(wanted_slopes, abs=10 * tolerance)
    assert np.abs(slopes).max() > 1e-3
    assert engine.prepare(circuit, observable)(theta).values == pytest.approx(wanted, abs=tolerance * len(observable))


def compare(circuit, observables, seed):
    """Values, slopes and state against Qiskit and the whole state."""
    theta = np.random.default_rng(seed).normal(size=(1, circuit.num_parameters))
    engine = backends.get("statevector")
    psi = Statevector(circuit.assign_parameters(theta[0]))
    values, slopes = engine.values_and_jacobian(circuit, observables)(theta)
    assert values[0] == pytest.approx([psi.expectation_value(h).real for h in observables], abs=TOLERANCE)
    assert slopes == pytest.approx(whole(circuit, observables, theta)[1], abs=TOLERANCE)
    assert abs(np.vdot(psi.data, engine.state(circuit, theta[0]))) == pytest.approx(1, abs=TOLERANCE)


@pytest.mark.parametrize("seed", range(6))
def test_gates_of_all_kinds(seed, always):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 9))
    circuits = (scattered(n, int(rng.integers(n, 4 * n)), 100 * seed + k) for k in range(1000))
    circuit = next(c for c in circuits if (d := design_of(c)).cut and d.cut.bonds)
    compare(circuit, [strings(n, 6, seed), SparsePauliOp("Z" * n)], seed)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(4, 10), length=st.integers(1, 40), seed=st.integers(0, 10**6))
def test_random_circuits(n, length, seed, always):
    compare(scattered(n, length, seed), [strings(n, 5, seed)], seed)


def test_angles_beyond_affine_on_both_sides_of_the_cut(always):
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(6)
    circuit.h(range(6))
    for q in range(5):
        circuit.rzz(a * b, q, q + 1)
    for q in range(6):
        circuit.rx(a.sin() + q * b, q)
    assert design_of(circuit).cut
    compare(circuit, [tfim(6).hamiltonian], 3)


def test_rows_in_tiles_have_the_bits_of_all_others():
    circuit, observable = CASES["chain"]()
    f = backends.get("statevector").values_and_jacobian(circuit, observable)
    rows = np.random.default_rng(0).normal(size=(40, circuit.num_parameters))
    many, fewer = f(rows), f(rows[5:23])
    assert np.array_equal(many[0][5:23], fewer[0])
    assert np.array_equal(many[1][5:23], fewer[1])
    assert f(rows[7:8])[0] == pytest.approx(many[0][7:8], abs=1e-12)


def test_samples_of_halves_follow_the_whole_state():
    circuit, _ = CASES["chain"]()
    theta = np.random.default_rng(4).normal(size=circuit.num_parameters)
    exact = Statevector(circuit.assign_parameters(theta)).probabilities()
    counts = backends.get("statevector").sample(circuit, theta, shots=4000, seed=1)
    index = np.array([int(word, 2) for word in counts])
    assert sum(exact[index]) > 0.5  # what was seen is likely
    likely = int(np.argmax(exact))
    seen = counts.get(format(likely, "012b"), 0) / 4000
    assert seen == pytest.approx(exact[likely], abs=5 * np.sqrt(exact[likely] / 4000))


class TestChoice:
    def test_chains_of_few_layers_are_cut(self):
        for n in (12, 16, 20, 24):
            found = design_of(hardware_efficient(n, layers=4), tfim(n).hamiltonian).cut
            assert found
            assert found.bonds == 4
            assert found.sides == (tuple(range(n // 2)), tuple(range(n // 2, n)))

    def test_deep_circuits_are_not(self):
        assert not design_of(hardware_efficient(12, layers=12), tfim(12).hamiltonian).cut

    def test_many_strings_across_are_not_worth_it(self):
        circuit = hardware_efficient(14, layers=4)
        assert design_of(circuit, strings(14, 3, 0)).cut
        assert not design_of(circuit, strings(14, 200, 0)).cut

    def test_a_small_part_of_the_space_comes_first(self):
        assert not design_of(uccsd(molecule("Li 0 0 0; H 0 0 1.6"))).cut

    def test_products_need_no_bond(self):
        circuit = QuantumCircuit(12)
        for q in range(12):
            circuit.ry(Parameter(f"t{q:02}"), q)
        assert design_of(circuit, tfim(12).hamiltonian).cut.bonds == 0

    def test_the_cut_is_found_in_any_order_of_the_qubits(self):
        mixed = QuantumCircuit(16)
        order = np.random.default_rng(0).permutation(16).tolist()
        mixed.compose(hardware_efficient(16, layers=3), order, inplace=True)
        assert design_of(mixed, tfim(16).hamiltonian).cut.bonds == 3

    def test_it_is_said_in_the_memory(self):
        memory = backends.get("statevector").memory(hardware_efficient(20, layers=4), tfim(20).hamiltonian)
        assert "two halves" in str(memory)
        assert memory.total_bytes < 2 * 16 * 2**20


def test_second_derivatives_and_metric_take_the_whole():
    circuit, observable = hardware_efficient(10, layers=2), tfim(10).hamiltonian
    assert design_of(circuit, observable).cut
    engine = backends.get("statevector")
    theta = np.random.default_rng(4).normal(size=circuit.num_parameters)
    f, step, k = engine.value_and_grad(circuit, observable), 1e-5, 3
    shifted = [f(theta + sign * step * np.eye(len(theta))[k])[1] for sign in (1, -1)]
    slopes = (shifted[0] - shifted[1]) / (2 * step)
    assert engine.hessian(circuit, observable)(theta)[k] == pytest.approx(slopes, abs=1e-6)
    assert np.linalg.eigvalsh(engine.metric(circuit)(theta)).min() > -1e-12


BITS = """
import sys, backends
import numpy as np
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, tfim
for precision in ("double", "single"):
    engine = backends.get("statevector", precision=precision)
    for circuit, p in (
        *((hardware_efficient(n, layers=4), tfim(n)) for n in (12, 20)),
        (hamiltonian_variational(heisenberg(16), layers=1), heisenberg(16)),
    ):
        value, gradient = engine.value_and_grad(circuit, p)(np.linspace(-1, 2, circuit.num_parameters))
        print(float(value).hex(), gradient.tobytes().hex())
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="this process may use one core only")
def test_bits_do_not_depend_on_the_number_of_cores():
    def run(cores: set[int]) -> str:
        command = f"import os; os.sched_setaffinity(0, {cores})\n{BITS}"
        done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
        return done.stdout

    first, second, *_ = sorted(os.sched_getaffinity(0))
    assert run({first}) == run({first, second})
