"""Narrow terminals, readers that leave, brackets in names, pictures that cannot be written."""

import subprocess

import pytest

STUDY = """
[problem]
kind = "tfim"
n = {n}
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[backend]
name = "reference"
"""
SWEEP = "[sweep]\nn = [2, 3, 4]\n"


@pytest.fixture
def study(tmp_path):
    (tmp_path / "one.toml").write_text(STUDY.replace("{n}", "2"))
    (tmp_path / "many.toml").write_text(STUDY.replace("{n}", '"{n}"') + SWEEP)


def test_a_plan_on_a_narrow_terminal_leaves_nothing_out(cli, study, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = cli("plan", "one.toml")
    assert code == 0
    assert "…" not in out
    assert "parameter-shift" in out
    assert max(map(len, out.splitlines())) <= 40


def test_backends_on_a_narrow_terminal_are_a_list(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    code, out, _ = cli("backends")
    assert code == 0
    assert "reference: plain NumPy statevector" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 40


def test_a_run_is_shown_with_its_units(cli, study):
    cli("run", "one.toml", "--folder", "run", "--no-plot")
    shown = " ".join(cli("show", "run")[1].replace("│", " ").split())
    assert "exact energy -2.2360679775 coupling" in shown  # -sqrt(4 + 1): two sites, one bond, both fields
    assert "accuracy 1e-06 coupling" in shown
    assert "standard error" not in shown  # a simulator's values have none


@pytest.mark.parametrize("columns", ["0", "1"])
def test_a_terminal_without_width_is_not_believed(cli, study, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert "reference" in cli("plan", "one.toml")[1]


@pytest.mark.parametrize("folder", ["a[red]", "a[", "b[x]"])
def test_brackets_in_a_name_are_printed(cli, study, folder):
    assert folder in cli("run", "one.toml", "--folder", folder)[1]
    assert folder in cli("verify", folder)[1]
    assert folder in cli("show", folder)[1]
    assert f"record: {folder}s" in cli("run", "many.toml", "--folder", f"{folder}s")[1]


def test_a_picture_that_cannot_be_written_does_not_spoil_the_run(cli, study, tmp_path):
    (tmp_path / "run" / "convergence.png").mkdir(parents=True)
    code, out, err = cli("run", "one.toml", "--folder", "run")
    assert code == 0
    assert "picture:" not in out
    assert "convergence.png cannot be written" in err


def test_a_reader_that_leaves_does_not_end_the_sweep(study, start, tmp_path):
    program = ["-m", "hybrid.cli", "run", "many.toml", "--folder", "sweep", "--no-plot"]
    process = start(*program, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0, process.stderr.read()
    assert len(list(tmp_path.glob("sweep/*/result.json"))) == 3


def test_the_points_of_a_sweep_are_verified_together(cli, study):
    cli("run", "many.toml", "--folder", "sweep", "--no-plot")
    code, out, _ = cli("verify", "sweep")
    assert code == 0
    assert "n=2" in out
    assert out.splitlines()[-1].endswith("points passed: all converged, and all that they claim holds")


def test_a_scheduler_variable_that_is_no_number_counts_as_none(cli, study, monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "2(x4)")
    assert cli("run", "one.toml", "--folder", "run", "--no-plot")[0] == 0
