"""Whole states by passes that XLA fuses, as on an accelerator: numbers, memory, and which circuits they serve."""

from functools import partial

import jax
import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector

import backends
from backends.statevector.circuit.lower import lower
from backends.statevector.passes import kernels, representation
from backends.statevector.passes.representation import XlaPasses
from backends.statevector.passes.schedule import MOST_QUBITS, schedule
from backends.statevector.representation import Question
from circuits import hardware_efficient, tfim, uccsd
from circuits.problems.chemistry import molecule

FIXED = ("x", "y", "z", "s", "sdg", "t", "tdg", "sx", "sxdg", "h", "cx", "cy", "cz", "swap", "iswap", "ccx", "ccz")
TURNING = ("rx", "ry", "rz", "p", "rxx", "ryy", "rzz", "rzx", "crx", "cry", "crz", "cp", "u")


@pytest.fixture
def accelerated(monkeypatch):
    """As if JAX's device were an accelerator."""
    monkeypatch.setattr(representation, "on_processor", lambda: False)


def every_gate(n, seed):
    """All standard gates in a random order on random qubits; the first qubit is left out."""
    rng, theta = np.random.default_rng(seed), iter(ParameterVector("t", len(TURNING)))
    circuit = QuantumCircuit(n)
    for name in rng.permutation(FIXED + TURNING).tolist():
        alone = name in FIXED[:10] + TURNING[:4] + ("u",)
        width = 1 if alone else 3 if name.startswith("cc") else 2
        angles = [2 * next(theta) + 0.1] if name in TURNING else []
        angles += [0.3, 0.2] if name == "u" else []
        getattr(circuit, name)(*angles, *(1 + rng.permutation(n - 1)[:width]).tolist())
    return circuit


def ring(n):
    """Two layers of rx and rz on every qubit and cz around the ring, and an XXZ ring."""
    theta = iter(ParameterVector("t", 4 * n))
    circuit = QuantumCircuit(n)
    for _ in range(2):
        for q in range(n):
            circuit.rx(next(theta), q)
            circuit.rz(next(theta), q)
        for q in range(n):
            circuit.cz(q, (q + 1) % n)
    bonds = [(letters, [q, (q + 1) % n], 1.0) for q in range(n) for letters in ("XX", "YY", "ZZ")]
    return circuit, SparsePauliOp.from_sparse_list(bonds, n)


@pytest.mark.parametrize(("precision", "tolerance"), [("double", 1e-12), ("single", 1e-5)])
def test_every_gate_has_the_numbers_of_qiskit(precision, tolerance, accelerated):
    circuit = every_gate(4, 1)
    observables = [
        SparsePauliOp(["XXYI", "ZZII", "IYZX", "IIII"], [0.5, -0.3, 0.2, 0.1]),
        SparsePauliOp(["IXII", "IZII"], [1.0, 0.4]),
    ]
    rows = np.random.default_rng(2).normal(size=(2, circuit.num_parameters))
    engine = backends.get("statevector", precision=precision, executor="xla")
    assert isinstance(engine._chosen(circuit, tuple(observables)), XlaPasses)
    wanted = [
        [Statevector(circuit.assign_parameters(row)).expectation_value(one).real for one in observables] for row in rows
    ]
    np.testing.assert_allclose(engine.prepare(circuit, observables)(rows).values, wanted, atol=tolerance)


@pytest.mark.slow
def test_gradients_are_differences_and_hessians_those_of_gradients(accelerated):
    t, circuit, observable = (
        ParameterVector("t", 4),
        QuantumCircuit(3),
        SparsePauliOp(["XYZ", "IZX", "ZII"], [0.7, -0.4, 1]),
    )
    for q in range(3):
        circuit.ry(0.4 + q, q)
    circuit.u(t[0], t[1], 0.3, 0)
    circuit.crx(t[1], 0, 1)
    circuit.rzz(t[2], 1, 2)
    circuit.rxx(t[3], 0, 2)
    engine = backends.get("statevector", executor="xla")
    gradient, theta = engine.value_and_grad(circuit, observable), np.linspace(-1, 1, circuit.num_parameters)
    step = 1e-5 * np.random.default_rng(0).normal(size=len(theta))
    (up, after), (down, before) = gradient(theta + step), gradient(theta - step)
    _, slopes = gradient(theta)
    assert up - down == pytest.approx(2 * slopes @ step, abs=1e-12)
    hessian = engine.hessian(circuit, observable)(theta)
    assert np.abs(hessian).max() > 0.1
    np.testing.assert_allclose(hessian @ step * 2, after - before, atol=1e-12)


def test_what_accelerators_are_given_has_the_numbers_of_the_native_kernels(accelerated, monkeypatch):
    """Barriers and single sums, in the place of what makes XLA on the processor do the same."""
    monkeypatch.setattr(kernels, "on_processor", lambda: False)
    circuit, observable = hardware_efficient(3, layers=1), SparsePauliOp(["ZZX", "IYZ"], [1.0, 0.5])
    theta = np.linspace(-1, 1, circuit.num_parameters)
    value, slopes = backends.get("statevector", executor="xla").value_and_grad(circuit, observable)(theta)
    wanted = backends.get("statevector").value_and_grad(circuit, observable)
    monkeypatch.undo()
    expected, gradient = wanted(theta)
    assert value == pytest.approx(expected, abs=1e-12)
    assert slopes == pytest.approx(gradient, abs=1e-12)


def test_states_come_in_the_order_of_the_qubits(accelerated):
    circuit = every_gate(4, 5)
    row = np.linspace(-1, 1, circuit.num_parameters)
    program = backends.get("statevector", executor="xla")._program(circuit, (), derivative=False)
    with jax.enable_x64(True):
        psi = program.state(row)
    wanted = Statevector(circuit.assign_parameters(row))
    assert abs(np.vdot(psi, wanted.data)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_gates_overtake_only_what_they_commute_with(seed):
    circuit = every_gate(5, seed)
    bound = circuit.assign_parameters(np.linspace(0, 1, circuit.num_parameters))
    factors = lower(bound)
    groups = schedule(factors)
    assert groups is not None
    assert sorted(f for group in groups for f in group.factors) == list(range(len(factors)))
    assert max(group.support.bit_count() for group in groups) <= MOST_QUBITS
    angles, after = factors.angles.values(np.zeros((1, 0)))[0], np.eye(32)
    for f in (f for group in groups for f in group.factors):
        generator = np.zeros((32, 32), complex)
        index = np.arange(32)
        for z, weight in zip(factors.z[f], factors.weight[f], strict=True):
            signs = 1 - 2.0 * (np.bitwise_count(index.astype(np.uint32) & np.uint32(z)) & 1)
            generator[index, index ^ int(factors.x[f])] += factors.phase[f] * weight * signs
        values, vectors = np.linalg.eigh(generator)
        after = vectors @ np.diag(np.exp(-1j * angles[f] * values)) @ vectors.conj().T @ after
    assert abs(np.trace(after.conj().T @ Operator(bound).data)) == pytest.approx(32)


def test_a_ring_is_closed_by_one_pass_over_the_whole_state():
    """Controlled Z gates commute, and qubits are stored when they are met: all other passes are over smaller states."""
    chosen = XlaPasses.made(Question(lower(ring(20)[0]), np.dtype(float)))
    assert chosen is not None
    assert sum(one.after == 20 for one in chosen.plan.passes) == 1


@pytest.mark.slow
@pytest.mark.parametrize("strings", [["ZZI"], ["XYZ"]])
def test_memory_is_what_xla_assigns(strings):
    n = 14
    circuit = hardware_efficient(n, layers=1)
    observable = SparsePauliOp([string * 4 + "II" for string in strings])
    chosen = XlaPasses.made(Question(lower(circuit), np.dtype(float), (observable,)))
    assert chosen is not None
    with jax.enable_x64(True):
        program = chosen.program()
        arrays = program.arrays, np.zeros(program.angles.n_angles), (program.terms(observable),)
        made = jax.jit(partial(program.functions["slopes"], *program.static)).lower(*arrays).compile()
    measured = made.memory_analysis()
    held = measured.temp_size_in_bytes + measured.argument_size_in_bytes + measured.output_size_in_bytes
    predicted = chosen.memory(derivative=True, keep=None).total_bytes
    assert held <= predicted * 1.05 <= 1.6 * held


def test_what_is_too_much_to_compile_goes_as_blocks(accelerated):
    engine = backends.get("statevector", executor="xla")
    deep, wide = hardware_efficient(6, layers=60), uccsd(molecule("Li 0 0 0; H 0 0 1.6", active_space=(2, 4)))
    assert not isinstance(engine._chosen(deep, ()), XlaPasses)
    assert schedule(lower(wide)) is None
    assert isinstance(engine._chosen(hardware_efficient(6), (tfim(6).hamiltonian,)), XlaPasses)
