"""Time evolution as PennyLane's users write it: a Trotterized quench of an Ising chain, and its entanglement."""

import pennylane as qml
from pennylane import numpy as np

n = 10
times = 15

coefficients = [-1.0] * (n - 1) + [-0.8] * n
observables = [qml.Z(k) @ qml.Z(k + 1) for k in range(n - 1)] + [qml.X(k) for k in range(n)]
hamiltonian = qml.dot(coefficients, observables)

dev = qml.device("default.qubit", wires=n)


@qml.qnode(dev)
def quench(time):
    qml.TrotterProduct(hamiltonian, time=time, n=10, order=2)
    magnetization = qml.expval(qml.dot([1 / n] * n, [qml.Z(k) for k in range(n)]))
    return magnetization, qml.vn_entropy(wires=range(n // 2))


answer = np.array([quench(time) for time in np.linspace(0.0, 2.0, times)]).ravel().tolist()
print("magnetization and entropy of half the chain at the end:", answer[-2:])
