"""One evaluation that an optimizer asked for, and the row of a journal that it is kept in."""

import zlib
from dataclasses import dataclass

import numpy as np

from hybrid.optimizers.optimizer import Told

ARRAYS = ("theta", "energies", "standard_errors", "gradients", "pairs", "metrics", "fidelities", "biases")
"""Columns of a row that hold numbers in eight bytes each, little-endian."""


@dataclass(frozen=True)
class Evaluation:
    """One evaluation that the optimizer asked for: rows of parameters, and their values.

    Attributes:
        number: Position in the run, from 0.
        step: Step of the optimizer that asked.
        theta: Shape (rows, params), radians.
        told: Energies, standard errors, biases, gradients and metrics of the rows, and fidelities of the pairs.
        seconds: Wall time that it took.
        pairs: Pairs of parameters whose states were compared, shape (pairs, 2, params), or None.
        finished_at: When the journal got it, in seconds since 1970; None for one that no journal holds yet.
    """

    number: int
    step: int
    theta: np.ndarray
    told: Told
    seconds: float
    pairs: np.ndarray | None = None
    finished_at: float | None = None


@dataclass(frozen=True)
class Row:
    """An evaluation as a journal keeps it.

    Attributes:
        head: Number, step, number of rows, number of parameters.
        blobs: The arrays of `ARRAYS`, each None where there is none.
        seconds: Wall time that it took.
        checksum: CRC-32 of head and blobs.
        finished_at: When the journal got it, in seconds since 1970; None before.
    """

    head: tuple[int, int, int, int]
    blobs: tuple[bytes | None, ...]
    seconds: float
    checksum: int
    finished_at: float | None = None


def to_row(evaluation: Evaluation) -> Row:
    """The row that keeps an evaluation, with its checksum."""
    told = evaluation.told
    arrays = (evaluation.theta, told.values, told.standard_errors, told.gradients)
    later = (evaluation.pairs, told.metrics, told.fidelities, told.biases)
    blobs = tuple(None if array is None else _pack(array) for array in (*arrays, *later))
    head = (evaluation.number, evaluation.step, *evaluation.theta.shape)
    return Row(head, blobs, evaluation.seconds, _checksum(head, blobs))


def from_row(row: Row) -> Evaluation:
    """The evaluation that a row keeps.

    Raises:
        ValueError: if a value has the wrong type, the checksum does not match, or parameters or values are missing.
    """
    numbers = (*row.head, row.checksum)
    if not all(isinstance(number, int) for number in numbers) or not isinstance(row.seconds, float | int):
        raise ValueError("holds a value of another type")
    if not all(isinstance(blob, bytes | None) for blob in row.blobs):
        raise ValueError("holds a value of another type")
    if row.checksum != _checksum(row.head, row.blobs):
        raise ValueError("does not match its checksum")
    number, step, n, p = row.head
    n_pairs = len(row.blobs[6] or b"") // 8
    shapes = ((n, p), (n,), (n,), (n, p), (n_pairs, 2, p), (n, p, p), (n_pairs,), (n,))
    theta, values, errors, gradients, pairs, metrics, fidelities, biases = (
        None if blob is None else _unpack(blob, *shape) for blob, shape in zip(row.blobs, shapes, strict=True)
    )
    if theta is None or values is None or errors is None:
        raise ValueError("lacks its parameters or values")
    told = Told(values, errors, gradients, metrics, fidelities, biases)
    return Evaluation(number, step, theta, told, float(row.seconds), pairs, row.finished_at)


def _pack(array: np.ndarray) -> bytes:
    return np.ascontiguousarray(array, dtype="<f8").tobytes()


def _unpack(blob: bytes, *shape: int) -> np.ndarray:
    return np.frombuffer(blob, dtype="<f8").reshape(shape)


def _checksum(head: tuple[int, ...], blobs: tuple[bytes | None, ...]) -> int:
    total = zlib.crc32(repr(head).encode())
    for blob in blobs:
        total = zlib.crc32(blob or b"", total)
    return total
