"""What a process may use of memory."""

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


@pytest.mark.parametrize("name", ["statevector", "lightning", "aer"])
def test_a_small_grant_refuses_what_the_machine_could_hold(name, monkeypatch):
    circuit = QuantumCircuit(24)
    for q in range(24):
        circuit.ry(0.1 + q, q)
        circuit.cx(q, (q + 1) % 24)
    batch = backends.Batch(circuit, "Z" * 24)
    assert backends.get(name).footprint(batch).memory_bytes < memory.free_bytes()
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "100")
    assert memory.free_bytes() <= 100 * 2**20
    with pytest.raises(BudgetExceeded, match=r"Slurm's grant to the job to 100\.0 MiB"):
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
