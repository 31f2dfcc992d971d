"""Time evolution as Qiskit's users write it: a quenched Ising chain, Trotterized, its magnetization at every time."""

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.primitives import StatevectorEstimator as Estimator
from qiskit.quantum_info import SparsePauliOp
from qiskit.synthesis import SuzukiTrotter
from qiskit.transpiler import generate_preset_pass_manager

n = 12
steps = 20
dt = 0.1

couplings = [("ZZ", [k, k + 1], -1.0) for k in range(n - 1)]
fields = [("X", [k], -0.8) for k in range(n)]
hamiltonian = SparsePauliOp.from_sparse_list(couplings + fields, num_qubits=n)
step = PauliEvolutionGate(hamiltonian, time=dt, synthesis=SuzukiTrotter(order=2))
pass_manager = generate_preset_pass_manager(optimization_level=1, basis_gates=["rz", "rx", "h", "rzz", "cx"])

circuits = []
for k in range(steps + 1):
    circuit = QuantumCircuit(n)
    for _ in range(k):
        circuit.append(step, range(n))
    circuits.append(pass_manager.run(circuit))

magnetization = SparsePauliOp.from_sparse_list([("Z", [k], 1 / n) for k in range(n)], num_qubits=n)
correlation = SparsePauliOp.from_sparse_list([("ZZ", [n // 2 - 1, n // 2], 1.0)], num_qubits=n)

estimator = Estimator()
results = estimator.run([(circuit, [magnetization, correlation]) for circuit in circuits]).result()

answer = np.stack([result.data.evs for result in results]).ravel().tolist()
print("magnetization and correlation at the end:", answer[-2:])
