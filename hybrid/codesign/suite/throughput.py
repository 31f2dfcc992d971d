"""Throughput: how many layers of circuits a backend runs in a second while parameters are updated."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Rounds, Score, Size, Task

N_TEMPLATES = 10
"""Circuits with free parameters."""

N_UPDATES = 5
"""Of the parameters of each circuit; each one waits for the answers to the last."""


class Throughput(Benchmark):
    """Layers a second, as in CLOPS: M templates, K updates of their parameters, S shots and D layers.

    The score is M K S D over the time from sending the first circuits to having the last counts, everything that the
    backend does included: preparing, waiting in a queue, running. A layer has rotations about Z, Y, Z with free angles
    on every qubit and CX gates on random pairs; D is the width unless a depth is given. The new parameters are drawn
    with the last counts as the seed, so that no update can begin before them. M = 10, K = 5 and S = 100 by default,
    where the paper has M = 100 and K = 10, and D = log2 of the quantum volume.

    Parameters are bound before a circuit is sent: what a backend could save by compiling a template once is not seen.

    The error is that of the mean over the updates. It tells how steady the time was, not how another machine would do.

    References:
        A. Wack et al., Quality, speed, and scale: three key attributes to measure the performance of near-term quantum
        computers (2021), arXiv:2110.14108.
    """

    name = "throughput"
    title = "Layers a second"
    unit = "layers/s"
    sizes: ClassVar = {
        "quick": (Size(2),),
        "small": (Size(5),),
        "full": (Size(5), Size(10), Size(16)),
    }
    shots = 100

    def check(self, size: Size) -> None:
        """See `Benchmark.check`; any depth will do."""
        if size.n_qubits < self.least:
            raise Refused(f"{self.name} needs at least {self.least} qubits, not {size.n_qubits}")

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """The templates with their first parameters; see `Benchmark.circuits`."""
        random = np.random.default_rng(seed)
        templates = [template(size.n_qubits, size.depth or size.n_qubits, random) for _ in range(N_TEMPLATES)]
        return [Task(one, parameters=_angles(one, random), shots=shots) for one in templates]

    def reference(self, size: Size, *, seed: int) -> None:
        """No speed is the perfect one."""
        del size, seed

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """Layers a second of one update or of several; see `Benchmark.score`.

        Args:
            size: Of the instance.
            tasks: Of all updates, one after the other.
            answers: One to each task.

        Raises:
            Refused: if a time is not known, as where a process went on with jobs of another.
        """
        layers = sum(task.shots * (size.depth or size.n_qubits) for task in tasks[:N_TEMPLATES])
        firsts = answers[::N_TEMPLATES]
        if any("total" not in one.seconds for one in firsts):
            raise Refused(
                f"{self.name} was interrupted while it waited for jobs, so that its time is not known: measure it "
                "again in another folder"
            )
        times = np.array([one.seconds["total"] for one in firsts])
        error = float(np.std(times, ddof=1)) / len(times) ** 0.5 / float(times.mean()) if len(times) > 1 else 0.0
        rate = layers / float(times.mean())
        details = {"update_s": Estimate(float(times.mean()), error * float(times.mean()))}
        running = [sum(one.seconds.get(phase, 0.0) for phase in ("execute", "jobs")) for one in firsts]
        if all(running):
            details["layers_per_s_running_only"] = Estimate(layers / float(np.mean(running)))
        return Score(rate, error * rate, details)

    def rounds(self, size: Size, *, shots: int, seed: int) -> Rounds:
        """One round for each update; see `Benchmark.rounds`."""
        tasks = self.circuits(size, shots=shots, seed=seed)
        all_tasks, all_answers = [], []
        for _ in range(N_UPDATES):
            answers = yield tasks
            all_tasks += tasks
            all_answers += answers
            counts = sorted((bits, number) for answer in answers for bits, number in answer.counts.items())
            random = np.random.default_rng([number for pair in counts for number in (int(pair[0], 2), pair[1])])
            tasks = [Task(task.circuit, parameters=_angles(task.circuit, random), shots=shots) for task in tasks]
        return self.score(size, all_tasks, all_answers)


def template(n: int, depth: int, random: np.random.Generator) -> QuantumCircuit:
    """A circuit with 3 n free angles in each layer.

    Args:
        n: Number of qubits.
        depth: Number of layers.
        random: Drawn from, for the pairs.
    """
    theta = ParameterVector("theta", 3 * n * depth)
    circuit = QuantumCircuit(n)
    for layer in range(depth):
        for qubit in range(n):
            first = 3 * (layer * n + qubit)
            circuit.rz(theta[first], qubit)
            circuit.ry(theta[first + 1], qubit)
            circuit.rz(theta[first + 2], qubit)
        order = random.permutation(n)
        for k in range(0, n - 1, 2):
            circuit.cx(int(order[k]), int(order[k + 1]))
    return circuit


def _angles(circuit: QuantumCircuit, random: np.random.Generator) -> tuple[float, ...]:
    return tuple(random.uniform(-np.pi, np.pi, circuit.num_parameters).tolist())
