"""Clifford data regression: how noise changes values is learnt from circuits near the asked one that are simulated.

In each training circuit all but a few rotations are turned by a multiple of a quarter turn near their own angle. From
the noisy values x_t and exact ones z_t of all training circuits a line z = a x + b is fitted, and applied to the noisy
value of the asked circuit. It is as good as noise treats all these circuits alike; what the line misses is the `bias`.

References:
    Czarnik et al., Quantum 5, 592 (2021).
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from backends.mitigation.extrapolation import Corrected
from circuits.errors import FailedJob, Refused

MOST_QUBITS = 16
"""Whose states are simulated for the exact values of training circuits."""

QUARTER = ("rz", "rx", "ry", "p", "u1", "r", "u", "u2", "u3", "rxx", "ryy", "rzz", "rzx")
"""Rotations that are Clifford gates at multiples of a quarter turn."""

HALF = ("cp", "cu1", "crx", "cry", "crz")
"""Rotations that are Clifford gates at multiples of half a turn."""

CLIFFORD = ("x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "cy", "cz", "ecr", "swap", "iswap", "dcx", "id")

SPREAD = 0.5
"""Width, radians, of the distribution from which an angle near the gate's own is drawn."""


def check_trainable(circuit: QuantumCircuit, *, name: str) -> None:
    """Refuse a circuit that cannot be brought near a Clifford circuit, or whose state cannot be simulated.

    Args:
        circuit: In the target's gates.
        name: Of the device, for messages.
    """
    for one in circuit.data:
        if one.operation.name not in (*QUARTER, *HALF, *CLIFFORD, "barrier", "delay"):
            raise Refused(
                f"mitigation 'cdr' turns rotations into Clifford gates, and '{one.operation.name}' in the gates of "
                f"{name} is neither; leave 'cdr' out"
            )
    n = len(used(circuit))
    if n > MOST_QUBITS:
        raise Refused(
            f"mitigation 'cdr' simulates circuits like the asked one, and {n} qubits are more than the {MOST_QUBITS} "
            "whose states it computes; leave 'cdr' out"
        )


def training_circuit(circuit: QuantumCircuit, kept: int, rng: np.random.Generator) -> QuantumCircuit:
    """A circuit near a given one whose rotations are Clifford gates, but for a few.

    Args:
        circuit: In the target's gates, without free parameters.
        kept: Most rotations that stay as they are.
        rng: From which these and the angles are drawn.
    """
    near = [k for k, one in enumerate(circuit.data) if _turns(one.operation.name) and not _is_clifford(one.operation)]
    stay = set(rng.choice(near, size=min(kept, len(near) // 2), replace=False).tolist()) if near else set()
    full: Any = circuit.copy_empty_like()
    for k, one in enumerate(circuit.data):
        if k not in near or k in stay:
            full._append(one)
            continue
        turn = _turns(one.operation.name)
        gate = one.operation.to_mutable()
        gate.params = [_drawn(float(angle), turn, rng) for angle in gate.params]
        full._append(one.replace(operation=gate))
    return full


def _turns(name: str) -> float:
    return math.pi / 2 if name in QUARTER else math.pi if name in HALF else 0.0


def _is_clifford(gate: Any) -> bool:
    return all(abs(math.remainder(float(angle), _turns(gate.name))) < 1e-9 for angle in gate.params)


def _drawn(angle: float, turn: float, rng: np.random.Generator) -> float:
    places = (math.floor(angle / turn) + np.arange(-1, 3)) * turn
    weights = np.exp(-(((places - angle) / SPREAD) ** 2) / 2)
    return float(rng.choice(places, p=weights / weights.sum()))


def used(circuit: QuantumCircuit) -> list[int]:
    """The qubits that a gate acts on, ascending."""
    places = {qubit: q for q, qubit in enumerate(circuit.qubits)}
    return sorted({places[qubit] for one in circuit.data for qubit in one.qubits})


def exact_values(circuit: QuantumCircuit, layout: Sequence[int], observables: Sequence[SparsePauliOp]) -> np.ndarray:
    """Expectation values of a circuit on a target without its noise, shape (observables,).

    Args:
        circuit: In the target's gates, without free parameters and measurements.
        layout: The target's qubit that holds each of the observables' qubits.
        observables: As asked.
    """
    qubits = sorted({*used(circuit), *layout})
    small = QuantumCircuit(len(qubits))
    places = {circuit.qubits[q]: k for k, q in enumerate(qubits)}
    for one in circuit.data:
        if one.operation.name not in ("barrier", "delay"):
            small.append(one.operation, [places[qubit] for qubit in one.qubits])
    state, where = Statevector(small), [qubits.index(q) for q in layout]
    value = cache(lambda k: float(np.real(state.expectation_value(observables[k], where))))
    return np.array([value(k) for k in range(len(observables))])


def regressed(noisy: float, x: np.ndarray, z: np.ndarray, x_variance: np.ndarray) -> Corrected:
    """The value that a line through training values gives.

    Args:
        noisy: Value of the asked circuit.
        x: Noisy training values, shape (circuits,).
        z: Exact ones, same shape.
        x_variance: Variances of the noisy ones, same shape.

    Returns:
        The value; its variance holds what the line is uncertain by, so that 1.96 standard errors hold 95 %.

    Raises:
        FailedJob: if the training values do not differ.
    """
    spread = x - x.mean()
    size = float(spread @ spread)
    if size < 1e-18:
        raise FailedJob(
            "mitigation 'cdr' learnt nothing: all its training circuits gave the same value; ask for more of them, or "
            "for 'zne' instead"
        )
    a = float(spread @ z) / size
    value = z.mean() + a * (noisy - x.mean())
    freedom = len(x) - 2
    residual = float(np.sum((z - z.mean() - a * spread) ** 2)) / freedom
    from scipy.special import stdtrit  # Student's quantile; scipy.stats has it, too, and takes a second to import

    wide = (float(stdtrit(freedom, 0.975)) / 1.96) ** 2
    variance = wide * residual * (1 / len(x) + (noisy - x.mean()) ** 2 / size)
    bias = math.sqrt(max(0.0, residual - a**2 * float(x_variance.mean())))
    return Corrected(value, np.array([a]), variance, bias)
