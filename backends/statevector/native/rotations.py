"""A lowered circuit as the Pauli rotations that the native kernels apply."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from math import pi
from typing import NamedTuple

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector.circuit.lower import Factors
from backends.statevector.native.clifford import Frame, Pauli, permutes


class Absorb(Enum):
    """Which Clifford gates are not applied, but seen through."""

    NONE = "none"
    PERMUTATIONS = "those that take basis states to basis states"
    ALL = "all"


class Rotation(NamedTuple):
    """exp(-i weight angle P).

    Attributes:
        string: P, of X, Y and Z, with sign 1.
        eighths: weight angle in units of pi/4, where it is a whole number of them whatever the parameters; else None.
        angle: Which of the circuit's angles it takes.
        weight: Of the angle.
    """

    string: Pauli
    eighths: int | None
    angle: int
    weight: float


Gate = list[Rotation]
"""Rotations that stay together, in the order of their application."""


@dataclass(frozen=True, eq=False)
class Rotations:
    """exp(-i weight angle P) one after the other, and then a Clifford.

    Attributes:
        n_qubits: Width.
        x: X masks, shape (rotations,), unsigned.
        z: Z masks, shape (rotations,), unsigned.
        angle: Which of the circuit's angles each takes, shape (rotations,).
        weight: Of the angle, shape (rotations,).
        frame: The Clifford.
    """

    n_qubits: int
    x: np.ndarray
    z: np.ndarray
    angle: np.ndarray
    weight: np.ndarray
    frame: Frame

    def observed(self, observable: SparsePauliOp) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """X masks, Z masks and coefficients of an observable, seen through the Clifford, each of shape (terms,)."""
        bits = np.uint64(1) << np.arange(self.n_qubits, dtype=np.uint64)
        masks = zip(observable.paulis.x @ bits, observable.paulis.z @ bits, strict=True)
        seen = [self.frame.seen(Pauli.string(int(x), int(z))) for x, z in masks]
        signs = np.array([string.sign for string in seen], float)
        x, z = (np.array([string[k] for string in seen], np.uint64) for k in (0, 1))
        return x, z, signs * np.real(np.asarray(observable.coeffs))


def rotations(gates: Iterable[Gate], n_qubits: int, absorb: Absorb) -> Rotations:
    """A circuit without those of its gates that go into the Clifford: all of their angles are multiples of pi/4."""
    frame = Frame()
    found: list[tuple[int, int, int, float]] = []
    for gate in gates:
        fixed = clifford(gate)
        if absorb is not Absorb.NONE and fixed and (absorb is Absorb.ALL or permutes(fixed)):
            for string, eighths in fixed:
                frame.turn(string, eighths)
            continue
        for string, _, angle, weight in gate:
            seen = frame.seen(string)
            found.append((seen.x, seen.z, angle, seen.sign * weight))
    x, z, angle, weight = zip(*found, strict=True) if found else ((), (), (), ())
    return Rotations(
        n_qubits,
        np.array(x, np.uint64),
        np.array(z, np.uint64),
        np.array(angle, np.int32),
        np.array(weight, float),
        frame,
    )


def clifford(gate: Gate) -> list[tuple[Pauli, int]]:
    """Strings and multiples of pi/4 of a Clifford gate; empty for others."""
    fixed = [(string, eighths) for string, eighths, _, _ in gate if eighths is not None]
    return fixed if len(fixed) == len(gate) else []


def gates(factors: Factors) -> Iterator[Gate]:
    """The strings of the factors, each a rotation, gate by gate."""
    there = factors.weight != 0
    count = np.bitwise_count(factors.x[:, None] & factors.z).astype(int)
    weights = factors.weight * (1 - count // 2 % 2 * 2)
    eighths = weights * factors.angles.offset[:, None] * (4 / pi)
    nearest = np.rint(eighths)
    whole = ~factors.free[:, None] & (abs(eighths - nearest) < 1e-13)
    x, z, numbers = factors.x.tolist(), factors.z.tolist(), factors.gate.tolist()
    strings: list[Gate] = [[] for _ in x]
    places = zip(*(found.tolist() for found in np.nonzero(there)), strict=True)
    for (f, k), is_whole, eighth, weight in zip(
        places, whole[there].tolist(), nearest[there].tolist(), weights[there].tolist(), strict=True
    ):
        strings[f].append(Rotation(Pauli.string(x[f], z[f][k]), int(eighth) if is_whole else None, f, weight))
    for _, own in itertools.groupby(range(len(x)), numbers.__getitem__):
        if gate := [rotation for f in own for rotation in strings[f]]:
            yield gate
