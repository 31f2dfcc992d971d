"""What optimizers say they need, against what the operating system counted."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import hybrid
from circuits import hardware_efficient, tfim
from hybrid.optimizers import get

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux counts the peak for each process")

SCRIPT = """
import json, sys
import numpy as np
from hybrid.optimizers import Told, get

def run(n, steps, accuracy):
    scales = np.logspace(0.0, -4.0, n)
    state = optimizer.init(np.linspace(-1.0, 1.0, n), accuracy=accuracy, seed=0)
    for _ in range(steps):
        points = optimizer.ask(state)
        values = np.array([0.5 * (scales * row) @ row for row in points.rows])
        gradients = scales * points.rows if points.gradient else None
        metrics = np.eye(n)[None] if points.metric else None
        fidelities = None
        if points.pairs is not None:
            fidelities = np.exp(-np.array([((a - b) ** 2).sum() for a, b in points.pairs]))
        state = optimizer.tell(state, Told(values, np.zeros(len(values)), gradients, metrics, fidelities))
        if optimizer.converged(state) or optimizer.stalled(state):
            break
        del points, values, gradients, metrics, fidelities
    optimizer.best(state)

def peak():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])

optimizer, (n, steps, accuracy) = get(**json.loads(sys.argv[1])), json.loads(sys.argv[2])
run(40, 6, 1e-6)
before = peak()
run(n, steps, accuracy)
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("description", "n_params", "steps", "accuracy"),
    [
        ({"kind": "cma-es"}, 2000, 4, 1e-6),
        ({"kind": "natural-gradient"}, 1500, 3, 1e-6),
        ({"kind": "qn-spsa"}, 1500, 3, 1e-6),
        ({"kind": "lbfgs", "memory": 30}, 200_000, 40, 1e-6),
        ({"kind": "adam"}, 200_000, 25, 1e-6),
        ({"kind": "spsa"}, 30_000, 1000, 1e-6),
        ({"kind": "surrogate"}, 400, 2, 1e-6),
        ({"kind": "cobyla"}, 400, 405, 1e-6),
        ({"kind": "nelder-mead"}, 1000, 3000, 1e3),
        ({"kind": "differential-evolution"}, 30_000, 4, 1e-6),
        ({"kind": "multistart", "starts": 5, "inner": {"kind": "spsa", "calibration": 20}}, 50_000, 12, 1e-6),
        ({"kind": "basin-hopping", "inner": {"kind": "lbfgs", "memory": 30}}, 200_000, 60, 1e-6),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_as_much_as_it_takes(description, n_params, steps, accuracy):
    """Enough, and at most two times that. LAPACK's own working memory is part of it."""
    command = [sys.executable, "-c", SCRIPT, json.dumps(description), json.dumps([n_params, steps, accuracy])]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=120)
    measured, said = int(answer.stdout), get(**description).memory_bytes(n_params, steps)
    assert measured > 2e6  # the case is not trivial
    assert measured <= said
    assert said <= 2.0 * measured + 1e7


def test_no_parameters_take_nothing_to_speak_of():
    for kind in ("lbfgs", "cma-es", "surrogate", "multistart", "rotosolve"):
        assert 0 <= get(kind).memory_bytes(0, 200) < 3e6


def test_the_plan_counts_it_and_refuses_by_it(monkeypatch):
    """4 qubits and 20,000 parameters: matrices of 3.2 GB each, beside states of 256 bytes."""
    circuit, problem = hardware_efficient(4, layers=2500), tfim(4)
    assert circuit.num_parameters == 20_000
    monkeypatch.setattr("backends.memory.free_bytes", lambda: 10**9)
    plan = hybrid.plan(circuit, problem, optimizer="cma-es", backend="reference")
    assert plan.ways == ()
    assert "14.9 GiB of it for cma-es, 953.7 MiB are free; lbfgs, adam and spsa take less" in plan.refusals[0].reason
    few, many = (
        hybrid.plan(circuit, problem, optimizer=get("lbfgs", memory=m), backend="reference").chosen.cost.memory_bytes
        for m in (1, 101)
    )
    assert many - few == 100 * 2 * 8 * 20_000
    assert np.isfinite(few)


def test_a_study_that_does_not_fit_ends_with_one_line(tmp_path):
    """A limit of 8 GB on the process, where the machine may have more: exit 2, and nothing is written."""
    study = """
    problem = {kind = "tfim", n = 10}
    ansatz = {kind = "hardware_efficient", layers = 1000}
    optimizer = {kind = "cma-es"}
    backend = {name = "reference"}
    """
    (tmp_path / "big.toml").write_text(study)
    program = "import resource, sys; from hybrid.cli import main; "
    program += "resource.setrlimit(resource.RLIMIT_AS, (8 * 10**9,) * 2); sys.exit(main())"
    command = [sys.executable, "-c", program, "run", "big.toml", "--folder", "run"]
    answer = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 2
    assert "14.9 GiB of it for cma-es" in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()
