"""The excitations of UCCSD as the libraries' own gates for them, which lack the signs of Jordan and Wigner.

exp(theta (T - T+)) turns by theta in the plane of two occupations and, with P the product of Z on the other orbitals
that an odd number of T's orbitals stand above, it is

    W exp(s theta (G - G+)) W,   W = prod_(k in P) CZ(k, a),

where G moves the electrons without signs, a is an orbital that T fills, and s the sign of T on its own orbitals:
CZ(k, a) is Z_k on one of the two occupations and 1 on the other. All CZ commute, so that between two
excitations only those remain that the two do not share.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from circuits.ansatz.uccsd import excitations


@dataclass(frozen=True)
class Turn:
    """One excitation.

    Attributes:
        index: Of its parameter.
        created: Orbitals that T fills.
        annihilated: Orbitals that it empties.
        sign: s above.
        pairs: The CZ of W.
    """

    index: int
    created: tuple[int, ...]
    annihilated: tuple[int, ...]
    sign: int
    pairs: frozenset[tuple[int, int]]


def steps(problem) -> Iterator[Turn | tuple[int, int]]:
    """The excitations of ``uccsd(problem)`` in order, and before and after them the pairs for a CZ."""
    molecule = problem.structure
    pending: frozenset[tuple[int, int]] = frozenset()
    moves = excitations(molecule.n_orbitals, molecule.n_alpha, molecule.n_beta)
    for index, (annihilated, created) in enumerate(moves):
        turn = _turn(index, created, annihilated)
        yield from sorted(pending ^ turn.pairs)
        yield turn
        pending = turn.pairs
    yield from sorted(pending)


def _turn(index: int, created: tuple[int, ...], annihilated: tuple[int, ...]) -> Turn:
    own = created + annihilated
    crossed = [k for k in range(max(own)) if k not in own and sum(p > k for p in own) % 2]
    pairs = frozenset((min(k, created[0]), max(k, created[0])) for k in crossed)
    # T = a+_c1 a+_c2 ... a_d2 a_d1: each operator takes the sign of the electrons below it.
    occupied, sign = set(annihilated), 1
    for p in annihilated + created[::-1]:
        sign *= (-1) ** sum(q < p for q in occupied)
        occupied ^= {p}
    return Turn(index, created, annihilated, sign, pairs)
