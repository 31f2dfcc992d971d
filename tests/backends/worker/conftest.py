"""Environments of vendors without the network: a virtual environment that borrows this one's packages."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from backends.providers.worker.process import Worker
from backends.providers.worker.recipes import Recipe

STAND_IN = Path(__file__).with_name("stand_in.py")


@pytest.fixture(scope="session")
def borrowed(tmp_path_factory):
    """The interpreter of an environment of its own, with Qiskit."""
    folder = tmp_path_factory.mktemp("environments") / "borrowed"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin" / "python"


@pytest.fixture
def stand_in(borrowed, tmp_path, monkeypatch):
    """A process that serves the devices of ``stand_in.py``."""
    monkeypatch.setenv("STAND_IN_JOBS", str(tmp_path / "jobs"))
    (tmp_path / "jobs").mkdir()
    worker = Worker("stand-in", borrowed, STAND_IN, ("STAND_IN_*",))
    yield worker
    worker.close()


@pytest.fixture(scope="session")
def recipe_of():
    """A recipe whose packages are there already."""

    def make(name, modules=("json",), packages=()):
        return Recipe(name, tuple(packages), tuple(modules), STAND_IN, ("STAND_IN_*",))

    return make
