"""What every optimizer promises. A new one is tested by being named in `hybrid.optimizers.registry.BUILT_IN`."""

import itertools
import json
import os
import pickle
import runpy
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.errors import FailedJob, Refused
from hybrid.optimizers import Optimizer, Told, get, names

ACCURACY = {"spsa": 1e-2, "qn-spsa": 1e-2, "surrogate": 1e-4}
"""Of those that need very many, or slow, steps for more; all others 1e-6."""

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


DEFAULTS = [get(name) for name in names()]

NESTED = [
    get("multistart", inner="cobyla", starts=3),
    get("multistart", inner={"kind": "basin-hopping", "inner": "rotosolve", "patience": 2}, starts=2),
    get("basin-hopping", inner="cma-es", temperature=0.5, patience=2),
    get("multistart", inner="natural-gradient", starts=3),
    get("multistart", inner={"kind": "basin-hopping", "inner": "natural-gradient", "patience": 2}, starts=2),
]


@pytest.fixture(params=DEFAULTS + NESTED, ids=lambda o: "-".join(str(v) for v in words(o)))
def optimizer(request) -> Optimizer:
    return request.param


def words(optimizer: Optimizer) -> list[str]:
    """The kinds from the outside in."""
    inner = getattr(optimizer, "inner", None)
    return [optimizer.kind] + (words(inner) if isinstance(inner, Optimizer) else [])


def test_converged_means_within_the_accuracy(optimizer, functions, drive):
    accuracy = ACCURACY.get(optimizer.kind, 1e-6)
    for function in (functions.quadratic(4.0, 3), functions.sinusoids(5), functions.mean_field(4)):
        outcome = drive(optimizer, function.f, function.start, accuracy=accuracy)
        assert optimizer.converged(outcome.state)
        assert not optimizer.stalled(outcome.state)
        error = function.f(optimizer.best(outcome.state))[0] - function.minimum
        assert -1e-12 < error < accuracy
        assert function.f(function.start)[0] - function.minimum > 30 * accuracy  # the case is not trivial


@pytest.mark.parametrize("accuracy", [0.02, 0.05, 0.2])
def test_converged_in_noise_means_within_the_accuracy(accuracy, optimizer, functions, drive):
    """Standard errors of 0.02: it may give up, but what it calls converged is so, in four of five runs at least.

    An accuracy of one standard error is missed by natural gradients in one run of 60, by a fifth of it.
    """
    function, missed = functions.quadratic(4.0, 4), []
    for seed in range(5):
        outcome = drive(optimizer, function.f, function.start, accuracy=accuracy, sigma=0.02, seed=seed, max_steps=600)
        error = function.f(optimizer.best(outcome.state))[0] - function.minimum
        if error >= accuracy and optimizer.converged(outcome.state):
            missed.append(error)
        assert optimizer.converged(outcome.state) or accuracy < 0.2
    assert len(missed) <= (accuracy == 0.02)
    assert all(error < 1.5 * accuracy for error in missed)


def test_never_converged_inside_the_standard_error(optimizer, functions, drive):
    """An accuracy of a hundredth of the errors takes 10,000 values at the very least; these are a few hundred."""
    function = functions.mean_field(3)
    outcome = drive(optimizer, function.f, function.start, accuracy=2e-4, sigma=0.02, max_steps=150)
    assert not optimizer.converged(outcome.state)
    assert len(outcome.rows) < 10_000


def test_tell_is_pure(optimizer, functions, evaluate):
    """Told the same twice, an old state answers the same twice, and is not changed by what follows it."""
    function = functions.mean_field(4)
    state, states = optimizer.init(function.start, accuracy=1e-6, seed=3), []
    for _ in range(12):
        told = evaluate(function.f, optimizer.ask(state))
        states.append((state, told, optimizer.ask(state).rows.copy()))
        state = optimizer.tell(state, told)
    for (old, told, rows), (_, _, following) in itertools.pairwise(states):
        assert np.array_equal(optimizer.ask(old).rows, rows)
        assert np.array_equal(optimizer.ask(optimizer.tell(old, told)).rows, following)
        assert np.array_equal(optimizer.ask(pickle.loads(pickle.dumps(optimizer.tell(old, told)))).rows, following)


def test_other_values_branch_off(optimizer, functions, evaluate):
    """Two futures of one state live side by side."""
    function = functions.sinusoids(3)
    state = optimizer.init(function.start, accuracy=1e-6, seed=0)
    for _ in range(8):
        state = optimizer.tell(state, evaluate(function.f, optimizer.ask(state)))

    def future(state, f):
        asked = []
        for _ in range(6):
            state = optimizer.tell(state, evaluate(f, optimizer.ask(state)))
            asked.append(optimizer.ask(state).rows)
            yield state, asked

    def other(x):
        return function.f(x)[0] + x.sum(), function.f(x)[1] + 1.0

    ours, theirs, again = future(state, function.f), future(state, other), future(state, function.f)
    for (_, a), _, (_, b) in zip(ours, theirs, again, strict=True):  # taking turns
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_what_is_told_and_asked_can_be_overwritten(optimizer, functions, evaluate, drive):
    function = functions.sinusoids(3)
    start = function.start.copy()
    expected = drive(optimizer, function.f, start, max_steps=15).rows
    state, rows = optimizer.init(start, accuracy=1e-6, seed=0), []
    start[:] = np.nan
    while len(rows) < len(expected):
        points = optimizer.ask(state)
        rows.extend(points.rows)
        told = evaluate(function.f, points)
        state = optimizer.tell(state, told)
        told.values[:] = np.nan
        if told.gradients is not None:
            told.gradients[:] = np.nan
    assert np.array_equal(rows, expected)


SCRIPT = """
import hashlib, json, sys
import numpy as np
from hybrid.optimizers import Told, get
fingerprints = []
every, vectors = json.loads(sys.argv[1])
for n_params, steps, descriptions in ((5, 60, every), (150, 20, every), (20_000, 8, vectors)):
    for description in descriptions:
        optimizer, digest = get(**description), hashlib.sha256()
        state = optimizer.init(np.linspace(-1.0, 1.0, n_params), accuracy=1e-6, seed=7)
        for k in range(steps):
            points = optimizer.ask(state)
            digest.update(points.rows.tobytes())
            x = points.rows - np.arange(n_params)
            x = x + 0.1 * np.roll(x, 1, axis=1)
            apart = (points.rows[:, None] if points.pairs is None else points.pairs)[:, [0, -1]]
            fidelities = np.exp(-((apart[:, 0] - apart[:, 1]) ** 2).sum(axis=1))
            metrics = np.tile(np.eye(n_params), (len(x), 1, 1)) if points.metric else None
            told = Told(-np.cos(x).sum(axis=1), np.zeros(len(x)), np.sin(x), metrics, fidelities)
            state = optimizer.tell(state, told)
        fingerprints.append(digest.hexdigest())
print(json.dumps(fingerprints))
"""


def test_same_bits_in_another_process_on_other_threads(tmp_path, monkeypatch, capsys):
    """Replayed from the values elsewhere, every point asked for is the same to the last bit.

    With so many parameters, too, that LAPACK's factors and eigenvectors differ with the number of threads, and with
    so many more that scalar products do.
    """
    script = tmp_path / "fingerprints.py"
    script.write_text(SCRIPT)
    every = [optimizer.describe() for optimizer in DEFAULTS + NESTED]
    arguments = [json.dumps([every, [o for o in every if o["kind"] in ("adam", "lbfgs", "spsa")]])]
    threads = "4" if os.environ.get("OMP_NUM_THREADS") == "1" else "1"
    environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    command = [sys.executable, "-c", SCRIPT, *arguments]
    there = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env=environment)
    monkeypatch.setattr(sys, "argv", [str(script), *arguments])
    runpy.run_path(str(script))
    assert there.stderr == ""
    assert there.stdout == capsys.readouterr().out
    few = json.loads(there.stdout)[: len(DEFAULTS + NESTED)]
    assert len(set(few)) == len(few)  # no two ask for the same points


@pytest.mark.parametrize("n", [0, 1])
def test_few_parameters(optimizer, n, drive):
    outcome = drive(optimizer, lambda x: (-np.cos(x).sum(), np.sin(x)), np.full(n, 0.7), accuracy=1e-3)
    assert optimizer.converged(outcome.state)
    assert optimizer.best(outcome.state).shape == (n,)
    assert np.all(1.0 - np.cos(optimizer.best(outcome.state)) < 1e-3)
    assert outcome.steps == 1 or n == 1


def test_without_parameters_one_value_is_enough_in_noise_too(optimizer, drive):
    outcome = drive(optimizer, lambda x: (1.0, x), np.zeros(0), accuracy=0.1, sigma=0.02)
    assert outcome.steps == 1
    assert optimizer.converged(outcome.state)


def test_a_function_without_slope_ends(optimizer, drive):
    outcome = drive(optimizer, lambda x: (-3.0, np.zeros_like(x)), np.array([0.1, 0.2]), max_steps=200)
    assert optimizer.converged(outcome.state)


def test_points_have_the_promised_shapes(optimizer, functions, drive):
    function = functions.sinusoids(4)
    points = optimizer.ask(optimizer.init(function.start, accuracy=1e-3, seed=0))
    assert points.gradient == optimizer.uses_gradient
    assert points.rows.dtype == np.float64
    outcome = drive(optimizer, function.f, function.start, max_steps=20)
    assert outcome.steps <= 20
    assert outcome.rows.shape[1] == 4
    assert optimizer.best(outcome.state).shape == (4,)


@pytest.mark.parametrize("where", ["values", "standard_errors", "gradients"])
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused_with_the_point(optimizer, where, poison, evaluate, functions):
    if where == "gradients" and not optimizer.uses_gradient:
        pytest.skip("asks for no gradients")
    function = functions.sinusoids(2)
    state = optimizer.init(np.array([0.125, 0.25]), accuracy=1e-6, seed=0)
    told = evaluate(function.f, optimizer.ask(state))
    getattr(told, where)[0] = poison
    point = optimizer.ask(state).rows[0]
    with pytest.raises(FailedJob, match="theta = ") as caught:
        optimizer.tell(state, told)
    assert all(repr(float(x)) in str(caught.value) for x in point)


def test_wrong_shapes_are_refused(optimizer, evaluate, functions):
    function = functions.sinusoids(2)
    state = optimizer.init(np.array([0.1, 0.2]), accuracy=1e-6, seed=0)
    told = evaluate(function.f, optimizer.ask(state))
    with pytest.raises(Refused, match="shape"):
        optimizer.tell(state, Told(told.values[:, None], told.standard_errors, told.gradients))
    if optimizer.uses_gradient:
        with pytest.raises(Refused, match="gradients"):
            optimizer.tell(state, Told(told.values, told.standard_errors, None))


@pytest.mark.parametrize(
    ("theta", "accuracy", "match"),
    [
        ([[0.1]], 1e-3, "one row"),
        ([np.nan], 1e-3, r"theta\[0\]"),
        ([0.1], 0.0, "accuracy"),
        ([0.1], np.nan, "accuracy"),
    ],
)
def test_bad_starts_are_refused(optimizer, theta, accuracy, match):
    with pytest.raises(Refused, match=match):
        optimizer.init(np.array(theta), accuracy=accuracy, seed=0)


def test_descriptions_make_it_again(optimizer):
    description = json.loads(json.dumps(optimizer.describe()))
    assert get(**description) == optimizer
    assert hash(get(**description)) == hash(optimizer)


def test_guesses_are_positive_and_bounded(optimizer):
    for n_params in (0, 1, 100):
        rows = optimizer.ask(optimizer.init(np.zeros(n_params), accuracy=1e-3, seed=0)).rows
        assert 1 <= optimizer.evaluations(n_params, 50) <= 51 * len(rows)


def test_guesses_are_of_the_right_size(optimizer, functions, drive):
    """For a smooth landscape and an accuracy of 1e-6: what a plan is made from is no more than eight times off."""
    if optimizer.kind == "spsa":
        pytest.skip("takes all the steps there are at this accuracy")
    function = functions.sinusoids(8)
    outcome = drive(optimizer, function.f, function.start)
    assert optimizer.converged(outcome.state)
    assert 1 / 8 < optimizer.evaluations(8, 3000) / len(outcome.rows) < 8


@settings(max_examples=15, deadline=None)
@given(offset=st.floats(-1e4, 1e4), scale=st.floats(0.1, 10.0), seed=st.integers(0, 1000))
@pytest.mark.parametrize("kind", [name for name in names() if ACCURACY.get(name, 0.0) <= 1e-4])
def test_any_scale_and_offset(kind, offset, scale, seed, functions, drive):
    """Accuracy 1e-4 of sinusoids of any height, on any background: rounding is 1e-12 there."""
    function = functions.sinusoids(2, seed)
    optimizer = get(kind)

    def f(x):
        value, gradient = function.f(x)
        return offset + scale * value, scale * gradient

    outcome = drive(optimizer, f, function.start, accuracy=1e-4, max_steps=600)
    assert optimizer.converged(outcome.state)
    error = f(optimizer.best(outcome.state))[0] - offset - scale * function.minimum
    assert error < 1e-4 or np.linalg.norm(f(optimizer.best(outcome.state))[1]) < 1e-2 * scale  # a maximum of one cosine
