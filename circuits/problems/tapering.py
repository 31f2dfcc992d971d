"""Qubits that symmetries make superfluous.

Where Pauli strings tau_1, ..., tau_k commute with every term of H and with each other, a Clifford circuit C turns them
into Z on k qubits: C tau_i C+ = +-Z_q(i). Then C H C+ has only I and Z there, which are numbers, +1 or -1, in each
sector of the symmetries, and these qubits are left out.

References:
    S. Bravyi, J. M. Gambetta, A. Mezzacapo, K. Temme, Tapering off qubits to simulate fermionic Hamiltonians,
    arXiv:1701.08213 (2017).
    K. Setia, R. Chen, J. E. Rice, A. Mezzacapo, M. Pistoia, J. D. Whitfield, Reducing qubit requirements for quantum
    simulations using molecular point group symmetries, J. Chem. Theory Comput. 16, 6091 (2020).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford, Pauli, PauliList, SparsePauliOp, StabilizerState

from circuits.errors import Refused, shown
from circuits.problems.chemistry import FullCI, Molecule
from circuits.problems.encodings import matrix
from circuits.problems.exact import lowest_eigenvalue, seconds
from circuits.problems.operators import OperatorLike
from circuits.problems.problem import Problem, as_problem

MAX_SECTORS = 256
"""Sectors that are searched for the lowest energy."""

SEARCH_S = 120.0
"""Predicted seconds of one core that this search may take."""

TOLERANCE = 1e-14
"""Of a coefficient, over the largest: below it, terms have cancelled each other."""


@dataclass(frozen=True, eq=False)
class Tapering:
    """Which qubits were left out, and in which sector of which symmetries.

    Attributes:
        symmetries: Pauli labels on the qubits as they were; they commute with H and with each other.
        sector: The value, 1 or -1, of each.
        removed: The qubits that were left out after the Clifford circuit, one for each symmetry.
        clifford: C, on the qubits as they were.
        values: The value, 1 or -1, of Z on each qubit that was left out.
    """

    symmetries: tuple[str, ...]
    sector: tuple[int, ...]
    removed: tuple[int, ...]
    clifford: Clifford
    values: tuple[int, ...]

    def reduced(self, operator: SparsePauliOp) -> SparsePauliOp | None:
        """An operator on the qubits that are left; None where it leads out of the sector.

        Args:
            operator: On the qubits as they were.
        """
        turned = _turned_by(self.clifford, operator.paulis)
        removed, coefficients = list(self.removed), np.asarray(operator.coeffs)
        if np.any(turned.x[:, removed]):
            return None
        signs = np.prod(np.where(turned.z[:, removed], self.values, 1), axis=1)
        paulis = _without(turned, removed)
        largest = float(np.max(np.abs(coefficients), initial=0.0))
        return SparsePauliOp(paulis, signs * coefficients).simplify(atol=TOLERANCE * largest, rtol=0.0)

    def __str__(self) -> str:
        values = ", ".join(f"{label} = {value:+d}" for label, value in zip(self.symmetries, self.sector, strict=True))
        n = len(self.symmetries[0])
        return f"{n - len(self.removed)} of {n} qubits are left in the sector {values}"


def taper(problem: Problem | OperatorLike, *, sector: Sequence[int] | None = None) -> Problem:
    """The same problem on fewer qubits: one less for each symmetry of its Hamiltonian, in one sector of them.

    Args:
        problem: Any, or a Hermitian operator alone. Of a molecule the symmetries that Slater determinants share are
            taken: the parities of the electrons of each spin, and those of point groups.
        sector: The value, 1 or -1, of each of `symmetries`. By default that of a molecule's Hartree-Fock determinant,
            and of other problems the one with the lowest energy.

    Returns:
        A `Problem` whose ``tapering`` says which sector was chosen. Its exact energy is the lowest of this sector, a
        molecule's with its numbers of electrons. A reference state is kept where it is a Clifford circuit and lies in
        the sector.

    Raises:
        Refused: where there is no symmetry, or a sector of wrong length or values; where no sector is given, and those
            that there are cannot be searched.

    >>> from circuits.problems.spin import tfim
    >>> tapered = taper(tfim(4))
    >>> tapered.n_qubits, abs(tapered.exact_energy() - tfim(4).exact_energy()) < 1e-9
    (3, True)
    >>> print(tapered.tapering)
    3 of 4 qubits are left in the sector XXXX = +1
    """
    problem = as_problem(problem)
    found = symmetries(problem)
    if not found:
        raise Refused(f"{problem.name} has no symmetry that is a Pauli string, so that no qubit can be left out")
    if sector is None:
        chosen = _determinant_sector(problem, found) if isinstance(problem.structure, Molecule) else None
        return _in_sector(problem, found, chosen) if chosen else _lowest(problem, found)
    values = tuple(sector)
    if len(values) != len(found) or any(value not in (1, -1) for value in values):
        raise Refused(
            f"sector must have a value, 1 or -1, for each of the {len(found)} symmetries {', '.join(found)}, not "
            f"{shown(sector)}"
        )
    return _in_sector(problem, found, tuple(int(value) for value in values))


def symmetries(problem: Problem | OperatorLike) -> tuple[str, ...]:
    """Independent Pauli strings that commute with all terms of H and with each other, as many as there can be.

    Strings of Z come first, and of a molecule there are no others. At most one less than there are qubits, so that one
    is left.

    >>> symmetries("XX")
    ('ZZ',)
    """
    problem = as_problem(problem)
    x, z = problem.hamiltonian.paulis.x, problem.hamiltonian.paulis.z
    n = problem.n_qubits
    constraints = _independent(np.hstack([z, x]))  # of (a_x, a_z), which commutes where z a_x + x a_z = 0
    diagonal = _kernel(_independent(x))
    chosen = np.hstack([np.zeros_like(diagonal), diagonal])
    while not isinstance(problem.structure, Molecule):
        beside = _kernel(np.vstack([constraints, np.hstack([chosen[:, n:], chosen[:, :n]])]))
        more = next((v for v in beside if len(_independent(np.vstack([chosen, v]))) > len(chosen)), None)
        if more is None:
            break
        chosen = np.vstack([chosen, more])
    return tuple(Pauli((a[n:], a[:n])).to_label() for a in chosen[: n - 1])


def _in_sector(problem: Problem, labels: tuple[str, ...], sector: tuple[int, ...]) -> Problem:
    clifford, removed, signs = _turned(labels)
    values = tuple(value * sign for value, sign in zip(sector, signs, strict=True))
    tapering = Tapering(labels, sector, removed, clifford, values)
    hamiltonian = tapering.reduced(problem.hamiltonian)
    assert hamiltonian is not None  # it commutes with the symmetries
    layers = [_moving(tapering.reduced(layer)) for layer in problem.layers]
    return replace(
        problem,
        hamiltonian=hamiltonian,
        name=f"{problem.name}, {hamiltonian.num_qubits} of {problem.n_qubits} qubits",
        source=_source(problem, labels, sector),
        reference_state=_reduced_state(problem, tapering),
        layers=tuple(layer for layer in layers if layer is not None and len(layer)) if None not in layers else (),
        structure=problem.structure if isinstance(problem.structure, Molecule) else None,
        solve=_solver(problem, labels, sector),
        solve_seconds=problem.solve_seconds if isinstance(problem.solve, FullCI) else 0.0,
        tapering=tapering,
    )


def _source(problem: Problem, labels: tuple[str, ...], sector: tuple[int, ...]) -> dict[str, Any]:
    """How the tapered problem is made again: a molecule by its own function, unless the sector is another."""
    if isinstance(problem.structure, Molecule) and sector == _determinant_sector(problem, labels):
        return {**problem.source, "taper": True}
    return {"kind": "operator", "tapered": dict(problem.source), "symmetries": list(labels), "sector": list(sector)}


def _moving(layer: SparsePauliOp | None) -> SparsePauliOp | None:
    """A part of H without its identity."""
    if layer is None:
        return None
    return layer[np.any(layer.paulis.x | layer.paulis.z, axis=1)]


def _solver(problem: Problem, labels: tuple[str, ...], sector: tuple[int, ...]) -> FullCI | None:
    """Of a molecule, its own solver among the determinants of the sector."""
    if not isinstance(problem.structure, Molecule) or not isinstance(problem.solve, FullCI):
        return None
    z = np.array([Pauli(label).z for label in labels], dtype=np.int64)
    orbitals = z @ matrix(problem.structure.mapping, problem.n_qubits) % 2  # Z^z is Z^(A^T z) of Jordan and Wigner
    masks = tuple(sum(1 << p for p in np.flatnonzero(row).tolist()) for row in orbitals)
    return replace(problem.solve, parities=tuple(zip(masks, sector, strict=True)))


def _determinant_sector(problem: Problem, labels: tuple[str, ...]) -> tuple[int, ...] | None:
    if problem.reference_state is None:
        return None
    state = StabilizerState(problem.reference_state)
    return tuple(round(float(np.real(state.expectation_value(Pauli(label))))) for label in labels)


def _lowest(problem: Problem, labels: tuple[str, ...]) -> Problem:
    """The problem in the sector with the lowest energy; of equal ones, the first."""
    sectors = list(itertools.product((1, -1), repeat=min(len(labels), 20)))
    first = _in_sector(problem, labels, (1,) * len(labels))
    expected = len(sectors) * seconds(first.hamiltonian)
    if len(sectors) > MAX_SECTORS or expected > SEARCH_S:
        raise Refused(
            f"{problem.name} has the symmetries {', '.join(labels[:3])}{', ...' * (len(labels) > 3)}, and finding the "
            f"sector with the lowest energy among 2^{len(labels)} would take too long; name it as sector=(1, ...), a "
            f"value of 1 or -1 for each of circuits.problems.tapering.symmetries(problem)"
        )
    candidates = [first, *(_in_sector(problem, labels, one) for one in sectors[1:])]
    energies = np.array([lowest_eigenvalue(one.hamiltonian) for one in candidates])
    width = float(np.sum(np.abs(np.asarray(problem.hamiltonian.coeffs))))
    best = candidates[int(np.argmax(energies <= energies.min() + 1e-9 * width))]
    return replace(best, solve=problem.solve, solve_seconds=problem.solve_seconds)  # their lowest energies are equal


def _turned(labels: tuple[str, ...]) -> tuple[Clifford, tuple[int, ...], tuple[int, ...]]:
    """The Clifford circuit that turns each string into +-Z on a qubit, these qubits, and the signs."""
    strings = PauliList(list(labels))
    n = len(labels[0])
    circuit = QuantumCircuit(n)
    removed: list[int] = []
    for k in range(len(strings)):
        string = _turned_by(Clifford(circuit), strings)[k]
        free = [q for q in range(n) if q not in removed and (string.x[q] or string.z[q])]
        for q in free:
            if string.x[q]:
                if string.z[q]:
                    circuit.sdg(q)
                circuit.h(q)
        target = free[-1]
        for q in range(n):
            if q != target and (string.x[q] or string.z[q]):
                circuit.cx(q, target)
        removed.append(target)
    clifford = Clifford(circuit)
    turned = _turned_by(clifford, strings)
    return clifford, tuple(removed), tuple(1 if phase == 0 else -1 for phase in turned.phase)


def _reduced_state(problem: Problem, tapering: Tapering) -> QuantumCircuit | None:
    """The reference state on the qubits that are left; X gates alone where it is a basis state."""
    if problem.reference_state is None:
        return None
    try:
        state = Clifford(problem.reference_state)
    except QiskitError:  # no Clifford circuit
        return None
    known = StabilizerState(state)
    if any(known.expectation_value(Pauli(s)) != v for s, v in zip(tapering.symmetries, tapering.sector, strict=True)):
        return None
    stabilizers = _turned_by(tapering.clifford, PauliList(state.to_labels(mode="S")))
    removed = list(tapering.removed)
    signs = np.prod(np.where(stabilizers.z[:, removed], tapering.values, 1), axis=1)
    left = _without(stabilizers, removed)
    left.phase = (left.phase + np.where(signs < 0, 2, 0)) % 4
    reduced = StabilizerState.from_stabilizer_list(left.to_labels(), allow_redundant=True)
    n_left = problem.n_qubits - len(removed)
    bits = [round(np.real(reduced.expectation_value(Pauli("Z"), [q]))) for q in range(n_left)]
    if 0 in bits:
        circuit = reduced.clifford.to_circuit()
        circuit.name = problem.reference_state.name
        return circuit
    circuit = QuantumCircuit(n_left, name=problem.reference_state.name)
    if ones := [q for q, value in enumerate(bits) if value < 0]:
        circuit.x(ones)
    return circuit


def _turned_by(clifford: Clifford, paulis: PauliList) -> PauliList:
    """C P C+ of each string."""
    return cast("PauliList", paulis.evolve(clifford, frame="s"))


def _without(paulis: PauliList, removed: list[int]) -> PauliList:
    """The strings without these qubits, on which they have no X."""
    kept = np.setdiff1d(np.arange(paulis.z.shape[1]), removed)
    return PauliList.from_symplectic(paulis.z[:, kept], paulis.x[:, kept], paulis.phase)


def _independent(rows: np.ndarray) -> np.ndarray:
    """A basis, in reduced echelon form, of what the rows span modulo 2."""
    rows = np.unique(np.asarray(rows, dtype=bool), axis=0)
    rank = 0
    for column in range(rows.shape[1]):
        places = np.flatnonzero(rows[rank:, column])
        if not len(places):
            continue
        rows[[rank, rank + places[0]]] = rows[[rank + places[0], rank]]
        others = rows[:, column].copy()
        others[rank] = False
        rows[others] ^= rows[rank]
        rank += 1
    return rows[:rank]


def _kernel(basis: np.ndarray) -> np.ndarray:
    """A basis of the vectors v with basis v = 0 modulo 2."""
    reduced = _independent(basis)
    n = reduced.shape[1]
    pivots = [int(np.argmax(row)) for row in reduced]
    free = [column for column in range(n) if column not in pivots]
    found = np.zeros((len(free), n), dtype=bool)
    for row, column in zip(found, free, strict=True):
        row[column] = True
        row[pivots] = reduced[:, column]
    return found
