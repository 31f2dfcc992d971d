"""Circuits as Pauli rotations seen through their Clifford gates: the same states, values and gradients as Qiskit's."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Clifford, Operator, SparsePauliOp, Statevector, random_pauli_list
from qiskit.quantum_info import Pauli as QiskitPauli

from backends.statevector import native
from backends.statevector.circuit.lower import lower
from backends.statevector.native.clifford import Frame, Pauli
from backends.statevector.native.program import NativeProgram
from backends.statevector.native.rotations import Absorb, gates, rotations

CLIFFORDS = ("h", "s", "sdg", "x", "y", "z", "sx", "cx", "cy", "cz", "swap", "iswap")
OTHERS = ("t", "tdg", "ccx", "ch")
TURNING = ("rx", "ry", "rz", "p", "rxx", "ryy", "rzz", "rzx", "crx", "cry", "crz", "cp")
WIDTH = {"ccx": 3} | dict.fromkeys(("cx", "cy", "cz", "swap", "iswap", "ch", *TURNING[4:]), 2)

needs_kernels = pytest.mark.skipif(not native.available(), reason=native.why_not() or "")


def random_circuit(n, n_gates, seed, names=CLIFFORDS + OTHERS + TURNING):
    rng = np.random.default_rng(seed)
    chosen = [str(name) for name in rng.choice(names, size=n_gates) if WIDTH.get(str(name), 1) <= n]
    angles = iter(ParameterVector("a", sum(name in TURNING for name in chosen)))
    circuit = QuantumCircuit(n)
    for name in chosen:
        qubits = rng.choice(n, size=WIDTH.get(name, 1), replace=False).tolist()
        angle = []
        if name in TURNING:
            angle = [next(angles) * rng.normal() if rng.random() < 0.7 else rng.choice([np.pi / 2, np.pi, 0.3])]
        getattr(circuit, name)(*angle, *qubits)
    return circuit


def expected(circuit, row, observable):
    return Statevector(circuit.assign_parameters(row)).expectation_value(observable).real


@pytest.mark.parametrize("seed", range(20))
def test_strings_are_seen_through_clifford_circuits_as_qiskit_sees_them(seed):
    n = 2 + seed % 4
    circuit = random_circuit(n, 25, seed, CLIFFORDS)
    every = rotations(gates(lower(circuit)), n, Absorb.ALL)
    assert len(every.x) == 0
    for string in random_pauli_list(n, 5, seed=seed, phase=False):
        seen = every.frame.seen(Pauli.string(*(int(np.sum(bits << np.arange(n))) for bits in (string.x, string.z))))
        found = SparsePauliOp(
            QiskitPauli(
                (
                    np.array([seen.z >> q & 1 for q in range(n)], bool),
                    np.array([seen.x >> q & 1 for q in range(n)], bool),
                )
            ),
            [seen.sign],
        )
        wanted = SparsePauliOp(string.evolve(Clifford(circuit), frame="h"))  # C+ P C
        assert Operator(found) == Operator(wanted)


def test_turns_add_up():
    one, two = Frame(), Frame()
    for _ in range(3):
        one.turn(Pauli.string(0b11, 0b01))
    two.turn(Pauli.string(0b11, 0b01), 3)
    for string in (Pauli.string(1, 2), Pauli.string(2, 1), Pauli.string(0, 3)):
        assert one.seen(string) == two.seen(string)


@needs_kernels
@pytest.mark.parametrize("absorb", Absorb)
@pytest.mark.parametrize("seed", range(12))
def test_values_and_slopes_whatever_is_absorbed(seed, absorb):
    n = 1 + seed % 6
    circuit = random_circuit(n, 30, seed)
    labels = [str(label) for label in random_pauli_list(n, 5, seed=seed, phase=False).to_labels()]
    observable = SparsePauliOp(labels, np.random.default_rng(seed).normal(size=5))
    row = np.random.default_rng(seed + 1).normal(size=circuit.num_parameters)
    factors = lower(circuit)
    program = NativeProgram(factors, np.dtype(float))
    kernel = program._planned(rotations(gates(factors), n, absorb), (observable,))
    values, slopes = kernel.energies_and_slopes(factors.angles.values(row[None]))
    assert values[0, 0] == pytest.approx(expected(circuit, row, observable), abs=1e-12)
    assert kernel.energies(factors.angles.values(row[None]))[0, 0] == pytest.approx(values[0, 0], abs=1e-13)
    gradient = factors.angles.pulled(row[None], slopes[:, 0])[0]
    for k, unit in enumerate(1e-5 * np.eye(len(row))):
        up, down = (expected(circuit, row + sign * unit, observable) for sign in (1, -1))
        assert gradient[k] == pytest.approx((up - down) / 2e-5, abs=1e-8)


@needs_kernels
@pytest.mark.parametrize("seed", range(8))
def test_states_are_those_of_the_circuit(seed):
    n = 1 + seed
    circuit = random_circuit(n, 40, seed)
    row = np.random.default_rng(seed).normal(size=circuit.num_parameters)
    wanted = Statevector(circuit.assign_parameters(row)).data
    for real, tolerance in ((np.float64, 1e-12), (np.float32, 1e-5)):
        psi = NativeProgram(lower(circuit), np.dtype(real)).state(row)
        assert abs(np.vdot(wanted, psi)) == pytest.approx(1, abs=tolerance)


def test_permutations_alone_are_absorbed_where_hadamards_must_stay():
    circuit = QuantumCircuit(3)
    circuit.h(range(3))
    circuit.cx(0, 1)
    circuit.cz(1, 2)
    circuit.swap(0, 2)
    circuit.rx(0.3, 0)
    factors = lower(circuit)
    n_rotations = [len(rotations(gates(factors), 3, absorb).x) for absorb in Absorb]
    assert n_rotations == [16, 7, 1]  # all; three Hadamard gates of two rotations each and rx; rx alone
