"""The benchmark suite at a vendor: no job is sent twice, and what was interrupted has no time that nobody measured."""

import signal
import sys
import time
from pathlib import Path

import pytest

import hybrid
from hybrid.loop.stop import Stopped
from hybrid.runs import journal
from hybrid.runs.budget import Spending

sys.path.append(str(Path(__file__).parents[2] / "backends" / "providers"))
import ionq_service

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
        assert unit.seconds.execute is None  # this vendor tells no times
        assert 0 < unit.seconds.queue < unit.seconds.jobs
        assert unit.queue.source == "asked"
        assert 0 < unit.queue.late_by_s < unit.seconds.queue
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
    assert found.units[1].seconds.queue > 0  # the journal knows when the jobs were sent
    assert found.units[1].queue.source == "asked"


def test_nothing_waits_for_a_simulator_and_the_table_says_how_the_others_are_known(vendor, place):
    name = f"filed:{vendor.folder}"
    found = hybrid.bench("quick", folder=place, backends=["statevector", name], **ASKED | {"only": "ghz"})
    here, away = found.units
    assert (here.seconds.queue, here.queue.source) == (0.0, "here")
    assert [row["queue"] for row in found.rows()] == ["0 s", away.queue_time.text()]
    (note,) = found.notes()
    assert note.startswith(f"queue, ghz 3 on {name}: until first seen not waiting, so too long by at most")
    again = hybrid.Bench.load(place)
    assert (again.rows(), again.notes()) == (found.rows(), found.notes())


def test_a_vendors_own_times_count_and_its_prediction_stands_beside_them(monkeypatch, place):
    service = ionq_service.Service(seconds=0.3)
    service.predicted_wait_ms = 1500
    monkeypatch.setenv("IONQ_API_URL", service.url)
    monkeypatch.setenv("IONQ_API_KEY", ionq_service.KEY)
    asked = {"only": "ghz", "shots": 40, "progress": False, "backends": "ionq:simulator", "folder": place}
    with pytest.raises(Stopped):
        hybrid.bench("quick", should_stop=lambda: len(service.jobs) == 4, **asked)
    time.sleep(1.0)  # all of them run and end while nobody asks
    (unit,) = hybrid.bench("quick", **asked).units
    assert len(service.jobs) == 4
    assert unit.queue.source == "vendor"
    assert unit.queue.predicted_s == 1.5
    assert unit.seconds.queue == pytest.approx(0.3, abs=0.25)
    assert unit.seconds.execute == pytest.approx(0.3, abs=0.25)
    service.close()


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
