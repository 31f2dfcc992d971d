"""Fermions on qubits by other encodings than Jordan and Wigner's, and qubits that symmetries make superfluous."""

from itertools import product

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp, Statevector

import hybrid
from circuits import Problem, fermionic, heisenberg, maxcut, molecule, taper, tfim, uccsd
from circuits.errors import Refused
from circuits.problems.encodings import MAPPINGS, encoded, inverse, matrix
from circuits.problems.exact import lowest_eigenvalue
from circuits.problems.levels import lowest_levels
from circuits.problems.operators import as_hermitian
from circuits.problems.tapering import symmetries
from hybrid.studies.study import build, read

OTHERS = [mapping for mapping in MAPPINGS if mapping != "jordan_wigner"]
H2 = "H 0 0 0; H 0 0 0.735"
LIH = {"geometry": "Li 0 0 0; H 0 0 1.6", "active_space": (2, 5)}


def spectrum(operator):
    return np.linalg.eigvalsh(operator.to_matrix())


def random_operator(n_orbitals, seed):
    """A Hermitian operator of fermions with hopping, interaction and complex phases."""
    rng = np.random.default_rng(seed)
    terms = {}
    for _ in range(6):
        p, q, r, s = rng.integers(0, n_orbitals, 4)
        c = complex(*rng.normal(size=2))
        for word, weight in ((f"{p}+ {q}+ {r}- {s}-", c), (f"{s}+ {r}+ {q}- {p}-", c.conjugate())):
            terms[word] = terms.get(word, 0.0) + weight
    return terms | {"0+ 0-": 0.3, "": 1.5}


@pytest.mark.parametrize("n", [1, 2, 3, 6, 8, 11])
@pytest.mark.parametrize("mapping", MAPPINGS)
def test_encodings_are_inverted(mapping, n):
    assert np.array_equal(matrix(mapping, n) @ inverse(mapping, n) % 2, np.eye(n, dtype=int))


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("n", [3, 5, 8])
def test_operators_of_fermions_agree_with_pennylane(mapping, n):
    qml = pytest.importorskip("pennylane")
    terms = random_operator(n, seed=n)
    theirs = sum(
        (coefficient * qml.fermi.from_string(word) for word, coefficient in terms.items() if word),
        1.5 * qml.fermi.FermiWord({}),
    )
    mapped = {
        "jordan_wigner": qml.jordan_wigner,
        "parity": lambda operator: qml.parity_transform(operator, n),
        "bravyi_kitaev": lambda operator: qml.bravyi_kitaev(operator, n),
    }[mapping](theirs)
    ours = fermionic(terms, mapping=mapping, n_orbitals=n)
    assert np.allclose(np.imag(ours.coeffs), 0.0, atol=1e-14)
    assert ours.equiv(as_hermitian(mapped, "theirs", n))
    assert fermionic(theirs, mapping=mapping, n_orbitals=n).equiv(ours)


@pytest.mark.parametrize("mapping", OTHERS)
def test_encodings_are_circuits_of_cx(mapping):
    # |n> -> |A n> with CX from k to j where A holds n_k in bit j, from the last row to the first.
    n, A = 5, matrix(mapping, 5)
    circuit = QuantumCircuit(n)
    for j in reversed(range(n)):
        for k in np.flatnonzero(A[j, :j]):
            circuit.cx(int(k), j)
    U = Operator(circuit).data
    H = fermionic(random_operator(n, seed=3), n_orbitals=n)
    assert np.allclose(encoded(H, mapping).to_matrix(), U @ H.to_matrix() @ U.conj().T, atol=1e-12)


@pytest.mark.parametrize(
    ("operator", "options", "words"),
    [
        ({"0+ x-": 1.0}, {}, "'x-' is no ladder operator"),
        ({"0+ 9-": 1.0}, {"n_orbitals": 4}, "acts on orbital 9, but n_orbitals = 4"),
        ({"99+ 0-": 1.0}, {}, "at most 64"),
        ({"0+ 0-": float("nan")}, {}, "finite number"),
        ({"": 1.0}, {}, "no orbital"),
        ({"0+ 0-": 1.0}, {"mapping": "partiy"}, "did you mean 'parity'"),
        ("0+ 0-", {}, "must be a FermiWord"),
    ],
)
def test_bad_operators_of_fermions_are_refused(operator, options, words):
    with pytest.raises(Refused, match=words):
        fermionic(operator, **options)


@pytest.mark.parametrize("mapping", OTHERS)
def test_a_molecule_has_one_spectrum_in_every_mapping(mapping):
    pytest.importorskip("pyscf")
    one, other = molecule(H2), molecule(H2, mapping=mapping)
    assert np.allclose(spectrum(one.hamiltonian), spectrum(other.hamiltonian), atol=1e-10)
    assert other.exact_energy() == one.exact_energy()
    assert other.source["mapping"] == mapping
    assert "mapping" not in one.source
    energy = Statevector(other.reference_state).expectation_value(other.hamiltonian).real
    assert energy == pytest.approx(other.structure.hartree_fock_energy, abs=1e-10)
    assert lowest_levels(other, 4) == pytest.approx(lowest_levels(one, 4), abs=1e-10)


def test_hydrogen_by_parity_and_symmetries_is_one_qubit():
    pytest.importorskip("pyscf")
    h2 = molecule(H2, mapping="parity", taper=True)
    assert h2.n_qubits == 1
    # Literature: -1.857275 hartree without the repulsion of the nuclei, which is 1/R = 0.719969 hartree.
    repulsion = 0.529177210903 / 0.735
    assert lowest_eigenvalue(h2.hamiltonian) - repulsion == pytest.approx(-1.857275, abs=1e-6)
    assert h2.exact_energy() == pytest.approx(-1.137306, abs=1e-6)
    result = hybrid.minimize(uccsd(h2), h2, backend="reference", accuracy=1e-8)
    assert result.energy == pytest.approx(-1.137306, abs=1e-6)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_uccsd_of_tapered_lithium_hydride_reaches_full_ci(mapping, tmp_path):
    pytest.importorskip("pyscf")
    lih = molecule(**LIH, mapping=mapping, taper=True)
    assert lih.n_qubits == 6
    assert lih.exact_energy() == pytest.approx(lowest_eigenvalue(molecule(**LIH).hamiltonian), abs=1e-9)
    assert lih.exact_energy() == pytest.approx(lowest_eigenvalue(lih.hamiltonian), abs=1e-9)
    circuit = uccsd(lih)
    assert circuit.num_parameters == 10
    result = hybrid.minimize(circuit, lih, backend="statevector", accuracy=1e-7, folder=tmp_path / "run")
    assert result.energy == pytest.approx(lih.exact_energy(), abs=1e-6)


@pytest.mark.parametrize("mapping", OTHERS)
def test_uccsd_in_another_mapping_is_the_same_state(mapping):
    pytest.importorskip("pyscf")
    theta = [0.3, -0.2, 0.1]
    values = [
        Statevector(uccsd(p).assign_parameters(theta).decompose()).expectation_value(p.hamiltonian).real
        for p in (molecule(H2), molecule(H2, mapping=mapping))
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-12)


def test_a_tapered_molecule_keeps_its_electrons_and_its_irreducible_representation():
    # Oxygen's triplet: without numbers of electrons another ion lies lower, and 2 + 2 determinants are in the sector.
    pytest.importorskip("pyscf")
    oxygen = {"geometry": "O 0 0 0; O 0 0 1.2", "spin": 2, "active_space": (6, 4)}
    tapered = molecule(**oxygen, taper=True)
    assert tapered.n_qubits == 4
    assert tapered.exact_energy() == pytest.approx(molecule(**oxygen).exact_energy(), abs=1e-9)
    assert lowest_levels(tapered, 1)[0] == pytest.approx(tapered.exact_energy(), abs=1e-9)
    with pytest.raises(Refused, match=r"no single or double excitation .* stays in the sector"):
        uccsd(tapered)


@pytest.mark.parametrize(
    "problem",
    [tfim(5, periodic=True), heisenberg(6), maxcut([(0, 1), (1, 2), (2, 0), (2, 3)]), Problem("XXI"), Problem("YZ")],
    ids=lambda problem: problem.name,
)
def test_all_sectors_together_have_the_whole_spectrum(problem):
    labels = symmetries(problem)
    assert all(np.all(problem.hamiltonian.paulis.commutes(Pauli(one))) for one in labels)
    sectors = [taper(problem, sector=signs) for signs in product((1, -1), repeat=len(labels))]
    levels = np.sort(np.concatenate([spectrum(one.hamiltonian) for one in sectors]))
    assert np.allclose(levels, spectrum(problem.hamiltonian), atol=1e-9)
    assert all(one.n_qubits == problem.n_qubits - len(labels) for one in sectors)
    assert taper(problem).exact_energy() == pytest.approx(levels[0], abs=1e-9)
    assert lowest_eigenvalue(taper(problem).hamiltonian) == pytest.approx(levels[0], abs=1e-9)


def test_layers_and_reference_state_are_tapered_alike():
    chain = heisenberg(6)
    tapered = taper(chain)
    here, there = (Statevector(p.reference_state).expectation_value(p.hamiltonian).real for p in (chain, tapered))
    assert here == pytest.approx(there, abs=1e-12)
    rest = (tapered.hamiltonian - sum(tapered.layers)).simplify()
    assert not np.any(rest.paulis.x | rest.paulis.z)
    assert str(tapered.tapering) == "4 of 6 qubits are left in the sector ZZZZZZ = -1, XXXXXX = -1"


def test_random_operators_with_hidden_symmetries_are_tapered():
    # A random operator without symmetry, beside an idle qubit, hidden by a random Clifford circuit.
    from qiskit.quantum_info import random_clifford, random_pauli_list

    rng = np.random.default_rng(5)
    inner = SparsePauliOp(random_pauli_list(3, 40, seed=1, phase=False), rng.normal(size=40))
    hidden = SparsePauliOp(inner.expand(SparsePauliOp("I")).paulis.evolve(random_clifford(4, seed=2)), inner.coeffs)
    tapered = taper(hidden)
    assert tapered.n_qubits == 3
    assert np.allclose(spectrum(tapered.hamiltonian), spectrum(inner), atol=1e-10)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: taper(SparsePauliOp(["XI", "ZI", "IX", "IZ", "ZZ"])), "has no symmetry"),
        (lambda: taper(tfim(40)), "would take too long; name it as sector"),
        (lambda: taper(tfim(4), sector=[2]), "sector must have a value, 1 or -1"),
        (lambda: taper(tfim(4), sector=[1, 1]), "each of the 1 symmetries"),
        (lambda: molecule(H2, mapping="jordan"), "unknown mapping 'jordan'"),
        (lambda: molecule(H2, taper="yes"), "taper must be True or False"),
    ],
)
def test_what_cannot_be_tapered_is_refused(make, words):
    with pytest.raises(Refused, match=words):
        make()


def test_a_study_names_the_mapping(tmp_path):
    pytest.importorskip("pyscf")
    study = tmp_path / "study.toml"
    study.write_text(
        f'[problem]\nkind = "molecule"\ngeometry = "{H2}"\nmapping = "parity"\ntaper = true\n[ansatz]\nkind = "uccsd"\n'
    )
    point = read(study).points()[0]
    assert build(point)[0].n_qubits == 1
