"""Predicted memory against the peak of a process of its own, and what a process may use."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

import backends
from backends import memory
from circuits.errors import BudgetExceeded

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


@pytest.mark.parametrize("name", ["statevector", "lightning", "aer"])
def test_a_small_grant_refuses_what_the_machine_could_hold(name, monkeypatch):
    circuit = QuantumCircuit(24)
    for q in range(24):
        circuit.ry(0.1 + q, q)
        circuit.cx(q, (q + 1) % 24)
    batch = backends.Batch(circuit, "Z" * 24)
    assert backends.get(name).footprint(batch).memory_bytes < memory.free_bytes()
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "250")
    assert memory.free_bytes() <= 250 * 2**20
    with pytest.raises(BudgetExceeded, match=r"Slurm's grant to the job to 250\.0 MiB"):
        backends.get(name).prepare(circuit, "Z" * 24)


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
