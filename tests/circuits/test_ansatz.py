import networkx
import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate, get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector
from scipy.linalg import expm
from scipy.optimize import minimize

from circuits import (
    Problem,
    Refused,
    hamiltonian_variational,
    hardware_efficient,
    heisenberg,
    maxcut,
    molecule,
    qaoa,
    tfim,
    uccsd,
)
from circuits.ansatz.uccsd import excitations, n_excitations
from circuits.problems.chemistry import Molecule

ROUNDING = 1e-10  # some hundred gates on unit vectors


def state(circuit, theta):
    return Statevector(circuit.assign_parameters(theta)).data


def energy(circuit, problem, theta):
    return Statevector(circuit.assign_parameters(theta)).expectation_value(problem.hamiltonian).real


def same_ray(a, b):
    return abs(np.vdot(a, b)) == pytest.approx(1.0, abs=ROUNDING)


def evolved(operator, angle, psi):
    return expm(-1j * angle * operator.to_matrix()) @ psi


def test_hardware_efficient_is_built_layer_by_layer():
    circuit = hardware_efficient(3, layers=2, rotations=("ry", "rz"), entangler="cx")
    names = [instruction.operation.name for instruction in circuit.data]
    assert names == (["ry"] * 3 + ["rz"] * 3 + ["cx"] * 2) * 2
    assert [p.name for p in circuit.parameters] == [f"theta[{k}]" for k in range(12)]
    assert list(circuit.parameters) == [i.operation.params[0] for i in circuit.data if i.operation.params]
    assert hardware_efficient(20, layers=4).size() == 236
    assert "theta" not in circuit.metadata


@pytest.mark.parametrize(
    ("options", "n_params", "n_pairs"),
    [
        ({"topology": "ring"}, 8, 4),
        ({"topology": "all"}, 8, 6),
        ({"topology": [(3, 0), (1, 2)]}, 8, 2),
        ({"rotations": "rx", "entangler": "rzz"}, 4 + 3, 3),
        ({"rotations": (), "entangler": "crx", "topology": "ring"}, 4, 4),
        ({"rotations": ("rx", "rz", "p"), "entangler": "cz"}, 12, 3),
    ],
)
def test_hardware_efficient_choices(options, n_params, n_pairs):
    circuit = hardware_efficient(4, layers=1, **options)
    assert circuit.num_parameters == n_params
    assert circuit.num_nonlocal_gates() == n_pairs


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_qubits": 0}, "n_qubits must be"),
        ({"layers": 0}, "layers must be"),
        ({"entangler": "cnot"}, "unknown entangler 'cnot'"),
        ({"rotations": ("ry", "rzz")}, "unknown rotation 'rzz'; did you mean 'rz'"),
        ({"topology": "linaer"}, "did you mean 'linear'"),
        ({"topology": [(0, 4)]}, "numbered 0 to 3"),
        ({"rotations": ()}, "no parameters"),
    ],
)
def test_hardware_efficient_refuses(options, words):
    with pytest.raises(Refused, match=words):
        hardware_efficient(**{"n_qubits": 4, **options})


@pytest.mark.parametrize(
    "problem",
    [
        tfim(4, coupling=0.7, field=1.3),
        heisenberg(4, coupling=(1.0, 1.0, 0.4), field=0.3),
        Problem(SparsePauliOp.from_list([("XYZ", 0.3), ("ZII", 1.1), ("YIX", -0.2), ("III", 2.0)]), name="strings"),
    ],
    ids=lambda p: p.name,
)
def test_hamiltonian_variational_is_the_product_of_its_exponentials(problem):
    circuit = hamiltonian_variational(problem, layers=2)
    moving = problem.hamiltonian[np.any(problem.hamiltonian.paulis.x | problem.hamiltonian.paulis.z, axis=1)]
    parts = problem.layers or moving.group_commuting()
    theta = np.random.default_rng(0).normal(size=circuit.num_parameters)
    psi = np.eye(2**problem.n_qubits)[0] if problem.reference_state is None else Statevector(problem.reference_state)
    psi = np.asarray(psi, dtype=complex)
    for k, angle in enumerate(theta):
        psi = evolved(parts[k % len(parts)], angle, psi)
    assert same_ray(state(circuit, theta), psi)


def test_hamiltonian_variational_reaches_the_ground_state_of_a_ring():
    # n / 2 layers are exact for the critical ring (Ho, Hsieh, SciPost Phys. 6, 029 (2019)).
    problem = tfim(4, periodic=True)
    circuit = hamiltonian_variational(problem, layers=2)
    found = minimize(lambda theta: energy(circuit, problem, theta), circuit.metadata["theta"], method="BFGS").fun
    assert found == pytest.approx(problem.exact_energy(), abs=1e-6)  # finite differences


def test_qaoa_is_the_product_of_its_exponentials():
    edges = [(0, 1, 1.0), (1, 2, -0.5), (2, 3, 2.0), (3, 0, 0.3)]
    problem = maxcut(edges)
    circuit = qaoa(problem, layers=2)
    beta, gamma = np.array([0.3, -0.8]), np.array([0.7, 0.2])
    X = SparsePauliOp.from_sparse_list([("X", [q], 1.0) for q in range(4)], 4)
    psi = np.full(16, 0.25, dtype=complex)
    for k in range(2):
        psi = evolved(X, -beta[k], evolved(problem.hamiltonian, gamma[k], psi))
    assert [p.name for p in circuit.parameters] == ["beta[0]", "beta[1]", "gamma[0]", "gamma[1]"]
    assert same_ray(state(circuit, [*beta, *gamma]), psi)


def test_qaoa_of_one_layer_on_a_triangle_free_cubic_graph():
    # Optimum of one layer on cubic graphs without triangles: 0.6924 of the edges (Farhi et al. 2014), at beta = pi / 8.
    graph = networkx.circular_ladder_graph(4)
    problem = maxcut(graph)
    circuit = qaoa(problem, layers=1)
    found = minimize(lambda theta: energy(circuit, problem, theta), circuit.metadata["theta"], method="BFGS")
    fraction = 0.5 + 1 / (3 * np.sqrt(3))
    cycles_of_four_help = found.fun <= -12 * fraction + 1e-6
    assert cycles_of_four_help
    assert energy(circuit, problem, circuit.metadata["theta"]) < -6 - 1  # better than guessing, before any step


def test_qaoa_takes_fields_and_products_of_three():
    H = SparsePauliOp.from_list([("ZZZ", 0.7), ("IIZ", -0.4), ("ZIZ", 1.2)])
    circuit = qaoa(Problem(H), layers=1)
    X = SparsePauliOp.from_sparse_list([("X", [q], 1.0) for q in range(3)], 3)
    psi = evolved(X, -0.3, evolved(H, 0.9, np.full(8, 8**-0.5, dtype=complex)))
    assert same_ray(state(circuit, [0.3, 0.9]), psi)


def test_diagonal_and_constant_are_told_apart():
    with pytest.raises(Refused, match="diagonal"):
        qaoa(tfim(3), layers=1)
    with pytest.raises(Refused, match="constant"):
        qaoa(Problem("III"), layers=1)
    with pytest.raises(Refused, match="multiple of the identity"):
        hamiltonian_variational(tfim(3, coupling=0.0, field=0.0), layers=1)
    with pytest.raises(Refused, match="layers must be"):
        qaoa(maxcut([(0, 1)]), layers=0)


def test_uccsd_sizes(h2, lih, lih_small):
    assert [uccsd(problem).num_parameters for problem in (h2, lih_small, lih)] == [3, 24, 92]
    assert uccsd(lih).metadata["theta"] == [0.0] * 92


def test_uccsd_excites_by_theta(h2):
    circuit = uccsd(h2)
    double = np.zeros(16)
    double[0b0101], double[0b1010] = np.cos(0.3), np.sin(0.3)
    psi = state(circuit, [0.3, 0.0, 0.0])
    assert same_ray(psi, double)
    assert np.allclose(psi / psi[0b0101] * np.cos(0.3), double, atol=ROUNDING)


def test_uccsd_gates_are_the_exponentials_of_their_generators(lih_small):
    # The strings of one excitation commute, so the gate's own synthesis has no Trotter error.
    circuit = uccsd(lih_small)
    for instruction in circuit.data[-1], circuit.data[2], circuit.data[10]:
        gate = instruction.operation.copy()
        generator = gate.operator.to_matrix()
        bound = PauliEvolutionGate(gate.operator, 0.37)
        assert np.allclose(Operator(bound.definition).data, expm(-0.37j * generator), atol=ROUNDING)


@pytest.mark.parametrize("problem", ["h2", "lih_small"])
def test_uccsd_reaches_full_ci_of_two_electrons(problem, request):
    problem = request.getfixturevalue(problem)
    circuit = uccsd(problem)
    H = problem.hamiltonian.to_matrix(sparse=True).tocsr().real
    gates = [i for i in circuit.data if isinstance(i.operation, PauliEvolutionGate)]
    generators = []
    for gate in gates:
        qubits = [circuit.find_bit(qubit).index for qubit in gate.qubits]
        wide = gate.operation.operator.apply_layout(qubits, problem.n_qubits)
        generators.append((-1j * wide.to_matrix(sparse=True)).real.tocsr())

    def turn(G, angle, psi):  # exp(angle G) for G^3 = -G
        first = G @ psi
        return psi + np.sin(angle) * first + (1 - np.cos(angle)) * (G @ first)

    def value_and_grad(theta):
        psi = Statevector(problem.reference_state).data.real
        for G, angle in zip(generators, theta, strict=True):
            psi = turn(G, angle, psi)
        bra, value, gradient = H @ psi, psi @ (H @ psi), np.zeros(len(theta))
        for k in reversed(range(len(theta))):
            gradient[k] = 2 * bra @ (generators[k] @ psi)
            psi, bra = turn(generators[k], -theta[k], psi), turn(generators[k], -theta[k], bra)
        return value, gradient

    options = {"maxiter": 500, "ftol": 1e-15, "gtol": 1e-8}
    found = minimize(value_and_grad, circuit.metadata["theta"], jac=True, method="L-BFGS-B", options=options)
    assert found.fun == pytest.approx(problem.exact_energy(), abs=1e-8)
    assert energy(circuit, problem, found.x) == pytest.approx(found.fun, abs=ROUNDING)


def test_uccsd_keeps_the_electrons_of_each_spin():
    problem = molecule("O 0 0 0; O 0 0 1.2", spin=2, active_space=(4, 3))
    circuit = uccsd(problem)
    psi = state(circuit, np.random.default_rng(1).normal(size=circuit.num_parameters))
    occupied = [index for index, amplitude in enumerate(psi) if abs(amplitude) > 1e-8]
    assert len(occupied) > 1
    assert {((index & 7).bit_count(), (index >> 3).bit_count()) for index in occupied} == {(3, 1)}


def test_uccsd_refuses_what_it_cannot_excite():
    with pytest.raises(Refused, match=r"circuits\.molecule"):
        uccsd(tfim(4))
    with pytest.raises(Refused, match="no excitation"):
        uccsd(molecule("He 0 0 0"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: hardware_efficient(3, entangler="rzx"),
        lambda: hamiltonian_variational(heisenberg(3), layers=1),
        lambda: qaoa(maxcut([(0, 1)]), layers=2),
        lambda: uccsd(molecule("H 0 0 0; H 0 0 0.735")),
    ],
)
def test_only_standard_gates_and_pauli_evolutions(make):
    circuit = make()
    assert set(circuit.count_ops()) <= {*get_standard_gate_name_mapping(), "PauliEvolution"}
    start = circuit.metadata.get("theta")
    assert start is None or (len(start) == circuit.num_parameters and all(type(x) is float for x in start))
    assert circuit.metadata["ansatz"]


@pytest.mark.parametrize(
    ("problem", "make"),
    [
        (tfim(4), hamiltonian_variational),
        (heisenberg(4), hamiltonian_variational),
        (maxcut([(0, 1), (1, 2), (2, 0), (2, 3)]), qaoa),
    ],
    ids=["tfim", "heisenberg", "maxcut"],
)
def test_starting_points_are_not_stationary(problem, make):
    circuit = make(problem, layers=2)
    theta = np.array(circuit.metadata["theta"])
    steps = 1e-4 * np.eye(len(theta))
    gradient = [(energy(circuit, problem, theta + h) - energy(circuit, problem, theta - h)) / 2e-4 for h in steps]
    assert np.linalg.norm(gradient) > 0.1


@pytest.mark.parametrize(
    "make",
    [
        lambda: hardware_efficient(10**9),
        lambda: hardware_efficient(10**400, layers=1),
        lambda: hardware_efficient(4, layers=10**400),
        lambda: hardware_efficient(4, layers=10**7),
        lambda: hardware_efficient(2000, layers=1, topology="all"),
        lambda: hardware_efficient(3, layers=10**6, rotations=[], entangler="rzz", topology=[(0, 1)]),
        lambda: qaoa(maxcut([(0, 1)]), layers=10**7),
        lambda: qaoa(maxcut([(0, 1)]), layers=10**400),
        lambda: hamiltonian_variational(tfim(4), layers=10**6),
        lambda: hamiltonian_variational(tfim(4), layers=10**400),
    ],
)
def test_circuits_that_would_fill_the_memory_are_refused(make):
    with pytest.raises(Refused, match=r"gates .*at most 500000"):
        make()


def test_too_many_excitations_are_refused():
    everything = Molecule((("H", (0.0, 0.0, 0.0)),), "any", 0, 0, 40, 20, 20, 0.0)
    problem = Problem("Z" * 80, structure=everything, reference_state=QuantumCircuit(80))
    with pytest.raises(Refused, match="uccsd of Hamiltonian would have 1165000 gates"):
        uccsd(problem)


def test_the_number_of_excitations_is_known_beforehand():
    for space in ((2, 1, 1), (5, 2, 1), (6, 3, 3), (4, 4, 0)):
        assert n_excitations(*space) == len(excitations(*space))


def test_too_many_terms_to_be_grouped_are_refused():
    terms = SparsePauliOp.from_sparse_list([("XZ", [i, j], 1.0) for i in range(70) for j in range(70) if i != j], 70)
    with pytest.raises(Refused, match="4830 terms; at most 4000 are grouped"):
        hamiltonian_variational(Problem(terms), layers=1)
