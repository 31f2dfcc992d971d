"""Checks of arguments that several problems and ansatz families share."""

import math
import operator
from typing import SupportsFloat, SupportsIndex

from circuits.errors import Refused, shown

MAX_LETTERS = 1 << 26
"""Terms times qubits of a Hamiltonian: Qiskit keeps two bytes for each, and needs some nine while it builds them."""

MAX_GATES = 500_000
"""Of a circuit; Qiskit takes about 1 kB and 15 microseconds for each gate with a parameter."""

EVOLUTION = 5
"""Gates with a parameter that take as much memory and time as one PauliEvolutionGate."""


def whole(value: SupportsIndex, what: str, *, at_least: int, at_most: int | None = None) -> int:
    """The value as an int.

    Args:
        value: What was given.
        what: Its name in the message.
        at_least: Smallest right value.
        at_most: Largest right value; None: any.

    Raises:
        Refused: if it is no whole number, below ``at_least`` or above ``at_most``.

    >>> whole(3, "layers", at_least=1)
    3
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < at_least:
        raise Refused(f"{what} must be a whole number of at least {at_least}, not {shown(value)}")
    if at_most is not None and number > at_most:
        raise Refused(f"{what} must be a whole number of at most {at_most}, not {shown(number)}")
    return number


def finite(value: SupportsFloat, what: str) -> float:
    """The value as a float.

    Args:
        value: What was given.
        what: Its name in the message.

    Raises:
        Refused: if it is no number, infinite or NaN, or too large for a float.

    >>> finite(2, "field")
    2.0
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, (bool, str, bytes, bytearray)) or not math.isfinite(number):
        raise Refused(f"{what} must be a finite number, not {shown(value)}")
    return number


def check_operator_size(n_terms: int, n_qubits: int, what: str) -> None:
    """Refuse an operator that would fill the memory, before it is built.

    Args:
        n_terms: Number of Pauli terms.
        n_qubits: Number of qubits.
        what: What has them, for messages.

    Raises:
        Refused: if terms times qubits are more than `MAX_LETTERS`.
    """
    if n_terms * n_qubits > MAX_LETTERS:
        raise Refused(
            f"{what} has {shown(n_terms)} terms on {shown(n_qubits)} qubits, {shown(n_terms * n_qubits)} letters "
            f"I, X, Y, Z; at most {MAX_LETTERS} are built here"
        )


def check_circuit_size(n_gates: int, what: str) -> None:
    """Refuse a circuit that would fill the memory, before it is built.

    Args:
        n_gates: Number of gates; a `PauliEvolutionGate` takes as much as `EVOLUTION` others.
        what: What has them, for messages.

    Raises:
        Refused: if there are more than `MAX_GATES`.
    """
    if n_gates > MAX_GATES:
        raise Refused(
            f"{what} would have {shown(n_gates)} gates (exponentials of long Pauli strings count as {EVOLUTION} each); "
            f"at most {MAX_GATES} are built here"
        )
