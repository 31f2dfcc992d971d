"""A problem from a text file of Pauli terms."""

import math
import os
import re
from pathlib import Path

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused
from circuits.problems.problem import Problem

MAX_BYTES = 64 << 20
_FACTOR = re.compile(r"([IXYZ])(\d{1,6})")
_LABEL = re.compile(r"[IXYZ]+")

Line = tuple[str, float, str | list[tuple[str, int]]]


def pauli_terms(path: str | os.PathLike) -> Problem:
    """A Hamiltonian from a text file with one term a line.

    A line is a coefficient and a Pauli string, either dense (``0.5 XIZ``: one letter for each qubit, qubit 0 rightmost,
    as in Qiskit) or sparse (``0.5 Z0 X2``: letter and qubit). A coefficient alone is a constant. Comments start with
    ``#``. Equal strings add up. With sparse lines only, the highest qubit named decides their number.

    Args:
        path: The file, in UTF-8.

    Returns:
        A `Problem` whose unit is ``"coupling"``; its source holds the path and the terms themselves.

    Raises:
        Refused: for an unreadable file or line; the message names file and line.
    """
    path = Path(path)
    lines = [_parse(words, f"{path}:{number}") for number, words in _words(path)]
    if not lines:
        raise Refused(f"{path} has no terms; a line is for example '0.5 XIZ' or '0.5 X2 Z0'")
    n = _n_qubits(lines)
    terms = [(coefficient, _dense(string, n)) for _, coefficient, string in lines]
    hamiltonian = SparsePauliOp([label for _, label in terms], np.array([value for value, _ in terms])).simplify(
        atol=0, rtol=0
    )
    return Problem(
        name=path.stem,
        hamiltonian=hamiltonian,
        unit="coupling",
        source={"kind": "pauli_terms", "path": str(path), "terms": [[value, label] for value, label in terms]},
    )


def _words(path: Path) -> list[tuple[int, list[str]]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Refused(f"{path} is larger than {MAX_BYTES >> 20} MiB, too large for a file of Pauli terms")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise Refused(f"the file of Pauli terms {path} cannot be read: {err}") from err
    split = [(number, line.partition("#")[0].split()) for number, line in enumerate(lines, start=1)]
    return [(number, words) for number, words in split if words]


def _parse(words: list[str], where: str) -> Line:
    try:
        coefficient = float(words[0])
    except ValueError as err:
        raise Refused(f"{where}: a line starts with a real coefficient, as in '0.5 XIZ'; not '{words[0]}'") from err
    if not math.isfinite(coefficient):
        raise Refused(f"{where}: the coefficient must be finite, not {words[0]}")
    if len(words) == 2 and _LABEL.fullmatch(words[1]):
        return where, coefficient, words[1]
    factors = []
    for word in words[1:]:
        match = _FACTOR.fullmatch(word)
        if match is None:
            raise Refused(
                f"{where}: '{word}' is neither a Pauli string such as XIZ nor a factor such as Z0 (capital I, X, Y, Z)"
            )
        factors.append((match[1], int(match[2])))
    qubits = [qubit for _, qubit in factors]
    if len(set(qubits)) < len(qubits):
        raise Refused(f"{where}: a qubit is named twice in '{' '.join(words[1:])}'")
    return where, coefficient, factors


def _n_qubits(lines: list[Line]) -> int:
    dense = [(where, len(string)) for where, _, string in lines if isinstance(string, str)]
    highest = [
        (where, max(qubit for _, qubit in string))
        for where, _, string in lines
        if not isinstance(string, str) and string
    ]
    if not dense:
        if not highest:
            raise Refused(
                f"{lines[0][0]}: constants alone do not say how many qubits there are; add a term such as 0 Z0"
            )
        n = 1 + max(qubit for _, qubit in highest)
        if n > 10_000:
            raise Refused(
                f"{max(highest, key=lambda entry: entry[1])[0]}: qubit {n - 1} is too high; at most 10000 qubits"
            )
        return n
    first_where, n = dense[0]
    for where, length in dense:
        if length != n:
            raise Refused(f"{where}: this string has {length} letters, but the one at {first_where} has {n}")
    for where, qubit in highest:
        if qubit >= n:
            raise Refused(f"{where}: qubit {qubit} is outside of the {n} qubits of the string at {first_where}")
    return n


def _dense(string: str | list[tuple[str, int]], n: int) -> str:
    if isinstance(string, str):
        return string
    letters = ["I"] * n
    for letter, qubit in string:
        letters[n - 1 - qubit] = letter
    return "".join(letters)
