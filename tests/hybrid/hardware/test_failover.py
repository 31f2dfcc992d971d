"""A run goes on at another vendor's device: its jobs are its own, those sent before stay the first one's, both paid."""

import filed
import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import BudgetExceeded, PolicyViolation
from hybrid.loop import jobs
from hybrid.runs import journal

CIRCUIT, PROBLEM = hardware_efficient(2, layers=1), tfim(2)


@pytest.fixture
def other(tmp_path):
    return filed.Vendor(tmp_path / "other")


def run(place, vendor, other, **options):
    options = {"optimizer": "spsa", "shots": 100, "accuracy": 0.1, "max_steps": 2, "seed": 1} | options
    names = {"backend": f"filed:{vendor.folder}", "failover": [f"filed:{other.folder}"]}
    return hybrid.minimize(CIRCUIT, PROBLEM, folder=place, **names, **options)


def test_the_next_device_gets_jobs_of_its_own(tmp_path, place, vendor, other):
    alone = run(tmp_path / "alone", filed.Vendor(tmp_path / "third"), other)
    vendor.plan(fate=["", "fail"])
    result = run(place, vendor, other)
    (failover,) = result.failovers
    assert failover["to"] == f"filed:{other.folder}"
    assert "failed" in failover["reason"]
    assert result.history.same_bits(alone.history)  # the same counts for the same circuits, wherever they run
    rows = journal.read(place / "journal.sqlite").jobs
    sent = {row.hardware: [one for one in rows if one.hardware == row.hardware] for row in rows}
    assert {row.place.evaluation for row in sent[f"filed:{other.folder}"]} >= {failover["evaluation"]}
    assert any(row.status == "failed" for row in sent[f"filed:{vendor.folder}"])
    assert len(vendor.jobs()) == len(sent[f"filed:{vendor.folder}"])
    assert len(other.jobs()) == len(sent[f"filed:{other.folder}"])
    assert jobs.budget(place)[1].usd == pytest.approx(sum(row.charge.usd for row in rows))
    assert hybrid.resume(place).history.same_bits(result.history)


def test_the_budget_holds_for_both_together(place, vendor, other):
    vendor.plan(fate=["", "fail"])
    with pytest.raises(BudgetExceeded):
        run(place, vendor, other, budget={"usd": 2.5 * filed.USD_JOB})
    assert len(vendor.jobs()) + len(other.jobs()) <= 2
    result = hybrid.resume(place, budget={"usd": 100})
    assert [one["to"] for one in result.failovers] == [f"filed:{other.folder}"]


def test_the_policy_is_asked_for_the_new_place(tmp_path, monkeypatch, place, vendor, other):
    policy = tmp_path / "policy.toml"
    policy.write_text(
        f'[[approval]]\nlabels = ["open"]\nvendors = ["filed:{vendor.folder}"]\napproved_by = "A"\nuntil = 2999-01-01\n'
    )
    monkeypatch.setenv("HYBRID_POLICY", str(policy))
    with pytest.raises(PolicyViolation, match="may not leave"):
        run(place, vendor, other)
    assert vendor.jobs() == other.jobs() == []
