"""The folder of an algorithm says by itself what came out, and does not believe what was changed."""

import json
import shutil

import numpy as np
import pytest

import hybrid
from circuits import hamiltonian_variational, hardware_efficient, maxcut, tfim
from circuits.errors import Refused
from hybrid.algorithms.qaoa import QAOA
from hybrid.algorithms.vqd import VQD

CHAIN = tfim(3)
HOPS = ["YZI", "IYZ", "ZYI", "IZY", "YII", "IIY"]


def _evolve(folder, evolution, **settings):
    circuit = hamiltonian_variational(CHAIN, layers=2)
    return evolution(circuit, CHAIN, time=0.6, steps=6, theta=np.full(4, 0.1), folder=folder, **settings)


def _classes():
    rng = np.random.default_rng(5)
    X = np.concatenate([rng.normal(-1, 0.6, (30, 3)), rng.normal(1, 0.6, (30, 3))])
    return X, np.repeat(["left", "right"], 30)


MADE = {
    "qaoa": lambda folder: hybrid.qaoa(
        maxcut([(0, 1), (1, 2), (2, 0), (2, 3)]), layers=2, backend="statevector", folder=folder
    ),
    "vqd": lambda folder: hybrid.vqd(
        hardware_efficient(2, layers=2), tfim(2), levels=3, backend="statevector", folder=folder
    ),
    "adapt": lambda folder: hybrid.adapt(CHAIN, pool=HOPS, max_operators=6, backend="statevector", folder=folder),
    "classifier": lambda folder: hybrid.classifier(
        _classes(), n_qubits=2, layers=1, accuracy=0.2, max_steps=80, backend="statevector", folder=folder
    ),
    "real": lambda folder: _evolve(folder, hybrid.real_time_evolution),
    "imaginary": lambda folder: _evolve(folder, hybrid.imaginary_time_evolution),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Each algorithm, carried out once."""
    place, results = tmp_path_factory.mktemp("made"), {}

    def of(kind):
        if kind not in results:
            results[kind] = MADE[kind](place / kind)
        return results[kind]

    return of


@pytest.fixture
def copied(made, tmp_path):
    """A copy of an algorithm's folder, somewhere else under an odd name."""

    def of(kind):
        return shutil.copytree(made(kind).folder, tmp_path / f"-a 'moved' {kind} ü")

    return of


@pytest.mark.parametrize("kind", MADE)
def test_what_was_found_is_read_back(kind, made, copied):
    found, folder = made(kind), copied(kind)
    again = hybrid.load(folder)
    assert type(again) is type(found)
    assert str(again).replace(str(folder), str(found.folder)) == str(found)
    assert json.dumps(again.content(), default=np.ndarray.tolist) == json.dumps(
        found.content(), default=np.ndarray.tolist
    )
    assert again.plot() is not None


def test_a_loaded_classifier_predicts_as_the_one_that_was_trained(made, copied):
    rows = _classes()[0]
    assert hybrid.load(copied("classifier")).predict(rows).tolist() == made("classifier").predict(rows).tolist()


def test_the_class_that_is_asked_for_is_checked(made):
    assert hybrid.load(made("qaoa").folder, QAOA).cut == 3.0
    with pytest.raises(Refused, match="holds a QAOA, not a VQD"):
        hybrid.load(made("qaoa").folder, VQD)


def test_an_algorithm_that_has_not_ended_says_how_it_goes_on(copied):
    folder = copied("vqd")
    (folder / "result.json").unlink()
    with pytest.raises(Refused, match="no result yet: call the function of vqd again"):
        hybrid.load(folder)


def test_the_folder_of_an_earlier_version_says_so(copied):
    folder = copied("qaoa")
    spec = json.loads((folder / "algorithm.json").read_text())
    (folder / "algorithm.json").write_text(json.dumps(spec | {"format": 1, "inputs": {}}))
    (folder / "stages.sqlite").unlink()
    with pytest.raises(Refused, match="begun by an earlier version"):
        hybrid.load(folder)
    assert hybrid.verify(folder).verdict == "incomplete"


@pytest.mark.parametrize("kind", MADE)
def test_a_good_record_passes(kind, copied):
    verification = hybrid.verify(copied(kind))
    failed = [check for check in verification.checks if check.outcome not in ("passed", "none")]
    assert not failed


def _number(folder, name, *keys, to):
    """Change a number in a file of JSON."""
    content = json.loads((folder / name).read_text())
    place = content
    for key in keys[:-1]:
        place = place[key]
    assert place[keys[-1]] != to
    place[keys[-1]] = to
    (folder / name).write_text(json.dumps(content))


def _point(folder, change):
    """Change a point of a trajectory, there and in the result, so that both tell the same."""
    file = folder / "trajectory.jsonl"
    points = [json.loads(line) for line in file.read_text().splitlines()]
    change(points)
    file.write_text("".join(json.dumps(point) + "\n" for point in points))
    summary = hybrid.algorithms.loading.read(folder)[0]
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(result | summary.content(), default=np.ndarray.tolist))


def _energy(points):
    points[-1]["energy"] += 1e-6


def _residual(points):
    points[-1]["residual"] += 1e-3


def _theta(points):
    points[3]["theta"][0] += 1e-3


DAMAGE = {
    "bits": ("qaoa", lambda folder: _number(folder, "result.json", "bits", to="0000")),
    "hits": ("qaoa", lambda folder: _number(folder, "result.json", "hits", to=17)),
    "edges": ("qaoa", lambda folder: _number(folder, "problem.json", "edges", 0, 2, to=2.0)),
    "counts": ("qaoa", lambda folder: (folder / "samples.json").write_text('{"counts": {"0000": 1024}}')),
    "level": ("vqd", lambda folder: _number(folder, "level-2.json", "energy", to=0.25)),
    "operators": ("adapt", lambda folder: _number(folder, "result.json", "operators", 0, to="ZYI")),
    "steps": ("adapt", lambda folder: _number(folder, "result.json", "steps", to=1)),
    "accuracy": ("classifier", lambda folder: _number(folder, "result.json", "accuracy", to=0.5)),
    "prediction": ("classifier", lambda folder: _number(folder, "predictions.json", "test", 0, to=7)),
    "data": ("classifier", lambda folder: (folder / "data.npz").write_bytes(b"PK")),
    "journal": ("classifier", lambda folder: (folder / "training.sqlite").unlink()),
    "energy": ("real", lambda folder: _point(folder, _energy)),
    "residual": ("imaginary", lambda folder: _point(folder, _residual)),
    "theta": ("imaginary", lambda folder: _point(folder, _theta)),
    "point": ("real", lambda folder: _cut(folder / "trajectory.jsonl")),
    "fidelity": ("real", lambda folder: _number(folder, "exact.json", "fidelities", 3, to=1.0)),
}


def _cut(file):
    file.write_bytes(file.read_bytes()[:-40])


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_record_fails(what, copied):
    kind, damage = DAMAGE[what]
    folder = copied(kind)
    damage(folder)
    assert hybrid.verify(folder).verdict == "failed"


@pytest.mark.parametrize("what", [what for what in DAMAGE if what not in ("energy", "residual", "theta")])
def test_a_damaged_record_is_not_read_as_the_result(what, copied):
    kind, damage = DAMAGE[what]
    folder = copied(kind)
    damage(folder)
    with pytest.raises(Refused):
        hybrid.load(folder)
