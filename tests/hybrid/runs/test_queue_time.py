"""Queue times, against stays that were laid out by hand."""

import sqlite3
from dataclasses import replace

import pytest

from backends.providers.hardware import Charge, JobState
from backends.providers.times import VendorTimes
from hybrid.runs import jobs, journal
from hybrid.runs.jobs import JobRow, Place
from hybrid.runs.queue_time import queue_of, queue_of_all, running_s


def job(part=0, sent_at=100.0):
    place = Place("", 0, part)
    return JobRow(place, 0, "digest", f"tag-{part}", "device", 1, 9, Charge(), "queued", 99.0, f"id-{part}", sent_at)


def seen(row, *states):
    """The job after states that were seen at given times."""
    waiting = None
    for at, status, *times in states:
        row = row.seen(JobState(status, times=times[0] if times else VendorTimes()), at, waiting)
        waiting = at if status == "queued" else waiting
    return row


def test_without_a_vendors_times_it_is_too_long_by_what_lies_between_two_questions():
    found = queue_of(seen(job(), (101, "queued"), (104, "queued"), (110, "running"), (112, "done")))
    assert (found.seconds, found.source, found.late_by_s) == (10.0, "asked", 6.0)


def test_what_was_never_seen_waiting_or_running_has_no_queue_time():
    found = queue_of(seen(job(), (130, "done")))
    assert found.seconds is None
    assert found.reason == "had ended when device was first asked for it, and device does not tell when it began"
    assert queue_of(job()).reason == "waits on device"
    assert queue_of_all([]).reason == "no job was sent"
    one = seen(job(1), (101, "running"), (103, "done"))
    assert queue_of_all([one, seen(job(), (130, "done"))]).reason.startswith("1 of 2 jobs: had ended")


def test_a_vendors_own_times_count_whatever_was_seen():
    times = VendorTimes(created_at=1000.0, started_at=1007.0, ended_at=1009.0, predicted_wait_s=5.0)
    first = VendorTimes(created_at=1000.0, predicted_wait_s=30.0)
    row = seen(job(), (101, "queued", first), (500, "done", times))
    found = queue_of(row)
    assert (found.seconds, found.source, found.late_by_s, found.predicted_s) == (7.0, "vendor", 0.0, 30.0)
    assert running_s([row]) == 2.0
    assert running_s([row, seen(job(1), (101, "running"), (103, "done"))]) is None


def test_jobs_that_wait_together_are_waited_for_once_and_not_while_another_runs():
    stays = [(0, 10, 14), (0, 14, 16), (1, 20, 30)]  # created, started, ended: waits 0-10 and 16-20
    rows = [seen(job(k), (900, "done", VendorTimes(*stay))) for k, stay in enumerate(stays)]
    assert queue_of_all(rows).seconds == 14.0
    assert running_s(rows) == 16.0
    rows.append(replace(rows[0], status="given up"))
    assert queue_of_all(rows).seconds == 14.0


def test_the_journal_keeps_the_times_and_adds_their_columns_to_older_ones(tmp_path):
    path = tmp_path / "jobs.sqlite"
    journal.create(path, "0" * 64)
    row = seen(job(), (101, "queued", VendorTimes(90.5, predicted_wait_s=2.0)), (105, "running"), (106, "done"))
    with journal.Journal(path, "0" * 64) as opened:
        opened.write_job(row)
    assert journal.read(path).jobs == (row,)
    with sqlite3.connect(path) as database:
        for name in jobs.TIMES:
            database.execute(f"ALTER TABLE job DROP COLUMN {name}")
    older = replace(row, waiting_at=None, started_at=None, ended_at=None, told=VendorTimes())
    assert journal.read(path).jobs == (older,)
    assert queue_of(older).reason == "written by an earlier version of this toolkit, which noted no times of jobs"


def test_the_columns_are_added_where_a_journal_of_an_earlier_version_goes_on(tmp_path):
    path = tmp_path / "jobs.sqlite"
    journal.create(path, "0" * 64)
    with sqlite3.connect(path) as database:
        for name in jobs.TIMES:
            database.execute(f"ALTER TABLE job DROP COLUMN {name}")
    row = seen(job(), (105, "running"), (106, "done"))
    with journal.Journal(path, "0" * 64) as opened:
        opened.write_job(row)
    found = journal.read(path)
    assert found.jobs == (row,)
    assert found.chain.faults == ()


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_job_that_never_ran_waited_until_it_was_given_up(status):
    found = queue_of(seen(job(), (110, "queued"), (112, status)))
    assert (found.seconds, found.late_by_s) == (12.0, 2.0)
