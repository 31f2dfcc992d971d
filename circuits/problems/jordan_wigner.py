"""From electrons to qubits: the Hamiltonian of a molecule from its integrals, and the generators of excitations.

    H = E_core + sum_pq h_pq E_pq + 1/2 sum_pqrs (pq|rs) (E_pq E_rs - delta_qr E_ps),   E_pq = sum_s a+_ps a_qs

For real orbitals this is a polynomial in the symmetric operators L_pq = E_pq + E_qp (p < q) and L_pp = E_pp,

    H = E_core + sum_P k_P L_P + 1/2 sum_PQ (P|Q) L_P L_Q,   k_pq = h_pq - 1/2 sum_r (pr|rq),

and each L_P is at most four Pauli strings. The sums run in a fixed order, so that the same integrals give the same
bits; a hash-ordered sum would give another last digit each time, and a run could not be repeated.

References:
    P. Jordan, E. Wigner, Z. Phys. 47, 631 (1928).
    T. Helgaker, P. Jorgensen, J. Olsen, Molecular Electronic-Structure Theory (2000), chapters 1 and 2.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from qiskit.quantum_info import SparsePauliOp

Strings = list[tuple[int, int, float]]
"""(x, z, c): c X^x Z^z with bit masks x, z and all X to the left of all Z."""

TOLERANCE = 1e-12


def molecular_hamiltonian(core: float, one_body: np.ndarray, two_body: np.ndarray) -> SparsePauliOp:
    """Jordan-Wigner form of a spin-free electronic Hamiltonian with real orbitals.

    Args:
        core: Constant energy, hartree.
        one_body: h_pq, shape (orbitals, orbitals), hartree.
        two_body: (pq|rs) in chemists' order, shape (orbitals,) * 4, hartree.

    Returns:
        Operator on 2 * orbitals qubits, ordered by X mask, then Z mask: spin up on qubits 0 to orbitals - 1, then spin
        down. Terms below 1e-12 hartree are dropped.
    """
    n = len(one_body)
    modified = one_body - 0.5 * np.einsum("prrq->pq", two_body)
    pairs = list(itertools.combinations_with_replacement(range(n), 2))
    excitations = [_symmetric_excitation(p, q, n) for p, q in pairs]
    total: dict[tuple[int, int], float] = {(0, 0): float(core)}
    for (p, q), strings in zip(pairs, excitations, strict=True):
        _add(total, strings, float(modified[p, q]))
    for i, (p, q) in enumerate(pairs):
        for j in range(i, len(pairs)):
            integral = float(two_body[p, q, pairs[j][0], pairs[j][1]])
            if abs(integral) > TOLERANCE * 1e-3:
                # L_P L_Q + L_Q L_P: of a pair of strings only commuting ones survive, doubled.
                _add(total, _anticommutator(excitations[i], excitations[j]), integral * (0.25 if i == j else 0.5))
    return _operator(total, 2 * n)


def _symmetric_excitation(p: int, q: int, n: int) -> Strings:
    """L_pq: for p < q, sum_s (X_p Z.. X_q + Y_p Z.. Y_q) / 2; for p = q, sum_s (1 - Z_p) / 2."""
    if p == q:
        return [(0, 0, 1.0), (0, 1 << p, -0.5), (0, 1 << (p + n), -0.5)]
    strings = []
    for shift in (0, n):
        ends = (1 << (p + shift)) | (1 << (q + shift))
        between = sum(1 << (r + shift) for r in range(p + 1, q))
        # Y Y = (i X Z)(i X Z) = -X X Z Z
        strings += [(ends, between, 0.5), (ends, between | ends, -0.5)]
    return strings


def _anticommutator(left: Strings, right: Strings) -> Strings:
    strings = []
    for x1, z1, c1 in left:
        for x2, z2, c2 in right:
            sign = (z1 & x2).bit_count() & 1
            if sign == (z2 & x1).bit_count() & 1:
                strings.append((x1 ^ x2, z1 ^ z2, -2 * c1 * c2 if sign else 2 * c1 * c2))
    return strings


def _add(total: dict[tuple[int, int], float], strings: Strings, factor: float) -> None:
    for x, z, c in strings:
        total[x, z] = total.get((x, z), 0.0) + factor * c


def _operator(total: dict[tuple[int, int], float], n_qubits: int) -> SparsePauliOp:
    labels, coefficients = [], []
    for x, z in sorted(total):
        c = total[x, z]
        if abs(c) > TOLERANCE or (x, z) == (0, 0):
            labels.append(_label(x, z, range(n_qubits)))
            # X^x Z^z = (-i)^{#Y} P, and #Y is even here.
            coefficients.append(-c if (x & z).bit_count() % 4 == 2 else c)
    return SparsePauliOp(labels, np.array(coefficients))


def excitation_generator(created: tuple[int, ...], annihilated: tuple[int, ...]) -> tuple[SparsePauliOp, list[int]]:
    """Generator i (T - T+) of the excitation T = a+_{c1} a+_{c2} ... a_{d2} a_{d1}, whose Pauli strings all commute.

    exp(-i theta [i (T - T+)]) = exp(theta (T - T+)): a turn by theta from the determinant that T acts on towards the
    one that it makes.

    Args:
        created: Spin orbitals c1, c2, ..., which are qubits.
        annihilated: Spin orbitals d1, d2, ..., as many.

    Returns:
        The operator on as many qubits as it touches, and these qubits, ascending.
    """
    excitation = ladder_product([(p, 1.0) for p in created] + [(p, -1.0) for p in reversed(annihilated)])
    # T is real; T - T+ keeps its strings with an odd number of Y, doubled: X^x Z^z = (-i)^{#Y} P.
    terms = {key: 2 * c for key, c in excitation.items() if (key[0] & key[1]).bit_count() % 2 and c != 0.0}
    touched = 0
    for x, z in terms:
        touched |= x | z
    qubits = [k for k in range(touched.bit_length()) if touched >> k & 1]
    labels = [_label(x, z, qubits) for x, z in sorted(terms)]
    signs = [1.0 if (x & z).bit_count() % 4 == 1 else -1.0 for x, z in sorted(terms)]
    return SparsePauliOp(
        labels, np.array([sign * terms[key] for sign, key in zip(signs, sorted(terms), strict=True)])
    ), qubits


def ladder_product(factors: Sequence[tuple[int, float]]) -> dict[tuple[int, int], float]:
    """A product of ladder operators as coefficients of X^x Z^z, by the bit masks x and z.

    Args:
        factors: From left to right (orbital, 1.0 for a+_p or -1.0 for a_p).

    >>> ladder_product([(0, 1.0), (0, -1.0)])  # a+ a = (1 - Z) / 2
    {(0, 0): 0.5, (0, 1): -0.5}
    """
    found: dict[tuple[int, int], float] = {(0, 0): 1.0}
    for p, kind in factors:
        factor = _ladder(p, kind)
        product: dict[tuple[int, int], float] = {}
        for (x1, z1), c1 in found.items():
            sign = -1.0 if (z1 & factor[0][0]).bit_count() & 1 else 1.0
            _add(product, [(x1 ^ x, z1 ^ z, c) for x, z, c in factor], sign * c1)
        found = product
    return found


def paulis(total: Mapping[tuple[int, int], complex], n_qubits: int) -> SparsePauliOp:
    """Coefficients of X^x Z^z as an operator, ordered by X mask, then Z mask; exact zeros are dropped."""
    kept = [key for key in sorted(total) if total[key] != 0.0]
    if not kept:
        return SparsePauliOp("I" * n_qubits, np.zeros(1))
    phases = [(-1j) ** ((x & z).bit_count() % 4) for x, z in kept]
    labels = [_label(x, z, range(n_qubits)) for x, z in kept]
    return SparsePauliOp(labels, np.array([phase * total[key] for phase, key in zip(phases, kept, strict=True)]))


def _ladder(p: int, sign: float) -> Strings:
    """a+_p = Z_{<p} (X - iY) / 2 for sign 1, a_p = Z_{<p} (X + iY) / 2 for sign -1; iY = -XZ."""
    below = (1 << p) - 1
    return [(1 << p, below, 0.5), (1 << p, below | (1 << p), 0.5 * sign)]


def _label(x: int, z: int, qubits: Sequence[int]) -> str:
    return "".join("IXZY"[(x >> k & 1) + 2 * (z >> k & 1)] for k in reversed(qubits))
