"""Runs are found by name from any folder, listed with filters, and never with a broken word."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest

import hybrid
from circuits import hamiltonian_variational, tfim
from circuits.errors import Refused
from hybrid.runs import index
from hybrid.runs.listing import listing, selected
from hybrid.terminal.console import PipeSafeConsole
from hybrid.terminal.rows import put


@pytest.fixture
def far(tmp_path, monkeypatch):
    """A run that was begun in a folder of its own, seen from another one."""
    place, elsewhere = tmp_path / "deep" / "down" / "chain", tmp_path / "elsewhere"
    elsewhere.mkdir()
    problem = tfim(2)
    hybrid.minimize(hamiltonian_variational(problem, layers=1), problem, backend="reference", folder=place)
    monkeypatch.chdir(elsewhere)
    return place


def test_a_run_is_found_by_its_name_or_the_beginning_of_it(far, cli):
    assert index.find("chain") == far
    assert index.find("cha") == far
    assert index.find(str(far)) == far
    assert str(index.find("nothing")) == "nothing"
    assert json.loads(cli("show", "chain", "--json")[1])["folder"] == str(far)
    assert [entry["name"] for entry in listing()] == ["chain"]


def test_folders_that_moved_or_share_a_name_are_no_trouble(far, tmp_path):
    twin = tmp_path / "other" / "chain"
    shutil.copytree(far, twin)
    index.add(twin)
    index.add(twin)
    assert index.known() == [far, twin]
    with pytest.raises(Refused, match=f"2 folders: {far}, {twin}"):
        index.find("chain")
    shutil.rmtree(far)
    assert index.find("chain") == twin
    assert [entry["folder"] for entry in listing()] == [str(twin)]


def test_the_list_is_the_users_alone_and_holds_no_secret(far, monkeypatch):
    file = index.data_folder() / index.FILE
    assert file.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("SOME_API_KEY", "kq8Zx2mvP0aL")
    before = file.read_bytes()
    index.add(far.parent / "kq8Zx2mvP0aL")
    index.add(far.parent / "two\nlines")
    assert file.read_bytes() == before


def test_a_home_that_cannot_be_written_keeps_no_run_from_starting(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HYBRID_DATA", str(tmp_path / "file" / "below"))
    index.add(tmp_path)
    assert index.known() == []


def test_runs_are_selected_by_what_they_are():
    now = datetime.now(UTC)
    entries = [
        {
            "status": status,
            "problem": problem,
            "backend": "aer",
            "created_utc": f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}",
        }
        for status, problem, days in (("converged", "LiH", 30), ("stalled", "TFIM, 4 sites", 2), ("converged", "H2", 0))
    ]
    assert selected(entries, status="converged") == [entries[0], entries[2]]
    assert selected(entries, problem="tfim", backend="AER") == [entries[1]]
    assert selected(entries, since="7d") == entries[1:]
    assert selected(entries, since=f"{now - timedelta(days=1):%Y-%m-%d}") == [entries[2]]
    with pytest.raises(Refused, match="did you mean 'converged'"):
        selected(entries, status="convergd")
    with pytest.raises(Refused, match="must be a date"):
        selected(entries, since="lately")


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
def test_no_word_is_broken(capsys, width):
    rows = [
        {
            "run": "tfim-20261126-101010-abcdef",
            "state": "failed: the disk was full",
            "energy": "-1.137 ± 0.012 hartree",
        },
        {"run": "a-name-that-is-longer-than-any-narrow-terminal-could-hold", "state": "converged", "energy": "-"},
    ]
    put(PipeSafeConsole(width=width), rows)
    shown = capsys.readouterr().out
    for row in rows:
        for word in " ".join(row.values()).split():
            assert word in shown
    assert "-1.137 ± 0.012 hartree" in shown
    longest = max(max(map(len, line.split()), default=0) for line in shown.splitlines())
    assert all(len(line) <= max(width, longest) for line in shown.splitlines())


def test_an_index_may_hold_paths_that_are_no_text(tmp_path):
    place = tmp_path / os.fsdecode(b"r\xff")
    place.mkdir()
    index.add(place)
    assert index.known() == [place]
