"""A crate in the hands of somebody else: another user, another home, another path, nothing of the environment."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import hybrid
from circuits import hardware_efficient, tfim
from hybrid.runs.crate.write import write

pytestmark = pytest.mark.slow

NOBODY = 65534
ANOTHER = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
READS_ALL = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
"""For a Python that lies in the home of root: to read it, and to write nothing of it."""


def _as_another():
    """What a command begins with so that it runs as another user; None where that cannot be."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return None
    for prefix in (ANOTHER, ANOTHER + READS_ALL):
        asked = [*prefix, sys.executable, "-c", "import hybrid"]
        if subprocess.run(asked, capture_output=True, cwd="/", env={}).returncode == 0:
            return prefix
    return None


@pytest.fixture
def elsewhere():
    """A folder of another user, and a function that runs commands there, as that user."""
    prefix = _as_another()
    if prefix is None:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as place:
        folder = Path(place)
        (folder / "home").mkdir()
        for path in (folder, folder / "home"):
            os.chown(path, NOBODY, NOBODY)

        def call(*words):
            environment = {"HOME": str(folder / "home"), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
            command = [*prefix, sys.executable, "-m", "hybrid", *map(str, words)]
            return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

        yield folder, call


def test_the_runs_of_a_crate_are_repeated_to_the_last_bit(elsewhere, tmp_path):
    pytest.importorskip("rocrate.rocrate")
    folder, call = elsewhere
    counted = {"shots": 64, "optimizer": "spsa", "accuracy": 0.2, "max_steps": 5}
    for name, options in (("exact", {"backend": "statevector"}), ("counted", {"backend": "aer", **counted})):
        hybrid.minimize(hardware_efficient(3, layers=1), tfim(3), seed=4, folder=tmp_path / "mine" / name, **options)
    shutil.copy(write(tmp_path / "mine", tmp_path / "mine.crate.zip"), folder)
    os.chmod(folder / "mine.crate.zip", 0o444)
    taken = call("import", "mine.crate.zip")
    assert taken.returncode == 0, taken.stderr
    repeated = call("rerun", "mine.crate.zip", "--json")
    assert repeated.returncode == 0, repeated.stderr
    assert {one["name"]: one["verdict"] for one in json.loads(repeated.stdout)["runs"]} == {
        "exact": "same bits",
        "counted": "same bits",
    }
    compared = call("compare", "runs/mine", "again", "--json")
    assert compared.returncode == 0, compared.stderr
    agreements = json.loads(compared.stdout)["agreements"]
    assert [one["verdict"] for one in agreements] == ["same bits"] * 2
    assert (folder / "again" / "exact" / "result.json").stat().st_uid == NOBODY
    for name in ("exact", "counted"):
        mine, theirs = hybrid.load(tmp_path / "mine" / name), hybrid.load(folder / "again" / name)
        assert mine.history.same_bits(theirs.history)
