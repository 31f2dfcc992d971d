"""Chemistry as PennyLane's users write it: LiH from qml.qchem, all single and double excitations, gradient descent."""

import pennylane as qml
from pennylane import numpy as np

orbitals = 5
steps = 10

geometry = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.969280527]])  # bohr
molecule = qml.qchem.Molecule(["Li", "H"], geometry)
H, n = qml.qchem.molecular_hamiltonian(molecule, active_electrons=2, active_orbitals=orbitals)
singles, doubles = qml.qchem.excitations(2, n)
reference = qml.qchem.hf_state(2, n)

dev = qml.device("default.qubit", wires=n)


@qml.qnode(dev)
def energy(angles):
    qml.AllSinglesDoubles(angles, range(n), reference, singles, doubles)
    return qml.expval(H)


angles = np.zeros(len(singles) + len(doubles), requires_grad=True)
optimizer = qml.GradientDescentOptimizer(stepsize=0.5)
energies = []
for _ in range(steps):
    angles, value = optimizer.step_and_cost(energy, angles)
    energies.append(float(value))

answer = [energies[0], float(energy(angles))]
print("Hartree-Fock and correlated energy, in hartree:", answer)
