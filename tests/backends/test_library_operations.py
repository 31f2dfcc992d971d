"""Operations of Qiskit's library that are no plain gates: the right value, or a refusal in words, on every backend."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import (
    DiagonalGate,
    HamiltonianGate,
    Isometry,
    LinearFunction,
    MCGupDiag,
    PauliEvolutionGate,
    PermutationGate,
    QFTGate,
    RVGate,
    StatePreparation,
    UCGate,
    WeightedSumGate,
    XGate,
)
from qiskit.quantum_info import Kraus, Operator, Pauli, SparsePauliOp, Statevector, random_clifford, random_unitary
from qiskit.synthesis import EvolutionSynthesis, LieTrotter, MatrixExponential, QDrift

import backends
from backends import Batch
from backends.instructions import has_matrix, is_standard, written_out
from circuits.errors import Refused

H = SparsePauliOp(["XIZ", "ZZI", "IIY", "IXI"], [1.0, 0.5, -0.3, 0.7])
FREE = Parameter("a")
LETTERS = SparsePauliOp(["X", "Z"], [0.4, 0.9])


def after_rotations(operation, n_qubits=3) -> QuantumCircuit:
    """Turned qubits, then the operation on the last ones, in reverse."""
    circuit = QuantumCircuit(n_qubits)
    for q in range(n_qubits):
        circuit.ry(0.4 + 0.7 * q, q)
    circuit.append(operation, list(reversed(range(n_qubits)))[: operation.num_qubits])
    circuit.rx(0.3, range(n_qubits))
    return circuit


@pytest.mark.parametrize(
    "operation",
    [
        random_clifford(3, seed=5),
        random_clifford(2, seed=5).to_instruction(),
        PermutationGate([2, 0, 1]),
        PermutationGate([1, 0]).control(1, annotated=True),
        LinearFunction([[1, 1, 0], [0, 1, 0], [1, 0, 1]]),
        StatePreparation([0.6, 0, 0, 0.8]),
        Isometry(np.eye(4)[:, :2], 0, 0),
        UCGate([random_unitary(2, seed=k).data for k in range(2)]),
        MCGupDiag(random_unitary(2, seed=3).data, 1, 0, 0),  # a multiplexer of which only a part is meant
        DiagonalGate([1, -1, 1j, 1]),
        QFTGate(3),
        Pauli("XYZ"),
        Operator(random_unitary(4, seed=1)),
        XGate().control(2, ctrl_state=1, annotated=True),
        HamiltonianGate(np.diag([0.3, 1.1]), 0.7),
        RVGate(0.1, -0.2, 0.3),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_values(noiseless, operation):
    circuit = after_rotations(operation)
    wanted = Statevector(circuit).expectation_value(H).real
    tolerance = 1e-9 if noiseless.capabilities().precision == "double" else 2e-5
    assert noiseless.submit(Batch(circuit, H)).result().values[0, 0] == pytest.approx(wanted, abs=tolerance)


def test_cliffords_and_permutations_on_devices(noisy):
    """No device here is so noisy that a fifth of the shots would flip."""
    swapped = QuantumCircuit(2)
    swapped.x(0)
    swapped.append(PermutationGate([1, 0]), [0, 1])
    assert noisy.submit(Batch(swapped, ["IZ", "ZI"], seed=1)).result().values[0] == pytest.approx([1, -1], abs=0.4)
    flipped = QuantumCircuit(2)
    flipped.append(random_clifford(2, seed=1), [0, 1])
    flipped.append(random_clifford(2, seed=1).adjoint(), [0, 1])
    assert noisy.submit(Batch(flipped, "ZZ", seed=1)).result().values[0, 0] == pytest.approx(1, abs=0.4)


@pytest.mark.parametrize(
    ("gate", "name"),
    [
        (RVGate(FREE, 0.1, 0.2), "rv"),
        (HamiltonianGate(np.diag([1.0, 2.0]), FREE), "hamiltonian"),
        (PauliEvolutionGate(LETTERS, FREE, synthesis=MatrixExponential()), "hamiltonian"),
        (PauliEvolutionGate(LETTERS, FREE, synthesis=QDrift(seed=1)), "QDrift"),
        (PauliEvolutionGate(LETTERS, 0.3, synthesis=QDrift(seed=1)), "QDrift"),
        (PauliEvolutionGate(SparsePauliOp(["X"]), 0.3, synthesis=QDrift(seed=1)), "QDrift"),
    ],
    ids=["rv", "hamiltonian", "exponential", "drift", "bound-drift", "commuting-drift"],
)
def test_gates_without_a_certain_definition_are_named(backend, gate, name):
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("b"), 0)
    circuit.append(gate, [0])
    theta = [0.3] * circuit.num_parameters
    with pytest.raises(Refused, match=name):
        backend.value_and_grad(circuit, SparsePauliOp("Z"))(theta)
    refusal = ""
    try:
        value = backend.prepare(circuit, "Z")(theta).values[0, 0]
    except Refused as err:
        value, refusal = None, str(err)
    if value is None:
        assert name in refusal
    else:  # a backend that reads gates only once their angles are numbers
        bound = circuit.assign_parameters(theta)
        assert value == pytest.approx(Statevector(bound).expectation_value(SparsePauliOp("Z")).real, abs=1e-9)


def test_a_gate_of_ones_own_whose_definition_fails(backend):
    class Broken(Gate):
        def _define(self):
            raise RuntimeError("not written yet")

    circuit = QuantumCircuit(1)
    circuit.append(Broken("broken", 1, []), [0])
    with pytest.raises(Refused, match="'broken' cannot be written in simpler gates: not written yet"):
        backend.submit(Batch(circuit, "Z"))


def test_what_needs_more_qubits_than_it_has_is_named(noiseless):
    """A weighted sum takes carry qubits that are not among its own."""
    with pytest.raises(Refused, match="'WeightedSum'"):
        noiseless.submit(Batch(after_rotations(WeightedSumGate(2), 4), "ZZZZ"))


def test_channels_have_no_expectation_value_here(backend):
    """A projection on a random outcome would give another value at each run."""
    circuit = QuantumCircuit(1)
    circuit.append(Kraus([[[1, 0], [0, 0]], [[0, 0], [0, 1]]]).to_instruction(), [0])
    with pytest.raises(Refused, match="'kraus'"):
        backend.submit(Batch(circuit, "Z"))


def test_an_evolution_with_a_synthesis_of_ones_own_means_what_that_makes(noiseless):
    class Doubled(EvolutionSynthesis):
        def synthesize(self, evolution):
            circuit = QuantumCircuit(evolution.num_qubits)
            circuit.rx(4 * evolution.time, 0)
            return circuit

    circuit = QuantumCircuit(1)
    circuit.append(PauliEvolutionGate(SparsePauliOp("X"), FREE, synthesis=Doubled()), [0])
    value, gradient = noiseless.value_and_grad(circuit, SparsePauliOp("Z"))([0.3])
    assert value == pytest.approx(np.cos(1.2), abs=2e-5)
    assert gradient == pytest.approx([-4 * np.sin(1.2)], abs=1e-4)


def test_large_cliffords_are_taken_apart():
    """A matrix of twelve qubits would hold 2^24 numbers."""
    operation = random_clifford(12, seed=2)
    assert not has_matrix(operation, 6)
    value = backends.get("lightning").submit(Batch(after_rotations(operation, 12), "Z" * 12)).result().values[0, 0]
    gates = Statevector(after_rotations(operation.to_circuit(), 12))
    assert value == pytest.approx(gates.expectation_value(SparsePauliOp("Z" * 12)).real, abs=1e-9)


def test_writing_out_keeps_what_is_no_gate():
    """Barriers, delays, identities, measurements and blocks stay where they were."""
    inside = QuantumCircuit(2, 1, global_phase=0.5, name="inside")
    inside.barrier()
    inside.append(PauliEvolutionGate(SparsePauliOp(["XI", "ZZ"]), 0.2, synthesis=LieTrotter(reps=2)), [0, 1])
    inside.measure(1, 0)
    circuit = QuantumCircuit(3, 2, global_phase=0.25)
    circuit.id(0)
    circuit.delay(10, 1)
    circuit.append(inside.to_instruction(), [2, 0], [1])
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.append(random_clifford(2, seed=3), [0, 1])
    plain = written_out(circuit, is_standard)
    names = [instruction.operation.name for instruction in plain.data]
    assert names == ["id", "delay", "barrier", "rx", "rzz", "rx", "rzz", "measure", "if_else"]
    assert plain.global_phase == pytest.approx(0.75)
    measured = next(instruction for instruction in plain.data if instruction.operation.name == "measure")
    assert (plain.find_bit(measured.qubits[0]).index, plain.find_bit(measured.clbits[0]).index) == (0, 1)
    block = plain.data[-1].operation.blocks[0]
    assert block.data
    assert all(instruction.is_standard_gate() for instruction in block.data)
