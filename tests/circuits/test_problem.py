import numpy as np
import pytest
from qiskit.circuit import Parameter
from qiskit.quantum_info import Pauli, SparseObservable, SparsePauliOp

from circuits import Problem, Refused, hamiltonian_variational, qaoa


@pytest.mark.parametrize(
    ("operator", "labels"),
    [
        ("XIZ", [("XIZ", 1.0)]),
        ("-ZZ", [("ZZ", -1.0)]),
        (Pauli("-XY"), [("XY", -1.0)]),
        (SparsePauliOp(["XX", "ZI"], [0.5, 2.0]), [("XX", 0.5), ("ZI", 2.0)]),
        (SparseObservable.from_list([("X0", 2.0)]), [("XI", 1.0), ("XZ", 1.0)]),  # 0 = (I + Z) / 2
    ],
)
def test_an_operator_alone_is_a_problem(operator, labels):
    problem = Problem(operator)
    assert problem.hamiltonian.equiv(SparsePauliOp.from_list(labels))
    assert (problem.name, problem.unit, problem.source) == ("Hamiltonian", "1", {"kind": "operator"})
    assert problem.exact_energy() == pytest.approx(np.linalg.eigvalsh(problem.hamiltonian.to_matrix())[0], abs=1e-9)


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        ("iXZ", "the Hamiltonian is not Hermitian: the coefficient of 'XZ' is 0\\+1j, .*H.adjoint"),
        (np.eye(4), "not an array; Operator"),
        (SparsePauliOp("X", 1 + 1j), "not Hermitian"),
        (SparsePauliOp("X", np.nan), "not finite"),
        (SparsePauliOp(["X", "Z"], [1e308, 1e308]), "add up to more than"),
        (SparsePauliOp(["X", "Z"], [1e-308, 0.0]), "all below"),
        (SparsePauliOp("X", np.array([Parameter("J")])), "free parameter"),
        ("", "no qubit"),
        ("XQ", "must be a SparsePauliOp.* not 'XQ'"),
        (7, "not 7"),
        (None, "not None"),
        (SparseObservable("+" * 40), "1099511627776 terms on 40 qubits"),
        (SparseObservable("0" * 5000), "terms on 5000 qubits"),
    ],
)
def test_what_is_no_hamiltonian_is_refused(operator, words):
    with pytest.raises(Refused, match=words):
        Problem(operator)


def test_a_refusal_names_the_problem():
    with pytest.raises(Refused, match="the Hamiltonian of my model is not Hermitian"):
        Problem("iX", name="my model")


@pytest.mark.parametrize("scale", [1e-120, 1e120])
def test_ansatz_angles_do_not_depend_on_the_unit(scale):
    for ansatz, operator in (
        (qaoa, SparsePauliOp(["ZZI", "IZZ"])),
        (hamiltonian_variational, SparsePauliOp(["X", "Z"])),
    ):
        times = ansatz(Problem(operator), layers=2).metadata["theta"]
        scaled = ansatz(Problem(operator * scale), layers=2).metadata["theta"]
        assert np.all(np.isfinite(scaled))
        gamma = slice(2, 4) if ansatz is qaoa else slice(None)
        assert np.array(scaled)[gamma] * scale == pytest.approx(np.array(times)[gamma], rel=1e-12)
