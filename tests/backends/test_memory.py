"""Predicted memory against the peak of a process of its own, and what a process may use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backends import memory

ROOT = Path(__file__).parents[2]
PROGRAM = """
import re, sys
import numpy as np
import backends
from circuits import hardware_efficient, tfim
from hybrid.workload.workload import workload

name, kind = sys.argv[1:]
backend = backends.get(name)

def evaluate(n):
    problem, circuit = tfim(n), hardware_efficient(n, layers=1)
    theta = np.linspace(0.1, 2, 2 * n)
    if kind == "gradient":
        backend.value_and_grad(circuit, problem.hamiltonian)(theta)
    else:
        backend.submit(backends.Batch(circuit, problem, theta)).result()
    return workload(circuit, problem, optimizer="lbfgs" if kind == "gradient" else "cobyla")

def peak():  # of this program alone; getrusage would count what its parent held before it started
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1))

evaluate(3)
before = peak()
print(backend.footprint(evaluate(20)).memory_bytes, peak() - before)
"""


@pytest.mark.parametrize(("name", "kind"), [("lightning", "value"), ("lightning", "gradient"), ("reference", "value")])
def test_the_peak_is_what_was_predicted(name, kind):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-c", PROGRAM, name, kind]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    predicted, real = map(int, done.stdout.split())
    assert 0.5 * predicted < real < 1.1 * predicted  # 1.1: allocators and the small things


LIMITED = """
import resource, sys
import psutil
from backends import memory

assert memory.free_bytes() > 2**28
kind, held = (resource.RLIMIT_AS, "vms") if sys.argv[1] == "v" else (resource.RLIMIT_DATA, "data")
resource.setrlimit(kind, (getattr(psutil.Process().memory_info(), held) + 2**28,) * 2)
print(memory.free_bytes())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux holds processes to these limits")
@pytest.mark.parametrize("limit", ["v", "d"])
def test_a_limit_of_the_process_is_its_free_memory(limit):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-c", LIMITED, limit]
    free = int(subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout)
    assert 0.8 * 2**28 < free <= 0.9 * 2**28


@pytest.mark.parametrize(
    ("membership", "home", "most", "used", "cached", "none"),
    [
        ("0::/job/step", "", "memory.max", "memory.current", "inactive_file", "max"),
        (
            "3:cpu:/\n4:memory:/job/step",
            "memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
            str(2**63 - 4096),
        ),
    ],
    ids=["version 2", "version 1"],
)
def test_the_limit_of_a_control_group_holds_for_groups_inside(
    membership, home, most, used, cached, none, tmp_path, monkeypatch
):
    """The job may use 3 MB, of which 1 MB is taken and 0.5 MB could be given back; its step has no limit."""
    (tmp_path / "membership").write_text(membership + "\n")
    step = tmp_path / "groups" / home / "job" / "step"
    step.mkdir(parents=True)
    for place, limit in ((step, none), (step.parent, "3000000")):
        (place / most).write_text(limit + "\n")
        (place / used).write_text("1000000\n")
        (place / "memory.stat").write_text(f"anon 7\n{cached} 500000\n")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "groups")
    assert min(memory._left_by_groups(tmp_path / "membership")) == 2_500_000
    assert not list(memory._left_by_groups(tmp_path / "nowhere"))
