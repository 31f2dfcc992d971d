"""Counts of circuits that measure: which qubits, into which bits, and what happens before, between and after."""

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter
from qiskit.circuit.library import RYGate
from qiskit.quantum_info import random_clifford
from qiskit_aer import AerSimulator

import backends
from backends import Batch
from backends.measurement.outcomes import Outcomes, from_counts
from backends.measurement.sampled import sampling
from circuits import load_circuit
from circuits.errors import Refused

ENDS_ONLY = ["statevector", "reference", "lightning"]


def most_frequent(counts: dict[str, int]) -> str:
    return max(counts, key=counts.__getitem__)


def one_of_two():
    circuit = QuantumCircuit(2, 1)
    circuit.x(1)
    circuit.measure(1, 0)
    return circuit, "1"


def exchanged():
    circuit = QuantumCircuit(3, 3)
    circuit.x(0)
    circuit.measure([0, 1, 2], [2, 0, 1])
    return circuit, "100"


def into_a_wide_register():
    circuit = QuantumCircuit(1, 4)
    circuit.x(0)
    circuit.measure(0, 2)
    return circuit, "0100"


def two_registers():
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "low"), ClassicalRegister(1, "high"))
    circuit.x([1, 2])
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit, "1 10"


def a_register_more():
    circuit = QuantumCircuit(2, 2)
    circuit.x(1)
    circuit.measure_all()
    return circuit, "10 00"


def bits_without_a_register():
    circuit = QuantumCircuit(QuantumRegister(2))
    circuit.add_bits([Clbit()])
    circuit.add_register(ClassicalRegister(2, "a"))
    circuit.x(0)
    circuit.measure([1, 0, 0], [0, 1, 2])
    return circuit, "110"


def twice_the_same():
    circuit = QuantumCircuit(1, 2)
    circuit.x(0)
    circuit.measure([0, 0], [0, 1])
    return circuit, "11"


def overwritten():
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.measure([0, 1], [0, 0])
    return circuit, "0"


def reset_at_the_start():
    circuit = QuantumCircuit(2, 2)
    circuit.reset([0, 1])
    circuit.barrier()
    circuit.reset(0)
    circuit.x(1)
    circuit.measure([0, 1], [0, 1])
    return circuit, "10"


def initialized():
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.initialize([0, 1], 1)
    return circuit, "11"


def reset_at_the_end():
    circuit = QuantumCircuit(2, 2)
    circuit.x([0, 1])
    circuit.measure([0, 1], [0, 1])
    circuit.reset([0, 1])
    return circuit, "11"


def reset_and_then_measured():
    circuit = QuantumCircuit(2)
    circuit.x([0, 1])
    circuit.reset(0)
    return circuit, "10"


def measured_inside_an_instruction():
    inside = QuantumCircuit(2, 1)
    inside.x(1)
    inside.measure(1, 0)
    circuit = QuantumCircuit(3, 2)
    circuit.append(inside.to_instruction(), [0, 2], [1])
    return circuit, "10"


MEASURED = [
    one_of_two,
    exchanged,
    into_a_wide_register,
    two_registers,
    a_register_more,
    bits_without_a_register,
    twice_the_same,
    overwritten,
    reset_at_the_start,
    initialized,
    reset_at_the_end,
    reset_and_then_measured,
    measured_inside_an_instruction,
]


@pytest.mark.parametrize("make", MEASURED)
def test_bits_are_where_they_were_put(backend, make):
    circuit, wanted = make()
    counts = backend.sample(circuit, shots=100, seed=1)
    assert sum(counts.values()) == 100
    if backend.capabilities().noise:
        assert most_frequent(counts) == wanted
    else:
        assert counts == {wanted: 100}


@pytest.mark.parametrize("make", [one_of_two, exchanged, two_registers, a_register_more, twice_the_same, overwritten])
def test_the_format_is_qiskits(make):
    circuit, wanted = make()
    assert AerSimulator().run(circuit, shots=5).result().get_counts() == {wanted: 5}


def test_probabilities_of_a_part(backend):
    """One qubit of a Bell pair and an idle one: both values alike, and equal strings counted together."""
    circuit = QuantumCircuit(3, 2)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.measure([2, 1], [0, 1])
    counts = backend.sample(circuit, [np.pi / 3], shots=4000, seed=2)
    ones = sum(count for bits, count in counts.items() if bits[0] == "1") / 4000
    assert ones == pytest.approx(0.25, abs=0.1 if backend.capabilities().noise else 5 * np.sqrt(0.25 * 0.75 / 4000))


def test_measuring_every_qubit_changes_nothing(backend):
    """A circuit that measures qubit q into bit q gives the counts of the one without measurements."""
    circuit = QuantumCircuit(3)
    circuit.append(random_clifford(3, seed=8).to_instruction(), range(3))
    measured = QuantumCircuit(3, 3)
    measured.compose(circuit, inplace=True)
    measured.measure(range(3), range(3))
    assert backend.sample(measured, shots=500, seed=4) == backend.sample(circuit, shots=500, seed=4)


def again_after_a_flip():
    """The first bit is a fair coin, the second its contrary."""
    circuit = QuantumCircuit(1, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    return circuit, {"01", "10"}


def used_again():
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.reset(0)
    circuit.x(0)
    circuit.measure(0, 0)
    return circuit, {"1"}


def corrected():
    """Teleportation of |1>: the state arrives whatever is measured on the way."""
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "m"), ClassicalRegister(1, "out"))
    circuit.x(0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(2)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.z(2)
    circuit.measure(2, 2)
    return circuit, {"1 00", "1 01", "1 10", "1 11"}


def repeated():
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(3)):
        circuit.append(random_clifford(1, seed=0), [0])
        circuit.append(random_clifford(1, seed=0).adjoint(), [0])
        circuit.x(0)
    return circuit, {"1"}


ON_THE_WAY = [again_after_a_flip, used_again, corrected, repeated]


@pytest.mark.parametrize("method", ["automatic", "matrix_product_state", "stabilizer", "density_matrix"])
@pytest.mark.parametrize("make", ON_THE_WAY)
def test_measured_on_the_way(method, make):
    circuit, wanted = make()
    assert set(backends.get("aer", method=method).sample(circuit, shots=200, seed=1)) == wanted


@pytest.mark.parametrize("make", ON_THE_WAY)
def test_measured_on_the_way_on_devices(noisy, make):
    circuit, wanted = make()
    if make in (corrected, repeated) and noisy.capabilities().name.startswith("generic"):
        with pytest.raises(Refused, match="control-flow construct"):
            noisy.sample(circuit)
        return
    counts = noisy.sample(circuit, shots=1000, seed=1)
    assert sum(count for bits, count in counts.items() if bits in wanted) > 800


@pytest.mark.parametrize("make", ON_THE_WAY)
@pytest.mark.parametrize("name", ENDS_ONLY)
def test_what_can_only_measure_at_the_end_says_who_can_do_more(name, make):
    circuit, _ = make()
    with pytest.raises(Refused, match="measures at the end only; the backend 'aer' samples such circuits") as refusal:
        backends.get(name).sample(circuit, shots=10)
    assert "expectation" not in str(refusal.value)


def test_the_reason_names_the_qubit():
    for circuit, words in (
        (again_after_a_flip()[0], "measures qubit 0 and goes on with it"),
        (used_again()[0], "resets qubit 0 and goes on with it"),
        (repeated()[0], "'for_loop', which decides"),
    ):
        assert words in sampling(circuit, (), shots=1).middle


def test_a_reset_at_the_start_changes_no_expectation_value(backend):
    circuit = QuantumCircuit(2)
    circuit.reset([0, 1])
    circuit.initialize([0, 1], 1)
    circuit.ry(Parameter("a"), 0)
    values = backend.submit(Batch(circuit, ["IZ", "ZI"], [0.4], seed=1)).result().values[0]
    assert values == pytest.approx([np.cos(0.4), -1], abs=0.2 if backend.capabilities().noise else 1e-6)
    with pytest.raises(Refused, match="reset"):
        backend.prepare(used_again()[0].remove_final_measurements(inplace=False), "Z")


def test_a_measured_circuit_has_no_expectation_value(backend):
    for make in (one_of_two, again_after_a_flip, corrected):
        circuit, _ = make()
        with pytest.raises(Refused, match="leave them out") as refusal:
            backend.prepare(circuit, "Z" * circuit.num_qubits)
        assert "sample()" not in str(refusal.value)
        assert "remove_final_measurements" not in str(refusal.value)


def test_openqasm_files_that_reset_first(tmp_path):
    file = tmp_path / "bell.qasm"
    file.write_text(
        'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[1] c;\nreset q;\nh q[0];\ncx q[0], q[1];\n'
        "c[0] = measure q[1];\n"
    )
    counts = backends.get("statevector").sample(load_circuit(file), shots=1000, seed=3)
    assert set(counts) == {"0", "1"}
    assert counts["0"] == pytest.approx(500, abs=5 * np.sqrt(250))


def test_gates_stay_what_they_were():
    """Taking the measurements off leaves gates, their order and the parameters."""
    circuit = QuantumCircuit(2, 1, global_phase=0.3)
    circuit.append(RYGate(Parameter("a")), [1])
    circuit.barrier()
    circuit.cx(1, 0)
    circuit.measure(0, 0)
    circuit.barrier()
    circuit.h(1)
    request = sampling(circuit, [0.2], shots=1)
    assert [instruction.operation.name for instruction in request.circuit.data] == ["ry", "barrier", "cx", "h"]
    assert list(request.circuit.parameters) == list(circuit.parameters)
    assert (request.read, request.registers, request.qubits) == ((0,), (1,), (0,))


def test_counts_are_written_by_registers():
    outcomes = Outcomes(np.array([[1, 0, 0], [0, 1, 1]], dtype=np.uint8), np.array([3, 4]))
    assert outcomes.to_counts() == {"001": 3, "110": 4}
    assert outcomes.to_counts((1, 2)) == {"00 1": 3, "11 0": 4}
    assert from_counts({"00 1": 3, "11 0": 4}).bits.tolist() == [[1, 0, 0], [0, 1, 1]]


def test_only_one_row_is_sampled(backend):
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    with pytest.raises(Refused, match="one row of parameters, not 2"):
        backend.sample(circuit, [[0.1], [0.2]], shots=10)
