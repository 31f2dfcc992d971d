"""What "auto" chooses is the same in every process, on a busy machine and a quiet one, on one rank and several."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

MARK = "chosen "


def begun(folder: Path, *launcher: str, **variables: str) -> subprocess.Popen[str]:
    """`choices.py`, with a cache folder that knows nothing of this machine yet."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "HYBRID_CACHE": str(folder)} | variables
    command = [*launcher, sys.executable, str(HERE / "choices.py")]
    return subprocess.Popen(command, cwd=HERE, env=environment, text=True, stdout=subprocess.PIPE)


def chosen(process: subprocess.Popen[str]) -> list[dict[str, str]]:
    """What each rank says, when it has come to its end."""
    out, _ = process.communicate(timeout=900)
    assert process.returncode == 0
    return [json.loads(part.splitlines()[0]) for part in out.split(MARK)[1:]]


@pytest.mark.slow
def test_processes_that_disturb_each_other_choose_alike(tmp_path):
    """Each probes the machine while the others compute, and the second of them once more what it has kept."""
    processes = [begun(tmp_path / str(k)) for k in range(4)]
    found = [one for process in processes for one in chosen(process)]
    found += chosen(begun(tmp_path / "1"))
    assert all(one == found[0] for one in found)
    assert len(found) == 5
    assert not any(choice.startswith("reference") for choice in found[0].values())
    assert found[0]["clifford counts"] == "aer {'method': 'stabilizer'}"


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process chooses, with nothing of the tests beside it."""
    (one,) = chosen(begun(tmp_path_factory.mktemp("alone")))
    return one


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="mpiexec is not on PATH")
@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed")
@pytest.mark.parametrize("n_ranks", [2, 3])
def test_ranks_choose_what_one_process_does(tmp_path, alone, n_ranks):
    ranks = chosen(begun(tmp_path / "ranks", "mpiexec", "-n", str(n_ranks), OMP_NUM_THREADS="1"))
    assert len(ranks) == n_ranks
    assert all(one == alone for one in ranks)
