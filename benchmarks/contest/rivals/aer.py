"""Qiskit Aer: its statevector's energy; it has no gradient of its own."""

import numpy as np

import backends
from contest.workloads import Case


def energy(case: Case):
    evaluate = backends.get("aer", precision=case.workload.precision).prepare(case.circuit, case.observable)
    return lambda theta: (np.squeeze(evaluate(theta).values), None)
