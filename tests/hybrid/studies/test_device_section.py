"""The section [device]: a modelled device, and who simulates it."""

import tomllib

import pytest

from circuits import Refused
from hybrid.studies import build, check

STUDY = """
[problem]
kind = "tfim"
n = 3
[ansatz]
kind = "hardware_efficient"
layers = 1
[device]
n_qubits = 4
topology = "ring"
two_qubit_error = "{error}"
readout_error = [0.01, 0.02, 0.03, 0.04]
[sweep]
error = [0.0, 0.01]
"""


def study(text):
    return check(tomllib.loads(text), path="study.toml")


@pytest.mark.parametrize("name", ["device", "density", "aer"])
def test_a_device_is_the_backend_or_the_noise_of_the_one_that_is_named(name):
    text = STUDY if name == "device" else STUDY + f'[backend]\nname = "{name}"\n'
    points = study(text).points()
    backend = build(points[1])[2]["backend"]
    assert backend.capabilities().name == name
    assert backend.capabilities().noise
    assert backend.capabilities().max_qubits == 4
    told = points[1].record()["backend"]
    assert told.get("device", told.get("noise", told))["two_qubit_error"] == 0.01


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[backend]\nname = "statevector"\n', r"\[device\] is for the backends device, density, aer"),
        ("[backend]\nn_qubits = 5\n", r"\[backend\] n_qubits: \[device\] says it, too"),
    ],
)
def test_what_contradicts_it_is_refused(more, said):
    with pytest.raises(Refused, match=said):
        study(STUDY + more)


def test_a_mistyped_key_is_refused():
    with pytest.raises(Refused, match="two_qubit_error"):
        study(STUDY.replace("two_qubit_error", "two_qubit_eror"))
