"""The container's recipe, as far as it can be read without building it."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "containers" / "hybrid.def").read_text()


def sections():
    parts = re.split(r"^%(\w+)\n", RECIPE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", ["post", "environment", "runscript", "test"])
def test_its_scripts_are_shell(name):
    assert subprocess.run(["sh", "-n"], input=sections()[name], text=True, capture_output=True).stderr == ""


def test_it_installs_extras_that_there_are():
    (extras,) = re.findall(r"/opt/source\[([\w,]+)\]", sections()["post"])
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(known)
