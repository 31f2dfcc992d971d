import numpy as np
import pytest

import backends
import hybrid
from circuits import hamiltonian_variational, hardware_efficient, tfim
from circuits.errors import FailedJob, Refused
from hybrid.optimizers import Told, get
from hybrid.optimizers.natural_gradient import natural
from hybrid.runs import journal


@pytest.fixture
def run(tmp_path):
    def run(optimizer, backend="statevector", layers=2, **options):
        problem = tfim(3)
        return hybrid.minimize(
            hamiltonian_variational(problem, layers=layers),
            problem,
            optimizer=optimizer,
            backend=backend,
            theta=np.random.default_rng(0).normal(scale=0.5, size=2 * layers),
            folder=tmp_path / str(len(list(tmp_path.iterdir()))),
            **options,
        )

    return run


def test_natural_gradient_solves_the_metric():
    rng = np.random.default_rng(0)
    B, gradient = rng.normal(size=(5, 5)), rng.normal(size=5)
    g = B @ B.T
    assert natural(g, gradient[None], 0.1)[0] == pytest.approx(np.linalg.solve(g + 0.1 * np.eye(5), gradient))
    # Estimates may be indefinite: diag(2, -1) counts as diag(2, 1).
    assert natural(np.diag([2.0, -1.0]), np.array([[1.0, 1.0]]), 0.0)[0] == pytest.approx(np.array([0.5, 1.0]))
    assert natural(np.zeros((2, 2)), np.ones((1, 2)), 0.0)[0] == pytest.approx(np.zeros(2))


def test_the_path_does_not_depend_on_the_scale_of_parameters(evaluate, functions):
    """theta = s phi has the metric s^2 g: without regularization the points are the same, whatever s."""
    function, optimizer = functions.mean_field(4), get("natural-gradient", regularization=0.0, line_search=False)
    s, paths = np.array([0.5, 1.0, 2.0, 3.0]), []
    for scale in (np.ones(4), s):
        state, path = optimizer.init(function.start / scale, accuracy=1e-6, seed=0), []
        for _ in range(10):
            theta = optimizer.ask(state).rows[0] * scale
            value, gradient = function.f(theta)
            told = Told(np.array([value]), np.zeros(1), (gradient * scale)[None], np.diag(scale**2)[None])
            path.append(theta)
            state = optimizer.tell(state, told)
        paths.append(path)
    assert np.ptp(paths[0], axis=0).min() > 0.01
    assert np.array(paths[0]) == pytest.approx(np.array(paths[1]), abs=1e-12)


def test_one_qubit_follows_a_great_circle(tmp_path):
    """On U = RZ(b) RY(a) with <Z>, g = diag(1, sin^2 a) / 4: only a moves, by 4 eta sin a (b is felt nowhere)."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector
    from qiskit.quantum_info import SparsePauliOp

    t, circuit = ParameterVector("t", 2), QuantumCircuit(1)
    circuit.ry(t[0], 0)
    circuit.rz(t[1], 0)
    eta = 0.05
    result = hybrid.minimize(
        circuit,
        SparsePauliOp("Z"),
        optimizer=get("natural-gradient", learning_rate=eta, regularization=0.0, line_search=False),
        theta=[0.5, 0.3],
        max_steps=8,
        backend="statevector",
        folder=tmp_path / "run",
    )
    a = [0.5]
    for _ in range(7):
        a.append(a[-1] + 4 * eta * np.sin(a[-1]))
    assert result.history.theta[:8, 0] == pytest.approx(a, abs=1e-12)
    assert result.history.theta[:8, 1] == pytest.approx(0.3, abs=1e-12)


def test_metric_of_the_engine_and_by_shifts_lead_the_same_way(run):
    one, other = run("natural-gradient", max_steps=12), run("natural-gradient", "reference", max_steps=12)
    assert one.history.energy == pytest.approx(other.history.energy, abs=1e-9)
    assert one.history.energy[0] - one.energy > 0.1


def test_fewer_steps_than_adam(run):
    result, adam = (run(kind, layers=3, max_steps=300) for kind in ("natural-gradient", "adam"))
    assert result.status == "converged"
    assert 0 <= result.error < 1e-6
    assert 2 * result.evaluations < adam.evaluations


def test_blocks_take_another_way_to_the_same_minimum(run):
    full, blocks = (run(get("natural-gradient", metric=part), max_steps=20) for part in ("full", "block-diagonal"))
    assert np.array_equal(full.history.theta[0], blocks.history.theta[0])
    assert not np.array_equal(full.history.theta[1], blocks.history.theta[1])
    assert blocks.energy < blocks.history.energy[0] - 0.1


def test_shots_everywhere_on_a_sampling_backend(run):
    """Values, gradients and metric all from counts of Aer; the metric is that of the engine, within its noise."""
    result = run("natural-gradient", "aer", layers=1, shots=300, accuracy=0.1, max_steps=2)
    assert np.all(result.history.standard_error > 0)
    (first, *_) = journal.read(result.folder / "journal.sqlite").evaluations
    circuit = hamiltonian_variational(tfim(3), layers=1)
    exact = backends.get("statevector").metric(circuit)(first.theta[0])
    assert first.told.metrics[0] == pytest.approx(exact, abs=0.5)
    assert not np.array_equal(first.told.metrics[0], exact)


def test_backends_without_states_are_refused_before_anything_runs(run, tmp_path):
    with pytest.raises(Refused, match="'aer' hands out no states"):
        run("natural-gradient", "aer")
    assert list(tmp_path.iterdir()) == []
    plan = hybrid.plan(hardware_efficient(2, layers=1), tfim(2), optimizer="natural-gradient")
    assert "statevector" in [way.name for way in plan.ways]
    assert "lightning" in [refusal.name for refusal in plan.refusals]


def test_missing_and_infinite_metrics_are_refused():
    optimizer = get("natural-gradient")
    state = optimizer.init(np.array([0.125, 0.25]), accuracy=1e-6, seed=0)
    value, gradient = np.zeros(1), np.ones((1, 2))
    with pytest.raises(Refused, match=r"metrics must have shape \(1, 2, 2\)"):
        optimizer.tell(state, Told(value, value, gradient))
    with pytest.raises(FailedJob, match=r"metrics at theta = \[0.125, 0.25\] is nan"):
        optimizer.tell(state, Told(value, value, gradient, np.array([[[1.0, np.nan], [0.0, 1.0]]])))


def test_a_fixed_step_that_circles_answers_with_the_lowest_point(functions, drive):
    function, optimizer = functions.quadratic(4.0, 3), get("natural-gradient", line_search=False, learning_rate=2.5)
    outcome = drive(optimizer, function.f, function.start, max_steps=20)
    assert function.f(optimizer.best(outcome.state))[0] == min(told.values[0] for told in outcome.told)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"metric": "blok-diagonal"}, "did you mean 'block-diagonal'"),
        ({"regularization": -1.0}, "regularization must be a number of at least 0"),
        ({"line_search": 1}, "line_search must be true or false"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
    ],
)
def test_wrong_settings_are_refused(options, match):
    with pytest.raises(Refused, match=match):
        get("natural-gradient", **options)
