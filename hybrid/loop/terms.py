"""Cutting a Hamiltonian into groups of terms whose expectation values and gradients are computed apart and added.

Each group costs an evolution of the circuit, and its undoing, of its own. So only a Hamiltonian that costs many times
as much as the circuit is cut, into as many groups as keep that surplus small; what decides is counted, never measured,
so that the cut is the same on every machine.
"""

from dataclasses import replace

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from hybrid.loop.changing import Changing
from hybrid.workload.workload import Workload

LEAST_RATIO = 4.0
"""Least passes over the state for the terms of a group, in units of those for the circuit."""

MOST_GROUPS = 64
"""Groups beyond which more are of no use."""


def term_groups(workload: Workload, backend: Backend) -> tuple[SparsePauliOp, ...]:
    """The groups of terms whose sum is the Hamiltonian; a single one for most problems.

    Terms that flip the same qubits stay together, since engines apply them together.

    Args:
        workload: What is minimized.
        backend: That counts the passes over the state.
    """
    H = workload.problem.hamiltonian
    if isinstance(backend, Changing):
        return (H,)  # what it adds would be added once for each group
    one_term = replace(workload, problem=replace(workload.problem, hamiltonian=H[:1], layers=(), solve=None))
    alone, all_terms = backend.footprint(one_term), backend.footprint(workload)
    circuit = max(alone.passes, 1.0) * alone.amplitudes
    terms = all_terms.passes * all_terms.amplitudes - circuit
    n_groups = int(min(terms / (LEAST_RATIO * circuit), MOST_GROUPS))
    if n_groups < 2:
        return (H,)
    _, flips = np.unique(H.paulis.x, axis=0, return_inverse=True)
    cuts = [part for part in np.array_split(np.arange(flips.max() + 1), n_groups) if len(part)]
    return tuple(H[np.isin(flips.ravel(), part)] for part in cuts)
