"""What is said of a sweep as a whole: its verification, and a picture or the reason why there is none."""

import json

import pytest

import hybrid
from circuits import hamiltonian_variational, tfim
from circuits.errors import Refused
from hybrid.report.grid import MOST_PANELS, GridPoint, axes_of, grid
from hybrid.runs.folder import read_spec

STUDY = """
[problem]
kind = "tfim"
n = 2
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[optimizer]
kind = "lbfgs"
max_steps = "{steps}"
[backend]
name = "reference"
[sweep]
h = [0.5, 1.0]
steps = [1, 100]
"""


@pytest.fixture
def swept(cli, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    code, out, err = cli("run", "study.toml", "--folder", "sweep")
    assert code == 3
    assert "picture: sweep/sweep.png" in out, err
    return tmp_path / "sweep"


def test_a_sweep_is_verified_point_by_point_and_said_as_a_whole(swept, cli):
    (swept / "h=0.5,steps=100" / "result.json").unlink()
    code, out, _ = cli("verify", "sweep", "--json")
    assert code == 3
    said = json.loads(out)
    assert [point["passed"] for point in said["points"]] == [False, False, False, True]
    assert said["sentence"].startswith("sweep: 1 of 4 points passed; not h=0.5,steps=1 (max_steps: ")
    assert "h=0.5,steps=100 (the run has not ended" in said["sentence"]
    assert json.loads((swept / "verification.json").read_text()) == said
    for name in ("h=0.5,steps=1", "h=0.5,steps=100", "h=1.0,steps=1"):
        for file in (swept / name).iterdir():
            file.unlink()
    code, out, _ = cli("verify", "sweep")
    assert code == 3
    assert "1 of 4 points passed; not h=0.5,steps=1 (it has no run)" in out


def test_a_run_that_did_not_converge_fails_by_name(swept, cli):
    code, out, _ = cli("verify", swept / "h=1.0,steps=1")
    assert code == 3
    assert out.splitlines()[-1].startswith(f"{swept / 'h=1.0,steps=1'}: max_steps: not converged")
    code, out, _ = cli("verify", swept / "h=1.0,steps=100")
    assert code == 0
    assert out.splitlines()[-1] == f"{swept / 'h=1.0,steps=100'}: passed"


def point(energy=-1.0, **values):
    return GridPoint(values, energy, 0.0, -1.1)


def test_along_x_is_the_number_with_the_most_values():
    points = [point(o=o, p=p, h=h) for o in ("lbfgs", "spsa") for p in (1, 2, 3) for h in (0.5, 1.0, 1.5, 2.0)]
    assert axes_of(points) == ("h", "p", ["o"])
    figure = grid(points, unit="coupling", title="TFIM")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["o = lbfgs", "o = spsa"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["exact", "p = 1", "p = 2", "p = 3"]


def test_words_have_places_and_many_lines_have_shades():
    figure = grid([point(o="lbfgs"), point(o="spsa", energy=-0.9)], unit="coupling", title="TFIM")
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["lbfgs", "spsa"]
    many = [point(p=p, h=h) for p in range(12) for h in range(20)]
    labels = [text.get_text() for text in grid(many, unit="", title="").axes[0].get_legend().get_texts()]
    assert labels == ["exact", "p = 0", "p = 11"]


def test_more_panels_than_there_is_room_for_are_a_reason():
    points = [point(a=a, b=0.5 * b, c=c) for a in range(25) for b in range(24) for c in range(MOST_PANELS + 1)]
    with pytest.raises(Refused, match=f"{MOST_PANELS + 1} combinations of c would need a panel each"):
        grid(points, unit="", title="")


def test_the_exact_energy_can_be_left_out(cli, tmp_path):
    single = STUDY.partition("[sweep]")[0].replace('"{h}"', "1.0").replace('"{steps}"', "100")
    (tmp_path / "one.toml").write_text(single)
    (tmp_path / "without.toml").write_text(single + "[run]\nexact = false\n")
    results = {}
    for name, options in (("one", []), ("one", ["--no-exact"]), ("without", [])):
        out = cli("run", f"{name}.toml", *options, "--json", "--no-plot")[1]
        results[name, bool(options)] = json.loads(out)
    assert results["one", False]["exact_energy"] == pytest.approx(-(5**0.5))
    for result in (results["one", True], results["without", False]):
        assert result["exact_energy"] is None
        assert result["energy"] == results["one", False]["energy"]
        assert read_spec(tmp_path / result["folder"]).problem.exact_energy is None
        assert cli("verify", result["folder"])[0] == 0
    planned = [json.loads(cli("plan", "one.toml", *options, "--json")[1]) for options in ([], ["--no-exact"])]
    phases = [[phase["phase"] for phase in plan["ways"][0]["phases"]] for plan in planned]
    assert phases[0] == ["exact energy", *phases[1]]


def test_the_exact_energy_may_be_switched_off_between_two_starts(cli, tmp_path):
    single = STUDY.partition("[sweep]")[0].replace('"{h}"', "1.0").replace('"{steps}"', "100")
    (tmp_path / "one.toml").write_text(single)
    assert cli("run", "one.toml", "--folder", "run")[0] == 0
    code, out, err = cli("run", "one.toml", "--folder", "run", "--resume", "--no-exact", "--json")
    assert code == 0, err
    assert json.loads(out)["exact_energy"] is not None, "it was computed when the run began"


def test_a_call_may_leave_the_exact_energy_out(tmp_path):
    problem = tfim(2)
    circuit = hamiltonian_variational(problem, layers=1)
    result = hybrid.minimize(circuit, problem, backend="reference", exact=False, folder=tmp_path / "run")
    assert (result.exact_energy, result.error) == (None, None)
    assert "exact energy" not in str(hybrid.plan(circuit, problem, backend="reference", exact=False))
    assert problem.exact_energy() == pytest.approx(-(5**0.5)), "the problem itself still knows"
