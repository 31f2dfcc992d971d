"""Many rows of parameters through one compiled function, a tile of rows at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np

from backends.statevector.runtime.compiled import executable
from backends.statevector.runtime.rows import tile_rows


def tiled(
    function: Callable, static: tuple, arrays: Any, terms: tuple, to_angles: Callable, state_bytes: int
) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
    """A function of rows of parameters; several tiles are under way at once.

    Args:
        function: ``function(*static, arrays, angles, terms)`` for the angles of one row, shape (factors,).
        static: Its static arguments.
        arrays: Of the circuit.
        terms: Observables.
        to_angles: Rows of parameters to rows of angles.
        state_bytes: Of one state, to choose the rows of a tile, a power of two.
    """
    compiled: dict[int, Callable] = {}
    most = tile_rows(state_bytes)

    def run(rows: np.ndarray) -> tuple[np.ndarray, ...]:
        angles = to_angles(rows)
        size = most if len(rows) >= most else 1
        full = np.concatenate([angles, np.repeat(angles[-1:], -len(angles) % size, axis=0)])
        tiles = full.reshape(len(full) // size, size, angles.shape[1]) if size > 1 else full
        if size not in compiled:
            compiled[size] = executable(function, (arrays, tiles[0], terms), static=static, rows=size > 1)
        results = [compiled[size](arrays, tile, terms) for tile in tiles]
        columns = [[np.asarray(x) for x in column] for column in zip(*results, strict=True)]
        join = np.concatenate if size > 1 else np.stack
        return tuple(join(column)[: len(rows)] for column in columns)

    return run
