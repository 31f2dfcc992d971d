"""Study files that are right: what they say, and what is built from them."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit

from circuits import Refused
from hybrid import optimizers
from hybrid.studies import build, check, kinds, read, template
from hybrid.studies.preparation import workload_of

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.toml"))
TFIM = """
[problem]
kind = "tfim"
n = 4
field = 0.5
[ansatz]
kind = "hardware_efficient"
layers = 2
"""


def study(text, folder, **options):
    return check(tomllib.loads(text), path=folder / "study.toml", **options)


def test_a_byte_order_mark_is_no_content(tmp_path):
    (tmp_path / "study.toml").write_text(TFIM, encoding="utf-8-sig")
    assert len(read(tmp_path / "study.toml").points()) == 1


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_build(path):
    for point in read(path, surveys=True).points()[:2]:
        work, _ = workload_of(point)
        assert work.circuit.num_qubits == work.problem.n_qubits
        assert work.circuit.num_parameters > 0
        assert work.accuracy > 0
        json.dumps(point.record())


def test_examples_are_there():
    known = {"h2", "h2_noisy", "h2_surrogate", "lih", "lih_curve", "lih_full", "maxcut", "tfim16", "tfim_natural"}
    algorithms = {"classifier", "evolution", "h2_excited", "lih_adapt", "maxcut_qaoa"}
    assert known | algorithms <= {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("kind", kinds())
def test_templates_build(kind, tmp_path):
    (tmp_path / "terms.txt").write_text("-0.5 ZZI\n0.25 X0 Z2\n")
    path = tmp_path / "study.toml"
    path.write_text(template(kind))
    work, _ = workload_of(read(path).points()[0])
    assert work.circuit.num_qubits == work.problem.n_qubits


def test_unknown_template_names_the_nearest():
    with pytest.raises(Refused, match="did you mean 'molecule'"):
        template("molecul")


def test_what_is_left_out_is_left_to_the_functions(tmp_path):
    problem, circuit, arguments = build(study(TFIM, tmp_path).points()[0])
    assert problem.source["coupling"] == 1.0
    assert problem.source["field"] == 0.5
    assert circuit.num_parameters == 2 * 2 * 4
    assert arguments == {
        "backend": "auto",
        "optimizer": optimizers.get("lbfgs"),
        "max_steps": 200,
        "accuracy": 1e-6,
        "shots": None,
        "seed": 0,
        "label": "open",
        "name": None,
        "theta": None,
    }


def test_every_section_reaches_the_loop(tmp_path):
    text = TFIM + (
        '[optimizer]\nkind = "adam"\nlearning_rate = 0.1\nmax_steps = 7\naccuracy = 1\n'
        '[backend]\nname = "aer"\nshots = 100\nprecision = "single"\nmethod = "density_matrix"\nnoise = "fake_manila"\n'
        '[run]\nseed = 3\nlabel = "restricted"\nname = "first"\n'
    )
    _, _, arguments = build(study(text, tmp_path).points()[0])
    backend = arguments.pop("backend").capabilities()
    assert (backend.name.partition(":")[0], backend.precision, backend.noise) == ("aer", "single", True)
    assert arguments == {
        "optimizer": optimizers.get("adam", learning_rate=0.1),
        "max_steps": 7,
        "accuracy": 1.0,
        "shots": 100,
        "seed": 3,
        "label": "restricted",
        "name": "first",
        "theta": None,
    }


@pytest.mark.parametrize("name", ["aer", "ibm:fake_manila"])
def test_a_study_says_whether_circuits_are_shortened(name, tmp_path):
    text = TFIM + f'[backend]\nname = "{name}"\noptimization_level = 2\n'
    assert build(study(text, tmp_path).points()[0])[2]["backend"].origin.options == {"optimization_level": 2}


def test_a_record_is_a_study_again(tmp_path):
    text = TFIM.replace("field = 0.5", "edges = [[0, 1], [1, 3]]") + "[optimizer]\nmemory = 5\n"
    (point,) = study(text, tmp_path).points()
    (again,) = check(json.loads(json.dumps(point.record())), path=tmp_path / "again.toml").points()
    assert again.spec == point.spec


def test_backend_of_the_caller(tmp_path):
    text = TFIM + '[backend]\nname = "aer"\nshots = 10\n'
    _, _, arguments = build(study(text, tmp_path, backend="reference").points()[0])
    assert (arguments["backend"].capabilities().name, arguments["shots"]) == ("reference", 10)
    with pytest.raises(Refused, match="did you mean 'reference'"):
        study(TFIM, tmp_path, backend="refrence")


def test_files_are_found_beside_the_study(tmp_path, monkeypatch):
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "graph.txt").write_text("0 1\n1 2 2.5\n")
    circuit = QuantumCircuit(3)
    circuit.h(range(3))
    (folder / "own.qasm").write_text('OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; h q[0]; cx q[0], q[2];')
    (folder / "study.toml").write_text(
        '[problem]\nkind = "maxcut"\npath = "graph.txt"\n[ansatz]\nkind = "file"\npath = "own.qasm"\n'
    )
    monkeypatch.chdir(tmp_path)
    problem, circuit, _ = build(read("studies/study.toml").points()[0])
    assert problem.exact_energy() == pytest.approx(-3.5, abs=1e-12)  # both edges are cut: diagonal, so rounding only
    assert circuit.size() == 2


def test_circuit_on_other_qubits_than_the_problem(tmp_path):
    (tmp_path / "own.qasm").write_text('OPENQASM 2.0; include "qelib1.inc"; qreg q[3]; h q[0];')
    text = '[problem]\nkind = "tfim"\nn = 4\n[ansatz]\nkind = "file"\npath = "own.qasm"\n'
    with pytest.raises(Refused, match=r"study.toml: \[ansatz\] path: .* has 3 qubits, but TFIM, 4 sites needs 4"):
        build(study(text, tmp_path).points()[0])


def test_sweep_reaches_the_hamiltonian(tmp_path):
    text = TFIM.replace("field = 0.5", 'field = "{h}"') + "[sweep]\nh = [0.5, 1.0]\n"
    points = study(text, tmp_path).points()
    energies = [build(point)[0].exact_energy() for point in points]
    # open chain of free fermions: E = - sum of the singular values of the bidiagonal matrix with h and J
    expected = [-np.linalg.svd(np.diag([h] * 4) + np.diag([1.0] * 3, 1), compute_uv=False).sum() for h in (0.5, 1.0)]
    np.testing.assert_allclose(energies, expected, atol=1e-9)  # Lanczos works to 1e-10
    assert [point.name for point in points] == ["h=0.5", "h=1.0"]


def test_build_says_where_it_failed(tmp_path):
    text = TFIM.replace("layers = 2", 'layers = 2\nentangler = "{gate}"') + '[sweep]\ngate = ["cx", "czz"]\n'
    good, bad = study(text, tmp_path).points()
    build(good)
    with pytest.raises(
        Refused, match=r"study.toml \(at gate = czz\): \[ansatz\] unknown entangler 'czz'; did you mean"
    ):
        build(bad)


def test_coordinates_of_a_sweep_are_in_angstrom(tmp_path):
    text = """
[problem]
kind = "molecule"
geometry = "{atom} 0 0 0; H 0 0 {r}"
basis = "{basis}"
[ansatz]
kind = "uccsd"
[sweep]
atom = ["Li", "Na"]
basis = ["sto-3g"]
r = [1.2, 1.4]
"""
    assert [dict(point.units) for point in study(text, tmp_path).points()] == 4 * [{"r": "angstrom"}]
    assert dict(study(TFIM, tmp_path).points()[0].units) == {}
