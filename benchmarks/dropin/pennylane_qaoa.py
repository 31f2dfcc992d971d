"""QAOA for MaxCut as PennyLane's users write it: cost and mixer layers of qml.qaoa, then the likeliest cuts."""

import networkx as nx
import pennylane as qml
from pennylane import numpy as np

n = 12
depth = 2
steps = 15

graph = nx.random_regular_graph(3, n, seed=1)
cost_h, mixer_h = qml.qaoa.maxcut(graph)
dev = qml.device("default.qubit", wires=n)


def circuit(params):
    for wire in range(n):
        qml.Hadamard(wires=wire)
    for gamma, alpha in zip(params[0], params[1], strict=True):
        qml.qaoa.cost_layer(gamma, cost_h)
        qml.qaoa.mixer_layer(alpha, mixer_h)


@qml.qnode(dev)
def cost_function(params):
    circuit(params)
    return qml.expval(cost_h)


@qml.qnode(dev)
def probability_circuit(params):
    circuit(params)
    return qml.probs(wires=range(n))


optimizer = qml.GradientDescentOptimizer(stepsize=0.01)
params = np.array([[0.5] * depth, [0.5] * depth], requires_grad=True)
first = cost_function(params)
for _ in range(steps):
    params = optimizer.step(cost_function, params)

probabilities = probability_circuit(params)
answer = [float(first), float(cost_function(params)), float(np.max(probabilities))]
print("cost before and after, and probability of the likeliest cut:", answer)
