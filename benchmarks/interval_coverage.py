"""Whether intervals hold what they promise, and what shots by weight or variance save.

Coverage: on synthetic devices whose true answers are known, as often as stated, a value with its standard error is
asked for; its 95 % interval has to hold the truth 93 to 97 % of the time. Each device has just the noise for which a
method of mitigation is exact: known errors of measurement, coherent errors for twirling (the truth is the mean over all
Paulis), a decay that is exactly linear or exponential for extrapolation, a global one for Clifford data.

Shots: by exact variances of every measured group, the shots to the same error, relative to equal shots for each
circuit, on LiH and on a random Hamiltonian of 1,000 terms.

    python benchmarks/interval_coverage.py
    python benchmarks/interval_coverage.py --repeats 50 --json trial.json    # a rehearsal
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import record
from qiskit import QuantumCircuit
from qiskit.circuit.library import RXXGate, XGate, YGate, ZGate
from qiskit.quantum_info import Clifford, Pauli, SparsePauliOp, Statevector
from qiskit.transpiler import Target

from backends.measurement.allocation import PILOT, allocate
from backends.measurement.groups import Measurements, measurements
from backends.measurement.outcomes import Outcomes, all_bits
from backends.providers.device import Device
from backends.providers.hardware import Here
from circuits import hardware_efficient, molecule

REPEATS = 500
SHOTS = 400
PAULIS = (None, XGate(), YGate(), ZGate())


class Synthetic(Here):
    """A device whose noise is given in closed form.

    Args:
        errors: P(1 told | 0) and P(0 told | 1) of each qubit.
        left: Of the signal, by the number of gates on two qubits.
        coherent: Angle of an RXX that follows each gate on two qubits.
    """

    def __init__(
        self,
        n_qubits: int,
        errors: tuple[float, float] = (0.0, 0.0),
        left: Callable[[int], float] = lambda gates: 1.0,
        coherent: float = 0.0,
    ):
        self.name, self.summary, self.n_qubits = "synthetic", "a device with known noise", n_qubits
        self.target = Target.from_configuration(["rz", "sx", "x", "cz"], num_qubits=n_qubits)
        self._errors, self._left, self._coherent = errors, left, coherent
        self._known: dict[Any, np.ndarray] = {}

    def probabilities(self, circuit: QuantumCircuit) -> np.ndarray:
        """Of what is told in a measured circuit, by its classical bits."""
        gates = circuit.remove_final_measurements(inplace=False)
        key = tuple((one.operation.name, tuple(one.operation.params), one.qubits) for one in gates.data)
        if key not in self._known:
            full = QuantumCircuit(circuit.num_qubits)
            for one in gates.data:
                where = [circuit.find_bit(qubit).index for qubit in one.qubits]
                full.append(one.operation, where)
                if len(where) == 2 and self._coherent:
                    full.append(RXXGate(self._coherent), where)
            p = Statevector(full).probabilities(self._read(circuit))
            left = self._left(full.num_nonlocal_gates())
            p = left * p + (1 - left) / len(p)
            e0, e1 = self._errors
            for q in range(circuit.num_clbits):
                p = p.reshape(-1, 2, 2**q)
                p = np.stack([(1 - e0) * p[:, 0] + e1 * p[:, 1], e0 * p[:, 0] + (1 - e1) * p[:, 1]], axis=1).ravel()
            self._known[key] = p
        return self._known[key]

    def run(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """See `Here.run`."""
        rng = np.random.default_rng(seed)
        drawn = [rng.multinomial(shots, self.probabilities(circuit)) for circuit in circuits]
        return [Outcomes(all_bits(len(n))[n > 0], n[n > 0]) for n in drawn]

    @staticmethod
    def _read(circuit: QuantumCircuit) -> list[int]:
        pairs = [
            (circuit.find_bit(one.clbits[0]).index, circuit.find_bit(one.qubits[0]).index)
            for one in circuit.data
            if one.operation.name == "measure"
        ]
        return [qubit for _, qubit in sorted(pairs)]


def turned() -> QuantumCircuit:
    """Two qubits, two gates between them, no symmetry."""
    circuit = QuantumCircuit(2)
    for angle, q in ((0.4, 0), (1.1, 1)):
        circuit.sx(q)
        circuit.rz(angle, q)
        circuit.sx(q)
    circuit.cz(0, 1)
    for angle, q in ((0.9, 0), (-0.5, 1)):
        circuit.sx(q)
        circuit.rz(angle, q)
        circuit.sx(q)
    circuit.cz(0, 1)
    circuit.rz(0.3, 0)
    circuit.sx(0)
    return circuit


H = SparsePauliOp(["ZZ", "XX", "YI", "IZ", "II"], [1.0, 0.6, 0.3, -0.5, 0.2])


ZZ = SparsePauliOp("ZZ")


def exact() -> float:
    return float(Statevector(turned()).expectation_value(H).real)


def twirled_truth(angle: float) -> float:
    """The mean over all Paulis around both gates, each with an RXX behind it."""
    noisy = Synthetic(2, coherent=angle)
    values = []
    plan, base = measurements([ZZ]), turned()
    clifford = Clifford(_cz())
    for draws in product(range(16), repeat=2):
        circuit, seen = QuantumCircuit(2), 0
        for one in base.data:
            where = [base.find_bit(qubit).index for qubit in one.qubits]
            if len(where) == 1:
                circuit.append(one.operation, where)
                continue
            label = "IXYZ"[draws[seen] // 4] + "IXYZ"[draws[seen] % 4]
            after = Pauli(label).evolve(clifford, frame="s").to_label().lstrip("-i")
            for letters, gate in ((label, True), (after, False)):
                for q, letter in enumerate(reversed(letters)):
                    if letter != "I":
                        circuit.append(PAULIS["IXYZ".index(letter)], [q])
                if gate:
                    circuit.cz(*where)
            seen += 1
        measured = []
        for group in plan.groups:
            full = circuit.compose(group.change)
            full.measure_all()
            measured.append(noisy.probabilities(full))
        values.append(plan.expectations(measured)[0])
    return float(np.mean(values))


def _cz() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.cz(0, 1)
    return circuit


def linear(gates: int) -> float:
    return 1 - 0.015 * gates


def quadratic(gates: int) -> float:
    return 1 - 0.03 * gates + 0.001 * gates**2


def exponential(gates: int) -> float:
    return 0.96**gates


@dataclass(frozen=True)
class Case:
    """A device, how it is asked, and the truth."""

    hardware: Synthetic
    options: dict[str, Any]
    truth: Callable[[], float] = exact
    shots: int = SHOTS
    observable: SparsePauliOp = field(default_factory=lambda: H)


def cases() -> dict[str, Case]:
    wrong = (0.04, 0.11)
    return {
        "plain shots": Case(Synthetic(2), {"allocation": "uniform"}),
        "plain shots, 40 of each": Case(Synthetic(2), {"allocation": "uniform"}, shots=40),
        "by weights": Case(Synthetic(2), {"allocation": "weights"}),
        "by softened weights": Case(Synthetic(2), {"allocation": "softened"}),
        "by variance": Case(Synthetic(2), {"allocation": "variance"}),
        "commuting groups": Case(Synthetic(2), {"grouping": "commuting"}),
        "readout": Case(Synthetic(2, wrong), {"mitigation": ["readout"]}),
        "readout, few calibration shots": Case(
            Synthetic(2, wrong), {"mitigation": {"readout": {"shots": 100}}}, shots=4000
        ),
        "readout by variance": Case(Synthetic(2, wrong), {"mitigation": ["readout"], "allocation": "variance"}),
        "twirling": Case(
            Synthetic(2, coherent=0.5), {"mitigation": ["twirling"]}, lambda: twirled_truth(0.5), observable=ZZ
        ),
        "twirling, 6 copies": Case(
            Synthetic(2, coherent=0.5),
            {"mitigation": {"twirling": {"randomizations": 6}}},
            lambda: twirled_truth(0.5),
            observable=ZZ,
        ),
        "zne, linear": Case(Synthetic(2, left=linear), {"mitigation": ["zne"]}),
        "zne, richardson": Case(Synthetic(2, left=quadratic), {"mitigation": {"zne": {"extrapolation": "richardson"}}}),
        "zne, exponential": Case(
            Synthetic(2, left=exponential), {"mitigation": {"zne": {"extrapolation": "exponential"}}}, shots=20_000
        ),
        "readout and zne": Case(
            Synthetic(2, wrong, exponential),
            {"mitigation": {"readout": {}, "zne": {"extrapolation": "exponential"}}},
            shots=20_000,
        ),
        "cdr": Case(Synthetic(2, left=exponential), {"mitigation": {"cdr": {"kept": 2}}}, shots=2000),
    }


def coverage(case: Case, repeats: int) -> dict[str, float]:
    """How often the 95 % interval holds the truth."""
    options = {"grouping": "qubit-wise"} | case.options
    evaluate = Device(case.hardware, **options).prepare(turned(), case.observable)
    results = [evaluate([], shots=case.shots, seed=seed) for seed in range(repeats)]
    values = np.array([result.values[0, 0] for result in results])
    errors = np.array([result.standard_errors[0, 0] for result in results])
    truth = case.truth()
    return {
        "held": float(np.mean(np.abs(values - truth) <= 1.96 * errors)),
        "repeats": repeats,
        "truth": truth,
        "mean_error": float(np.mean(values) - truth),
        "spread": float(np.std(values)),
        "standard_error": float(np.sqrt(np.mean(errors**2))),
    }


def deviations(plan: Measurements, psi: Statevector) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Exact standard deviation of one shot of each group, and its distribution: probabilities and sums."""
    found, laws = [], []
    for group in plan.groups:
        p = psi.evolve(group.change).probabilities()
        sums = group.sums(all_bits(len(p)))[:, 0]
        found.append(np.sqrt(max(0.0, p @ sums**2 - (p @ sums) ** 2)))
        laws.append((p / p.sum(), sums))
    return np.array(found), laws


def shots_to_the_same_error(observable: SparsePauliOp, states: dict[str, Statevector], each: int) -> dict[str, Any]:
    """Shots relative to equal ones for each qubit-wise circuit, at the same standard error."""
    rng, numbers = np.random.default_rng(0), {}
    plans = {"qubit-wise": measurements([observable]), "commuting": measurements([observable], "commuting")}
    for state, psi in states.items():
        row: dict[str, float] = {}
        plain = None
        for grouping, plan in plans.items():
            s, laws = deviations(plan, psi)
            size = len(s)
            total = each * size
            variance = lambda shots, s=s: float(np.sum(s**2 / shots))  # noqa: E731
            costs = {
                "uniform": variance(np.full(size, each)) * total,
                "weights": variance(allocate([g.typical for g in plan.groups], total, at_least=30)) * total,
                "softened": variance(allocate(np.sqrt([g.typical for g in plan.groups]), total, at_least=30)) * total,
                "best": s.sum() ** 2,
            }
            tries = []
            for _ in range(5):
                pilot = each // PILOT
                seen = []
                for (p, sums), group in zip(laws, plan.groups, strict=True):
                    n = rng.multinomial(pilot, p)
                    mean = n @ sums / pilot
                    spread = n @ (sums - mean) ** 2
                    seen.append(np.sqrt((spread + group.typical**2) / pilot))
                tries.append(variance(allocate(seen, total, at_least=pilot)) * total)
            costs["variance"] = float(np.mean(tries))
            plain = plain or costs["uniform"]
            row |= {f"{grouping}, {name}": cost / plain for name, cost in costs.items()}
        numbers[state] = {name: round(value, 4) for name, value in sorted(row.items())}
    groups = {grouping: len(plan.groups) for grouping, plan in plans.items()}
    return {"terms": len(observable), "groups": groups, "shots_relative_to_uniform": numbers}


def allocations() -> dict[str, Any]:
    from scipy.sparse.linalg import eigsh

    lih = molecule("Li 0 0 0; H 0 0 1.6").hamiltonian
    matrix = lih.to_matrix(sparse=True)
    start = np.eye(matrix.shape[0])[int(np.argmin(matrix.diagonal().real))]
    ground = eigsh(matrix, k=1, which="SA", v0=start)[1][:, 0]
    rng, n = np.random.default_rng(7), 10
    labels: set[str] = set()
    while len(labels) < 1000:
        labels.add("".join(rng.choice(list("IXYZ"), n)))
    heavy = SparsePauliOp(sorted(labels - {"I" * n}), rng.exponential(size=1000) ** 2 * rng.choice([-1, 1], 1000))
    ansatz = hardware_efficient(n, layers=3)
    angles = rng.uniform(-np.pi, np.pi, ansatz.num_parameters)
    return {
        "LiH": shots_to_the_same_error(
            lih, {"ground state": Statevector(ground), "Hartree-Fock state": Statevector(start)}, 2000
        ),
        "1,000 random terms": shots_to_the_same_error(
            heavy, {"random angles": Statevector(ansatz.assign_parameters(angles))}, 2000
        ),
    }


@cache
def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", nargs="+", default=None, help="cases of coverage")
    parser.add_argument("--json", type=Path, default=record.RESULTS / "interval_coverage.json")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    numbers: dict[str, Any] = {"coverage": {}}
    for name, case in cases().items():
        if asked.only and name not in asked.only:
            continue
        found = coverage(case, asked.repeats)
        numbers["coverage"][name] = found
        record.save(asked.json, numbers)
        print(f"{name:<32}{found['held']:.1%} of {asked.repeats}", flush=True)
    if not asked.only:
        numbers["shots"] = allocations()
        print(numbers["shots"])
    record.save(asked.json, numbers)


if __name__ == "__main__":
    main()
