"""Operators of fermions as operators of qubits."""

from collections.abc import Iterable, Mapping
from numbers import Number
from typing import Any, Protocol, cast

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused, shown
from circuits.problems import encodings
from circuits.problems.checks import check_operator_size, whole
from circuits.problems.jordan_wigner import ladder_product, paulis

MAX_ORBITALS = 64
"""Spin orbitals, of which each is a qubit."""


class FermiOperator(Protocol):
    """A FermiWord or a FermiSentence of PennyLane's."""

    @property
    def wires(self) -> Iterable[Any]:
        """The orbitals that it acts on."""
        ...


def fermionic(
    operator: FermiOperator | Mapping[str, complex],
    *,
    mapping: encodings.Mapping = "jordan_wigner",
    n_orbitals: int | None = None,
) -> SparsePauliOp:
    """An operator of fermions as one of qubits.

    Args:
        operator: A FermiWord or FermiSentence of PennyLane's, or coefficients by products of ladder operators, written
            as PennyLane prints them: ``{"0+ 1-": 0.5, "1+ 0-": 0.5}`` is (a+_0 a_1 + a+_1 a_0) / 2, and ``""`` is the
            identity.
        mapping: ``"jordan_wigner"``, ``"parity"`` or ``"bravyi_kitaev"``; see `circuits.problems.encodings`. In
            Jordan and Wigner's form orbital p is qubit p.
        n_orbitals: How many spin orbitals there are, which are as many as qubits; by default up to the last in use.

    Returns:
        The operator; its coefficients are real where the operator is Hermitian.

    Raises:
        Refused: for what is no such operator, orbitals out of range, or an unknown mapping.

    References:
        Those of `circuits.problems.encodings`.

    >>> fermionic({"0+ 1-": 0.5, "1+ 0-": 0.5}).to_list()
    [('XX', (0.25+0j)), ('YY', (0.25+0j))]
    """
    encodings.check_mapping(mapping)
    terms = [(_ladder_operators(word), _number(coefficient)) for word, coefficient in _words(operator).items()]
    used = 1 + max((p for word, _ in terms for p, _ in word), default=-1)
    n = used if n_orbitals is None else whole(n_orbitals, "n_orbitals", at_least=1, at_most=MAX_ORBITALS)
    if used > n:
        raise Refused(f"the operator acts on orbital {used - 1}, but n_orbitals = {n}, and the first orbital is 0")
    if used > MAX_ORBITALS:
        raise Refused(f"the operator acts on orbital {shown(used - 1)}; at most {MAX_ORBITALS} become qubits here")
    if not n:
        raise Refused("the operator acts on no orbital; give n_orbitals")
    check_operator_size(sum(2 ** len(word) for word, _ in terms), n, "the operator")
    total: dict[tuple[int, int], complex] = {}
    for word, coefficient in terms:
        for key, c in ladder_product([(p, 1.0 if kind == "+" else -1.0) for p, kind in word]).items():
            total[key] = total.get(key, 0.0) + coefficient * c
    return encodings.encoded(paulis(total, n), mapping)


def _words(operator: Any) -> Mapping[Any, Any]:
    kind = type(operator).__name__
    if kind.startswith("Fermi") and type(operator).__module__.startswith("pennylane."):
        return operator if kind == "FermiSentence" else {operator: 1.0}
    if isinstance(operator, Mapping) and all(isinstance(word, str) for word in operator):
        return operator
    raise Refused(
        "an operator of fermions must be a FermiWord or a FermiSentence of PennyLane's, or coefficients by words such "
        f"as {{'0+ 1-': 0.5}}, not {shown(operator)}"
    )


def _ladder_operators(word: Any) -> list[tuple[int, str]]:
    """(orbital, "+" or "-") from left to right."""
    if not isinstance(word, str):
        return [(whole(p, "an orbital", at_least=0), kind) for (_, p), kind in sorted(word.items())]
    found = []
    for one in word.split():
        if one[-1] not in "+-" or not one[:-1].isdecimal():
            raise Refused(f"{shown(one)} is no ladder operator; write an orbital and + or -, such as '3+' or '0-'")
        found.append((int(one[:-1]), one[-1]))
    return found


def _number(coefficient: Any) -> complex:
    given = coefficient.item() if isinstance(coefficient, np.generic | np.ndarray) else coefficient
    if isinstance(given, bool) or not isinstance(given, Number) or not np.isfinite(complex(cast("complex", given))):
        raise Refused(f"a coefficient of the operator must be a finite number, not {shown(coefficient)}")
    return complex(cast("complex", given))
