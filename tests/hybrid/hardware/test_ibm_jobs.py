"""What a person does about jobs by the command line, at a stand-in for IBM's service."""

import contextlib
import dataclasses

import filed
import pytest
from workers import minimize

import backends
import hybrid
import hybrid.loop.dispatch
from circuits import hardware_efficient, tfim
from circuits.errors import FailedJob, ProviderUnreachable
from hybrid import optimizers
from hybrid.runs import journal
from hybrid.runs.queue_time import queue_of

pytest.importorskip("qiskit_ibm_runtime")
import ibm_service

DEVICE = "ibm:ibm_test"

SHORT = optimizers.get("spsa", calibration=1)


@pytest.fixture
def service(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    service = ibm_service.Service()
    with ibm_service.running(service) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield service


def jobs_of(place):
    return journal.read(place / "journal.sqlite").jobs


@pytest.mark.slow
def test_jobs_are_waited_for_adopted_and_sent_anew(service, place, cli, monkeypatch, tmp_path):
    whole = minimize(str(tmp_path / "whole"), DEVICE, max_steps=1)
    before, service.delay_s = service.submissions, 0.3
    run = minimize(str(place), DEVICE, max_steps=1, should_stop=lambda: service.submissions > before)
    assert run.status == "stopped"
    assert cli("jobs", place, "--wait")[0] == 0
    assert [(row.status, row.measured) for row in jobs_of(place)] == [("done", None)]

    service.faults["submit"], service.faults["find"] = ["lose"], ["500"] * 1000
    monkeypatch.setattr(hybrid.loop.dispatch, "PATIENCE", dataclasses.replace(filed.QUICK, silent_s=0.1))
    with pytest.raises(ProviderUnreachable, match="resuming the run asks again"):
        minimize(str(place), DEVICE, max_steps=1)
    monkeypatch.setattr(hybrid.loop.dispatch, "PATIENCE", filed.QUICK)
    first, second = jobs_of(place)
    assert (second.status, second.id) == ("intended", None)
    (orphan,) = [name for name, job in service.jobs.items() if job["tags"] == [second.tag]]
    assert cli("jobs", place, "--adopt", first.id)[0] == 2
    assert cli("jobs", place, "--adopt", orphan)[0] == 0

    service.faults["find"], service.faults["fate"] = [], ["fail"]
    with pytest.raises(FailedJob, match=r"hybrid jobs .*--resend"):
        minimize(str(place), DEVICE, max_steps=1)
    assert cli("jobs", place, "--resend")[0] == 0
    run = minimize(str(place), DEVICE, max_steps=1)
    assert run.history.same_bits(whole.history)
    assert service.submissions == 2 * before + 1
    assert {row.id for row in jobs_of(place)} == {*list(service.jobs)[before:]}


def test_ibms_own_times_are_kept_and_a_run_does_not_fail_where_they_are_not_given(service, place, tmp_path):
    service.delay_s = 0.3
    options = {"optimizer": SHORT, "max_steps": 1, "shots": 10}
    work = hardware_efficient(1, layers=1), tfim(1)
    hybrid.minimize(*work, backend=DEVICE, folder=place, **options)
    for row in jobs_of(place):
        found = queue_of(row)
        assert found.source == "vendor"
        assert 0.3 <= found.seconds < 3
        assert row.told.ended_at >= row.told.started_at
    service.faults["metrics"] = ["500"] * 1000
    hybrid.minimize(*work, backend=DEVICE, folder=tmp_path / "untold", **options)
    assert {queue_of(row).source for row in jobs_of(tmp_path / "untold")} == {"asked"}


@pytest.mark.parametrize(("mode", "end"), [("session", "done"), ("batch", "fails"), ("session", "stops")])
def test_a_run_closes_the_session_that_it_opened(service, place, mode, end):
    """While its backend is still there: a session is paid until it is closed."""
    device = backends.get(DEVICE, mode=mode)
    service.fails = end == "fails"
    stop = (lambda: bool(service.jobs)) if end == "stops" else (lambda: False)
    service.delay_s = 0.5 if end == "stops" else 0.0
    options = {"optimizer": SHORT, "max_steps": 1, "shots": 10, "folder": place, "should_stop": stop}
    with pytest.raises(FailedJob) if end == "fails" else contextlib.nullcontext():
        hybrid.minimize(hardware_efficient(1, layers=1), tfim(1), backend=device, **options)
    assert service.sessions == {"session-0": False}
    assert {job["session"] for job in service.jobs.values()} == {"session-0"}


def test_runs_within_one_work_share_a_session(service, tmp_path):
    """As the stages of an algorithm do; it is closed once, when the work ends."""
    device = backends.get(DEVICE, mode="session")
    with device.hardware.held():
        for stage in ("one", "two"):
            options = {"optimizer": SHORT, "max_steps": 1, "shots": 10, "folder": tmp_path / stage}
            work = hardware_efficient(1, layers=1), tfim(1)
            hybrid.minimize(*work, backend=device, should_stop=lambda: bool(service.jobs), **options)
            assert service.sessions == {"session-0": True}
    assert service.sessions == {"session-0": False}


def test_a_job_of_a_resilience_level_whose_answer_is_lost_is_found_and_not_sent_again(service, place):
    service.faults["submit"], service.delay_s = ["lose"], 0.5
    options = {"optimizer": SHORT, "max_steps": 1, "shots": 10, "folder": place}
    work = hardware_efficient(1, layers=1), tfim(1)
    device = backends.get(DEVICE, resilience_level=1)
    run = hybrid.minimize(*work, backend=device, should_stop=lambda: bool(service.jobs), **options)
    assert run.status == "stopped"
    (row,) = jobs_of(place)
    assert {row.id: [row.tag]} == {name: job["tags"] for name, job in service.jobs.items()}
    assert service.submissions == 1
