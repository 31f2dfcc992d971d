"""Arguments that no algorithm, co-design or benchmark can do anything with: one sentence before anything is written."""

import numpy as np
import pytest

import hybrid
from circuits import hardware_efficient, maxcut, tfim
from circuits.errors import Refused

CHAIN, CIRCUIT = tfim(2), hardware_efficient(2, layers=1)
ROWS = np.arange(24.0).reshape(12, 2)
DEVICE = hybrid.Device(2, "line", two_qubit_error=0.01, readout_error=0.001)


def qaoa(**changed):
    return hybrid.qaoa(maxcut([(0, 1), (1, 2)]), **{"layers": 1} | changed)


def vqd(circuit=CIRCUIT, **changed):
    return hybrid.vqd(circuit, CHAIN, **{"levels": 2} | changed)


def classifier(data=(ROWS, [0, 1] * 6), **changed):
    return hybrid.classifier(data, **{"n_qubits": 2, "layers": 1} | changed)


def evolution(**changed):
    return hybrid.real_time_evolution(CIRCUIT, CHAIN, **{"time": 1.0, "steps": 2} | changed)


def codesign(circuit=CIRCUIT, **changed):
    return hybrid.codesign(circuit, CHAIN, **{"device": DEVICE, "method": "model"} | changed)


def bench(**changed):
    return hybrid.bench(**{"suite": "quick", "backends": "statevector", "only": "ghz"} | changed)


ASKED = (qaoa, vqd, classifier, evolution, codesign, bench)

WRONG = [
    (qaoa, {"layers": 10**9}, "would have .* gates"),
    (qaoa, {"start": [np.nan, 0.1]}, "start must hold finite angles"),
    (qaoa, {"start": object()}, "start must be angles"),
    (vqd, {"starts": 10**9}, "starts must be a whole number of at most 1000"),
    (vqd, {"circuit": None}, "circuit must be a Qiskit QuantumCircuit, not NoneType"),
    (classifier, {"layers": 10**9}, "the classifier of 1000000000 layers"),
    (classifier, {"data": (ROWS[:0], [])}, "has no rows"),
    (classifier, {"data": (ROWS, [0, None] * 6)}, "y must hold classes of one type"),
    (classifier, {"data": (ROWS, [1] * 12)}, "has the class '1' alone"),
    (classifier, {"data": (ROWS * np.nan, [0, 1] * 6)}, "X must be finite"),
    (evolution, {"time": 1e300}, "time must be at most"),
    (codesign, {"circuit": "x"}, "circuit must be a Qiskit QuantumCircuit, not str"),
    (codesign, {"vary": 3}, "vary must name numbers of a device"),
    (codesign, {"method": None}, "unknown method"),
    (bench, {"suite": 3}, "unknown suite 3"),
    (bench, {"only": 3}, "only must be a list of names"),
    (bench, {"shots": 1.5}, "shots must be a whole number"),
    (bench, {"seed": None}, "seed must be a whole number"),
    (bench, {"circuits": 3}, "folder must be the path of a folder, not 3"),
]


@pytest.mark.parametrize(("ask", "changed", "words"), WRONG)
def test_it_is_refused_in_one_sentence_before_anything_is_written(ask, changed, words, tmp_path):
    with pytest.raises(Refused, match=words):
        ask(folder=tmp_path / "never", progress=False, **changed)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("folder", [3, "", "a\0b"])
@pytest.mark.parametrize("ask", ASKED)
def test_what_is_no_folder_is_refused(ask, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match="folder must be the path of a folder"):
        ask(folder=folder, progress=False)
    assert not list(tmp_path.iterdir())
