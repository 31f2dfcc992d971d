"""What every backend must do, whatever it is made of."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import SparsePauliOp, Statevector, random_pauli_list, random_unitary

from backends import Batch
from backends.gradients.finite_difference import finite_difference
from circuits.errors import Refused

EXACT_TOLERANCE = 1e-9  # the promise between exact backends: about 1e5 roundings of double precision
SINGLE_TOLERANCE = 2e-5  # 24-bit mantissas, some hundred operations, coefficients of order one


def tolerance(backend):
    return EXACT_TOLERANCE if backend.capabilities().precision == "double" else SINGLE_TOLERANCE


def is_exact(backend):
    return backend.capabilities().exact and not backend.capabilities().noise


def expected(circuit, observable, row):
    """Qiskit's own value, from the full matrix of each Trotterized gate."""
    bound = circuit.assign_parameters(row)
    return Statevector(bound).expectation_value(observable).real


def test_bit_order_of_values(backend):
    circuit = QuantumCircuit(3)
    circuit.x(0)
    values = backend.submit(Batch(circuit, ["IIZ", "IZI", "ZII"], seed=1)).result().values[0]
    assert values == pytest.approx([-1, 1, 1], abs=0.2 if backend.capabilities().noise else 1e-6)  # noise flips a few %


def test_bit_order_of_samples(backend):
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.x(1)
    counts = backend.sample(circuit, shots=200, seed=1)
    assert sum(counts.values()) == 200
    assert max(counts, key=counts.__getitem__) == "011"


def test_bit_order_of_evolution(noiseless, reference):
    circuit = QuantumCircuit(3)
    circuit.append(PauliEvolutionGate(SparsePauliOp("XZ"), time=0.3), [2, 0])
    circuit.append(PauliEvolutionGate(SparsePauliOp("YI"), time=0.2), [0, 1])
    values = noiseless.submit(Batch(circuit, ["ZII", "IZI", "IIZ", "XII", "YII"])).result().values[0]
    # exp(-0.3 i Z0 X1) on qubits (2, 0): the label's right letter Z acts on qubit 2, its left letter X on qubit 0
    wanted = [expected(circuit, SparsePauliOp(label), []) for label in ("ZII", "IZI", "IIZ", "XII", "YII")]
    assert values == pytest.approx(wanted, abs=tolerance(noiseless))
    assert wanted[0] == pytest.approx(1.0)
    assert wanted[1] != pytest.approx(1.0)


def test_shapes(backend, shared, hamiltonian):
    rows = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]
    shots = 20 if backend.capabilities().noise else None
    result = backend.submit(Batch(shared, [hamiltonian, "ZZZ"], rows, shots=shots, seed=1)).result()
    assert result.values.shape == result.standard_errors.shape == (4, 2)
    assert backend.submit(Batch(shared, hamiltonian, rows[0], shots=shots, seed=1)).result().values.shape == (1, 1)
    assert result.values.dtype == np.float64


def test_standard_errors_say_whether_values_are_exact(backend, shared, hamiltonian):
    can = backend.capabilities()
    result = backend.submit(Batch(shared, hamiltonian, [0.1, 0.2], seed=1)).result()
    assert bool(np.all(result.standard_errors == 0)) == can.exact
    assert (result.shots == 0) == can.exact
    assert result.shots == (can.default_shots or 0)
    predicted = backend.predict(Batch(shared, hamiltonian, [0.1, 0.2])).standard_error
    assert (predicted == 0) == can.exact


def test_values(noiseless, shared, hamiltonian):
    rows = np.array([[0.1, 0.2], [1.3, -0.4]])
    values = noiseless.submit(Batch(shared, [hamiltonian, "XYZ"], rows)).result().values
    for k, row in enumerate(rows):
        assert values[k, 0] == pytest.approx(expected(shared, hamiltonian, row), abs=tolerance(noiseless))
        assert values[k, 1] == pytest.approx(expected(shared, SparsePauliOp("XYZ"), row), abs=tolerance(noiseless))


def test_prepared_function_gives_what_submit_gives(backend, shared, hamiltonian):
    evaluate = backend.prepare(shared, [hamiltonian])
    rows = [[0.1, 0.2], [0.3, 0.4]]
    batch = backend.submit(Batch(shared, hamiltonian, rows, shots=50, seed=5)).result()
    assert np.array_equal(evaluate(rows, shots=50, seed=5).values, batch.values)


def test_uccsd_like(noiseless, uccsd_like):
    theta = [0.11, -0.07, 0.23]
    H = SparsePauliOp(["IIZZ", "ZZII", "XXYY", "YYXX", "ZIZI"], [0.5, 0.3, 0.2, -0.2, 0.7])
    value = noiseless.submit(Batch(uccsd_like, H, theta)).result().values[0, 0]
    assert value == pytest.approx(expected(uccsd_like, H, theta), abs=tolerance(noiseless))
    number = SparsePauliOp(["IIIZ", "IIZI", "IZII", "ZIII"])
    assert noiseless.submit(Batch(uccsd_like, number, theta)).result().values[0, 0] == pytest.approx(0, abs=1e-5)


def test_evolution_of_strings_that_do_not_commute_is_its_trotter_synthesis(noiseless):
    circuit = QuantumCircuit(2)
    circuit.ry(0.3, 0)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XI", "ZZ", "IY"], [0.7, 0.4, 0.2]), time=Parameter("t")), [0, 1])
    trotter = circuit.assign_parameters([0.9]).decompose("PauliEvolution")
    wanted = Statevector(trotter).expectation_value(SparsePauliOp("ZI")).real
    exact = Statevector(circuit.assign_parameters([0.9])).expectation_value(SparsePauliOp("ZI")).real
    value = noiseless.submit(Batch(circuit, "ZI", [0.9])).result().values[0, 0]
    assert value == pytest.approx(wanted, abs=tolerance(noiseless))
    assert abs(wanted - exact) > 1e-3  # the case can tell the two apart


def test_gradient_against_finite_differences(exact, shared, hamiltonian):
    rows = np.array([[0.1, 0.2], [1.3, -0.4]])
    values, gradients = exact.value_and_grad(shared, hamiltonian)(rows)
    wanted_values, wanted = finite_difference(exact, shared, hamiltonian)(rows)
    assert values == pytest.approx(wanted_values, abs=EXACT_TOLERANCE)
    assert gradients == pytest.approx(wanted, abs=3e-7)  # h^2 / 6 times a third derivative of some tens, h = 1e-4
    assert np.abs(gradients).min() > 1e-3


def test_gradient_of_one_row_is_flat(backend, shared, hamiltonian):
    shots = 20 if backend.capabilities().noise else None
    value, gradient = backend.value_and_grad(shared, hamiltonian, shots=shots, seed=1)([0.1, 0.2])
    assert isinstance(value, float)
    assert gradient.shape == (2,)


def test_gradient_of_uccsd_like(exact, reference, uccsd_like):
    H = SparsePauliOp(["IIZZ", "ZZII", "XXYY", "YYXX", "ZIZI"], [0.5, 0.3, 0.2, -0.2, 0.7])
    _, gradient = exact.value_and_grad(uccsd_like, H)([0.11, -0.07, 0.23])
    _, wanted = reference.value_and_grad(uccsd_like, H)([0.11, -0.07, 0.23])
    assert gradient == pytest.approx(wanted, abs=EXACT_TOLERANCE)
    assert np.abs(wanted).max() > 0.1


def test_noisy_gradient_estimates_the_exact_one(reference, shared, hamiltonian):
    import backends

    _, exact = reference.value_and_grad(shared, hamiltonian)([0.4, 0.9])
    _, gradient = backends.get("aer").value_and_grad(shared, hamiltonian, shots=20000, seed=2)([0.4, 0.9])
    assert gradient == pytest.approx(exact, abs=0.15)  # sum over 9 occurrences of errors near 0.01: five sigma
    assert not np.array_equal(gradient, exact)


def test_same_seed_same_bits(backend, shared, hamiltonian):
    batch = Batch(shared, [hamiltonian, "ZZZ"], [[0.1, 0.2], [0.3, 0.4]], shots=60, seed=11)
    first, second = (backend.submit(batch).result() for _ in range(2))
    assert np.array_equal(first.values, second.values)
    assert np.array_equal(first.standard_errors, second.standard_errors)
    other = Batch(shared, [hamiltonian, "ZZZ"], [[0.1, 0.2], [0.3, 0.4]], shots=60, seed=12)
    assert not np.array_equal(backend.submit(other).result().values, first.values)
    counts = [backend.sample(shared, [0.1, 0.2], shots=300, seed=seed) for seed in (1, 1, 2)]
    assert counts[0] == counts[1] != counts[2]


def test_gradient_seeds(noisy):
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    first, second = (noisy.value_and_grad(circuit, "Z", shots=500, seed=4) for _ in range(2))
    a, b = first([1.1]), first([1.1])
    assert a[0] == second([1.1])[0]
    assert a[0] != b[0]  # each call draws the next child of the root


def test_equal_rows_draw_independent_samples(backend):
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), [0, 1])
    values = backend.submit(Batch(circuit, "ZZ", [[1.2]] * 6, shots=300, seed=1)).result().values[:, 0]
    assert len(set(values)) > 3


def test_standard_errors_are_calibrated(backend):
    """z = (value - mean) / SE over 60 repeats has variance one: within 5 sigma of chi-square, 5 sqrt(2 / 59) = 0.92."""
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    H = SparsePauliOp(["ZZ", "ZI", "IZ", "XX", "YY"], [1.0, 0.5, 0.5, 0.7, -0.3])
    result = backend.submit(Batch(circuit, H, [[0.9]] * 60, shots=200, seed=3)).result()
    assert result.shots == 200
    values, errors = result.values[:, 0], result.standard_errors[:, 0]
    z = (values - values.mean()) / errors
    assert np.var(z, ddof=1) == pytest.approx(1.0, abs=0.92)
    if is_exact(backend):
        centre = expected(circuit, H, [0.9])
        assert abs(values.mean() - centre) < 5 * np.sqrt(np.mean(errors**2) / 60)


def test_precision_is_kept(backend):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    H = SparsePauliOp(["Z", "X"], [2.0, 1.0])
    result = backend.submit(Batch(circuit, H, precision=0.05, seed=1)).result()
    assert result.standard_errors[0, 0] <= 0.05
    # Equal shares need (2^2 + 1^2) / 0.05^2 shots of each of the two groups, the best ones (2 + 1)^2 / (2 * 0.05^2).
    assert result.shots == 0 or 1800 <= result.shots <= 2000


def test_identity_observable(backend):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    result = backend.submit(Batch(circuit, SparsePauliOp(["II"], [0.7]), shots=10, seed=1)).result()
    assert result.values[0, 0] == pytest.approx(0.7, abs=1e-6)
    assert result.standard_errors[0, 0] == 0
    exact = backend.submit(Batch(circuit, SparsePauliOp(["II"], [0.7]), seed=1)).result()
    assert exact.values[0, 0] == pytest.approx(0.7, abs=1e-6)


def test_no_gates_and_one_qubit(backend):
    values = backend.submit(Batch(QuantumCircuit(1), ["Z", "X"], seed=1)).result().values[0]
    assert values == pytest.approx([1, 0], abs=0.15 if backend.capabilities().noise else 1e-6)
    assert set(backend.sample(QuantumCircuit(1), shots=10, seed=1)) <= {"0", "1"}


def test_gradient_without_parameters(exact):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    value, gradient = exact.value_and_grad(circuit, "X")([])
    assert value == pytest.approx(1)
    assert gradient.shape == (0,)


def test_gradient_of_a_parameter_without_effect(exact):
    circuit = QuantumCircuit(2)
    circuit.rz(Parameter("a"), 0)
    circuit.ry(Parameter("b"), 1)
    _, gradient = exact.value_and_grad(circuit, "ZZ")([0.3, 0.4])
    assert gradient == pytest.approx([0, -np.sin(0.4)], abs=EXACT_TOLERANCE)


def test_global_phase_is_irrelevant(exact):
    a = Parameter("a")
    circuit = QuantumCircuit(1, global_phase=a)
    circuit.ry(a, 0)
    value, gradient = exact.value_and_grad(circuit, "Z")([0.3])
    assert value == pytest.approx(np.cos(0.3))
    assert gradient == pytest.approx([-np.sin(0.3)])


def test_measured_circuit_can_be_sampled(backend):
    circuit = QuantumCircuit(2)
    circuit.x(1)
    circuit.measure_all()
    counts = backend.sample(circuit, shots=100, seed=1)
    assert max(counts, key=counts.__getitem__) == "10"


def test_unitary_gates_of_any_kind(noiseless):
    circuit = QuantumCircuit(3)
    circuit.append(UnitaryGate(random_unitary(8, seed=1)), [2, 0, 1])
    circuit.append(UnitaryGate(random_unitary(4, seed=2)).control(1), [1, 2, 0])
    circuit.mcx([0, 1], 2, ctrl_state=1)
    circuit.iswap(0, 2)
    value = noiseless.submit(Batch(circuit, "XYZ")).result().values[0, 0]
    assert value == pytest.approx(expected(circuit, SparsePauliOp("XYZ"), []), abs=tolerance(noiseless))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 10**6))
def test_exact_backends_agree_on_random_circuits(exact_backends, n_qubits, depth, seed):
    circuit = random_circuit(n_qubits, depth, max_operands=min(n_qubits, 3), seed=seed)
    observable = SparsePauliOp(random_pauli_list(n_qubits, 4, seed=seed, phase=False), [1.0, -0.5, 0.3, 0.2])
    wanted = expected(circuit, observable, [])
    for name, backend in exact_backends.items():
        value = backend.submit(Batch(circuit, observable)).result().values[0, 0]
        assert value == pytest.approx(wanted, abs=EXACT_TOLERANCE), name


class TestRefusals:
    def test_parameters(self, backend, shared):
        f = backend.value_and_grad(shared, "ZZZ")
        for theta in ([0.1], [0.1, 0.2, 0.3], [0.1, np.nan], [[0.1, np.inf]]):
            with pytest.raises(Refused, match="parameter"):
                f(theta)
            with pytest.raises(Refused, match="parameter"):
                backend.sample(shared, theta)

    def test_measured_circuit(self, backend):
        circuit = QuantumCircuit(1)
        circuit.measure_all()
        with pytest.raises(Refused, match="measurements"):
            backend.prepare(circuit, "Z")
        with pytest.raises(Refused, match="measurements"):
            backend.value_and_grad(circuit, "Z")

    def test_observable_of_other_width(self, backend):
        with pytest.raises(Refused, match=r"acts on 3 qubits, but the circuit has 2"):
            backend.prepare(QuantumCircuit(2), "ZZZ")

    def test_forty_qubits_says_how_many_bytes(self, backend):
        circuit = QuantumCircuit(40)
        circuit.h(range(40))
        circuit.ry(Parameter("a"), range(40))
        for layer in range(40):
            for q in range(layer % 2, 39, 2):
                circuit.cx(q, q + 1)
            circuit.t(range(40))
            circuit.h(range(40))
        H = "Z" * 40
        for ask in (
            lambda: backend.submit(Batch(circuit, H, [0.1])),
            lambda: backend.value_and_grad(circuit, H),
            lambda: backend.sample(circuit, [0.1]),
        ):
            with pytest.raises(Refused, match=r"\d{12,} bytes"):
                ask()

    def test_absurd_shots(self, backend):
        with pytest.raises(Refused, match="shots"):
            backend.submit(Batch(QuantumCircuit(1), "Z", shots=10**12))
        if not backend.capabilities().exact:
            with pytest.raises(Refused, match="a precision of 1e-09 needs"):
                backend.predict(Batch(QuantumCircuit(1), "Z", precision=1e-9))

    def test_unknown_gate(self, backend):
        from qiskit.circuit import Gate

        circuit = QuantumCircuit(1)
        circuit.append(Gate("mystery", 1, []), [0])
        with pytest.raises(Refused, match="mystery"):
            backend.submit(Batch(circuit, "Z"))
