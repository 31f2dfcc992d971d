import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp

from circuits import Refused
from circuits.problems.exact import as_product, lowest_eigenvalue

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


def test_same_input_same_bits():
    H = random_operator(3, 10, 40)
    assert lowest_eigenvalue(H) == lowest_eigenvalue(H)


def test_too_many_qubits_names_the_bytes():
    with pytest.raises(Refused, match=r"40 qubits .* need 263882790666240 bytes"):
        lowest_eigenvalue(SparsePauliOp("X" * 40))
    with pytest.raises(Refused, match="bytes"):
        lowest_eigenvalue(SparsePauliOp("Z" * 100))


def test_too_little_memory_is_refused(monkeypatch):
    tight = psutil.virtual_memory()._replace(available=1 << 20)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: tight)
    with pytest.raises(Refused, match="are free here"):
        lowest_eigenvalue(SparsePauliOp("X" * 16))
