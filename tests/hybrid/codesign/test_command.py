"""`hybrid codesign` from the command line, and the page on it."""

import json

import pytest

STUDY = """
[problem]
kind = "tfim"
n = 3
[ansatz]
kind = "hamiltonian_variational"
layers = 3
[device]
n_qubits = 3
two_qubit_error = 0.004
readout_error = 0.02
usd_per_shot = 0.001
[optimizer]
max_steps = 2
[codesign]
method = "model"
target = 0.02
[codesign.vary]
two_qubit_error = [0.004, 0.001]
readout_error = [0.02, 0.01]
"""


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    return file


def test_it_says_what_limits_a_study_and_the_page_shows_it(cli, study, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    code, out, err = cli("codesign", study, "--folder", "found", "--figures", "figures")
    assert code == 0, err
    assert out.startswith("Readout error limits it: ")
    assert "\n0.001 " in out
    assert max(map(len, out.splitlines())) <= 110
    pictures = {f"{kind}.{ending}" for kind in ("map", "tornado") for ending in ("pdf", "svg")}
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {*pictures, "captions.md"}
    assert "result.json, pictures.map" in (tmp_path / "figures" / "captions.md").read_text()
    code, out, err = cli("codesign", study, "--folder", "found", "--json")
    told = json.loads(out)
    assert (code, len(told["points"])) == (0, 4)
    point = told["points"][0]
    assert {one["parameter"] for one in point["sensitivities"]} >= {"t1", "two_qubit_error", "all"}
    assert point["solution_usd"] > 0
    code, _, err = cli("report", "found")
    assert code == 0, err
    page = (tmp_path / "found" / "report.html").read_text(encoding="utf-8")
    assert "Readout error limits it" in page
    assert page.count("<svg") == 2
    assert "http" not in page.split("</style>")[1].replace("http://www.w3.org", "")
    monkeypatch.setenv("COLUMNS", "44")
    code, out, err = cli("show", "found")
    assert code == 0, err
    assert out.startswith("Readout error limits it: ")
    assert max(map(len, out.splitlines())) <= 44
    assert "\n  error: " in out
    assert cli("runs")[0] == 0


def test_the_file_still_runs_and_plans(cli, study):
    code, _, err = cli("plan", study, "--json")
    assert code == 0, err
    code, _, err = cli("run", study, "--folder", "run", "--no-plot", "--json")
    assert code in (0, 3), err


def test_a_sweep_over_problems_is_one_application_each(cli, study, tmp_path):
    text = STUDY.replace("n = 3", 'n = "{n}"').replace("n_qubits = 3", 'n_qubits = "{n}"')
    study.write_text(text.split("[codesign.vary]")[0] + '[codesign.vary]\ntopology = ["line"]\n[sweep]\nn = [3, 4]\n')
    code, out, err = cli("codesign", study, "--folder", "found", "--json")
    assert code == 0, err
    assert [one["application"] for one in json.loads(out)["applications"]] == ["n=3", "n=4"]
    assert (tmp_path / "found" / "n=4" / "result.json").exists()
    assert cli("report", "found")[0] == 0
    assert "What limits 2 applications" in (tmp_path / "found" / "report.html").read_text(encoding="utf-8")


def test_a_sweep_over_the_device_is_one_application(cli, study):
    study.write_text(
        STUDY.split("[codesign.vary]")[0].replace("readout_error = 0.02", 'readout_error = "{e}"')
        + "[sweep]\ne = [0.02, 0.01]\n"
    )
    code, out, err = cli("codesign", study, "--folder", "found", "--json")
    assert code == 0, err
    assert [point["values"] for point in json.loads(out)["points"]] == [{"e": 0.02}, {"e": 0.01}]


@pytest.mark.parametrize(
    ("old", "new", "arguments", "message"),
    [
        ("two_qubit_error = [", "two_qubit_eror = [", (), "did you mean 'two_qubit_error'"),
        ("target = 0.02", 'target = "x"', (), "[codesign] target"),
        ("target = 0.02", "tarket = 0.02", (), "did you mean 'target'"),
        ("", "", ("--vary", "t1"), "must be a name with values"),
        ("", "", ("--devices", "ibm:fake_manilla"), "fake_manila"),
        ("", "", ("--devices", ""), "none is named"),
        ("", "", ("--target", "0"), "target must be a positive number"),
        ("", "", ("--shots", "0"), "shots must be"),
        ("", "", ("--method", ""), "unknown method"),
        ("", "", ("--mitigation", "zen"), "did you mean 'zne'"),
        ("", "", ("--reoptimize",), "the method for the 3 qubits of the circuit is model"),
        ("", "", ("--vary", "idle=maybe"), "must be true or false"),
        ("", "", ("--vary", "n_qubits=3,4"), "together with a topology"),
        ("[device]\nn_qubits = 3", "[backend]\nname = 'reference'\n[device2]", (), "[device2]"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(cli, study, old, new, arguments, message):
    study.write_text(STUDY.replace(old, new, 1) if old else STUDY)
    code, _, err = cli("codesign", study, "--folder", "found", *arguments)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_a_study_without_a_device_is_told_how_to_get_one(cli, study):
    study.write_text(STUDY.split("[device]")[0])
    code, _, err = cli("codesign", study)
    assert code == 2
    assert "[device]: missing" in err
    assert "--devices ibm:fake_manila" in err
