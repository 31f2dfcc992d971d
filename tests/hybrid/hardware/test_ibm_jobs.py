"""What a person does about jobs by the command line, at a stand-in for IBM's service."""

import dataclasses

import filed
import pytest
from workers import minimize

import hybrid.loop.dispatch
from circuits.errors import FailedJob, ProviderUnreachable
from hybrid.runs import journal

pytest.importorskip("qiskit_ibm_runtime")
import ibm_service

DEVICE = "ibm:ibm_test"


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
