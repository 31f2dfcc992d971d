"""Folders of stages: whatever is changed in them has a name, and no kill, move or second call is taken for a change."""

import hashlib
import json
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

import hybrid
from circuits import hardware_efficient, maxcut, tfim
from circuits.errors import RecordFailed, Refused
from hybrid.algorithms.kinds import KINDS
from hybrid.runs import stages
from hybrid.runs.evidence import examine
from hybrid.runs.journal import read_chain
from hybrid.runs.kinds import kind_of

TRIANGLE = [(0, 1), (1, 2), (2, 0)]


def qaoa(folder):
    return hybrid.qaoa(maxcut(TRIANGLE), layers=2, samples=30, backend="statevector", folder=folder, progress=False)


def evolution(folder):
    circuit = hardware_efficient(2, layers=1)
    return hybrid.real_time_evolution(circuit, tfim(2), time=0.2, steps=3, folder=folder, progress=False)


def codesign(folder):
    device = hybrid.Device(2, "line", two_qubit_error=0.01, readout_error=0.001)
    vary = {"two_qubit_error": [0.01, 0.02]}
    circuit = hardware_efficient(2, layers=1)
    return hybrid.codesign(circuit, tfim(2), device=device, vary=vary, method="model", folder=folder, progress=False)


def benchmark(folder):
    asked = {"backends": ["statevector", "reference"], "only": ["ghz"], "shots": 40}
    return hybrid.bench("quick", folder=folder, progress=False, **asked)


ASKED = {"qaoa": qaoa, "evolution": evolution, "codesign": codesign, "benchmark": benchmark}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("stages")
    for name, ask in ASKED.items():
        ask(home / name)
    return home


@pytest.fixture
def record(home, tmp_path):
    """A copy of a record by its name."""
    return lambda name: Path(shutil.copytree(home / name, tmp_path / name))


def outcome(folder):
    """What result.json says, but for times."""
    said = json.loads((folder / "result.json").read_text())
    for unit in said.get("units", ()):
        del unit["seconds"], unit["finished_utc"]
    return {key: value for key, value in said.items() if key not in ("seconds", "prediction", "provenance")}


def swapped(first, second):
    def change(folder):
        for old, new in ((first, "between"), (second, first), ("between", second)):
            (folder / old).rename(folder / new)

    return change


def edited(name, old, new):
    def change(folder):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def last_line_twice(name):
    def change(folder):
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join([*lines, lines[-1]]))

    return change


def other_angle(folder):
    with closing(sqlite3.connect(folder / "layers-1" / "journal.sqlite")) as database:
        database.execute("UPDATE evaluation SET theta = ? WHERE number = 2", (struct.pack("<2d", 0.1, 0.2),))
        database.commit()


CHANGES = {
    "a stage's file": ("qaoa", edited("samples.json", ": ", ": 1"), "samples.json: changed"),
    "what was given": ("qaoa", edited("problem.json", "1.0", "1.5"), "problem.json: changed"),
    "what was asked": ("qaoa", edited("algorithm.json", '"samples": 30', '"samples": 31'), "algorithm.json: changed"),
    "the result": ("qaoa", edited("result.json", "converged", "finished"), "result.json: changed"),
    "two stages": ("qaoa", swapped("layers-1", "layers-2"), "layers-1: swapped with layers-2"),
    "a stage gone": ("qaoa", lambda folder: shutil.rmtree(folder / "layers-1"), "layers-1: missing"),
    "a stage's result": ("qaoa", lambda folder: (folder / "layers-1/result.json").unlink(), "layers-1: result.json"),
    "a value of a stage": ("qaoa", other_angle, "layers-1: evaluation, row 2: changed"),
    "a stage put in": (
        "qaoa",
        lambda folder: shutil.copytree(folder / "layers-1", folder / "layers-3"),
        "layers-3: inserted, a copy of layers-1",
    ),
    "no chain": ("qaoa", lambda folder: (folder / "stages.sqlite").unlink(), "stages.sqlite: missing"),
    "no question": ("qaoa", lambda folder: (folder / "algorithm.json").unlink(), "algorithm.json: missing"),
    "a point": ("evolution", edited("trajectory.jsonl", "0.", "1."), "trajectory.jsonl, line 1: changed"),
    "a point twice": (
        "evolution",
        last_line_twice("trajectory.jsonl"),
        "trajectory.jsonl, line 5: inserted, a copy of trajectory.jsonl, line 4",
    ),
    "two devices": (
        "codesign",
        swapped("device-0000.json", "device-0001.json"),
        "device-0000.json: swapped with device-0001.json",
    ),
    "a device gone": ("codesign", lambda folder: (folder / "device-0000.json").unlink(), "device-0000.json: missing"),
    "a score": ("benchmark", edited("units.jsonl", '"value": ', '"value": 1'), "units.jsonl, line 1: changed"),
    "a score in the result": ("benchmark", edited("result.json", '"value": ', '"value": 1'), "result.json: changed"),
    "what was measured": ("benchmark", edited("bench.json", '"shots": 40', '"shots": 41'), "bench.json: changed"),
    "half a line more": (
        "benchmark",
        lambda folder: (folder / "units.jsonl").open("a").write("{"),
        "units.jsonl: ends in half a line",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_was_changed_is_named(what, record):
    name, change, words = CHANGES[what]
    folder = record(name)
    assert examine(folder).faults == ()
    change(folder)
    (fault,) = examine(folder).faults
    assert fault.startswith(words)


@pytest.mark.parametrize("what", ["a stage's file", "a value of a stage", "two devices", "a point", "a score"])
def test_a_folder_that_was_changed_is_not_gone_on_with(what, record):
    name, change, words = CHANGES[what]
    folder = record(name)
    change(folder)
    with pytest.raises(Refused, match=f"was changed after it was written.*{words}.*left as it is"):
        ASKED[name](folder)


SLOW = pytest.mark.slow


@pytest.mark.parametrize("name", [pytest.param("qaoa", marks=SLOW), "evolution", "codesign", "benchmark"])
def test_verify_says_what_the_chain_says(name, record, cli):
    folder = record(name)
    checks = {check.name: check for check in hybrid.verify(folder).checks}
    assert checks["chain"].outcome == "passed"
    assert examine(folder).head in checks["chain"].finding
    edited("result.json", "0.", "1.")(folder)
    checks = {check.name: check for check in hybrid.verify(folder).checks}
    assert checks["chain"].outcome == "failed"
    assert "result.json: changed" in checks["chain"].finding
    code, out, _ = cli("verify", folder)
    assert code == 3
    assert "result.json" in out


@pytest.mark.parametrize("name", ["qaoa", "benchmark"])
def test_the_head_follows_from_the_files_by_the_formula_of_the_page(name, home):
    """As docs/evidence.md has it, from the files alone, but for the heads of the stages' journals."""
    folder, head = home / name, bytes(32)
    with closing(sqlite3.connect(folder / "stages.sqlite")) as database:
        links = database.execute("SELECT kind, key, digest FROM chain ORDER BY row").fetchall()
    for kind, key, digest in links:
        file, _, number = key.partition(", line ")
        if kind == "stage" and (folder / key).is_dir():
            chain = read_chain(folder / key / "journal.sqlite")
            assert chain is not None
            digest = bytes.fromhex(chain.head)
        elif kind != "journal":
            content = (folder / file).read_bytes()
            digest = hashlib.sha256(content.splitlines(keepends=True)[int(number) - 1] if number else content).digest()
        parts = [(b"s", kind.encode()), (b"s", key.encode()), (b"b", digest)]
        head = hashlib.sha256(head + b"".join(t + len(c).to_bytes(8, "little") + c for t, c in parts)).digest()
    assert head.hex() == examine(folder).head
    assert {kind for kind, _, _ in links} == {"file", "journal", "result"} | ({"stage"} if name == "qaoa" else {"line"})


@pytest.mark.parametrize(
    ("name", "how"), [pytest.param("qaoa", "write", marks=SLOW), ("evolution", "append"), ("benchmark", "append")]
)
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_between_a_link_and_its_file_accuses_nobody(name, how, after, home, tmp_path, monkeypatch):
    """The moments at which the chain and the folder differ: before each file or line, and in the middle of each."""
    real, count = getattr(stages, how), 0

    class Killed(BaseException):
        pass

    def dies(path, content):
        nonlocal count
        count += 1
        if count == at:
            if after:
                path.with_name(path.name if how == "append" else f".{path.name}.1").open("ab").write(content[:9])
            raise Killed
        real(path, content)

    total = 99
    for at in range(1, 9):
        folder, count = tmp_path / f"{at}", 0
        with monkeypatch.context() as patched:
            patched.setattr(stages, how, dies)
            try:
                ASKED[name](folder)
                total = at - 1
            except Killed:
                pass
        if kind_of(folder) is not None:
            assert examine(folder).faults == ()
        ASKED[name](folder)
        assert examine(folder).faults == ()
        assert examine(folder).sealed
        assert outcome(folder) == outcome(home / name)
        if total < at:
            break
    assert 1 < total < 8


def test_a_stage_that_is_gone_is_done_again_and_the_chain_keeps_that(record, home):
    folder = record("qaoa")
    shutil.rmtree(folder / "layers-2")
    (folder / "result.json").unlink()
    qaoa(folder)
    assert outcome(folder) == outcome(home / "qaoa")
    assert examine(folder).faults == ()
    with closing(sqlite3.connect(folder / "stages.sqlite")) as database:
        links = database.execute("SELECT digest IS NULL FROM chain WHERE key = 'layers-2' ORDER BY row").fetchall()
    assert links == [(0,), (1,), (0,)]


def test_a_file_that_no_stage_has_written_is_not_taken_for_one(home, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(home / "qaoa", tmp_path / "qaoa"))
    for name in ("samples.json", "result.json"):
        (folder / name).unlink()
    with monkeypatch.context() as patched:
        patched.setattr(stages, "write", full)
        with pytest.raises(RecordFailed):
            qaoa(folder)
    shutil.copy(home / "codesign" / "device-0000.json", folder / "samples.json")
    with pytest.raises(Refused, match=r"samples\.json: changed"):
        qaoa(folder)


def full(path, content):
    raise RecordFailed(f"{path} cannot be written: No space left on device")


OLDER = {"qaoa": ("algorithm.json", "format", 2), "benchmark": ("bench.json", "version", 1)}


@pytest.mark.parametrize("name", OLDER)
def test_records_of_earlier_versions_are_read_and_gone_on_with(name, record, home):
    folder, (head, key, version) = record(name), OLDER[name]
    said = json.loads((folder / head).read_text()) | {key: version}
    (folder / head).write_text(json.dumps(said, indent=1) + "\n")
    (folder / "stages.sqlite").unlink()
    found = examine(folder)
    assert (found.chained, found.faults) == (False, ())
    checks = {check.name: check for check in hybrid.verify(folder).checks}
    assert checks["chain"].outcome == "none"
    assert "before records were chained" in checks["chain"].finding
    (folder / "result.json").unlink()
    ASKED[name](folder)
    assert outcome(folder) == outcome(home / name) | ({"version": 1} if name == "benchmark" else {})
    assert not (folder / "stages.sqlite").exists()


def test_every_kind_of_algorithm_names_functions_that_are_there():
    for kind in KINDS.values():
        assert callable(kind.reader)
        assert kind.checked is None or callable(kind.checked)
        assert kind.backend_of_run is None or callable(kind.backend_of_run)
