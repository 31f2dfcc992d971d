"""The same question has the same words, in another process and after a folder has kept it; another one has others."""

import subprocess
import sys

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
from qiskit.quantum_info import SparsePauliOp
from qiskit.synthesis import LieTrotter

import hybrid
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, maxcut, molecule, qaoa, tfim, uccsd
from hybrid.runs import folder as folders
from hybrid.workload.question import SETTINGS, differing, question
from hybrid.workload.spec import problem_of, workload_of
from hybrid.workload.workload import workload


def named_alike(angle):
    gate = Gate("mine", 1, [])
    gate.definition = QuantumCircuit(1)
    gate.definition.rx(angle, 0)
    circuit = QuantumCircuit(1)
    circuit.append(gate, [0])
    circuit.ry(Parameter("a"), 0)
    return circuit


def with_matrix(angle):
    circuit = QuantumCircuit(1)
    circuit.append(UnitaryGate(np.diag([1, np.exp(1j * angle)])), [0])
    circuit.ry(2 * Parameter("a") + 0.5, 0)
    return circuit


CASES = {
    "hardware efficient": lambda: (hardware_efficient(3), tfim(3)),
    "hamiltonian variational": lambda: (hamiltonian_variational(heisenberg(4), layers=2), heisenberg(4)),
    "qaoa": lambda: (p := maxcut([(0, 1), (1, 2), (0, 2)])) and (qaoa(p, layers=2), p),
    "uccsd": lambda: (m := molecule("H 0 0 0; H 0 0 0.74")) and (uccsd(m), m),
    "a matrix": lambda: (with_matrix(0.2), tfim(1)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_folder_keeps_the_question(case, tmp_path):
    work = workload(*CASES[case]())
    again = workload(*CASES[case]())
    assert question(work) == question(again)
    hybrid.minimize(work.circuit, work.problem, backend="reference", max_steps=1, folder=tmp_path / "run")
    record = folders.read(tmp_path / "run")
    problem = problem_of(record.spec.problem, record.hamiltonian)
    kept = workload_of(record.spec.workload, record.circuit, problem)
    assert question(kept, SETTINGS[:2]) == question(work, SETTINGS[:2])


def test_another_process_says_the_same():
    program = """
import json
from circuits import heisenberg, hamiltonian_variational
from hybrid.workload.question import question
from hybrid.workload.workload import workload
print(json.dumps(question(workload(hamiltonian_variational(heisenberg(4), layers=2), heisenberg(4)))))
"""
    said = {subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(said) == 1
    assert "circuit" in said.pop()


@pytest.mark.parametrize("made", [named_alike, with_matrix])
def test_what_gates_are_made_of_counts(made):
    one, other = (question(workload(made(angle), tfim(1))) for angle in (0.2, 0.3))
    assert differing(one, other) == ["circuit"]


def test_the_steps_of_an_evolution_count():
    def evolution(operator, reps):
        circuit = QuantumCircuit(2)
        circuit.append(PauliEvolutionGate(operator, Parameter("a"), synthesis=LieTrotter(reps=reps)), [0, 1])
        return question(workload(circuit, tfim(2)))

    assert differing(evolution(SparsePauliOp(["XX", "ZI"]), 1), evolution(SparsePauliOp(["XX", "ZI"]), 3)) == [
        "circuit"
    ]
    assert not differing(evolution(SparsePauliOp(["XX", "ZZ"]), 1), evolution(SparsePauliOp(["XX", "ZZ"]), 3))
