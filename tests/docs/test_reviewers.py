"""Each command of the reviewer's table is typed, and each place that it names is there."""

import json
import re
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from fnmatch import fnmatch

import pytest
from guides import ROOT, blocks
from test_commands import GIVEN

PAGE = ROOT / "docs" / "reviewers.md"

ROW = re.compile(r"^\| (?P<question>.+?) \| `(?P<command>hybrid [^`]+)` \| (?P<places>.+) \|$", re.MULTILINE)

ABSENT = {"calibrations.json", "theirs/imported.json", "decisions.jsonl"}
"""Files that this run need not have, or that lie elsewhere; the text beside them says so."""


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Type a command line in an empty folder: its exit code, and what it said."""
    import shlex

    from hybrid.cli import main

    (tmp_path / "study.toml").write_text(GIVEN.format(field=1.5))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "anna"], check=True)
    key = " ".join((tmp_path / "anna.pub").read_text().split()[:2])
    (tmp_path / "allowed_signers").write_text(f'anna@example.org namespaces="hybrid-run" {key}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def call(line):
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        capsys.readouterr()
        try:
            main()
        except SystemExit as end:
            captured = capsys.readouterr()
            return end.code or 0, captured.out + captured.err
        raise AssertionError("a command ends with an exit code")

    return call


def there(folder, place):
    """Whether a place of the third column is there: a file, a key in one, or a table's column."""
    name, _, inside = place.partition(": ")
    if not inside:
        return name in ABSENT or any(fnmatch(file.name, name) for file in folder.iterdir())
    if name.endswith(".sqlite"):
        table, column = inside.split(".")
        with closing(sqlite3.connect(folder / name)) as database:
            return column in {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
    content = json.loads((folder / name).read_text())
    for key in inside.split("."):
        if key not in content:
            return False
        content = content[key]
    return True


@pytest.mark.slow
@pytest.mark.skipif(
    subprocess.run(["sh", "-c", "command -v ssh-keygen"], capture_output=True).returncode, reason="OpenSSH"
)
def test_every_question_is_answered_by_its_command_and_its_place(typed, tmp_path):
    pytest.importorskip("rocrate.rocrate")
    (begin,) = (block.text.strip() for block in blocks(PAGE, "sh"))
    assert typed(begin)[0] == 3  # noise keeps it from its accuracy
    rows = list(ROW.finditer(PAGE.read_text()))
    assert len(rows) == PAGE.read_text().count("\n| ") - 2
    for row in rows:
        code, said = typed(row["command"])
        assert code in ((0, 3) if "verify" in row["command"] else (0,)), (row["command"], said[-2000:])
        assert said.strip(), row["command"]
        for place in re.findall(r"`([^`]+)`", row["places"]):
            if row["places"].startswith("crate: "):
                with zipfile.ZipFile(
                    tmp_path / ("public.zip" if place == "redaction.json" else "vqe.crate.zip")
                ) as file:
                    assert place in file.namelist(), place
            else:
                assert there(tmp_path / "vqe", place), (row["question"], place)
    assert (tmp_path / "theirs" / "imported.json").is_file()
    assert "same bits" in typed("hybrid compare vqe.crate.zip again")[1]
