"""Depth, two-qubit gates, duration and expected fidelity of one circuit, from what a device says of its gates.

The fidelity is the chance that nothing goes wrong: with errors taken to be independent,

    F = prod_gates (1 - e_g) prod_measured (1 - e_q) prod_qubits f_q(t_q),   f(t) = (1 + e^(-t/T1) + 2 e^(-t/T2)) / 4,

where f is the entanglement fidelity of relaxation during the time t that a qubit waits between its first gate and the
end. It is an estimate: crosstalk, leakage and drift are left out, and an expectation value of few qubits suffers less.

References:
    Murali et al., ASPLOS 2019, 1015, for the product of success rates;
    Nielsen and Chuang, chapter 8, for relaxation as a channel.
"""

import math
from dataclasses import dataclass
from typing import Any

from qiskit import QuantumCircuit
from qiskit.transpiler import Target

UNTIMED = ("barrier", "delay")


@dataclass(frozen=True)
class CircuitSize:
    """What one circuit amounts to.

    Attributes:
        depth: As Qiskit's ``depth()`` counts it.
        one_qubit_gates: Their number.
        two_qubit_gates: Their number.
        seconds: Its duration; None where the device gives no durations.
        fidelity: Its expected fidelity; None where the device gives no errors.
        leaves_out: What the device does not say.
        broken: Gates and qubits that the device says always fail; with any, the fidelity is 0.
        fidelity_beside: What the fidelity would be if those did not fail.
    """

    depth: int
    one_qubit_gates: int
    two_qubit_gates: int
    seconds: float | None = None
    fidelity: float | None = None
    leaves_out: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    fidelity_beside: float | None = None


def size_of(circuit: QuantumCircuit, target: Target | None = None) -> CircuitSize:
    """The size of a measured circuit.

    Args:
        circuit: In the device's gates and on its qubits, where a target is given.
        target: With errors, durations and relaxation times; None for the gates alone.
    """
    gates = [item for item in circuit.data if item.operation.name not in (*UNTIMED, "measure")]
    one, two = (sum(len(gate.qubits) == k for gate in gates) for k in (1, 2))
    if target is None or not _has_errors(target):
        return CircuitSize(circuit.depth(), one, two)
    walk = _Walk(circuit, target)
    beside = math.exp(walk.log_success + (walk.log_idle() if walk.timed else 0.0))
    return CircuitSize(
        circuit.depth(),
        one,
        two,
        seconds=walk.seconds if walk.timed else None,
        fidelity=0.0 if walk.broken else beside,
        leaves_out=tuple(sorted(walk.silent)),
        broken=tuple(sorted(walk.broken)),
        fidelity_beside=beside,
    )


class _Walk:
    """One walk through a circuit from its end, each instruction as late as possible, as devices schedule them."""

    def __init__(self, circuit: QuantumCircuit, target: Target):
        self._target = target
        self._busy: dict[int, float] = {}
        self._from_end: dict[int, float] = {}
        self.log_success, self.timed = 0.0, False
        self.silent: set[str] = set()
        self.broken: set[str] = set()
        self._place = {bit: k for k, bit in enumerate(circuit.qubits)}
        read = max((self._seconds(item) for item in circuit.data if item.operation.name == "measure"), default=0.0)
        for item in reversed(circuit.data):
            self._step(item, read)
        self.seconds = max(self._from_end.values(), default=0.0)

    def _step(self, item: Any, read_s: float) -> None:
        qubits = tuple(self._place[bit] for bit in item.qubits)
        if item.operation.name == "barrier":
            latest = max((self._from_end.get(q, 0.0) for q in qubits), default=0.0)
            self._from_end |= {q: latest for q in qubits if q in self._from_end}
            return
        seconds = read_s if item.operation.name == "measure" else self._seconds(item)
        start = max(self._from_end.get(q, 0.0) for q in qubits) + seconds
        for q in qubits:
            self._from_end[q] = start
            self._busy[q] = self._busy.get(q, 0.0) + seconds
        error = self._property(item, "error")
        if error is None:
            self.silent.add(f"errors of {item.operation.name}")
        elif error >= 1.0:
            self.broken.add(f"{item.operation.name} on {'-'.join(map(str, qubits))}")
        else:
            self.log_success += math.log1p(-error)

    def _seconds(self, item: Any) -> float:
        if item.operation.name == "delay":
            return float(item.operation.duration) * {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}.get(
                item.operation.unit, self._target.dt or 0.0
            )
        seconds = self._property(item, "duration")
        self.timed = self.timed or bool(seconds)
        return seconds or 0.0

    def _property(self, item: Any, name: str) -> float | None:
        if item.operation.name in UNTIMED:
            return 0.0
        known = self._target[item.operation.name] if item.operation.name in self._target else {}  # noqa: SIM401
        here = known.get(tuple(self._place[bit] for bit in item.qubits)) if known else None
        value = getattr(here, name, None)
        return None if value is None or not math.isfinite(value) else float(value)

    def log_idle(self) -> float:
        """Logarithm of the chance that no qubit relaxes while it waits."""
        total = 0.0
        for q, span in self._from_end.items():
            known = self._target.qubit_properties[q] if self._target.qubit_properties else None
            t1, t2 = getattr(known, "t1", None), getattr(known, "t2", None)
            if not t1 or not t2:
                self.silent.add("relaxation times")
                continue
            idle = max(span - self._busy[q], 0.0)
            total += math.log((1 + math.exp(-idle / t1) + 2 * math.exp(-idle / min(t2, 2 * t1))) / 4)
        return total


def _has_errors(target: Target) -> bool:
    """Whether a target says how often some gate on two qubits fails."""
    return any(
        getattr(known, "error", None) is not None
        for name in target.operation_names
        for qubits, known in (target[name] or {}).items()
        if qubits is not None and len(qubits) == 2
    )
