"""The variational eigensolver as Qiskit's users write it: a Heisenberg chain, an efficient SU(2) ansatz and COBYLA."""

import numpy as np
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import StatevectorEstimator as Estimator
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from scipy.optimize import minimize

n = 10
evaluations = 150

hamiltonian = SparsePauliOp.from_sparse_list(
    [(pauli * 2, [k, k + 1], 1.0) for k in range(n - 1) for pauli in "XYZ"], num_qubits=n
)
ansatz = efficient_su2(n, reps=2, entanglement="linear")
pass_manager = generate_preset_pass_manager(optimization_level=1, basis_gates=["rz", "ry", "sx", "x", "cx"])
isa_ansatz = pass_manager.run(ansatz)

estimator = Estimator()
history = []


def cost(params):
    energy = estimator.run([(isa_ansatz, hamiltonian, params)]).result()[0].data.evs
    history.append(float(energy))
    return float(energy)


x0 = 2 * np.pi * np.random.default_rng(7).random(isa_ansatz.num_parameters)
found = minimize(cost, x0, method="COBYLA", options={"maxiter": evaluations})

answer = [history[0], found.fun]
print("energy at the start and at the end:", answer)
