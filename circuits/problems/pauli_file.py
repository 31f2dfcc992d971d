"""A problem from a text file of Pauli terms."""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from qiskit.quantum_info import PauliList, SparsePauliOp

from circuits.errors import Refused, printable, shown
from circuits.files import read_text
from circuits.problems.checks import check_operator_size
from circuits.problems.problem import Problem

MAX_BYTES = 64 << 20
MAX_TERMS = 1_000_000
MAX_QUBITS = 10_000

_LINE = re.compile(r"([^\n]*)\n?")
_FACTOR = re.compile(r"([IXYZ])([0-9]{1,6})")
_LABEL = re.compile(r"[IXYZ]+")
_X_BITS = str.maketrans("IXYZ", "0110")
_Z_BITS = str.maketrans("IXYZ", "0011")


def pauli_terms(path: str | os.PathLike[str]) -> Problem:
    """A Hamiltonian from a text file with one term a line.

    A line is a coefficient and a Pauli string, either dense (``0.5 XIZ``: one letter for each qubit, qubit 0 rightmost,
    as in Qiskit) or sparse (``0.5 Z0 X2``: letter and qubit). A coefficient alone is a constant. Comments start with
    ``#``. Equal strings add up. With sparse lines only, the highest qubit named decides their number.

    Args:
        path: The file, in UTF-8: at most 64 MiB, 1 million terms, and 10,000 qubits.

    Returns:
        A `Problem` whose unit is ``"coupling"``; its source holds the path and the terms themselves.

    Raises:
        Refused: for an unreadable file or line, where the message names file and line; for more terms and qubits than
            fit (see `circuits.problems.checks.MAX_LETTERS`).
    """
    text = read_text(path, "file of Pauli terms", max_bytes=MAX_BYTES)
    name = printable(path)
    sums: dict[tuple[int, int], float] = {}  # by the bits of X and Z, so that a wide term with few letters stays small
    terms: list[list[float | str]] = []
    width = _Width()
    for where, words in _lines(text, name):
        coefficient, x, z = _term(words, where, width)
        total = sums.get((x, z), 0.0) + coefficient
        if not math.isfinite(total):
            raise Refused(f"{where}: with this coefficient, the sum over equal strings is too large for a float")
        sums[x, z] = total
        terms.append([coefficient, " ".join(words[1:])])
        check_operator_size(len(sums), width.least, name)
        if len(terms) > MAX_TERMS:
            raise Refused(f"{where}: this is term {len(terms)}; at most {MAX_TERMS} are read")
    if not terms:
        raise Refused(f"{name} has no terms; a line is for example '0.5 XIZ' or '0.5 X2 Z0'")
    return Problem(
        name=printable(Path(path).stem),
        hamiltonian=_operator(sums, width.n_qubits(name)),
        unit="coupling",
        source={"kind": "pauli_terms", "path": name, "terms": terms},
    )


def _lines(text: str, name: str) -> Iterator[tuple[str, list[str]]]:
    """Place and words of each line that has some."""
    for number, match in enumerate(_LINE.finditer(text), start=1):
        words = match[1].partition("#")[0].split()
        if words:
            yield f"{name}:{number}", words


class _Width:
    """How many qubits the lines so far speak of."""

    def __init__(self) -> None:
        self._dense: tuple[int, str] | None = None  # length, and where it was first seen
        self._highest = (-1, "")

    @property
    def least(self) -> int:
        """Number of qubits so far."""
        return self._dense[0] if self._dense else self._highest[0] + 1

    def see_label(self, length: int, where: str) -> None:
        if length > MAX_QUBITS:
            raise Refused(f"{where}: a string of {length} letters; at most {MAX_QUBITS} qubits are read")
        if self._dense is None:
            self._dense = (length, where)
            self._check(*self._highest)
        if length != self._dense[0]:
            raise Refused(
                f"{where}: this string has {length} letters, but the one at {self._dense[1]} has {self._dense[0]}"
            )

    def see_qubit(self, qubit: int, where: str) -> None:
        if qubit >= MAX_QUBITS:
            raise Refused(f"{where}: qubit {qubit} is too high; at most {MAX_QUBITS} qubits are read")
        self._check(qubit, where)
        if qubit > self._highest[0]:
            self._highest = (qubit, where)

    def _check(self, qubit: int, where: str) -> None:
        if self._dense is not None and qubit >= self._dense[0]:
            raise Refused(
                f"{where}: qubit {qubit} is outside of the {self._dense[0]} qubits of the string at {self._dense[1]}"
            )

    def n_qubits(self, name: str) -> int:
        if not self.least:
            raise Refused(f"{name}: constants alone do not say how many qubits there are; add a term such as 0 Z0")
        return self.least


def _term(words: list[str], where: str, width: _Width) -> tuple[float, int, int]:
    """Coefficient and the bits of X and Z, qubit 0 lowest."""
    try:
        coefficient = float(words[0])
    except ValueError as err:
        raise Refused(
            f"{where}: a line starts with a real coefficient, as in '0.5 XIZ'; not with {shown(words[0])}"
        ) from err
    if not math.isfinite(coefficient):
        raise Refused(f"{where}: the coefficient must be finite, not {shown(words[0])}")
    if len(words) == 2 and _LABEL.fullmatch(words[1]):
        label = words[1]
        width.see_label(len(label), where)
        return coefficient, int(label.translate(_X_BITS), 2), int(label.translate(_Z_BITS), 2)
    x = z = named = 0
    for word in words[1:]:
        match = _FACTOR.fullmatch(word)
        if match is None:
            raise Refused(
                f"{where}: {shown(word)} is neither a Pauli string such as XIZ nor a factor such as Z0 "
                f"(capital I, X, Y, Z)"
            )
        letter, qubit = match[1], int(match[2])
        width.see_qubit(qubit, where)
        bit = 1 << qubit
        if named & bit:
            raise Refused(f"{where}: qubit {qubit} is named twice in {shown(' '.join(words[1:]))}")
        named |= bit
        x |= bit if letter in "XY" else 0
        z |= bit if letter in "YZ" else 0
    return coefficient, x, z


def _operator(sums: dict[tuple[int, int], float], n_qubits: int) -> SparsePauliOp:
    kept = {bits: value for bits, value in sums.items() if value != 0.0} or {(0, 0): 0.0}
    x, z = (_table([bits[k] for bits in kept], n_qubits) for k in (0, 1))
    return SparsePauliOp(PauliList.from_symplectic(z, x), np.array(list(kept.values())))


def _table(rows: list[int], n_qubits: int) -> np.ndarray:
    """The bits of each row, shape (rows, qubits)."""
    n_bytes = -(-n_qubits // 8)
    packed = np.frombuffer(b"".join(row.to_bytes(n_bytes, "little") for row in rows), dtype=np.uint8)
    return np.unpackbits(packed.reshape(len(rows), n_bytes), axis=1, bitorder="little", count=n_qubits).astype(bool)
