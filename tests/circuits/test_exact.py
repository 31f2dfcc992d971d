import os
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli, SparsePauliOp

from circuits import Problem, Refused, tfim
from circuits.problems import exact
from circuits.problems.exact import as_product, lowest_eigenvalue, seconds

# Lanczos stops at residuals of 1e-11 of the norm: the eigenvalue's error at worst, mostly their square over a gap.
TOLERANCE = 1e-9


def random_operator(seed, n, n_terms, letters="IXYZ"):
    rng = np.random.default_rng(seed)
    labels = ["".join(rng.choice(list(letters), n)) for _ in range(n_terms)]
    return SparsePauliOp(labels, rng.normal(size=n_terms))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 9), n_terms=st.integers(1, 30))
def test_agrees_with_dense_diagonalization(seed, n, n_terms):
    H = random_operator(seed, n, n_terms)
    assert lowest_eigenvalue(H) == pytest.approx(np.linalg.eigvalsh(H.to_matrix())[0], abs=TOLERANCE)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 8), n_terms=st.integers(1, 20))
def test_the_product_is_that_of_the_matrix(seed, n, n_terms):
    H = random_operator(seed, n, n_terms)
    rng = np.random.default_rng(seed)
    psi = rng.normal(size=2**n) + 1j * rng.normal(size=2**n)
    assert as_product(H)(psi) == pytest.approx(H.to_matrix() @ psi, abs=1e-10)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_diagonal_operators_are_searched(seed):
    H = random_operator(seed, 14, 20, letters="IZ")
    assert lowest_eigenvalue(H) == pytest.approx(np.min(H.to_matrix(sparse=True).diagonal().real), abs=1e-12)


@pytest.mark.parametrize("n", [8, 16])
def test_open_critical_ising_chain(n):
    # Free fermions: E = 1 - 1 / sin(pi / (2 (2n + 1))) for coupling = field = 1.
    terms = [("ZZ", [i, i + 1], -1.0) for i in range(n - 1)] + [("X", [i], -1.0) for i in range(n)]
    H = SparsePauliOp.from_sparse_list(terms, n)
    assert lowest_eigenvalue(H) == pytest.approx(1 - 1 / np.sin(np.pi / (2 * (2 * n + 1))), abs=TOLERANCE)


@pytest.mark.parametrize(
    ("H", "energy"),
    [
        (SparsePauliOp("X", np.array([0.0])), 0.0),
        (SparsePauliOp("Y"), -1.0),
        (SparsePauliOp("I", np.array([-3.5])), -3.5),
        (SparsePauliOp("I" * 12, np.array([0.0])), 0.0),
        (SparsePauliOp.from_sparse_list([("X", [0], 1.0)], 12), -1.0),  # 2048-fold degenerate
        (SparsePauliOp("X" * 12), -1.0),
        (SparsePauliOp("Y" * 11), -1.0),
        (SparsePauliOp.from_list([("XX" * 5, 1.0), ("I" * 10, -5.0), ("XX" * 5, 1.0)]), -7.0),
        (SparsePauliOp.from_list([("X" * 9, 1.0), ("X" * 9, -1.0)]), 0.0),
    ],
)
def test_degenerate_zero_and_tiny(H, energy):
    assert lowest_eigenvalue(H) == pytest.approx(energy, abs=TOLERANCE)


def majorana_model(n_majoranas, seed=0):
    """Random products of four Majorana operators (Sachdev, Ye, Kitaev): many terms on few qubits."""
    n = n_majoranas // 2
    majoranas = [Pauli("I" * (n - k - 1) + letter + "Z" * k) for k in range(n) for letter in "XY"]
    rng = np.random.default_rng(seed)
    operators, couplings = [], []
    for four in combinations(majoranas, 4):
        product = four[0] @ four[1] @ four[2] @ four[3]
        sign = {0: 1, 2: -1}[product.phase]  # four anticommuting Hermitian operators: their product is Hermitian
        operators.append(product.to_label().lstrip("-"))
        couplings.append(sign * rng.normal())
    return SparsePauliOp(operators, couplings)


def test_many_terms_on_few_qubits_take_no_longer_than_numpy():
    H = majorana_model(16)
    assert len(H) == 1820
    start = time.perf_counter()
    energy = lowest_eigenvalue(H)
    assert time.perf_counter() - start < 5  # 0.02 s on an idle machine; 30 s where threads wait for each other
    assert energy == pytest.approx(np.linalg.eigvalsh(H.to_matrix())[0], abs=TOLERANCE)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 6), n_terms=st.integers(1, 60), bits=st.integers(0, 6))
def test_with_and_without_a_matrix(seed, n, n_terms, bits):
    H = random_operator(seed, n, n_terms)
    psi = np.exp(1j * np.arange(2**n))
    expected = H.to_matrix() @ psi
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "BLOCK_BITS", bits)
        patch.setattr(exact, "FEW", 1)
        patch.setattr(exact, "COLUMNS", 3)
        assert as_product(H)(psi) == pytest.approx(expected, abs=1e-10)
        patch.setattr(exact, "MATRIX_BYTES", 0)
        assert as_product(H)(psi) == pytest.approx(expected, abs=1e-10)
        assert lowest_eigenvalue(H) == pytest.approx(np.linalg.eigvalsh(H.to_matrix())[0], abs=TOLERANCE)


def test_small_gaps_are_resolved():
    # The ordered chain's two lowest levels lie 1e-4 apart, in sectors of different parity.
    H = SparsePauliOp.from_sparse_list(
        [("ZZ", [i, i + 1], -1.0) for i in range(7)] + [("X", [i], -0.3) for i in range(8)], 8
    )
    levels = np.linalg.eigvalsh(H.to_matrix())
    assert 0 < levels[1] - levels[0] < 1e-3
    assert lowest_eigenvalue(H) == pytest.approx(levels[0], abs=TOLERANCE)


def test_same_bits_on_any_number_of_threads():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_exact as t; "
        "print(*(t.lowest_eigenvalue(H).hex() for H in (t.majorana_model(18), t.random_operator(3, 12, 40))))"
    )
    threads = "3" if os.environ.get("OMP_NUM_THREADS") == "1" else "1"
    environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    there = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()
    assert there == [lowest_eigenvalue(H).hex() for H in (majorana_model(18), random_operator(3, 12, 40))]


def test_too_many_qubits_names_the_bytes():
    with pytest.raises(Refused, match=r"40 qubits .* 8796093022208 bytes; at most 26"):
        lowest_eigenvalue(SparsePauliOp("X" * 40))
    with pytest.raises(Refused, match="bytes; at most 32"):
        lowest_eigenvalue(SparsePauliOp("Z" * 100))
    with pytest.raises(Refused, match="about 10\\^2710 bytes"):
        lowest_eigenvalue(SparsePauliOp("Z" * 9000))


def test_too_little_memory_is_refused(monkeypatch):
    tight = psutil.virtual_memory()._replace(available=1 << 20)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: tight)
    with pytest.raises(Refused, match="are free here"):
        lowest_eigenvalue(SparsePauliOp("X" * 16))
    assert seconds(SparsePauliOp("X" * 16)) == float("inf")


def test_the_predicted_time_counts_qubits_and_terms():
    few, many = tfim(12).hamiltonian, majorana_model(24)
    assert few.num_qubits == many.num_qubits
    assert 10 * seconds(few) < seconds(many)
    assert seconds(few) < seconds(tfim(16).hamiltonian) < seconds(tfim(25).hamiltonian)
    start = time.process_time()
    lowest_eigenvalue(many)
    took = time.process_time() - start
    assert took / 10 < seconds(many) < took * 10
    assert Problem(many).exact_energy_seconds() == seconds(many)
    assert tfim(60).exact_energy_seconds() == float("inf")


INTERRUPTED = {
    "a sparse matrix": "tfim(20).exact_energy()",
    "without a matrix": "tfim(25).exact_energy()",
    "determinants": "molecule('N 0 0 0; N 0 0 1.1', basis='6-31g', active_space=(10, 12)).exact_energy()",
    "a mean field": "molecule('O 0 0 0; H 0.76 0.59 0; H -0.76 0.59 0', basis='cc-pv5z', active_space=(2, 2))",
}


@pytest.mark.parametrize("work", INTERRUPTED)
def test_interrupts_are_answered_at_once(work):
    code = (
        "import os, signal, threading, time; from circuits import *\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job is born deaf to it
        "def interrupt():\n"
        "    global sent; sent = time.monotonic(); os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Timer(1.0, interrupt).start()\n"
        f"try: {INTERRUPTED[work]}\n"
        "except KeyboardInterrupt: print(time.monotonic() - sent)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    assert float(answer.stdout) < 30  # some milliseconds on an idle machine, minutes inside of a library's call
