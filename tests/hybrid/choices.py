"""A process that plans workloads of different kinds, some near to ties, and prints what is chosen for each."""

import json
from collections.abc import Iterator

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import hybrid
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, maxcut, qaoa, tfim
from hybrid.primitives.asked import AskedCounts, AskedValues, place


def workloads() -> Iterator[tuple[str, str]]:
    """Name, and the backend and options that "auto" takes."""
    nothing = np.empty((1, 0))
    for n, layers in ((2, 1), (8, 4), (14, 6), (20, 4), (22, 8)):
        problem = tfim(n)
        yield f"ising {n} x {layers}", _of_plan(hardware_efficient(n, layers=layers), problem)
    ring = maxcut([(q, (q + 1) % 12) for q in range(12)])
    yield "maxcut", _of_plan(qaoa(ring, layers=3), ring)
    spins = heisenberg(10)
    yield "values alone", _of_plan(hamiltonian_variational(spins, layers=3), spins, "rotosolve")
    yield "with shots", _of_plan(hardware_efficient(10, layers=2), tfim(10), "spsa", shots=1000)
    yield "wide and shallow", _of_plan(hamiltonian_variational(tfim(60), layers=2), tfim(60))
    chain = _entangled(60)
    parity = (SparsePauliOp("X" * 60),)
    yield "clifford values", _of_pub(AskedValues(chain, parity, nothing, None, None, 0.0, "open", False))
    yield "clifford counts", _of_pub(AskedCounts(chain, (SparsePauliOp("Z" * 60),), nothing, None, 100, np.inf, "open"))
    small = _entangled(10)
    yield "few counts", _of_pub(AskedCounts(small, (SparsePauliOp("Z" * 10),), nothing, None, 100, np.inf, "open"))


def _entangled(n: int) -> QuantumCircuit:
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for q in range(n - 1):
        circuit.cx(q, q + 1)
    return circuit


def _of_plan(circuit, problem, optimizer="lbfgs", shots=None) -> str:
    return _name(hybrid.plan(circuit, problem, optimizer=optimizer, shots=shots).chosen.backend)


def _of_pub(asked) -> str:
    return _name(place(asked, "auto")[0])


def _name(backend) -> str:
    options = backend.origin.options if backend.origin is not None else {}
    return f"{backend.capabilities().name} {options}"


if __name__ == "__main__":
    print("chosen " + json.dumps(dict(workloads())), flush=True)
