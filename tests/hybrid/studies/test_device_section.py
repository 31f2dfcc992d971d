"""The section [device]: a modelled device, and who simulates it."""

import tomllib

import pytest

from circuits import Refused
from hybrid.studies import build, check
from hybrid.studies.preparation import plan_of

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


@pytest.mark.parametrize("name", ["device", "density", "trajectories", "aer"])
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
        ('[backend]\nname = "statevector"\n', r"is for the backends device, density, trajectories, aer, auto"),
        ("[backend]\nn_qubits = 5\n", r"\[backend\] n_qubits: \[device\] says it, too"),
    ],
)
def test_what_contradicts_it_is_refused(more, said):
    with pytest.raises(Refused, match=said):
        study(STUDY + more)


def test_a_mistyped_key_is_refused():
    with pytest.raises(Refused, match="two_qubit_error"):
        study(STUDY.replace("two_qubit_error", "two_qubit_eror"))


@pytest.mark.parametrize(
    ("more", "n_qubits", "name", "why"),
    [
        ("", 3, "density", "exact values"),
        ("shots = 100\n", 3, "device", "shots are asked for"),
        ("", 13, "trajectories", "standard errors"),
    ],
)
def test_auto_takes_the_simulator_that_suits_the_circuit(more, n_qubits, name, why):
    text = STUDY.replace("n = 3", f"n = {n_qubits}").replace("n_qubits = 4", f"n_qubits = {n_qubits}")
    text = text.replace("readout_error = [0.01, 0.02, 0.03, 0.04]", "readout_error = 0.01")
    point = study(text + f'[backend]\nname = "auto"\n{more}').points()[1]
    assert build(point)[2]["backend"].capabilities().name == name
    plan = plan_of(point)
    assert plan.ways[0].name == name
    assert why in plan.ways[0].reason
    assert 0 < plan.ways[0].cost.seconds < 1e6


def test_auto_refuses_what_no_simulator_can_do():
    text = STUDY.replace("n = 3", "n = 30").replace("n_qubits = 4", "n_qubits = 30")
    text = text.replace("readout_error = [0.01, 0.02, 0.03, 0.04]", "readout_error = 0.01")
    with pytest.raises(Refused, match="too many for density matrices"):
        build(study(text + '[backend]\nname = "auto"\n').points()[0])
