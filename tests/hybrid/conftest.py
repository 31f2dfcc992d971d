import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Run the command line in this process, in an empty folder: cli("run", "x.toml") -> (exit code, out, err)."""
    from hybrid.cli import main

    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["hybrid", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def start():
    """Start a Python program in a process of its own, which the fixture ends if the test does not."""
    processes = []

    def begin(*arguments, **options):
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, text=True, **options)
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def wait_until():
    """Wait for something to become true; fail after five minutes, which only a machine in great need takes.

    Looking takes a fifth of the time at most: what is waited for needs the processor.
    """

    def wait(true, process=None):
        deadline = time.monotonic() + 300
        began = time.monotonic()
        while not true():
            looked = time.monotonic()
            assert process is None or process.poll() is None, f"ended early with {process.returncode}"
            assert looked < deadline, "waited for five minutes"
            time.sleep(max(0.005, 4 * (looked - began)))
            began = time.monotonic()

    return wait


@pytest.fixture
def unchain():
    """Make an open journal one as they were before they were chained, in which a test may change rows."""

    def change(database):
        database.execute("DROP TABLE chain")
        database.execute("DELETE FROM journal WHERE key = 'chained'")

    return change


@pytest.fixture
def rewind():
    """Cut the chain of stages before the first thing that a test has removed, as a kill at that moment leaves it."""
    from hybrid.runs.evidence import head_of

    def there(folder, kind, key, digest):
        if kind == "stage" and not key.endswith(".json"):
            found = (folder / key).exists() and head_of(folder / key)
            return found == digest.hex()
        file, _, number = key.partition(", line ")
        if kind == "journal" or not (folder / file).exists():
            return kind == "journal"
        content = (folder / file).read_bytes()
        lines = content.splitlines(keepends=True)
        part = b"".join(lines[int(number) - 1 : int(number)]) if number else content
        return hashlib.sha256(part).digest() == digest

    def cut(folder):
        with contextlib.closing(sqlite3.connect(folder / "stages.sqlite", isolation_level=None)) as database:
            for row, *link in database.execute("SELECT row, kind, key, digest FROM chain ORDER BY row").fetchall():
                if not there(folder, *link):
                    database.execute("DELETE FROM chain WHERE row >= ?", (row,))
                    return

    return cut
