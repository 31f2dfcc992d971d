import json

import numpy as np
import pytest

import hybrid
from circuits import hamiltonian_variational, hardware_efficient, maxcut, qaoa, tfim
from circuits.errors import Refused


def minimized(problem=None, circuit=None, **options):
    problem = tfim(2) if problem is None else problem
    circuit = hamiltonian_variational(problem, layers=1) if circuit is None else circuit
    return hybrid.minimize(circuit, problem, **{"backend": "reference", "theta": "registry"} | options)


def test_first_run_starts_cold_and_says_so(place):
    cold = minimized(theta=None)
    first = minimized()
    assert "cold start" in first.start
    assert "cold start" in str(first)
    assert first.theta.tolist() == cold.theta.tolist()
    assert cold.start == ""
    assert [entry.folder for entry in hybrid.registry().entries()] == [str(first.folder)]


def test_same_problem_and_circuit_start_where_the_best_has_ended(place):
    worse = minimized(max_steps=2)
    first = minimized(theta=None)
    hybrid.registry().add(first.folder)
    assert first.energy < worse.energy
    again = minimized(seed=7)
    spec = json.loads((again.folder / "spec.json").read_text())
    assert spec["workload"]["theta"] == first.theta.tolist()
    assert spec["notes"]["start"]["match"] == "exact"
    assert spec["notes"]["start"]["run"] == str(first.folder)
    assert again.evaluations < first.evaluations
    assert again.energy == pytest.approx(first.energy, abs=1e-6)
    assert hybrid.load(again.folder).start == again.start
    lineage = {entry.result_sha256: entry.started_from for entry in hybrid.registry().entries()}
    assert sum(start in lineage for start in lineage.values()) == 1


def test_run_without_the_word_is_not_added(place):
    minimized(theta=None)
    assert not place.exists()
    assert hybrid.registry().entries() == []


def test_nearest_field_is_taken_and_another_ansatz_is_not(place):
    for field in (0.5, 1.5):
        minimized(tfim(2, field=field))
    near = minimized(tfim(2, field=1.4))
    assert "field 1.5" in near.start
    other = tfim(2, field=1.4)
    assert "cold start" in minimized(other, hardware_efficient(2)).start


def test_nearest_graph_of_the_same_degree_gives_the_angles_of_qaoa(place):
    def ring(n):
        return [(k, (k + 1) % n) for k in range(n)]

    for graph in (ring(3), ring(6), [(0, 1), (1, 2)]):
        problem = maxcut(graph)
        minimized(problem, qaoa(problem, layers=1))
    problem = maxcut(ring(5))
    warm = minimized(problem, qaoa(problem, layers=1))
    assert "nodes 6" in warm.start
    assert "cold start" in minimized(problem, qaoa(problem, layers=2)).start


def test_labels_never_mix(place):
    minimized(label="restricted")
    assert "cold start" in minimized().start
    assert "warm start" in minimized(label="restricted").start
    assert "cold start" in minimized(label="internal").start


def test_operator_without_a_source_has_no_neighbours(place):
    minimized("ZZ", hardware_efficient(2))
    assert "cold start" in minimized("XX", hardware_efficient(2)).start


def test_stopped_run_goes_on_to_the_same_bits_whatever_the_registry_holds_then(place, tmp_path):
    minimized(max_steps=1)
    whole = minimized(folder=tmp_path / "whole")
    begun = json.loads((whole.folder / "spec.json").read_text())["workload"]["theta"]
    place.unlink()
    minimized(max_steps=1)
    calls = iter(range(100))
    half = minimized(folder=tmp_path / "half", should_stop=lambda: next(calls) > 2)
    assert half.status == "stopped"
    assert json.loads((half.folder / "spec.json").read_text())["workload"]["theta"] == begun
    assert len(hybrid.registry().entries()) == 1  # one that was stopped is not added
    hybrid.registry().add(whole.folder)
    on = minimized(folder=tmp_path / "half")
    assert (on.energy, on.theta.tolist()) == (whole.energy, whole.theta.tolist())
    assert on.history.energy.tolist() == whole.history.energy.tolist()
    assert len(hybrid.registry().entries()) == 3
    assert minimized(folder=tmp_path / "half").energy == on.energy
    assert len(hybrid.registry().entries()) == 3


def test_failure_at_the_end_loses_no_run(place, tmp_path):
    def spoil(step, theta, energy):
        place.write_text("no file of SQLite's, " * 100)

    with pytest.warns(UserWarning, match="the run is complete, but not in the registry") as warned:
        run = minimized(callback=spoil)
    assert len([w for w in warned if "registry" in str(w.message)]) == 1
    assert run.status == "converged"
    assert hybrid.load(run.folder).energy == run.energy
    assert "damaged" in json.loads((run.folder / "registry.json").read_text())["failed"]
    place.unlink()
    hybrid.registry().add(run.folder)
    assert len(hybrid.registry().entries()) == 1


@pytest.mark.slow
def test_run_with_a_start_of_the_registry_is_verified(place):
    minimized()
    assert minimized().verify().verdict == "passed"


def test_numbers_as_a_start_still_do(place):
    assert minimized(theta=np.zeros(2)).start == ""
    with pytest.raises(Refused, match='or "registry"'):
        minimized(theta="registri")


STUDY = """
[problem]
kind = "tfim"
n = 2
field = "{g}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[backend]
name = "reference"
[run]
theta = "registry"
[sweep]
g = [0.5, 0.6]
"""


def test_study_starts_each_point_from_the_nearest(place, cli, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    code, _, err = cli("run", "study.toml", "--folder", tmp_path / "sweep")
    assert code == 0, err
    first, second = (hybrid.load(entry["folder"]) for entry in hybrid.runs(tmp_path / "sweep"))
    assert "cold start" in first.start
    assert "field 0.5" in second.start
    assert len(hybrid.registry().entries()) == 2


@pytest.mark.parametrize(
    ("more", "why"),
    [("warm_start = true", "finds the nearest run for each point"), ("[algorithm]\nkind = 'vqd'", "cannot start so")],
)
def test_study_that_asks_for_two_starts_is_refused(place, cli, tmp_path, more, why):
    (tmp_path / "study.toml").write_text(STUDY.replace("[sweep]", f"{more}\n[sweep]"))
    code, _, err = cli("plan", "study.toml")
    assert code != 0
    assert why in err
