"""Diagonal layers, as in QAOA: all factors that follow one parameter are one diagonal, known once and for all.

References:
    Lykov et al., Fast simulation of high-depth QAOA circuits, arXiv:2309.04841, for the precomputed diagonal.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from backends.statevector.circuit import parity
from backends.statevector.circuit.lower import Factors
from backends.statevector.whole.fuse import Diagonal
from backends.statevector.whole.kernels import table
from backends.statevector.whole.plan import C, Layout, relabelled

MOST_LEVELS = 2**12
"""With no more distinct values than this, sines are taken of the values and not of every amplitude's own."""


class Diagonals(NamedTuple):
    """The diagonals D of exp(-i angle D), one for each layer.

    Attributes:
        slot: Index of the factor whose angle counts, among all of the circuit's.
        levels: Distinct values of D; or D itself, shape (2^n,).
        level: Which of them each amplitude has, shape (2^n,), in the layout in which the layer is met; or None.
    """

    slot: tuple[np.int32, ...]
    levels: tuple[jax.Array, ...]
    level: tuple[jax.Array | None, ...]

    @classmethod
    def of(cls, factors: Factors, layers: list[Diagonal], layouts: list[Layout], dtype: np.dtype) -> "Diagonals":
        """Sum up each layer in its layout; layers that are the same share their memory."""
        known: dict[tuple, tuple[jax.Array, jax.Array | None]] = {}
        made = []
        for layer, layout in zip(layers, layouts, strict=True):
            chosen = list(layer.factors)
            order = tuple(q for q in layout if q != C)
            z, weight = factors.z[chosen], factors.weight[chosen] * np.array(layer.ratios)[:, None]
            key = (order, z.tobytes(), weight.tobytes())
            if key not in known:
                known[key] = _table(z.reshape(-1), weight.reshape(-1), order, dtype)
            made.append((np.int32(chosen[0]), *known[key]))
        slot, levels, level = zip(*made, strict=True) if made else ((), (), ())
        return cls(slot, levels, level)

    def phases(self, number: int, angles: Any, *, back: bool, xp: Any = jnp) -> tuple:
        """What `kernels.turn` takes for one layer or, on the way back, its inverse; with NumPy, on the host."""
        angle = -angles[self.slot[number]] if back else angles[self.slot[number]]
        levels, level = self.levels[number], self.level[number]
        if level is None:
            return angle, levels
        if xp is np:
            phase = angle * np.asarray(levels)
            return np.cos(phase), np.sin(phase), level
        return table(jnp.cos(angle * levels)), table(jnp.sin(angle * levels)), level

    def values(self, number: int) -> tuple[jax.Array, ...]:
        """What `kernels.generated` takes for one layer."""
        levels, level = self.levels[number], self.level[number]
        return (levels,) if level is None else (levels, level)


def _table(z: np.ndarray, weight: np.ndarray, order: tuple[int, ...], dtype: np.dtype):
    """Values and where they stand."""
    z, weight = z[weight != 0], weight[weight != 0]
    total = parity.diagonal(relabelled(z, (C, *order)), weight, len(order))
    levels, level = np.unique(np.round(total, 12), return_inverse=True)
    if len(levels) > MOST_LEVELS:
        return jax.device_put(total.astype(dtype)), None
    kind = np.uint8 if len(levels) <= 2**8 else np.uint16
    return jax.device_put((levels.astype(dtype), level.reshape(-1).astype(kind)))
