"""Linear-ramp QAOA: how much better than guessing a device cuts a weighted chain with angles that need no optimizer."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from scipy.special import stdtr

from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, Task, check_between
from hybrid.codesign.suite.cuts import cut_values, moments
from hybrid.codesign.suite.free_fermions import correlations
from hybrid.codesign.suite.statistics import mean

WEIGHTS = (0.1, 0.2, 0.3, 0.5, 1.0)
"""Among which each bond's is drawn."""

DELTA_BETA, DELTA_GAMMA = 0.3, 0.6
"""Largest angles of the ramps, radians."""

TRIALS = 3
"""How often the circuit is run, each time with the full number of shots."""

RANDOM_TRIALS = 25
"""How often as many random bit strings are drawn to find what guessing is worth."""


class LinearRampQAOA(Benchmark):
    """Effective approximation ratio of the maximum cut of an open chain with random weights.

    The layers k = 1 ... p are exp(-i gamma_k sum_j w_j Z_j Z_j+1) and exp(i beta_k sum_j X_j) with
    gamma_k = 0.6 k / p and beta_k = 0.3 (p + 1 - k) / p. Of the mean cut over the largest one, r, and that of random
    bit strings, r0, the score is max(0, (r - r0) / (1 - r0)): 0 for guessing, 1 for the best cut in every shot.
    Weights, angles and score are those of Metriq's suite 1.0.

    References:
        J. A. Montañez-Barrera, K. Michielsen, arXiv:2405.09169 (2024);
        J. A. Montañez-Barrera et al., arXiv:2502.06471 (2025).
    """

    name = "lr-qaoa"
    title = "Linear-ramp QAOA"
    sizes: ClassVar = {
        "quick": (Size(4, 3),),
        "small": (Size(5, 3), Size(8, 5)),
        "full": (Size(5, 3), Size(10, 3), Size(10, 10), Size(16, 10)),
    }

    def check(self, size: Size) -> None:
        """Layers must be given; see `Benchmark.check`.

        Raises:
            Refused: for a size without layers, or fewer than 2 qubits.
        """
        check_between(self.name, size, self.least, self.most)
        if size.depth is None:
            raise Refused(f"{self.name} needs qubits x layers, such as {size.n_qubits}x3, not {size}")

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """The same circuit `TRIALS` times; see `Benchmark.circuits`."""
        weights = chain_weights(size.n_qubits, seed)
        circuit = ramp(weights, size.depth or 1)
        facts = {"weights": weights, "seed": seed}
        return [Task(circuit, shots=shots, facts=facts) for _ in range(TRIALS)]

    def reference(self, size: Size, *, seed: int) -> float:
        """From exact correlations, which a chain has at any width; see `hybrid.codesign.suite.free_fermions`."""
        n, weights = size.n_qubits, np.array(chain_weights(size.n_qubits, seed))
        angles = [(2 * gamma * weights, np.full(n, -2 * beta)) for beta, gamma in ramps(size.depth or 1)]
        bonds, _ = correlations(n, angles)
        return effective(float(np.sum(weights * (1 - bonds)) / 2 / np.sum(weights)), 0.5)

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The effective ratio; the ratios behind it, and how likely guessing does as well; see `Benchmark.score`."""
        weights, best = tasks[0].facts["weights"], sum(tasks[0].facts["weights"])
        edges = [(j, j + 1, weight) for j, weight in enumerate(weights)]
        trials = [ratio(answer.counts, edges, best) for answer in answers]
        guesses = guessed(edges, best, size.n_qubits, shots=tasks[0].shots, seed=tasks[0].facts["seed"])
        together, random_ratio, scatter = mean(trials), float(guesses.mean()), float(guesses.std())
        p_value = max(float(stdtr(RANDOM_TRIALS - 1, (random_ratio - trial.value) / scatter)) for trial in trials)
        details = {
            "approx_ratio": together,
            "random_approx_ratio": Estimate(random_ratio, scatter / math.sqrt(RANDOM_TRIALS)),
            "optimal_probability": mean([best_found(answer.counts, edges, best) for answer in answers]),
            "p_value": Estimate(p_value),
        }
        value = effective(together.value, random_ratio)
        return Score(value, together.standard_error / (1 - random_ratio), details)


def chain_weights(n: int, seed: int) -> list[float]:
    """The weights of the bonds of a chain of n sites."""
    return np.random.default_rng(seed).choice(WEIGHTS, n - 1).tolist()


def ramps(p: int) -> list[tuple[float, float]]:
    """beta and gamma of each of p layers, radians.

    >>> ramps(2)
    [(0.3, 0.3), (0.15, 0.6)]
    """
    return [((p + 1 - k) * DELTA_BETA / p, k * DELTA_GAMMA / p) for k in range(1, p + 1)]


def ramp(weights: Sequence[float], p: int) -> QuantumCircuit:
    """The circuit of p layers: even bonds, then odd ones, then all sites."""
    n = len(weights) + 1
    circuit = QuantumCircuit(n)
    circuit.h(range(n))
    for beta, gamma in ramps(p):
        for j in (*range(0, n - 1, 2), *range(1, n - 1, 2)):
            circuit.rzz(2 * gamma * weights[j], j, j + 1)
        circuit.rx(-2 * beta, range(n))
    return circuit


def ratio(counts: Mapping[str, int], edges: Sequence[tuple[int, int, float]], best: float) -> Estimate:
    """The mean cut over the best one."""
    return moments(cut_values(list(counts), edges) / best, list(counts.values()))


def best_found(counts: Mapping[str, int], edges: Sequence[tuple[int, int, float]], best: float) -> Estimate:
    """The part of the shots that are a best cut."""
    hits = np.isclose(cut_values(list(counts), edges), best, rtol=1e-9)
    return moments(hits.astype(float), list(counts.values()))


def guessed(edges: Sequence[tuple[int, int, float]], best: float, n: int, *, shots: int, seed: int) -> np.ndarray:
    """The ratio of each of `RANDOM_TRIALS` draws of random bit strings, shape (trials,)."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (RANDOM_TRIALS, shots, n), dtype=np.int8)
    cuts = sum(weight * (bits[:, :, i] != bits[:, :, j]) for i, j, weight in edges)
    return np.asarray(cuts).mean(axis=1) / best


def effective(value: float, guess: float) -> float:
    """A ratio on the scale on which guessing is worth 0; never below.

    >>> effective(0.75, 0.5), effective(0.4, 0.5)
    (0.5, 0.0)
    """
    return max(0.0, (value - guess) / (1 - guess))
