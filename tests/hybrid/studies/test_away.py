"""Sweeps at the workers of an executor: the same bits, one writer, and what has come back stays."""

import contextlib
import pickle
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

import hybrid
from circuits.errors import FailedJob, Refused
from hybrid.runs import journal
from hybrid.runs.evidence import examine
from hybrid.runs.lock import Lock
from hybrid.runs.parcel import packed, take_back
from hybrid.studies import away

STUDY = """
[problem]
kind = "tfim"
n = 3
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = "{p}"
[optimizer]
kind = "spsa"
max_steps = 6
[backend]
name = "reference"
shots = 50
[sweep]
h = [0.5, 1.0]
p = [1, 2]
"""

CHAIN = (
    STUDY.replace('kind = "spsa"\nmax_steps = 6', 'kind = "lbfgs"')
    .replace("shots = 50\n", "")
    .replace("[sweep]\nh = [0.5, 1.0]\np = [1, 2]", "[run]\nwarm_start = true\n[sweep]\np = [1, 2]\nh = [0.5, 1.0]")
)

NAMES = ["h=0.5,p=1", "h=0.5,p=2", "h=1.0,p=1", "h=1.0,p=2"]


class Hand(Executor):
    """Which does what it was given when it is told to, in the order that it is told, pickled as if it went far."""

    def __init__(self, *, order=None, broken=()):
        self.sent, self.messages, self.open = [], [], []
        self._order, self._broken = order, broken

    def submit(self, function, /, *args, **keywords):
        future, number = Future(), len(self.sent)
        self.sent.append(future)
        self.messages.append(pickle.dumps((function, args, keywords)))
        self.open.append(number)
        if self._order is None or len(self.open) == len(self._order):
            for place in self._order or [0]:
                self.work(self.open[place])
            self.open = []
        return future

    def work(self, number):
        future = self.sent[number]
        if number in self._broken:
            future.set_exception(self._broken[number])
        elif future.set_running_or_notify_cancel():
            function, args, keywords = pickle.loads(self.messages[number])
            try:
                future.set_result(function(*args, **keywords))
            except Exception as err:  # noqa: BLE001 - handed on
                future.set_exception(err)


@pytest.fixture
def study(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    return file


def bits(outcomes):
    return [(one.point.name, one.result.energy.hex(), one.result.theta.tobytes()) for one in outcomes]


def test_same_bits_in_any_order(study, tmp_path):
    alone = hybrid.sweep(study, folder=tmp_path / "alone")
    executor = Hand(order=[2, 0, 3, 1])
    shared = hybrid.sweep(study, folder=tmp_path / "shared", executor=executor)
    assert len(executor.messages) == 4
    assert max(map(len, executor.messages)) < 60_000
    assert [one.point.name for one in shared] == NAMES
    assert bits(shared) == bits(alone)
    for name in NAMES:
        assert examine(tmp_path / "shared" / name).sealed
        here, there = (journal.read(tmp_path / place / name / "journal.sqlite") for place in ("alone", "shared"))
        assert [e.told.values.tobytes() for e in here.evaluations] == [
            e.told.values.tobytes() for e in there.evaluations
        ]
    assert (tmp_path / "shared" / "sweep.json").exists()


@pytest.mark.slow  # it compiles gradients in each thread
def test_points_that_start_from_each_other_follow_each_other(tmp_path):
    file = tmp_path / "chain.toml"
    file.write_text(CHAIN)
    with ThreadPoolExecutor(2) as executor:
        shared = hybrid.sweep(file, folder=tmp_path / "shared", executor=executor)
    assert bits(shared) == bits(hybrid.sweep(file, folder=tmp_path / "alone"))


def test_a_worker_that_fails_costs_its_own_point_alone(study, tmp_path):
    executor = Hand(broken={1: OSError("the node is gone")})
    outcomes = hybrid.sweep(study, folder=tmp_path / "sweep", executor=executor)
    assert [one.result is None for one in outcomes] == [False, True, False, False]
    assert str(outcomes[1].error).endswith(
        "(at h = 0.5, p = 2): the executor's worker failed: OSError: the node is gone"
    )
    again = hybrid.sweep(study, folder=tmp_path / "sweep", executor=(second := Hand()), resume=True)
    assert len(second.sent) == 1
    assert bits(again) == bits(hybrid.sweep(study, folder=tmp_path / "alone"))


def test_an_executor_that_broke_ends_the_sweep_with_one_error(study, tmp_path):
    executor = Hand(order=[0, 1, 2, 3], broken={2: BrokenProcessPool("a process died")})
    with pytest.raises(
        FailedJob, match=r"\(at h = 1\.0, p = 1\): the executor's worker failed: BrokenProcessPool.* resuming"
    ):
        hybrid.sweep(study, folder=tmp_path / "sweep", executor=executor)
    outcomes = hybrid.sweep(study, folder=tmp_path / "sweep", resume=True)
    assert bits(outcomes) == bits(hybrid.sweep(study, folder=tmp_path / "alone"))
    with contextlib.ExitStack() as held:  # nothing is locked any more
        [held.enter_context(Lock(tmp_path / "sweep" / name)) for name in NAMES]


def test_a_stop_cancels_what_has_not_begun_and_an_interrupt_all_of_it(study, tmp_path, monkeypatch):
    executor, asked = Hand(order=[0] * 9), []
    outcomes = hybrid.sweep(
        study, folder=tmp_path / "sweep", executor=executor, should_stop=lambda: asked.append(1) or len(asked) > 12
    )
    assert outcomes == []
    assert executor.sent
    assert all(future.cancelled() for future in executor.sent)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(away, "wait", interrupted)
    executor = Hand(order=[0] * 9)
    with pytest.raises(KeyboardInterrupt):
        hybrid.sweep(study, folder=tmp_path / "other", executor=executor)
    assert len(executor.sent) == 4
    assert all(future.cancelled() for future in executor.sent)


def test_what_comes_back_is_looked_at_before_it_replaces_anything(study, tmp_path):
    hybrid.sweep(study, folder=tmp_path / "one", only=["0"])
    hybrid.sweep(study, folder=tmp_path / "two", only=["0", "1"])
    first, second = tmp_path / "one" / NAMES[0], tmp_path / "two" / NAMES[0]
    before = packed(first)
    with pytest.raises(Refused, match="another run"):
        take_back(packed(tmp_path / "two" / NAMES[1]), first)
    with pytest.raises(Refused, match=r"another run|does not go on"):  # the same question, asked and answered apart
        take_back(packed(second), first)
    (second / "result.json").write_text((second / "result.json").read_text().replace('"status"', '"Status"'))
    with pytest.raises(Refused, match="changed on the way"):
        take_back(packed(second), tmp_path / "new")
    with pytest.raises(Refused, match="damaged"):
        take_back(before[: len(before) // 2], first)
    assert {file.name for file in first.iterdir()} >= {"result.json", "journal.sqlite", "spec.json"}
    take_back(before, first)
    assert not [file for file in Path(first).iterdir() if file.name.startswith(".")]
