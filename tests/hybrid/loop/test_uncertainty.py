"""What is known of the energy of a run, from its facts."""

from dataclasses import replace

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

from circuits import hardware_efficient, tfim
from hybrid.loop.deviation import Deviation, deviation_of
from hybrid.loop.gap import Gap, gap
from hybrid.loop.uncertainty import Facts, uncertainty
from hybrid.optimizers.optimizer import Told
from hybrid.runs.evaluation import Evaluation
from hybrid.workload.workload import workload

EXACTLY = Facts(energy=-1.0, standard_error=0.0, bias=0.0, unit="hartree", scale=2.0)


def named(stated, name):
    return next(part for part in stated.parts if part.name == name)


def test_shots_widen_by_students_quantile_where_they_are_few():
    many = uncertainty(replace(EXACTLY, standard_error=0.1, shots=10_000))
    few = uncertainty(replace(EXACTLY, standard_error=0.1, shots=5))
    assert named(many, "shots").below == pytest.approx(0.196)
    assert named(few, "shots").below == pytest.approx(0.2776, abs=1e-4)  # four degrees of freedom, a printed table
    assert (many.low, many.high) == pytest.approx((-1.196, -0.804))


def test_shots_that_all_agree_do_not_make_an_exact_energy():
    """An outcome of probability p is missed by n shots with (1 - p)^n: at 2.5 % that is p = 1 - 0.025^(1/n)."""
    agreed = named(uncertainty(replace(EXACTLY, shots=100)), "shots")
    assert agreed.kind == "bound"
    assert agreed.below == pytest.approx(2 * 2.0 * (1 - 0.025**0.01))


def test_extrapolation_adds_its_choice_of_a_curve():
    stated = uncertainty(
        replace(EXACTLY, standard_error=0.1, shots=1000, bias=0.05, mitigation=("zne",), noisy=True, drift=0.0)
    )
    assert (stated.low, stated.high) == pytest.approx((-1.246, -0.754))
    assert named(stated, "extrapolation").kind == "systematic"
    assert "without noise, as zne see" in stated.state.quantity
    assert stated.ground.low is None
    assert "the error of the ansatz is not known" in stated.ground.reason
    assert stated.ground.high is None  # noise or its extrapolation may lie on either side


def test_of_a_noisy_device_the_interval_is_of_its_noisy_state():
    noisy = replace(EXACTLY, standard_error=0.1, shots=1000, noisy=True, validated=-1.3)
    stated = uncertainty(noisy)
    assert "its noise included" in stated.state.quantity
    assert (named(stated, "device noise").below, named(stated, "device noise").above) == pytest.approx((0.3, 0.0))
    drifted = uncertainty(replace(noisy, drift=0.5))
    assert named(drifted, "calibration drift").below == pytest.approx(0.15)
    assert drifted.low is not None
    assert stated.low is not None
    assert drifted.low < stated.low
    unknown = uncertainty(replace(noisy, drift=0.5, validated=None, remote=True))
    assert named(unknown, "calibration drift").kind == "not known"
    assert unknown.low == stated.low  # of the device as it was at the last evaluation
    unmeasured = uncertainty(replace(noisy, drift=None, remote=True))
    assert "a drift of the device that nobody measured" in unmeasured.risks


def test_the_ground_state_has_an_interval_only_where_something_bounds_the_ansatz():
    unknown = uncertainty(replace(EXACTLY, gap=Gap(1e-3, "seen")))
    assert unknown.ground.low is None
    assert unknown.ground.high == pytest.approx(-1.0)  # no state lies below the ground state
    assert "no interval for the ground state energy: the error of the ansatz is not known" in str(unknown)
    near = uncertainty(replace(EXACTLY, gap=Gap(1e-3, "seen"), deviation=Deviation(0.25, -1.1)))
    assert near.ground.low == pytest.approx(-1.25)
    assert near.ground.high == pytest.approx(-1.1)  # of another state that was seen
    excited = uncertainty(replace(EXACTLY, deviation=Deviation(1e-6, -1.5)))
    assert excited.ground.low is None
    assert "a lower energy was found" in named(excited, "ansatz").source
    known = uncertainty(replace(EXACTLY, exact=-1.5, gap=Gap(None, "unseen")))
    assert (known.ground.low, known.ground.high, known.ground.confidence) == (-1.5, -1.5, 1.0)
    assert named(known, "ansatz and optimizer").below == pytest.approx(0.5)


def test_a_simulator_that_contradicts_the_interval_is_heard():
    sampled = replace(EXACTLY, standard_error=0.1, shots=1000)
    assert "outside of the interval" in " ".join(uncertainty(replace(sampled, validated=-1.4)).risks)
    assert "outside" not in " ".join(uncertainty(replace(sampled, validated=-1.1)).risks)


def test_several_starts_say_how_far_apart_they_end():
    stated = uncertainty(replace(EXACTLY, gap=Gap(0.0, "seen"), starts=(-0.7, -1.0, -0.9)))
    assert named(stated, "starts").below == pytest.approx(0.1)
    assert "the lowest of 3 starts" in " ".join(stated.risks)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_deviation_is_that_of_the_operator_squared(seed):
    problem, circuit = tfim(3, field=0.7), hardware_efficient(3, layers=2)
    theta = np.random.default_rng(seed).uniform(-3, 3, circuit.num_parameters)
    found = deviation_of(workload(circuit, problem), theta)
    state = Statevector(circuit.assign_parameters(theta))
    h = SparsePauliOp(problem.hamiltonian)
    variance = state.expectation_value(h @ h).real - state.expectation_value(h).real ** 2
    assert found is not None
    assert found.width == pytest.approx(np.sqrt(variance), abs=1e-10)
    lowest = np.linalg.eigvalsh(h.to_matrix())[0]
    assert found.seen == pytest.approx(lowest, abs=1e-6)  # 20 products reach the end of 8 dimensions


def told(values, slopes=None):
    gradients = None if slopes is None else np.array(slopes, dtype=float)[:, None]
    return [
        Evaluation(
            k,
            k,
            np.zeros((1, 1)),
            Told(np.array([v]), np.zeros(1), None if gradients is None else gradients[k : k + 1]),
            0.0,
        )
        for k, v in enumerate(values)
    ]


def test_a_geometric_descent_is_seen_to_its_end():
    values = 3.0 + 0.8 ** np.arange(30)
    found = gap(told(values), 30)
    assert found.width == pytest.approx(0.8**29, rel=1e-6)


def test_a_quadratic_descent_is_seen_by_its_gradients():
    x = np.array([2.0, 1.5, 1.2, 0.9, 0.7, 0.6, 0.3, 0.1])
    found = gap(told(3.0 + x**2, 2 * x), len(x))
    assert found.width is not None
    assert found.width >= 0.1**2 - 1e-12


def test_a_descent_that_does_not_slow_down_or_is_short_says_nothing():
    assert gap(told(-np.arange(30.0)), 30).width is None
    assert "too few" in gap(told([1.0, 0.5]), 2).source
