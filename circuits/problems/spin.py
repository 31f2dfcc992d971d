"""Spin models on chains, rings and any other graph. Operators are Pauli matrices (not spins 1/2)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused, shown
from circuits.problems.checks import check_operator_size, finite, whole
from circuits.problems.edges import GraphLike
from circuits.problems.lattice import Edge, bonds, colouring
from circuits.problems.problem import Problem

Term = tuple[str, list[int], float]


def tfim(
    n: int,
    *,
    coupling: float = 1.0,
    field: float = 1.0,
    periodic: bool = False,
    edges: GraphLike | None = None,
) -> Problem:
    """Transverse-field Ising model, H = -coupling sum_<ij> Z_i Z_j - field sum_i X_i.

    Args:
        n: Number of sites, at least 1; site i is qubit i.
        coupling: Strength of the bonds; positive is ferromagnetic.
        field: Strength of the transverse field.
        periodic: Close the chain to a ring (three sites or more).
        edges: Pairs of sites instead of the chain; any graph, also one of networkx or rustworkx whose nodes are sites.

    Returns:
        A `Problem` with the layers (ZZ, X) and the reference state |+...+>. Energies are in the unit of the coupling.

    Raises:
        Refused: for bad sites, bonds or numbers, or more sites and bonds than fit.

    References:
        P. Pfeuty, The one-dimensional Ising model with a transverse field, Ann. Phys. 57, 79 (1970).

    >>> round(tfim(2).exact_energy(), 6)
    -2.236068
    """
    n = whole(n, "n", at_least=1)
    coupling, field = finite(coupling, "coupling"), finite(field, "field")
    graph = _bonds(n, periodic, edges, axes=1)
    layers = _layers(
        n,
        [("ZZ", [i, j], -coupling) for i, j in graph],
        [("X", [i], -field) for i in range(n)],
    )
    plus = QuantumCircuit(n, name="plus")
    plus.h(range(n))
    return Problem(
        name=f"TFIM, {n} sites",
        hamiltonian=_sum(n, layers),
        unit="coupling",
        source=_source("tfim", n, coupling, field, periodic, None if edges is None else graph),
        reference_state=plus,
        layers=layers,
    )


def heisenberg(
    n: int,
    *,
    coupling: float | Sequence[float] = 1.0,
    field: float = 0.0,
    periodic: bool = False,
    edges: GraphLike | None = None,
) -> Problem:
    """Heisenberg model, H = sum_<ij> (Jx X_i X_j + Jy Y_i Y_j + Jz Z_i Z_j) - field sum_i Z_i.

    A positive coupling is antiferromagnetic. Its reference state puts singlets on disjoint bonds (a maximal matching),
    the ground state of those bonds alone; a site that is left over is |0>. The layers are the field, then the
    colours of the bonds, that of the singlets last; axes of one colour with different couplings are layers of their
    own.

    Args:
        n: Number of sites, at least 2; site i is qubit i.
        coupling: J for all axes, or (Jx, Jy, Jz).
        field: Strength of the longitudinal field.
        periodic: Close the chain to a ring (three sites or more).
        edges: Pairs of sites instead of the chain; any graph, also one of networkx or rustworkx whose nodes are sites.

    Returns:
        A `Problem`. Energies are in the unit of the coupling.

    Raises:
        Refused: for bad sites, bonds or numbers, or more sites and bonds than fit.

    References:
        R. Wiersema et al., Exploring entanglement and optimization within the Hamiltonian variational ansatz,
        PRX Quantum 1, 020319 (2020).

    >>> round(heisenberg(4).exact_energy(), 6)  # -3 - 2 sqrt(3)
    -6.464102
    """
    n = whole(n, "n", at_least=2)
    axes = _axes(coupling)
    field = finite(field, "field")
    graph = _bonds(n, periodic, edges, axes=3)
    colours = colouring(graph)
    strengths = sorted({J for J in axes if J != 0.0}, key=axes.index)
    parts = [
        [(axis * 2, [i, j], J) for i, j in colour for axis, J in zip("XYZ", axes, strict=True) if strength == J]
        for colour in (*colours[1:], *colours[:1])
        for strength in strengths
    ]
    layers = _layers(n, [("Z", [i], -field) for i in range(n)], *parts)
    return Problem(
        name=f"Heisenberg, {n} sites",
        hamiltonian=_sum(n, layers),
        unit="coupling",
        source=_source("heisenberg", n, list(axes), field, periodic, None if edges is None else graph),
        reference_state=_singlets(n, colours[0] if colours else ()),
        layers=layers,
    )


def _bonds(n: int, periodic: bool, edges: GraphLike | None, *, axes: int) -> tuple[Edge, ...]:
    """The bonds, of which each has ``axes`` terms, if a Hamiltonian of them and a field can be built."""
    check_operator_size(n if edges is not None else n + axes * (n - 1), n, f"a spin model of {shown(n)} sites")
    graph = bonds(n, periodic=periodic, edges=edges)
    check_operator_size(n + axes * len(graph), n, f"a spin model of {n} sites and {len(graph)} bonds")
    return graph


def _axes(coupling: Any) -> tuple[float, float, float]:
    if not isinstance(coupling, (list, tuple, np.ndarray)):
        J = finite(coupling, "coupling")
        return J, J, J
    if len(coupling) != 3:
        raise Refused(f"coupling must be one number or three (Jx, Jy, Jz), not {shown(coupling)}")
    Jx, Jy, Jz = (finite(J, f"coupling J{axis}") for J, axis in zip(coupling, "xyz", strict=True))
    return Jx, Jy, Jz


def _layers(n: int, *parts: list[Term]) -> tuple[SparsePauliOp, ...]:
    """One operator for each part that has a term that is not zero."""
    kept = [[term for term in part if term[2] != 0.0] for part in parts]
    return tuple(SparsePauliOp.from_sparse_list(part, n) for part in kept if part)


def _sum(n: int, layers: tuple[SparsePauliOp, ...]) -> SparsePauliOp:
    return SparsePauliOp.sum(list(layers)) if layers else SparsePauliOp("I" * n, np.zeros(1))


def _singlets(n: int, pairs: Iterable[tuple[int, int]]) -> QuantumCircuit:
    circuit = QuantumCircuit(n, name="singlets")
    for i, j in pairs:  # |00> -> (|01> - |10>) / sqrt 2
        circuit.x([i, j])
        circuit.h(i)
        circuit.cx(i, j)
    return circuit


def _source(kind: str, n: int, coupling: Any, field: float, periodic: bool, edges: Any) -> dict[str, Any]:
    source = {"kind": kind, "n": n, "coupling": coupling, "field": field, "periodic": periodic}
    return source if edges is None else source | {"edges": [list(edge) for edge in edges]}
