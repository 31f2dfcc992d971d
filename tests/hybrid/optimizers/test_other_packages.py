"""An optimizer of another package, found by its entry point, in everything that runs go through."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hybrid
from circuits.errors import Refused
from hybrid.optimizers import get, names, registry
from hybrid.studies import check

STUDY = """
[problem]
kind = "tfim"
n = 3
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[optimizer]
kind = "gradient-walk"
lengths = [0.02, 0.04]
norm = "{norm}"
max_steps = 400
accuracy = 1e-3
[backend]
name = "statevector"
[sweep]
norm = ["two", "largest"]
"""

ONE = STUDY.partition("[sweep]")[0].replace("{norm}", "two")


def install(folder: Path, *points: str, name: str = "walks") -> Path:
    """A package as pip leaves it: a module, and beside it what is known of the distribution."""
    source = Path(__file__).parent / "other_package" / "walks.py"
    (folder / "walks.py").write_text(source.read_text())
    info = folder / f"{name}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("\n".join(["[hybrid.optimizers]", *points, ""]))
    return folder


@pytest.fixture
def installed(tmp_path_factory, monkeypatch):
    """For this process; the arguments are lines of entry points."""

    def put(*points, name="walks"):
        monkeypatch.syspath_prepend(install(tmp_path_factory.mktemp("site"), *points, name=name))
        monkeypatch.delitem(sys.modules, "walks", raising=False)

    return put


@pytest.fixture
def command(tmp_path, tmp_path_factory):
    """The command line where the package is installed: command("run", ...) -> a process."""
    site = install(tmp_path_factory.mktemp("site"), "gradient-walk = walks:GradientWalk")
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(root)]), "COLUMNS": "200"}
    processes = []

    def start(*arguments):
        words = [sys.executable, "-m", "hybrid.cli", *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        processes.append(subprocess.Popen(words, cwd=tmp_path, env=environment, text=True, **pipes))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_it_is_known_by_name_and_settings(installed):
    assert "gradient-walk" not in names()
    with pytest.raises(Refused, match="unknown optimizer 'gradient-walk'"):
        get("gradient-walk")
    installed("gradient-walk = walks:GradientWalk")
    assert "gradient-walk" in names()
    optimizer = get("Gradient_Walk", lengths=[0.1, 0.2], patience=3)
    assert optimizer.lengths == (0.1, 0.2)
    description = json.loads(json.dumps(optimizer.describe()))
    assert description == {"kind": "gradient-walk", "lengths": [0.1, 0.2], "norm": "two", "patience": 3, "pause_s": 0.0}
    assert get(**description) == optimizer
    assert get("multistart", inner={"kind": "gradient-walk", "patience": 2}).inner == get("gradient-walk", patience=2)
    assert list(registry.settings(type(optimizer))) == ["lengths", "norm", "patience", "pause_s"]


WRONG = [
    ({"lengths": [0.1, "0.2"]}, "lengths must be a number, not"),
    ({"lengths": 0.1}, "lengths must be a list, not 0.1"),
    ({"lengths": [float("inf")]}, "lengths must be a finite number"),
    ({"norm": "too"}, "unknown norm of optimizer gradient-walk: 'too'; did you mean 'two'"),
    ({"norm": 2}, "norm must be 'two' or 'largest', not 2"),
    ({"patience": "3"}, "patience must be a whole number, not '3'"),
    ({"patience": 2.5}, "patience must be a whole number, not 2.5"),
    ({"patience": 0}, "patience must be a whole number between 1 and 100, not 0"),
    ({"patence": 3}, "did you mean 'patience'"),
]


@pytest.mark.parametrize(("options", "match"), WRONG)
def test_types_of_its_settings_are_held(installed, options, match):
    """By `get` and by a study file alike."""
    installed("gradient-walk = walks:GradientWalk")
    with pytest.raises(Refused, match=match):
        get("gradient-walk", **options)
    data = {
        "problem": {"kind": "tfim", "n": 2},
        "ansatz": {"kind": "hardware_efficient"},
        "optimizer": {"kind": "gradient-walk", **options},
    }
    with pytest.raises(Refused, match=match):
        check(data, path="study.toml")


@pytest.mark.parametrize(
    ("point", "match"),
    [
        ("walk = walks:GradientWalk", "the kind of walks:GradientWalk .walks. must be that name"),
        ("gradient-walk = walks:Gradient", "cannot be loaded from walks:Gradient .walks."),
        ("gradient-walk = walkss:GradientWalk", "cannot be loaded .* No module named 'walkss'"),
        ("gradient-walk = walks:State", "must be a dataclass and subclass"),
        ("gradient-walk = walks:np", "must be a dataclass and subclass"),
    ],
)
def test_entry_points_that_lead_nowhere_are_refused(installed, point, match):
    installed(point)
    with pytest.raises(Refused, match=match):
        get(point.partition(" ")[0])


def test_two_packages_with_one_name_are_refused(installed):
    installed("gradient-walk = walks:GradientWalk")
    installed("gradient-walk = walks:State", name="strolls")
    with pytest.raises(Refused, match=r"registered by several packages: .*strolls.*walks"):
        get("gradient-walk")


def test_no_package_replaces_what_is_built_in(installed):
    installed("lbfgs = walks:GradientWalk")
    assert type(get("lbfgs")).__name__ == "LBFGS"
    assert names().count("lbfgs") == 1


def test_a_study_runs_with_it(installed, cli, tmp_path):
    installed("gradient-walk = walks:GradientWalk")
    (tmp_path / "study.toml").write_text(ONE)
    code, out, err = cli("plan", "study.toml")
    assert (code, "GradientWalk" in out) == (0, True), err
    code, out, err = cli("run", "study.toml", "--folder", "run", "--no-plot", "--json")
    assert code == 0, err
    assert json.loads(out)["status"] == "converged"
    again = hybrid.resume(tmp_path / "run")
    assert again.energy == json.loads(out)["energy"]


@pytest.mark.slow
def test_plan_sweep_and_verify(command, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    plan = command("plan", "study.toml")
    out, err = plan.communicate(timeout=120)
    assert plan.returncode == 0, err
    assert "GradientWalk" in out
    sweep = command("run", "study.toml", "--folder", "sweep", "--no-plot", "--json")
    out, err = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, err
    two, largest = json.loads(out)["points"]
    assert two["steps"] > largest["steps"] > 5
    assert two["energy"] == pytest.approx(two["exact_energy"], abs=1e-2)
    verify = command("verify", next((tmp_path / "sweep").glob("**/spec.json")).parent)
    out, err = verify.communicate(timeout=120)
    assert verify.returncode == 0, out + err


@pytest.mark.slow
def test_killed_and_resumed(command, tmp_path):
    """Killed while it runs; what was written until then is not evaluated again, and the end is the same."""
    (tmp_path / "study.toml").write_text(ONE.replace("1e-3", "1e-8\npause_s = 0.02"))
    whole = command("run", "study.toml", "--folder", "whole", "--no-plot", "--json")
    killed = command("run", "study.toml", "--folder", "killed", "--no-plot")
    journal = tmp_path / "killed" / "journal.sqlite"
    deadline = time.monotonic() + 60
    while not journal.exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(2.0)
    killed.kill()
    killed.communicate()
    assert killed.returncode != 0
    resumed = command("run", "study.toml", "--folder", "killed", "--resume", "--no-plot", "--json")
    answers = []
    for process in (whole, resumed):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        answers.append(json.loads(out))
    assert answers[0]["energy"] == answers[1]["energy"]
    assert answers[0]["steps"] == answers[1]["steps"] > 200
    spec = json.loads((tmp_path / "killed" / "spec.json").read_text())
    assert spec["workload"]["optimizer"]["lengths"] == [0.02, 0.04]
