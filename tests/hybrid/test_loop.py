import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

import backends
import hybrid
from circuits import Problem, hamiltonian_variational, hardware_efficient, tfim
from circuits.errors import FailedJob, PolicyViolation, Refused
from hybrid.optimizers import names


@pytest.fixture
def small():
    problem = tfim(3)
    return hamiltonian_variational(problem, layers=3), problem


def test_energy_reaches_the_closed_form(small, tmp_path):
    # TFIM, open chain of 3, J = h = 1: lowest energy -2 sum_k cos(k pi / 7) over k = 1, 3, 5 ... = 1 - csc(pi / 14).
    result = hybrid.minimize(*small, backend="statevector", folder=tmp_path / "run")
    closed = 1 - 1 / np.sin(np.pi / (2 * (2 * 3 + 1)))
    assert result.status == "converged"
    assert result.energy == pytest.approx(closed, abs=1e-6)  # the accuracy asked for
    assert result.exact_energy == pytest.approx(closed, abs=1e-10)
    assert 0 <= result.error < 1e-6


def test_the_start_is_not_the_end(small, tmp_path):
    result = hybrid.minimize(*small, backend="statevector", folder=tmp_path / "run")
    assert result.history.energy[0] > result.energy + 0.1
    assert len(result.history) == result.evaluations > 5


@pytest.mark.parametrize("optimizer", names())
def test_the_same_seed_gives_the_same_bits(small, tmp_path, optimizer):
    runs = [
        hybrid.minimize(*small, optimizer=optimizer, backend="reference", max_steps=15, folder=tmp_path / f"{k}")
        for k in range(2)
    ]
    assert runs[0].history.same_bits(runs[1].history)
    assert runs[0].energy == runs[1].energy


def test_shots_depend_on_the_seed_and_on_the_evaluation(small, tmp_path):
    def run(name, seed):
        return hybrid.minimize(
            *small, optimizer="spsa", backend="statevector", shots=64, seed=seed, max_steps=5, folder=tmp_path / name
        )

    one, again, other = run("a", 1), run("b", 1), run("c", 2)
    assert one.history.same_bits(again.history)
    assert not one.history.same_bits(other.history)
    assert np.all(one.history.standard_error > 0)
    repeated = hybrid.minimize(
        *small,
        optimizer="spsa",
        backend="statevector",
        shots=64,
        seed=1,
        theta=[0.0] * 6,
        max_steps=5,
        folder=tmp_path / "d",
    )
    assert len(set(repeated.history.energy)) > 3  # one seed for every evaluation would correlate the noise


def test_max_steps_is_a_status(small, tmp_path):
    result = hybrid.minimize(*small, backend="reference", max_steps=2, folder=tmp_path / "run")
    assert result.status == "max_steps"
    assert result.steps == 2


def test_an_energy_below_the_exact_one_is_never_a_success(tmp_path):
    hamiltonian = SparsePauliOp(["Z"], [1.0])
    problem = Problem(hamiltonian, name="wrong on purpose", solve=lambda: -0.5)
    result = hybrid.minimize(hardware_efficient(1, layers=1), problem, backend="reference", folder=tmp_path / "run")
    assert result.energy < -0.9
    assert result.status == "below_exact"
    assert "below" in result.message


def test_stopping_and_resuming_gives_the_same_bits(small, tmp_path):
    whole = hybrid.minimize(*small, backend="reference", folder=tmp_path / "whole")
    asked = []

    def after_five():
        asked.append(True)
        return len(asked) > 5

    part = hybrid.minimize(*small, backend="reference", folder=tmp_path / "part", should_stop=after_five)
    assert part.status == "stopped"
    assert part.energy == part.history.energy.min()
    assert part.theta.tobytes() == part.history.theta[part.history.energy.argmin()].tobytes()
    resumed = hybrid.resume(tmp_path / "part")
    assert resumed.status == "converged"
    assert resumed.history.same_bits(whole.history)
    assert resumed.theta.tobytes() == whole.theta.tobytes()


def test_resuming_a_finished_run_computes_nothing(small, tmp_path, monkeypatch):
    done = hybrid.minimize(*small, backend="reference", folder=tmp_path / "run")
    monkeypatch.setattr("hybrid.loop.run_to_end.evaluator", None)
    again = hybrid.resume(tmp_path / "run")
    assert again.history.same_bits(done.history)
    assert again.seconds == done.seconds


def test_a_backend_object_must_be_given_again(small, tmp_path):
    from qiskit.providers.fake_provider import GenericBackendV2

    device = GenericBackendV2(3, seed=1)
    run = hybrid.minimize(
        *small, backend=device, optimizer="spsa", max_steps=2, accuracy=0.1, shots=50, folder=tmp_path / "run"
    )
    assert run.standard_error > 0
    with pytest.raises(Refused, match=r"backend="):
        hybrid.resume(tmp_path / "run")
    assert hybrid.resume(tmp_path / "run", backend=device).energy == run.energy


def test_a_circuit_without_parameters_is_evaluated(tmp_path):
    result = hybrid.minimize(QuantumCircuit(2), SparsePauliOp("ZZ"), backend="statevector", folder=tmp_path / "run")
    assert result.energy == pytest.approx(1.0, abs=1e-12)


def test_keyboard_interrupt_keeps_the_work(small, tmp_path):
    asked = []

    def interrupt():
        asked.append(True)
        if len(asked) > 4:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt) as caught:
        hybrid.minimize(*small, backend="reference", folder=tmp_path / "run", should_stop=interrupt)
    assert any("hybrid.resume" in note for note in caught.value.__notes__)
    whole = hybrid.minimize(*small, backend="reference", folder=tmp_path / "whole")
    assert hybrid.resume(tmp_path / "run").history.same_bits(whole.history)


X = Parameter("x")


def _measured():
    circuit = QuantumCircuit(3)
    circuit.rx(X, 0)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optimizer": "lbgfs"}, ["lbgfs", "lbfgs"]),
        ({"backend": "statevectr"}, ["statevectr", "statevector"]),
        ({"theta": [0.1]}, ["6 free parameters", "(1,)"]),
        ({"theta": [0.1] * 7}, ["6 free parameters", "(7,)"]),
        ({"theta": [0.1, np.nan, 0, 0, 0, 0]}, ["nan", "row 0"]),
        ({"accuracy": -1}, ["accuracy", "-1"]),
        ({"accuracy": np.nan}, ["accuracy", "nan"]),
        ({"max_steps": 0}, ["max_steps", "0"]),
        ({"seed": -3}, ["seed", "-3"]),
        ({"shots": 0}, ["shots", "0"]),
        ({"label": "opn"}, ["opn", "open"]),
        ({"circuit": hardware_efficient(4, layers=1)}, ["3 qubits", "4"]),
        ({"circuit": _measured()}, ["measurements"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_wrong_input_is_refused_and_nothing_is_written(small, tmp_path, change, words):
    circuit, problem = small
    arguments = {"backend": "reference", "folder": tmp_path / "run"} | change
    with pytest.raises(Refused) as caught:
        hybrid.minimize(arguments.pop("circuit", circuit), problem, **arguments)
    for word in words:
        assert word in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_a_run_is_not_overwritten(small, tmp_path):
    hybrid.minimize(*small, backend="reference", max_steps=2, folder=tmp_path / "run")
    before = (tmp_path / "run" / "journal.sqlite").read_bytes()
    with pytest.raises(Refused, match="holds a run already"):
        hybrid.minimize(*small, backend="reference", folder=tmp_path / "run")
    assert (tmp_path / "run" / "journal.sqlite").read_bytes() == before


def test_the_same_question_goes_on_in_its_folder(small, tmp_path):
    def ask(**change):
        return hybrid.minimize(*small, **{"backend": "reference", "folder": tmp_path / "run"} | change)

    asked = iter([False] * 5 + [True] * 100)
    assert ask(should_stop=lambda: next(asked)).status == "stopped"
    for change in ({"seed": 1}, {"backend": "statevector"}, {"accuracy": 1e-3}, {"theta": [0.1] * 6}):
        with pytest.raises(Refused, match=f"asks something else .{next(iter(change))}"):
            ask(**change)
    finished = ask()
    assert finished.status == "converged"
    whole = hybrid.minimize(*small, backend="reference", folder=tmp_path / "whole")
    assert finished.history.same_bits(whole.history)
    assert ask(backend="auto").to_dict() == finished.to_dict()  # read, not run


def test_restricted_data_stay_here(small, tmp_path):
    from backends.base import Capabilities
    from backends.simulators.reference import Reference

    class Outside(Reference):
        def capabilities(self) -> Capabilities:
            can = super().capabilities()
            return Capabilities(can.name, can.summary, can.max_qubits, True, False, can.gradient, place="provider")

    with pytest.raises(PolicyViolation, match="may not leave"):
        hybrid.minimize(*small, backend=Outside(), label="restricted", folder=tmp_path / "run")
    assert hybrid.minimize(*small, backend=Outside(), label="open", max_steps=1, folder=tmp_path / "run").steps == 1


def test_a_backend_that_fails_loses_nothing(small, tmp_path, monkeypatch):
    from hybrid.loop.evaluator import Evaluator

    whole = hybrid.minimize(*small, backend="reference", folder=tmp_path / "whole")
    evaluate = Evaluator.__call__

    def fail_at_seven(self, points, number):
        if number == 7:
            raise FailedJob("the machine caught fire")
        return evaluate(self, points, number)

    monkeypatch.setattr(Evaluator, "__call__", fail_at_seven)
    with pytest.raises(FailedJob, match="fire"):
        hybrid.minimize(*small, backend="reference", folder=tmp_path / "run")
    monkeypatch.setattr(Evaluator, "__call__", evaluate)
    assert hybrid.resume(tmp_path / "run").history.same_bits(whole.history)


def test_a_changed_ansatz_needs_a_start_of_its_own(small, tmp_path):
    circuit, problem = small
    circuit.rx(Parameter("more"), 0)
    with pytest.raises(Refused, match="give theta"):
        hybrid.minimize(circuit, problem, backend="reference", folder=tmp_path / "run")
    theta = np.zeros(circuit.num_parameters)
    assert hybrid.minimize(
        circuit, problem, backend="reference", theta=theta, max_steps=1, folder=tmp_path / "run"
    ).steps


def test_two_new_runs_never_share_a_folder(small, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    def attempt(k):
        try:
            return hybrid.minimize(*small, backend="reference", seed=k, max_steps=3, folder=tmp_path / "run").energy
        except Refused as err:
            return str(err)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, range(4)))
    (winner,) = [answer for answer in answers if isinstance(answer, float)]
    assert hybrid.resume(tmp_path / "run").energy == winner


def test_single_precision_is_held_against_double(tmp_path):
    problem, circuit = tfim(4), hardware_efficient(4)
    single = backends.get("statevector", precision="single")
    result = hybrid.minimize(circuit, problem, backend=single, accuracy=1e-3, folder=tmp_path / "single")
    double = backends.get("statevector").prepare(circuit, problem)(result.theta).values[0, 0]
    assert result.rounding == pytest.approx(result.energy - double, abs=1e-12)
    assert 0 < abs(result.rounding) < 1e-4
    assert "double precision" in str(result)
    assert hybrid.minimize(circuit, problem, backend="statevector", max_steps=2, folder=tmp_path / "d").rounding is None


@pytest.mark.parametrize(
    ("backend", "options"),
    [("statevector", {}), ("aer", {}), ("aer", {"noise_model": "fake_manila"})],
    ids=["sampled", "sampled elsewhere", "noisy"],
)
def test_the_answer_of_a_noisy_run_is_validated_exactly(small, tmp_path, backend, options):
    circuit, problem = small
    result = hybrid.minimize(
        *small,
        optimizer="surrogate",
        backend=backends.get(backend, **options),
        shots=500,
        accuracy=0.1,
        max_steps=2,
        folder=tmp_path / "run",
    )
    reference = backends.get("reference").prepare(circuit, problem.hamiltonian)(result.theta).values[0, 0]
    assert result.validated == pytest.approx(reference, abs=1e-10)
    assert result.energy != result.validated
    noisy = backends.get(backend, **options).capabilities().noise
    assert noisy or abs(result.energy - result.validated) < 5 * result.standard_error
    assert result.to_dict()["validated"] == result.validated
    assert "at these parameters, on a simulator" in str(result)


def test_exact_runs_need_no_validation(small, tmp_path):
    assert hybrid.minimize(*small, backend="reference", max_steps=2, folder=tmp_path / "run").validated is None
