"""The strings of an observable: by their X masks, then by few qubits over which their signs are a table."""

from dataclasses import dataclass, field

from qiskit.quantum_info import SparsePauliOp

from backends.statevector.whole.fuse import bits
from backends.statevector.whole.strings import by_x_mask

MOST_IN_TABLE = 6
"""Bits of the index over which signs are a table."""


@dataclass
class Strings:
    """Some strings with one X mask, over the bits of an index.

    Attributes:
        x: The X mask.
        union: Bits that their Z masks have.
        z: Z masks.
        weight: Coefficients, with (-i)^(number of Y).
    """

    x: int
    union: int
    z: list[int] = field(default_factory=list)
    weight: list[complex] = field(default_factory=list)

    @property
    def near(self) -> bool:
        """Whether their signs are a table."""
        return self.union.bit_count() <= MOST_IN_TABLE


def sorted_strings(observable: SparsePauliOp, order: tuple[int, ...]) -> list[Strings]:
    """All strings: those of one X mask together where they fit into a table; those that fit into none, together.

    Args:
        observable: Hermitian.
        order: Qubit of each bit of the index.
    """
    place = {q: p for p, q in enumerate(order)}

    def moved(mask: int) -> int:
        return sum(1 << place[q] for q in bits(mask))

    found: list[Strings] = []
    for x, (zs, weights) in by_x_mask(observable).items():
        own: list[Strings] = []
        for z, weight in sorted(zip(map(moved, zs.tolist()), weights.tolist(), strict=True), key=lambda one: one[0]):
            fits = z.bit_count() <= MOST_IN_TABLE
            together = (one for one in own if one.near == fits and (not fits or _joined(one, z) <= MOST_IN_TABLE))
            group = next(together, None)
            if group is None:
                group = Strings(moved(x), z)
                own.append(group)
            group.union |= z
            group.z.append(z)
            group.weight.append(weight)
        found += own
    return found


def _joined(strings: Strings, z: int) -> int:
    return (strings.union | z).bit_count()
