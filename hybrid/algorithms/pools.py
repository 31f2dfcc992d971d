"""Pools of generators that ADAPT-VQE chooses from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import Pauli, SparsePauliOp

from circuits import Problem
from circuits.ansatz.uccsd import excitations
from circuits.errors import Refused, unknown
from circuits.problems.chemistry import Molecule
from circuits.problems.excitations import generator

POOLS = ("fermionic", "qubit")

PoolLike = str | Sequence[SparsePauliOp | Pauli | str]
"""One of `POOLS`, or a sequence of operators; a string in the sequence is a Pauli label, qubit 0 rightmost."""


@dataclass(frozen=True, eq=False)
class Generator:
    """A Hermitian operator G whose Pauli strings commute; the ansatz grows by exp(-i theta G).

    Attributes:
        name: For tables.
        operator: G on as many qubits as it touches.
        qubits: Those qubits, ascending.
    """

    name: str
    operator: SparsePauliOp
    qubits: tuple[int, ...]


def generators(problem: Problem, pool: PoolLike) -> tuple[Generator, ...]:
    """A pool by name, or from operators.

    Args:
        problem: A molecule, if the pool is named.
        pool: "fermionic": singles and doubles from occupied to virtual orbitals, i (T - T+). "qubit": each Pauli string
            of those, without the Z between, which leaves strings of X and Y with an odd number of Y. Or a sequence of
            Hermitian operators on the problem's qubits, each of strings that commute.

    Raises:
        Refused: for an unknown name, a named pool for a problem that is no molecule, or an operator that does not fit.

    References:
        H. R. Grimsley, S. E. Economou, E. Barnes, N. J. Mayhall, Nat. Commun. 10, 3007 (2019).
        H. L. Tang et al., PRX Quantum 2, 020310 (2021), for the qubit pool.

    >>> from circuits import molecule
    >>> [len(generators(molecule("H 0 0 0; H 0 0 0.7"), pool)) for pool in ("fermionic", "qubit")]
    [3, 12]
    """
    if not isinstance(pool, str):
        return tuple(_given(problem, k, operator) for k, operator in enumerate(_sequence(pool)))
    if pool not in POOLS:
        raise unknown("pool", pool, POOLS)
    molecule = problem.structure
    if not isinstance(molecule, Molecule):
        raise Refused(f"the pool '{pool}' is made of a molecule's orbitals, and {problem.name} is none; give operators")
    fermionic = []
    for occupied, virtual in excitations(molecule.n_orbitals, molecule.n_alpha, molecule.n_beta):
        found = generator(problem, virtual, occupied)
        if found is not None:
            fermionic.append(Generator(f"{_list(occupied)} -> {_list(virtual)}", found[0], tuple(found[1])))
    return tuple(fermionic) if pool == "fermionic" else _strings(fermionic)


def _strings(fermionic: list[Generator]) -> tuple[Generator, ...]:
    strings: dict[tuple[str, tuple[int, ...]], Generator] = {}
    for excitation in fermionic:
        for letters, places, _ in excitation.operator.to_sparse_list():
            moved = [(excitation.qubits[place], letter) for letter, place in zip(letters, places, strict=True)]
            moved = sorted((qubit, letter) for qubit, letter in moved if letter != "Z")
            qubits = tuple(qubit for qubit, _ in moved)
            label = "".join(letter for _, letter in reversed(moved))
            name = " ".join(f"{letter}{qubit}" for qubit, letter in moved)
            strings.setdefault((label, qubits), Generator(name, SparsePauliOp(label), qubits))
    return tuple(strings.values())


def _sequence(pool: Sequence[SparsePauliOp | Pauli | str]) -> Sequence[SparsePauliOp | Pauli | str]:
    if not isinstance(pool, Sequence) or not pool:
        raise Refused(f"pool must be one of {', '.join(POOLS)}, or a sequence of operators, not {pool!r}")
    return pool


def _given(problem: Problem, k: int, operator: SparsePauliOp | Pauli | str) -> Generator:
    try:
        G = SparsePauliOp(operator).simplify()
    except Exception as err:
        raise Refused(f"pool[{k}] must be a SparsePauliOp or a Pauli label, not {operator!r} ({err})") from err
    if G.num_qubits != problem.n_qubits:
        raise Refused(f"pool[{k}] acts on {G.num_qubits} qubits, but {problem.name} has {problem.n_qubits}")
    if np.max(np.abs(np.imag(np.asarray(G.coeffs)))) > 1e-12:
        raise Refused(f"pool[{k}] is not Hermitian: it has a complex coefficient")
    if len(G.group_commuting()) > 1:
        raise Refused(f"pool[{k}] has strings that do not commute; give each its own place in the pool")
    name = " + ".join(label for label, _ in G.to_list()[:3]) + " + ..." * (len(G) > 3)
    return Generator(name, G, tuple(range(problem.n_qubits)))


def _list(orbitals: tuple[int, ...]) -> str:
    return ",".join(map(str, orbitals))
