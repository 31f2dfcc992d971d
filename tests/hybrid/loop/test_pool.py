"""Evaluations on the workers of executors: the same bits, small messages, no secrets, one clear error."""

import hashlib
import multiprocessing
import pickle
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import backends
import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import FailedJob, PolicyViolation, Refused
from hybrid.loop import pool


class Last(Executor):
    """Whose work is done in other threads, what came last first, and each message pickled as if it went far."""

    def __init__(self):
        self.sent, self._waiting, self._lock = [], [], threading.Lock()
        self._pool = ThreadPoolExecutor(2)

    def submit(self, function, /, *args, **keywords):
        future = Future()
        message = pickle.dumps((function, args, keywords))
        self.sent.append(message)
        with self._lock:
            self._waiting.append((future, message))
        self._pool.submit(self._one)
        return future

    def _one(self):
        with self._lock:
            future, message = self._waiting.pop()
        if not future.set_running_or_notify_cancel():
            return
        function, args, keywords = pickle.loads(message)
        try:
            future.set_result(function(*args, **keywords))
        except Exception as err:  # noqa: BLE001 - handed on
            future.set_exception(err)

    def shutdown(self, wait=True, *, cancel_futures=False):
        self._pool.shutdown(wait=wait)


def run(folder, executor=None, *, optimizer="cma-es", backend="reference", **options):
    return hybrid.minimize(
        hardware_efficient(3, layers=1),
        tfim(3),
        backend=backend,
        optimizer=optimizer,
        seed=11,
        max_steps=4,
        folder=folder,
        executor=executor,
        **{"shots": 200} | options,
    )


def bits(result):
    history = result.history
    return hashlib.sha256(
        b"".join(np.ascontiguousarray(a).tobytes() for a in (result.theta, history.energy, history.theta))
    ).hexdigest()


@pytest.mark.parametrize(
    "optimizer",
    ["cma-es", "spsa", *(pytest.param(name, marks=pytest.mark.slow) for name in ("multistart", "adam"))],
)
def test_same_bits_whatever_is_done_first(tmp_path, optimizer):
    with Last() as executor:
        shared = run(tmp_path / "shared", executor, optimizer=optimizer)
    assert executor.sent
    assert bits(shared) == bits(run(tmp_path / "alone", optimizer=optimizer))


def test_messages_are_small_and_hold_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "a-secret-that-must-stay-here")
    with Last() as executor:
        run(tmp_path / "run", executor)
    assert not any(b"a-secret-that-must-stay-here" in message for message in executor.sent)
    sizes = sorted(map(len, executor.sent))
    assert sizes[0] < 2500  # rows of parameters, but neither circuit nor Hamiltonian
    assert sizes[-1] < 20_000


def test_threads_share_nothing(tmp_path):
    with ThreadPoolExecutor(3) as executor:
        assert bits(run(tmp_path / "shared", executor)) == bits(run(tmp_path / "alone"))


@pytest.mark.slow  # 6 s: its workers start anew
def test_processes_and_one_that_dies(tmp_path):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert bits(run(tmp_path / "shared", executor)) == bits(run(tmp_path / "alone"))

        def kill(step, theta, energy):
            executor.submit(exit_hard).exception()

        with pytest.raises(FailedJob, match=r"evaluation \d, rows \d+ to \d+: the executor"):
            run(tmp_path / "dies", executor, optimizer="differential-evolution", callback=kill)
    resumed = run(tmp_path / "dies", optimizer="differential-evolution")
    assert bits(resumed) == bits(run(tmp_path / "whole", optimizer="differential-evolution"))


def exit_hard():
    import os

    os._exit(1)


class Failing(Last):
    """Whose second evaluation fails."""

    def __init__(self, error):
        super().__init__()
        self._error, self.cancelled = error, 0

    def submit(self, function, /, making, points, number, tiles):
        if number == 1 and tiles[0].number == 2:
            future = Future()
            future.set_exception(self._error)
            return future
        future = super().submit(function, making, points, number, tiles)
        future.add_done_callback(lambda done: setattr(self, "cancelled", self.cancelled + done.cancelled()))
        return future


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Refused("no such thing"), "evaluation 1, rows 2 to 2: no such thing"),
        (OSError("the node is gone"), "evaluation 1, rows 2 to 2: the executor's worker failed: OSError: the node is"),
    ],
)
def test_a_failure_names_the_rows_and_what_was_finished_stays(tmp_path, error, message):
    with Failing(error) as executor, pytest.raises((Refused, FailedJob), match=message):
        run(tmp_path / "run", executor)
    assert bits(run(tmp_path / "run")) == bits(run(tmp_path / "alone"))


def test_an_interrupt_cancels_what_has_not_begun(tmp_path, monkeypatch):
    futures = []

    class Never(Executor):
        def submit(self, function, /, *args, **keywords):
            futures.append(Future())
            return futures[-1]

    def interrupted(*args, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(pool, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", Never())
    assert futures
    assert all(future.cancelled() for future in futures)


def test_what_cannot_be_done_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(Refused, match=r"executor must be a concurrent\.futures\.Executor"):
        run(tmp_path / "run", 4)
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as forking,
        pytest.raises(Refused, match="spawn"),
    ):
        run(tmp_path / "run", forking)
    assert not (tmp_path / "run").exists()


def test_a_backend_that_is_an_object_is_refused():
    backend = backends.get("reference")
    with ThreadPoolExecutor(1) as executor, pytest.raises(Refused, match="an object that no other process can make"):
        pool.PooledEvaluator(None, None, executor, backend)


def test_other_versions_in_a_worker_are_refused():
    with pytest.raises(Refused, match=r"the worker has numpy .*, and the run 1\.0"):
        pool.check_alike({**pool.versions(), "numpy": "1.0"})


def test_workers_elsewhere_are_a_site_for_the_policy(tmp_path, monkeypatch):
    (tmp_path / "policy.toml").write_text('[[refusal]]\nlabels = ["restricted"]\nsites = ["*"]\n')
    monkeypatch.setenv("HYBRID_POLICY", str(tmp_path / "policy.toml"))
    with Last() as executor, pytest.raises(PolicyViolation):
        run(tmp_path / "run", executor, label="restricted")
    with ThreadPoolExecutor(2) as here:
        assert run(tmp_path / "here", here, label="restricted").steps == 4
