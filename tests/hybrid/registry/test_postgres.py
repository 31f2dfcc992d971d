"""A registry on a real server of PostgreSQL's, which a user without rights starts in a folder of its own."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp

import pytest

import hybrid
from circuits import hamiltonian_variational, tfim
from circuits.errors import Refused

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))

pytestmark = pytest.mark.slow


def as_user(*words, **options):
    """A command, as the user postgres where the tests are run by root, whom the server refuses."""
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    return subprocess.run([*map(str, words)], check=True, capture_output=True, timeout=300, cwd="/", **user, **options)


@pytest.fixture(scope="module")
def server():
    """The folder with the socket of a server that lets its user in with a password only."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL is not installed; Debian's package is postgresql")
    pytest.importorskip("psycopg")
    folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))  # the path of a socket is short
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    folder.chmod(0o755)
    secret, data, programs = folder / "secret", folder / "data", PROGRAMS[-1].parent
    secret.write_text("hunter22\n")
    secret.chmod(0o644)
    try:
        as_user(PROGRAMS[-1], "-D", data, "-U", "keeper", "-A", "scram-sha-256", f"--pwfile={secret}", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        as_user(programs / "pg_ctl", "-D", data, "-w", "-t", 120, "-o", options, "-l", folder / "log", "start")
        try:
            yield folder
        finally:
            as_user(programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def shared(server, place, tmp_path, monkeypatch):
    """The address of the server, whose password stands in the file that PGPASSFILE names; its registry is empty."""
    passwords = tmp_path / "pgpass"
    passwords.write_text("*:*:*:keeper:hunter22\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    address = f"postgresql://keeper@/postgres?host={server}"
    monkeypatch.setenv("HYBRID_REGISTRY", address)
    yield address
    import psycopg

    monkeypatch.setenv("PGPASSFILE", str(passwords))
    with psycopg.connect(address) as database:
        database.execute("DROP TABLE IF EXISTS registry_entry, registry_schema")


def minimized(**options):
    problem = tfim(2)
    return hybrid.minimize(hamiltonian_variational(problem, layers=1), problem, backend="reference", **options)


def test_run_starts_where_another_has_ended(shared):
    assert hybrid.registry().entries() == []
    cold = minimized(theta="registry")
    warm = minimized(theta="registry", seed=1)
    assert "cold start" in cold.start
    assert "the same problem and circuit" in warm.start
    assert warm.evaluations < cold.evaluations
    first, second = hybrid.registry().entries()
    assert {first.started_from, second.started_from} - {first.result_sha256, second.result_sha256} == {None}
    assert first.theta.tolist() in (cold.theta.tolist(), warm.theta.tolist())
    assert "hunter22" not in "".join(p.read_text() for p in warm.folder.glob("*.json"))


def test_twenty_writers_at_once_lose_nothing(shared, tmp_path, twenty_writers):
    run = minimized(folder=tmp_path / "run")
    assert twenty_writers(run.folder) == list(range(20))


def test_wrong_password_and_missing_server_are_refused_without_a_word_of_it(shared, tmp_path, monkeypatch):
    run = minimized(folder=tmp_path / "run")
    with pytest.raises(Refused, match="see that the server runs"):
        hybrid.registry("postgresql://keeper@/postgres?host=/tmp/nobody-listens-here").entries()
    (tmp_path / "wrong").write_text("*:*:*:keeper:hunter33\n")
    (tmp_path / "wrong").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "wrong"))
    with pytest.raises(Refused, match="password authentication failed") as refusal:
        hybrid.registry().add(run.folder)
    assert "hunter33" not in str(refusal.value)


def test_newer_tables_are_refused(shared, tmp_path):
    import psycopg

    hybrid.registry().add(minimized(folder=tmp_path / "run").folder)
    with psycopg.connect(shared) as database:
        database.execute("UPDATE registry_schema SET version = 99")
    with pytest.raises(Refused, match="update hybrid-codesign"):
        hybrid.registry().entries()
