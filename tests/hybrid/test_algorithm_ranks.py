"""An algorithm on several ranks has the bits of one, and a kill at any moment costs nothing that was finished."""

import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("HYBRID_KILLS", "2"))
"""As for `test_kill`."""

NOISY = """
[algorithm]
kind = "qaoa"
layers = 2
samples = 50
[problem]
kind = "maxcut"
edges = [[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]]
[optimizer]
kind = "adam"
max_steps = 12
accuracy = 0.01
[backend]
name = "statevector"
shots = 50
[run]
seed = 7
"""

CHAIN = """
[problem]
kind = "tfim"
n = 3
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[backend]
name = "statevector"
"""

KINDS = {
    "qaoa": NOISY,
    "vqd": '[algorithm]\nkind = "vqd"\nlevels = 2\nstarts = 2\n' + CHAIN,
    "adapt": """
[algorithm]
kind = "adapt"
pool = ["YZI", "IYZ", "ZYI", "IZY", "YII", "IIY"]
max_operators = 4
[problem]
kind = "tfim"
n = 3
[backend]
name = "statevector"
""",
    "classifier": f"""
[algorithm]
kind = "classifier"
data = "{ROOT / "examples" / "shapes.csv"}"
classes = "shape"
n_qubits = 2
[optimizer]
max_steps = 20
[backend]
name = "statevector"
""",
    "evolution": '[algorithm]\nkind = "evolution"\ndirection = "imaginary"\ntime = 2.0\nsteps = 60\n' + CHAIN,
}


def outcome(folder):
    """What result.json says, but for times and who computed it."""
    content = json.loads((folder / "result.json").read_text())
    return {key: value for key, value in content.items() if key not in ("seconds", "ranks", "prediction")}


def begun(place, *arguments, ranks=0):
    launcher = ["mpiexec", "-n", str(ranks)] if ranks else []
    command = [*launcher, sys.executable, "-m", "hybrid.cli", "run", "study.toml", "--no-plot", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


MANY = {
    "qaoa": NOISY,
    "vqd": (KINDS["vqd"] + 'shots = 40\n[optimizer]\nkind = "spsa"\nmax_steps = 4\n'),
    "classifier": (KINDS["classifier"].replace("max_steps = 20", "max_steps = 3") + "shots = 20\n"),
}
"""Studies whose evaluations have several tiles, which ranks share."""


@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="mpiexec is not on PATH")
@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed")
@pytest.mark.parametrize(
    "kind", [kind if kind == "qaoa" else pytest.param(kind, marks=pytest.mark.slow) for kind in MANY]
)
def test_two_ranks_have_the_bits_of_one(kind, cli, tmp_path):
    (tmp_path / "study.toml").write_text(MANY[kind])
    assert cli("run", "study.toml", "--folder", "one", "--no-plot")[0] == 3  # so few steps do not converge
    process = begun(tmp_path, "--folder", "two", ranks=2)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 3, err
    assert outcome(tmp_path / "two") == outcome(tmp_path / "one")
    assert json.loads((tmp_path / "two" / "result.json").read_text())["ranks"] == 2
    assert json.loads((tmp_path / "two" / "result.json").read_text())["seconds"]["other ranks"] > 0.0


@pytest.mark.parametrize(
    "kind", [kind if kind == "qaoa" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_killed_and_resumed_is_the_same_to_the_last_bit(kind, cli, tmp_path):
    (tmp_path / "study.toml").write_text(KINDS[kind])
    start = time.monotonic()
    code = cli("run", "study.toml", "--folder", "whole", "--no-plot")[0]
    assert code in (0, 3)
    longest = time.monotonic() - start
    rng, folder = random.Random(kind), tmp_path / "killed"
    for _ in range(KILLS):
        process = begun(tmp_path, "--folder", "killed", *["--resume"] * (folder / "algorithm.json").exists())
        deadline = time.monotonic() + 60
        while not (folder / "algorithm.json").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, longest))
        process.kill()
        process.communicate()
    assert cli("run", "study.toml", "--folder", "killed", "--resume", "--no-plot")[0] == code
    assert outcome(folder) == outcome(tmp_path / "whole")
