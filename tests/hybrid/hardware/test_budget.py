"""Budgets for jobs at vendors: of a run, of all points of a sweep, over restarts, in one process or many."""

import json
import os
import sqlite3
import subprocess
import threading

import pytest
from filed import USD_JOB, USD_SHOT
from workers import minimize

import hybrid
from backends.providers.hardware import Charge, JobState
from circuits.errors import BudgetExceeded, RecordFailed, Refused
from hybrid.runs.budget import Budget, Spending, budget_of, spending_of

SWEEP = """
[problem]
kind = "tfim"
n = 2
field = "{{g}}"
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "spsa"
accuracy = 0.1
max_steps = 1
[backend]
name = "filed:{vendor}"
shots = 100
[budget]
usd = {usd}
[sweep]
g = [0.5, 1.0, 1.5]
"""


def test_spending_holds_what_was_granted_and_not_a_cent_more(tmp_path):
    spending = Spending(tmp_path / "budget.sqlite")
    spending.grant(Budget(usd=0.3, shots=100))
    for k in range(3):
        spending.reserve({f"job {k}": Charge(usd=0.1, shots=10)}, "a job")  # 3 x 0.1 > 0.3 in binary numbers
    with pytest.raises(BudgetExceeded, match=r"up to 0\.01 USD more.*0\.30 USD 0\.30 USD are spent and 0\.00 USD are"):
        spending.reserve({"job 3": Charge(usd=0.01)}, "a job")
    spending.reserve({"job 2": Charge(usd=0.1, shots=10)}, "a job that was reserved before")
    assert spending.spent == Charge(0.30000000000000004, 0.0, 30)
    with pytest.raises(BudgetExceeded, match="100 shots 30 shots are spent and 70 shots are left"):
        spending.reserve({"free": Charge(shots=71)}, "a job")
    spending.release(["job 0"])
    spending.record({"job 1": Charge(usd=0.15, shots=10)})
    assert spending.spent.usd == pytest.approx(0.25)
    spending.grant(Budget(usd=1.0))
    spending.reserve({"job 3": Charge(usd=0.75, shots=10_000)}, "a job")


def test_many_at_once_never_reserve_more_than_there_is(tmp_path):
    path, taken = tmp_path / "budget.sqlite", []
    Spending(path).grant(Budget(usd=1.0))

    def reserve(worker):
        for k in range(10):
            try:
                Spending(path).reserve({f"{worker} {k}": Charge(usd=0.07)}, "a job")
                taken.append(0.07)
            except BudgetExceeded:
                pass

    threads = [threading.Thread(target=reserve, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 14  # 14 x 0.07 = 0.98
    assert Spending(path).spent.usd == pytest.approx(0.98)


SPENDER = """
import sys
from backends.providers.hardware import Charge
from circuits.errors import BudgetExceeded
from hybrid.runs.budget import Spending
path, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
for k in range(10):
    try:
        Spending(path).reserve({f"{name} {k}": Charge(usd=0.07)}, "a job")
        print(k)
    except BudgetExceeded:
        pass
"""


def test_many_processes_never_reserve_more_than_there_is(tmp_path, start):
    path, pipes = tmp_path / "budget.sqlite", {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    Spending(path).grant(Budget(usd=1.0))
    processes = [start("-c", SPENDER, path, name, **pipes) for name in "abc"]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 3
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    taken = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sum(map(len, taken)) == 14  # 14 x 0.07 = 0.98
    assert Spending(path).spent.usd == pytest.approx(0.98)


def test_a_damaged_budget_spends_nothing(tmp_path):
    path = tmp_path / "budget.sqlite"
    path.write_bytes(b"no database" * 200)
    with pytest.raises(RecordFailed, match="nothing may be spent"):
        Spending(path).reserve({"job": Charge(usd=1.0)}, "a job")


@pytest.mark.parametrize(
    ("given", "word"),
    [({"uds": 1}, "did you mean 'usd'"), ({"usd": -1}, "0 or more"), ({"usd": "5"}, "0 or more"), (5, "by names")],
)
def test_budgets_that_mean_nothing_are_refused(given, word):
    with pytest.raises(Refused, match=word):
        budget_of(given)


def test_a_run_stops_before_the_job_that_costs_too_much(vendor, place, whole, cli):
    with pytest.raises(BudgetExceeded, match=r"of evaluation 0\.0 on filed.*nothing was sent"):
        minimize(place, vendor.folder, budget={"usd": 1.00})
    assert vendor.jobs() == []
    cost = spending_of(whole.folder).spent.usd
    with pytest.raises(BudgetExceeded, match="are left"):
        hybrid.resume(place, budget={"usd": cost - 0.01})
    before, spent = len(vendor.jobs()), spending_of(place).spent.usd
    assert before > 0
    assert spent <= cost - 0.01
    with pytest.raises(BudgetExceeded):
        hybrid.resume(place)  # the budget is that of before
    assert len(vendor.jobs()) == before
    run = hybrid.resume(place, budget={"usd": cost})
    assert run.history.same_bits(whole.history)
    assert spending_of(place).spent.usd == pytest.approx(cost)
    code, out, _ = cli("jobs", place, "--json")
    assert code == 0
    assert json.loads(out)["spent"]["usd"] == pytest.approx(cost)
    assert len(vendor.tags()) == len(set(vendor.tags()))


def test_a_failed_job_stays_paid_unless_the_vendor_says_otherwise(vendor, place, monkeypatch):
    import filed

    vendor.plan(fate=["fail"])
    with pytest.raises(hybrid.FailedJob):
        minimize(place, vendor.folder)
    before = spending_of(place).spent.usd
    told = filed.Priced.state

    def state(self, job_id):
        answer = told(self, job_id)
        return JobState(answer.status, answer.reason, charge=Charge() if answer.status == "failed" else None)

    monkeypatch.setattr(filed.Priced, "state", state)
    other = place.with_name("other")
    vendor.plan(fate=["fail"])
    with pytest.raises(hybrid.FailedJob):
        minimize(other, vendor.folder)
    assert spending_of(other).spent.usd == pytest.approx(before - USD_JOB - 300 * USD_SHOT)


def test_a_lost_budget_is_put_together_from_the_journal(vendor, place):
    minimize(place, vendor.folder, max_steps=1)
    spent = spending_of(place).spent
    os.unlink(place / "budget.sqlite")
    hybrid.resume(place)
    assert spending_of(place).spent == spent


def test_the_points_of_a_sweep_share_one_budget(vendor, place, workers, tmp_path):
    study, said = tmp_path / "study.toml", tmp_path / "said"

    def run(usd, *words):
        study.write_text(SWEEP.format(vendor=vendor.folder, usd=usd))
        return workers.run("command", "run", study, "--folder", place, "--no-plot", *words, output=said)

    assert run(14) == 4, said.read_text()
    assert "14.00 USD" in said.read_text()
    paid = sum(USD_JOB + USD_SHOT * 100 * len(vendor.job(name)["counts"]) for name in vendor.jobs())
    assert 0 < paid <= 14
    assert Spending(place / "budget.sqlite").spent.usd == pytest.approx(paid)
    assert run(14, "--resume") == 4
    assert sum(USD_JOB + USD_SHOT * 100 * len(vendor.job(name)["counts"]) for name in vendor.jobs()) <= 14
    assert run(100, "--resume") == 3, said.read_text()
    assert len(vendor.tags()) == len(set(vendor.tags()))
    assert not list(place.glob("*/budget.sqlite"))


def test_a_budget_that_is_swept_is_refused(vendor, tmp_path):
    from hybrid.studies.study import read

    study = tmp_path / "study.toml"
    study.write_text(SWEEP.format(vendor=vendor.folder, usd='"{g}"'))
    with pytest.raises(Refused, match=r"\[budget\] must not depend"):
        read(study)


def test_a_misspelt_budget_is_refused(vendor, tmp_path):
    from hybrid.studies.study import read

    study = tmp_path / "study.toml"
    study.write_text(SWEEP.format(vendor=vendor.folder, usd=1).replace("usd =", "used ="))
    with pytest.raises(Refused, match=r"\[budget\].*used.*usd"):
        read(study)


def test_what_no_journal_sees_cannot_have_a_budget(place):
    from dataclasses import replace

    from backends.simulators.reference import Reference
    from circuits import hardware_efficient, tfim

    class Away(Reference):
        def capabilities(self):
            return replace(super().capabilities(), place="provider")

    with pytest.raises(Refused, match="no budget can be held"):
        hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend=Away(), folder=place, budget={"usd": 1})


def test_charges_are_in_a_file_that_anybody_can_read(vendor, place):
    minimize(place, vendor.folder, max_steps=1)
    with sqlite3.connect(place / "budget.sqlite") as database:
        assert database.execute("SELECT count(*) FROM charge").fetchone() == (len(vendor.jobs()),)
