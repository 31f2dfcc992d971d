"""PennyLane's circuits and operators against PennyLane's own simulator and matrices."""

import numpy as np
import pennylane as qml
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector

from circuits import Refused, from_pennylane, to_pennylane
from circuits.interop.pennylane_gates import FIXED, TURNING, append, is_known

WORDS = {"PauliRot": ("XYZ",), "PCPhase": (3,)}
"""What some operations take beside their angles."""

OPERATIONS = [
    *FIXED, *TURNING, "Rot", "MultiRZ", "PauliRot", "IsingXY", "SingleExcitation", "SingleExcitationPlus",
    "SingleExcitationMinus", "DoubleExcitation", "DoubleExcitationPlus", "DoubleExcitationMinus", "OrbitalRotation",
    "FermionicSWAP", "PSWAP", "SISWAP", "CRot", "PCPhase",
]  # fmt: skip


def made(name, rng):
    """An operation on as many wires as it takes, with random angles."""
    kind = getattr(qml, name)
    wires = list(range(kind.num_wires or 3))[: 2 if name == "PCPhase" else None]
    return kind(*rng.uniform(0.2, 3.0, kind.num_params), *WORDS.get(name, ()), wires=wires)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_pennylanes_matrix(name):
    operation = made(name, np.random.default_rng(3))
    n = len(operation.wires)
    circuit = QuantumCircuit(n)
    append(circuit, operation, list(range(n))[::-1], [float(x) for x in operation.data])
    assert np.allclose(Operator(circuit).data, qml.matrix(operation, wire_order=operation.wires), atol=1e-12)


@pytest.mark.parametrize("name", ["RX", "U3", "CRY", "Rot", "PauliRot", "SingleExcitation", "DoubleExcitation"])
def test_an_operation_that_turns_keeps_its_angles_free(name):
    assert is_known(made(name, np.random.default_rng(3)), free=True)


def random_qnode(seed, n=4):
    """A QNode of two arguments with gates of every sort."""
    rng = np.random.default_rng(seed)
    pairs = [tuple(rng.permutation(n)[:2]) for _ in range(4)]
    device = qml.device("default.qubit", wires=n)

    @qml.qnode(device)
    def circuit(x, y):
        qml.BasisState(np.array([1, 0] * (n // 2)), wires=range(n))
        qml.StronglyEntanglingLayers(x, wires=range(n))
        for a, b in pairs:
            qml.IsingXY(2 * y + 0.1, wires=[a, b])
            qml.ctrl(qml.RX, control=int(a))(-y, wires=int(b))
        qml.DoubleExcitation(y, wires=range(n))
        qml.adjoint(qml.QFT)(wires=range(n - 1))
        return qml.expval(qml.X(0) @ qml.Z(n - 1) - 0.5 * qml.Y(1) + 0.25)

    return circuit, rng.uniform(0, 6, (1, n, 3)), float(rng.uniform(0, 3))


@pytest.mark.parametrize("seed", range(3))
def test_a_qnode_keeps_its_value_at_all_arguments(seed):
    qnode, x, y = random_qnode(seed)
    circuit, observable = from_pennylane(qnode, x, y)
    assert circuit.num_parameters == x.size + 1
    rng = np.random.default_rng(seed)
    for _ in range(2):
        x, y = rng.uniform(0, 6, x.shape), float(rng.uniform(0, 3))
        bound = circuit.assign_parameters([*x.ravel(), y])
        assert Statevector(bound).expectation_value(observable).real == pytest.approx(float(qnode(x, y)), abs=1e-10)


@pytest.mark.parametrize("seed", range(2))
def test_a_circuit_that_went_and_came_back_is_the_same(seed):
    qnode, x, y = random_qnode(seed)
    circuit, observable = from_pennylane(qnode, x, y)
    function, operator = to_pennylane(circuit, observable)
    theta = np.array([*x.ravel(), y])
    again = qml.QNode(lambda t: (function(t), qml.expval(operator))[1], qml.device("default.qubit", wires=4))
    assert float(again(theta)) == pytest.approx(float(qnode(x, y)), abs=1e-10)


def test_a_circuit_of_qiskits_has_its_matrix_in_pennylane():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(3, global_phase=0.3)
    circuit.h(0)
    circuit.cu(a, 0.2, b, 0.4, 0, 2)
    words = SparsePauliOp(["XZI", "YYI", "III"], [0.5, -1.0, 0.2])
    circuit.append(PauliEvolutionGate(words, time=2 * a - b), [2, 0, 1])
    circuit.rccx(0, 1, 2)
    theta = [0.7, -0.4]
    function, _ = to_pennylane(circuit)
    matrix = qml.matrix(function, wire_order=[2, 1, 0])(theta)
    assert np.allclose(matrix, Operator(circuit.assign_parameters(theta)).data, atol=1e-10)


def test_wires_with_names_become_qubits_in_the_order_of_the_device():
    device = qml.device("default.qubit", wires=["b", "a"])
    qnode = qml.QNode(lambda t: (qml.RX(t, "a"), qml.expval(qml.Z("a")))[1], device)
    _, observable = from_pennylane(qnode, 0.3)
    assert observable == SparsePauliOp("ZI")


def test_a_tape_keeps_its_trainable_numbers_free():
    tape = qml.tape.QuantumScript(
        [qml.RX(0.1, 0), qml.RY(0.2, 1)], [qml.expval(qml.Z(0) @ qml.Z(1))], trainable_params=[1]
    )
    circuit, observable = from_pennylane(tape)
    assert circuit.num_parameters == 1
    assert Statevector(circuit.assign_parameters([0.5])).expectation_value(observable).real == pytest.approx(
        np.cos(0.1) * np.cos(0.5)
    )


def test_a_molecule_gives_its_hamiltonian_and_hartree_fock_state():
    molecule = qml.qchem.Molecule(["H", "H"], np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.4]]))
    circuit, hamiltonian = from_pennylane(molecule)
    assert np.linalg.eigvalsh(hamiltonian.to_matrix())[0] == pytest.approx(-1.137276, abs=1e-5)  # FCI, STO-3G
    assert Statevector(circuit).expectation_value(hamiltonian).real == pytest.approx(-1.116714, abs=1e-5)  # RHF


def test_a_hermitian_matrix_becomes_pauli_words():
    matrix = np.array([[1.0, 2j], [-2j, 0.0]])
    _, observable = from_pennylane(qml.Hermitian(matrix, wires=0))
    assert np.allclose(observable.to_matrix(), matrix)


def refused():
    """What cannot be a circuit, with the words that say so."""
    noisy, plain = qml.device("default.mixed", wires=1), qml.device("default.qubit", wires=2)

    def measured(t):
        outcome = qml.measure(0)
        qml.cond(outcome, qml.RX)(t, 1)
        return qml.expval(qml.Z(1))

    return {
        "not a linear function": (qml.QNode(lambda t: (qml.RX(t**2, 0), qml.expval(qml.Z(0)))[1], plain), 0.3),
        "DepolarizingChannel is noise": (
            qml.QNode(lambda t: (qml.RX(t, 0), qml.DepolarizingChannel(0.1, 0), qml.expval(qml.Z(0)))[2], noisy),
            0.3,
        ),
        "has 2 expectation values": (
            qml.QNode(lambda t: (qml.RX(t, 0), (qml.expval(qml.Z(0)), qml.expval(qml.X(0))))[1], plain),
            0.3,
        ),
        "defer_measurements": (qml.QNode(measured, plain), 0.3),
        "structure depends": (
            qml.QNode(lambda t: (qml.RX(t, 0) if t > 0 else None, qml.expval(qml.Z(0)))[1], plain),
            0.3,
        ),
        "not PennyLane's": ("a string",),
        "arguments are for a QNode": (qml.Z(0), 0.3),
    }


@pytest.mark.parametrize("words", list(refused()))
def test_what_is_no_circuit_is_refused_by_name(words):
    thing, *arguments = refused()[words]
    with pytest.raises(Refused, match=words):
        from_pennylane(thing, *arguments)
