"""The statevector engine against answers from elsewhere: Qiskit's Statevector, Lightning's adjoint, differences."""

import inspect

import numpy as np
import pytest
import qiskit.circuit.library.standard_gates as gates
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import SparsePauliOp, Statevector, random_pauli_list

import backends
from backends.gradients.finite_difference import finite_difference
from backends.statevector import Statevector as Engine
from backends.statevector.circuit.lower import lower
from backends.statevector.whole import costs
from backends.statevector.whole.costs import block_costs
from backends.statevector.whole.fuse import Block, bits, fuse
from circuits import hardware_efficient, tfim

DOUBLE = 1e-10  # some thousand roundings of 1e-16, amplified by sums of 2^n terms
SINGLE = 2e-5  # the same with roundings of 6e-8

SOME = settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def engine():
    return Engine()


def observable(n, seed, size=9):
    rng = np.random.default_rng(seed)
    return SparsePauliOp(random_pauli_list(n, size, seed=seed, phase=False), rng.normal(size=size))


def free_circuit(n, size, seed):
    """Rotations, controlled rotations, long-range and 3-qubit gates, wide evolutions; parameters shared and scaled."""
    rng = np.random.default_rng(seed)
    theta = ParameterVector("t", 4)
    circuit = QuantumCircuit(n)
    for _ in range(size):
        q = [int(k) for k in rng.permutation(n)]
        angle = float(rng.normal()) * theta[int(rng.integers(4))] + float(rng.normal())
        kind = int(rng.integers(9))
        if kind == 0:
            circuit.ry(angle, q[0])
        elif kind == 1:
            circuit.h(q[0])
        elif kind == 2:
            circuit.u(angle, 0.3, -angle, q[0])
        elif kind == 3 and n > 1:
            circuit.cx(q[0], q[1])
        elif kind == 4 and n > 1:
            circuit.crx(angle, q[0], q[1])
        elif kind == 5 and n > 1:
            circuit.rzz(angle, q[0], q[1])
        elif kind == 6 and n > 2:
            circuit.ccx(q[0], q[1], q[2])
        elif kind == 7:
            label = random_pauli_list(n, 1, seed=int(rng.integers(1000)), phase=False)
            circuit.append(PauliEvolutionGate(SparsePauliOp(label, [0.7]), time=angle), q)
        else:
            circuit.rx(angle, q[0])
    return circuit


def same_state(circuit, psi, tolerance):
    return abs(np.vdot(Statevector(circuit).data, psi)) == pytest.approx(1, abs=tolerance)


@SOME
@given(n=st.integers(1, 8), depth=st.integers(0, 12), seed=st.integers(0, 10**6))
def test_states_of_random_circuits(n, depth, seed):
    circuit = random_circuit(n, depth, max_operands=min(n, 3), seed=seed)
    assert same_state(circuit, Engine().state(circuit), DOUBLE)


@SOME
@given(n=st.integers(1, 7), size=st.integers(0, 40), seed=st.integers(0, 10**6))
def test_values_and_gradients_of_random_circuits(n, size, seed):
    circuit, H = free_circuit(n, size, seed), observable(n, seed)
    theta = np.random.default_rng(seed).normal(size=circuit.num_parameters)
    engine, lightning = backends.get("statevector"), backends.get("lightning")
    value, gradient = engine.value_and_grad(circuit, H)(theta)
    wanted, slopes = lightning.value_and_grad(circuit, H)(theta)
    assert value == pytest.approx(wanted, abs=DOUBLE)
    assert engine.prepare(circuit, H)(theta).values[0, 0] == pytest.approx(wanted, abs=DOUBLE)
    assert gradient == pytest.approx(slopes, abs=1e-9)
    bound = circuit.assign_parameters(theta).decompose("PauliEvolution")
    assert value == pytest.approx(Statevector(bound).expectation_value(H).real, abs=DOUBLE)


THOUSANDS = settings(
    max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def in_numpy(monkeypatch):
    """Walk kernel by kernel in NumPy, which compiles nothing, so that there is time for thousands of circuits."""
    monkeypatch.setattr(costs, "STEPWISE", 1)


@pytest.mark.slow
@THOUSANDS
@given(n=st.integers(1, 8), depth=st.integers(0, 12), seed=st.integers(0, 10**9))
def test_states_of_thousands_of_circuits(n, depth, seed, in_numpy):
    circuit = random_circuit(n, depth, max_operands=min(n, 3), seed=seed)
    psi = Engine().state(circuit)
    assert np.linalg.norm(psi) == pytest.approx(1, abs=DOUBLE)
    assert same_state(circuit, psi, DOUBLE)


@pytest.mark.slow
@THOUSANDS
@given(n=st.integers(1, 8), size=st.integers(0, 40), seed=st.integers(0, 10**9))
def test_gradients_of_thousands_of_circuits(n, size, seed, in_numpy):
    """Against Lightning, and linearity in the observable."""
    circuit, H, other = free_circuit(n, size, seed), observable(n, seed), observable(n, seed + 1, size=4)
    theta = np.random.default_rng(seed).normal(size=circuit.num_parameters)
    (values,), (slopes,) = Engine().values_and_jacobian(circuit, [H, other, H + 2 * other])(theta)
    assert values[2] == pytest.approx(values[0] + 2 * values[1], abs=DOUBLE)
    assert slopes[2] == pytest.approx(slopes[0] + 2 * slopes[1], abs=DOUBLE)

    wanted, wanted_slopes = backends.get("lightning").value_and_grad(circuit, H)(theta)
    assert values[0] == pytest.approx(wanted, abs=DOUBLE)
    assert slopes[0] == pytest.approx(wanted_slopes, abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 23])
def test_wide_circuits_against_aer(n):
    """Gates between any two qubits, so that no way for special circuits applies."""
    circuit, H = free_circuit(n, 90, n), observable(n, n)
    theta = np.random.default_rng(n).normal(size=circuit.num_parameters)
    wanted = backends.get("aer").submit(backends.Batch(circuit, H, theta)).result().values
    assert backends.get("statevector").prepare(circuit, H)(theta).values == pytest.approx(wanted, abs=DOUBLE)
    single = backends.get("statevector", precision="single").prepare(circuit, H)(theta).values
    assert single == pytest.approx(wanted, abs=SINGLE)


def standard_gates():
    for name, kind in sorted(vars(gates).items()):
        if inspect.isclass(kind) and issubclass(kind, Gate):
            signature = inspect.signature(kind.__init__).parameters
            needed = [p for k, p in signature.items() if k != "self" and p.default is inspect.Parameter.empty]
            counts = {"num_ctrl_qubits": 3, "num_qubits": 3}
            yield name, kind, [counts.get(p.name, 0.3 + 0.4 * k) for k, p in enumerate(needed) if p.kind < 2]


@pytest.mark.parametrize(("kind", "arguments"), [pytest.param(k, a, id=n) for n, k, a in standard_gates()])
def test_every_standard_gate(engine, kind, arguments):
    gate = kind(*arguments)
    circuit = QuantumCircuit(max(gate.num_qubits, 1) + 1)
    for q in range(circuit.num_qubits):
        circuit.u(0.3 + q, 0.2 * q, 0.5, q)
    circuit.append(gate, list(reversed(range(gate.num_qubits))))
    for q in range(circuit.num_qubits):
        circuit.ry(0.4 + 0.1 * q, q)
    assert same_state(circuit, engine.state(circuit), DOUBLE)


def test_there_are_standard_gates():
    assert len(list(standard_gates())) > 45


@pytest.mark.parametrize(("precision", "tolerance"), [("double", 1e-9), ("single", SINGLE)])
@pytest.mark.parametrize("n", [4, 12, 17])
def test_chains_against_lightning(precision, tolerance, n):
    circuit, H = hardware_efficient(n, layers=2), tfim(n)
    theta = np.random.default_rng(n).normal(size=circuit.num_parameters)
    engine = backends.get("statevector", precision=precision)
    value, gradient = engine.value_and_grad(circuit, H)(theta)
    wanted, slopes = backends.get("lightning").value_and_grad(circuit, H)(theta)
    assert value == pytest.approx(wanted, abs=n * tolerance)
    assert gradient == pytest.approx(slopes, abs=n * tolerance)
    assert np.abs(slopes).max() > 0.1


def test_gradient_against_finite_differences(engine):
    circuit, H = free_circuit(5, 40, 3), observable(5, 3)
    theta = np.random.default_rng(3).normal(size=circuit.num_parameters)
    _, gradient = engine.value_and_grad(circuit, H)(theta)
    _, wanted = finite_difference(engine, circuit, H)(theta)
    assert gradient == pytest.approx(wanted, abs=1e-5)  # h^2 / 6 times a third derivative of some hundreds, h = 1e-4
    assert np.abs(wanted).max() > 0.1


def test_one_parameter_a_thousand_times(engine):
    """cos(1000 t) on one qubit: value and derivative in closed form."""
    t = Parameter("t")
    circuit = QuantumCircuit(2)
    for _ in range(1000):
        circuit.ry(t, 1)
    value, gradient = engine.value_and_grad(circuit, "ZI")([0.0123])
    assert value == pytest.approx(np.cos(12.3), abs=1e-10)
    assert gradient == pytest.approx([-1000 * np.sin(12.3)], abs=1e-7)


def test_no_gates_and_identity(engine):
    for n in (1, 3, 6):
        assert engine.state(QuantumCircuit(n)) == pytest.approx(np.eye(2**n)[0])
        value, gradient = engine.value_and_grad(QuantumCircuit(n), SparsePauliOp(["I" * n], [0.7]))([])
        assert (value, gradient.shape) == (pytest.approx(0.7), (0,))


@pytest.mark.parametrize("n", [3, 5, 9])
def test_observables_of_every_kind(engine, n):
    """Diagonals, windows with and without imaginary parts, and strings too long for any window."""
    circuit = hardware_efficient(n, layers=2)
    theta = np.random.default_rng(1).normal(size=circuit.num_parameters)
    ends = [("X", [0]), ("Y", [n - 1]), ("XX", [0, 1]), ("YX", [1, 2]), ("YY", [0, n - 1]), ("Y", [0]), ("XZ", [0, 2])]
    kinds = {
        "diagonal": [("Z", [0]), ("ZZ", [0, n - 1])],
        "real": [("X", [q]) for q in range(n)],
        "complex": [("Y", [q]) for q in range(n)] + [("XY", [q, q + 1]) for q in range(n - 1)],
        "mixed": [("Z", [1]), *ends, ("X" * n, list(range(n))), ("", [])],
    }
    psi = Statevector(circuit.assign_parameters(theta))
    for strings in kinds.values():
        H = SparsePauliOp.from_sparse_list([(p, q, 0.3 + 0.1 * k) for k, (p, q) in enumerate(strings)], n)
        value, _ = engine.value_and_grad(circuit, H)(theta)
        assert value == pytest.approx(psi.expectation_value(H).real, abs=DOUBLE)


def test_a_row_does_not_depend_on_the_others(engine):
    circuit, H = hardware_efficient(6, layers=3), tfim(6)
    rows = np.random.default_rng(0).normal(size=(5, circuit.num_parameters))
    f = engine.value_and_grad(circuit, H)
    values, gradients = f(rows)
    for k, row in enumerate(rows):
        value, gradient = f(row)
        assert value == values[k]
        assert np.array_equal(gradient, gradients[k])


@SOME
@given(n=st.integers(2, 12), size=st.integers(0, 60), seed=st.integers(0, 10**6), k=st.integers(2, 5))
def test_fusing_keeps_every_factor_in_order(n, size, seed, k):
    factors = lower(free_circuit(n, size, seed))
    steps = fuse(factors, (1.0,) * (k + 1))
    order = [f for step in steps for f in step.factors]
    assert sorted(order) == list(range(len(factors)))
    support = factors.support.tolist()
    for q in range(n):
        on_q = [f for f in order if support[f] >> q & 1]
        gates_on_q = [factors.gate[f] for f in on_q]
        assert gates_on_q == sorted(gates_on_q)
    for step in steps:
        if isinstance(step, Block):
            assert len(bits(step.window)) <= k
            assert all(not support[f] & ~step.window for f in step.factors)


def test_layers_become_few_blocks():
    steps = fuse(lower(hardware_efficient(20, layers=4)), block_costs(20))
    assert len(steps) <= 13  # 236 gates
    assert all(isinstance(step, Block) for step in steps)
