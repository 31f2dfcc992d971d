import sys

import numpy as np
import pytest

import backends
import hybrid
from circuits.errors import Refused
from hybrid.algorithms.class_scores import Scores, classifier_circuit
from hybrid.algorithms.classifier import training_work
from hybrid.algorithms.cross_entropy import Loss, batch_rows
from hybrid.algorithms.dataset import Dataset, Encoder
from hybrid.optimizers.optimizer import Points

pytest.importorskip("sklearn", reason="classifiers need the extra learn")


@pytest.fixture(scope="module")
def wine(tmp_path_factory):
    return hybrid.classifier("wine", backend="statevector", folder=tmp_path_factory.mktemp("wine"))


def test_rows_held_out_are_told_apart(wine):
    assert wine.chance < 0.5
    assert wine.accuracy > 0.85  # 54 rows: chance to guess so many is below 1e-10
    assert wine.accuracy > wine.baseline - 0.1
    assert wine.losses[0] > 2 * np.mean(wine.losses[-10:])
    assert len(wine.data.test) + len(wine.data.train) == 178
    assert f"{wine.accuracy:.1%}" in str(wine)


def test_a_majority_is_no_achievement(tmp_path):
    result = hybrid.classifier("breast_cancer", max_steps=40, backend="statevector", folder=tmp_path)
    assert 0.6 < result.chance < 0.65
    assert result.accuracy > result.chance + 0.15


def test_raw_rows_are_predicted(wine):
    from sklearn.datasets import load_wine

    data = load_wine()
    right = wine.predict(data.data) == data.target
    both = wine.accuracy * len(wine.data.test) + wine.train_accuracy * len(wine.data.train)
    assert np.sum(right) == pytest.approx(both)


def test_the_same_seed_gives_the_same_bits_and_a_kill_changes_nothing(tmp_path, rewind):
    def ask(folder, **change):
        arguments = {"max_steps": 12, "backend": "statevector", "folder": folder} | change
        return hybrid.classifier("iris", **arguments)

    import sqlite3

    whole, other = ask(tmp_path / "whole"), ask(tmp_path / "other", seed=1)
    ask(tmp_path / "killed")
    with sqlite3.connect(tmp_path / "killed" / "training.sqlite") as database:
        database.execute("DELETE FROM evaluation WHERE number > 4")
        (row,) = database.execute("SELECT row FROM chain WHERE kind = 'evaluation' AND key = '5'").fetchone()
        database.execute("DELETE FROM chain WHERE row >= ?", (row,))
    database.close()
    for name in ("predictions.json", "result.json"):
        (tmp_path / "killed" / name).unlink()
    rewind(tmp_path / "killed")
    killed = ask(tmp_path / "killed")
    assert killed.theta.tobytes() == whole.theta.tobytes()
    assert killed.losses.tobytes() == whole.losses.tobytes()
    assert (killed.accuracy, killed.train_accuracy) == (whole.accuracy, whole.train_accuracy)
    assert other.theta.tobytes() != whole.theta.tobytes()
    with pytest.raises(Refused, match="data differ"):
        hybrid.classifier("wine", max_steps=12, backend="statevector", folder=tmp_path / "whole")


@pytest.mark.parametrize("name", ["statevector", "reference"])
def test_the_gradient_of_the_loss_is_that_of_differences(name):
    circuit, n_theta = classifier_circuit(2, layers=1), 4  # two angles of each qubit in each layer
    scores = Scores(backends.get(name), circuit, 2, None)
    rng = np.random.default_rng(4)
    theta, rows, labels = rng.normal(size=n_theta), rng.normal(size=(11, 2)), np.arange(11) % 3 % 2
    data = Dataset("two", ("a", "b"), rows, labels, rows, labels, Encoder(*np.zeros((5, 1))))
    loss = Loss(training_work(circuit, data, seed=0), data, 11, backends.get(name))
    told = loss(Points(theta[None], gradient=True), 0)
    assert told.gradients is not None
    h = 1e-5
    moved = theta + h * np.concatenate([np.eye(n_theta), -np.eye(n_theta)])
    up, down = loss(Points(moved, gradient=False), 0).values.reshape(2, -1)
    assert told.gradients[0] == pytest.approx((up - down) / (2 * h), abs=1e-7)
    assert np.linalg.norm(told.gradients) > 0.1
    p = np.exp(scores(theta, rows, 0))
    assert told.values[0] == pytest.approx(-np.mean(np.log(p[range(11), labels] / p.sum(axis=1))), abs=1e-12)


def test_a_classifier_from_shots(tmp_path):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(-1, 0.3, (20, 2)), rng.normal(1, 0.3, (20, 2))])
    y = ["left"] * 20 + ["right"] * 20
    result = hybrid.classifier(
        (X, y), n_qubits=2, layers=1, batch_size=4, max_steps=50, shots=50, backend="reference", folder=tmp_path
    )
    assert result.data.classes == ("left", "right")
    assert result.accuracy > 0.8


def test_an_epoch_sees_every_row_once():
    seen = [batch_rows(10, 3, step=step, seed=5) for step in range(6)]
    for epoch in (seen[:3], seen[3:]):
        rows = np.concatenate(epoch)
        assert len(set(rows)) == len(rows) == 9
    assert not np.array_equal(seen[0], seen[3])
    assert np.array_equal(batch_rows(10, 64, step=7, seed=5), np.arange(10))


@pytest.mark.parametrize(
    ("data", "change", "words"),
    [
        ("irs", {}, "did you mean 'iris'"),
        ("iris", {"n_qubits": 5}, "at most 4"),
        ("iris", {"n_qubits": 2}, "one for each class"),
        ("iris", {"held_out": 1.0}, "held_out"),
        ("iris", {"layers": 0}, "layers"),
        ("iris", {"batch_size": 0}, "batch_size"),
        (([[1.0, 2.0]], [0, 1]), {}, "shape"),
        (([[1.0, 2.0], [3.0, 4.0]], [0, 1]), {"n_qubits": 2}, "cannot be divided"),
    ],
)
def test_wrong_input_is_refused(data, change, words, tmp_path):
    with pytest.raises(Refused, match=words):
        hybrid.classifier(data, folder=tmp_path / "run", **change)
    assert not (tmp_path / "run").exists()


def test_without_scikit_learn_the_cure_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(Refused, match=r"hybrid-codesign\[learn\]"):
        hybrid.classifier("iris", folder=tmp_path / "run")
