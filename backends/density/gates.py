"""A device's gates as real matrices on Pauli expectation values, A + cos(alpha) B + sin(alpha) C of their angles."""

from typing import Any

import numpy as np
from qiskit.circuit import Instruction, ParameterExpression

from backends.devices.channels import PAULIS, transfer
from backends.instructions import matrix_of
from circuits.errors import Refused

TURNS = {"rx": "X", "ry": "Y", "rz": "Z", "p": "Z", "u1": "Z", "rxx": "XX", "ryy": "YY", "rzz": "ZZ", "rzx": "XZ"}
"""Gates exp(-i angle/2 P) up to a phase, and the string P, whose rightmost letter acts on the gate's first qubit."""

Parts = np.ndarray
"""A, B and C, shape (3, 4^k, 4^k)."""


def turns(gate: Instruction) -> list[tuple[str, Any]] | None:
    """A gate of free angles as turns exp(-i angle/2 P), the first to act first: P's letters and the angle; or None.

    Raises:
        Refused: for a gate of free angles that is none of the usual ones.
    """
    angles = list(gate.params)
    if gate.name in TURNS:
        return [(TURNS[gate.name], angles[0])]
    if gate.name in ("u", "u3"):
        theta, phi, lam = angles
        return [("Z", lam), ("Y", theta), ("Z", phi)]
    if gate.name == "r":
        theta, phi = angles
        return [("Z", -phi), ("X", theta), ("Z", phi)]
    if any(isinstance(angle, ParameterExpression) and angle.parameters for angle in angles):
        raise Refused(
            f"the density simulator cannot differentiate by the angles of a device's gate '{gate.name}'; it can by "
            f"those of {', '.join([*TURNS, 'u', 'r'])}"
        )
    return None


def factors(gate: Instruction) -> list[tuple[Parts, Any]]:
    """A gate on one or two qubits as gates of one angle each, the first to act first; the angle of a fixed one is None.

    Raises:
        Refused: for a gate of free angles that is none of the usual ones.
    """
    found = turns(gate)
    if found is not None:
        return [(turn(letters), angle) for letters, angle in found]
    fixed = transfer(matrix_of(gate))
    return [(np.stack([fixed, np.zeros_like(fixed), np.zeros_like(fixed)]), None)]


def turn(letters: str) -> Parts:
    """The parts of exp(-i alpha/2 P), from its transfer matrices at three angles."""
    P = string(letters)
    at = [transfer(np.cos(a / 2) * np.eye(len(P)) - 1j * np.sin(a / 2) * P) for a in (0.0, np.pi, np.pi / 2)]
    return np.stack([(at[0] + at[1]) / 2, (at[0] - at[1]) / 2, at[2] - (at[0] + at[1]) / 2])


def string(letters: str) -> np.ndarray:
    """The matrix of a Pauli string, its rightmost letter on the lowest qubit."""
    P = np.eye(1)
    for letter in letters:
        P = np.kron(P, PAULIS["IXYZ".index(letter)])
    return P


def exchanged(parts: np.ndarray) -> np.ndarray:
    """The same gate on two qubits with the qubits exchanged, shape (..., 16, 16)."""
    split = parts.reshape(*parts.shape[:-2], 4, 4, 4, 4)
    return np.moveaxis(split, (-4, -3, -2, -1), (-3, -4, -1, -2)).reshape(parts.shape)
