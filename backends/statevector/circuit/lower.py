r"""From gates to exponentials of Pauli groups.

Every circuit becomes a product of factors exp(-i angle G), where the strings of the Hermitian G commute and share one
X mask, so that (G psi)[i] = D[i] psi[i ^ x] with a diagonal D, and every |D[i]| is 0 or 1. Then

    exp(-i angle G) psi = psi + (cos(angle) - 1) |D|^2 psi - i sin(angle) D psi[i ^ x].

A rotation is one factor, a CNOT two, a double excitation of UCCSD (eight strings) one. Global phases are dropped: no
expectation value and no sample depends on them.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import pi
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate

from backends.angles import Angles, compile_angles
from backends.instructions import exponents, flatten, free

Strings = dict[tuple[tuple[int, str], ...], float]
"""Pauli strings as ((qubit, letter), ...) with their coefficients."""


@dataclass(frozen=True)
class Factors:
    """A lowered circuit.

    Attributes:
        n_qubits: Width.
        angles: From the circuit's parameters to the factors' angles.
        x: X mask of each factor, shape (factors,).
        z: Z mask of each string, shape (factors, strings); padded.
        weight: Real coefficient of each string, shape (factors, strings); zeros where padded.
        phase: 1 or -i for each factor: D = phase * sum_k weight_k (-1)^parity(i & z_k).
        gate: The gate that each factor belongs to, ascending; the factors of one gate are kept together.
        turned: Whether they stand in the frame of `frame`, as observables then must.
    """

    n_qubits: int
    angles: Angles
    x: np.ndarray
    z: np.ndarray
    weight: np.ndarray
    phase: np.ndarray
    gate: np.ndarray
    turned: bool = False

    @cached_property
    def free(self) -> np.ndarray:
        """Whether each angle depends on parameters, shape (factors,)."""
        free = self.angles.n_slopes > 0
        free[[index for index, _, _ in self.angles.curved]] = True
        return free

    @cached_property
    def support(self) -> np.ndarray:
        """Mask of the qubits that each factor acts on, shape (factors,)."""
        return self.x | np.bitwise_or.reduce(self.z, axis=1, initial=0)

    def __len__(self) -> int:
        return len(self.x)


def lower(circuit: QuantumCircuit) -> Factors:
    """Lower a circuit without measurements.

    Raises:
        Refused: naming a gate that has neither a rule here nor a definition.
    """
    angles, groups, gates = [], [], []
    number = itertools.count()
    for gate, angle, strings in _exponentials(circuit, number):
        for scale, group in _flat_groups(strings):
            angles.append(angle * scale)
            groups.append(group)
            gates.append(next(number) if gate is None else gate)
    width = max((len(group) for group in groups), default=1)
    x = np.zeros(len(groups), dtype=mask_type(circuit.num_qubits))
    z = np.zeros((len(groups), width), dtype=x.dtype)
    weight = np.zeros((len(groups), width))
    phase = np.ones(len(groups), dtype=complex)
    for row, group in enumerate(groups):
        for column, (x_mask, z_mask, n_y, coefficient) in enumerate(group):
            x[row], z[row, column] = x_mask, z_mask
            phase[row] = 1 if n_y % 2 == 0 else -1j
            weight[row, column] = coefficient * (-1) ** (n_y // 2)
    compiled = compile_angles(angles, list(circuit.parameters))
    return Factors(circuit.num_qubits, compiled, x, z, weight, phase, np.array(gates, int))


def mask_type(n_qubits: int) -> type[np.unsignedinteger] | type[object]:
    """The numbers that hold masks over so many qubits, with a bit to spare; above 63, those of Python."""
    return np.uint32 if n_qubits <= 31 else np.uint64 if n_qubits <= 63 else object


def _exponentials(circuit: QuantumCircuit, number: Iterator[int]) -> Iterator[tuple[int | None, Any, Strings]]:
    """(number of the gate, angle, G) of the factors exp(-i angle G) that make up the circuit, first applied first.

    The strings of an evolution commute, and each is free to go its own way: it has no number in common with others.
    """
    for gate, qubits in flatten(circuit, _has_rule):
        if gate.name == "global_phase":
            continue
        if isinstance(gate, PauliEvolutionGate):
            yield from ((None, angle, strings) for angle, strings in _evolution(gate, qubits))
        else:
            this = next(number)
            yield from ((this, angle, strings) for angle, strings in _RULES[gate.name](qubits, *gate.params))


def _has_rule(gate: Any) -> bool:
    if isinstance(gate, PauliEvolutionGate):
        return exponents(gate) is not None
    closed = getattr(gate, "ctrl_state", None) in (None, 2 ** getattr(gate, "num_ctrl_qubits", 0) - 1)
    return closed and gate.name in _RULES


def _evolution(gate: PauliEvolutionGate, qubits: tuple[int, ...]) -> Iterator[tuple[Any, Strings]]:
    """Strings with plain coefficients stay together, so that those with one X mask become one factor."""
    together: Strings = {}
    for label, angle in exponents(gate, time=1.0) or ():
        string = tuple((qubits[k], p) for k, p in enumerate(reversed(label)) if p != "I")
        if free(angle):
            yield gate.time * angle, {string: 0.5}
        else:
            together[string] = together.get(string, 0.0) + float(angle) / 2
    yield gate.time, together


def _rotation(letters: str, scale: float):
    def rule(q, angle):
        yield angle, {tuple(zip(q, letters, strict=True)): scale}

    return rule


def _fixed(letters: str, angle: float):
    def rule(q):
        yield angle, {tuple(zip(q, letters, strict=True)): 1.0}

    return rule


def _projected(q: tuple[int, ...], letter: str, scale: float) -> Strings:
    """Scale * (1 - Z)/2 on each control, times (1 - letter)/2 on the last qubit; the identity is left out."""
    strings: Strings = {}
    for chosen in itertools.product((False, True), repeat=len(q)):
        letters = ["Z"] * (len(q) - 1) + [letter]
        key = tuple((qubit, p) for qubit, p, there in zip(q, letters, chosen, strict=True) if there)
        if key:
            strings[key] = scale * (-1) ** sum(chosen) / 2 ** len(q)
    return strings


def _controlled(letter: str):
    def rule(q):
        yield pi, _projected(q, letter, 1.0)

    return rule


def _controlled_phase(q, angle):
    yield angle, _projected(q, "Z", -1.0)


def _controlled_rotation(letter: str):
    def rule(q, angle):
        control, target = q
        yield angle, {((target, letter),): 0.25, ((control, "Z"), (target, letter)): -0.25}

    return rule


def _hadamard(q):
    yield pi / 2, {((q[0], "Z"),): 1.0}
    yield pi / 4, {((q[0], "Y"),): 1.0}


def _u(q, theta, phi, lam):
    yield lam, {((q[0], "Z"),): 0.5}
    yield theta, {((q[0], "Y"),): 0.5}
    yield phi, {((q[0], "Z"),): 0.5}


def _exchange(angle: float, letters: str):
    def rule(q):
        yield angle, {tuple((qubit, p) for qubit in q): 1.0 for p in letters}

    return rule


_RULES = {
    "x": _fixed("X", pi / 2),
    "y": _fixed("Y", pi / 2),
    "z": _fixed("Z", pi / 2),
    "s": _fixed("Z", pi / 4),
    "sdg": _fixed("Z", -pi / 4),
    "t": _fixed("Z", pi / 8),
    "tdg": _fixed("Z", -pi / 8),
    "sx": _fixed("X", pi / 4),
    "sxdg": _fixed("X", -pi / 4),
    "h": _hadamard,
    "rx": _rotation("X", 0.5),
    "ry": _rotation("Y", 0.5),
    "rz": _rotation("Z", 0.5),
    "p": _rotation("Z", 0.5),
    "u1": _rotation("Z", 0.5),
    "u": _u,
    "u3": _u,
    "rxx": _rotation("XX", 0.5),
    "ryy": _rotation("YY", 0.5),
    "rzz": _rotation("ZZ", 0.5),
    "rzx": _rotation("ZX", 0.5),
    "cx": _controlled("X"),
    "cy": _controlled("Y"),
    "cz": _controlled("Z"),
    "ccx": _controlled("X"),
    "ccz": _controlled("Z"),
    "cp": _controlled_phase,
    "cu1": _controlled_phase,
    "crx": _controlled_rotation("X"),
    "cry": _controlled_rotation("Y"),
    "crz": _controlled_rotation("Z"),
    "swap": _exchange(pi / 4, "XYZ"),
    "iswap": _exchange(-pi / 4, "XY"),
}


def _flat_groups(strings: Strings) -> Iterator[tuple[float, list[tuple[int, int, int, float]]]]:
    """Split commuting strings by X mask into groups whose |D| takes the values 0 and 1 only, after a scale."""
    by_mask: dict[int, list[tuple[int, int, int, float]]] = {}
    for string, coefficient in strings.items():
        if string and coefficient:
            x = z = n_y = 0
            for qubit, p in string:
                x |= (p != "Z") << qubit
                z |= (p != "X") << qubit
                n_y += p == "Y"
            by_mask.setdefault(x, []).append((x, z, n_y, coefficient))
    for group in by_mask.values():
        height = _height(group)
        parts = [group] if height else [[string] for string in group]
        for part in parts:
            scale = height or abs(part[0][3])
            yield scale, [(x, z, n_y, c / scale) for x, z, n_y, c in part]


def _height(group: list[tuple[int, int, int, float]], max_strings: int = 16) -> float | None:
    """The one nonzero value of |D|, or None if there are several (or too many strings to look)."""
    if len(group) == 1:
        return abs(group[0][3])
    if len(group) == 2:  # |D| is |a + b| at some i, |a - b| at others
        a, b = (abs(coefficient) for *_, coefficient in group)
        return round(a + b, 12) if abs(a - b) <= 1e-12 else None
    if len(group) > max_strings:
        return None
    basis = _independent([z for _, z, _, _ in group])
    if len(basis) > 10:
        return None
    signs = np.array(list(itertools.product((0, 1), repeat=len(basis))))
    total = np.zeros(len(signs))
    for _, z, n_y, coefficient in group:
        parity = signs @ np.array(_coordinates(z, basis)) % 2
        total += coefficient * (-1) ** (n_y // 2) * (1 - 2 * parity)
    heights = np.unique(np.round(np.abs(total[np.abs(total) > 1e-12]), 12))
    return float(heights[0]) if len(heights) == 1 else None


def _independent(masks: list[int]) -> list[tuple[int, int]]:
    """Linearly independent masks over GF(2) in echelon form: (mask, index among the independent ones)."""
    basis: list[int] = []
    for mask in masks:
        for b in basis:
            mask = min(mask, mask ^ b)
        if mask:
            basis.append(mask)
    return [(mask, k) for k, mask in enumerate(basis)]


def _coordinates(mask: int, basis: list[tuple[int, int]]) -> list[int]:
    """The mask as a sum over GF(2) of the basis."""
    coordinates = [0] * len(basis)
    for b, k in basis:
        if mask ^ b < mask:
            mask ^= b
            coordinates[k] = 1
    return coordinates
