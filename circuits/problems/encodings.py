"""Encodings of orbitals in qubits: Jordan-Wigner, parity and Bravyi-Kitaev, each a matrix over the bits.

An encoding stores the occupations n of the orbitals as the bits b = A n mod 2, with an invertible matrix A. Seen from
the Jordan-Wigner form, whose A is the identity, an operator then becomes

    X^x Z^z -> X^(A x) Z^(A^-T z),

so that spectra do not change, and what Jordan and Wigner's form is known of is known of all.

References:
    J. T. Seeley, M. J. Richard, P. J. Love, The Bravyi-Kitaev transformation for quantum computation of electronic
    structure, J. Chem. Phys. 137, 224109 (2012).
    S. B. Bravyi, A. Yu. Kitaev, Fermionic quantum computation, Ann. Phys. 298, 210 (2002).
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from qiskit.quantum_info import PauliList, SparsePauliOp

from circuits.errors import unknown

Mapping = Literal["jordan_wigner", "parity", "bravyi_kitaev"]
MAPPINGS: tuple[str, ...] = get_args(Mapping)


def check_mapping(mapping: str) -> None:
    """Refuse an unknown mapping."""
    if mapping not in MAPPINGS:
        raise unknown("mapping", mapping, MAPPINGS)


def matrix(mapping: str, n_orbitals: int) -> np.ndarray:
    """The matrix A of an encoding, shape (orbitals, orbitals), zeros and ones.

    Args:
        mapping: One of `MAPPINGS`. Qubit j holds: "jordan_wigner", the occupation of orbital j; "parity", the parity of
            the orbitals 0 to j; "bravyi_kitaev", the parity of the last 2^t of these, where 2^t is the largest power of
            two that divides j + 1.
        n_orbitals: Spin orbitals, which are as many as qubits.

    Raises:
        Refused: for an unknown mapping.

    >>> matrix("bravyi_kitaev", 4).tolist()
    [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [1, 1, 1, 1]]
    """
    check_mapping(mapping)
    j = np.arange(n_orbitals)
    held = {"jordan_wigner": np.ones_like(j), "parity": j + 1, "bravyi_kitaev": (j + 1) & -(j + 1)}[mapping]
    k = j[None, :]
    return ((k <= j[:, None]) & (k > (j - held)[:, None])).astype(np.int64)


def inverse(mapping: str, n_orbitals: int) -> np.ndarray:
    """The inverse of `matrix` modulo 2; A is lower triangular with ones on its diagonal."""
    A, found = matrix(mapping, n_orbitals), np.eye(n_orbitals, dtype=np.int64)
    for j in range(n_orbitals):
        found[j] = (found[j] + A[j, :j] @ found[:j]) % 2
    return found


def encoded(operator: SparsePauliOp, mapping: str) -> SparsePauliOp:
    """An operator in the Jordan-Wigner form, qubit p being spin orbital p, in another encoding.

    Args:
        operator: On as many qubits as there are spin orbitals.
        mapping: One of `MAPPINGS`.

    Raises:
        Refused: for an unknown mapping.

    >>> encoded(SparsePauliOp(["XX", "YY", "IZ"]), "parity").to_list()
    [('IX', (1+0j)), ('ZX', (-1+0j)), ('IZ', (1+0j))]
    """
    if mapping == "jordan_wigner":
        return operator
    x, z = operator.paulis.x.astype(np.int64), operator.paulis.z.astype(np.int64)
    n = x.shape[1]
    new_x, new_z = x @ matrix(mapping, n).T % 2, z @ inverse(mapping, n) % 2
    # X^x Z^z = (-i)^{#Y} P, and the number of Y changes by an even number.
    turned = np.sum(new_x & new_z, axis=1) - np.sum(x & z, axis=1)
    paulis = PauliList.from_symplectic(new_z.astype(bool), new_x.astype(bool), np.zeros(len(x), dtype=np.int64))
    return SparsePauliOp(paulis, np.where(turned % 4 == 0, 1.0, -1.0) * np.asarray(operator.coeffs))


def encoded_occupations(occupied: Sequence[int], n_orbitals: int, mapping: str) -> list[int]:
    """The qubits that are 1 in the state whose occupied spin orbitals are named, ascending.

    >>> encoded_occupations([0, 2], 4, "parity")
    [0, 1]
    """
    bits = matrix(mapping, n_orbitals)[:, list(occupied)].sum(axis=1) % 2
    return np.flatnonzero(bits).tolist()
