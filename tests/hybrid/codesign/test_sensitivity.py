"""Derivatives by every number of a device against finite differences, and the values that a target needs."""

import math

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

import hybrid
from backends.measurement.targets import transpiled
from circuits import hamiltonian_variational, hardware_efficient, molecule, tfim, uccsd
from hybrid.codesign.engines import Density
from hybrid.codesign.model import model, paths
from hybrid.codesign.sensitivity import GROUPS, along, better, elasticity, needed, relaxing, sensitivities

NUMBERS = {
    "one_qubit_error": 4e-4,
    "two_qubit_error": 8e-3,
    "readout_error": 0.02,
    "readout_bias": 0.2,
    "t1": 150e-6,
    "t2": 120e-6,
    "one_qubit_s": 40e-9,
    "two_qubit_s": 300e-9,
    "crosstalk": 2e-3,
    "leakage": 1e-3,
}


def device(n, topology="line"):
    return hybrid.Device(n, topology, **NUMBERS)


def check_against_differences(circuit, H, on, theta, level=0, without=()):
    """All of a device's numbers count but those of `without`, as crosstalk where gates run one after the other."""
    density = Density(circuit, H, on, level)
    engine, noise = density.at(theta), on.values()
    slopes = engine.gradient(noise)
    assert set(slopes) == set(on.parameters())
    for name in on.parameters():
        step = 1e-4
        up, down = (dict(noise, **{name: noise[name] * (1 + sign * step)}) for sign in (1, -1))
        differences = (engine.value(up) - engine.value(down)) / (2 * step)
        found = elasticity(name, noise, slopes)[1]
        assert (abs(found) > 1e-6) != (name in without), name
        assert found == pytest.approx(differences, rel=1e-4), name


def test_derivatives_of_h2_by_every_number_are_finite_differences():
    problem = molecule("H 0 0 0; H 0 0 0.735", basis="sto-3g")
    circuit = uccsd(problem)
    theta = np.linspace(0.2, 0.4, circuit.num_parameters)
    check_against_differences(circuit, problem.hamiltonian, device(4), theta, level=1)


@pytest.mark.slow
def test_derivatives_of_four_spins_by_every_number_are_finite_differences():
    problem = tfim(4)
    circuit = hamiltonian_variational(problem, layers=1)
    check_against_differences(
        circuit, problem.hamiltonian, device(4, "ring"), np.array([0.4, 0.7]), without=["crosstalk"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("n", [6, 8, 10])
def test_derivatives_of_more_spins_by_every_number_are_finite_differences(n):
    problem = tfim(n)
    circuit = hardware_efficient(n, layers=1)
    theta = np.random.default_rng(n).uniform(-1, 1, circuit.num_parameters)
    check_against_differences(circuit, problem.hamiltonian, device(n), theta, without=["crosstalk"])


def engine_of(circuit, problem, on, theta):
    """The analytic model, which needs no compiling to speak of."""
    moved, layout = transpiled(circuit, on.fake(), level=0)
    bound = moved.assign_parameters(dict(zip(circuit.parameters, theta, strict=True)))
    labels = problem.hamiltonian.paulis.to_labels()
    state = Statevector(circuit.assign_parameters(theta))
    ideal = {label: float(state.expectation_value(SparsePauliOp(label)).real) for label in labels}
    return model(paths(bound, layout, problem.hamiltonian, ideal, on), on)


def test_groups_are_differences_too_and_coherence_takes_its_part_of_the_gates_errors_with_it():
    problem = tfim(2)
    on = device(2)
    noise = on.values()
    engine = engine_of(hamiltonian_variational(problem, layers=1), problem, on, np.array([0.4, 0.7]))
    slopes = engine.gradient(noise)
    for name in GROUPS:
        step = 1e-3
        up, down = (engine.value(better(noise, name, math.exp(sign * step), on)) for sign in (1, -1))
        assert along(name, noise, slopes, on) == pytest.approx((up - down) / (2 * step), rel=1e-4), name
    perfect = better(noise, "coherence", math.inf, on)
    was = relaxing(noise, on)
    assert perfect["one_qubit_error"] == pytest.approx(noise["one_qubit_error"] - was[0])
    assert perfect["two_qubit_error"] == pytest.approx(noise["two_qubit_error"] - was[1])
    assert np.all(np.isinf(perfect["t1"]))
    by_all = better(noise, "all", 2.0, on)
    scaled = on.scaled(0.5).values()
    assert all(by_all[name] == pytest.approx(scaled[name]) for name in on.parameters())


def test_a_better_t2_stays_possible():
    on = device(3)
    assert better(on.values(), "t2", 1e9, on)["t2"] == pytest.approx(2 * NUMBERS["t1"])
    assert better(on.values(), "t1", 1e-9, on)["t1"] == pytest.approx(NUMBERS["t2"] / 2)


@pytest.mark.parametrize(
    ("error", "target", "reach", "factor"),
    [
        (lambda f: 0.1 / f + 0.01, 0.02, "needed", 10.0),
        (lambda f: 0.1 / f + 0.01, 0.005, "not alone", None),
        (lambda f: 0.1 / f + 0.01, 0.21, "met", 0.5),
        (lambda f: 0.01, 0.02, "met", None),
    ],
)
def test_what_a_target_needs_of_a_known_function(error, target, reach, factor):
    found = needed(error, error(1.0), target)
    assert found[0] == reach
    assert found[1] == (None if factor is None else pytest.approx(factor, rel=1e-5))


def test_the_required_value_makes_the_error_the_target():
    problem = tfim(2)
    circuit = hamiltonian_variational(problem, layers=1)
    theta = hybrid_theta(circuit, problem)
    on = hybrid.Device(2, "line", two_qubit_error=0.02)
    engine = engine_of(circuit, problem, on, theta)
    exact, target = problem.exact_energy(), 0.02
    found = sensitivities(engine, on.values(), on, target=target, reference=exact)
    one = next(item for item in found if item.parameter == "two_qubit_error")
    assert one.reach == "needed"
    at = engine.value(on.with_(two_qubit_error=one.required).values())
    assert at - exact == pytest.approx(target, rel=1e-4)
    assert one.perfect > one.halved > target / 2


def hybrid_theta(circuit, problem):
    import scipy.optimize

    import backends

    value = backends.get("statevector").prepare(circuit, problem.hamiltonian)
    start = np.full(circuit.num_parameters, 0.3)
    return scipy.optimize.minimize(lambda row: float(value(row).values[0, 0]), start, method="BFGS").x
