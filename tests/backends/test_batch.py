"""Requests that mean nothing are refused with one message, before anything is computed."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Operator, SparseObservable, SparsePauliOp

import backends
from backends.checks import check_request
from circuits import Refused

ELSEWHERE = ["reference", "lightning", "aer", "ibm:fake_manila"]


@pytest.fixture
def circuit():
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.ry(Parameter("b"), 1)
    return circuit


@pytest.mark.parametrize("name", ["precision", "shots", "seed"])
@pytest.mark.parametrize("value", [True, False])
def test_truth_values_are_no_numbers(name, value):
    request = dict.fromkeys(("precision", "shots", "seed")) | {name: value}
    with pytest.raises(Refused, match=f"{name} must be a number, not {value}"):
        check_request(**request)


@pytest.mark.parametrize("shots", [0, -1, 1.5, float("nan"), float("inf"), "100", 2 * 10**9])
def test_shots(shots):
    with pytest.raises(Refused, match="shots"):
        check_request(None, shots, None)


@pytest.mark.parametrize("seed", [-1, 1.5, "7", float("nan")])
def test_seeds(seed):
    with pytest.raises(Refused, match="seed"):
        check_request(None, None, seed)


@pytest.mark.parametrize("precision", [0.0, -0.1, float("nan"), "0.1"])
def test_precision(precision):
    with pytest.raises(Refused, match="precision"):
        check_request(precision, None, None)


def test_numpy_numbers_are_numbers():
    check_request(None, np.int32(5), np.int64(7))  # pyright: ignore[reportArgumentType]
    check_request(np.float32(0.1), None, None)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_bad_requests_of_samples_and_gradients(name, circuit):
    backend = backends.get(name)
    with pytest.raises(Refused, match="seed"):
        backend.sample(circuit, [0.1, 0.2], seed=-1)
    with pytest.raises(Refused, match="shots"):
        backend.value_and_grad(circuit, SparsePauliOp("ZZ"), shots=0)
    with pytest.raises(Refused, match="seed"):
        backend.value_and_grad(circuit, SparsePauliOp("ZZ"))([0.1, 0.2], seed=-1)


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("shots", [None, 10])
def test_no_rows_give_no_values(name, shots, circuit):
    backend, nothing = backends.get(name), np.empty((0, 2))
    result = backend.submit(backends.Batch(circuit, ["ZZ", "XI"], nothing, shots=shots)).result()
    assert result.values.shape == result.standard_errors.shape == (0, 2)
    values, gradients = backend.value_and_grad(circuit, SparsePauliOp("ZZ"), shots=shots)(nothing)
    assert values.shape == (0,)
    assert gradients.shape == (0, 2)


def test_complex_parameters_are_refused_and_not_cut(circuit):
    with pytest.raises(Refused, match="complex"):
        backends.Batch(circuit, "ZZ", [0.1, 0.2 + 0.3j])


def test_observables_of_other_kinds(circuit):
    with pytest.raises(Refused, match="free parameter"):
        backends.Batch(circuit, SparsePauliOp(["ZZ"], np.array([Parameter("c")])), [0.1, 0.2])
    with pytest.raises(Refused, match=r"^observable 0 must be a SparsePauliOp, .* not \{'ZZ': 1.0\}"):
        backends.Batch(circuit, {"ZZ": 1.0}, [0.1, 0.2])
    matrix = backends.Batch(circuit, Operator.from_label("ZZ"), [0.1, 0.2]).observables[0]
    assert matrix == SparsePauliOp("ZZ")
    projector = backends.Batch(circuit, SparseObservable.from_label("0+"), [0.1, 0.2]).observables[0]
    assert projector.equiv(SparsePauliOp(["II", "ZI", "IX", "ZX"], np.full(4, 0.25)))


@pytest.mark.parametrize("dimension", [0, -3, "8", 2.5])
def test_bond_dimension(dimension):
    with pytest.raises(Refused, match="max_bond_dimension"):
        backends.get("aer", method="matrix_product_state", max_bond_dimension=dimension)
