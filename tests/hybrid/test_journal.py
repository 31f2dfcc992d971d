import sqlite3

import numpy as np
import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.optimizers.optimizer import Told
from hybrid.runs.evaluation import Evaluation
from hybrid.runs.journal import Journal, create, read
from hybrid.runs.lock import Lock


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", max_steps=6, folder=folder)
    return folder


def _evaluation(number, rows=2, params=3, gradient=True, metric=False, pairs=None):
    rng = np.random.default_rng(number)
    told = Told(
        rng.normal(size=rows),
        rng.random(rows),
        rng.normal(size=(rows, params)) if gradient else None,
        rng.normal(size=(rows, params, params)) if metric else None,
        None if pairs is None else rng.random(pairs),
    )
    compared = None if pairs is None else rng.normal(size=(pairs, 2, params))
    return Evaluation(number, number // 2, rng.normal(size=(rows, params)), told, 0.25, compared)


def _same(one, other):
    if one is None or other is None:
        return one is other
    return (one.shape, one.tobytes()) == (other.shape, other.tobytes())


def test_what_is_written_is_read_to_the_last_bit(tmp_path):
    written = [
        _evaluation(0),
        _evaluation(1, gradient=False),
        _evaluation(2, rows=1),
        _evaluation(3, params=0, metric=True, pairs=2),
        _evaluation(4, metric=True),
        _evaluation(5, gradient=False, pairs=4),
        _evaluation(6, pairs=0),
    ]
    path = tmp_path / "journal.sqlite"
    create(path, "a run")
    journal = Journal(path, "a run")
    for evaluation in written:
        journal.append(evaluation)
    journal.close()
    for before, after in zip(written, read(path).evaluations, strict=True):
        assert before.theta.tobytes() == after.theta.tobytes()
        assert before.theta.shape == after.theta.shape
        assert before.told.values.tobytes() == after.told.values.tobytes()
        assert before.told.standard_errors.tobytes() == after.told.standard_errors.tobytes()
        assert all(_same(getattr(before.told, name), getattr(after.told, name)) for name in vars(before.told))
        assert _same(before.pairs, after.pairs)
        assert (before.number, before.step, before.seconds) == (after.number, after.step, after.seconds)


def _overwrite_middle(path):
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half:] = b"\xff" * (len(content) - half)
    path.write_bytes(content)


def _truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _not_sqlite(path):
    path.write_bytes(b"this was a journal once" * 100)


def _change_one_bit(path):
    database = sqlite3.connect(path)
    (blob,) = database.execute("SELECT energies FROM evaluation WHERE number = 2").fetchone()
    database.execute("UPDATE evaluation SET energies = ? WHERE number = 2", (bytes([blob[0] ^ 1]) + blob[1:],))
    database.commit()


def _drop_one(path):
    database = sqlite3.connect(path)
    database.execute("DELETE FROM evaluation WHERE number = 1")
    database.commit()


@pytest.mark.parametrize("damage", [_overwrite_middle, _truncate, _not_sqlite, _change_one_bit, _drop_one])
def test_a_damaged_journal_is_refused_and_left_alone(run, damage):
    path = run / "journal.sqlite"
    damage(path)
    before = path.read_bytes()
    with pytest.raises(Refused, match="corrupt"):
        hybrid.resume(run)
    assert path.read_bytes() == before


def test_a_journal_of_another_run_is_refused(run, tmp_path):
    other = tmp_path / "other"
    hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", seed=1, max_steps=6, folder=other)
    (other / "journal.sqlite").replace(run / "journal.sqlite")
    with pytest.raises(Refused, match="another run"):
        hybrid.resume(run)


def test_two_processes_do_not_share_a_run(run):
    with Lock(run), pytest.raises(Refused, match="another process"):
        hybrid.resume(run)
    assert hybrid.resume(run).steps == 6


@pytest.mark.parametrize("file", ["spec.json", "circuit.qpy", "hamiltonian.json"])
def test_damaged_files_are_refused(run, file):
    (run / file).write_bytes((run / file).read_bytes()[:40])
    with pytest.raises(Refused, match=str(run)):
        hybrid.resume(run)


def test_an_empty_folder_is_no_run(tmp_path):
    with pytest.raises(Refused, match="holds no run"):
        hybrid.resume(tmp_path)


FULL_DISK = """
import resource, sys, hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import RecordFailed
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))  # no file may grow beyond this, as on a full disk
problem, circuit = tfim(4), hardware_efficient(4, layers=8)
try:
    hybrid.minimize(circuit, problem, backend="reference", optimizer="cobyla", max_steps=600, folder=sys.argv[1])
except RecordFailed as err:
    print(err)
    sys.exit(42)
"""


def test_a_full_disk_stops_the_run_and_keeps_what_was_committed(tmp_path, start):
    process = start("-c", FULL_DISK, tmp_path / "run")
    assert process.wait() == 42
    kept = read(tmp_path / "run" / "journal.sqlite").evaluations
    resumed = hybrid.resume(tmp_path / "run")
    assert resumed.evaluations > len(kept)
    assert resumed.history.theta[: len(kept)].tobytes() == b"".join(e.theta.tobytes() for e in kept)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="file"):
        hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", folder=tmp_path / "file" / "run")
    with pytest.raises(Refused, match="file"):
        hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", folder=tmp_path / "file")
