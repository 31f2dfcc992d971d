"""Chemistry as users of Qiskit and ffsim write it: LiH along its bond, with LUCJ circuits from coupled cluster."""

import ffsim
import pyscf
import pyscf.cc
from qiskit.circuit import QuantumCircuit, QuantumRegister
from qiskit.primitives import StatevectorEstimator as Estimator
from qiskit.transpiler import generate_preset_pass_manager

lengths = [1.4, 1.6, 1.8, 2.0]

pass_manager = generate_preset_pass_manager(optimization_level=1, basis_gates=["rz", "sx", "x", "p", "cp", "cx"])
pass_manager.pre_init = ffsim.qiskit.PRE_INIT
estimator = Estimator()
answer = []
for length in lengths:
    molecule = pyscf.gto.M(atom=[("Li", (0, 0, 0)), ("H", (0, 0, length))], basis="sto-3g", symmetry=False, verbose=0)
    scf = pyscf.scf.RHF(molecule).run()
    molecular = ffsim.MolecularData.from_scf(scf, active_space=range(1, 6))
    frozen = [orbital for orbital in range(molecule.nao_nr()) if orbital not in range(1, 6)]
    cluster = pyscf.cc.CCSD(scf, frozen=frozen).run()
    operator = ffsim.UCJOpSpinBalanced.from_t_amplitudes(cluster.t2, t1=cluster.t1, n_reps=2)

    qubits = QuantumRegister(2 * molecular.norb)
    circuit = QuantumCircuit(qubits)
    circuit.append(ffsim.qiskit.PrepareHartreeFockJW(molecular.norb, molecular.nelec), qubits)
    circuit.append(ffsim.qiskit.UCJOpSpinBalancedJW(operator), qubits)
    hamiltonian = ffsim.qiskit.jordan_wigner(ffsim.fermion_operator(molecular.hamiltonian))

    energy = estimator.run([(pass_manager.run(circuit), hamiltonian)]).result()[0].data.evs
    answer.append(float(energy))

print("energies along the bond, in hartree:", answer)
