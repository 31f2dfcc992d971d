"""The variational eigensolver as PennyLane's users write it: an Ising ring, entangling layers, gradient descent."""

import pennylane as qml
from pennylane import numpy as np

n = 10
steps = 20

coefficients = [-1.0] * n + [-0.7] * n
observables = [qml.Z(k) @ qml.Z((k + 1) % n) for k in range(n)] + [qml.X(k) for k in range(n)]
hamiltonian = qml.Hamiltonian(coefficients, observables)

dev = qml.device("default.qubit", wires=n)


@qml.qnode(dev)
def cost(weights):
    qml.StronglyEntanglingLayers(weights, wires=range(n))
    return qml.expval(hamiltonian)


shape = qml.StronglyEntanglingLayers.shape(n_layers=3, n_wires=n)
np.random.seed(42)
weights = np.array(np.random.uniform(0, 0.3, shape), requires_grad=True)
optimizer = qml.AdamOptimizer(stepsize=0.1)

energies = []
for _ in range(steps):
    weights, energy = optimizer.step_and_cost(cost, weights)
    energies.append(float(energy))

answer = [energies[0], float(cost(weights))]
print("energy at the start and at the end:", answer)
