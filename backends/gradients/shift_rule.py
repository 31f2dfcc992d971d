"""Parameter-shift rules: derivatives of expectation values from shifted values alone.

An expectation value, as a function of the angle of one gate exp(-i x G), is a Fourier sum with the frequencies of G's
eigenvalue differences. With R equidistant frequencies D, 2D, ..., RD its derivative is exact from 2R shifted values:

    f'(x) = D sum_{m=1}^{2R} (-1)^(m-1) / (4 R sin^2(s_m / 2)) f(x + s_m / D),   s_m = (2m - 1) pi / (2R).

Rotations have R = 1 (the shifts are +-pi/2), controlled rotations R = 2 with D = 1/2. A parameter that stands in
several gates, or inside an expression, gets the sum over its occurrences by the chain rule.

References:
    Mitarai et al., Phys. Rev. A 98, 032309 (2018); Schuld et al., Phys. Rev. A 99, 032331 (2019);
    Wierichs et al., Quantum 6, 677 (2022), eq. (23) for R frequencies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import Pauli

from backends.angles import Angles, compile_angles
from backends.checks import check_unitary
from backends.instructions import exponents, flatten, free, homemade, is_free

Rule = tuple[int, float]
ROTATION: Rule = (1, 1.0)
CONTROLLED_ROTATION: Rule = (2, 0.5)
FREQUENCIES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(("rx", "ry", "rz", "p", "u1", "rxx", "ryy", "rzz", "rzx", "cp", "cu1", "mcphase"), (ROTATION,)),
    **dict.fromkeys(("crx", "cry", "crz"), (CONTROLLED_ROTATION,)),
    **dict.fromkeys(("u", "u3"), (ROTATION, ROTATION, ROTATION)),
}
"""For each angle of a gate: number of frequencies R and their spacing D. Other gates are taken apart."""


@dataclass(frozen=True, eq=False)
class Derivative:
    """Values and gradients of one observable at rows of parameters.

    Attributes:
        values: Shape (rows,).
        standard_errors: Shape (rows,); zeros where values are exact.
        gradients: Shape (rows, params), per radian.
        gradient_standard_errors: Shape (rows, params).
    """

    values: np.ndarray
    standard_errors: np.ndarray
    gradients: np.ndarray
    gradient_standard_errors: np.ndarray


@dataclass(frozen=True, eq=False)
class ShiftRule:
    """All that the parameter-shift gradient of one circuit needs; make it with `shift_rule`.

    Attributes:
        circuit: The same circuit with an own parameter for each occurrence of a free angle.
        angles: Those occurrences as functions of the original parameters.
        source: For each shifted value the occurrence it belongs to, shape (shifts,).
        shifts: By how much that occurrence is shifted, radians.
        weights: With what factor the value enters the derivative by that occurrence.
    """

    circuit: QuantumCircuit
    angles: Angles
    source: np.ndarray
    shifts: np.ndarray
    weights: np.ndarray

    def rows(self, theta: np.ndarray) -> np.ndarray:
        """Rows to evaluate: for each row of theta the values themselves, then every shift.

        Args:
            theta: Shape (rows, params).

        Returns:
            Shape (rows * (1 + shifts), occurrences).
        """
        base = self.angles.values(theta)
        rows = np.repeat(base[:, None, :], 1 + len(self.shifts), axis=1)
        rows[:, 1 + np.arange(len(self.shifts)), self.source] += self.shifts
        return rows.reshape(len(theta) * (1 + len(self.shifts)), self.angles.n_angles)

    def combine(self, theta: np.ndarray, values: np.ndarray, standard_errors: np.ndarray) -> Derivative:
        """Gradients from what `rows` evaluate to.

        Args:
            theta: Shape (rows, params).
            values: Shape (rows * (1 + shifts),).
            standard_errors: The same shape.
        """
        values = values.reshape(len(theta), 1 + len(self.shifts))
        errors = standard_errors.reshape(len(theta), 1 + len(self.shifts))
        gradients = np.empty(theta.shape)
        variances = np.empty(theta.shape)
        for k, row in enumerate(theta):
            jacobian = self.angles.jacobian(row)
            slopes = np.bincount(self.source, self.weights * values[k, 1:], self.angles.n_angles)
            spread = np.bincount(self.source, (self.weights * errors[k, 1:]) ** 2, self.angles.n_angles)
            gradients[k] = jacobian.T @ slopes
            variances[k] = jacobian.power(2).T @ spread
        return Derivative(values[:, 0], errors[:, 0], gradients, np.sqrt(variances))


def shift_rule(circuit: QuantumCircuit) -> ShiftRule:
    """Give each occurrence of a free angle a parameter of its own, and list its shifts.

    Raises:
        Refused: for a gate with a free parameter that has neither a known rule nor a definition, by name.
    """
    check_unitary(circuit)
    occurrences = list(_occurrences(circuit))
    expressions = [angle for _, _, angles in occurrences for angle, rule in angles if rule is not None]
    rules = [rule for _, _, angles in occurrences for _, rule in angles if rule is not None]
    own = iter(ParameterVector("alpha", len(expressions)))
    expanded = QuantumCircuit(circuit.num_qubits)
    for gate, qubits, angles in occurrences:
        bound = [angle if rule is None else next(own) for angle, rule in angles]
        if isinstance(gate, Pauli):
            expanded.append(PauliEvolutionGate(gate, time=bound[0] / 2), qubits)
        elif is_free(gate):
            expanded.append(_with(gate, bound), qubits)
        else:
            expanded.append(gate, qubits)
    shifts = [(k, *shift) for k, rule in enumerate(rules) for shift in _shifts(*rule)]
    source, step, weight = (np.array(column) for column in zip(*shifts, strict=True)) if shifts else ([], [], [])
    angles = compile_angles(expressions, circuit.parameters)
    return ShiftRule(expanded, angles, np.asarray(source, int), np.asarray(step, float), np.asarray(weight, float))


def n_shifted(circuit: QuantumCircuit) -> int:
    """How many shifted values one parameter-shift gradient of this circuit takes."""
    return sum(2 * rule[0] for _, _, angles in _occurrences(circuit) for _, rule in angles if rule is not None)


def _occurrences(circuit: QuantumCircuit) -> Iterator[tuple[Any, tuple[int, ...], tuple[tuple[Any, Rule | None], ...]]]:
    """Yield (gate or Pauli, qubits, ((angle, rule or None), ...)); angles are listed for gates with a free one only."""
    for gate, qubits in flatten(circuit, _has_rule):
        if gate.name == "global_phase":
            continue
        if not is_free(gate):
            yield gate, qubits, ()
        elif isinstance(gate, PauliEvolutionGate):
            for label, angle in exponents(gate) or ():
                if set(label) != {"I"}:
                    yield Pauli(label), qubits, ((angle, ROTATION if free(angle) else None),)
        else:
            rules = FREQUENCIES[gate.name]
            yield gate, qubits, tuple((a, r if free(a) else None) for a, r in zip(gate.params, rules, strict=True))


def _has_rule(gate) -> bool:
    if isinstance(gate, PauliEvolutionGate):
        return not is_free(gate) or exponents(gate) is not None
    return not is_free(gate) or (gate.name in FREQUENCIES and not homemade(gate))


def _with(gate, angles):
    if gate.name == "mcphase":
        return type(gate)(*angles, gate.num_ctrl_qubits)
    return type(gate)(*angles)


def _shifts(R: int, spacing: float):
    for m in range(1, 2 * R + 1):
        s = (2 * m - 1) * np.pi / (2 * R)
        s_short = s if s < np.pi else s - 2 * np.pi  # f has the period 2 pi / D
        yield s_short / spacing, spacing * (-1) ** (m - 1) / (4 * R * np.sin(s / 2) ** 2)
