"""QAOA for MaxCut as Qiskit's users write it: an estimator for the angles, a sampler for the cut."""

# ruff: noqa: I001 - one line names both primitives

import networkx as nx
from qiskit.circuit.library import qaoa_ansatz
from qiskit.primitives import StatevectorEstimator as Estimator, StatevectorSampler as Sampler
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from scipy.optimize import minimize

n = 12
layers = 2
evaluations = 60

graph = nx.random_regular_graph(3, n, seed=1)
cost_hamiltonian = SparsePauliOp.from_sparse_list([("ZZ", list(edge), 1.0) for edge in graph.edges], num_qubits=n)
circuit = qaoa_ansatz(cost_hamiltonian, reps=layers)
pass_manager = generate_preset_pass_manager(optimization_level=1, basis_gates=["rz", "rx", "h", "rzz", "cx"])
candidate_circuit = pass_manager.run(circuit)

estimator = Estimator()


def cost(params):
    return float(estimator.run([(candidate_circuit, cost_hamiltonian, params)]).result()[0].data.evs)


found = minimize(cost, [0.4] * layers + [0.6] * layers, method="COBYLA", options={"maxiter": evaluations})

sampler = Sampler(seed=11)
optimized_circuit = candidate_circuit.assign_parameters(found.x)
optimized_circuit.measure_all()
counts = sampler.run([optimized_circuit], shots=4000).result()[0].data.meas.get_counts()


def cut(bits):
    return sum(bits[-1 - i] != bits[-1 - j] for i, j in graph.edges)


mean_cut = sum(cut(bits) * count for bits, count in counts.items()) / 4000
answer = [found.fun, mean_cut, max(map(cut, counts))]
print("expectation of the cost, mean and best cut:", answer)
