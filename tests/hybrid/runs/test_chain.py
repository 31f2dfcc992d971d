"""The chain of a journal: what was changed, removed, put in or swapped has a name, and nothing else is accused."""

import hashlib
import shutil
import sqlite3
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

import hybrid
from backends.providers.hardware import Charge
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.optimizers.optimizer import Told
from hybrid.runs import chain
from hybrid.runs.evaluation import Evaluation
from hybrid.runs.evidence import examine
from hybrid.runs.failovers import Failover
from hybrid.runs.jobs import JobRow, Place
from hybrid.runs.journal import Journal, create, read, read_chain
from hybrid.workload.spec import BackendSpec


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", folder=folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "run"))


def _evaluation(number):
    rng = np.random.default_rng(number)
    return Evaluation(number, number, rng.normal(size=(1, 2)), Told(rng.normal(size=1), np.zeros(1), None), 0.5)


def _job(evaluation, status):
    charge = Charge(1, 2, 200)
    return JobRow(Place("", evaluation, 0), 0, "digest", f"tag-{evaluation}", "device", 2, 100, charge, status, 3)


@pytest.fixture
def journal(tmp_path):
    """A journal with rows in all its tables, some of them written twice or removed again."""
    path = tmp_path / "journal.sqlite"
    create(path, "a run", {"spec.json": b"{}"})
    with Journal(path, "a run") as opened:
        for number in range(4):
            opened.append(_evaluation(number))
        for status in ("intended", "queued", "done"):
            opened.write_job(_job(4, status))
        opened.write_job(_job(5, "queued"))
        opened.intend(6)
        opened.fail_over(Failover(6, "device", "it broke", "aer", BackendSpec(name="aer")))
        opened.intend(6)
        opened.seal(b"a result")
    return path


def _sql(path, *statements):
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def test_rows_written_twice_or_removed_by_the_run_are_no_faults(journal):
    found = read_chain(journal)
    assert found is not None
    assert found.faults == ()
    assert found.files == {"spec.json": hashlib.sha256(b"{}").hexdigest()}
    assert found.results == ((found.rows, hashlib.sha256(b"a result").hexdigest()),)


def _as_text(value):
    """A letter, the length in eight bytes, the content."""
    letter, content = {
        int: lambda: (b"i", str(value).encode()),
        str: lambda: (b"s", value.encode()),
        float: lambda: (b"f", struct.pack("<d", value)),
        bytes: lambda: (b"b", value),
    }[type(value)]()
    return letter + struct.pack("<Q", len(content)) + content


def _digest(row):
    return hashlib.sha256(b"".join(name.encode() + _as_text(value) for name, value in row)).digest()


def test_the_head_is_the_one_that_the_description_gives(tmp_path):
    """Computed here from the rows as anybody would with the page on evidence in hand."""
    path = tmp_path / "journal.sqlite"
    create(path, "a run")
    with Journal(path, "a run") as opened:
        opened.append(_evaluation(0))
        opened.intend(1)
        told = opened.chain
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    (evaluation,) = database.execute("SELECT * FROM evaluation").fetchall()
    (intent,) = database.execute("SELECT * FROM intent").fetchall()
    owner = [("journal", row["key"], [("value", row["value"])]) for row in database.execute("SELECT * FROM journal")]
    names = ["step", "n_rows", "n_params", "theta", "energies", "standard_errors", "seconds", "finished_at"]
    links = [
        *sorted(owner, key=lambda link: ["bound", "nonce", "chained"].index(link[1])),
        ("evaluation", "0", [(name, evaluation[name]) for name in names]),
        ("intent", "1", [("sent_at", intent["sent_at"])]),
    ]
    head = bytes(32)
    for kind, key, row in links:
        head = hashlib.sha256(head + _as_text(kind) + _as_text(key) + _as_text(_digest(row))).digest()
    assert told == {"rows": 5, "head": head.hex()}


TAMPERED = {
    "UPDATE evaluation SET energies = zeroblob(8) WHERE number = 2": ("evaluation, row 2: changed",),
    "UPDATE evaluation SET finished_at = 0 WHERE number = 3": ("evaluation, row 3: changed",),
    "UPDATE evaluation SET biases = zeroblob(8) WHERE number = 1": ("evaluation, row 1: changed",),
    "UPDATE evaluation SET seconds = CAST(seconds AS BLOB) WHERE number = 1": ("evaluation, row 1: changed",),
    "DELETE FROM evaluation WHERE number = 1": ("evaluation, row 1: missing",),
    "DELETE FROM evaluation WHERE number = 3": ("evaluation, row 3: missing",),
    "INSERT INTO evaluation SELECT 4, step, n_rows, n_params, theta, energies, standard_errors, gradients, seconds, "
    "finished_at, checksum, pairs, metrics, fidelities, biases FROM evaluation WHERE number = 3": (
        "evaluation, row 4: inserted, a copy of evaluation, row 3",
    ),
    "UPDATE evaluation SET number = CASE number WHEN 1 THEN -2 ELSE -1 END WHERE number IN (1, 2); "
    "UPDATE evaluation SET number = -number WHERE number < 0": ("evaluation, row 1: swapped with evaluation, row 2",),
    "UPDATE job SET usd = 0 WHERE evaluation = 4": ("job, row 4.0 (attempt 0): changed",),
    "UPDATE job SET status = 'failed' WHERE evaluation = 5": ("job, row 5.0 (attempt 0): changed",),
    "UPDATE job SET attempt = 1 WHERE evaluation = 5": (
        "job, row 5.0 (attempt 0): missing",
        "job, row 5.0 (attempt 1): inserted, a copy of job, row 5.0 (attempt 0)",
    ),
    "DELETE FROM job": ("job, row 4.0 (attempt 0): missing", "job, row 5.0 (attempt 0): missing"),
    "DROP TABLE job": ("job, row 4.0 (attempt 0): missing", "job, row 5.0 (attempt 0): missing"),
    "UPDATE failover SET reason = 'it was expensive'": ("failover, row 1: changed",),
    "DELETE FROM failover": ("failover, row 1: missing",),
    "DELETE FROM intent": ("intent, row 6: missing",),
    "INSERT INTO intent VALUES (9, 0)": ("intent, row 9: inserted",),
    "UPDATE journal SET value = 'x' WHERE key = 'nonce'": ("journal, row nonce: changed",),
    "UPDATE chain SET digest = zeroblob(32) WHERE row = 7": (
        "chain, row 7 (of evaluation, row 2): changed",
        "evaluation, row 2: changed",
    ),
    "UPDATE chain SET head = zeroblob(32) WHERE row = 7": ("chain, row 7 (of evaluation, row 2): changed",),
    "DELETE FROM chain WHERE row = 9": ("chain, row 9: missing",),
    "DELETE FROM chain WHERE row IN (9, 10)": ("chain, rows 9 to 10: missing",),
    "DROP TABLE chain": ("chain: missing",),
}


@pytest.mark.parametrize("statements", TAMPERED)
def test_what_was_changed_is_named(journal, statements):
    _sql(journal, *statements.split("; "))
    found = read_chain(journal)
    assert found is not None
    assert found.faults == TAMPERED[statements]


@pytest.mark.parametrize("statement", ["DELETE FROM evaluation WHERE number = 3", "UPDATE job SET usd = 0"])
def test_a_tampered_journal_is_not_continued(journal, statement):
    """Without the chain, a last row that is gone and a price that is lower looked like an honest journal."""
    _sql(journal, statement)
    with pytest.raises(Refused, match="was changed after it was written"):
        Journal(journal, "a run")


@pytest.mark.parametrize("statement", ["VACUUM", "REINDEX", "ANALYZE", "PRAGMA user_version = 7"])
def test_what_changes_no_row_is_no_fault(journal, statement):
    before = read_chain(journal)
    _sql(journal, statement)
    assert read_chain(journal) == before


class _BrokenOff(Exception):
    pass


def test_a_column_that_no_journal_has_is_named_even_in_an_empty_table(tmp_path):
    path = tmp_path / "journal.sqlite"
    create(path, "a run")
    content = path.read_bytes()
    assert content.count(b"    reason TEXT NOT NULL DEFAULT") == 1
    path.write_bytes(content.replace(b"    reason TEXT NOT NULL DEFAULT", b"    reaso\xee TEXT NOT NULL DEFAULT"))
    found = read_chain(path)
    assert found is not None
    assert found.faults == ("journal, column 'reaso\\udcee' of table job: of no journal",)
    with pytest.raises(Refused):
        read(path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, _BrokenOff])
def test_a_row_that_is_broken_off_before_its_link_is_not_there(tmp_path, monkeypatch, error):
    """As by a second Ctrl-C in the wrong moment: what was written before is kept, and the chain holds."""
    path = tmp_path / "journal.sqlite"
    create(path, "a run")

    def broken(table, row):
        raise error

    with Journal(path, "a run") as opened:
        opened.append(_evaluation(0))
        with monkeypatch.context() as patched:
            patched.setattr(chain, "link", broken)
            with pytest.raises(error):
                opened.append(_evaluation(1))
    assert read_chain(path).faults == ()
    assert len(read(path).evaluations) == 1
    with Journal(path, "a run") as opened:
        opened.append(_evaluation(1))
    assert read_chain(path).faults == ()


def test_a_journal_that_is_read_while_another_writes_is_whole(tmp_path):
    path = tmp_path / "journal.sqlite"
    create(path, "a run")
    ended = threading.Event()

    def write():
        with Journal(path, "a run") as opened:
            for number in range(60):
                opened.append(_evaluation(number))
                opened.commit()
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not ended.is_set():
        assert read_chain(path).faults == ()
    writer.join()
    assert len(read(path).evaluations) == 60


def _flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["spec.json", "circuit.qpy", "hamiltonian.json", "result.json"])
def test_a_file_beside_the_journal_is_named(run, name):
    assert examine(run).faults == ()
    _flip(run / name)
    assert f"{name}: changed" in examine(run).faults


def test_what_can_be_read_no_more_is_named_too(run):
    (run / "circuit.qpy").write_bytes(b"no circuit")
    with pytest.raises(Refused, match=r"changed after it was written: circuit.qpy: changed"):
        hybrid.verify(run)


def test_a_journal_without_its_end_is_found_by_the_result(run):
    rows = examine(run).rows
    _sql(
        run / "journal.sqlite",
        f"DELETE FROM chain WHERE row > {rows - 3}",
        "DELETE FROM evaluation WHERE number >= (SELECT max(number) FROM evaluation) - 1",
    )
    assert examine(run).faults == (
        f"result.json: it rests on {rows - 1} rows of the chain, which has {rows - 3}: its end is missing",
    )


def test_calibrations_that_no_run_wrote_are_named(run):
    (run / "calibrations.json").write_text('{"calibrations": []}')
    assert examine(run).faults == ("calibrations.json: inserted",)


def test_the_result_tells_what_it_rests_on(run):
    result = hybrid.load(run)
    assert result.chain is not None
    found = examine(run)
    assert result.chain["rows"] == found.rows - 1
    sealed = chain.Link(chain.RESULT, "result.json", hashlib.sha256((run / "result.json").read_bytes()).digest())
    assert chain.after(bytes.fromhex(result.chain["head"]), sealed).hex() == found.head
