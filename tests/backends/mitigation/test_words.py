"""The words of mitigation, and what refuses them."""

import pytest

import backends
from backends import Batch
from backends.mitigation.words import as_mitigation
from circuits import hardware_efficient, tfim
from circuits.errors import Refused


def test_words_and_tables_mean_the_same():
    table = as_mitigation({"readout": {}, "zne": {"factors": [1, 2], "extrapolation": "richardson"}})
    words = as_mitigation(["readout", {"zne": {"factors": [1, 2], "extrapolation": "richardson"}}])
    assert table == words
    assert as_mitigation("dd").words == ("dd",)
    assert as_mitigation(None).words == ()


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("readuot", "did you mean 'readout'"),
        (["zne", {"zne": {}}], "names 'zne' twice"),
        (["zne", "cdr"], "name one of them"),
        ({"zne": {"factors": [1, 1]}}, "ascending from 1"),
        ({"zne": {"factors": [3]}}, "ascending from 1"),
        ({"zne": {"extrapolation": "quadratic"}}, "extrapolation of mitigation 'zne' must be"),
        ({"zne": {"factor": [1, 3]}}, "did you mean 'factors'"),
        ({"twirling": {"randomizations": 1}}, "at least 2"),
        ({"twirling": 8}, "settings of 'twirling' are a table"),
        (7, "mitigation must be"),
    ],
)
def test_what_is_misspelt_or_means_nothing_is_refused(option, said):
    with pytest.raises(Refused, match=said):
        as_mitigation(option)


@pytest.mark.parametrize("name", ["statevector", "lightning", "reference", "aer"])
def test_backends_without_noise_refuse_by_name(name):
    with pytest.raises(Refused, match=rf"{name}.*noise.*nothing"):
        backends.get(name, mitigation=["readout"])


def test_decoupling_without_durations_and_folding_without_gates_are_refused():
    noise = pytest.importorskip("qiskit_aer.noise")
    model = noise.NoiseModel()
    model.add_all_qubit_readout_error(noise.ReadoutError([[0.9, 0.1], [0.2, 0.8]]))
    problem = tfim(2)
    batch = Batch(hardware_efficient(2, layers=1).decompose(), problem.hamiltonian, [0.0] * 4, shots=10)
    with pytest.raises(Refused, match="'dd' needs to know how long gates take"):
        backends.get("aer", noise=model, mitigation="dd").submit(batch)
    alone = Batch(hardware_efficient(1, layers=1), "Z", [0.3] * hardware_efficient(1, layers=1).num_parameters, shots=9)
    with pytest.raises(Refused, match="the circuit has none"):
        backends.get("aer", noise=model, mitigation="zne").submit(alone)


def test_a_device_that_compiles_what_it_is_sent_refuses_folding():
    from backends.providers.device import Device
    from backends.providers.ibm import snapshot
    from backends.providers.qiskit import QiskitHere

    hardware = QiskitHere(snapshot("fake_manila"))
    hardware.verbatim = False
    with pytest.raises(Refused, match="would cancel the gates"):
        Device(hardware, mitigation=["zne"])
    Device(hardware, mitigation=["readout"])
