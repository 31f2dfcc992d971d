"""Repeated runs: the same bits, the same within their errors, or different, and in what they differ."""

import json

import numpy as np
import pytest

import backends
import hybrid
from circuits import hardware_efficient, tfim
from hybrid.runs.crate.write import write


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Runs that repeat each other, or differ in one thing."""
    home = tmp_path_factory.mktemp("home")

    def run(name, field=1.0, **options):
        options = {"backend": "reference", "exact": False} | options
        hybrid.minimize(hardware_efficient(2, layers=1), tfim(2, field=field), folder=home / name, **options)

    run("one")
    run("again")
    run("engine", backend="statevector")
    run("single", backend=backends.get("statevector", precision="single"), accuracy=1e-3)
    run("seed", seed=7)
    run("field", field=1.5)
    run("start", theta=[0.1, 0.2, 0.3, 0.4])
    run("moved", theta="run:" + str(home / "one"))
    for name, seed in (("counted", 1), ("recounted", 1), ("other", 2)):
        run(name, seed=seed, shots=256, optimizer="spsa", accuracy=0.5, max_steps=8)
    return home


def told(home, *names):
    return hybrid.compare([home / name for name in names]).agreements


def test_the_same_question_gives_the_same_bits(home):
    for pair in (("one", "again"), ("counted", "recounted")):
        (found,) = told(home, *pair)
        assert (found.verdict, found.apart, found.differences) == ("same bits", 0.0, ())
        assert "to the last bit" in str(found)


def test_within_error_is_said_with_the_numbers_that_it_rests_on(home):
    (found,) = told(home, "counted", "other")
    first, second = (hybrid.load(home / name) for name in ("counted", "other"))
    width = 5 * np.hypot(first.standard_error, second.standard_error)
    converged = first.status == second.status == "converged"
    assert found.apart == abs(first.energy - second.energy)
    assert found.bound == pytest.approx(width + (0.5 if converged else 0), rel=1e-6)
    assert found.verdict == ("same within error" if found.apart <= found.bound else "different")
    start, seed = found.differences  # the ansatz's own start is drawn from the seed
    assert start.startswith("start: angles up to")
    assert seed == "seed 1 in counted, 2 in other"
    assert f"{found.apart:.1e} coupling apart" in found.reason


def test_another_engine_agrees_within_the_accuracy_and_is_named(home):
    (found,) = told(home, "one", "engine")
    assert found.verdict in ("same bits", "same within error")
    assert "backend reference in one, statevector in engine" in found.differences
    assert 1e-6 <= found.bound < 1.1e-6 or found.verdict == "same bits"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("seed", "seed 0 in one, 7 in seed"),
        ("single", "precision none in one, single in single"),
        ("field", "Hamiltonian: 2 of 3 coefficients, most that of IX: -1 and -1.5"),
        ("start", "start: angles up to"),
        ("moved", "as given and from the run "),
    ],
)
def test_what_differs_is_named(name, said, home):
    (found,) = told(home, "one", name)
    assert any(said in one for one in found.differences), found.differences


def test_energies_of_other_hamiltonians_are_never_the_same(home, tmp_path):
    problem = tfim(2)
    for name, extra in (("plain", problem), ("shifted", _with_term(problem, 1e-14))):
        hybrid.minimize(hardware_efficient(2, layers=1), extra, backend="reference", folder=tmp_path / name)
    (found,) = told(tmp_path, "plain", "shifted")
    assert found.apart < found.bound
    assert found.verdict == "different"
    assert "Hamiltonian: YY in shifted alone" in found.differences


def _with_term(problem, size):
    from dataclasses import replace

    from qiskit.quantum_info import SparsePauliOp

    extended = SparsePauliOp.from_list([*problem.hamiltonian.to_list(), ("YY", size)])
    return replace(problem, hamiltonian=extended, source={})


def test_versions_and_machines_are_named(home, tmp_path):
    from hybrid.runs.agreement import surroundings

    then = {"machine": "A", "python": "3.11.7", "packages": {"numpy": "2.0", "scipy": "1.16"}, "threads": 2}
    now = {"machine": "B", "python": "3.11.7", "packages": {"numpy": "2.1", "jax": "0.7"}, "threads": 2}
    assert list(surroundings(then, now)) == [
        "machine A in the first, B in the second",
        "jax not installed in the first, 0.7 in the second",
        "numpy 2.0 in the first, 2.1 in the second",
        "scipy 1.16 in the first, not installed in the second",
    ]


def test_a_run_that_has_not_ended_is_shown_and_not_judged(home, tmp_path):
    import shutil

    shutil.copytree(home / "again", tmp_path / "again")
    (tmp_path / "again" / "result.json").unlink()
    comparison = hybrid.compare([home / "one", tmp_path / "again"])
    assert (len(comparison.runs), comparison.agreements) == (2, ())


def test_crates_and_sweeps_are_compared_by_the_names_of_their_points(home, tmp_path, cli):
    pytest.importorskip("rocrate.rocrate")
    sweep = tmp_path / "sweep"
    for seed in (1, 2):
        circuit = hardware_efficient(2, layers=1)
        hybrid.minimize(circuit, tfim(2), backend="reference", seed=seed, folder=sweep / f"seed={seed}", exact=False)
    crate = write(sweep, tmp_path / "sweep.zip")
    code, out, err = cli("compare", sweep, crate, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert [run["folder"] for run in told["runs"]][2:] == [str(crate / "seed=1"), str(crate / "seed=2")]
    assert [one["verdict"] for one in told["agreements"]] == ["same bits"] * 2
    code, out, _ = cli("compare", home / "one", write(home / "one", tmp_path / "one.zip"))
    assert (code, "same bits" in out) == (0, True)
