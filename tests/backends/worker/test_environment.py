"""Environments of their own, made without the network."""

import fcntl
import json
import subprocess
import sys

import pytest

import backends
from backends.providers.worker import environment
from backends.providers.worker.recipes import RECIPES
from circuits.errors import FailedJob, Refused


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_ENVIRONMENTS", str(tmp_path / "environments"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "environments"


@pytest.fixture
def package(tmp_path):
    """A package that installs without anything else."""
    import zipfile

    wheel = tmp_path / "tiny_vendor-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny_vendor.py", "answer = 42\n")
        file.writestr("tiny_vendor-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-vendor\nVersion: 1.0\n")
        file.writestr(
            "tiny_vendor-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr("tiny_vendor-1.0.dist-info/RECORD", "")
    return str(wheel)


def test_an_environment_is_made_used_and_removed(recipe_of, package, folder):
    tiny = recipe_of("tiny", ["tiny_vendor"], [package])
    lines = []
    made = environment.install(tiny, told=lines.append)
    assert made == environment.needed(tiny)
    assert made.folder == folder / "tiny"
    said = subprocess.run(
        [made.python, "-I", "-c", "import sys, tiny_vendor; print(tiny_vendor.answer, sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["42", str(folder / "tiny")]
    assert made.size_bytes > 0
    assert any("tiny" in line for line in lines)
    assert environment.uninstall(tiny)
    assert environment.installed(tiny) is None
    assert not environment.uninstall(tiny)


def test_what_was_there_before_works_on_while_an_installation_fails(recipe_of, package, folder):
    tiny = recipe_of("tiny", ["tiny_vendor"], [package])
    made = environment.install(tiny)
    wrong = recipe_of("tiny", ["no_such_module"], [package])
    with pytest.raises(FailedJob, match="No module named 'no_such_module'"):
        environment.install(wrong)
    assert environment.installed(tiny) == made
    gone = recipe_of("tiny", ["tiny_vendor"], [package + ".gone"])
    with pytest.raises(FailedJob, match="what was there before is as it was"):
        environment.install(gone)
    assert environment.installed(tiny) == made
    assert sorted(path.name for path in folder.iterdir()) == [".tiny.lock", "tiny"]


def test_an_interrupted_installation_leaves_nothing_half_usable(recipe_of, package, folder):
    tiny = recipe_of("tiny", ["tiny_vendor"], [package])

    def interrupt(line):
        if "trying it" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        environment.install(tiny, told=interrupt)
    assert environment.installed(tiny) is None
    assert [path.name for path in folder.iterdir()] == [".tiny.lock"]
    (folder / ".tiny.removed.1").mkdir()
    (folder / ".tiny.partial" / "bin").mkdir(parents=True)  # as one that was killed leaves it
    assert environment.installed(tiny) is None
    environment.install(tiny)
    assert sorted(path.name for path in folder.iterdir()) == [".tiny.lock", "tiny"]


def test_a_damaged_environment_is_none_and_is_repaired(recipe_of, package, folder):
    tiny = recipe_of("tiny", ["tiny_vendor"], [package])
    made = environment.install(tiny)
    made.python.unlink()
    assert environment.installed(tiny) is None
    environment.install(tiny)
    (folder / "tiny" / environment.STAMP).write_text("{")
    assert environment.installed(tiny) is None
    environment.install(tiny)
    assert environment.installed(recipe_of("tiny", ["tiny_vendor"], ["something-else"])) is None
    with pytest.raises(Refused, match="hybrid backends --install tiny"):
        environment.needed(recipe_of("tiny", ["tiny_vendor"], ["something-else"]))


def test_two_processes_do_not_make_the_same_environment(recipe_of, package, folder):
    folder.mkdir()
    with (folder / ".tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="being made by another process"):
            environment.install(recipe_of("tiny", ["tiny_vendor"], [package]))


def test_a_folder_that_cannot_be_written_is_said(recipe_of, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HYBRID_ENVIRONMENTS", str(tmp_path / "file" / "below"))
    with pytest.raises(Refused, match="HYBRID_ENVIRONMENTS can name another"):
        environment.install(recipe_of("tiny"))


def test_a_device_without_its_environment_names_the_cure():
    for name in RECIPES:
        with pytest.raises(Refused, match=f"hybrid backends --install {name}"):
            backends.get(f"{name}:anything")


def test_the_command_line_lists_what_is_missing_and_refuses_what_nobody_knows(folder):
    def call(*words):
        return subprocess.run([sys.executable, "-m", "hybrid.cli", *words], capture_output=True, text=True)

    listed = call("backends", "--uninstall", "iqm", "--json")
    assert (listed.returncode, listed.stderr.strip()) == (0, "iqm: was not installed")
    entries = {entry["name"]: entry for entry in json.loads(listed.stdout)["backends"]}
    assert not entries["iqm:*"]["works"]
    assert "hybrid backends --install iqm" in entries["iqm:*"]["summary"]
    assert entries["iqm:*"]["size_bytes"] is None
    wrong = call("backends", "--install", "iqn")
    assert (wrong.returncode, "did you mean 'iqm'" in wrong.stderr) == (2, True)
    assert not folder.exists()
