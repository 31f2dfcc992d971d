"""The benchmark suite at a vendor: no job is sent twice, and what was interrupted has no time that nobody measured."""

import signal

import pytest

import hybrid
from hybrid.runs import journal
from hybrid.runs.budget import Spending

ASKED = {"only": ("ghz", "qft"), "shots": 40, "progress": False}


def sent(vendor):
    tags = vendor.tags()
    assert len(tags) == len(set(tags))
    return len(tags)


def bench(place, vendor, **options):
    return hybrid.bench("quick", folder=place, backends=f"filed:{vendor.folder}", **ASKED | options)


def test_the_circuits_of_a_unit_wait_together_and_their_time_is_that_of_their_jobs(vendor, place):
    found = bench(place, vendor)
    assert sent(vendor) == 4  # of at most three circuits each
    for unit in found.units:
        assert abs(unit.score.value - 1) < 5 * unit.score.standard_error
        assert unit.seconds.jobs > 0
        assert unit.seconds.execute is unit.seconds.queue is None
    rows = journal.read(place / "jobs.sqlite").jobs
    jobs = [("ghz-3-0", 3), ("ghz-3-0", 1), ("qft-3-0", 3), ("qft-3-0", 2)]
    assert [(row.place.stage, row.circuits) for row in rows] == jobs
    spent = Spending(place / "budget.sqlite").spent
    assert spent.usd == pytest.approx(sum(row.charge.usd for row in rows))


def test_killed_after_a_job_was_taken_it_waits_for_that_job(vendor, place, workers):
    vendor.plan(submit=["", "", "", "die after"])
    assert workers.run("bench", place, vendor.folder, **ASKED) == -signal.SIGKILL
    assert len(hybrid.Bench.load(place).units) == 1
    found = bench(place, vendor)
    assert sent(vendor) == 4  # of at most three circuits each
    assert [unit.status for unit in found.units] == ["done", "done"]
    assert found.units[0].seconds.jobs > 0
    assert found.units[1].seconds.jobs is None  # part of it passed before this process began


@pytest.mark.slow
def test_throughput_that_was_interrupted_says_so(vendor, place, workers):
    asked = {"only": "throughput", "shots": 10, "progress": False}
    vendor.plan(submit=["", "die after"])
    assert workers.run("bench", place, vendor.folder, **asked) == -signal.SIGKILL
    (unit,) = bench(place, vendor, **asked).units
    assert unit.status == "refused"
    assert "another folder" in unit.reason
    assert sent(vendor) == 5 * 4


def test_a_failed_job_is_a_row_and_the_others_go_on(vendor, place):
    vendor.plan(fate=["fail"])
    found = bench(place, vendor)
    assert [unit.status for unit in found.units] == ["failed", "done"]
    assert found.failed


def test_a_budget_that_is_used_up_refuses_what_is_left(vendor, place):
    found = bench(place, vendor, budget={"shots": 4 * 40})
    assert [unit.status for unit in found.units] == ["done", "refused"]
    assert sent(vendor) == 2
