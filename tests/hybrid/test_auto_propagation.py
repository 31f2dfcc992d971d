"""Pauli propagation as "auto" takes it: with nothing dropped, or with what it drops said and within the accuracy."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

import backends
import hybrid
from backends import Batch
from backends.registry import METHODS
from circuits import hamiltonian_variational, tfim
from circuits.errors import Refused
from hybrid import Estimator
from hybrid.primitives.asked import AskedValues
from hybrid.routing.methods import with_options

spec = importlib.util.spec_from_file_location("propagated", Path(__file__).parents[2] / "benchmarks" / "propagated.py")
assert spec is not None
assert spec.loader is not None
propagated: Any = importlib.util.module_from_spec(spec)
sys.modules["propagated"] = propagated
spec.loader.exec_module(propagated)
EAGLE, Z_62 = propagated.EAGLE, propagated.z_on([62], propagated.EAGLE)

(LOCAL,) = (method for method in METHODS if method.circuits == "local")


def kicked(angle: float, steps: int) -> QuantumCircuit:
    """The kicked Ising model of Kim et al., Nature 618, 500 (2023), on 127 qubits."""
    return propagated.kicked_ising(angle, steps)


def answer(circuit, observable, theta=(), **options):
    return Estimator(**options).run([(circuit, observable, theta)]).result()[0]


@pytest.mark.parametrize(("angle", "expected"), [(0.0, 1.0), (np.pi / 2, 0.0)])
def test_kicks_at_clifford_angles(angle, expected):
    result = answer(kicked(angle, 5), Z_62)
    assert result.data.evs == pytest.approx(expected, abs=1e-12)
    assert "bias" not in result.data


@pytest.mark.parametrize("steps", [1, 2])
def test_few_kicks_at_other_angles_have_the_value_of_their_light_cone(steps):
    circuit = kicked(0.7, steps)
    expected = backends.get("statevector").submit(Batch(circuit, Z_62)).result().values[0, 0]
    assert answer(circuit, Z_62).data.evs == pytest.approx(expected, abs=1e-10)
    asked = AskedValues(circuit, (Z_62,), np.empty((1, 0)), None, None, 0.0, "open", True)
    fitted = with_options(LOCAL, asked, alone=False, try_out=True)
    assert fitted.bias == 0
    assert fitted.backend.capabilities().exact
    assert fitted.backend.submit(Batch(circuit, Z_62)).result().values[0, 0] == pytest.approx(expected, abs=1e-10)


def test_the_angles_that_were_given_decide_not_random_ones():
    """At random angles eight kicks take more strings than there is room for; at pi/2 one string stays one."""
    angle = Parameter("kick")
    circuit = QuantumCircuit(EAGLE)
    for _ in range(8):
        circuit.rx(angle, range(EAGLE))
        for pair in propagated.eagle():
            circuit.rzz(-np.pi / 2, *pair)
    asked = AskedValues(circuit, (Z_62,), np.array([[np.pi / 2]]), None, None, 0.0, "open", False)
    assert with_options(LOCAL, asked, alone=False, try_out=True).bias == 0


def test_what_is_dropped_is_said_and_is_within_the_accuracy():
    result = answer(kicked(0.3, 5), Z_62, default_precision=0.01)
    assert result.metadata.backend == "pauli"
    assert "by Pauli propagation with a threshold of 0.001, which moves values by about" in result.metadata.why
    assert 0 < result.data.bias <= 0.01
    finer = backends.get("pauli", threshold=1e-6).submit(Batch(kicked(0.3, 5), Z_62)).result().values[0, 0]
    assert result.data.evs == pytest.approx(finer, abs=float(result.data.bias))


def test_an_accuracy_that_cannot_be_met_is_refused_in_a_sentence():
    asked = AskedValues(kicked(1.0, 9), (Z_62,), np.empty((1, 0)), 1e-6, None, 1e-6, "open", False)
    with pytest.raises(
        Refused, match=r"^Pauli propagation cannot meet the accuracy of 1e-06: .*; ask for less accuracy"
    ):
        with_options(LOCAL, asked, alone=True, try_out=True)


def test_nothing_is_dropped_where_an_exact_way_exists_and_no_accuracy_was_named():
    asked = AskedValues(kicked(1.0, 9), (Z_62,), np.empty((1, 0)), None, None, 0.0, "open", False)
    with pytest.raises(Refused, match="no accuracy was named"):
        with_options(LOCAL, asked, alone=False, try_out=True)


def test_bit_strings_are_not_for_it():
    asked = AskedValues(kicked(0.3, 1), (Z_62,), np.empty((1, 0)), None, 100, 0.0, "open", False)
    with pytest.raises(Refused, match="draws no samples"):
        with_options(LOCAL, asked, alone=True, try_out=True)


def test_a_long_minimization_goes_where_it_is_predicted_to_be_fastest():
    """Light cones of 26 qubits take hours; what becomes of the bonds of a free-fermion chain is few Pauli strings."""
    problem = tfim(100)
    circuit = hamiltonian_variational(problem, layers=12)
    plan = hybrid.plan(circuit, problem)
    assert plan.chosen.name == "pauli"
    assert plan.chosen.bias == 0
    seconds = [way.cost.seconds for way in plan.ways]
    assert seconds == sorted(seconds)
    theta = np.linspace(0.1, 0.4, circuit.num_parameters)
    value, gradient = plan.chosen.backend.value_and_grad(circuit, problem.hamiltonian)(theta)
    few = hamiltonian_variational(problem, layers=2)
    exact = backends.get("statevector").value_and_grad(few, problem.hamiltonian)(theta[:4])
    cut = plan.chosen.backend.value_and_grad(few, problem.hamiltonian)(theta[:4])
    assert cut[0] == pytest.approx(exact[0])
    assert cut[1] == pytest.approx(exact[1])
    assert np.isfinite(value)
    assert gradient.shape == theta.shape
