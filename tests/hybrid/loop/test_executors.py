"""Executors of other libraries, and of other processes: the same bits as without one, for a run and for a sweep."""

import hashlib
import multiprocessing
import os
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import hybrid
from circuits import hardware_efficient, tfim

pytestmark = pytest.mark.slow  # 5 to 10 s each: workers start, and import the toolkit

STUDY = """
[problem]
kind = "tfim"
n = 3
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[optimizer]
kind = "spsa"
max_steps = 4
[backend]
name = "reference"
shots = 20
[sweep]
h = [0.5, 1.0]
"""


@contextmanager
def processes(folder):
    """Python's own, started anew."""
    del folder
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


class ByDill(Executor):
    """As Globus Compute's: what it is given goes as text, by dill, to a process that shares nothing with this one."""

    def __init__(self, dill, worker):
        self._dill, self._worker = dill, worker

    def submit(self, function, /, *args, **keywords):
        future = Future()
        message = self._dill.dumps((function, args, keywords)).hex()
        sent = self._worker.submit(answered, message)
        Thread(target=lambda: future.set_result(self._dill.loads(bytes.fromhex(sent.result())))).start()
        return future


def answered(message):
    import dill

    function, args, keywords = dill.loads(bytes.fromhex(message))
    return dill.dumps(function(*args, **keywords)).hex()


@contextmanager
def by_dill(folder):
    dill = pytest.importorskip("dill")
    with processes(folder) as worker:
        yield ByDill(dill, worker)


@contextmanager
def dask(folder):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, local_directory=str(folder)
        ) as cluster,
        distributed.Client(cluster) as client,
        client.get_executor() as executor,
    ):
        yield executor


@contextmanager
def executorlib(folder):
    library = pytest.importorskip("executorlib", reason="executorlib is not installed")
    with library.SingleNodeExecutor(max_workers=1, block_allocation=True, hostname_localhost=True) as executor:
        yield executor


@contextmanager
def parsl(folder):
    pytest.importorskip("parsl", reason="Parsl is not installed")
    from parsl.concurrent import ParslPoolExecutor
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import LocalProvider

    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # its programs lie there
    here = HighThroughputExecutor(
        label="here",
        address="127.0.0.1",
        loopback_address="127.0.0.1",
        max_workers_per_node=1,
        encrypted=False,
        provider=LocalProvider(init_blocks=1, max_blocks=1),
    )
    config = Config(executors=[here], run_dir=str(folder / "parsl"), usage_tracking=0)
    with ParslPoolExecutor(config) as executor:
        yield executor


@pytest.mark.parametrize("opened", [processes, by_dill, dask, executorlib, parsl])
def test_same_bits(tmp_path, monkeypatch, opened):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[3]), str(Path(__file__).parent)]))
    monkeypatch.setenv("PATH", os.environ["PATH"])
    (tmp_path / "study.toml").write_text(STUDY)
    with opened(tmp_path) as executor:
        run = bits(minimized(tmp_path / "shared", executor))
        outcomes = hybrid.sweep(tmp_path / "study.toml", folder=tmp_path / "sweep", executor=executor)
    assert run == bits(minimized(tmp_path / "alone"))
    alone = hybrid.sweep(tmp_path / "study.toml", folder=tmp_path / "swept")
    assert [bits(one.result) for one in outcomes] == [bits(one.result) for one in alone]


def minimized(folder, executor=None):
    circuit = hardware_efficient(3, layers=1)
    asked = {"backend": "reference", "optimizer": "cma-es", "shots": 50, "seed": 3, "max_steps": 2}
    return hybrid.minimize(circuit, tfim(3), folder=folder, executor=executor, **asked)


def bits(result):
    numbers = (result.theta, result.history.energy, result.history.theta)
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in numbers)).hexdigest()
