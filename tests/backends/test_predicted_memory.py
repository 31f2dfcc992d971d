"""Predicted memory against the peak of a process of its own: never below it, and at most one and a half times it.

Beside that, the toolkit's own modules may take less than was allowed for.

The process has imported the toolkit, built its circuit and run nothing when its peak begins to count.
"""

import json
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

import backends
from backends import libraries
from backends.batch import Batch
from backends.cost import Footprint, cost
from circuits import hardware_efficient, tfim

ROOT = Path(__file__).parents[2]

MODULES = 2**24
"""Bytes that are allowed for modules which a small work may not need."""

PROGRAM = """
import json, re, sys
from pathlib import Path
import numpy as np
import backends
import hybrid.routing.plan
from circuits import hardware_efficient, tfim
from hybrid.workload.workload import workload
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()).group(1))

def joined(n):  # gates that no cut divides
    circuit, theta = QuantumCircuit(n), iter(ParameterVector("t", 3 * n))
    for layer in range(3):
        for q in range(n):
            circuit.ry(next(theta), q)
        for q in range(n):
            circuit.cx(q, (q + 3 + 2 * layer) % n)
    return circuit

name, kind, n, options = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
circuit = joined(n) if kind.endswith("joined") else hardware_efficient(n, layers=2)
observable = tfim(n).hamiltonian
theta = np.linspace(0.1, 2.0, circuit.num_parameters)
backends.get("statevector")
Path("/proc/self/clear_refs").write_text("5")  # the peak begins at what is resident now
before = peak()
backend = backends.get(name, **options)
gradient, shots = kind.startswith("gradient"), 100 if kind.startswith("samples") else None
if gradient:
    run = backend.value_and_grad(circuit, observable)
else:
    evaluate = backend.prepare(circuit, observable)
    run = lambda theta: evaluate(theta, shots=shots, seed=1)
for _ in range(2):
    run(theta)
measured = peak() - before

batch = backends.Batch(circuit, observable, theta, shots=shots)
class Asked:
    derivative, n_evaluations = gradient, 2
    def __getattr__(self, name):
        return getattr(batch, name)
print(backend.predict(Asked()).memory_bytes, measured)
"""

WORKS = [
    ("statevector", "values joined", 20, {}),
    ("statevector", "gradient", 24, {}),
    ("statevector", "samples joined", 18, {}),
    ("statevector", "gradient joined", 18, {"executor": "xla"}),
    ("reference", "values joined", 18, {}),
    ("lightning", "values joined", 20, {}),
    ("aer", "values joined", 21, {}),
    ("aer", "values", 24, {"method": "matrix_product_state"}),
    ("pauli", "gradient", 20, {"threshold": 1e-3}),
]


@pytest.mark.parametrize(("name", "kind", "n_qubits", "options"), WORKS)
def test_the_peak_is_at_most_what_was_predicted(name, kind, n_qubits, options, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HYBRID_CACHE": str(tmp_path)}
    environment |= {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}  # nothing is found compiled
    program = [sys.executable, "-c", PROGRAM, name, kind, str(n_qubits), json.dumps(options)]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    predicted, measured = map(int, done.stdout.split())
    assert measured <= predicted <= 1.5 * measured + MODULES


def test_loading_a_library_counts_whether_it_is_loaded_or_not():
    work = Batch(hardware_efficient(2, layers=1), tfim(2), [0.0] * 4)
    found = cost(work, Footprint(1, 4, 1000, library="scipy.sparse"), None)
    assert found.memory_bytes == 1000 + libraries.loaded_bytes("scipy.sparse")


def test_what_is_loaded_takes_no_more_of_what_is_free(monkeypatch):
    work = Batch(hardware_efficient(2, layers=1), tfim(2), [0.0] * 4)
    found = cost(work, Footprint(1, 4, 1000, library="pennylane"), None)
    monkeypatch.delitem(sys.modules, "pennylane", raising=False)
    assert found.missing_bytes == found.memory_bytes
    monkeypatch.setitem(sys.modules, "pennylane", sys)
    assert found.missing_bytes == 1000


def test_more_rows_take_more():
    engine = backends.get("statevector")
    circuit = hardware_efficient(6, layers=4)
    few, many = (
        engine.footprint(Batch(circuit, tfim(6), [[0.1] * circuit.num_parameters] * rows)).memory_bytes
        for rows in (10, 10_000)
    )
    assert many - few > 8 * 9_990 * (circuit.num_parameters + len(engine._chosen(circuit, ()).question.lowered))


@pytest.mark.parametrize("compiled", [True, False])
def test_a_library_that_python_has_to_compile_takes_more(compiled, monkeypatch):
    monkeypatch.setattr(libraries, "has_bytecode", lambda library: compiled)
    monkeypatch.setattr(libraries, "_measured", lambda: {"jax": {"source": 3, "compiled": 2}})
    assert libraries.loaded_bytes("jax") == (2 if compiled else 3)


def test_bytecode_is_looked_for_where_python_keeps_it(tmp_path, monkeypatch):
    (tmp_path / "tried_out_once.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert not libraries.has_bytecode("tried_out_once")
    libraries.has_bytecode.cache_clear()
    py_compile.compile(str(tmp_path / "tried_out_once.py"))
    assert libraries.has_bytecode("tried_out_once")
    libraries.has_bytecode.cache_clear()
