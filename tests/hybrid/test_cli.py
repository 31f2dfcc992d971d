import json
import signal
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

STUDY = """
[problem]
kind = "tfim"
n = 3
[ansatz]
kind = "hamiltonian_variational"
layers = 2
[optimizer]
kind = "lbfgs"
accuracy = 1e-6
[backend]
name = "reference"
"""


@pytest.fixture
def study(tmp_path):
    def write(text=STUDY, name="study.toml", **files):
        for file, content in files.items():
            (tmp_path / file.replace("__", ".")).write_text(content)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_run_prints_one_json_object(cli, study):
    code, out, _ = cli("run", study(), "--json", "--folder", "here")
    result = json.loads(out)
    assert code == 0
    assert {"energy", "exact_energy", "standard_error", "status", "steps", "evaluations", "backend", "ranks"} <= set(
        result
    )
    assert result["energy"] == pytest.approx(result["exact_energy"], abs=1e-5)
    assert result["folder"] == "here"
    assert result["backend"] == "reference"
    assert {"plan", "evaluate", "total"} <= set(result["seconds"])


def test_run_prints_plan_energy_error_time_and_record_and_draws(cli, study):
    code, out, _ = cli("run", study(), "--folder", "here")
    assert code == 0
    for word in ("Plan for TFIM", "energy", "error", "converged", "evaluate", "record", "here/convergence.png"):
        assert word in out
    assert Path("here/convergence.png").read_bytes().startswith(b"\x89PNG")


def test_run_show_runs_verify(cli, study):
    assert cli("run", study(), "--no-plot")[0] == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith("study-")
    code, out, _ = cli("runs", "--json")
    assert code == 0
    assert [run["folder"] for run in json.loads(out)["runs"]] == [str(folder)]
    assert "converged" in cli("runs")[1]
    code, out, _ = cli("show", folder, "--json")
    assert json.loads(out)["status"] == "converged"
    assert "converged" in cli("show", folder)[1]
    code, out, _ = cli("verify", folder, "--json")
    assert code == 0
    assert json.loads(out)["passed"]
    assert "passed" in cli("verify", folder)[1]


def test_plan_starts_nothing(cli, study, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    code, out, _ = cli("plan", study(), "--json")
    assert code == 0
    assert json.loads(out)["ways"][0]["backend"] == "reference"
    assert sorted(tmp_path.rglob("*")) == sorted([*before, tmp_path / "study.toml"])


def test_the_backend_option_wins(cli, study):
    _, out, _ = cli("run", study(), "--backend", "statevector", "--json", "--no-plot")
    assert json.loads(out)["backend"] == "statevector"


def test_a_run_that_does_not_converge_exits_3(cli, study):
    code, out, _ = cli("run", study(STUDY.replace("accuracy", "max_steps = 2\naccuracy")), "--json", "--no-plot")
    assert code == 3
    assert json.loads(out)["status"] == "max_steps"


def test_new_prints_studies_that_plan_reads(cli, study):
    code, out, _ = cli("new")
    assert code == 0
    kinds = out.split()
    assert "molecule" in kinds
    _, text, _ = cli("new", "tfim")
    assert cli("plan", study(text, name="new.toml"))[0] == 0
    code, _, err = cli("new", "molecul")
    assert code == 2
    assert "molecule" in err


SWEEP = STUDY.replace("n = 3", 'n = 3\nfield = "{h}"') + "[sweep]\nh = [0.5, 1.0, 2.0]\n"


def test_a_sweep_runs_every_point_once(cli, study):
    code, out, _ = cli("run", study(SWEEP), "--folder", "sweep", "--json")
    points = json.loads(out)["points"]
    assert code == 0
    assert [point["values"]["h"] for point in points] == [0.5, 1.0, 2.0]
    assert points[0]["energy"] > points[1]["energy"] > points[2]["energy"]
    assert Path("sweep/sweep.png").exists()
    stamp = Path("sweep/h=0.5/journal.sqlite").stat().st_mtime_ns
    code, again, _ = cli("run", study(SWEEP), "--folder", "sweep", "--json", "--resume")
    assert code == 0
    assert [p["energy"] for p in json.loads(again)["points"]] == [p["energy"] for p in points]
    assert Path("sweep/h=0.5/journal.sqlite").stat().st_mtime_ns == stamp
    assert "h=2.0" in cli("show", "sweep")[1]


def test_some_points_of_a_sweep(cli, study):
    code, out, _ = cli("run", study(SWEEP), "--folder", "sweep", "--json", "--only", "2", "--only", "h=0.5")
    assert code == 0
    assert [point["values"]["h"] for point in json.loads(out)["points"]] == [0.5, 2.0]
    assert sorted(path.name for path in Path("sweep").iterdir()) == ["h=0.5", "h=2.0", "lock"], "no table of a part"
    code, out, _ = cli("run", study(SWEEP), "--folder", "sweep", "--json", "--resume")
    assert len(json.loads(out)["points"]) == 3
    code, _, err = cli("run", study(SWEEP), "--only", "h=0.6")
    assert code == 2
    assert "did you mean 'h=0.5'" in err


def test_paths_in_a_study_may_start_elsewhere(cli, study, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "h.txt").write_text("1.0 ZZI\n0.5 XXI\n0.2 IXZ\n")
    file = study(
        STUDY.replace('kind = "tfim"\nn = 3', 'kind = "pauli_terms"\npath = "h.txt"').replace(
            'kind = "hamiltonian_variational"', 'kind = "hardware_efficient"'
        )
    )
    assert cli("run", file, "--no-plot")[0] == 2
    assert cli("run", file, "--no-plot", "--base", tmp_path / "data")[0] == 0


def test_the_same_folder_twice_is_refused(cli, study):
    cli("run", study(), "--folder", "here", "--no-plot")
    code, _, err = cli("run", study(), "--folder", "here")
    assert code == 2
    assert "holds a run already" in err
    changed = study(STUDY.replace("layers = 2", "layers = 3"))
    code, _, err = cli("run", changed, "--folder", "here", "--resume")
    assert code == 2
    assert "[ansatz]" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_saves_the_work_and_resume_ends_it(number, study, start, wait_until, tmp_path, cli):
    slow = STUDY.replace("lbfgs", "nelder-mead").replace("1e-6", "1e-10").replace("layers = 2", "layers = 6")
    file = study(slow)
    arguments = ["-m", "hybrid.cli", "run", file, "--folder", tmp_path / "run", "--json", "--no-plot"]
    process = start(*arguments)
    wait_until(lambda: (tmp_path / "run" / "journal.sqlite").exists(), process)
    process.send_signal(number)
    assert process.wait() == 75
    assert json.loads(cli("show", tmp_path / "run", "--json")[1])["status"] == "stopped"
    _, out, _ = cli("run", file, "--folder", tmp_path / "run", "--resume", "--json", "--no-plot")
    resumed = json.loads(out)
    _, out, _ = cli("run", file, "--folder", tmp_path / "whole", "--json", "--no-plot")
    whole = json.loads(out)
    for key in ("energy", "theta", "steps", "evaluations", "status"):
        assert resumed[key] == whole[key]


MOLECULE = """
[problem]
kind = "molecule"
geometry = "H 0 0 0; H 0 0 0.735"
[ansatz]
kind = "uccsd"
"""

NESTED = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nrx(' + "(" * 5_000_000 + "1" + ")" * 5_000_000 + ") q[0];\n"

HEADER = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
FROM_FILE = STUDY.replace('kind = "hamiltonian_variational"\nlayers = 2', 'kind = "file"\npath = "c.qasm"')


@pytest.mark.parametrize(
    ("text", "files", "words"),
    [
        (STUDY.replace("layers", "layerz"), {}, ["[ansatz]", "layerz", "layers"]),
        (STUDY.replace("[optimizer]", "[optimiser]"), {}, ["optimiser", "optimizer"]),
        (STUDY.replace('"tfim"', '"tfin"'), {}, ["[problem]", "tfin", "tfim"]),
        (STUDY.replace("n = 3", "n = -3"), {}, ["[problem]", "n", "-3"]),
        (STUDY.replace("n = 3", "n = 3\nfield = nan"), {}, ["[problem]", "field", "NaN", "finite"]),
        (STUDY.replace("n = 3", "n = 3 oops"), {}, ["line 4"]),
        (STUDY.replace('"reference"', '"referense"'), {}, ["[backend]", "referense", "reference"]),
        (STUDY + "shots = -5\n", {}, ["[backend]", "shots", "-5"]),
        (MOLECULE.replace("0.735", "-0.735"), {}, ["geometry", "-0.735", "0.735"]),
        (MOLECULE.replace('0.735"', '0.735"\nactive_space = [2, 9]'), {}, ["active_space", "9", "2"]),
        (MOLECULE.replace("H 0 0 0;", "Q 0 0 0;"), {}, ["geometry", "Q"]),
        (MOLECULE.replace('0.735"', '0.735"\nbasis = "sto-33g"'), {}, ["basis", "sto-33g"]),
        (
            STUDY.replace("n = 3", "n = 40")
            .replace("layers = 2", "layers = 40")
            .replace('"reference"', '"statevector"'),
            {},
            ["17592186044416"],
        ),
        (STUDY.replace("n = 3", "n = 40").replace('"reference"', '"lightning"'), {}, ["bytes"]),
        (FROM_FILE, {}, ["c.qasm"]),
        (FROM_FILE, {"c__qasm": HEADER + "qreg q[4];\nh q[0];\n"}, ["4 qubits", "3"]),
        (FROM_FILE, {"c__qasm": HEADER + "qreg q[3];\ncreg c[3];\nh q[0];\nmeasure q -> c;\n"}, ["measurements"]),
        (FROM_FILE, {"c__qasm": HEADER + "qreg q[3];\nhadamart q[0];\n"}, ["hadamart"]),
        (FROM_FILE, {"c__qasm": NESTED}, ["c.qasm"]),
        (FROM_FILE, {"c__qasm": "(" * 10_000_000}, ["c.qasm"]),
        (
            STUDY.replace('kind = "tfim"\nn = 3', 'kind = "pauli_terms"\npath = "h.txt"'),
            {"h__txt": "1.0 ZZI\nsix XXI\n"},
            ["h.txt", "2"],
        ),
        (STUDY.replace("n = 3", 'n = "{m}"'), {}, ["m", "[sweep]"]),
        (STUDY + "[sweep]\nh = [1.0]\n", {}, ["[sweep]", "h"]),
        ("", {}, ["[problem]"]),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_input_exits_2_says_what_and_writes_nothing(cli, study, tmp_path, text, files, words):
    file = study(text, **files)
    before = sorted(path for path in tmp_path.rglob("*"))
    code, out, err = cli("run", file, "--json")
    assert code == 2
    assert out == ""
    assert err.startswith("hybrid: ")
    assert err.count("\n") <= 2, "one clear message, a line for each mistake"
    assert "Traceback" not in err
    for word in words:
        assert word in err
    assert sorted(path for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], ["STUDY.toml"]),
        (["run", "missing.toml"], ["missing.toml", "no such file"]),
        (["rum", "x.toml"], ["rum", "run"]),
        (["run", "x.toml", "--bakend", "aer"], ["--bakend", "--backend"]),
        (["show", "nowhere"], ["nowhere"]),
        (["verify", "nowhere"], ["nowhere"]),
        (["runs", "nowhere"], ["nowhere"]),
    ],
)
def test_wrong_commands_exit_2(cli, arguments, words):
    code, out, err = cli(*arguments)
    assert code == 2
    assert out == ""
    for word in words:
        assert word in err


def test_help_names_every_command(cli):
    code, out, _ = cli("--help")
    assert code == 0
    for command in ("run", "plan", "backends", "runs", "show", "verify", "new", "submit", "status", "cancel"):
        assert command in out


@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.toml")))
def test_every_example_can_be_planned(cli, name, monkeypatch, tmp_path):
    from hybrid.studies.preparation import workload_of
    from hybrid.studies.study import read

    work, _ = workload_of(read(EXAMPLES / f"{name}.toml", surveys=True).points()[0])
    assert work.circuit.num_parameters > 0


@pytest.mark.parametrize("backend", ['"aer"\ndevice = "gpu"', '"lightning.gpu"'])
def test_a_study_for_a_graphics_card_is_refused_where_there_is_none(cli, study, monkeypatch, backend):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    code, _, err = cli("run", study(STUDY.replace('"reference"', backend)))
    assert code == 2
    assert "needs" in err
    assert "NVIDIA card" in err


def test_backends_without_their_card_are_listed_with_the_reason(cli, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    code, out, _ = cli("backends", "--json")
    assert code == 0
    listed = {entry["name"]: entry for entry in json.loads(out)["backends"]}
    for name in ("lightning.gpu", "aer device=gpu"):
        assert not listed[name]["works"]
        assert "needs" in listed[name]["summary"]
    assert listed["aer"]["works"]
