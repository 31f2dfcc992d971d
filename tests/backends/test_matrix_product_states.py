"""Aer's matrix-product states: sizes beyond every statevector, what they take, and what cutting bonds does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import backends
from backends import Batch
from backends.simulators.bonds import bonds
from circuits import tfim
from circuits.errors import Refused

ROOT = Path(__file__).parents[2]


def mps(**options):
    return backends.get("aer", method="matrix_product_state", **options)


def brickwork(n: int, layers: int, seed: int = 3) -> QuantumCircuit:
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(n)
    for layer in range(layers):
        for q in range(n):
            circuit.ry(rng.uniform(0, 2 * np.pi), q)
            circuit.rz(rng.uniform(0, 2 * np.pi), q)
        for q in range(layer % 2, n - 1, 2):
            circuit.cx(q, q + 1)
    return circuit


@pytest.mark.parametrize("n", [40, 63, 64, 100])
def test_pairs_of_many_qubits(n):
    circuit = QuantumCircuit(n)
    circuit.ry(0.3, range(n))
    for q in range(0, n - 1, 2):
        circuit.cx(q, q + 1)
    H = SparsePauliOp.from_sparse_list([("ZZ", [0, 1], 1.0), ("Z", [(n - 2) // 2 * 2], 2.0)], n)
    (values,) = mps().submit(Batch(circuit, H)).result().values
    # the cx turns Z0 Z1 into Z1; <Z> = cos 0.3 of the qubit that only controls
    assert values[0] == pytest.approx(3 * np.cos(0.3))


@pytest.mark.parametrize("n", [65, 130])
def test_shots_of_many_qubits(n):
    circuit = QuantumCircuit(n)
    circuit.h(n - 1)
    for q in reversed(range(n - 1)):
        circuit.cx(q + 1, q)
    counts = mps().sample(circuit, shots=200, seed=4)
    assert set(counts) == {"0" * n, "1" * n}
    H = SparsePauliOp.from_sparse_list([("ZZ", [0, n - 1], 1.0)], n)
    assert mps().submit(Batch(circuit, H, shots=50, seed=1)).result().values[0, 0] == 1.0


def test_bonds_are_bounded_by_the_ends_of_the_chain():
    circuit = QuantumCircuit(6)
    for _ in range(20):
        for q in range(5):
            circuit.cx(q, q + 1)
    assert bonds(circuit, None).final.tolist() == [1, 2, 4, 8, 4, 2, 1]
    assert bonds(circuit, 2).final.tolist() == [1, 2, 2, 2, 2, 2, 1]
    assert bonds(circuit, 2).largest == 8
    assert bonds(circuit, 2).numbers < bonds(circuit, None).numbers


def test_bonds_are_bounded_by_the_gates_across_them():
    line = QuantumCircuit(50)
    line.h(0)
    for q in range(49):
        line.cx(q, q + 1)
    assert bonds(line, None).largest == 2
    assert bonds(brickwork(40, layers=4), None).largest <= 4  # two of four layers cross a bond


def test_a_large_circuit_of_small_bonds_is_cheap_and_a_dense_one_is_refused():
    problem, circuit = tfim(80), brickwork(80, layers=6)
    footprint = mps(max_bond_dimension=16).footprint(Batch(circuit, problem))
    assert footprint.memory_bytes < 10e6
    assert footprint.passes * footprint.amplitudes < 1e10
    with pytest.raises(Refused, match="memory"):
        mps().submit(Batch(brickwork(80, layers=80), problem))


def test_values_without_cut_have_no_bias():
    circuit = brickwork(8, layers=6)
    for backend in (mps(), mps(max_bond_dimension=16)):  # 16 is what the middle of eight qubits can have
        result = backend.submit(Batch(circuit, tfim(8))).result()
        exact = backends.get("reference").submit(Batch(circuit, tfim(8))).result()
        assert result.values == pytest.approx(exact.values, abs=1e-7)
        assert result.bias.tolist() == [[0.0]]


@pytest.mark.parametrize("chi", [1, 2, 4, 8])
def test_values_with_cut_bonds_say_how_wrong_they_may_be(chi):
    circuit = brickwork(10, layers=10)
    observables = [tfim(10).hamiltonian, SparsePauliOp("IIIIXZIIII"), SparsePauliOp("ZIIIIIIIIZ")]
    exact = backends.get("reference").submit(Batch(circuit, observables)).result().values
    backend = mps(max_bond_dimension=chi)
    result = backend.submit(Batch(circuit, observables)).result()
    wrong = np.abs(result.values - exact)
    assert wrong.max() > 1e-3
    assert not backend.capabilities().exact
    assert result.standard_errors.max() == 0
    assert np.linalg.norm(result.bias) > np.linalg.norm(wrong) / 3  # an estimate, no bound


def test_shots_on_cut_bonds_have_the_same_bias():
    circuit = brickwork(8, layers=8)
    backend = mps(max_bond_dimension=2)
    without = backend.submit(Batch(circuit, "ZZIIIIII")).result()
    counted = backend.submit(Batch(circuit, "ZZIIIIII", shots=100, seed=1)).result()
    assert without.bias[0, 0] > 0
    assert counted.bias == pytest.approx(without.bias)
    assert counted.standard_errors[0, 0] > 0


PROGRAM = """
import re, sys
sys.path.insert(0, "tests/backends")
import backends
from test_matrix_product_states import brickwork, mps, peak
from circuits import tfim

chi = int(sys.argv[1]) or None
backend = mps(max_bond_dimension=chi)
small, large = (backends.Batch(brickwork(n, layers=n), tfim(n)) for n in (4, 16))
backend.submit(small).result()
before = peak()
backend.prepare(large.circuit, large.observables)([])
print(backend.footprint(large).memory_bytes, peak() - before)
"""


def peak() -> int:
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text()).group(1))


@pytest.mark.parametrize("chi", [0, 128])
def test_the_peak_is_what_was_predicted(chi):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-c", PROGRAM, str(chi)]
    done = subprocess.run(program, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    predicted, real = map(int, done.stdout.split())
    assert predicted > 1e7
    assert 0.2 * predicted < real < 1.2 * predicted + 5e6  # and what the libraries keep, whatever the size
