"""What the ranks of a node cannot do together is refused; what is chosen does not depend on them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import backends
from backends.base import speed_name
from backends.calibration import measure
from backends.cost import Cost, Footprint
from backends.machine import JOB_CORES, own_cores
from backends.speed import stored
from circuits.errors import Refused
from hybrid.loop.team import check_node
from hybrid.loop.threads import check_ranks
from hybrid.ranks.mpi import Ranks


@pytest.fixture
def one_of_two_cores(monkeypatch):
    """This process is confined to the first of its cores, as a rank is."""
    cores = own_cores()
    if len(cores) < 2:
        pytest.skip("two cores are needed")
    monkeypatch.setenv(JOB_CORES, ",".join(map(str, cores)))
    os.sched_setaffinity(0, cores[:1])
    yield
    os.sched_setaffinity(0, cores)


def test_memory_is_needed_once_for_each_rank():
    backend, cost = backends.get("statevector"), Cost(seconds=1.0, compile_s=0.0, memory_bytes=2**50)
    check_node(backend, cost, Ranks(local_size=1))
    with pytest.raises(Refused, match=r"3 ranks of this node needs 1.0 PiB"):
        check_node(backend, cost, Ranks(local_size=3))


def test_the_optimizer_needs_memory_once_for_a_node(monkeypatch):
    """Ranks of 1 GB and an optimizer of 9 GB: ten of them take 19 GB, twelve 21 GB."""
    monkeypatch.setattr("backends.memory.free_bytes", lambda: 20 * 10**9)
    backend, cost = backends.get("statevector"), Cost(seconds=1.0, compile_s=0.0, memory_bytes=10 * 10**9)
    check_node(backend, cost, Ranks(local_size=10), leader_bytes=9 * 10**9)
    with pytest.raises(Refused, match=r"12 ranks of this node needs 953.7 MiB and the optimizer 8.4 GiB"):
        check_node(backend, cost, Ranks(local_size=12), leader_bytes=9 * 10**9)


def test_bits_that_depend_on_threads_need_a_number_of_threads(one_of_two_cores, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    check_ranks(backends.get("statevector"))
    with pytest.raises(Refused, match=r"lightning depend on its number of threads.*OMP_NUM_THREADS=1"):
        check_ranks(backends.get("lightning"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    check_ranks(backends.get("lightning"))


def test_speeds_are_those_of_all_cores_of_the_job(one_of_two_cores, monkeypatch, tmp_path):
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path))
    backend = backends.get("reference")
    name = speed_name(backend.capabilities(), derivative=False)
    found = measure(backend, derivative=False)
    assert found.row_s(Footprint(100, 100, 0)) > 0
    monkeypatch.delenv(JOB_CORES)
    assert stored(name) is None, "it would be the speed of this core alone"
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    assert stored(name) == found


@pytest.mark.parametrize("name", ["reference", "statevector"])
def test_backends_that_claim_so_give_the_same_bits_on_any_number_of_threads(name):
    program = (
        "import sys, numpy, backends; from circuits import hardware_efficient, tfim;"
        "c = hardware_efficient(14, layers=1);"
        "f = backends.get(sys.argv[1]).prepare(c, tfim(14).hamiltonian);"
        "print(f(numpy.linspace(0.1, 2.0, c.num_parameters)).values[0, 0].hex())"
    )
    assert backends.get(name).capabilities().steady
    root = str(Path(__file__).parents[2])
    found = set()
    for n_threads in (1, 2):
        command = [sys.executable, "-c", program, name]
        environment = os.environ | {"OMP_NUM_THREADS": str(n_threads), "PYTHONPATH": root}
        if n_threads == 1:
            command = ["taskset", "-c", str(own_cores()[0]), *command]
        found.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(found) == 1
