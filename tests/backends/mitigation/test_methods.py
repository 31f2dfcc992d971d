"""Each method of mitigation against answers that are known without it."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import CXGate, CZGate, ECRGate, RZZGate, iSwapGate
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector
from qiskit.transpiler import Target

from backends.measurement.groups import measurements
from backends.measurement.outcomes import Outcomes, all_bits
from backends.mitigation.extrapolation import extrapolated
from backends.mitigation.folding import folded
from backends.mitigation.readout import correction
from backends.mitigation.regression import exact_values, regressed, training_circuit
from backends.mitigation.twirling import Twirl, split
from circuits.errors import FailedJob, Refused

GATES = Target.from_configuration(["rz", "sx", "x", "cx", "cz", "ecr", "rzz", "iswap", "ccx"], num_qubits=3)


@pytest.fixture
def circuit():
    made = QuantumCircuit(3)
    for q in range(3):
        made.sx(q)
        made.rz(0.3 + q, q)
    made.cx(0, 1)
    made.ecr(1, 2)
    made.rz(1.1, 2)
    made.cz(2, 0)
    return made


@pytest.mark.parametrize(("factor", "pairs"), [(1, 0), (3, 3), (5, 6), (2, 2), (1.7, 1)])
def test_folding_adds_gates_that_undo_each_other(circuit, factor, pairs):
    full, reached = folded(circuit, factor, GATES)
    assert full.num_nonlocal_gates() == 3 + 2 * pairs
    assert reached == pytest.approx(1 + 2 * pairs / 3)
    assert Operator(full).equiv(circuit)


def test_folding_needs_a_gate_that_undoes():
    made = QuantumCircuit(3)
    made.iswap(0, 1)
    with pytest.raises(Refused, match="no gate that undoes its 'iswap'"):
        folded(made, 3, GATES)


@pytest.mark.parametrize("gate", [CXGate(), CZGate(), ECRGate(), iSwapGate(), RZZGate(np.pi / 2)])
def test_twirled_copies_do_the_same_and_differ(gate):
    made = QuantumCircuit(3)
    made.sx(0)
    made.append(gate, [2, 0])
    made.append(gate, [0, 1])
    twirl, rng = Twirl(GATES, 3), np.random.default_rng(0)
    copies = [twirl(made, rng) for _ in range(8)]
    assert all(Operator(copy).equiv(made) for copy in copies)
    assert len({tuple(copy.count_ops().items()) for copy in copies}) > 3


def test_twirling_refuses_what_paulis_do_not_pass():
    for gate in (RZZGate(0.3),):
        made = QuantumCircuit(3)
        made.append(gate, [0, 1])
        with pytest.raises(Refused, match="'rzz' with angles"):
            Twirl(GATES, 3)(made, np.random.default_rng(0))
    made = QuantumCircuit(3)
    made.ccx(0, 1, 2)
    with pytest.raises(Refused, match="'ccx' is none"):
        Twirl(GATES, 3)(made, np.random.default_rng(0))


@pytest.mark.parametrize(("shots", "parts"), [(1234, 32), (1234, 5), (7, 32), (1, 2)])
def test_every_shot_that_is_asked_for_is_run_and_no_other(shots, parts):
    shared = split(shots, parts)
    assert sum(shared) == shots
    assert max(shared) - min(shared) <= 1
    assert min(shared) >= 1


def confused(p, errors):
    """Probabilities of what is told from those of what is true, for independent errors; the definition itself."""
    for q, (e0, e1) in enumerate(errors):
        p = p.reshape(-1, 2, 2**q)
        p = np.stack([(1 - e0) * p[:, 0] + e1 * p[:, 1], e0 * p[:, 0] + (1 - e1) * p[:, 1]], axis=1).reshape(-1)
    return p


@pytest.mark.parametrize("layout", [(0, 1, 2), (2, 0, 1)])
def test_corrected_measurements_have_the_true_mean(layout):
    errors = np.array([[0.02, 0.09], [0.1, 0.05], [0.0, 0.3]])
    H = SparsePauliOp(["ZZZ", "IZZ", "ZII", "IIZ"], [0.7, -1.1, 0.4, 0.2])
    (group,) = measurements([H, SparsePauliOp("ZIZ")]).groups
    p = np.random.default_rng(2).dirichlet(np.ones(8))
    many = 10**12
    whole = lambda p: Outcomes(all_bits(8), np.round(many * p).astype(np.int64))  # noqa: E731
    zeros, ones = np.eye(8)[0], np.eye(8)[7]
    found = correction((0, 1, 2), whole(confused(zeros, errors)), whole(confused(ones, errors)), "made up")
    assert found.errors == pytest.approx(errors, abs=1e-9)
    told = whole(confused(p, errors[list(layout)]))
    mean = told.counts @ found.sums(group, told.bits, layout) / told.counts.sum()
    assert mean == pytest.approx(p @ group.sums(all_bits(8)), abs=1e-9)
    assert found.misfit(group, layout) == pytest.approx(0, abs=1e-9)

    def mean_at(shift):
        from dataclasses import replace

        return told.counts @ replace(found, errors=found.errors + shift).sums(group, told.bits, layout) / many

    for k in range(3):
        for e in range(2):
            shift = np.zeros((3, 2))
            shift[k, e] = 1e-6
            slope = (mean_at(shift) - mean_at(-shift)) / 2e-6
            assert found.slopes(group, told, layout)[:, k, e] == pytest.approx(slope, abs=1e-6)


def test_errors_that_are_not_independent_show_as_a_bias():
    (group,) = measurements([SparsePauliOp("ZZ")]).groups
    both = Outcomes(np.array([[0, 0], [1, 1]]), np.array([900, 100]))  # both wrong at once, or none
    right = Outcomes(np.array([[1, 1]]), np.array([1000]))
    left = correction((0, 1), both, right, "made up").misfit(group, (0, 1))
    assert np.abs(left).max() == pytest.approx(0.36 / 0.81, rel=1e-6)  # 1 / 0.9^2 - 0.8^2 / 0.9^2


def test_a_qubit_that_tells_nothing_fails_by_number():
    half = Outcomes(np.array([[0], [1]]), np.array([500, 500]))
    with pytest.raises(FailedJob, match="reads its qubit 7 wrong"):
        correction((7,), half, half, "made up")


@pytest.mark.parametrize(
    ("kind", "decay"),
    [
        ("linear", lambda x: -2.0 + 0.3 * x),
        ("richardson", lambda x: -2.0 + 0.3 * x - 0.02 * x**2),
        ("exponential", lambda x: 0.5 - 2.5 * np.exp(-0.2 * x)),
    ],
)
def test_extrapolation_finds_what_lies_on_its_curve(kind, decay):
    x = np.array([1.0, 3.0, 5.0])
    found = extrapolated(x, decay(x), limit=0.5, bound=9.0, kind=kind)
    assert found.value == pytest.approx(-2, abs=1e-6)
    step = 1e-5
    for k in range(3):
        shifted = [
            extrapolated(x, decay(x) + s * step * np.eye(3)[k], limit=0.5, bound=9.0, kind=kind).value for s in (1, -1)
        ]
        assert found.slopes[k] == pytest.approx((shifted[0] - shifted[1]) / (2 * step), abs=1e-3)


def test_extrapolation_says_how_far_another_curve_ends():
    x = np.array([1.0, 3.0, 5.0])
    y = -np.exp(-0.2 * x)
    found = extrapolated(x, y, limit=0.0, bound=9.0, kind="linear")
    assert abs(found.value + 1) > 0.05
    assert 0.3 * abs(found.value + 1) < found.bias < 3 * abs(found.value + 1)


def test_an_exponential_without_a_signal_has_an_error_all_the_same():
    found = extrapolated([1, 3, 5], np.array([0.01, -0.02, 0.03]), limit=0.0, bound=9.0, kind="exponential")
    assert np.isfinite(found.value)
    assert np.any(found.slopes)
    assert (
        abs(extrapolated([1, 3, 5], np.array([0.3, 0.001, 0.0]), limit=0.0, bound=1.0, kind="exponential").value)
        <= 1.01
    )


def test_a_decay_that_shots_hide_leaves_the_value_as_uncertain_as_a_line_does():
    """b exp(-c x) near c = 0 is b - b c x; and what seems to grow by its statistical error is extrapolated as well."""
    x = np.array([1.0, 3.0, 5.0])
    flat = extrapolated(x, np.full(3, 2.0), limit=0.0, bound=9.0, kind="exponential")
    line = extrapolated(x, np.full(3, 2.0), limit=0.0, bound=9.0, kind="linear")
    assert flat.value == pytest.approx(2, abs=1e-6)
    assert flat.slopes == pytest.approx(line.slopes, abs=1e-6)
    grows = extrapolated(x, 0.5 - 2 * np.exp(0.01 * x), limit=0.5, bound=9.0, kind="exponential")
    assert grows.value == pytest.approx(-1.5, abs=1e-6)


def test_training_circuits_are_clifford_but_for_a_few(circuit):
    from qiskit.quantum_info import Clifford

    near = training_circuit(circuit, 0, np.random.default_rng(1))
    Clifford(near)  # raises for what is none
    kept = training_circuit(circuit, 2, np.random.default_rng(1))
    angles = [float(one.operation.params[0]) for one in circuit.data if one.operation.name == "rz"]
    left = [float(one.operation.params[0]) for one in kept.data if one.operation.name == "rz"]
    assert sum(a == b for a, b in zip(angles, left, strict=True)) == 2


def test_exact_values_stand_on_the_devices_qubits(circuit):
    wide = QuantumCircuit(6)
    wide.compose(circuit, [4, 1, 3], inplace=True)
    H = SparsePauliOp(["XZY", "ZII"], [0.5, 2.0])
    exact = Statevector(circuit).expectation_value(H).real
    assert exact_values(wide, (4, 1, 3), [H]) == pytest.approx([exact])


def test_regression_undoes_a_line_and_says_what_it_misses():
    rng = np.random.default_rng(4)
    z = rng.uniform(-1, 1, 30)
    found = regressed(0.8 * 0.37 - 0.05, 0.8 * z - 0.05, z, np.zeros(30))
    assert found.value == pytest.approx(0.37)
    assert found.bias == pytest.approx(0, abs=1e-7)
    bent = regressed(0.2, 0.8 * z + 0.3 * z**2, z, np.zeros(30))
    assert bent.bias > 0.02
    with pytest.raises(FailedJob, match="learnt nothing"):
        regressed(0.2, np.ones(5), np.ones(5), np.zeros(5))
