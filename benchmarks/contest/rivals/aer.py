"""Qiskit Aer: its statevector's energy; it has no gradient of its own."""

import numpy as np

import backends
from contest.workloads import Case


def energy(case: Case):
    return _energy(case)


def on_card(case: Case):
    return _energy(case, device="gpu")


def _energy(case: Case, **options):
    evaluate = backends.get("aer", precision=case.workload.precision, **options).prepare(case.circuit, case.observable)
    return lambda theta: (np.squeeze(evaluate(theta).values), None)
