"""What a circuit's fidelity on a device may be, from the errors and times that the device states."""

import math
from dataclasses import dataclass

from qiskit import QuantumCircuit, transpile
from qiskit.transpiler import Target

from backends.base import Backend
from circuits.errors import Refused
from hybrid.codesign.suite.benchmark import Estimate


@dataclass(frozen=True)
class FiguresOfMerit:
    """Figures of merit as MQT Predictor and MQT Bench define them, of a circuit on a device.

    Attributes:
        expected_fidelity: Product of 1 - error over all gates and measurements.
        success_probability: That times exp(-t / min(T1, T2)) for the time t that each qubit waits; None where the
            device states no durations or no times of relaxation.
    """

    expected_fidelity: float
    success_probability: float | None


def figures_of_merit(circuit: QuantumCircuit, target: Target) -> FiguresOfMerit:
    """The figures of a circuit, which is brought to the device's gates and couplings where it is not there yet.

    Errors are taken to be independent, and waiting counts between a qubit's first and last operation, with every gate
    as early as can be.

    Args:
        circuit: With measurements, if they shall count.
        target: Of the device, as ``Device.target()`` gives it.

    Raises:
        Refused: if the circuit does not fit, or the device states no errors.

    References:
        N. Quetschlich, L. Burgholzer, R. Wille, ACM Trans. Quantum Comput. 6, 1 (2025), arXiv:2310.06889.
    """
    if target.num_qubits is not None and circuit.num_qubits > target.num_qubits:
        raise Refused(f"the circuit has {circuit.num_qubits} qubits, and the device {target.num_qubits}")
    if not _has_errors(target):
        raise Refused("the device states no errors of its gates, so no fidelity can be expected of it")
    moved = transpile(circuit, target=target, optimization_level=1, seed_transpiler=0)
    place = {qubit: k for k, qubit in enumerate(moved.qubits)}
    log_success, timed = 0.0, True
    ready: dict[int, float] = {}
    waited: dict[int, float] = {}
    for one in moved.data:
        name, qubits = one.operation.name, tuple(place[qubit] for qubit in one.qubits)
        begin = max((ready.get(qubit, 0.0) for qubit in qubits), default=0.0)
        if name == "barrier":
            continue
        known = (target[name] or {}).get(qubits) if name in target.operation_names else None
        error, seconds = getattr(known, "error", None), getattr(known, "duration", None)
        log_success += math.log1p(-min(error or 0.0, 1 - 1e-15))
        timed = timed and (seconds is not None or name in ("measure", "reset"))
        for qubit in qubits:
            waited[qubit] = waited.get(qubit, 0.0) + (begin - ready[qubit] if qubit in ready else 0.0)
            ready[qubit] = begin + (seconds or 0.0)
    log_idle = _log_idle(waited, target) if timed else None
    success = None if log_idle is None else math.exp(log_success + log_idle)
    return FiguresOfMerit(math.exp(log_success), success)


def predicted(circuit: QuantumCircuit, backend: Backend) -> dict[str, Estimate]:
    """The figures of a circuit on a backend that is a device, by name; empty where it states no errors.

    Args:
        circuit: With measurements.
        backend: Any.
    """
    hardware = getattr(backend, "hardware", None)
    target = getattr(getattr(hardware, "target", None), "target", getattr(hardware, "target", None))
    if not isinstance(target, Target) or not _has_errors(target):
        return {}
    found = figures_of_merit(circuit, target)
    told = {"expected_fidelity": Estimate(found.expected_fidelity)}
    if found.success_probability is not None:
        told["estimated_success_probability"] = Estimate(found.success_probability)
    return told


def _has_errors(target: Target) -> bool:
    """Whether a device states the error of some gate or measurement."""
    return any(
        getattr(known, "error", None) is not None
        for name in target.operation_names
        for known in (target[name] or {}).values()
    )


def _log_idle(waited: dict[int, float], target: Target) -> float | None:
    """Logarithm of the chance that no qubit decays while it waits; None where a time is not stated."""
    total = 0.0
    for qubit, seconds in waited.items():
        known = target.qubit_properties[qubit] if target.qubit_properties else None
        t1, t2 = getattr(known, "t1", None), getattr(known, "t2", None)
        if not t1 or not t2:
            return None
        total -= seconds / min(t1, t2)
    return total
