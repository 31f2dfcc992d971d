"""Layer fidelity: the error of a gate on two qubits while a whole layer of them runs."""

import math
import warnings
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Clifford
from scipy.optimize import OptimizeWarning, curve_fit

from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, Task
from hybrid.codesign.suite.layers import chain_pairs, part_of, random_cliffords, random_pauli
from hybrid.codesign.suite.statistics import mean, proportion

LENGTHS = (1, 8, 20, 40)
"""Layers of the sequences that a decay is fitted to."""

N_CIRCUITS = 6
"""Random sequences of each length."""


class LayerFidelity(Benchmark):
    """Error per layered gate (EPLG) of the n - 1 neighbouring pairs of a chain, run in two layers of disjoint pairs.

    Each layer is repeated: random Clifford gates on single qubits, then a CX gate on every pair of the layer at once.
    Every pair, and every qubit that the layer leaves alone, is then brought to a random known answer, and the
    probability to read it decays as A alpha^m + 1/d over m layers. The decay alpha of a pair (d = 4) or a qubit (d = 2)
    gives its process fidelity F = (1 + (d^2 - 1) alpha) / d^2; the layer fidelity LF is the product of all F over both
    layers, and EPLG = 1 - LF^(1/(n-1)). Errors of the fits are carried through.

    The gates on single qubits are part of the error. Pairs are neighbours in the circuit: on a device whose coupling
    map has no such chain from its first qubit on, choose an ``optimization_level`` of the backend that looks for one.

    References:
        D. C. McKay et al., Benchmarking quantum processor performance at scale (2023), arXiv:2311.05933; T. J. Proctor
        et al., Phys. Rev. Lett. 123, 030503 (2019), for direct randomized benchmarking.
    """

    name = "layer-fidelity"
    title = "Error per layered gate"
    unit = "per gate"
    higher_is_better = False
    sizes: ClassVar = {
        "quick": (Size(2),),
        "small": (Size(4),),
        "full": (Size(4), Size(6), Size(10)),
    }
    shots = 500

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """Random sequences of each length, for both layers; see `Benchmark.circuits`."""
        random = np.random.default_rng(seed)
        tasks = []
        for offset in (0, 1) if size.n_qubits > 2 else (0,):
            for length in LENGTHS:
                for _ in range(N_CIRCUITS):
                    circuit, answer = sequence(size.n_qubits, offset, length, random)
                    facts = {"offset": offset, "length": length, "answer": answer}
                    tasks.append(Task(circuit, shots=shots, facts=facts))
        return tasks

    def reference(self, size: Size, *, seed: int) -> float:
        """Without noise there is no error."""
        del size, seed
        return 0.0

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """EPLG; as details, the layer fidelity and the error of each pair."""
        n = size.n_qubits
        fidelities: dict[tuple[int, ...], Estimate] = {}
        for offset in sorted({task.facts["offset"] for task in tasks}):
            of_layer = [
                (task, answer) for task, answer in zip(tasks, answers, strict=True) if task.facts["offset"] == offset
            ]
            for part in parts(n, offset):
                fidelities[part] = _fidelity(part, of_layer)
        logarithm = sum(math.log(max(one.value, 1e-12)) for one in fidelities.values())
        relative = math.sqrt(sum((one.standard_error / max(one.value, 1e-12)) ** 2 for one in fidelities.values()))
        whole = math.exp(logarithm)
        per_gate = math.exp(logarithm / (n - 1))
        details = {"layer_fidelity": Estimate(whole, whole * relative)}
        for part, one in fidelities.items():
            details[f"error_{'_'.join(map(str, part))}"] = Estimate(1 - one.value, one.standard_error)
        return Score(1 - per_gate, per_gate * relative / (n - 1), details)


def parts(n: int, offset: int) -> list[tuple[int, ...]]:
    """The pairs of a layer, then the qubits that it leaves alone.

    >>> parts(4, 1)
    [(1, 2), (0,), (3,)]
    """
    pairs = chain_pairs(n, offset)
    used = {qubit for pair in pairs for qubit in pair}
    return [*pairs, *((qubit,) for qubit in range(n) if qubit not in used)]


def sequence(n: int, offset: int, length: int, random: np.random.Generator) -> tuple[QuantumCircuit, str]:
    """A random sequence of a layer and its right answer.

    Args:
        n: Number of qubits of the chain.
        offset: Of the layer's first pair, 0 or 1.
        length: Number of layers.
        random: Drawn from.
    """
    circuit = QuantumCircuit(n)
    for _ in range(length):
        random_cliffords(circuit, range(n), random)
        circuit.barrier()
        for pair in chain_pairs(n, offset):
            circuit.cx(*pair)
        circuit.barrier()
    undone = _without_barriers(circuit)
    for part in parts(n, offset):
        back = Clifford(_on(undone, part)).adjoint().to_circuit()
        circuit.compose(back, list(part), inplace=True)
    circuit.barrier()
    flips = [random_pauli(circuit, qubit, random) for qubit in range(n)]
    return circuit, "".join("1" if letter in "XY" else "0" for letter in reversed(flips))


def _without_barriers(circuit: QuantumCircuit) -> QuantumCircuit:
    gates = circuit.copy_empty_like()
    for one in circuit.data:
        if one.operation.name != "barrier":
            gates.append(one)
    return gates


def _on(circuit: QuantumCircuit, part: tuple[int, ...]) -> QuantumCircuit:
    """The gates on some qubits that no gate joins with others."""
    alone = QuantumCircuit(len(part))
    for one in circuit.data:
        places = [circuit.find_bit(qubit).index for qubit in one.qubits]
        if places[0] in part:
            alone.append(one.operation, [part.index(place) for place in places])
    return alone


def _fidelity(part: tuple[int, ...], of_layer: Sequence[tuple[Task, Answer]]) -> Estimate:
    """The process fidelity of a pair, or of a qubit left alone, from the decay over the lengths."""
    d = 2 ** len(part)
    survivals: dict[int, list[Estimate]] = {}
    for task, answer in of_layer:
        right = "".join(task.facts["answer"][-1 - qubit] for qubit in reversed(part))
        counts = part_of(answer.counts, part)
        survivals.setdefault(task.facts["length"], []).append(proportion(counts.get(right, 0), sum(counts.values())))
    lengths, means = list(survivals), [mean(found) for found in survivals.values()]
    alpha = decay(lengths, means, 1 / d)
    return Estimate((1 + (d * d - 1) * alpha.value) / (d * d), (d * d - 1) / (d * d) * alpha.standard_error)


def decay(lengths: Sequence[int], survivals: Sequence[Estimate], floor: float) -> Estimate:
    """The alpha of A alpha^m + floor that fits best, with the error that those of the points make.

    Args:
        lengths: m of each point.
        survivals: Probabilities with their errors.
        floor: What is left after a long time.

    Raises:
        Refused: if so little is left after the shortest length that nothing can be fitted.
    """
    m, y = np.array(lengths, float), np.array([one.value - floor for one in survivals])
    errors = np.array([one.standard_error for one in survivals])
    start = float(np.clip((max(y[-1], 1e-3) / max(y[0], 1e-3)) ** (1 / (m[-1] - m[0])), 0.1, 1.0))

    def model(x: np.ndarray, a: float, alpha: float) -> np.ndarray:
        return a * np.abs(alpha) ** x

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", OptimizeWarning)
            values, covariance = curve_fit(model, m, y, p0=(1 - floor, start), sigma=errors, absolute_sigma=True)
    except (RuntimeError, OptimizeWarning) as err:
        raise Refused(
            f"no decay can be fitted to what is left after {', '.join(map(str, lengths))} layers, "
            f"{', '.join(f'{value:.3f}' for value in y)} above noise alone: {err}"
        ) from err
    return Estimate(float(abs(values[1])), float(np.sqrt(covariance[1, 1])))
