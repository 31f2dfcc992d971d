"""Algorithms of several stages at a vendor: each stage's jobs are sent once, too, and all are charged to one budget."""

import signal

import pytest
from algorithms import qaoa, vqd

from circuits.errors import Refused
from hybrid.loop.jobs import listed
from hybrid.runs import journal
from hybrid.runs.budget import Spending


def sent(vendor):
    tags = vendor.tags()
    assert len(tags) == len(set(tags))
    return len(tags)


def test_a_stage_that_was_killed_goes_on_with_its_job(vendor, place, workers, tmp_path):
    whole = qaoa(tmp_path / "whole", tmp_path / "other")
    n_jobs = len(listed(tmp_path / "whole"))
    vendor.plan(submit=[""] * (n_jobs - 1) + ["die after"])  # the last is the sample
    assert workers.run("algorithm", "qaoa", place, vendor.folder) == -signal.SIGKILL
    last = journal.read(place / "jobs.sqlite").jobs
    assert [(row.place.stage, row.status) for row in last] == [("samples", "intended")]
    found = qaoa(place, vendor.folder)
    assert (found.bits, found.value, found.hits) == (whole.bits, whole.value, whole.hits)
    assert sent(vendor) == n_jobs == len(listed(place))
    spent = sum(entry.row.charge.usd for entry in listed(place))
    assert Spending(place / "budget.sqlite").spent.usd == pytest.approx(spent)
    assert not list(place.glob("*/budget.sqlite"))


def test_levels_with_penalties_are_journaled_as_well(vendor, place, workers, tmp_path):
    whole = vqd(tmp_path / "whole", tmp_path / "other")
    n_jobs = len(listed(tmp_path / "whole"))
    vendor.plan(submit=[""] * (n_jobs - 3) + ["die after"])
    assert workers.run("algorithm", "vqd", place, vendor.folder) == -signal.SIGKILL
    assert vqd(place, vendor.folder).energies.tolist() == whole.energies.tolist()
    assert sent(vendor) == n_jobs
    assert all(entry.row.measured is not None for entry in listed(place))


def test_a_folder_without_any_run_has_no_jobs(tmp_path):
    with pytest.raises(Refused, match="holds no run"):
        listed(tmp_path)
