"""The energy of a quantum-critical spin chain at the exact minimum of a variational circuit."""

from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from scipy.optimize import minimize

from circuits.problems.spin import tfim
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Score, Size, Task
from hybrid.codesign.suite.free_fermions import Chain, correlations
from hybrid.codesign.suite.vqe_h2 import energy_error

MAX_LAYERS = 4
"""Beyond which circuits grow faster than their energies fall."""


class ChainVQE(Benchmark):
    """Error of the ground energy of the open Ising chain in its critical field, |E - E_exact|, in couplings.

    H = -sum Z_j Z_j+1 - sum X_j; the circuit has n/2 layers, at most 4, exp(-i b sum X) exp(-i a sum ZZ) after |+...+>.
    Its angles are optimized classically, without any statevector, since chain and circuit are free fermions: what
    exceeds the reference is the device's error alone.

    References:
        D. Wecker, M. B. Hastings, M. Troyer, Phys. Rev. A 92, 042303 (2015), for the circuit;
        W. W. Ho, T. H. Hsieh, SciPost Phys. 6, 029 (2019), for its depth.
    """

    name = "vqe-chain"
    title = "VQE of a spin chain"
    unit = "coupling"
    higher_is_better = False
    sizes: ClassVar = {
        "quick": (Size(4),),
        "small": (Size(4), Size(6)),
        "full": (Size(4), Size(8), Size(12), Size(16)),
    }
    most = 64

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """One circuit, asked for the energy; see `Benchmark.circuits`."""
        del seed
        n = size.n_qubits
        angles, _ = optimum(n)
        circuit = QuantumCircuit(n)
        circuit.h(range(n))
        for a, b in angles:
            for j in (*range(0, n - 1, 2), *range(1, n - 1, 2)):
                circuit.rzz(2 * a, j, j + 1)
            circuit.rx(2 * b, range(n))
        exact = Chain.uniform(n).ground_energy()
        return [Task(circuit, observables=(tfim(n).hamiltonian,), shots=shots, facts={"exact": exact})]

    def reference(self, size: Size, *, seed: int) -> float:
        """What the best angles leave to the exact energy."""
        del seed
        return optimum(size.n_qubits)[1] - Chain.uniform(size.n_qubits).ground_energy()

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The error of the energy, and the energy itself; see `Benchmark.score`."""
        del size
        return energy_error(answers[0], tasks[0].facts["exact"])


@cache
def optimum(n: int) -> tuple[tuple[tuple[float, float], ...], float]:
    """The angles a and b of each layer for a chain of n sites, radians, and the energy there, in couplings."""
    layers = min(n // 2, MAX_LAYERS)

    def energy(flat: np.ndarray) -> float:
        angles = flat.reshape(layers, 2)
        bonds, fields = correlations(n, [(np.full(n - 1, 2 * a), np.full(n, 2 * b)) for a, b in angles])
        return -float(np.sum(bonds) + np.sum(fields))

    ramp = (np.arange(layers) + 0.5) / layers
    start = -np.stack([ramp, 1 - ramp], axis=1) * 0.75
    found = minimize(energy, start.ravel(), method="BFGS", options={"gtol": 1e-7})
    return tuple((float(a), float(b)) for a, b in found.x.reshape(layers, 2)), float(found.fun)
