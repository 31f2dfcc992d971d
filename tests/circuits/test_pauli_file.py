import tracemalloc

import pytest
from qiskit.quantum_info import SparsePauliOp

from circuits import Refused, pauli_terms


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "terms.txt"
        path.write_text(text)
        return path

    return write


def test_dense_and_sparse_lines(write):
    problem = pauli_terms(write("# H\n0.5 XIZ\n-1e-1 Z0 X2 # the same string\n2 Y1\n-3\n"))
    assert problem.hamiltonian.equiv(SparsePauliOp.from_list([("XIZ", 0.4), ("IYI", 2.0), ("III", -3.0)]))
    assert problem.exact_energy() == pytest.approx(-5.4, abs=1e-9)


def test_sparse_lines_alone_count_the_qubits(write):
    assert pauli_terms(write("1 Z0 Z1\n0.5 X3\n")).hamiltonian.equiv(
        SparsePauliOp.from_list([("IIZZ", 1.0), ("XIII", 0.5)])
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no terms"),
        ("1 XX\nfoo XX", "terms.txt:2: a line starts with a real coefficient"),
        ("1 XX\nnan XX", "terms.txt:2: the coefficient must be finite"),
        ("1j XX", "terms.txt:1"),
        ("1 XX\n1 XXX", "terms.txt:2: this string has 3 letters"),
        ("1 XX\n1 Z2", "terms.txt:2: qubit 2 is outside"),
        ("1 XA", "'XA' is neither"),
        ("1 x0", "'x0' is neither"),
        ("1 Z0 X0", "named twice"),
        ("1", "do not say how many qubits"),
        ("1 X999999", "too high"),
        ("1e308 Z0\n1e308 Z0\n", "terms.txt:2: with this coefficient, the sum over equal strings is too large"),
        ("1e308 Z0\n1e308 X0\n", "add up to more than 1e\\+150"),
        ("1 XX\n1 Z0\n1 Y3\n1 ZZ", "terms.txt:3: qubit 3 is outside"),
        ("1 Y3\n1 XX", "terms.txt:1: qubit 3 is outside of the 2 qubits of the string at .*terms.txt:2"),
        ("1 " + "X" * 20_000, "a string of 20000 letters; at most 10000"),
        ("1" * 5000 + "e400 Z0", "must be finite, not '111"),
        ("".join(f"1 Z{k} X9999\n" for k in range(8000)), "has 6711 terms on 10000 qubits, 67110000 letters"),
    ],
)
def test_bad_files_are_refused(write, text, words):
    with pytest.raises(Refused, match=words):
        pauli_terms(write(text))


def test_missing_file(tmp_path):
    with pytest.raises(Refused, match="cannot be read"):
        pauli_terms(tmp_path / "none.txt")


def test_wide_terms_of_few_letters_take_little_memory(write):
    tracemalloc.start()
    problem = pauli_terms(write("1 Z9999\n" * 30_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem.n_qubits == 10_000
    assert problem.hamiltonian.coeffs.tolist() == [30_000.0]
    assert peak < 100e6  # 300 MB of letters if each line were written out


def test_terms_that_cancel_are_gone(write):
    assert pauli_terms(write("1 XX\n2 Z0\n-1 XX")).hamiltonian == SparsePauliOp(["IZ"], [2.0])
    assert pauli_terms(write("1 XX\n-1 XX")).hamiltonian == SparsePauliOp(["II"], [0.0])
