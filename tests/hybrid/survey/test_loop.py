"""The closed loop on functions that are known: where runs go, when it ends, and what it says where it cannot."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from circuits.errors import Refused
from hybrid.survey.loop import explore
from hybrid.survey.proposals import first_design
from hybrid.survey.question import Question, question_of
from hybrid.survey.step import Reading

BOND = Question({"r": (0.8, 3.0)}, 1e-3, runs=25)


def morse(r):
    return -7.88 + 0.09 * (1.0 - math.exp(-1.1 * (r - 1.55))) ** 2


def reading(energy, *, error=0.0, status="converged"):
    return Reading(energy, error, 1e-6, None, status, "hartree", "bond", "")


def go(question, f, **told):
    return explore(question, lambda proposal, steps: reading(f(**proposal.values), **told))


@cache
def bond():
    return go(BOND, morse)


def names(progress):
    return [step.proposal.name for step in progress.steps]


def test_a_promise_is_reached_and_holds():
    found = bond()
    assert found.status == "converged"
    assert len(found.steps) < 15
    mean, _ = found.surrogate.predict(BOND.grid())
    assert np.abs(mean - [morse(r) for (r,) in BOND.grid()]).max() < 1e-3
    whys = [step.proposal.why for step in found.steps]
    assert whys[:5] == ["design"] * 5
    assert whys[5:9] == ["uncertain", "check", "uncertain", "check"]
    assert len(set(names(found))) == len(names(found))


def test_runs_gather_where_the_energy_changes_fast():
    chosen = [step.proposal.values["r"] for step in go(replace(BOND, interval=2e-4), morse).steps]
    assert sum(r < 1.9 for r in chosen) > sum(r > 1.9 for r in chosen)


def test_proposals_follow_from_the_runs_alone():
    whole = names(bond())
    stopped = explore(BOND, lambda p, steps: None if p.number == 7 else reading(morse(**p.values)))
    assert stopped.status == "stopped"
    assert names(stopped) == whole[:7]
    other = names(explore(replace(BOND, runs=7), lambda p, steps: reading(morse(**p.values))))
    assert other == whole[:7]
    other = names(go(replace(BOND, seed=1, runs=7), morse))
    assert other[:6] == whole[:6]
    assert other[6] != whole[6]  # a check, at a random point


def test_the_lowest_energy_takes_fewer_runs_than_all():
    found = go(replace(BOND, find="minimum", interval=2e-6), morse)
    assert found.status == "converged"
    assert found.verdict.lowest == pytest.approx(-7.88, abs=1e-5)
    assert found.verdict.lowest_at["r"] == pytest.approx(1.55, abs=0.02)
    assert "improvement" in {step.proposal.why for step in found.steps}


@pytest.mark.slow
def test_two_keys_find_the_one_that_matters():
    question = Question({"x": (0.0, 1.0), "y": (0.0, 1.0)}, 0.02, runs=40)
    found = go(question, lambda x, y: math.sin(4 * x) + 0.05 * y)
    assert found.status == "converged"
    assert len(found.steps) < 25


def test_a_jump_is_not_promised_away():
    found = go(replace(BOND, runs=12), lambda r: morse(r) + (0.05 if r > 2.2 else 0.0))
    assert found.status == "not_converged"
    assert "known to" in found.verdict.doubt


def test_noise_that_forbids_the_interval_is_said_at_once():
    found = go(replace(BOND, runs=20), morse, error=0.01)
    assert found.status == "not_converged"
    assert len(found.steps) == 5
    assert "times the shots" in found.verdict.doubt
    assert go(replace(BOND, interval=0.02), morse, error=0.01).status == "converged"


def test_runs_that_did_not_converge_are_named():
    found = go(replace(BOND, runs=12), morse, status="max_steps")
    assert found.status == "not_converged"
    assert "12 of 12 runs did not converge, the first at r = 0.8 (max_steps)" in found.verdict.doubt


def test_wrong_predictions_of_checks_keep_it_going():
    def f(r):
        return 0.05 if r == wrong else morse(r)

    wrong = next(s.proposal.values["r"] for s in bond().steps if s.proposal.why == "check")
    assert go(replace(BOND, runs=9), f).verdict.valid is False


@pytest.mark.parametrize(("keys", "n", "apart"), [(1, 5, 0.5), (2, 9, 1.0), (3, 15, 0.9)])
def test_first_designs_fill_the_space(keys, n, apart):
    question = Question({f"k{k}": (-1.0, 1.0) for k in range(keys)}, 0.1)
    points = np.array([list(one.values.values()) for one in first_design(question)])
    distances = cdist(points, points) + 9 * np.eye(n)
    assert len(points) == n
    assert distances.min() >= apart
    far = cdist(question.grid(), points).min(axis=1).max()  # no place is far from all of them
    assert far < 1.3


RIGHT = {"r": [0.8, 3.0], "interval": 1e-3}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"r": [3.0, 0.8]}, "reversed; write .0.8, 3.0"),
        ({"r": [1.0, 1.0]}, "one point"),
        ({"r": [1.0, 1.1, 1.2]}, "two numbers"),
        ({"r": [1.0, math.inf]}, "two finite numbers"),
        ({"r": ["a", "b"]}, "two finite numbers"),
        ({"r": 1.2}, "unknown key 'r'"),
        ({"intervall": 1e-3}, "did you mean 'interval'"),
        ({"interval": 0}, "positive"),
        ({"interval": True}, "positive"),
        ({"find": "maximum"}, "minimum"),
        ({"runs": 3}, "fewer than the 5 of the first design"),
        ({"runs": 2.5}, "whole number"),
        ({"first": 1}, "whole number from 2"),
        ({"check_every": [1, 2]}, "whole number"),
        ({"r": "0.8"}, "must be a range"),
        ({"a": [0, 1], "b": [0, 1], "c": [0, 1]}, "4 ranges"),
        ({"r": [1.0, 1.0 + 1e-12]}, "too narrow"),
    ],
)
def test_wrong_sections_are_refused(changed, words):
    with pytest.raises(Refused, match=words):
        question_of(RIGHT | changed, seed=0)


def test_missing_parts_are_named():
    with pytest.raises(Refused, match="interval: missing"):
        question_of({"r": [0.8, 3.0]}, seed=0)
    with pytest.raises(Refused, match="needs a range"):
        question_of({"interval": 1e-3}, seed=0)
    with pytest.raises(Refused, match="must be a table"):
        question_of([1, 2], seed=0)
