"""The engine's different ways to the same numbers: whole, kernel by kernel, lean, on a part of the state space."""

import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp, Statevector, partial_trace, random_pauli_list

import backends
from backends.statevector.choose import choose
from backends.statevector.circuit.frame import real_frame
from backends.statevector.circuit.lower import lower
from backends.statevector.native.program import NativeProgram
from backends.statevector.representation import Question
from backends.statevector.sector.program import SectorProgram
from backends.statevector.sector.reached import reached
from backends.statevector.whole import buffers, costs, representation, stepwise
from backends.statevector.whole.buffers import Buffers
from backends.statevector.whole.costs import block_costs
from backends.statevector.whole.fuse import Block, Diagonal, fuse
from backends.statevector.whole.program import XlaProgram
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, maxcut, molecule, qaoa, tfim, uccsd
from circuits.errors import Refused

TOLERANCE = 1e-10  # see test_statevector


def scattered(n, seed):
    """Rotations, wide evolutions and diagonals in no order."""
    rng, theta = np.random.default_rng(seed), ParameterVector("t", 5)
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for k in range(30):
        a, b = (int(q) for q in rng.choice(n, 2, replace=False))
        getattr(circuit, ("rxx", "rzz", "crx", "cp")[k % 4])(theta[k % 5] * (1 + k % 3), a, b)
        circuit.rx(theta[(k + 1) % 5], b)
    return circuit


def weighted():
    rng = np.random.default_rng(5)
    graph = nx.random_regular_graph(3, 8, seed=2)
    return maxcut([(a, b, float(rng.normal())) for a, b in graph.edges])


CASES = {
    "chain": lambda: (hardware_efficient(7, layers=3), tfim(7).hamiltonian),
    "heisenberg": lambda: (hamiltonian_variational(heisenberg(6), layers=2), heisenberg(6).hamiltonian),
    "qaoa": lambda: (p := maxcut(nx.random_regular_graph(3, 10, seed=1))) and (qaoa(p, layers=3), p.hamiltonian),
    "weighted qaoa": lambda: (p := weighted()) and (qaoa(p, layers=2), p.hamiltonian),
    "scattered": lambda: (
        scattered(8, 1),
        SparsePauliOp(random_pauli_list(8, 12, seed=3, phase=False), np.linspace(-1, 1, 12)),
    ),
    "uccsd": lambda: (m := molecule("Li 0 0 0; H 0 0 1.6", active_space=(2, 4))) and (uccsd(m), m.hamiltonian),
}


def answers(circuit, observable, **options):
    theta = np.random.default_rng(4).normal(size=circuit.num_parameters)
    engine = backends.get("statevector", **options)
    value, gradient = engine.value_and_grad(circuit, observable)(theta)
    return value, engine.prepare(circuit, observable)(theta).values[0, 0], gradient, engine.state(circuit, theta)


def without_host(monkeypatch):
    """Let XLA do all, as on a GPU."""
    for module in (buffers, stepwise):
        monkeypatch.setattr(module, "on_host", lambda: False)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", ["native", "whole", "loops", "keep", "lean"])
def test_every_way_gives_the_same(case, way, monkeypatch):
    circuit, observable = CASES[case]()
    monkeypatch.setattr(costs, "STEPWISE", 1 if way in ("keep", "lean") else 99)
    monkeypatch.setattr(representation, "UNROLLED", 0 if way == "loops" else 99)
    monkeypatch.setattr(buffers, "HOST", 2**circuit.num_qubits if way == "lean" else 0)
    if way == "keep":
        without_host(monkeypatch)
    options = {"executor": "native" if way == "native" else "xla"}
    value, alone, gradient, psi = answers(
        circuit, observable, **options, memory=way if way in ("keep", "lean") else "auto"
    )
    theta = np.random.default_rng(4).normal(size=circuit.num_parameters)
    wanted, slopes = backends.get("lightning").value_and_grad(circuit, observable)(theta)
    assert (value, alone) == (pytest.approx(wanted, abs=TOLERANCE),) * 2
    assert gradient == pytest.approx(slopes, abs=1e-9)
    assert np.abs(slopes).max() > 1e-3
    exact = Statevector(circuit.assign_parameters(theta).decompose("PauliEvolution")).data
    assert abs(np.vdot(exact, psi)) == pytest.approx(1, abs=TOLERANCE)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("case", ["chain", "qaoa", "scattered"])
def test_memory_is_known_to_the_byte(case, keep, monkeypatch):
    circuit, observable = CASES[case]()
    monkeypatch.setattr(costs, "STEPWISE", 1)
    without_host(monkeypatch)
    made = []
    monkeypatch.setattr(
        "backends.statevector.whole.program.Buffers", lambda dtype: made.append(Buffers(dtype)) or made[-1]
    )
    engine = backends.get("statevector", executor="xla", memory="keep" if keep else "lean")
    f = engine.value_and_grad(circuit, observable)
    for _ in range(3):
        f(np.ones(circuit.num_parameters))
    held = sum(x.nbytes for resting in made[0].resting.values() for x in resting)
    memory = engine.memory(circuit, observable)
    assert held == memory.states_bytes
    largest = max(made[0].resting)
    assert keep or len(made[0].resting[largest]) <= 4
    assert ("kept to save time" in str(memory)) == (memory.states_bytes > memory.lean_bytes)


def test_too_much_memory_is_refused_with_the_number():
    with pytest.raises(Refused, match=r"needs \d+ bytes"):
        backends.get("statevector").value_and_grad(hardware_efficient(31, layers=31), tfim(31))


def test_what_is_free_decides_nothing_but_whether_it_is_refused(monkeypatch):
    """The two ways round differently, and bits must not depend on what else runs on a machine."""
    monkeypatch.setattr(costs, "STEPWISE", 1)
    circuit, observable = CASES["qaoa"]()
    engine = backends.get("statevector", executor="xla")
    before = engine.memory(circuit, observable)
    assert before.keep
    monkeypatch.setattr("backends.memory.free_bytes", lambda: before.total_bytes - 1)
    assert engine.memory(circuit, observable) == before
    with pytest.raises(Refused, match=rf"{before.total_bytes} bytes.*memory=\"lean\""):
        engine.value_and_grad(circuit, observable)
    backends.get("statevector", executor="xla", memory="lean").value_and_grad(circuit, observable)
    monkeypatch.setattr("backends.statevector.whole.representation.total_bytes", lambda: 3 * before.states_bytes)
    assert not engine.memory(circuit, observable).keep


def test_an_unknown_way_is_refused():
    with pytest.raises(Refused, match="lean"):
        backends.get("statevector", memory="leen")


def test_more_devices_than_there_are_is_refused():
    one = backends.get("statevector", devices=1)
    circuit = hardware_efficient(4)
    theta = np.random.default_rng(0).normal(size=circuit.num_parameters)
    value, gradient = one.value_and_grad(circuit, tfim(4))(theta)
    wanted, slopes = backends.get("statevector").value_and_grad(circuit, tfim(4))(theta)
    assert (value, gradient) == (pytest.approx(wanted, abs=TOLERANCE), pytest.approx(slopes, abs=TOLERANCE))
    with pytest.raises(Refused, match="one device"):
        one.hessian(circuit, tfim(4))
    with pytest.raises(Refused, match="JAX sees"):
        backends.get("statevector", devices=64).value_and_grad(circuit, tfim(4))


def test_diagonal_layers_are_found():
    problem = maxcut(nx.random_regular_graph(3, 12, seed=1))
    factors = real_frame(lower(qaoa(problem, layers=4)))
    steps = fuse(factors, block_costs(12))
    assert sum(isinstance(step, Diagonal) for step in steps) == 4
    assert factors.turned
    assert sum(isinstance(step, Block) and step.real for step in steps) >= 9  # mixers, but for the first


def test_water_stays_with_its_electrons():
    factors = lower(uccsd(molecule("Li 0 0 0; H 0 0 1.6")))
    start, states, _ = reached(factors, 1000)
    assert len(states) == 15**2  # two electrons of each spin in six orbitals
    assert set(np.bitwise_count(states).tolist()) == {4}
    assert start in states
    assert isinstance(choose(Question(factors, np.dtype(float))).program(), SectorProgram)
    other = lower(hardware_efficient(6))
    assert isinstance(choose(Question(other, np.dtype(float), executor="xla")).program(), XlaProgram)
    assert isinstance(choose(Question(other, np.dtype(float), executor="native")).program(), NativeProgram)


def test_several_observables_at_once():
    circuit = hardware_efficient(5)
    observables = [tfim(5).hamiltonian, heisenberg(5).hamiltonian, SparsePauliOp("ZZZZZ")]
    rows = np.random.default_rng(0).normal(size=(3, circuit.num_parameters))
    engine = backends.get("statevector")
    values, jacobian = engine.values_and_jacobian(circuit, observables)(rows)
    for k, observable in enumerate(observables):
        wanted, slopes = engine.value_and_grad(circuit, observable)(rows)
        assert values[:, k] == pytest.approx(wanted, abs=TOLERANCE)
        assert jacobian[:, k] == pytest.approx(slopes, abs=TOLERANCE)


def curved():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.ry(a * b, 0)
    circuit.crx(a**2 + b, 0, 1)
    circuit.rzz(2 * b, 1, 2)
    circuit.rx(a.sin(), 2)
    return circuit, SparsePauliOp(["ZZI", "XIX", "IYY"], [1.0, 0.5, -0.7])


@pytest.mark.parametrize("case", [*CASES, "curved"])
def test_hessian_against_differences_of_gradients(case):
    circuit, observable = curved() if case == "curved" else CASES[case]()
    theta = np.random.default_rng(2).normal(size=circuit.num_parameters)
    engine = backends.get("statevector")
    found = engine.hessian(circuit, observable)(theta)
    f, h = engine.value_and_grad(circuit, observable), 1e-4
    wanted = [(f(theta + h * e)[1] - f(theta - h * e)[1]) / (2 * h) for e in np.eye(len(theta))]
    scale = max(10.0, np.abs(found).max())
    assert found == pytest.approx(np.array(wanted), abs=1e-6 * scale)  # h^2 / 6 times a fourth derivative
    assert np.abs(found).max() > 1e-2


@pytest.mark.parametrize("case", ["chain", "qaoa", "uccsd", "curved"])
def test_metric_against_the_overlap_of_neighbours(case):
    """1 - |<psi(t) | psi(t + d)>|^2 = d^T g d to third order."""
    circuit, _ = curved() if case == "curved" else CASES[case]()
    rng = np.random.default_rng(2)
    theta = rng.normal(size=circuit.num_parameters)
    engine = backends.get("statevector")
    g = engine.metric(circuit)(theta)
    assert np.linalg.eigvalsh(g).min() > -1e-10
    for _ in range(3):
        d = 1e-4 * rng.normal(size=len(theta))
        up, down = engine.state(circuit, theta + d), engine.state(circuit, theta - d)
        assert 1 - abs(np.vdot(up, down)) ** 2 == pytest.approx(4 * d @ g @ d, rel=1e-4)


@pytest.mark.parametrize("case", ["chain", "qaoa", "uccsd", "curved"])
def test_tangents_against_differences_of_states(case):
    """Whatever the phase of psi: the parts of (psi(t + h) - psi(t - h)) / 2h across psi, after fixing its phase."""
    circuit, _ = curved() if case == "curved" else CASES[case]()
    theta = np.random.default_rng(3).normal(size=circuit.num_parameters)
    engine, h = backends.get("statevector"), 1e-4
    psi, slopes = engine.tangents(circuit)(theta)
    assert abs(np.vdot(psi, engine.state(circuit, theta))) == pytest.approx(1.0, abs=1e-12)
    across = slopes - np.outer(slopes @ psi.conj(), psi)
    for k in range(min(6, len(theta))):
        ends = [engine.state(circuit, theta + sign * h * np.eye(len(theta))[k]) for sign in (1, -1)]
        up, down = (end / np.vdot(psi, end) * abs(np.vdot(psi, end)) for end in ends)
        wanted = (up - down) / (2 * h)
        wanted -= np.vdot(psi, wanted) * psi
        assert across[k] == pytest.approx(wanted, abs=1e-6)  # h^2 / 6 times a third derivative
    assert (across.conj() @ across.T).real == pytest.approx(engine.metric(circuit)(theta), abs=1e-10)
    with pytest.raises(Refused, match="no parameters"):
        engine.tangents(circuit.assign_parameters(theta))


def test_reduced_density_matrices():
    circuit = hardware_efficient(5)
    theta = np.random.default_rng(1).normal(size=circuit.num_parameters)
    rho = backends.get("statevector").reduced_density_matrix(circuit, theta, qubits=(3, 0))
    others = partial_trace(Statevector(circuit.assign_parameters(theta)), [1, 2, 4]).data  # bits: qubit 0, qubit 3
    swapped = others.reshape(2, 2, 2, 2).transpose(1, 0, 3, 2).reshape(4, 4)
    assert rho == pytest.approx(swapped, abs=TOLERANCE)
    with pytest.raises(Refused, match="qubits"):
        backends.get("statevector").reduced_density_matrix(circuit, theta, qubits=(0, 0))


@pytest.mark.parametrize("executor", ["native", "xla"])
@pytest.mark.parametrize("n", [4, 7, 9])
def test_rows_of_any_number_have_the_same_bits(n, executor):
    circuit, H = hardware_efficient(n, layers=3), tfim(n)
    rows = np.random.default_rng(0).normal(size=(70, circuit.num_parameters))
    f = backends.get("statevector", executor=executor).value_and_grad(circuit, H)
    values, gradients = f(rows)
    for count in (16, 17, 33):  # tiles of 16 rows
        some, slopes = f(rows[:count])
        assert np.array_equal(some, values[:count])
        assert np.array_equal(slopes, gradients[:count])
    few, _ = f(rows[:3])
    assert np.array_equal(few, [f(row)[0] for row in rows[:3]])
    assert few == pytest.approx(values[:3], abs=TOLERANCE)


PROGRAM = """
import time, sys, warnings, numpy as np, backends
from backends.statevector.runtime import compiled
from circuits import hardware_efficient, tfim
lowered = []
original = compiled._kept
compiled._kept = lambda *a: lowered.append(a) or original(*a)
value, _ = backends.get("statevector", executor="xla").value_and_grad(hardware_efficient(5), tfim(5))(np.ones(20))
print(len(lowered), repr(float(value)))
"""


def run_program(folder):
    command = [sys.executable, "-c", PROGRAM]
    env = {"HYBRID_CACHE": str(folder), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return done.stdout.split(), done.stderr


def test_the_second_process_compiles_nothing_and_damage_is_mended(tmp_path):
    (count, value), _ = run_program(tmp_path)
    assert int(count) > 0
    assert run_program(tmp_path)[0] == ["0", value]
    for file in (tmp_path / "compiled").iterdir():
        file.write_bytes(file.read_bytes()[:100])
    (again, same), warned = run_program(tmp_path)
    assert (again, same) == (count, value)
    assert "made again" in warned
