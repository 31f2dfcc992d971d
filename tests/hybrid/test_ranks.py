"""Studies on several ranks: the same bits on any number of them, and no rank left waiting, whatever happens."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid.runs import journal

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

pytestmark = [
    pytest.mark.skipif(shutil.which("mpiexec") is None, reason="mpiexec is not on PATH"),
    pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed"),
]

NOISY = """
[problem]
kind = "tfim"
n = 4
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "{optimizer}"
max_steps = 12
accuracy = 0.01
[backend]
name = "statevector"
shots = 50
[run]
seed = 7
"""

SWEEP = NOISY + '[sweep]\noptimizer = ["adam", "spsa", "rotosolve"]\n'

SLOW = """
[problem]
kind = "tfim"
n = 12
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 4
[optimizer]
kind = "rotosolve"
max_steps = 30
accuracy = 1e-9
[backend]
name = "statevector"
[sweep]
h = [0.5, 1.0, 2.0]
"""


def begun(folder, n_ranks, *arguments, program=("-m", "hybrid.cli"), **variables):
    """The command line on some ranks, or without a launcher on 0, as a process."""
    launcher = ["mpiexec", "-n", str(n_ranks)] if n_ranks else []
    command = [*launcher, sys.executable, *map(str, program), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | variables
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def answered(process):
    """Exit code and the printed JSON of a process that comes to its end."""
    out, err = process.communicate(timeout=300)
    assert out, err
    return process.returncode, json.loads(out)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Folder, exit code and answer of the sweep in one process."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "study.toml").write_text(SWEEP)
    return folder, *answered(begun(folder, 0, "run", "study.toml", "--json", "--no-plot", "--folder", "run"))


@pytest.fixture
def launch(tmp_path):
    """Start the command line as `begun`; it is ended with the test."""
    processes = []

    def begin(*arguments, **options):
        processes.append(begun(tmp_path, *arguments, **options))
        return processes[-1]

    yield begin
    for process in processes:
        process.terminate()
        process.wait()


@pytest.fixture
def answer(launch, tmp_path):
    """Run a study to its end, and return the exit code and what it printed as JSON."""

    def run(n_ranks, text, folder, *options):
        (tmp_path / "study.toml").write_text(text)
        return answered(launch(n_ranks, "run", "study.toml", "--json", "--no-plot", "--folder", folder, *options))

    return run


def bits(result):
    """All that must not depend on ranks."""
    points = result.get("points", [result])
    return [[point[key] for key in ("energy", "standard_error", "theta", "steps", "status")] for point in points]


def evaluations(path):
    return list(journal.read(path).evaluations)


SOME = [1, 3, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 5))]


@pytest.mark.parametrize("n_ranks", SOME)
def test_any_number_of_ranks_gives_the_bits_of_one_process(answer, alone, n_ranks):
    _, code, whole = alone
    assert {point["status"] for point in whole["points"]} == {"max_steps"}
    assert all(point["standard_error"] > 0 for point in whole["points"])
    shared_code, shared = answer(n_ranks, SWEEP, "shared")
    assert bits(shared) == bits(whole)
    assert (shared_code, shared["ranks"]) == (code, n_ranks)


def test_ranks_share_the_rows_of_one_workload(answer, alone, tmp_path):
    folder, _, whole = alone
    _, shared = answer(3, NOISY.replace("{optimizer}", "adam"), "shared")
    assert shared["ranks"] == 3
    assert bits(shared) == bits(whole)[:1]
    ones, others = (
        evaluations(folder / "run/optimizer=adam/journal.sqlite"),
        evaluations(tmp_path / "shared/journal.sqlite"),
    )
    assert len(ones) == len(others) == 14  # twelve steps, and two that conclude
    for one, other in zip(ones, others, strict=True):
        assert one.told.values.tobytes() == other.told.values.tobytes()
        if one.told.gradients is not None and other.told.gradients is not None:
            assert one.told.gradients.tobytes() == other.told.gradients.tobytes()
    assert ones[0].told.gradients is not None


def rank_of(pid):
    """The rank that a process is, from its environment; None if it is none, or gone."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_text()
        return next((int(x[9:]) for x in environment.split("\0") if x.startswith("PMI_RANK=")), None)
    except OSError:
        return None


def below(pid):
    """All processes that a process started, and those that these started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *below(child)]
    return found


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, 9), pytest.param(signal.SIGTERM, 75, marks=pytest.mark.slow)]
)
def test_a_rank_that_ends_by_a_signal_ends_all_and_fewer_ranks_go_on(
    number, code, answer, launch, wait_until, tmp_path
):
    _, whole = answer(0, SLOW, "whole")
    process = launch(3, "run", "study.toml", "--json", "--no-plot", "--folder", "stopped")
    wait_until(lambda: len(list(tmp_path.glob("stopped/*/journal.sqlite"))) == 3, process)
    (pid,) = (pid for pid in below(process.pid) if rank_of(pid) == 2)
    os.kill(pid, number)
    process.communicate(timeout=60)
    assert process.returncode == code
    resumed_code, resumed = answer(2, SLOW, "stopped", "--resume")
    assert bits(resumed) == bits(whole)
    assert resumed_code == 3
    for point in ("h=0.5", "h=1.0", "h=2.0"):
        assert len(evaluations(tmp_path / "stopped" / point / "journal.sqlite")) == len(
            evaluations(tmp_path / "whole" / point / "journal.sqlite")
        )


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize(("error", "code"), [("FailedJob", 5), ("RuntimeError", 1)])
def test_a_rank_that_raises_ends_all_with_its_message(launch, tmp_path, error, code, rank):
    text = NOISY.replace("{optimizer}", "adam").replace('"statevector"', '"brittle"')
    (tmp_path / "study.toml").write_text(text)
    program = (HERE / "brittle_run.py", "run", "study.toml", "--json")
    process = launch(2, program=program, BRITTLE=f"{rank}:{error}")
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "energy" not in out
    assert "the ion was lost" in err
    assert f"rank {rank}" in err
    assert ("Traceback" in err) == (error == "RuntimeError")


def test_a_point_that_fails_on_one_rank_does_not_stop_the_others(launch, tmp_path):
    text = SWEEP.replace('"statevector"', '"brittle"')
    (tmp_path / "study.toml").write_text(text)
    process = launch(2, program=(HERE / "brittle_run.py", "run", "study.toml", "--json"), BRITTLE="1:FailedJob")
    out, err = process.communicate(timeout=60)
    points = json.loads(out)["points"]
    statuses = [point["status"] for point in points]
    assert process.returncode == 5, err
    assert statuses[0] == "max_steps"
    assert statuses.count("failed") >= 1
    assert "the ion was lost" in str(points)


def test_wrong_input_is_said_once(launch):
    process = launch(3, "run", "missing.toml")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.count("no such file") == 1


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SLURM_STEP_NUM_TASKS": "3", "SLURM_PROCID": "0"}, ["3 ranks", "srun", "--mpi=pmi2", "sees 1"]),
        ({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"}, ["2 ranks", "Open MPI", "sees 1", "mpiexec"]),
    ],
)
def test_ranks_that_do_not_find_each_other_are_refused(launch, variables, words):
    process = launch(0, "run", "missing.toml", **variables)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    for word in words:
        assert word in err


def test_settings_of_jax_distributed_are_refused(launch):
    process = launch(2, "run", "missing.toml", JAX_COORDINATOR_ADDRESS="here:1234")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    for word in ("JAX_COORDINATOR_ADDRESS", "without JAX_NUM_PROCESSES", "docs/sharding.md"):
        assert word in err
