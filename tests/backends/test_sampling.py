"""Groups, estimates and standard errors from counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp, random_pauli_list, random_statevector

from backends import dense
from backends.measurement.groups import basis_change, measurements
from backends.measurement.outcomes import Outcomes, from_counts
from backends.seeds import child_seed, folded
from circuits.errors import Refused


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 10**6))
def test_groups_measured_without_noise_give_the_exact_value(n_qubits, n_terms, seed):
    H = SparsePauliOp(random_pauli_list(n_qubits, n_terms, seed=seed, phase=False), np.arange(1, n_terms + 1) / 3)
    psi = random_statevector(2**n_qubits, seed=seed)
    plan = measurements([H])
    p = [dense.probabilities(psi.data.reshape((2,) * n_qubits), group.basis) for group in plan.groups]
    assert plan.expectations(p)[0] == pytest.approx(psi.expectation_value(H).real, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.text("IXYZ", min_size=1, max_size=4), st.integers(0, 10**6))
def test_basis_change_is_what_the_dense_functions_do(basis, seed):
    psi = random_statevector(2 ** len(basis), seed=seed)
    wanted = psi.evolve(basis_change(basis)).probabilities()
    assert dense.probabilities(psi.data.reshape((2,) * len(basis)), basis) == pytest.approx(wanted, abs=1e-12)


def test_terms_of_one_group_agree_letter_by_letter():
    H = SparsePauliOp(["XXI", "IXX", "ZZI", "IZZ", "YII", "III"], [3, 2, 1, 1, 0.5, 7])
    plan = measurements([H])
    assert [group.basis for group in plan.groups] == ["XXX", "ZZZ", "YII"]
    assert plan.constants == pytest.approx([7])


def test_several_observables_share_groups():
    plan = measurements([SparsePauliOp(["ZI", "XX"], [1, 2]), SparsePauliOp(["IZ", "II"], [3, 4])])
    assert sorted(group.basis for group in plan.groups) == ["XX", "ZZ"]
    assert plan.constants == pytest.approx([0, 4])


def test_covariance_inside_a_group_counts():
    """On a Bell state ZI + IZ is 2 or -2: variance 4, where adding deviations of 1 and 1 independently gives 2."""
    seen = Outcomes(np.array([[0, 0], [1, 1]], dtype=np.uint8), np.array([500, 500]))
    value, error = measurements([SparsePauliOp(["ZI", "IZ"])]).estimate([seen])
    assert value == pytest.approx([0])
    assert error == pytest.approx([np.sqrt(4 * 1000 / 999 / 1000)])
    # and ZI - IZ is 0 on every shot
    value, error = measurements([SparsePauliOp(["ZI", "IZ"], [1, -1])]).estimate([seen])
    assert (value[0], error[0]) == (0, 0)


def test_variances_of_groups_add():
    """Two groups of standard error s each give s sqrt(2), not 2 s."""
    half = Outcomes(np.array([[0], [1]], dtype=np.uint8), np.array([50, 50]))
    _, error = measurements([SparsePauliOp(["X", "Z"])]).estimate([half, half])
    assert error == pytest.approx([np.sqrt(2 * (100 / 99) / 100)])


def test_one_shot_does_not_pretend_to_be_exact():
    one = Outcomes(np.array([[0]], dtype=np.uint8), np.array([1]))
    _, error = measurements([SparsePauliOp(["Z"], [3.0])]).estimate([one])
    assert error == pytest.approx([3.0])


def test_calibration_on_a_random_state():
    """z-scores against the exact value: mean within 5 / sqrt(300), variance within 5 sqrt(2 / 300) of one."""
    H = SparsePauliOp(random_pauli_list(3, 10, seed=3, phase=False), np.linspace(0.2, 1, 10))
    state = random_statevector(8, seed=9)
    plan = measurements([H])
    exact = state.expectation_value(H).real
    z = []
    for k in range(300):
        value, error = dense.estimate(state.data.reshape(2, 2, 2), plan, 200, np.random.SeedSequence(k))
        z.append((value[0] - exact) / error[0])
    assert abs(np.mean(z)) < 5 / np.sqrt(300)
    assert np.var(z) == pytest.approx(1, abs=5 * np.sqrt(2 / 300))


def test_shots_for_a_precision():
    H = SparsePauliOp(["ZI", "IZ", "XX"], [1.0, 1.0, 2.0])
    assert measurements([H]).shots_for(0.1) == pytest.approx(800, abs=1)  # (1 + 1)^2 + 2^2 over 0.01
    with pytest.raises(Refused, match="coarser precision"):
        measurements([H]).shots_for(1e-6)


def test_counts_round_trip():
    counts = {"011": 5, "100": 7}
    outcomes = from_counts(counts)
    assert outcomes.to_counts() == counts
    assert outcomes.bits[0].tolist() == [1, 1, 0]  # qubit 0 is the rightmost character


def test_child_seeds_differ_and_repeat():
    """Among 2 * 10^5 seeds of 31 bits some nine would be equal."""
    assert child_seed(1, 2) == child_seed(1, 2)
    seeds = {child_seed(root, k) for root in range(20) for k in range(10_000)}
    assert len(seeds) == 200_000
    assert len({folded(seed, 63) for seed in seeds}) == 200_000
    assert max(folded(seed, 63) for seed in seeds) < 2**63
