import sqlite3
import stat

import pytest

import hybrid
from circuits import hamiltonian_variational, tfim
from circuits.errors import PolicyViolation, Refused
from hybrid.registry.address import address_of
from hybrid.registry.entry import COLUMNS
from hybrid.registry.family import distance, features


@pytest.fixture
def run(place, tmp_path):
    problem = tfim(2)
    return hybrid.minimize(
        hamiltonian_variational(problem, layers=1), problem, backend="reference", folder=tmp_path / "run"
    )


def test_entry_holds_every_bit_of_the_angles(run):
    hybrid.registry().add(run.folder)
    (entry,) = hybrid.registry().entries()
    assert entry.theta.tolist() == run.theta.tolist()
    assert (entry.energy, entry.exact_energy) == (run.energy, run.exact_energy)
    assert (entry.evaluations, entry.status, entry.label) == (run.evaluations, "converged", "open")
    assert entry.versions["qiskit"]
    assert hybrid.registry().entry(entry.name).result_sha256 == entry.result_sha256


def test_run_is_added_once(run, place):
    for _ in range(2):
        hybrid.registry(place).add(run.folder)
    assert len(hybrid.registry(place).entries()) == 1
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_twenty_writers_at_once_lose_nothing(run, twenty_writers):
    assert twenty_writers(run.folder) == list(range(20))


def test_stopped_and_unfinished_runs_are_refused(place, tmp_path):
    problem = tfim(2)
    stopped = hybrid.minimize(
        hamiltonian_variational(problem, layers=1),
        problem,
        backend="reference",
        folder=tmp_path / "a",
        should_stop=lambda: True,
    )
    with pytest.raises(Refused, match="stopped before its end: continue it"):
        hybrid.registry().add(stopped.folder)
    with pytest.raises(Refused, match="no such folder"):
        hybrid.registry().add(tmp_path / "nothing")


def test_changed_result_is_refused(run):
    file = run.folder / "result.json"
    file.write_text(file.read_text().replace(str(run.energy), str(run.energy - 0.1)))
    with pytest.raises(Refused, match="changed after the run had ended"):
        hybrid.registry().add(run.folder)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("mysql://me@there/base", "postgresql://USER@HOST/DATABASE"),
        ("postgresql://me:hunter22@there/base", "PGPASSFILE"),
        ("postgresql://me@there/base?password=hunter22", "PGPASSFILE"),
        ("postgresql://me@[there/base", "is no URL"),
    ],
)
def test_address_is_refused_and_its_password_never_shown(monkeypatch, address, why):
    monkeypatch.setenv("HYBRID_REGISTRY", address)
    with pytest.raises(Refused, match=why) as refusal:
        hybrid.registry()
    assert "hunter22" not in str(refusal.value)


def test_data_that_may_not_leave_are_not_sent_to_a_server(run, monkeypatch, tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[approval]]\nlabels = ["open"]\nsites = ["lab.example"]\napproved_by = "A. Person"\nuntil = 2999-12-31\n'
    )
    monkeypatch.setenv("HYBRID_POLICY", str(policy))
    with pytest.raises(PolicyViolation, match=r"other\.example"):
        hybrid.registry("postgresql://me@other.example/base").add(run.folder)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("postgresql://me@lab.example/base", "lab.example"),
        ("postgresql://me@lab.example/base?hostaddr=10.0.0.1", "10.0.0.1"),
        ("postgresql:///base?service=group", "group"),
        ("postgresql://me@localhost/base", None),
        ("postgresql:///base?host=/run/postgresql", None),
    ],
)
def test_host_of_an_address(monkeypatch, address, host):
    for name in ("PGSERVICE", "PGHOST", "PGHOSTADDR"):
        monkeypatch.delenv(name, raising=False)
    assert address_of(address).host == host


def test_damaged_file_is_refused_with_the_cure(place):
    place.write_bytes(b"no file of SQLite's " * 100)
    with pytest.raises(Refused, match="restore it from a copy"):
        hybrid.registry().entries()


def test_other_file_of_sqlite_is_left_alone(place, run):
    with sqlite3.connect(place) as database:
        database.execute("CREATE TABLE recipes (cake TEXT)")
    for act in (hybrid.registry().entries, lambda: hybrid.registry().add(run.folder)):
        with pytest.raises(Refused, match="is no registry: its tables are recipes"):
            act()


@pytest.mark.parametrize(("version", "cure"), [(99, "update hybrid-codesign"), (0, "name another")])
def test_other_versions_are_refused(place, run, version, cure):
    hybrid.registry().add(run.folder)
    with sqlite3.connect(place) as database:
        database.execute("UPDATE registry_schema SET version = ?", (version,))
    with pytest.raises(Refused, match=cure):
        hybrid.registry().entries()


def test_place_that_cannot_be_written_is_refused(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="get the right to write there"):
        hybrid.registry(tmp_path / "file" / "registry.sqlite").add(run.folder)


def test_entry_that_was_spoiled_is_named(place, run):
    entry = hybrid.registry().add(run.folder)
    with sqlite3.connect(place) as database:
        database.execute("UPDATE registry_entry SET theta = '[0.1,'")
    with pytest.raises(Refused, match=f"entry {entry.name} is damaged"):
        hybrid.registry().entries()


def test_unknown_entries_are_refused(run):
    hybrid.registry().add(run.folder)
    with pytest.raises(Refused, match="no entries"):
        hybrid.registry().entry("0" * 12)
    with pytest.raises(Refused, match="names no entry"):
        hybrid.registry().entry("%")


def test_table_has_a_column_for_each_attribute(run, place):
    hybrid.registry().add(run.folder)
    with sqlite3.connect(place) as database:
        assert [name for _, name, *_ in database.execute("PRAGMA table_info(registry_entry)")] == list(COLUMNS)


def test_distance_is_relative():
    one, other = features(tfim(4, field=0.5)), features(tfim(8, field=1.0))
    assert one == {"n": 4, "coupling": 1, "field": 0.5}
    assert distance(one, other) == pytest.approx(0.5**0.5)
    assert distance(one, {"n": 4}) == float("inf")
