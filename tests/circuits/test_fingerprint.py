"""What means the same has the same fingerprint, in another process and after QPY; what means something else has not."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Delay,
    Gate,
    Instruction,
    InverseModifier,
    Operation,
    Parameter,
    ParameterVector,
    PowerModifier,
)
from qiskit.circuit import library as gates
from qiskit.circuit.classical import expr, types
from qiskit.quantum_info import Operator, SparseObservable, SparsePauliOp, random_clifford, random_unitary
from qiskit.synthesis import LieTrotter, MatrixExponential, QDrift, SuzukiTrotter

from circuits import (
    Refused,
    hamiltonian_variational,
    hardware_efficient,
    heisenberg,
    load_circuit,
    maxcut,
    qaoa,
    save_circuit,
    uccsd,
)
from circuits.fingerprint import difference, fingerprint

a, b = Parameter("a"), Parameter("b")
v = ParameterVector("v", 12)
CROSSED = SparsePauliOp(["XX", "ZI", "IY", "ZZ"], [0.3, 0.5, 0.7, 0.2])
COMMUTING = SparsePauliOp(["XX", "ZZ"], [0.3, 0.5])


def on(operation):
    circuit = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    circuit.append(operation, range(operation.num_qubits), range(operation.num_clbits))
    return circuit


def evolution(synthesis=None, operator=CROSSED, angle=a):
    return on(gates.PauliEvolutionGate(operator, angle, synthesis=synthesis))


def composite(angle=0.3, name="mine"):
    circuit = QuantumCircuit(2, name=name, global_phase=0.1)
    circuit.rx(angle, 0)
    circuit.cx(0, 1)
    return circuit.to_gate()


def nested(angle=0.3):
    circuit = QuantumCircuit(3)
    circuit.append(composite(angle), [2, 0])
    circuit.append(composite(angle).inverse(), [0, 1])
    return on(circuit.to_gate())


def standard_gates():
    for name, kind in vars(gates).items():
        if getattr(kind, "_standard_gate", None) is not None and isinstance(kind, type):
            n = kind._standard_gate.num_params
            yield name, on(kind(*np.linspace(0.1, 0.7, n)))
            if n:
                yield f"{name} with expressions", on(kind(*(2 * v[k] + 0.3 for k in range(n))))
            if kind._standard_gate.num_qubits:
                yield (
                    f"controlled {name}",
                    on(kind(*np.linspace(0.1, 0.7, n)).control(2, ctrl_state=1, annotated=False)),
                )
                yield f"{name}, annotated", on(kind(*np.linspace(0.1, 0.7, n)).control(2, annotated=True))


def library_gates():
    unitary = random_unitary(4, seed=1)
    for gate in (
        gates.MCXGate(5),
        gates.MCXGate(4, ctrl_state=5),
        gates.MCXVChain(4, dirty_ancillas=True),
        gates.C4XGate(),
        gates.MCPhaseGate(a, 3),
        gates.DiagonalGate([1, -1, 1j, 1]),
        gates.HamiltonianGate(np.diag([1.0, 2.0]), 0.3),
        gates.Initialize([0.6, 0.8]),
        gates.Initialize(5, 4),
        gates.StatePreparation("r1+"),
        gates.StatePreparation([0.6, 0.8j]).inverse(),
        gates.LinearFunction([[1, 1], [0, 1]]),
        gates.PauliGate("XYZ"),
        gates.PermutationGate([2, 0, 1]),
        gates.UnitaryGate(unitary),
        gates.UnitaryGate(unitary).control(1),
        gates.QFTGate(4),
        gates.AndGate(3, [1, -1, 1]),
        gates.FullAdderGate(2),
        gates.IntegerComparatorGate(3, 4),
        gates.MCMTGate(gates.RZGate(0.2), 2, 2),
        gates.UCRXGate([0.1, 0.2]),
        gates.UCGate([np.eye(2), np.array([[0, 1], [1, 0]])]),
        gates.PhaseOracleGate("x0 & x1"),
        random_clifford(3, seed=1),
        gates.Measure(),
        gates.Reset(),
        gates.Barrier(3),
        gates.GlobalPhaseGate(a),
        Delay(100),
    ):
        yield f"{gate.name} on {gate.num_qubits} qubits", on(gate)


def evolutions():
    yield "Lie", evolution()
    yield "Lie, three steps", evolution(LieTrotter(reps=3))
    yield "Suzuki", evolution(SuzukiTrotter())
    yield "Suzuki of order 4", evolution(SuzukiTrotter(order=4, reps=2, preserve_order=False))
    yield "wrapped", evolution(LieTrotter(wrap=True, cx_structure="fountain", insert_barriers=True))
    yield "drift", evolution(QDrift(seed=1), angle=0.1)
    yield "order that does not matter", evolution(LieTrotter(preserve_order=False), COMMUTING)
    yield "matrix of commuting strings", evolution(MatrixExponential(), COMMUTING)
    yield "groups", evolution(operator=[COMMUTING, SparsePauliOp(["ZI"])], angle=a * b)
    yield "projectors", evolution(operator=SparseObservable.from_list([("X0", 1.0), ("+Z", 0.3)]))
    yield "controlled", on(gates.PauliEvolutionGate(CROSSED, a).control(2))
    yield (
        "long",
        evolution(operator=SparsePauliOp.from_sparse_list([("XY", [k, k + 1], 0.1) for k in range(299)], 300)),
    )


def circuits_of_all_kinds():
    yield "composed of composed", nested()
    yield "composed, with parameters", nested(2 * a - b)
    yield "controlled", on(composite().control(2, ctrl_state=2))
    yield "power", on(composite().power(3))
    yield (
        "annotated",
        on(AnnotatedOperation(gates.SGate(), [InverseModifier(), ControlModifier(2, 1), PowerModifier(0.5)])),
    )
    yield "annotated, with a parameter", on(AnnotatedOperation(gates.RXGate(2 * a), [ControlModifier(1)]))
    yield "opaque", on(Gate("black box", 2, [0.1, a]))
    yield "opaque instruction", on(Instruction("box", 2, 1, []))
    circuit = QuantumCircuit(1, global_phase=a - b)
    for angle in (
        a + b,
        a**2,
        a.sin() * b.cos(),
        (a - b).exp() / 3,
        abs(a),
        -a,
        1 - a,
        2 / a,
        v[3] * v[11] + v[2],
        a - a,
    ):
        circuit.rz(angle, 0)
    yield "expressions", circuit
    yield "classical parts", with_classical_parts()
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.measure_all()
    yield "all measured", circuit


def with_classical_parts(value=2):
    circuit = QuantumCircuit(QuantumRegister(3), one := ClassicalRegister(2), two := ClassicalRegister(2))
    circuit.measure([0, 1], [1, 3])
    with circuit.if_test((one, value)):
        circuit.x(0)
    with circuit.if_test((two[0], 1)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.rx(a, 2)
    with circuit.if_test(expr.logic_and(expr.lift(one[0]), expr.less(expr.lift(two), 3))):
        circuit.y(2)
    with circuit.while_loop((one[0], 1)):
        circuit.measure(0, 0)
    with circuit.for_loop(range(3), Parameter("k")) as k:
        circuit.rz(k, 1)
    with circuit.switch(one) as case:
        with case(0, 1):
            circuit.z(0)
        with case(case.DEFAULT):
            circuit.h(1)
    x = circuit.add_input("x", types.Uint(8))
    y = circuit.add_var("y", expr.lift(5, types.Uint(8)))
    circuit.store(y, expr.bit_xor(x, y))
    return circuit


def honest():
    yield from standard_gates()
    yield from library_gates()
    yield from evolutions()
    yield from circuits_of_all_kinds()
    yield "hardware efficient", hardware_efficient(3)
    yield "qaoa", qaoa(maxcut([(0, 1), (1, 2), (0, 2)]), layers=2)
    yield "hamiltonian variational", hamiltonian_variational(heisenberg(4, coupling=(1, 2, 3)), layers=2)


def test_honest_circuits_are_kept(tmp_path):
    """All families and gates of Qiskit, those too that QPY itself loses: they are written as what they consist of."""
    for name, circuit in honest():
        save_circuit(circuit, tmp_path / "circuit.qpy")
        read = load_circuit(tmp_path / "circuit.qpy")
        assert fingerprint(read) == fingerprint(circuit), name
        assert list(map(str, read.parameters)) == list(map(str, circuit.parameters)), name
        if may_be_multiplied(circuit):
            # what QPY keeps, it keeps to the last bit; definitions may be multiplied in another order
            assert np.allclose(Operator(read).data, Operator(circuit).data, atol=1e-9), name


def may_be_multiplied(circuit):
    """Not so evolutions, whose matrix is exact while their definition is not."""
    if circuit.num_parameters or circuit.num_clbits or circuit.num_qubits > 8:
        return False
    strange = {"black box", "PauliEvolution", "initialize", "reset", "measure", "delay", "box"}
    return not strange & {item.name for item in circuit.data}


def test_uccsd_is_kept(lih, tmp_path):
    save_circuit(uccsd(lih), tmp_path / "circuit.qpy")
    assert fingerprint(load_circuit(tmp_path / "circuit.qpy")) == fingerprint(uccsd(lih))


def different():
    """Circuits and operators of which no two mean the same."""
    yield from (evolution(LieTrotter(reps=reps)) for reps in (1, 2, 3))
    yield evolution(LieTrotter(reps=2, preserve_order=False))
    yield from (evolution(SuzukiTrotter(order=order)) for order in (2, 4))
    yield evolution(MatrixExponential())
    yield from (evolution(QDrift(seed=seed), angle=0.1) for seed in (1, 2))
    yield evolution(operator=CROSSED[::-1])
    yield evolution(angle=2 * a)
    yield evolution(angle=(2 + 1e-15) * a)
    yield on(gates.CXGate())
    yield on(gates.CXGate(ctrl_state=0))
    yield from (on(random_clifford(2, seed=seed)) for seed in (1, 2))
    yield from (on(gates.PermutationGate(pattern)) for pattern in ([1, 0, 2], [2, 1, 0]))
    yield from (on(gates.UnitaryGate(np.diag([1, np.exp(1j * x)]))) for x in (0.2, 0.2 + 1e-15))
    yield from (on(gates.StatePreparation([0.6, 0.8j])), on(gates.StatePreparation([0.6, 0.8j]).inverse()))
    yield from (nested(x) for x in (0.3, 0.4))
    yield on(composite().control(1, ctrl_state=0))
    yield on(composite().control(1))
    yield from (on(Gate("black box", 1, [x])) for x in (0.1, 0.2))
    yield on(Gate("white box", 1, [0.1]))
    yield from (on(AnnotatedOperation(gates.SXGate(), [x])) for x in (InverseModifier(), PowerModifier(0.5)))
    yield from (on(AnnotatedOperation(gates.XGate(), [ControlModifier(2, state)])) for state in (1, 2))
    yield from (on(Delay(100, unit)) for unit in ("dt", "ns"))
    yield from (with_classical_parts(value) for value in (1, 2))
    for flipped in (False, True):
        circuit = QuantumCircuit(2, 2)
        circuit.measure([0, 1], [1, 0] if flipped else [0, 1])
        yield circuit
    for names in ("ab", "ba"):  # another order of parameters
        circuit = QuantumCircuit(2)
        circuit.rx(Parameter(names[0]), 0)
        circuit.rx(Parameter(names[1]), 1)
        yield circuit
    for phase in (0.0, 0.1, a):
        circuit = QuantumCircuit(1, global_phase=phase)
        circuit.h(0)
        yield circuit
    yield QuantumCircuit(1, 1)
    yield QuantumCircuit(1, 2)
    yield QuantumCircuit(QuantumRegister(1), ClassicalRegister(1), ClassicalRegister(1))
    yield SparsePauliOp(["X", "Z"], [1.0, 2.0])
    yield SparsePauliOp(["X", "Z"], [1.0, np.nextafter(2.0, 3.0)])
    yield SparsePauliOp(["X", "Z"], [2.0, 1.0])
    yield SparsePauliOp(["X", "Z", "I"], [1.0, 2.0, 0.0])
    yield SparsePauliOp(["XI", "ZI"], [1.0, 2.0])
    yield SparsePauliOp(["X", "Z"], [1.0, 2.0 + 1e-16j])


def test_what_means_something_else_differs():
    prints = [fingerprint(subject) for subject in different()]
    assert len(set(prints)) == len(prints)


def test_names_and_labels_mean_nothing():
    renamed = QuantumCircuit(QuantumRegister(2, "system"), name="other", metadata={"theta": [1]})
    renamed.append(composite(name="also mine"), [0, 1])
    renamed.append(gates.RXGate(0.1, label="turn"), [0])
    plain = QuantumCircuit(2)
    plain.append(composite(), [0, 1])
    plain.rx(0.1, 0)
    assert fingerprint(renamed) == fingerprint(plain)
    assert difference(renamed, plain) is None
    order = SparsePauliOp(["XX", "ZI", "IY"], [1.0, -2.0, 0.1])
    assert fingerprint(order) == fingerprint(order[::-1]) == fingerprint(-1 * (-1 * order))


def test_another_process_says_the_same():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_fingerprint as t; "
        "print(*map(t.fingerprint, [*t.different(), *(circuit for _, circuit in t.circuits_of_all_kinds())]))"
    )
    there = subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent)], capture_output=True, text=True)
    here = [*different(), *(circuit for _, circuit in circuits_of_all_kinds())]
    assert there.stdout.split() == [fingerprint(subject) for subject in here]


class RXGate(Gate):  # of the same name as Qiskit's, which QPY takes it for
    def __init__(self, angle):
        super().__init__("rx", 1, [angle])

    def _define(self):
        self.definition = QuantumCircuit(1)
        self.definition.ry(self.params[0], 0)


class OnlyMatrix(Gate):
    def __init__(self):
        super().__init__("only matrix", 1, [])

    def __array__(self, dtype=None, copy=None):
        return np.array([[0, 1j], [1, 0]], dtype=dtype)


class Strange(Operation):
    name, num_qubits, num_clbits = "strange", 1, 0


class Backwards(LieTrotter):
    def expand(self, evolution):
        return super().expand(evolution)[::-1]


def with_metadata(metadata):
    circuit = QuantumCircuit(1, metadata=metadata)
    circuit.rx(a, 0)
    return circuit


@pytest.mark.parametrize(
    ("circuit", "words"),
    [
        (evolution(LieTrotter(reps=2, preserve_order=False)), "instruction 0, 'PauliEvolution', would be another"),
        (evolution(MatrixExponential()), "instruction 0, 'PauliEvolution'.*circuit.decompose"),
        (on(OnlyMatrix()), "instruction 0, 'only matrix'"),
        (on(Strange()), "instruction 0, 'strange'"),
        (on(Delay(100, "ns")), "instruction 0, 'delay', .*no unit of time but dt"),
        (on(Gate("complex", 1, [(1 + 2j) * a])), "instruction 0, 'complex'"),  # QPY swaps 1 + 2i for 2 + i
        (with_metadata({1: 2}), "metadata under 1"),
        (with_metadata({"theta": np.zeros(3)}), "QPY fails on it: .*ndarray"),
    ],
)
def test_a_file_that_would_be_another_circuit_is_not_written(circuit, words, tmp_path):
    with pytest.raises(Refused, match=words):
        save_circuit(circuit, tmp_path / "circuit.qpy")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("circuit", [on(RXGate(0.3)), evolution(Backwards(), angle=0.4)])
def test_classes_of_users_are_written_as_what_they_consist_of(circuit, tmp_path):
    save_circuit(circuit, tmp_path / "circuit.qpy")
    read = load_circuit(tmp_path / "circuit.qpy")
    assert fingerprint(read) == fingerprint(circuit)
    assert np.allclose(Operator(read.decompose()).data, Operator(circuit.decompose()).data, atol=1e-12)


def test_what_does_not_say_what_it_does_has_no_fingerprint():
    with pytest.raises(Refused, match=r"instruction 0, 'strange': an object of class .*Strange"):
        fingerprint(on(Strange()))


def test_metadata_survive(tmp_path):
    circuit = with_metadata({"ansatz": "mine", "theta": (0.1, np.float64(0.2)), "nested": {"x": [None, True]}})
    save_circuit(circuit, tmp_path / "circuit.qpy")
    read = load_circuit(tmp_path / "circuit.qpy").metadata
    assert read == {"ansatz": "mine", "theta": [0.1, 0.2], "nested": {"x": [None, True]}}


def test_large_circuits_are_written_at_once(tmp_path):
    circuit = hardware_efficient(100, layers=34)
    assert circuit.size() > 10_000
    start = time.process_time()
    save_circuit(circuit, tmp_path / "circuit.qpy")
    assert time.process_time() - start < 5  # half a second on an idle machine
