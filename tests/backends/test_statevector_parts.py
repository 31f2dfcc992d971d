"""Circuits in parts: the same numbers as whole, wherever they are cut, and only where that is cheaper."""

import math
import os
import subprocess
import sys
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp, Statevector
from threadpoolctl import threadpool_info, threadpool_limits

import backends
from backends.statevector import native
from backends.statevector.choose import choose
from backends.statevector.circuit.lower import lower
from backends.statevector.native.clifford import Frame
from backends.statevector.native.representation import NativeWhole
from backends.statevector.native.rotations import Absorb, gates, rotations
from backends.statevector.parts import boundaries, representation
from backends.statevector.parts.bonds import cut
from backends.statevector.parts.boundaries import Parts
from backends.statevector.parts.line import moved, without_end
from backends.statevector.parts.one_core import one_core
from backends.statevector.parts.program import PartsProgram
from backends.statevector.parts.representation import InParts
from backends.statevector.representation import Question
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, maxcut, molecule, qaoa, tfim, uccsd

pytestmark = pytest.mark.skipif(not native.available(), reason="parts are run by the C++ kernels, which are not here")

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


def ladder(rungs: int, layers: int) -> QuantumCircuit:
    """Two chains side by side; qubits of a rung are neighbours."""
    n, theta = 2 * rungs, ParameterVector("t", 4 * rungs * layers)
    circuit, angle = QuantumCircuit(n), iter(theta)
    for _ in range(layers):
        for q in range(n):
            circuit.ry(next(angle), q)
            circuit.rx(next(angle), q)
        for q in range(n - 2):
            circuit.cx(q, q + 2)
        for q in range(0, n, 2):
            circuit.cz(q, q + 1)
    return circuit


def grid(length: int, width: int):
    return maxcut(nx.convert_node_labels_to_integers(nx.grid_2d_graph(length, width)))


CASES = {
    "chain": lambda: (hardware_efficient(16, layers=4), tfim(16).hamiltonian),
    "ring": lambda: (hamiltonian_variational(tfim(14, periodic=True), layers=2), tfim(14, periodic=True).hamiltonian),
    "heisenberg": lambda: (hamiltonian_variational(heisenberg(14), layers=1), heisenberg(14).hamiltonian),
    "qaoa": lambda: (qaoa(grid(4, 3), layers=1), grid(4, 3).hamiltonian),
    "strings": lambda: (hardware_efficient(15, layers=2), strings(15, 4, 1)),
    "ladder": lambda: (ladder(8, 2), tfim(16).hamiltonian),
}


def parts_for(circuit, *observables) -> Parts | None:
    """What is chosen for a circuit; None for another representation."""
    chosen = choose(Question(lower(circuit), np.dtype(float), observables))
    return chosen.parts if isinstance(chosen, InParts) else None


@pytest.fixture
def always(monkeypatch):
    """Cut whatever can be cut."""
    monkeypatch.setattr(representation, "SMALLEST_CUT", 2)
    monkeypatch.setattr(NativeWhole, "passes", math.inf)
    monkeypatch.setattr(boundaries, "CALL", 0.0)


def whole(circuit, observable, theta, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(representation, "parts_of", lambda *_: None)
        return backends.get("statevector", **options).values_and_jacobian(circuit, observable)(theta)


@pytest.mark.parametrize(
    ("case", "precision", "tolerance"),
    [*((case, "double", TOLERANCE) for case in CASES), ("chain", "single", 1e-5), ("ladder", "single", 1e-5)],
)
def test_parts_give_the_same_as_the_whole(case, precision, tolerance, always):
    circuit, observable = CASES[case]()
    theta = np.random.default_rng(4).normal(size=(1, circuit.num_parameters))
    engine = backends.get("statevector", precision=precision)
    assert parts_for(circuit, observable)
    values, slopes = engine.values_and_jacobian(circuit, observable)(theta)
    wanted, wanted_slopes = whole(circuit, observable, theta)
    assert values == pytest.approx(wanted, abs=tolerance * len(observable))
    assert slopes == pytest.approx(wanted_slopes, abs=10 * tolerance)
    assert np.abs(slopes).max() > 1e-3
    assert engine.prepare(circuit, observable)(theta).values == pytest.approx(wanted, abs=tolerance * len(observable))


def anywhere(circuit: QuantumCircuit, rng: np.random.Generator) -> PartsProgram:
    """The circuit cut at any boundaries, its qubits in any order, with or without Clifford gates at its end."""
    factors, n = lower(circuit), circuit.num_qubits
    order = rng.permutation(n).tolist() if rng.random() < 0.3 else list(range(n))
    some = sorted(rng.choice(np.arange(1, n), int(rng.integers(1, min(n, 5))), replace=False).tolist())
    kept, end = without_end(list(gates(factors))) if rng.random() < 0.5 else (gates(factors), Frame())
    parts = cut(moved(kept, order), n, some)
    return PartsProgram(factors, np.dtype(float), Parts(order, [0, *some, n], parts, end, 0.0))


def compare(circuit: QuantumCircuit, observables: list[SparsePauliOp], program: PartsProgram, rng) -> None:
    """Values, slopes and state against Qiskit and the whole state."""
    theta = rng.normal(size=(1, circuit.num_parameters))
    psi = Statevector(circuit.assign_parameters(theta[0]))
    terms = tuple(map(program.terms, observables))
    values, slopes = program.energies_and_slopes(terms)(theta)
    wanted = [psi.expectation_value(h).real for h in observables]
    assert values[0] == pytest.approx(wanted, abs=TOLERANCE)
    assert program.energies(terms)(theta)[0] == pytest.approx(wanted, abs=TOLERANCE)
    pulled = np.stack([program.angles.pulled(theta, slopes[:, k]) for k in range(len(observables))], axis=1)
    assert pulled == pytest.approx(whole(circuit, observables, theta)[1], abs=TOLERANCE)
    assert abs(np.vdot(psi.data, program.state(theta[0]))) == pytest.approx(1, abs=TOLERANCE)


@pytest.mark.parametrize("seed", range(24))
def test_any_circuit_cut_anywhere(seed):
    """Bonds over many boundaries, strings on any parts, bonds of X and Y, gates whose strings do not commute apart."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 8))
    circuit = scattered(n, int(rng.integers(n, 3 * n)), seed)
    program = anywhere(circuit, rng)
    if max(part.n_qubits for part in program.parts.parts) <= 14:
        compare(circuit, [strings(n, 6, seed), SparsePauliOp("Z" * n)], program, rng)
    else:
        assert seed not in range(4)  # most are not that large


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(n=st.integers(2, 8), length=st.integers(1, 24), seed=st.integers(0, 10**6))
def test_random_circuits(n, length, seed):
    rng = np.random.default_rng(seed)
    circuit = scattered(n, length, seed)
    program = anywhere(circuit, rng)
    if max(part.n_qubits for part in program.parts.parts) <= 14:
        compare(circuit, [strings(n, 5, seed)], program, rng)


def test_angles_beyond_affine_on_both_sides_of_a_boundary():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(6)
    circuit.h(range(6))
    for q in range(5):
        circuit.rzz(a * b, q, q + 1)
    for q in range(6):
        circuit.rx(a.sin() + q * b, q)
    rng = np.random.default_rng(3)
    compare(circuit, [tfim(6).hamiltonian], anywhere(circuit, rng), rng)


def test_one_bond_serves_all_gates_that_read_the_same():
    circuit = QuantumCircuit(4)
    for target in (2, 3):
        circuit.cx(1, target)
    circuit.rz(0.3, 1)  # commutes with Z, which the bond holds
    circuit.cx(1, 2)
    (left, right) = cut(gates(lower(circuit)), 4, [2])
    assert (left.n_right, right.n_left, right.n_read) == (1, 1, 1)
    circuit.ry(0.3, 1)
    circuit.cx(1, 2)
    assert cut(gates(lower(circuit)), 4, [2])[0].n_right == 2


def test_cnots_at_the_end_go_into_the_observable():
    circuit = hardware_efficient(12, layers=3)
    kept, _ = without_end(list(gates(lower(circuit))))
    assert cut(kept, 12, [6])[0].n_right == 2
    assert cut(gates(lower(circuit)), 12, [6])[0].n_right == 3


def test_cnots_over_a_boundary_are_seen_through():
    """What is left are the rotations of a part's own qubits, and one for each bond that it reads."""
    for part in cut(gates(lower(hardware_efficient(12, layers=3))), 12, [4, 8]):
        made = rotations(part.gates, part.n_qubits, Absorb.PERMUTATIONS)
        assert len(made.x) == 3 * 2 * part.n_own + part.n_read


def test_rows_one_by_one_have_the_bits_of_many():
    circuit, observable = CASES["chain"]()
    f = backends.get("statevector").values_and_jacobian(circuit, observable)
    rows = np.random.default_rng(0).normal(size=(5, circuit.num_parameters))
    values, slopes = f(rows)
    assert np.array_equal(f(rows[3])[0], values[3:4])
    assert np.array_equal(f(rows[3])[1], slopes[3:4])


def test_samples_of_parts_follow_the_whole_state(always):
    circuit = hardware_efficient(12, layers=4)
    theta = np.random.default_rng(4).normal(size=circuit.num_parameters)
    exact = Statevector(circuit.assign_parameters(theta)).probabilities()
    assert parts_for(circuit)
    counts = backends.get("statevector").sample(circuit, theta, shots=4000, seed=1)
    index = np.array([int(word, 2) for word in counts])
    assert sum(exact[index]) > 0.5  # what was seen is likely
    likely = int(np.argmax(exact))
    seen = counts.get(format(likely, "012b"), 0) / 4000
    assert seen == pytest.approx(exact[likely], abs=5 * np.sqrt(exact[likely] / 4000))


class TestChoice:
    def test_chains_of_few_layers_are_cut_at_many_places(self):
        for n in (16, 20, 24, 28):
            found = parts_for(hardware_efficient(n, layers=4), tfim(n).hamiltonian)
            assert found
            assert len(found.parts) >= n // 6
            assert {part.n_right for part in found.parts[:-1]} == {3}  # the last layer of CNOTs is in the observable

    def test_cost_grows_with_length(self):
        cost = [parts_for(hardware_efficient(n, layers=4), tfim(n).hamiltonian).cost for n in (25, 50, 100)]
        assert cost[2] - cost[1] == pytest.approx(2 * (cost[1] - cost[0]), rel=0.1)

    def test_deep_circuits_are_whole(self):
        assert not parts_for(hardware_efficient(12, layers=12), tfim(12).hamiltonian)

    def test_small_circuits_are_whole(self):
        assert not parts_for(hardware_efficient(10, layers=3), tfim(10).hamiltonian)

    def test_many_strings_across_are_not_worth_it(self):
        circuit = hardware_efficient(15, layers=3)
        assert parts_for(circuit, strings(15, 3, 0))
        assert not parts_for(circuit, strings(15, 300, 0))

    def test_a_small_sector_comes_first(self):
        assert not parts_for(uccsd(molecule("Li 0 0 0; H 0 0 1.6")))

    def test_products_need_no_bond(self):
        circuit = QuantumCircuit(40)
        for q in range(40):
            circuit.ry(Parameter(f"t{q:02}"), q)
        assert {part.n_right for part in parts_for(circuit, tfim(40).hamiltonian).parts} == {0}

    def test_an_order_with_few_bonds_is_found(self):
        mixed = QuantumCircuit(20)
        order = np.random.default_rng(0).permutation(20).tolist()
        mixed.compose(hardware_efficient(20, layers=3), order, inplace=True)
        found = parts_for(mixed, SparsePauliOp("Z" * 20))
        assert max(part.n_right for part in found.parts) <= 3
        assert found.order in (order, order[::-1])

    def test_it_is_said_in_the_memory(self):
        circuit, observable = hardware_efficient(20, layers=4), tfim(20).hamiltonian
        memory = backends.get("statevector").memory(circuit, observable)
        assert f"runs as {len(parts_for(circuit, observable).parts)} parts" in str(memory)
        assert memory.total_bytes < 2**20

    def test_a_circuit_of_thousands_of_gates_costs_little_to_look_at(self):
        circuit = scattered(20, 3000, 1)
        assert not parts_for(circuit, tfim(20).hamiltonian)


def test_second_derivatives_and_metric_take_the_whole():
    circuit, observable = hardware_efficient(16, layers=1), tfim(16).hamiltonian
    assert parts_for(circuit, observable)
    engine = backends.get("statevector")
    theta = np.random.default_rng(4).normal(size=circuit.num_parameters)
    f, step, k = engine.value_and_grad(circuit, observable), 1e-5, 3
    shifted = [f(theta + sign * step * np.eye(len(theta))[k])[1] for sign in (1, -1)]
    slopes = (shifted[0] - shifted[1]) / (2 * step)
    assert engine.hessian(circuit, observable)(theta)[k] == pytest.approx(slopes, abs=1e-6)


def test_other_products_have_their_cores_back():
    def cores():
        found = [library for library in threadpool_info() if library["user_api"] == "blas"]
        return {library["num_threads"] for library in found if "numpy" in library["filepath"]}

    with threadpool_limits(2, user_api="blas"):
        with one_core():
            with one_core():
                assert cores() == {1}
            assert cores() == {1}
        assert cores() == {2}


BITS = """
import sys, backends
import numpy as np
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, tfim
for precision in ("double", "single"):
    engine = backends.get("statevector", precision=precision)
    for circuit, p in (
        *((hardware_efficient(n, layers=4), tfim(n)) for n in (18, 40)),
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


def pairs_joined(n: int, pairs: int, seed: int) -> QuantumCircuit:
    """Rotations about XX and YY by one angle, on pairs of qubits at all distances, after X on some qubits."""
    rng, theta = np.random.default_rng(seed), Parameter("t")
    circuit = QuantumCircuit(n)
    circuit.x(range(0, n, 4))
    found = list(combinations(range(n), 2))
    for k in sorted(rng.choice(len(found), pairs, replace=False)):
        circuit.rxx(theta, *found[k])
        circuit.ryy(theta, *found[k])
    return circuit


def test_bonds_are_counted_behind_a_useless_boundary():
    """Where qubits at all distances are joined, a cut that looked cheap made a part of 53 qubits."""
    n, theta = 16, Parameter("t")
    joined = list(combinations(range(n), 2))[:48]
    circuit, terms = QuantumCircuit(n), []
    circuit.x([0, 4, 8, 12])
    for a, b in joined:
        circuit.rxx(theta, a, b)
        circuit.ryy(theta, a, b)
    for a, b in joined[:n]:
        terms += [("XX", [a, b], 1.0), ("YY", [a, b], 0.5)]
    observable = SparsePauliOp.from_sparse_list(terms, n)
    values = backends.get("statevector").prepare(circuit, observable)(np.array([[0.3]])).values
    psi = Statevector(circuit.assign_parameters([0.3]))
    assert values.item() == pytest.approx(psi.expectation_value(observable).real, abs=TOLERANCE)


@pytest.mark.parametrize("pairs", [12, 24, 40, 66])
@pytest.mark.parametrize("n", [12, 20])
def test_parts_cost_no_more_than_they_were_counted_with(n, pairs):
    """Chosen parts are priced as they are made: never above the whole circuit, nor of more qubits than one may have."""
    for seed in range(3):
        circuit = pairs_joined(n, pairs, seed)
        for observables in ((), (strings(n, 8, seed),)):
            asked = Question(lower(circuit), np.dtype(float), observables)
            chosen = choose(asked)
            if isinstance(chosen, InParts):
                whole = NativeWhole.of(asked, lambda: None)
                assert max(part.n_qubits for part in chosen.parts.parts) <= boundaries.MOST_QUBITS
                assert chosen.passes * chosen.amplitudes < 4 * whole.passes * whole.amplitudes
                assert chosen.memory(derivative=True, keep=None).total_bytes < 2**40
