"""The measurement of the router's regret: its workloads, and what is made of times."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # where its scripts look for their packages

from regret.analysis import judged, regrets, summary
from regret.workloads import FAMILIES, Workload, build, workloads

EXACT = Workload(0, "tfim", 4, 1, 1e-6, gradient=False, evaluations=1)
COUNTED = Workload(0, "tfim", 4, 1, 0.1, gradient=False, evaluations=1, shots=1024)


def done(value, seconds=1.0, error=0.0):
    return {"status": "done", "value": [value], "error": error, "seconds": seconds, "memory_bytes": 2**20}


def test_workloads_are_many_and_the_same_each_time():
    made = workloads()
    assert made == workloads()
    assert len(made) >= 150
    assert {workload.family for workload in made} == set(FAMILIES)
    assert sum(workload.held_out for workload in made) == len(made) // 3
    for asked in (
        lambda w: w.gradient,
        lambda w: w.shots,
        lambda w: w.noise,
        lambda w: w.optimizer,
        lambda w: w.evaluations == 1000,
    ):
        assert sum(bool(asked(workload)) for workload in made) >= 10


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_built(family):
    workload = next(workload for workload in workloads() if workload.family == family)
    case = build(workload)
    assert case.observable.num_qubits == case.circuit.num_qubits
    assert case.theta.shape == (case.circuit.num_parameters,)


def test_an_answer_that_the_others_contradict_is_wrong_and_no_choice():
    times = judged({"a": done(1.0, 3.0), "b": done(1.0 + 5e-7, 4.0), "c": done(1.1, 0.1)}, EXACT)
    assert [found["status"] for found in times.values()] == ["done", "done", "wrong"]
    found = regrets(times, "c")
    assert (found["best"], found["status"]) == ("a", "wrong")
    assert "the plan" not in found["regret"]


def test_two_that_differ_are_both_disputed():
    times = judged({"a": done(1.0), "b": done(1.1)}, EXACT)
    assert [found["status"] for found in times.values()] == ["disputed", "disputed"]


def test_counted_values_may_differ_by_their_errors():
    times = judged({"a": done(1.0, error=0.02), "b": done(1.1, error=0.02), "c": done(2.0, error=0.02)}, COUNTED)
    assert [found["status"] for found in times.values()] == ["done", "done", "wrong"]


def test_regret_is_the_time_of_the_choice_over_the_best_of_ours():
    over = {"status": "over", "limit_s": 10.0}
    times = {"statevector": done(1.0, 2.0), "aer": done(1.0, 6.0), "Maestro": done(1.0, 1.0), "lightning": over}
    found = regrets(times, "aer")
    assert found["best"] == "statevector"  # a rival is compared with, not counted as a choice that was missed
    assert found["regret"] == {
        "the plan": 3.0,
        "always statevector": 1.0,
        "always Lightning": 5.0,
        "always Aer": 3.0,
        "Maestro": 0.5,
    }


def test_predictions_are_compared_where_there_is_a_time():
    rows = {"0": {"workload": {"title": "t"}, "times": {"aer": done(1.0, 2.0), "lightning": {"status": "refused"}}}}
    predicted = {
        "aer": {"seconds": 3.0, "low_s": 1.0, "high_s": 4.0, "memory_bytes": 2**27},
        "lightning": {"seconds": 1.0, "memory_bytes": 0},
    }
    found = {"0": {"chosen": "aer", "predicted": predicted} | regrets(rows["0"]["times"], "aer")}
    told = summary(rows, found)
    assert told["seconds predicted over measured"]["median"] == 1.5
    assert told["memory predicted over measured, from 64 MiB"]["median"] == 128
    assert told["seconds within a factor of 2"] == told["times within the predicted interval"] == 1.0
    assert told["choice without an answer"] == []
