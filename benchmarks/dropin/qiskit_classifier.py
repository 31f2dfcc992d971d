"""A variational classifier as Qiskit's users write it: ZZ feature map, real amplitudes, and SPSA, all data at once."""

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import real_amplitudes, zz_feature_map
from qiskit.primitives import StatevectorEstimator as Estimator
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager

n = 6
samples = 40
steps = 15

rng = np.random.default_rng(3)
data = rng.uniform(0, np.pi, (samples, n))
labels = np.where(np.cos(data[:, 0]) * np.cos(data[:, 1]) > 0, 1, -1)

features, ansatz = zz_feature_map(n, reps=1), real_amplitudes(n, reps=2)
circuit = QuantumCircuit(n)
circuit.compose(features, inplace=True)
circuit.compose(ansatz, inplace=True)
circuit = generate_preset_pass_manager(optimization_level=1, basis_gates=["rz", "ry", "p", "h", "cx"]).run(circuit)
observable = SparsePauliOp("I" * (n - 1) + "Z")
estimator = Estimator()


def forward(weights):
    values = {parameter: data[:, k] for k, parameter in enumerate(features.parameters)}
    values |= {parameter: np.full(samples, weights[k]) for k, parameter in enumerate(ansatz.parameters)}
    rows = np.stack([values[parameter] for parameter in circuit.parameters], axis=-1)
    return estimator.run([(circuit, observable, rows)]).result()[0].data.evs


def loss(weights):
    return float(np.mean((forward(weights) - labels) ** 2))


weights = rng.uniform(-0.1, 0.1, ansatz.num_parameters)
first = loss(weights)
for k in range(steps):
    direction = rng.choice([-1.0, 1.0], size=len(weights))
    width = 0.2 / (k + 1) ** 0.101
    slope = (loss(weights + width * direction) - loss(weights - width * direction)) / (2 * width)
    weights = weights - 1.5 / (k + 5) ** 0.602 * slope * direction

answer = [first, loss(weights)]
print("loss before and after:", answer)
