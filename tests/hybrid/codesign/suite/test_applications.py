"""What the applications score, against closed forms and against Qiskit alone."""

from functools import reduce

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector, random_statevector, state_fidelity

import backends
from circuits.errors import Refused
from hybrid.codesign.suite import ghz, mermin
from hybrid.codesign.suite.benchmark import Answer, Estimate, Size
from hybrid.codesign.suite.layer_fidelity import decay
from hybrid.codesign.suite.layers import chain_pairs
from hybrid.codesign.suite.measure import Account, measure
from hybrid.codesign.suite.mirror import polarization
from hybrid.codesign.suite.registry import APPLICATIONS, application
from hybrid.codesign.suite.statistics import mean, proportion

MANY = 10**9

FIXED = ("ghz", "mermin-bell", "maxcut-qaoa", "vqe-h2", "vqe-chain", "hamiltonian-simulation")
"""Applications whose smallest circuits hold nothing random; there is one cubic graph of four nodes."""


def exact(circuit: QuantumCircuit, parameters=()) -> Answer:
    """Counts in proportion to the exact probabilities, by Qiskit."""
    p = Statevector(circuit.assign_parameters(list(parameters))).probabilities_dict()
    return Answer({bits: round(MANY * value) for bits, value in p.items() if value > 1e-12})


def scored(name: str, size: Size, seed: int = 1):
    benchmark = application(name)
    tasks = benchmark.circuits(size, shots=MANY, seed=seed)
    return benchmark.score(size, tasks, [exact(task.circuit) for task in tasks]), tasks


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("ghz", Size(2)),
        ("ghz", Size(5)),
        ("mermin-bell", Size(2)),
        ("mermin-bell", Size(4)),
        ("mermin-bell", Size(7)),
        ("qft", Size(1)),
        ("qft", Size(5)),
        ("mirror", Size(3)),
        ("mirror", Size(4, 6)),
        ("quantum-volume", Size(3)),
        ("quantum-volume", Size(2, 5)),
        ("layer-fidelity", Size(2)),
        ("layer-fidelity", Size(3)),
    ],
)
def test_exact_states_score_what_a_perfect_computer_does(name, size):
    found, _ = scored(name, size)
    reference = application(name).reference(size, seed=1)
    assert found.value == pytest.approx(reference, abs=1e-6)


@pytest.mark.parametrize("name", list(APPLICATIONS))
def test_the_same_seed_gives_the_same_circuits_and_another_one_others(name):
    benchmark = application(name)
    size = benchmark.sizes["quick"][0]
    once, again, other = (
        [task.circuit.assign_parameters(task.parameters) for task in benchmark.circuits(size, shots=10, seed=seed)]
        for seed in (5, 5, 6)
    )
    assert once == again
    assert (once == other) == (name in FIXED)  # these have nothing random at such sizes


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_fidelity_of_any_state_with_a_ghz_state_is_found(n, monkeypatch):
    state = random_statevector(2**n, seed=n)
    wanted = Statevector(ghz.prepared(n))
    strange = QuantumCircuit(n)
    strange.prepare_state(state)
    monkeypatch.setattr(ghz, "prepared", lambda n: strange.copy())
    found, _ = scored("ghz", Size(n))
    assert found.value == pytest.approx(state_fidelity(state, wanted), abs=1e-7)
    assert 0.01 < found.value < 0.99


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_products_are_those_of_mermins_operator(n):
    x, y = SparsePauliOp("X"), SparsePauliOp("Y")
    up = reduce(lambda a, b: a ^ b, [x + 1j * y] * n)
    down = reduce(lambda a, b: a ^ b, [x - 1j * y] * n)
    operator = ((up - down) * (-0.5j)).simplify()
    signed = {}
    for turned in mermin._products(n, seed=0):
        label = "".join("Y" if qubit in turned else "X" for qubit in reversed(range(n)))
        signed[label] = (-1) ** ((len(turned) - 1) // 2)
    assert {label: value.real for label, value in operator.to_list()} == pytest.approx(signed)
    assert max(np.linalg.eigvalsh(operator.to_matrix())) == pytest.approx(2 ** (n - 1))


def test_right_answers_are_certain():
    for name, size in (("mirror", Size(4, 8)), ("qft", Size(4)), ("layer-fidelity", Size(3))):
        _, tasks = scored(name, size, seed=3)
        for task in tasks:
            assert Statevector(task.circuit).probabilities_dict(decimals=9) == pytest.approx(
                {task.facts["answer"]: 1.0}
            )
        assert len({task.facts["answer"] for task in tasks}) > 1


@pytest.mark.parametrize("kept", [0.0, 0.3, 1.0])
def test_the_polarization_of_a_depolarized_state_is_what_was_kept_of_it(kept):
    n, right = 3, "101"
    p = {f"{k:03b}": (1 - kept) / 2**n for k in range(2**n)}
    p[right] += kept
    found = polarization({bits: round(MANY * value) for bits, value in p.items()}, right)
    # on a state that every error moves to any string alike, S = (4^n/(4^n-1)) (kept + (1-kept)/4^n) - 1/(4^n-1) = kept
    assert found.value == pytest.approx(kept, abs=1e-6)


def test_noise_alone_gives_half_of_the_heavy_outputs_and_no_excess():
    benchmark, size = application("quantum-volume"), Size(4)
    tasks = benchmark.circuits(size, shots=16, seed=2)
    assert all(len(task.facts["heavy"]) == 8 for task in tasks)
    flat = Answer({f"{k:04b}": 1000 for k in range(16)})
    found = benchmark.score(size, tasks, [flat] * len(tasks))
    assert found.value == pytest.approx(0.5)
    assert found.details["of_the_exact_excess"].value == pytest.approx(0.0)


def test_wide_random_circuits_have_the_heavy_outputs_of_random_states():
    reference = application("quantum-volume").reference(Size(8), seed=0)
    assert reference == pytest.approx((1 + np.log(2)) / 2, abs=0.02)  # Aaronson, Chen (2017), for wide circuits


def test_a_decay_is_found_within_its_error():
    rng, lengths, alpha, shots = np.random.default_rng(0), (1, 8, 20, 40), 0.97, 4000
    away = []
    for _ in range(200):
        points = [proportion(int(rng.binomial(shots, 0.7 * alpha**m + 0.25)), shots) for m in lengths]
        found = decay(lengths, points, 0.25)
        away.append((found.value - alpha) / found.standard_error)
    assert abs(np.mean(away)) < 0.3  # of 200 draws of width 1
    assert 0.85 < np.std(away) < 1.15


@pytest.mark.slow
def test_the_error_of_a_depolarized_layer_is_that_of_its_channel():
    from qiskit_aer.noise import NoiseModel, depolarizing_error

    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.03, 2), ["cx"])  # rho -> 0.97 rho + 0.03 / 4
    aer = backends.get("aer", noise=model)
    found = measure(application("layer-fidelity"), Size(2), aer, shots=1000, seed=4, account=Account())
    exactly = 1 - (1 + 15 * 0.97) / 16
    assert abs(found.value - exactly) < 4 * found.standard_error
    assert found.standard_error < 0.1 * exactly


@pytest.mark.parametrize("name", ["ghz", "mermin-bell", "qft", "mirror", "quantum-volume", "layer-fidelity"])
def test_noise_alone_has_a_finite_score_or_is_refused(name):
    benchmark = application(name)
    size, rng = benchmark.sizes["quick"][0], np.random.default_rng(0)
    tasks, refused = benchmark.circuits(size, shots=50, seed=0), []
    for _ in range(3):
        drawn = rng.multinomial(50, [2.0**-size.n_qubits] * 2**size.n_qubits, size=len(tasks))
        answers = [Answer({f"{k:0{size.n_qubits}b}": int(n) for k, n in enumerate(row) if n}) for row in drawn]
        try:
            found = benchmark.score(size, tasks, answers)
        except Refused as err:
            refused.append(str(err))
            continue
        assert np.isfinite([found.value, found.standard_error]).all()
        assert found.standard_error > 0
    assert all("no decay can be fitted" in words for words in refused)


def test_throughput_is_layers_over_time():
    benchmark, size = application("throughput"), Size(3, 7)
    tasks = benchmark.circuits(size, shots=100, seed=0)
    assert len(tasks) == 10
    answers = [Answer({"000": 100}, seconds={"total": s, "execute": 1.0}) for s in (2.0, 4.0) for _ in tasks]
    found = benchmark.score(size, [*tasks, *tasks], answers)
    assert found.value == pytest.approx(10 * 100 * 7 / 3.0)
    assert found.standard_error / found.value == pytest.approx(1.0 / 3.0)  # mean 3 s, its error sqrt(2)/sqrt(2) = 1 s
    assert found.details["layers_per_s_running_only"].value == pytest.approx(7000.0)
    with pytest.raises(Refused, match="interrupted"):
        benchmark.score(size, tasks, [Answer({"000": 100})] * 10)


def test_updates_wait_for_the_counts_before():
    rounds = application("throughput").rounds(Size(2), shots=10, seed=0)
    first = next(rounds)
    answers = [Answer({"00": 6, "11": 4}, seconds={"total": 1.0})] * len(first)
    second = rounds.send(answers)
    other = application("throughput").rounds(Size(2), shots=10, seed=0)
    next(other)
    third = other.send([Answer({"00": 5, "11": 5}, seconds={"total": 1.0})] * len(first))
    assert [task.circuit for task in first] == [task.circuit for task in second]
    assert first[0].parameters != second[0].parameters != third[0].parameters


def test_errors_cover_what_shots_scatter():
    ours, scatter = [], []
    statevector = backends.get("statevector")
    for seed in range(10):
        account = Account()
        found = measure(application("quantum-volume"), Size(2), statevector, shots=100, seed=seed, account=account)
        scatter.append(found.value - application("quantum-volume").reference(Size(2), seed=seed))
        ours.append(found.standard_error)
        assert account.n_circuits == 10
    assert np.std(scatter) < 1.3 * np.mean(ours)  # circuits scatter besides, so the errors are larger


def test_a_mean_believes_neither_lucky_circuits_nor_lucky_shots():
    assert mean([Estimate(0.5, 0.1)] * 4).standard_error == pytest.approx(0.05)
    assert mean([Estimate(0.4, 0.0), Estimate(0.6, 0.0)]).standard_error == pytest.approx(0.1)
    assert proportion(0, 100).standard_error > 0


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("ghz", Size(1), "at least 2 qubits"),
        ("ghz", Size(4, 2), "qubits alone"),
        ("mirror", Size(3, 3), "even number of layers"),
        ("quantum-volume", Size(40), "up to 16 qubits"),
        ("throughput", Size(1), "at least 2"),
    ],
)
def test_sizes_without_an_instance_are_refused(name, size, words):
    with pytest.raises(Refused, match=words):
        application(name).check(size)


def test_pairs_of_a_layer_are_disjoint_and_both_layers_hold_every_neighbour():
    for n in range(2, 9):
        pairs = [pair for offset in (0, 1) for pair in chain_pairs(n, offset)]
        assert sorted(pairs) == [(k, k + 1) for k in range(n - 1)]


@pytest.mark.parametrize("text", ["", "x4", "4x", "0", "-3", "4x0", "4 x 8 x 2", "four", "99999"])
def test_words_that_are_no_size_are_refused(text):
    with pytest.raises(Refused, match=r"qubits x layers"):
        Size.of(text)
