import os
import subprocess
import sys
from pathlib import Path

import pytest

import hybrid


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The path of a registry that does not exist yet, and a folder for runs."""
    path = tmp_path / "registry.sqlite"
    monkeypatch.setenv("HYBRID_REGISTRY", str(path))
    monkeypatch.setenv("HYBRID_RUNS", str(tmp_path / "runs"))
    return path


@pytest.fixture
def twenty_writers(tmp_path):
    """Add entries from two processes with ten threads each at once: the numbers that are found, of 0 to 19."""

    def add(run):
        program = tmp_path / "writer.py"
        program.write_text(WRITER)
        environment = os.environ | {"PYTHONPATH": str(Path(hybrid.__file__).parents[1])}
        command = [sys.executable, str(program), str(run)]
        writers = [subprocess.Popen([*command, str(k)], env=environment) for k in range(2)]
        assert [writer.wait() for writer in writers] == [0] * 2
        return sorted(entry.evaluations for entry in hybrid.registry().entries())

    return add


WRITER = """
import sys, threading
from dataclasses import replace
from pathlib import Path
from hybrid.registry import registry as module
from hybrid.registry.entry import entry_from
entry, first = entry_from(Path(sys.argv[1])), 10 * int(sys.argv[2])
module.entry_from = lambda path: replace(entry, result_sha256=f"{int(str(path)):064x}", evaluations=int(str(path)))
failed = []
def add(k):
    try:
        module.registry().add(str(k))
    except BaseException as err:
        failed.append(err)
threads = [threading.Thread(target=add, args=(first + k,)) for k in range(10)]
[one.start() for one in threads]
[one.join() for one in threads]
if failed:
    raise failed[0]
"""
