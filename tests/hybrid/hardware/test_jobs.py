"""Jobs at a vendor, each sent once whatever dies between the intention to send it and its result."""

import dataclasses
import hashlib
import json
import os
import signal
import sqlite3
import time

import filed
import numpy as np
import pytest
from qiskit.providers.basic_provider import BasicSimulator
from workers import minimize

import hybrid
import hybrid.loop.dispatch
from backends.gradients.fidelity import fidelities
from backends.providers.dispatch import Direct, Patience
from circuits import hardware_efficient, tfim
from circuits.errors import FailedJob, LostJob, ProviderUnreachable, Refused
from hybrid.runs import journal
from hybrid.runs.budget import spending_of
from hybrid.verification.checks import CHECKS
from hybrid.verification.claim import claim

KILLED = -signal.SIGKILL


def jobs_of(place):
    return journal.read(place / "journal.sqlite").jobs


def same(run, whole):
    return run.history.same_bits(whole.history) and run.theta.tobytes() == whole.theta.tobytes()


def sent_once(vendor, whole):
    """Whether each job of an undisturbed run was sent, and none more than once."""
    tags = vendor.tags()
    return len(tags) == len(set(tags)) == len(jobs_of(whole.folder))


DEATHS = {
    "before the first is taken": {"submit": ["die"]},
    "after the first is taken": {"submit": ["die after"]},
    "in the middle of sending": {"submit": ["", "", "die after"]},
    "while polling": {"state": ["", "die"]},
    "while fetching": {"result": ["", "die"]},
    "in a later evaluation": {"result": [""] * 12 + ["die"]},
}


@pytest.mark.parametrize("faults", DEATHS.values(), ids=DEATHS)
def test_a_killed_run_goes_on_with_the_jobs_it_had(faults, vendor, place, workers, whole):
    vendor.plan(**faults)
    assert workers.run("minimize", place, vendor.folder) == KILLED
    assert not (place / "result.json").exists()
    assert workers.run("minimize", place, vendor.folder) == 0
    assert same(hybrid.resume(place), whole)
    assert sent_once(vendor, whole)


def test_a_run_that_dies_again_and_again_asks_no_job_twice(vendor, place, workers, whole):
    vendor.plan(submit=["die after"] * 2, state=["die"], result=["die"])
    codes = [workers.run("minimize", place, vendor.folder) for _ in range(5)]
    assert codes == [KILLED] * 4 + [0]
    assert same(hybrid.resume(place), whole)
    assert sent_once(vendor, whole)


def test_what_an_unfinished_evaluation_has_measured_is_used(vendor, place, workers):
    vendor.plan(result=["", "", "die"])
    workers.run("minimize", place, vendor.folder)
    assert journal.read(place / "journal.sqlite").evaluations == ()
    measured = [row for row in jobs_of(place) if row.measured is not None]
    assert len(measured) == 2
    for row in measured:
        (vendor.folder / f"{row.id}.json").write_text(json.dumps(vendor.job(row.id) | {"counts": []}))
    assert minimize(place, vendor.folder).status == "max_steps"


@pytest.mark.parametrize("word", ["lose", "drop", "busy", "unreachable"])
def test_a_submission_without_an_answer_is_looked_for_before_it_is_sent_again(word, vendor, place, whole):
    vendor.plan(submit=["", word, word], state=["busy", "unavailable", "reset"], result=["reset"])
    assert same(minimize(place, vendor.folder), whole)
    assert sent_once(vendor, whole)


def test_a_vendor_that_does_not_say_its_price_at_once_is_asked_again(vendor, place, whole):
    vendor.plan(price=["busy", "", "unavailable", "reset"])
    assert same(minimize(place, vendor.folder), whole)


def test_a_job_that_is_listed_late_is_not_sent_again(vendor, place, whole, monkeypatch):
    monkeypatch.setattr(hybrid.loop.dispatch, "PATIENCE", dataclasses.replace(filed.QUICK, listed_s=2.0))
    listed = filed.FiledByTag.jobs
    calls = []
    monkeypatch.setattr(
        filed.FiledByTag, "jobs", lambda *a, **k: calls.append(1) or (listed(*a, **k)[len(calls) == 1 :])
    )
    vendor.plan(submit=["lose"])
    assert same(minimize(place, vendor.folder), whole)
    assert sent_once(vendor, whole)
    assert len(calls) == 2


@pytest.fixture
def waited(monkeypatch):
    """Seconds that runs have waited with their own patience, which pass at once."""
    seconds: list[float] = [0.0]
    monkeypatch.setattr(hybrid.loop.dispatch, "PATIENCE", Patience())
    monkeypatch.setattr(hybrid.loop.dispatch, "pausing", lambda s, stop: seconds.append(seconds.pop() + s))
    return seconds


def test_a_job_that_is_listed_minutes_late_is_not_sent_again(vendor, place, whole, monkeypatch, waited):
    listed = filed.FiledByTag.jobs
    monkeypatch.setattr(filed.FiledByTag, "jobs", lambda *a, **k: listed(*a, **k) if waited[0] > 50 else [])
    vendor.plan(submit=["lose"])
    with pytest.warns(UserWarning, match=r"may have been sent at .*asked again for 60 s.*--adopt ID.*--resend"):
        assert same(minimize(place, vendor.folder), whole)
    assert sent_once(vendor, whole)


def test_a_job_that_is_in_no_list_for_as_long_as_one_may_take_is_sent(vendor, place, whole, monkeypatch, waited):
    monkeypatch.setenv("HYBRID_SETTLING_S", "42")
    vendor.plan(submit=["drop"])
    with pytest.warns(UserWarning, match="asked again for 42 s"):
        assert same(minimize(place, vendor.folder, max_steps=2), whole)
    assert sent_once(vendor, whole)
    assert waited[0] >= 42


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(text, vendor, place, monkeypatch):
    monkeypatch.setenv("HYBRID_SETTLING_S", text)
    with pytest.raises(Refused, match=f"HYBRID_SETTLING_S must be seconds.*'{text}'"):
        minimize(place, vendor.folder)
    assert vendor.jobs() == []


def test_who_stops_while_a_job_is_looked_for_learns_what_to_say_of_it(vendor, place, whole, cli, monkeypatch):
    monkeypatch.setattr(filed.FiledByTag, "jobs", lambda *a, **k: [])
    monkeypatch.setattr(hybrid.loop.dispatch, "PATIENCE", dataclasses.replace(filed.QUICK, listed_s=3600.0))
    vendor.plan(submit=["lose"])
    with pytest.warns(UserWarning, match="stop this, look at the list of jobs"):
        run = minimize(place, vendor.folder, should_stop=lambda: bool(vendor.jobs()))
    assert run.status == "stopped"
    assert "--adopt ID" in run.message
    assert [row.status for row in jobs_of(place)] == ["intended"]
    assert cli("jobs", place, "--adopt", "job-0")[0] == 0
    assert same(minimize(place, vendor.folder), whole)
    assert sent_once(vendor, whole)


def test_a_refused_job_is_charged_nothing(vendor, place):
    vendor.plan(submit=["", "refuse"])
    with pytest.raises(Refused, match="400"):
        minimize(place, vendor.folder, budget={"usd": 100})
    assert spending_of(place).spent.usd == pytest.approx(0.30 + 300 * 0.00035)


def test_all_jobs_of_an_evaluation_are_sent_before_one_is_waited_for(vendor, place, monkeypatch):
    vendor.plan(state=["reset"] * 10_000)  # nobody answers
    monkeypatch.setattr(hybrid.loop.dispatch, "PATIENCE", dataclasses.replace(filed.QUICK, silent_s=0.1))
    with pytest.raises(ProviderUnreachable):
        minimize(place, vendor.folder)
    assert len(vendor.jobs()) == len(jobs_of(place)) > 1


def test_where_nobody_can_search_the_fate_of_a_job_is_asked_for(vendor, place, workers, whole, cli):
    vendor.plan(submit=["", "die after"])
    assert workers.run("minimize", place, vendor.folder, searched=False) == KILLED
    with pytest.raises(LostJob, match=r"job 0\.1 .*3 circuits of 100 shots.*cannot be searched.*--adopt ID.*--resend"):
        minimize(place, vendor.folder, searched=False)
    assert cli("jobs", place, "--adopt", "job-0")[0] == 2  # that is the job of another part
    code, out, _ = cli("jobs", place, "--adopt", "job-1", "--json")
    assert code == 0
    assert [job["id"] for job in json.loads(out)["jobs"]] == ["job-0", "job-1"]
    assert same(minimize(place, vendor.folder, searched=False), whole)
    assert len(vendor.jobs()) == len(jobs_of(whole.folder))


@pytest.mark.parametrize("word", ["die", "die after", "lose", "drop"])
def test_where_two_requests_make_one_job_it_is_sent_again_though_nobody_can_search(word, vendor, place, workers, whole):
    vendor.plan(submit=["", word])
    options = {"searched": False, "idempotent": True}
    if word.startswith("die"):
        assert workers.run("minimize", place, vendor.folder, **options) == KILLED
    assert same(minimize(place, vendor.folder, **options), whole)
    assert len(vendor.jobs()) == len(jobs_of(place)) == len(jobs_of(whole.folder))


@pytest.mark.parametrize("options", [{}, {"searched": False, "idempotent": True}])
def test_outside_of_runs_too_a_job_whose_answer_is_lost_is_looked_for_or_sent_again_as_the_same(options, vendor):
    vendor.plan(submit=["lose"])
    device = filed.device(str(vendor.folder), **options).through(Direct(filed.QUICK))
    circuit = hardware_efficient(2, layers=1)
    counts = device.sample(circuit, np.zeros(circuit.num_parameters), shots=20)
    assert (sum(counts.values()), len(vendor.jobs())) == (20, 1)


def test_outside_of_runs_a_job_that_is_not_found_is_not_sent_again(vendor):
    vendor.plan(submit=["drop"])
    device = filed.device(str(vendor.folder)).through(Direct(filed.QUICK))
    circuit = hardware_efficient(2, layers=1)
    with pytest.raises(LostJob, match="may have taken"):
        device.sample(circuit, np.zeros(circuit.num_parameters), shots=20)
    assert vendor.jobs() == []


def test_the_age_of_a_job_by_a_clock_that_was_set_anew_is_not_believed(
    vendor, place, workers, whole, monkeypatch, unchain
):
    """A job that is listed late, after a death in which the clock was put forward by a day."""
    monkeypatch.setattr(hybrid.loop.dispatch, "PATIENCE", dataclasses.replace(filed.QUICK, listed_s=0.3))
    vendor.plan(submit=["", "die after"])
    assert workers.run("minimize", place, vendor.folder) == KILLED
    with sqlite3.connect(place / "journal.sqlite") as database:
        database.execute("UPDATE job SET intended_at = intended_at - 86400")
        unchain(database)
    listed, start = filed.FiledByTag.jobs, time.monotonic()
    late = lambda self, tags: listed(self, tags) if time.monotonic() > start + 0.2 else []  # noqa: E731
    monkeypatch.setattr(filed.FiledByTag, "jobs", late)
    assert same(minimize(place, vendor.folder), whole)
    assert sent_once(vendor, whole)


def test_a_busy_vendor_is_sent_a_job_again_when_it_has_asked_for_it(vendor, place, whole, monkeypatch):
    pauses, pausing = [], hybrid.loop.dispatch.pausing
    monkeypatch.setattr(
        hybrid.loop.dispatch, "pausing", lambda s, stop: pauses.append(s) or pausing(min(s, 0.01), stop)
    )
    monkeypatch.setattr(filed, "RETRY_AFTER", "3")
    vendor.plan(submit=["", "busy"], state=["busy"])
    assert same(minimize(place, vendor.folder), whole)
    assert pauses.count(3.0) == 2


def test_a_job_that_never_arrived_is_sent_when_somebody_says_so(vendor, place, workers, whole, cli):
    vendor.plan(submit=["", "die"])
    assert workers.run("minimize", place, vendor.folder, searched=False) == KILLED
    with pytest.raises(LostJob):
        minimize(place, vendor.folder, searched=False)
    assert cli("jobs", place, "--resend")[0] == 0
    assert same(minimize(place, vendor.folder, searched=False), whole)
    tags = [row.tag for row in jobs_of(place)]
    assert len(tags) == len(set(tags)) == len(vendor.jobs()) + 1


def test_where_jobs_cannot_be_fetched_another_process_says_so(vendor, place, workers, cli):
    vendor.plan(state=["die"])
    options = {"searched": False, "retrieved": False}
    assert workers.run("minimize", place, vendor.folder, **options) == KILLED
    with pytest.raises(LostJob, match=r"no retrieve_job.*--resend"):
        minimize(place, vendor.folder, **options)


@pytest.mark.parametrize(("fate", "word"), [("fail", "failed: the laser was off"), ("cancel", "was cancelled")])
def test_a_job_that_failed_is_sent_anew_only_if_somebody_says_so(fate, word, vendor, place, whole, cli):
    vendor.plan(fate=["", fate])
    for _ in range(2):
        with pytest.raises(FailedJob, match=f"{word}.*--resend"):
            minimize(place, vendor.folder)
    before = len(vendor.jobs())
    assert cli("jobs", place, "--resend")[0] == 0
    assert same(minimize(place, vendor.folder), whole)
    assert len(vendor.jobs()) == len(jobs_of(whole.folder)) + 1 > before
    assert len(set(vendor.tags())) == len(vendor.tags())


def test_what_a_vendor_says_of_a_failure_stands_on_one_line(vendor, place, monkeypatch):
    monkeypatch.setattr(filed.FiledJob, "error_message", lambda job: "the laser\n  was off\n")
    vendor.plan(fate=["fail"])
    with pytest.raises(FailedJob, match=r"failed: the laser was off; .*--resend"):
        minimize(place, vendor.folder)


def test_two_jobs_of_one_tag_are_named(vendor, place, workers, cli):
    vendor.plan(submit=["die after"])
    workers.run("minimize", place, vendor.folder)
    vendor._write("job-1.json", vendor.job("job-0"))
    with pytest.raises(LostJob, match="job-0, job-1"):
        minimize(place, vendor.folder)
    assert cli("jobs", place, "--adopt", "job-1")[0] == 0
    assert minimize(place, vendor.folder).status == "max_steps"


def test_another_request_in_the_place_of_a_recorded_one_is_refused(vendor, place, workers, unchain):
    vendor.plan(state=["die"])
    workers.run("minimize", place, vendor.folder)
    recorded, other = jobs_of(place)[0].request, hashlib.sha256(b"other").hexdigest()
    with sqlite3.connect(place / "journal.sqlite") as database:
        database.execute("UPDATE job SET request = ? WHERE part = 0", (other,))
        unchain(database)
    before = vendor.jobs()
    with pytest.raises(Refused, match=rf"job 0\.0 .*{other[:16]}.*{recorded[:16]}"):
        minimize(place, vendor.folder)
    assert vendor.jobs() == before


def test_a_stopped_run_says_which_job_goes_on(vendor, place, workers, whole, tmp_path):
    vendor.plan(state=["stop"])
    study = tmp_path / "study.toml"
    study.write_text(filed.STUDY.format(vendor=vendor.folder))
    code = workers.run("command", "run", study, "--folder", place, "--no-plot", output=tmp_path / "said")
    said = (tmp_path / "said").read_text()
    assert (code, "stopped" in said, "job-0" in said) == (75, True, True), said
    first = vendor.jobs()
    assert json.loads((place / "result.json").read_text())["status"] == "stopped"
    code = workers.run("command", "run", study, "--folder", place, "--no-plot", "--resume", output=tmp_path / "said")
    assert code == 3, (tmp_path / "said").read_text()  # two steps do not converge
    assert set(first) < set(vendor.jobs())
    assert sent_once(vendor, whole)


def test_a_run_that_waits_is_locked(vendor, place, workers, wait_until):
    vendor.plan(fate=["hang"])
    process = workers.begin("minimize", place, vendor.folder)
    wait_until(lambda: (place / "journal.sqlite").exists() and len(vendor.jobs()) > 3)
    with pytest.raises(Refused, match="another process"):
        minimize(place, vendor.folder)
    os.kill(process, signal.SIGKILL)
    assert workers.ended() == KILLED


def test_verification_holds_and_sees_a_changed_outcome(vendor, place):
    minimize(place, vendor.folder, max_steps=1)
    for name in ("record", "replay"):
        assert CHECKS[name](claim(place, None)).outcome == "passed"
    with sqlite3.connect(place / "journal.sqlite") as database:
        database.execute("UPDATE job SET outcomes = (SELECT outcomes FROM job WHERE part = 1) WHERE part = 0")
    assert CHECKS["record"](claim(place, None)).outcome == "failed"


def test_a_journal_without_the_table_of_jobs_gets_it(vendor, place, unchain):
    minimize(place, vendor.folder, max_steps=1)
    with sqlite3.connect(place / "journal.sqlite") as database:
        database.execute("DROP TABLE job")
        unchain(database)
    assert jobs_of(place) == ()
    with journal.Journal(place / "journal.sqlite", journal.read(place / "journal.sqlite").run_digest):
        pass
    with sqlite3.connect(place / "journal.sqlite") as database:
        assert database.execute("SELECT count(*) FROM job").fetchone() == (0,)


def test_an_intent_of_an_older_journal_keeps_its_meaning(vendor, place, workers, unchain):
    vendor.plan(submit=["die"])
    workers.run("minimize", place, vendor.folder)
    with sqlite3.connect(place / "journal.sqlite") as database:
        database.execute("DELETE FROM job")
        database.execute("INSERT INTO intent VALUES (0, 0.0)")
        unchain(database)
    with pytest.raises(LostJob, match="evaluation 0 was sent"):
        minimize(place, vendor.folder)
    assert vendor.jobs() == []


def test_simulators_here_leave_no_jobs(place):
    hybrid.minimize(
        hardware_efficient(2, layers=1), tfim(2), backend=BasicSimulator(), optimizer="spsa",
        accuracy=0.1, max_steps=1, shots=50, folder=place,
    )  # fmt: skip
    assert jobs_of(place) == ()
    assert not (place / "budget.sqlite").exists()


def test_waiting_ends_with_the_jobs_and_says_which_failed(vendor, place, workers, cli):
    assert workers.run("minimize", place, vendor.folder) == 0
    other = place.with_name("other")
    vendor.plan(fate=["", "", "fail"], state=["die"])
    assert workers.run("minimize", other, vendor.folder) == KILLED
    assert cli("jobs", place, "--wait")[0] == 0
    code, out, err = cli("jobs", other, "--wait")
    assert code == 5
    assert "the laser was off" in err
    assert {row.status for row in jobs_of(other)} == {"done", "failed"}
    assert "failed" in out


def test_what_is_cancelled_is_so_at_the_vendor_and_in_the_list(vendor, place, workers, cli):
    vendor.plan(fate=["hang"] * 30, state=["die"])
    assert workers.run("minimize", place, vendor.folder) == KILLED
    assert cli("jobs", place, "--cancel", "--job", "0.1")[0] == 0
    assert [row.status for row in jobs_of(place)][:3] == ["queued", "cancelled", "queued"]
    code, out, _ = cli("jobs", place, "--cancel", "--json")
    assert code == 0
    assert {job["status"] for job in json.loads(out)["jobs"]} == {"cancelled"}
    with pytest.raises(FailedJob, match="cancelled"):
        minimize(place, vendor.folder)
    assert cli("jobs", place, "--cancel")[0] == 2


def test_waiting_can_be_stopped(vendor, place, workers, tmp_path, wait_until):
    vendor.plan(fate=["hang"] * 30, state=["die"])
    assert workers.run("minimize", place, vendor.folder) == KILLED
    process = workers.begin("command", "jobs", place, "--wait", output=tmp_path / "said")
    asked = vendor.job("job-0")["asked"]
    wait_until(lambda: vendor.job("job-0")["asked"] > asked)
    os.kill(process, signal.SIGTERM)
    assert workers.ended() == 75
    assert "the jobs go on" in (tmp_path / "said").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--adopt", "a", "--resend"], "exclude each other"),
        (["--adopt", "job-9"], "the id of job 0.9"),
        (["--adopt", "else"], "no job whose id is not known"),
        (["--resend"], "no job that is lost"),
        (["--resend", "--job", "7.0"], "no job 7.0"),
    ],
)
def test_words_that_fit_no_job_are_refused(words, said, cli, whole):
    code, _, err = cli("jobs", whole.folder, *words)
    assert code == 2
    assert said in err


def test_a_list_names_jobs_charges_and_what_is_spent(cli, whole):
    code, out, _ = cli("jobs", whole.folder)
    assert code == 0
    assert all(part in out for part in ("0.405 USD,", "0.3 s"))  # perhaps on two lines of a cell
    assert "USD spent" in out


def test_the_fidelities_of_an_evaluation_wait_together(vendor):
    vendor.plan(state=["reset"] * 10_000)
    circuit = hardware_efficient(2, layers=1)
    impatient = Direct(dataclasses.replace(filed.QUICK, silent_s=0.1))
    same_states = fidelities(filed.device(str(vendor.folder)).through(impatient), circuit, shots=20)
    pairs = np.zeros((7, 2, circuit.num_parameters))
    with pytest.raises(ProviderUnreachable):
        same_states(pairs, 0)
    assert len(vendor.jobs()) == 3  # seven circuits, three in a job
    vendor.plan()
    assert same_states(pairs, 0).tolist() == [1.0] * 7


def test_what_was_surely_not_sent_may_be_another_request(vendor, place, workers, unchain):
    vendor.plan(submit=["refuse"])
    with pytest.raises(Refused, match="400"):
        minimize(place, vendor.folder)
    with sqlite3.connect(place / "journal.sqlite") as database:
        database.execute("UPDATE job SET request = 'other'")
        unchain(database)
    assert minimize(place, vendor.folder).status == "max_steps"
