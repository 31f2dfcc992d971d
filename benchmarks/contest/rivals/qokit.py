"""QOKit: QAOA with the Hamiltonian as one precomputed diagonal; the energy alone, for it has no gradient."""

import numpy as np

from backends.instructions import terms
from contest.workloads import Case


def energy(case: Case):
    """QOKit's layer is exp(-i beta sum X) exp(-i gamma/2 C) on |+...+>; ours exp(i beta sum X) exp(-i gamma H)."""
    import qokit.fur

    spins = [
        (value, [q for q, letter in enumerate(reversed(label)) if letter == "Z"])
        for label, value in terms(case.observable)
    ]
    simulator = qokit.fur.choose_simulator(name="auto")(case.workload.n_qubits, terms=spins)
    layers = case.workload.depth

    def f(theta):
        beta, gamma = theta[:layers], theta[layers:]
        return np.float64(simulator.get_expectation(simulator.simulate_qaoa(2 * gamma, -beta))), None

    return f
