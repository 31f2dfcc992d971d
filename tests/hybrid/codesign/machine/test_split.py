"""Where the time of a run goes."""

import json

import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.codesign.machine.split import PARTS, measured_split
from hybrid.codesign.machine.work import loop_work
from hybrid.runs.account import account

SMALL = {"backend": "statevector", "optimizer": "spsa", "seed": 2}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "ended"
    return hybrid.minimize(hardware_efficient(4, layers=2), tfim(4), folder=place, max_steps=8, **SMALL)


def test_the_parts_of_a_run_are_its_phases_and_add_up_to_its_time(ended):
    split, phases = measured_split(account(ended.folder)), ended.seconds
    assert list(split.seconds) == list(PARTS)
    assert split.total_s == pytest.approx(phases["total"], rel=1e-9)
    assert split.seconds["simulator"] == pytest.approx(phases["evaluate"], rel=1e-6)
    assert split.seconds["compilation"] == pytest.approx(phases["compile"], rel=1e-6)
    assert split.seconds["optimizer"] == phases["optimize"] > 0
    assert split.seconds["record"] == phases["record"] > 0
    assert split.seconds["checks"] == pytest.approx(phases["exact energy"] + phases["uncertainty"], rel=1e-9)
    assert split.seconds["other"] == pytest.approx(phases["plan"] + phases["other"], rel=1e-6)
    assert split.seconds["device"] == split.seconds["queue"] == split.seconds["communication"] == 0
    assert (split.measured, split.ranks, split.jobs) == (True, 1, 0)


def test_a_run_that_was_continued_counts_the_evaluations_of_all_its_processes(tmp_path):
    asked = iter([False] * 4 + [True] * 100)
    words = SMALL | {"max_steps": 8, "folder": tmp_path / "run"}
    stopped = hybrid.minimize(
        hardware_efficient(4, layers=2), tfim(4), should_stop=lambda: next(asked), progress=False, **words
    )
    assert stopped.status == "stopped"
    first = sum(one.seconds for one in account(stopped.folder).content.evaluations)
    ended = hybrid.resume(stopped.folder)
    split = measured_split(account(ended.folder))
    assert split.total_s == pytest.approx(ended.seconds["total"] + first, rel=1e-6)
    evaluated = split.seconds["simulator"] + split.seconds["compilation"]
    assert evaluated == pytest.approx(first + ended.seconds["evaluate"] + ended.seconds["compile"], rel=1e-6)
    assert any("earlier processes" in note for note in split.notes)


def test_a_run_that_has_not_ended_is_refused_with_the_cure(ended, tmp_path):
    (tmp_path / "begun").mkdir()
    for file in ended.folder.iterdir():
        if file.name != "result.json":
            (tmp_path / "begun" / file.name).write_bytes(file.read_bytes())
    with pytest.raises(Refused, match="has not ended"):
        hybrid.machine_model(tmp_path / "begun")
    with pytest.raises(Refused, match="none of its runs has ended"):
        hybrid.machine_model(tmp_path)


def test_the_plan_of_a_run_is_divided_like_the_run(ended):
    plan = hybrid.plan(hardware_efficient(4, layers=2), tfim(4), backend="statevector", optimizer="spsa", max_steps=8)
    model = hybrid.machine_model(plan)
    assert model.total_s == pytest.approx(plan.chosen.seconds)
    assert {part for part, seconds in model.seconds.items() if seconds} >= {"simulator", "optimizer", "record"}
    assert "predicted" in str(model)


def test_a_plan_for_a_snapshot_is_divided_as_the_device_would_take_it():
    work = {"optimizer": "spsa", "shots": 1000, "max_steps": 20}
    plan = hybrid.plan(hardware_efficient(2, layers=1), tfim(2), backend="ibm:fake_manila", **work)
    hardware, model = plan.chosen.cost.hardware, hybrid.machine_model(plan)
    assert model.seconds["device"] == pytest.approx(hardware.qpu_s)
    faster = model.with_(repetition_rate=10)  # the vendor's rule: 2 s a job, and 250 us more than the circuit a shot
    by_shots = hardware.shots * (250e-6 + hardware.circuit_s)
    assert faster.seconds["device"] == pytest.approx(2.0 * hardware.jobs + by_shots / 10)
    waiting = model.with_(queue_s=60.0)
    assert waiting.seconds["queue"] == pytest.approx(60.0 * model.split.waits)
    assert waiting.bottleneck == "queue"


def test_the_work_of_a_run_is_counted(ended):
    work = loop_work(account(ended.folder))
    rows, params = ended.evaluations, len(ended.theta)
    assert work.rows == rows
    assert work.asked_bytes == 8 * rows * params
    assert work.answered_bytes == 16 * rows  # a value and a standard error of each
    assert work.record_bytes == (ended.folder / "journal.sqlite").stat().st_size
    assert work.flops > rows * 2**4 * 4
    assert json.loads(json.dumps(work.to_dict()))["rows"] == rows
    assert "GFLOP" in str(work)


def test_a_report_says_where_the_time_went(ended, tmp_path):
    page = hybrid.report(ended, tmp_path / "report.html").read_text()
    assert "Where the time went" in page
    assert "The bottleneck is" in page
    seconds = measured_split(account(ended.folder)).seconds
    longest = max(seconds, key=lambda part: seconds[part])
    assert f"The bottleneck is {longest} (" in page
