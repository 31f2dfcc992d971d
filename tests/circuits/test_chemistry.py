import hashlib
import subprocess
import sys

import numpy as np
import pytest
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector

from circuits import Refused, molecule
from circuits.problems.exact import lowest_eigenvalue
from circuits.problems.jordan_wigner import excitation_generator

pyscf = pytest.importorskip("pyscf")
ffsim = pytest.importorskip("ffsim")
LIH = "Li 0 0 0; H 0 0 1.6"
BENZENE = "; ".join(
    f"{symbol} {radius * np.cos(k * np.pi / 3)} {radius * np.sin(k * np.pi / 3)} 0"
    for symbol, radius in (("C", 1.397), ("H", 2.481))
    for k in range(6)
)


def test_h2_energy(h2):
    assert h2.exact_energy() == pytest.approx(-1.137306, abs=1e-6)  # of the literature's six digits
    assert h2.n_qubits == 4
    assert h2.unit == "hartree"


def test_fci_of_pyscf_agrees(lih):
    # PySCF's own Davidson stops at 1e-10 hartree.
    field = pyscf.scf.RHF(pyscf.gto.M(atom=LIH, basis="sto-3g", verbose=0)).run(conv_tol=1e-12)
    assert lih.exact_energy() == pytest.approx(pyscf.fci.FCI(field).kernel()[0], abs=1e-9)
    assert lih.structure.hartree_fock_energy == pytest.approx(field.e_tot, abs=1e-9)


def test_casci_of_pyscf_agrees():
    geometry = "O 0 0 0; O 0 0 1.2"
    field = pyscf.scf.ROHF(pyscf.gto.M(atom=geometry, basis="sto-3g", spin=2, verbose=0)).run(conv_tol=1e-12)
    energy = pyscf.mcscf.CASCI(field, 6, (5, 3)).run().e_tot
    triplet = molecule(geometry, spin=2, active_space=(8, 6))
    assert (triplet.structure.n_alpha, triplet.structure.n_beta) == (5, 3)
    assert triplet.exact_energy() == pytest.approx(energy, abs=1e-8)


def test_hamiltonian_agrees_with_ffsim():
    # Its Jordan-Wigner form of its own integrals; orbitals may differ in sign, so the spectra are compared.
    field = pyscf.scf.RHF(pyscf.gto.M(atom="H 0 0 0; H 0 0 1; H 0 0 2.1", basis="sto-3g", charge=1, verbose=0))
    data = ffsim.MolecularData.from_scf(field.run(conv_tol=1e-12))
    theirs = ffsim.qiskit.jordan_wigner(ffsim.fermion_operator(data.hamiltonian), norb=data.norb).to_matrix()
    ours = molecule("H 0 0 0; H 0 0 1; H 0 0 2.1", charge=1).hamiltonian.to_matrix()
    assert np.allclose(np.linalg.eigvalsh(ours), np.linalg.eigvalsh(theirs), atol=1e-9)


def test_hamiltonian_of_random_integrals_agrees_with_ffsim():
    # Term by term: the integrals are the same here.
    from circuits.problems.jordan_wigner import molecular_hamiltonian

    one = ffsim.random.random_real_symmetric_matrix(3, seed=1)
    two = ffsim.random.random_two_body_tensor(3, seed=2, dtype=float)
    theirs = ffsim.qiskit.jordan_wigner(
        ffsim.fermion_operator(ffsim.MolecularHamiltonian(one, two, constant=0.7)), norb=3
    )
    ours = molecular_hamiltonian(0.7, one, two)
    assert len(ours) == len(theirs.simplify())
    assert ours.equiv(theirs)


@pytest.mark.parametrize(
    ("created", "annihilated"), [((2,), (0,)), ((1,), (3,)), ((1, 5), (0, 4)), ((2, 3), (0, 5)), ((3, 4), (0, 1))]
)
def test_excitation_generators_agree_with_ffsim(created, annihilated):
    def ladder(orbital, dagger):
        spin, p = divmod(orbital, 3)
        return (ffsim.cre_b if spin else ffsim.cre_a)(p) if dagger else (ffsim.des_b if spin else ffsim.des_a)(p)

    T = [*(ladder(p, True) for p in created), *(ladder(p, False) for p in reversed(annihilated))]
    conjugate = [*(ladder(p, True) for p in annihilated), *(ladder(p, False) for p in reversed(created))]
    theirs = ffsim.qiskit.jordan_wigner(ffsim.FermionOperator({tuple(T): 1j, tuple(conjugate): -1j}), norb=3)
    generator, qubits = excitation_generator(created, annihilated)
    ours = SparsePauliOp("I" * 6).compose(generator, qargs=qubits)
    assert ours.equiv(theirs)
    assert all(a.commutes(b) for a in generator.paulis for b in generator.paulis)
    assert generator.num_qubits == len(qubits)


def test_particle_sector_is_the_ground_state(lih_small):
    # Neutral LiH lies below its ions, so that the search over all of Fock space finds the same energy.
    assert lowest_eigenvalue(lih_small.hamiltonian) == pytest.approx(lih_small.exact_energy(), abs=1e-9)


@pytest.mark.parametrize("problem", ["h2", "lih", "lih_small"])
def test_reference_state_has_the_hartree_fock_energy(problem, request):
    problem = request.getfixturevalue(problem)
    energy = Statevector(problem.reference_state).expectation_value(problem.hamiltonian).real
    assert energy == pytest.approx(problem.structure.hartree_fock_energy, abs=1e-9)


def test_lih_has_the_usual_size(lih, lih_small):
    assert (lih.n_qubits, len(lih.hamiltonian)) == (12, 631)
    assert (lih_small.n_qubits, lih_small.structure.n_alpha, lih_small.structure.n_beta) == (10, 1, 1)


def test_single_atoms_and_full_shells():
    hydrogen = molecule("H 0 0 0", spin=1)
    assert hydrogen.exact_energy() == pytest.approx(hydrogen.structure.hartree_fock_energy, abs=1e-9)
    helium = molecule("He 0 0 0", basis="6-31g")
    assert helium.exact_energy() == pytest.approx(-2.8701621, abs=1e-6)  # FCI of PySCF


def test_same_geometry_same_bits_in_another_process(lih):
    code = (
        "from circuits import molecule; import hashlib; m = molecule('Li 0 0 0; H 0 0 1.6'); "
        "print(hashlib.sha256(str(m.hamiltonian.paulis.to_labels()).encode() + m.hamiltonian.coeffs.tobytes())"
        ".hexdigest(), m.exact_energy().hex())"
    )
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    here = hashlib.sha256(str(lih.hamiltonian.paulis.to_labels()).encode() + lih.hamiltonian.coeffs.tobytes())
    assert there == [here.hexdigest(), lih.exact_energy().hex()]


def test_xyz_file_and_text_agree(tmp_path, h2):
    path = tmp_path / "h2.xyz"
    path.write_text("2\nhydrogen\nH 0 0 0\nh 0.0 0.0 0.735\n\n")
    for geometry in (path, str(path), "H 0 0 0\nH 0 0 0.735\n"):
        problem = molecule(geometry)
        assert problem.hamiltonian == h2.hamiltonian
        assert problem.source == h2.source


def test_source_makes_the_problem_again(lih_small):
    arguments = dict(lih_small.source)
    assert arguments.pop("kind") == "molecule"
    assert molecule(**arguments).hamiltonian == lih_small.hamiltonian


def test_hamiltonian_is_hermitian_and_keeps_the_electrons(h2):
    H = Operator(h2.hamiltonian).data
    number = Operator(SparsePauliOp.from_sparse_list([("", [], 2.0), *[("Z", [q], -0.5) for q in range(4)]], 4)).data
    assert np.allclose(H, H.conj().T, atol=1e-14)
    assert np.allclose(H @ number, number @ H, atol=1e-14)


@pytest.mark.parametrize(
    ("geometry", "options", "words"),
    [
        ("Li 0 0 0; H 0 0 -1.6", {}, "bond length -1.6 angstrom is negative.*1.6"),
        ("H 0 -0.7 0; H 0 0 0", {}, "negative"),
        ("Li 0 0 0; Hx 0 0 1.6", {}, "unknown element in the geometry: 'Hx'; did you mean"),
        ("Li 0 0 0; H 0 0", {}, "an atom is 'element x y z'"),
        ("Li 0 0 0; H 0 0 far", {}, "not a number"),
        ("Li 0 0 0; H 0 0 inf", {}, "not finite"),
        ("", {}, "no atoms"),
        (3, {}, "geometry must be text"),
        ("none.xyz", {}, "cannot be read"),
        ("H 0 0 0; H 0 0 0.05", {}, "atoms 0 .* and 1 .* angstrom apart"),
        (LIH, {"basis": "sto3"}, "unknown basis 'sto3'; did you mean 'sto-3g'"),
        (LIH, {"basis": 3}, "basis must be a name"),
        (LIH, {"basis": "STO 3 G-x"}, "did you mean 'sto-3g'"),
        (LIH, {"basis": "cc-pvxz"}, "did you mean 'cc-pv[dtq5]z'"),
        (LIH, {"basis": "nonsense"}, "unknown basis 'nonsense'. Common ones"),
        (LIH, {"basis": "/dev/zero"}, "unknown basis '/dev/zero'"),
        (LIH, {"basis": "x" * 10**6}, "unknown basis 'xxx"),
        (LIH, {"basis": "6-31g(7q)"}, "has no functions for Li; choose another, such as"),
        (LIH, {"basis": "gth-szv"}, "inner electrons of H"),
        (LIH, {"basis": "ccecp-cc-pvdz"}, "inner electrons of H"),
        ("U 0 0 0", {"basis": "cc-pvdz"}, "no functions for U; choose another, such as '(ano|dyall-v2z)'"),
        ("Xe 0 0 0", {"basis": "def2-tzvp"}, "inner electrons of Xe, .* such as"),
        ("C 0 0 0", {"basis": "bfd-vdz", "spin": 2}, "inner electrons of C"),
        ("I 0 0 0; H 0 0 1.6", {"basis": "lanl2dz"}, "inner electrons of I, .* such as 'sto-3g'"),
        (LIH, {"active_space": (2, 9)}, r"\(2, 9\) is larger than the molecule: .* 4 electrons in 6 orbitals"),
        (LIH, {"active_space": (6, 4)}, "larger than the molecule"),
        (LIH, {"active_space": (3, 4)}, "odd number of electrons"),
        (LIH, {"active_space": (2, 6)}, "does not fit above the filled orbitals"),
        (LIH, {"active_space": (4, 1)}, "too few orbitals"),
        (LIH, {"active_space": 2}, "active_space must be"),
        (LIH, {"active_space": (2, 0)}, "at least 1, not 0"),
        (LIH, {"charge": 1}, "set spin to 1, or change the charge"),
        (LIH, {"charge": 10**6000}, "charge must be a whole number of at most 10000, not about 10\\^6000"),
        (LIH, {"charge": -(10**6000)}, "charge must be"),
        (LIH, {"spin": 10**6000}, "spin .* must be"),
        (LIH, {"active_space": (10**6000, 2)}, "electrons of active_space"),
        (LIH, {"active_space": (2, 10**6000)}, "orbitals of active_space"),
        (LIH, {"active_space": "\n" * 10**6}, "active_space must be"),
        ("H 0 0 0; H 0 0 1e300", {}, "a coordinate beyond 100000 angstrom"),
        ("H 0 0 0; " * 70_000, {}, "70000 atoms|at most 1000|atoms 0|characters"),
        ("".join(f"H 0 0 {k}; " for k in range(1002)), {}, "1002 atoms; at most 1000"),
        ("".join(f"He 0 0 {3 * k}; " for k in range(300)), {}, "300 basis functions; at most 256"),
        (BENZENE, {"basis": "cc-pvtz", "active_space": (2, 2)}, "264 basis functions; at most 256"),
        ("N 0 0 0; N 0 0 1.1", {"basis": "cc-pvtz"}, "has 60 orbitals, 120 qubits; .* choose an active space"),
        ("N 0 0 0; N 0 0 1.1", {"basis": "cc-pvtz", "active_space": (10, 40)}, "40 orbitals, 80 qubits; .*smaller"),
        (LIH, {"charge": 4}, "leaves 0 electrons"),
        (LIH, {"spin": 1}, "set spin to 0 or 2"),
        (LIH, {"spin": 6}, "the molecule has 4 electrons"),
        (LIH, {"spin": -2}, "spin .* must be a whole number"),
        ("He 0 0 0", {"spin": 2}, "too few orbitals"),
    ],
)
def test_bad_input_is_refused(geometry, options, words):
    with pytest.raises(Refused, match=words):
        molecule(geometry, **options)


@pytest.mark.parametrize(
    ("geometry", "basis", "space"),
    [
        (BENZENE, "sto-3g", (6, 6)),
        ("N 0 0 0; N 0 0 1.098", "cc-pvtz", (6, 6)),
        ("C 0 0 0; O 0 0 1.13", "cc-pCVDZ", (4, 4)),
    ],
    ids=["benzene", "nitrogen", "carbon monoxide"],
)
def test_small_active_spaces_of_large_bases(geometry, basis, space):
    field = pyscf.scf.RHF(pyscf.gto.M(atom=geometry, basis=basis, verbose=0)).run(conv_tol=1e-12)
    expected = pyscf.mcscf.CASCI(field, space[1], space[0]).run(verbose=0).e_tot
    problem = molecule(geometry, basis=basis, active_space=space)
    assert problem.n_qubits == 2 * space[1]
    assert problem.exact_energy() == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    "name",
    [
        "STO-3G",
        " sto 3g",
        "minao",
        "cc_pvtz",
        "6-31G(d)",
        "6-31g(d,p)",
        "6-311++g(2d,2p)",
        "6-31+G**",
        "unc-sto-3g",
        "uncccpvdz",
        "def2-TZVP",
        "dyall-v2z",
        "ano@3s2p1d",
        "pc-1",
    ],
)
def test_bases_in_all_their_spellings(name):
    # Hartree-Fock of PySCF with the name as it is.
    geometry = "O 0 0 0; H 0 0.757 0.587; H 0 -0.757 0.587"
    theirs = pyscf.scf.RHF(pyscf.gto.M(atom=geometry, basis=name.strip(), verbose=0)).run(conv_tol=1e-12).e_tot
    ours = molecule(geometry, basis=name, active_space=(2, 2))
    assert ours.structure.hartree_fock_energy == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize(("k", "symbol"), enumerate(["H", "C", "Fe", "I", "U"]))
def test_every_basis_is_read_or_refused_in_words(k, symbol):
    from circuits.problems import basis_sets

    found = 0
    for name in [*pyscf.gto.basis.ALIAS, *pyscf.gto.basis.GTH_ALIAS][k::5]:
        try:
            found += len(basis_sets.load(name, [symbol], pyscf.gto)[symbol]) > 0
        except Refused as refusal:
            words = str(refusal)
            assert f"for {symbol}" in words or f"of {symbol}" in words
    assert found > 0


def test_a_file_with_the_name_of_a_basis_is_not_read(tmp_path, monkeypatch, h2):
    monkeypatch.chdir(tmp_path)
    for name in ("sto-3g", "sto3g"):
        (tmp_path / name).write_text("H S\n 1.0 1.0\nEND\n")
    assert molecule("H 0 0 0; H 0 0 0.735", basis="sto-3g").hamiltonian == h2.hamiltonian


def test_a_mean_field_that_fails_is_refused(monkeypatch):
    def fail(self, *args, **kwargs):
        raise np.linalg.LinAlgError("overlap is not positive definite")

    monkeypatch.setattr(pyscf.scf.hf.SCF, "kernel", fail)
    with pytest.raises(Refused, match="depend on each other"):
        molecule(LIH)


def test_bad_xyz_files_are_refused(tmp_path):
    for text, words in [("H 0 0 0", ":1: an .xyz file starts"), ("3\n\nH 0 0 0\n", "announces 3 atoms, but 1")]:
        path = tmp_path / "bad.xyz"
        path.write_text(text)
        with pytest.raises(Refused, match=words):
            molecule(path)


def test_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyscf", None)
    with pytest.raises(Refused, match=r"pip install 'hybrid-codesign\[chem\]'"):
        molecule(LIH)


def test_unconverged_mean_field_is_refused(monkeypatch):
    monkeypatch.setattr(pyscf.scf.hf.SCF, "kernel", lambda self, *args, **kwargs: setattr(self, "converged", False))
    with pytest.raises(Refused, match="did not converge"):
        molecule(LIH)
