"""Algorithms in study files: checked before anything is written, and right by answers from elsewhere."""

import inspect
import itertools
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import Statevector
from scipy.linalg import expm

import hybrid
from circuits import Refused, molecule
from hybrid.algorithms.class_scores import classifier_circuit
from hybrid.algorithms.dataset import load
from hybrid.algorithms.table import read_table
from hybrid.loop.stop import Stop
from hybrid.runs import folder as folders
from hybrid.studies import check, read
from hybrid.studies.preparation import workload_of

EXAMPLES = Path(__file__).parents[3] / "examples"

GRAPH = '[problem]\nkind = "maxcut"\nedges = [[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]]\n'
QAOA = '[algorithm]\nkind = "qaoa"\nlayers = {p}\nsamples = 64\n' + GRAPH
HERE = '[backend]\nname = "statevector"\n'
CHAIN = '[problem]\nkind = "tfim"\nn = 3\n[ansatz]\nkind = "hamiltonian_variational"\nlayers = 2\n'
EVOLUTION = '[algorithm]\nkind = "evolution"\ndirection = "real"\ntime = 1.0\nsteps = 8\n' + CHAIN
EVOLUTION += "[run]\ntheta = [0.0, 0.0, 0.0, 0.0]\n"
DATA = '[algorithm]\nkind = "classifier"\ndata = "points.csv"\nclasses = "kind"\nn_qubits = 2\n'

BAD = {
    "misspelt kind": ('[algorithm]\nkind = "qoaa"\n' + GRAPH, '[algorithm] kind = "qoaa": unknown kind; did you mean '),
    "no kind": (
        "[algorithm]\n" + GRAPH,
        "[algorithm] kind: missing; must be one of adapt, classifier, ",
    ),
    "misspelt key": (
        '[algorithm]\nkind = "qaoa"\nlayrs = 2\n' + GRAPH,
        "[algorithm] layrs = 2: unknown key; did you mean 'layers'?",
    ),
    "key of another section": (
        '[algorithm]\nkind = "qaoa"\nmax_steps = 2\n' + GRAPH,
        "[algorithm] max_steps = 2: unknown key; it belongs to [optimizer]",
    ),
    "no layers": (
        '[algorithm]\nkind = "qaoa"\nlayers = 0\n' + GRAPH,
        "[algorithm] layers = 0: must be the number of layers, a whole number from 1 to 1000",
    ),
    "an ansatz too many": (
        QAOA.replace("{p}", "1") + '[ansatz]\nkind = "qaoa"\nlayers = 1\n',
        "[ansatz]: an algorithm of kind qaoa brings its own circuit; leave the section out",
    ),
    "no ansatz": ('[algorithm]\nkind = "vqd"\n' + GRAPH, "[ansatz]: missing; an algorithm of kind vqd needs it"),
    "no algorithm and no ansatz": (GRAPH, "[ansatz]: missing; a study needs [problem] and [ansatz]"),
    "misspelt pool": ('[algorithm]\nkind = "adapt"\npool = "fermonic"\n' + GRAPH, "did you mean 'fermionic'?"),
    "negative penalty": (
        '[algorithm]\nkind = "vqd"\npenalty = -1.0\n' + CHAIN,
        "[algorithm] penalty = -1.0: must be larger than any gap between levels, a positive number",
    ),
    "misspelt direction": (EVOLUTION.replace('"real"', '"rael"'), "did you mean 'real'?"),
    "an optimizer for evolution": (
        EVOLUTION + '[optimizer]\nkind = "adam"\n',
        "[optimizer]: an algorithm of kind evolution minimizes nothing; leave the section out",
    ),
    "shots for evolution": (
        EVOLUTION + "[backend]\nshots = 9\n",
        "[backend] shots = 9: an algorithm of kind ",
    ),
    "angles for QAOA": (QAOA.replace("{p}", "1") + "[run]\ntheta = [0.1]\n", "[run] theta = [0.1]: an algorithm of"),
    "a warm start": (QAOA.replace("{p}", "1") + "[run]\nwarm_start = true\n", "[run] warm_start = true: an algorithm"),
    "a start without a run": (QAOA.replace("{p}", "1").replace("samples", 'start = "run:nowhere"\nsamples'), "no QAOA"),
    "misspelt data": ('[algorithm]\nkind = "classifier"\ndata = "iri"\n', "did you mean 'iris'?"),
    "columns of no file": (
        '[algorithm]\nkind = "classifier"\ndata = "iris"\ncolumns = ["x"]\n',
        '[algorithm] columns = ["x"]: only a CSV file takes this key, and data is "iris"',
    ),
    "a problem for a classifier": (
        '[algorithm]\nkind = "classifier"\ndata = "iris"\n' + GRAPH,
        "[problem]: an algorithm of kind classifier works on data instead; leave the section out",
    ),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_named_with_its_cure(text, words, tmp_path):
    with pytest.raises(Refused) as refused:
        check(tomllib.loads(text), path=tmp_path / "study.toml")
    assert words in str(refused.value)


TABLES = {
    "a column that is not there": ("x,y,knd\n1,2,a\n", "has no column 'kind'; did you mean 'knd'?"),
    "no number": ("x,y,kind\n1,2,a\n1,two,b\n", "line 3, column 'y': must be a finite number, not 'two'"),
    "an infinite number": ("x,y,kind\n1,inf,a\n", "line 2, column 'y': must be a finite number, not 'inf'"),
    "a value too few": ("x,y,kind\n1,2\n", "line 2: has 2 values, and the first line names 3 columns"),
    "no class": ("x,y,kind\n1,2,a\n3,4, \n", "line 3, column 'kind': the class is missing"),
    "two columns alike": ("x,x,kind\n1,2,a\n", "line 1: the column 'x' stands there twice"),
    "one class alone": ("x,y,kind\n1,2,a\n3,4,a\n", "has the class 'a' alone"),
    "no rows": ("x,y,kind\n", "needs a line with the names of the columns, and rows below it"),
}


@pytest.mark.parametrize(("content", "words"), TABLES.values(), ids=TABLES)
def test_data_that_are_wrong_are_refused_before_anything_is_written(content, words, cli, tmp_path):
    (tmp_path / "points.csv").write_text(content)
    (tmp_path / "study.toml").write_text(DATA + HERE)
    code, _, err = cli("run", "study.toml", "--folder", "here")
    assert code == 2
    assert words in err
    assert "[algorithm]" in err
    assert not Path("here").exists()


def run(cli, file, *options):
    code, out, err = cli("run", file, "--folder", "here", "--json", "--no-plot", *options)
    assert code == 0, err
    return json.loads(out)


def test_the_best_string_of_the_example_is_the_largest_cut_of_all(cli):
    edges = [line.split() for line in (EXAMPLES / "graph.txt").read_text().splitlines() if line[:1] != "#"]
    cuts = [sum(bits[int(a)] != bits[int(b)] for a, b in edges) for bits in itertools.product((0, 1), repeat=10)]
    found = run(cli, EXAMPLES / "maxcut_qaoa.toml")
    assert found["cut"] == -found["value"] == max(cuts)
    assert np.all(np.diff(found["ratio"]) > 0)
    assert found["ratio"][0] > np.mean(cuts) / max(cuts)  # one layer beats guessing
    assert {"energy", "exact_energy", "standard_error", "status", "steps", "evaluations", "backend", "ranks"} <= set(
        found
    )
    assert found["exact_energy"] == -max(cuts)
    assert {"plan", "evaluate", "total"} <= set(found["seconds"])
    assert found["prediction"]["evaluations"]["happened"] == found["evaluations"]


def levels(problem, n_orbitals):
    """Eigenvalues with one electron of each spin, by NumPy from the matrix of the Hamiltonian."""
    kept = [2**a + 2 ** (n_orbitals + b) for a in range(n_orbitals) for b in range(n_orbitals)]
    return np.linalg.eigvalsh(problem.hamiltonian.to_matrix()[np.ix_(kept, kept)])


def test_levels_of_the_example_are_those_of_the_matrix(cli):
    points = run(cli, EXAMPLES / "h2_excited.toml")["points"]
    assert [point["values"]["r"] for point in points] == [0.735, 1.5]
    for point in points:
        exact = levels(molecule(f"H 0 0 0; H 0 0 {point['values']['r']}"), 2)
        np.testing.assert_allclose(point["energies"], exact, atol=1e-6)
    assert np.min(np.diff(exact)) > 0.01


@pytest.mark.slow
def test_the_ansatz_of_the_example_grows_to_chemical_accuracy(cli):
    found = run(cli, EXAMPLES / "lih_adapt.toml")
    exact = levels(molecule("Li 0 0 0; H 0 0 1.6", active_space=(2, 5)), 5)[0]
    assert exact < found["energy"] < exact + 1.6e-3 < found["energies"][0]
    assert len(found["operators"]) < 24
    assert found["gradient_norms"][-1] < 5e-2 <= found["gradient_norms"][-2]


def test_the_state_of_the_example_is_that_of_the_exponential(cli):
    found = run(cli, EXAMPLES / "evolution.toml")
    X, Z, one = np.array([[0, 1], [1, 0]]), np.diag([1, -1]), np.eye(2)

    def at(**places):
        product = np.eye(1)
        for q in reversed(range(4)):
            product = np.kron(product, places.get(f"q{q}", one))
        return product

    H = -sum(at(**{f"q{q}": Z, f"q{q + 1}": Z}) for q in range(3)) - 0.5 * sum(at(**{f"q{q}": X}) for q in range(4))
    start = np.full(16, 0.25)
    exact = expm(-1j * H) @ start
    circuit = circuit_of("evolution.toml")
    state = Statevector(circuit.assign_parameters(found["theta"])).data
    assert abs(np.vdot(exact, state)) ** 2 == pytest.approx(found["fidelities"][-1], abs=1e-6)
    assert abs(np.vdot(exact, state)) ** 2 > 0.999 > 0.9 > abs(np.vdot(exact, start)) ** 2
    assert found["status"] == "finished"


def circuit_of(name):
    return workload_of(read(EXAMPLES / name).points()[0])[0].circuit


def test_the_classifier_of_the_example_predicts_what_its_state_says(cli):
    found = run(cli, EXAMPLES / "classifier.toml")
    table = read_table(EXAMPLES / "shapes.csv", classes="shape", columns=["width", "height"])
    data = load(table, n_features=2, held_out=0.3, seed=0)
    circuit = classifier_circuit(2, layers=2)
    right = []
    for row, label in zip(data.test, data.test_labels, strict=True):
        p = np.abs(Statevector(circuit.assign_parameters([*found["theta"], *row])).data) ** 2
        z = [p[0] - p[1] + p[2] - p[3], p[0] + p[1] - p[2] - p[3]]
        right.append(np.argmax(z) == label)
    assert found["accuracy"] == np.mean(right) > 0.9 > found["chance"]
    assert found["energy"] is None
    record = json.loads(Path("here/algorithm.json").read_text())["notes"]["study"]["algorithm"]["data"]
    assert (record["file"], len(record["sha256"])) == ("shapes.csv", 64)


def test_an_optimizer_without_a_kind_is_the_classifiers_own():
    data = {"algorithm": {"kind": "classifier", "data": "iris"}, "optimizer": {"learning_rate": 0.1}}
    kept = check(data, path="study.toml").points()[0].spec.optimizer
    assert kept.kind == inspect.signature(hybrid.classifier).parameters["optimizer"].default
    assert kept.description["learning_rate"] == 0.1


def test_a_verified_algorithm_has_verified_runs_and_a_forged_one_fails(cli, tmp_path):
    (tmp_path / "study.toml").write_text('[algorithm]\nkind = "vqd"\nlevels = 2\nstarts = 1\n' + CHAIN + HERE)
    run(cli, "study.toml")
    code, out, _ = cli("verify", "here", "--json")
    checks = {check["name"]: check["outcome"] for check in json.loads(out)["checks"]}
    assert (code, checks.pop("signature"), set(checks.values())) == (0, "none", {"passed"})
    assert {"status", "chain", "record", "result", "run level-0-start-0", "run level-1-start-0"} == set(checks)
    file = Path("here/result.json")
    content = json.loads(file.read_text())
    content["energies"][1] += 1e-12
    file.write_text(json.dumps(content))
    assert cli("verify", "here")[0] == 3


def test_the_examples_data_are_made_by_a_fixed_seed():
    rng, lines = np.random.default_rng(0), ["width,height,depth,shape"]
    for k in range(60):
        shape, width, depth = ("round", "flat")[k % 2], rng.normal(4.0, 0.6), rng.normal(2.0, 0.5)
        height = rng.normal(width if shape == "round" else 0.4 * width, 0.5)
        lines.append(f"{width:.3f},{height:.3f},{depth:.3f},{shape}")
    assert (EXAMPLES / "shapes.csv").read_text().splitlines() == lines


def test_a_sweep_over_an_option_is_listed_shown_and_read_again(cli, tmp_path):
    (tmp_path / "study.toml").write_text(QAOA.replace("{p}", '"{p}"') + HERE + "[sweep]\np = [1, 2]\n")
    points = run(cli, "study.toml")["points"]
    assert [len(point["energies"]) for point in points] == [1, 2]
    assert points[0]["energy"] > points[1]["energy"]
    listed = json.loads(cli("runs", ".", "--json")[1])["runs"]
    assert [(entry["algorithm"], entry["status"]) for entry in listed] == [("qaoa", "converged")] * 2
    shown = json.loads(cli("show", "here/p=2", "--json")[1])
    assert (shown["energy"], len(shown["runs"])) == (points[1]["energy"], 2)
    assert "layers-2" in cli("show", "here/p=2")[1]
    assert "p=2" in cli("show", "here")[1]
    assert cli("run", "study.toml", "--folder", "here")[0] == 2  # it holds a study already
    again = run(cli, "study.toml", "--resume")["points"]
    assert again == points


def test_a_plan_adds_up_its_stages(cli, tmp_path):
    (tmp_path / "study.toml").write_text(QAOA.replace("{p}", "3") + HERE)
    plan = json.loads(cli("plan", "study.toml", "--json")[1])
    (way,) = plan["ways"]
    assert [phase["phase"] for phase in way["phases"]] == ["layers 1", "layers 2", "layers 3"]
    total = way["prediction"]["seconds"]
    assert total["expected"] == pytest.approx(sum(phase["seconds"] for phase in way["phases"]))
    assert total["low"] < total["expected"] < total["high"]
    assert "assumed: one search for each depth from 1 to 3" in " ".join(way["expected"])
    assert not Path("runs").exists()


def test_angles_are_handed_from_one_record_to_the_next_graph(cli, tmp_path):
    (tmp_path / "study.toml").write_text(QAOA.replace("{p}", "2") + HERE)
    first = run(cli, "study.toml")
    other = GRAPH.replace(", [0, 2]", "")
    (tmp_path / "next.toml").write_text(QAOA.replace("{p}", "2").replace(GRAPH, 'start = "run:here"\n' + other) + HERE)
    code, out, err = cli("run", "next.toml", "--folder", "next", "--json", "--no-plot")
    assert code == 0, err
    assert len(json.loads(out)["energies"]) == 1  # it begins at two layers
    asked = json.loads(Path("next/algorithm.json").read_text())["asked"]["start"]
    np.testing.assert_allclose(asked[:2], first["theta"][:2])
    fields = np.sqrt(np.mean([3, 2, 3, 2]) / 2)  # the roots of the mean degrees, of which the other graph has 2
    np.testing.assert_allclose(asked[2:], np.array(first["theta"][2:]) * fields, rtol=0.02)


def test_other_data_or_options_are_not_gone_on_with(cli, tmp_path):
    rng = np.random.default_rng(3)
    rows = [f"{x:.3f},{y:.3f},{'ab'[int(x > y)]}" for x, y in rng.normal(size=(20, 2))]
    (tmp_path / "points.csv").write_text("\n".join(["x,y,kind", *rows]))
    text = DATA + '[optimizer]\nkind = "lbfgs"\nmax_steps = 2\n' + HERE
    (tmp_path / "study.toml").write_text(text)
    assert cli("run", "study.toml", "--folder", "here", "--no-plot")[0] == 3  # not converged
    (tmp_path / "points.csv").write_text("\n".join(["x,y,kind", *rows[:-1]]))
    code, _, err = cli("run", "study.toml", "--folder", "here", "--resume")
    assert code == 2
    assert "the content of points.csv differs" in err
    (tmp_path / "study.toml").write_text(text + "[run]\nseed = 4\n")
    assert "differs" in cli("run", "study.toml", "--folder", "here", "--resume")[2]


@pytest.mark.parametrize("text", [QAOA.replace("{p}", "2"), EVOLUTION], ids=["qaoa", "evolution"])
def test_stopped_and_resumed_has_the_same_bits(text, cli, tmp_path, monkeypatch):
    (tmp_path / "study.toml").write_text(text + HERE)
    whole = run(cli, "study.toml")
    calls = itertools.count()
    with monkeypatch.context() as patched:
        patched.setattr(Stop, "__call__", lambda self: next(calls) > 8)
        code, out, _ = cli("run", "study.toml", "--folder", "again", "--json", "--no-plot")
    assert code == 75
    assert json.loads(out)["status"] == "stopped"
    assert not Path("again/result.json").exists()
    assert json.loads(cli("show", "again", "--json")[1])["status"] == "unfinished"
    code, out, _ = cli("run", "study.toml", "--folder", "again", "--resume", "--json", "--no-plot")
    ignored = {"folder", "seconds", "prediction"}
    same = [{key: value for key, value in one.items() if key not in ignored} for one in (json.loads(out), whole)]
    assert code == 0
    assert same[0] == same[1]
    assert folders.is_algorithm(Path("again"))
