"""AQT's simulators, in AQT's own environment."""

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp, Statevector

import backends
from circuits import hardware_efficient
from circuits.errors import Refused

pytestmark = pytest.mark.vendor


@pytest.fixture(scope="module", autouse=True)
def aqt(environments):
    return environments("aqt")


def test_values_are_those_of_the_state_up_to_its_noise():
    ansatz = hardware_efficient(3, layers=2)
    circuit = ansatz.assign_parameters(np.random.default_rng(4).uniform(-np.pi, np.pi, ansatz.num_parameters))
    observables = [SparsePauliOp(label) for label in ("IIZ", "ZII", "XYZ")]
    exact = np.array([Statevector(circuit).expectation_value(one).real for one in observables])
    assert abs(exact[0] - exact[1]) > 0.1, "the reversed order of bits would be seen"
    for name, noisy, tolerance in (("aqt:offline_ideal", False, 0.04), ("aqt:offline_noisy", True, 0.15)):
        device = backends.get(name)
        (values,) = device.prepare(circuit, observables)([], shots=10000, seed=1).values
        assert values == pytest.approx(exact, abs=tolerance)
        assert device.capabilities().noise is noisy


def test_devices_are_refused_by_name():
    with pytest.raises(Refused, match=r"'ibex' is not reachable yet.*offline_noisy"):
        backends.get("aqt:ibex")
