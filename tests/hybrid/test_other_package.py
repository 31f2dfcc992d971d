"""A package of somebody else adds a backend, an optimizer, a problem and an ansatz: no file of this one is touched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MODULE = '''
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

from backends import Backend, Capabilities, Expectations, Footprint
from backends.checks import as_observables, as_rows, check_request, check_unitary
from circuits import Problem
from hybrid.optimizers import Optimizer, Points


class Toy(Backend):
    """Qiskit's own statevector."""

    def __init__(self, *, flavour: Annotated[Literal["plain", "salted"], '"plain" or "salted"'] = "plain"):
        self.flavour = flavour

    def capabilities(self):
        return Capabilities("toy", "a toy", 8, exact=True, noise=False, gradient="parameter-shift", steady=True)

    def footprint(self, work):
        n = work.circuit.num_qubits
        return Footprint(len(work.circuit.data), 2.0**n, 16 * 2**n)

    def prepare(self, circuit, observables):
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)

        def evaluate(parameters, precision=None, shots=None, seed=None):
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            states = [Statevector(circuit.assign_parameters(row)) for row in rows]
            values = np.array([[psi.expectation_value(o).real for o in observables] for psi in states])
            return Expectations(values, np.zeros_like(values))

        return evaluate


@dataclass(frozen=True)
class State:
    theta: np.ndarray
    width: float
    value: float = np.inf
    k: int = 0
    accuracy: float = 0.0


@dataclass(frozen=True)
class Compass(Optimizer):
    """Steps along the axes, halved where none of them helps."""

    first: float = 0.5
    kind: ClassVar[str] = "compass"

    def init(self, theta, *, accuracy, seed):
        return State(np.array(theta, dtype=float), self.first, accuracy=accuracy)

    def ask(self, state):
        moves = state.width * np.concatenate([np.eye(state.theta.size), -np.eye(state.theta.size)])
        return Points(np.concatenate([state.theta[None], state.theta + moves]), gradient=False)

    def tell(self, state, told):
        rows, best = self.ask(state).rows, int(np.argmin(told.values))
        width = state.width / 2 if best == 0 else state.width
        return replace(state, theta=rows[best], width=width, value=told.values[best], k=state.k + 1)

    def best(self, state):
        return state.theta

    def converged(self, state):
        return state.width**2 < state.accuracy

    def evaluations(self, n_params, max_steps):
        return (2 * n_params + 1) * max_steps

    @property
    def uses_gradient(self):
        return False


def spin(tilt: Annotated[float, "a finite number"], twins: Annotated[bool, "true or false"] = False) -> Problem:
    """A spin in a tilted field."""
    n = 2 if twins else 1
    terms = [(axis, [q], c) for q in range(n) for axis, c in (("Z", 1.0), ("X", tilt))]
    return Problem(
        name=f"spin, tilt {tilt}",
        hamiltonian=SparsePauliOp.from_sparse_list(terms, n),
        unit="field",
        source={"kind": "spin", "tilt": tilt, "twins": twins},
    )


def turns(problem: Problem, axis: Annotated[Literal["rx", "ry"], '"rx" or "ry"'] = "ry") -> QuantumCircuit:
    """One rotation for each spin."""
    circuit = QuantumCircuit(problem.n_qubits)
    for q in range(problem.n_qubits):
        getattr(circuit, axis)(Parameter(f"t{q}"), q)
    return circuit
'''

ENTRY_POINTS = """
[hybrid.backends]
toy = toy_quantum:Toy
[hybrid.optimizers]
compass = toy_quantum:Compass
[hybrid.problems]
spin = toy_quantum:spin
[hybrid.ansatzes]
turns = toy_quantum:turns
"""

STUDY = """
[problem]
kind = "spin"
tilt = "{tilt}"
twins = true
[ansatz]
kind = "turns"
axis = "ry"
[optimizer]
kind = "compass"
first = 0.25
max_steps = 400
[backend]
name = "toy"
flavour = "salted"
[sweep]
tilt = [0.5, 1.0]
"""

COMMANDS = """
import contextlib, io, json, sys
from hybrid.cli import main

def call(*arguments):
    sys.argv = ["hybrid", *arguments]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return code, out.getvalue(), err.getvalue()

print(json.dumps([call(*arguments) for arguments in json.loads(sys.argv[1])]))
"""


@pytest.fixture
def commands(tmp_path):
    """Run commands, one after the other in one process, with the package installed."""
    site = tmp_path / "site"
    info = site / "toy_quantum-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "toy_quantum.py").write_text(MODULE)
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-quantum\nVersion: 1.0\n")
    environment = os.environ | {"PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}

    def run(*lines):
        program = [sys.executable, "-c", COMMANDS, json.dumps([line.split() for line in lines])]
        done = subprocess.run(program, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


def test_everything_works_with_the_parts_of_another_package(commands, tmp_path):
    (tmp_path / "x.toml").write_text(STUDY)
    (tmp_path / "one.toml").write_text(STUDY.replace('"{tilt}"', "1.0").partition("[sweep]")[0])
    told = commands(
        "plan one.toml --json",
        "run one.toml --folder one --json",
        "verify one --json",
        "run x.toml --folder sweep --json --only 0",
        "run x.toml --folder sweep --json --resume",
        "verify sweep/tilt=0.5 --json",
        "run x.toml --folder auto --json --backend auto",
        "backends --json",
    )
    codes, outs = [code for code, *_ in told], [json.loads(out) for _, out, _ in told if out.startswith("{")]
    assert codes == [0, 0, 0, 0, 0, 0, 2, 0], [err for *_, err in told]
    plan, one, verified, _, sweep, verified_point, listed = outs
    assert plan["ways"][0]["backend"] == "toy"
    exact = -2 * 2**0.5
    assert one["energy"] == pytest.approx(exact, abs=1e-5)
    assert one["exact_energy"] == pytest.approx(exact, abs=1e-10)
    assert verified["passed"]
    assert verified_point["passed"]
    assert [point["energy"] for point in sweep["points"]] == pytest.approx([-2 * 1.25**0.5, exact], abs=1e-5)
    assert "flavour" in told[6][2]  # an option of the toy does not fit whatever "auto" may choose
    (toy,) = [entry for entry in listed["backends"] if entry["name"] == "toy"]
    assert toy["works"]
    assert toy["options"] == ["flavour"]


def test_a_killed_run_goes_on(commands, tmp_path, unchain):
    (tmp_path / "one.toml").write_text(STUDY.replace('"{tilt}"', "1.0").partition("[sweep]")[0])
    whole, killed = (
        json.loads(out) for _, out, _ in commands("run one.toml --folder a --json", "run one.toml --folder b --json")
    )
    import sqlite3

    database = sqlite3.connect(tmp_path / "b" / "journal.sqlite")
    database.execute("DELETE FROM evaluation WHERE number >= 5")
    unchain(database)
    database.commit()
    (tmp_path / "b" / "result.json").unlink()
    ((_, out, _),) = commands("run one.toml --folder b --json --resume")
    resumed = json.loads(out)
    for key in ("energy", "theta", "steps", "evaluations", "status"):
        assert resumed[key] == whole[key] == killed[key]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tilt = 1.0", 'tilt = "steep"', '[problem] tilt = "steep": must be a finite number'),
        ("twins = true", "twinz = true", "[problem] twinz = true: unknown key; did you mean 'twins'?"),
        ('axis = "ry"', 'axis = "rz"', '[ansatz] axis = "rz": must be "rx" or "ry"'),
        ("first = 0.25", "fist = 0.25", "[optimizer] fist = 0.25: unknown key; did you mean 'first'?"),
        ('"salted"', '"salty"', '[backend] flavour = "salty": must be "plain" or "salted"; did you mean \'salted\'?'),
        ('"toy"', '"tyo"', "did you mean 'toy'?"),
    ],
)
def test_mistakes_are_named_like_our_own(commands, tmp_path, old, new, words):
    text = STUDY.replace('"{tilt}"', "1.0").partition("[sweep]")[0]
    assert old in text
    (tmp_path / "x.toml").write_text(text.replace(old, new))
    ((code, _, err),) = commands("plan x.toml")
    assert code == 2
    assert words in err
