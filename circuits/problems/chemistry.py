"""Molecules: mean-field orbitals and integrals from PySCF, which no other file imports."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from qiskit import QuantumCircuit

from circuits import memory
from circuits.background import in_background
from circuits.errors import Refused, shown
from circuits.problems import basis_sets, encodings
from circuits.problems import geometry as positions
from circuits.problems.checks import whole
from circuits.problems.jordan_wigner import molecular_hamiltonian
from circuits.problems.lanczos import N_PRODUCTS, N_VECTORS, lowest
from circuits.problems.problem import Problem

MAX_ORBITALS = 32
"""Active orbitals; each is two qubits."""

MAX_FUNCTIONS = 256
"""Basis functions of the whole molecule: their integrals take 4 GB and some minutes of one core."""

MAX_DETERMINANTS = 50_000_000
MAX_NUMBER = 10_000
"""Of electrons, charges and orbitals; larger ones are mistakes."""

FLOPS = 6e9
"""Floating-point operations a second of full configuration interaction on one core, memory included."""


@dataclass(frozen=True)
class Molecule:
    """What an ansatz needs to know about a molecule.

    Attributes:
        atoms: (element, (x, y, z)), angstrom.
        basis: Name of the basis set.
        charge: In elementary charges.
        spin: Unpaired electrons, n_alpha - n_beta.
        n_orbitals: Active spatial orbitals; orbital p is the spin orbital p (spin up) and n_orbitals + p (spin down).
        n_alpha: Active electrons with spin up; in the reference they fill the lowest orbitals.
        n_beta: Active electrons with spin down.
        hartree_fock_energy: Of the whole molecule, hartree.
        mapping: From spin orbitals to qubits, before any was left out: "jordan_wigner", where spin orbital p is
            qubit p, "parity" or "bravyi_kitaev".
    """

    atoms: tuple[positions.Atom, ...]
    basis: str
    charge: int
    spin: int
    n_orbitals: int
    n_alpha: int
    n_beta: int
    hartree_fock_energy: float
    mapping: encodings.Mapping = "jordan_wigner"


def molecule(
    geometry: str | os.PathLike,
    *,
    basis: str = "sto-3g",
    active_space: Sequence[int] | None = None,
    charge: int = 0,
    spin: int = 0,
    mapping: encodings.Mapping = "jordan_wigner",
    taper: bool = False,
) -> Problem:
    """Electronic structure of a molecule in its Hartree-Fock orbitals.

    The Hamiltonian holds the nuclear repulsion and the energy of frozen orbitals as its identity term. Its exact energy
    is full configuration interaction in the same active space, with the same numbers of electrons of both spins (an
    ansatz that does not keep these numbers may find another ion below it). The same arguments give the same bits.

    Args:
        geometry: ``"Li 0 0 0; H 0 0 1.6"`` in angstrom, or the path of an .xyz file.
        basis: Name of an all-electron basis set in any of PySCF's ways of writing, such as ``"cc-pVDZ"``,
            ``"6-311++g(2d,2p)"`` or ``"unc-sto-3g"``; at most 256 functions for the whole molecule.
        active_space: (electrons, orbitals) around the Fermi level; lower orbitals stay filled, higher ones empty.
            At most 32 orbitals. None: all.
        charge: Of the molecule, in elementary charges.
        spin: Number of unpaired electrons. Not zero: restricted open-shell Hartree-Fock.
        mapping: How spin orbitals (spin up first, then spin down) become qubits: ``"jordan_wigner"``, ``"parity"`` or
            ``"bravyi_kitaev"``; see `circuits.problems.encodings`.
        taper: Whether qubits that symmetries make superfluous are left out; see `circuits.problems.tapering`. The
            sector of the symmetries is that of the Hartree-Fock determinant, and the exact energy the lowest in it.

    Returns:
        A `Problem` in hartree on 2 * orbitals qubits, or fewer where they are tapered, with the Hartree-Fock
        determinant as reference state and ``structure`` a `Molecule`.

    Raises:
        Refused: for a geometry, element, basis, charge, spin or active space that is wrong or does not fit; if
            Hartree-Fock does not converge; if the extra ``chem`` is not installed.

    References:
        Q. Sun et al., PySCF: the Python-based simulations of chemistry framework, WIREs Comput. Mol. Sci. 8,
        e1340 (2018).
    """
    atoms = positions.atoms(geometry)
    charge = whole(charge, "charge", at_least=-MAX_NUMBER, at_most=MAX_NUMBER)
    spin = whole(spin, "spin (number of unpaired electrons)", at_least=0, at_most=MAX_NUMBER)
    space = _active_space(active_space)
    encodings.check_mapping(mapping)
    if not isinstance(taper, bool):
        raise Refused(f"taper must be True or False, not {shown(taper)}")
    functions = basis_sets.load(basis, [symbol for symbol, _ in atoms], _pyscf().gto)
    mean_field, integrals, counts = in_background(
        lambda given_up: _solve_mean_field(atoms, functions, charge, spin, space, given_up)
    )
    core, one_body, two_body = integrals
    n_orbitals, n_alpha, n_beta = counts
    source: dict[str, Any] = {} if mapping == "jordan_wigner" else {"mapping": mapping}
    problem = Problem(
        name=", ".join(
            [f"{positions.formula(atoms)} {basis}" + (f" ({space[0]}, {space[1]})" if space else ""), *source.values()]
        ),
        hamiltonian=encodings.encoded(molecular_hamiltonian(core, one_body, two_body), mapping),
        unit="hartree",
        source={
            "kind": "molecule",
            "geometry": positions.write(atoms),
            "basis": basis,
            "active_space": list(space) if space else None,
            "charge": charge,
            "spin": spin,
            **source,
        },
        reference_state=_determinant(n_orbitals, n_alpha, n_beta, mapping),
        structure=Molecule(atoms, basis, charge, spin, n_orbitals, n_alpha, n_beta, mean_field, mapping),
        solve=FullCI(core, one_body, two_body, (n_alpha, n_beta)),
        solve_seconds=_seconds(n_orbitals, n_alpha, n_beta),
    )
    if not taper:
        return problem
    from circuits.problems import tapering  # which knows molecules

    return tapering.taper(problem)


@dataclass(frozen=True, eq=False)
class FullCI:
    """Full configuration interaction: called, the lowest energy with these numbers of electrons, hartree.

    Attributes:
        core: Constant energy, hartree.
        one_body: h_pq, shape (orbitals, orbitals), hartree.
        two_body: (pq|rs) in chemists' order, shape (orbitals,) * 4, hartree.
        electrons: With spin up and with spin down.
        parities: (mask, value): only determinants with an even (1) or odd (-1) number of electrons in the spin orbitals
            of each bit mask.
    """

    core: float
    one_body: np.ndarray
    two_body: np.ndarray
    electrons: tuple[int, int]
    parities: tuple[tuple[int, int], ...] = ()

    def __call__(self) -> float:
        """The energy, hartree."""
        return self.core + in_background(lambda given_up: _full_ci(self, given_up))


def _active_space(active_space: Any) -> tuple[int, int] | None:
    if active_space is None:
        return None
    try:
        electrons, orbitals = active_space
    except (TypeError, ValueError) as err:
        raise Refused(
            f"active_space must be (electrons, orbitals), for example (2, 5); not {shown(active_space)}"
        ) from err
    what = "of active_space = (electrons, orbitals)"
    return (
        whole(electrons, f"the electrons {what}", at_least=1, at_most=MAX_NUMBER),
        whole(orbitals, f"the orbitals {what}", at_least=1, at_most=MAX_NUMBER),
    )


def _pyscf() -> Any:
    try:
        import pyscf.gto
    except ImportError as err:
        raise Refused("molecules need PySCF; install it with: pip install 'hybrid-codesign[chem]'") from err
    return pyscf


def _solve_mean_field(
    atoms: tuple[positions.Atom, ...],
    functions: dict[str, Any],
    charge: int,
    spin: int,
    space: tuple[int, int] | None,
    given_up: threading.Event,
) -> tuple[float, tuple[float, np.ndarray, np.ndarray], tuple[int, int, int]]:
    """Hartree-Fock energy; core energy and integrals of the active space; (orbitals, n_alpha, n_beta) in it."""
    from pyscf import ao2mo, gto, lib, mcscf, scf

    n_electrons = sum(1 + positions.ELEMENTS.index(symbol) for symbol, _ in atoms) - charge
    _check_electrons(n_electrons, charge, spin)
    with lib.with_omp_threads(1):  # a sum split over threads has other last digits
        mol = gto.M(atom=list(atoms), basis=functions, charge=charge, spin=spin, unit="Angstrom", verbose=0)
        _check_functions(mol.nao)
        _check_space(space, (n_electrons, mol.nao), spin)
        field = _field(scf.RHF(mol) if spin == 0 else scf.ROHF(mol), given_up)
        orbitals = _fix_signs(np.asarray(field.mo_coeff))
        _check_space(space, (n_electrons, orbitals.shape[1]), spin)  # some functions may depend on others
        n_electrons_active, n_orbitals = space or (n_electrons, orbitals.shape[1])
        counts = (n_orbitals, (n_electrons_active + spin) // 2, (n_electrons_active - spin) // 2)
        active: Any = mcscf.CASCI(field, n_orbitals, counts[1:])
        one_body, core = active.get_h1eff(orbitals)
        two_body = ao2mo.restore(1, active.get_h2eff(orbitals), n_orbitals)
    return float(field.e_tot), (float(core), np.asarray(one_body), np.asarray(two_body)), counts


def _field(field: Any, given_up: threading.Event) -> Any:
    """The converged mean field. All integrals are kept: what memory is free must not decide how they are summed."""

    def stop_if_given_up(_: Any) -> None:
        if given_up.is_set():
            raise KeyboardInterrupt

    field._eri = field.mol.intor("int2e", aosym="s8")
    field.conv_tol, field.conv_tol_grad, field.max_cycle, field.chkfile = 1e-12, 1e-8, 200, None
    field.callback = stop_if_given_up
    try:
        field.kernel()
        if not field.converged:
            field = field.newton()
            field.callback = stop_if_given_up
            field.kernel()
    except np.linalg.LinAlgError as err:
        raise Refused(
            f"Hartree-Fock fails for this molecule ({err}); functions on atoms that lie close together depend on each "
            f"other, take a smaller basis"
        ) from err
    if not field.converged:
        raise Refused("Hartree-Fock did not converge for this molecule; check geometry, charge and spin")
    return field


def _check_functions(n_functions: int) -> None:
    if n_functions > MAX_FUNCTIONS:
        raise Refused(
            f"this molecule has {n_functions} basis functions; at most {MAX_FUNCTIONS} are taken here, choose a "
            f"smaller basis"
        )
    needed, free = 2 * n_functions**4, memory.free_bytes()
    if needed > free:
        raise Refused(
            f"the integrals over {n_functions} basis functions need {needed} bytes ({needed / 2**30:.3g} GiB), but "
            f"{free / 2**30:.3g} GiB are free here"
        )


def _check_electrons(n_electrons: int, charge: int, spin: int) -> None:
    if n_electrons < 1:
        raise Refused(f"a charge of {charge} leaves {n_electrons} electrons; at least one is needed")
    if spin > n_electrons:
        raise Refused(f"spin = {spin} unpaired electrons, but the molecule has {n_electrons} electrons")
    if (n_electrons - spin) % 2:
        better = "1" if spin == 0 else f"{spin - 1} or {spin + 1}"
        raise Refused(
            f"{n_electrons} electrons cannot have spin = {spin} unpaired ones: both are even or both odd; "
            f"set spin to {better}, or change the charge"
        )


def _check_space(space: tuple[int, int] | None, whole_space: tuple[int, int], spin: int) -> None:
    electrons, orbitals = space or whole_space
    has = f"the molecule has {whole_space[0]} electrons in {whole_space[1]} orbitals"
    what = f"active_space = ({electrons}, {orbitals})" if space else "this molecule in this basis"
    if electrons > whole_space[0] or orbitals > whole_space[1]:
        raise Refused(f"{what} is larger than the molecule: {has}")
    if (whole_space[0] - electrons) % 2:
        raise Refused(f"{what} would leave an odd number of electrons in filled orbitals: {has}; keep {electrons + 1}")
    if electrons < spin:
        raise Refused(f"{what} has fewer electrons than the {spin} unpaired ones")
    if (electrons + spin) // 2 > orbitals:
        raise Refused(f"{what} has too few orbitals for {electrons} electrons with {spin} unpaired: {has}")
    if (whole_space[0] - electrons) // 2 + orbitals > whole_space[1]:
        filled = (whole_space[0] - electrons) // 2
        raise Refused(f"{what} does not fit above the filled orbitals ({filled} of them): {has}")
    if orbitals > MAX_ORBITALS:
        cure = "take a smaller one" if space else "choose an active space"
        raise Refused(
            f"{what} has {orbitals} orbitals, {2 * orbitals} qubits; at most {MAX_ORBITALS} orbitals become qubits "
            f"here, {cure}"
        )


def _fix_signs(orbitals: np.ndarray) -> np.ndarray:
    """Orbitals whose largest coefficient is positive; of equal ones, the first."""
    size = np.abs(orbitals)
    first = np.argmax(size > np.max(size, axis=0) - 1e-6, axis=0)
    return orbitals * np.where(orbitals[first, np.arange(orbitals.shape[1])] < 0, -1.0, 1.0)


def _determinant(n_orbitals: int, n_alpha: int, n_beta: int, mapping: str) -> QuantumCircuit:
    circuit = QuantumCircuit(2 * n_orbitals, name="hartree_fock")
    occupied = [*range(n_alpha), *range(n_orbitals, n_orbitals + n_beta)]
    if ones := encodings.encoded_occupations(occupied, 2 * n_orbitals, mapping):
        circuit.x(ones)
    return circuit


def _n_determinants(n_orbitals: int, n_alpha: int, n_beta: int) -> int:
    return comb(n_orbitals, n_alpha) * comb(n_orbitals, n_beta)


def _seconds(n_orbitals: int, n_alpha: int, n_beta: int) -> float:
    """Predicted time of full configuration interaction on one core; infinite where it is refused."""
    size = _n_determinants(n_orbitals, n_alpha, n_beta)
    pairs = n_orbitals * (n_orbitals + 1) / 2
    return N_PRODUCTS * 2 * size * pairs**2 / FLOPS if size <= MAX_DETERMINANTS else float("inf")


def _full_ci(problem: FullCI, given_up: threading.Event) -> float:
    """Lowest energy without the core's. Lanczos from a random start cannot miss a symmetry sector."""
    from pyscf import lib
    from pyscf.fci import cistring, direct_spin1

    one_body, two_body, electrons = problem.one_body, problem.two_body, problem.electrons
    n_orbitals = len(one_body)
    shape = tuple(comb(n_orbitals, n) for n in electrons)
    size = shape[0] * shape[1]
    needed, free = 8 * size * (N_VECTORS + 2), memory.free_bytes()
    what = f"the exact energy needs {size} determinants, {needed} bytes ({needed / 2**30:.3g} GiB)"
    if size > MAX_DETERMINANTS:
        raise Refused(f"{what}; at most {MAX_DETERMINANTS} determinants are tried, take a smaller active space")
    if needed > free:
        raise Refused(f"{what}, but {free / 2**30:.3g} GiB are free here")
    links = tuple(cistring.gen_linkstr_index_trilidx(range(n_orbitals), n) for n in electrons)
    allowed = np.flatnonzero(_allowed(problem)) if problem.parities else None
    if allowed is not None and not len(allowed):
        raise Refused(f"no determinant of {electrons[0]} + {electrons[1]} electrons lies in this sector of symmetries")
    half: Any = 0.5
    combined = direct_spin1.absorb_h1e(one_body, two_body, n_orbitals, electrons, half)

    def product(vector: np.ndarray) -> np.ndarray:
        if given_up.is_set():
            raise KeyboardInterrupt
        if allowed is not None:
            within, vector = vector, np.zeros(size)
            vector[allowed] = within
        vector = np.ascontiguousarray(vector.reshape(shape))
        found = direct_spin1.contract_2e(combined, vector, n_orbitals, electrons, links).reshape(-1)
        return found if allowed is None else found[allowed]

    with lib.with_omp_threads(1):
        return lowest(product, size if allowed is None else len(allowed), np.dtype(np.float64))


def _allowed(problem: FullCI) -> np.ndarray:
    """Which determinants have the wanted parities, shape (strings of spin up, strings of spin down)."""
    from pyscf.fci import cistring

    n_orbitals = len(problem.one_body)
    up, down = (np.asarray(cistring.make_strings(range(n_orbitals), n), dtype=np.int64) for n in problem.electrons)
    allowed = np.ones((len(up), len(down)), dtype=bool)
    for mask, value in problem.parities:
        odd_up = np.bitwise_count(up & (mask & ((1 << n_orbitals) - 1))) & 1
        odd_down = np.bitwise_count(down & (mask >> n_orbitals)) & 1
        allowed &= (odd_up[:, None] ^ odd_down[None, :]) == (value < 0)
    return allowed
