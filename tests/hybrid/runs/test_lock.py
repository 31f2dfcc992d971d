"""Locks: alone or shared, seen without being taken, let go when the last process that has them ends."""

import errno
import fcntl
import subprocess
import sys

import pytest

from circuits.errors import RecordFailed, Refused
from hybrid.runs.lock import Lock, held, take

WORK = """
import sys, time
from pathlib import Path
from hybrid.runs.lock import Lock
try:
    with Lock(Path(sys.argv[1]), shared=sys.argv[2] == "shared"):
        print("in", flush=True)
        sys.stdin.read()
except Exception as err:
    print(err, flush=True)
"""


@pytest.fixture
def other(start):
    """Another process that asks for the lock of a folder; what it says, and how to end it."""

    def begin(folder, how):
        process = start("-c", WORK, folder, how, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return process, process.stdout.readline().strip()

    return begin


@pytest.mark.parametrize(
    ("mine", "others", "together"),
    [("alone", "alone", False), ("alone", "shared", False), ("shared", "alone", False), ("shared", "shared", True)],
)
def test_who_may_work_together(tmp_path, other, mine, others, together):
    with Lock(tmp_path, shared=mine == "shared"):
        _, said = other(tmp_path, others)
    assert (said == "in") == together
    assert together or "another process is working" in said


def test_a_killed_process_lets_go(tmp_path, other):
    process, said = other(tmp_path, "alone")
    assert said == "in"
    assert held(tmp_path / "lock") == [(0, 0)]
    process.kill()
    process.wait()
    assert held(tmp_path / "lock") == []
    with Lock(tmp_path):
        pass


def test_looking_at_a_lock_does_not_keep_anybody_from_taking_it(tmp_path, monkeypatch):
    """Between every look and its answer somebody else may begin."""
    with Lock(tmp_path):
        pass
    look, taken = fcntl.fcntl, []

    def meanwhile(file, question, *rest):
        answer = look(file, question, *rest)
        if question == fcntl.F_OFD_GETLK and not taken:
            taken.append(True)
            with Lock(tmp_path):
                pass
        return answer

    monkeypatch.setattr(fcntl, "fcntl", meanwhile)
    assert held(tmp_path / "lock") == []
    assert taken


def test_a_lock_is_seen_where_nothing_can_be_written(tmp_path):
    with Lock(tmp_path):
        (tmp_path / "lock").chmod(0o444)
        tmp_path.chmod(0o555)
        try:
            assert held(tmp_path / "lock") == [(0, 0)]
        finally:
            tmp_path.chmod(0o755)
    assert held(tmp_path / "nowhere" / "lock") == []


def test_every_lock_on_a_file_is_found(tmp_path):
    path, files = tmp_path / "lock", []
    path.touch()
    wanted = [(0, 1), (3, 1), (4, 1), (9, 5), (1000, 1)]
    try:
        for at, size in wanted[::-2] + wanted[-2::-2]:  # the order in which they were taken does not matter
            files.append(path.open("a+b"))
            take(files[-1], start=at, length=size)
        assert held(path) == wanted
        assert held(path, start=1, length=9) == wanted[1:4]
        assert held(path, start=5, length=4) == []
        with path.open("a+b") as file, pytest.raises(BlockingIOError):
            take(file, start=13, length=1)
    finally:
        for file in files:
            file.close()
    assert held(path) == []


def test_a_child_that_inherits_the_file_keeps_the_lock(tmp_path, wait_until):
    path = tmp_path / "lock"
    with path.open("a+b") as file:
        take(file, start=7, length=1)
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[file.fileno()])
    assert held(path) == [(7, 1)]
    child.communicate(b"\n")
    assert held(path) == []


def test_a_kernel_that_knows_whole_files_only_still_keeps_two_apart(tmp_path, monkeypatch):
    def ignorant(file, question, *rest):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(fcntl, "fcntl", ignorant)
    with Lock(tmp_path), pytest.raises(Refused, match="another process"), Lock(tmp_path):
        pass
    with (tmp_path / "lock").open("a+b") as file, pytest.raises(OSError, match="Invalid"):
        take(file, start=1, length=1)


def test_what_keeps_a_lock_from_being_taken_is_said(tmp_path, monkeypatch):
    with pytest.raises(RecordFailed, match="No such file"), Lock(tmp_path / "gone"):
        pass

    def without(file, question, *rest):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "fcntl", without)
    with pytest.raises(Refused, match="cannot be locked: No locks available"), Lock(tmp_path):
        pass
