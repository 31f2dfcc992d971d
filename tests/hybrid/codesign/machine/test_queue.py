"""The model of a run on a device, against the same run with other queues: at the device again, and played again."""

import time

import filed
import pytest

import hybrid
from circuits import hardware_efficient, tfim

SENDING_S = 0.02
"""Of a job."""

SHOT_S = 0.001
"""That the vendor charges for."""

POLLED_S = 0.5
"""Of pauses between questions to the vendor, beyond what each wait takes."""


class FakeTime:
    """Seconds that pass only where something waits."""

    def __init__(self, monkeypatch):
        self.now = 1e6
        for name in ("perf_counter", "monotonic", "time"):
            monkeypatch.setattr(time, name, lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return FakeTime(monkeypatch)


@pytest.fixture
def run_at_the_device(clock, monkeypatch, tmp_path):
    """A function that minimizes at a device whose jobs wait so long, and then compute."""
    submit, status = filed.Priced.submit, filed.Vendor.status

    def run(queue_s):
        ready_at = {}

        def slow_submit(self, request, tag):
            clock.sleep(SENDING_S)
            name = submit(self, request, tag)
            ready_at[name] = clock.now + queue_s
            return name

        def slow_status(self, name):
            if name in ready_at:
                shots = self.job(name)["shots"] * len(self.job(name)["counts"])
                clock.sleep(max(ready_at.pop(name) - clock.now, 0.0) + SHOT_S * shots)
            return status(self, name)

        monkeypatch.setattr(filed.Priced, "submit", slow_submit)
        monkeypatch.setattr(filed.Vendor, "status", slow_status)
        place = tmp_path / f"waits {queue_s}"
        return hybrid.minimize(*QUESTION, backend=f"filed:{tmp_path / f'vendor {queue_s}'}", folder=place, **HOW)

    return run


QUESTION = hardware_efficient(2, layers=1), tfim(2)
HOW = {"optimizer": "spsa", "accuracy": 0.1, "max_steps": 1, "shots": 100, "progress": False}


def test_sending_waiting_and_computing_are_told_apart_and_another_queue_is_predicted(run_at_the_device):
    slow = hybrid.machine_model(run_at_the_device(40.0))
    split = slow.split
    assert split.jobs > split.waits == split.asked > 1
    assert split.seconds["communication"] == pytest.approx(SENDING_S * split.jobs)
    assert split.seconds["device"] == pytest.approx(SHOT_S * split.shots)
    assert split.seconds["queue"] == pytest.approx(40.0 * split.waits, abs=POLLED_S)
    assert split.seconds["simulator"] == split.seconds["compilation"] == 0
    assert slow.bottleneck == "queue"
    longer = run_at_the_device(900.0)
    assert slow.with_(queue_s=900.0).total_s == pytest.approx(longer.seconds["total"], abs=POLLED_S)
    assert longer.seconds["total"] > 10 * slow.total_s


def test_a_run_played_again_with_other_queues_takes_what_is_predicted(run_at_the_device, clock, tmp_path):
    model = hybrid.machine_model(run_at_the_device(40.0))
    predicted, recorded = model.with_(queue_s=5.0), run_at_the_device(5.0)
    begun = clock.now
    played = hybrid.minimize(*QUESTION, backend=f"replay:{recorded.folder}", folder=tmp_path / "again", **HOW)
    assert played.energy == recorded.energy
    assert clock.now - begun == pytest.approx(predicted.total_s, abs=POLLED_S)
    assert predicted.total_s < 0.6 * model.total_s
