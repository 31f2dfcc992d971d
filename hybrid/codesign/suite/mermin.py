"""Mermin's inequality: how far a GHZ state goes beyond what any local theory can explain."""

from collections.abc import Sequence
from itertools import combinations
from typing import ClassVar

import numpy as np

from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, Task
from hybrid.codesign.suite.ghz import prepared
from hybrid.codesign.suite.statistics import parity, weighted

MOST_TERMS = 16
"""Of Mermin's operator that are measured; of more, so many are drawn at random."""


class MerminBell(Benchmark):
    """The expectation value of Mermin's operator, as a fraction of the 2^(n-1) that quantum mechanics reaches.

    M = (prod_j (X_j + i Y_j) - prod_j (X_j - i Y_j)) / 2i is a sum of 2^(n-1) products with an odd number k of Y, with
    signs (-1)^((k-1)/2); on (|0...0> + i|1...1>) / sqrt(2) every signed product is 1. Local theories reach at most a
    fraction of 2^(-(n-1)/2) for odd n and 2^(-(n-2)/2) for even n. Of more than 16 products, 16 are drawn at random.

    References:
        N. D. Mermin, Phys. Rev. Lett. 65, 1838 (1990); T. Tomesh et al., SupermarQ, HPCA (2022), arXiv:2202.11045.
    """

    name = "mermin-bell"
    title = "Mermin-Bell inequality"
    sizes: ClassVar = {
        "quick": (Size(3),),
        "small": (Size(3), Size(5)),
        "full": (Size(3), Size(4), Size(5), Size(7), Size(9)),
    }
    most = 20

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """One circuit for each product of X and Y; see `Benchmark.circuits`."""
        n = size.n_qubits
        tasks = []
        for turned in _products(n, seed):
            circuit = prepared(n)
            circuit.s(0)
            for qubit in turned:
                circuit.sdg(qubit)
            circuit.h(range(n))
            tasks.append(Task(circuit, shots=shots, facts={"y": list(turned)}))
        return tasks

    def reference(self, size: Size, *, seed: int) -> float:
        """Quantum mechanics reaches all of it."""
        del size, seed
        return 1.0

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The mean of the signed products; as a detail, how many times the local limit that is."""
        n, terms = size.n_qubits, 2 ** (size.n_qubits - 1)
        signs = [(-1) ** ((len(task.facts["y"]) - 1) // 2) for task in tasks]
        products = [parity(answer.counts) for answer in answers]
        found = weighted([sign / len(signs) for sign in signs], products)
        error = found.standard_error
        if len(tasks) < terms:
            scatter = np.var([sign * one.value for sign, one in zip(signs, products, strict=True)], ddof=1)
            error = float(np.hypot(error, np.sqrt(scatter * (1 - len(tasks) / terms) / len(tasks))))
        local = 2.0 ** (-(n - 1) / 2 if n % 2 else -(n - 2) / 2)
        return Score(found.value, error, {"times_the_local_limit": Estimate(found.value / local, error / local)})


def _products(n: int, seed: int) -> list[tuple[int, ...]]:
    """The qubits whose factor is Y, for each product that is measured."""
    if 2 ** (n - 1) <= MOST_TERMS:
        return [turned for k in range(1, n + 1, 2) for turned in combinations(range(n), k)]
    random, found = np.random.default_rng(seed), set()
    while len(found) < MOST_TERMS:
        bits = random.integers(2, size=n)
        if bits.sum() % 2:
            found.add(tuple(np.flatnonzero(bits).tolist()))
    return sorted(found)
