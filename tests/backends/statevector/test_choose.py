"""Which representation of a circuit's state is taken."""

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import backends
from backends.statevector import native
from backends.statevector.choose import choose
from backends.statevector.circuit.lower import lower
from backends.statevector.representation import Question


@pytest.mark.skipif(not native.available(), reason="without kernels, JAX computes")
def test_a_circuit_without_gates_needs_no_xla():
    circuit, observable = QuantumCircuit(3), SparsePauliOp(["IIZ", "ZXI", "III"], [0.5, 2.0, 0.25])
    assert not choose(Question(lower(circuit), np.dtype(np.float64), (observable,))).in_xla
    assert backends.get("statevector").prepare(circuit, observable)(()).values[0, 0] == pytest.approx(0.75)
