import gc
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from scipy.optimize import minimize

from hybrid.optimizers import NelderMead, get


def solvers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "scipy-optimizer"]


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    gc.collect()
    deadline = time.monotonic() + 5.0
    while solvers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert solvers() == []


def test_points_are_scipys(functions, drive):
    """The first round asks for the very points that scipy.optimize.minimize visits."""
    function, seen = functions.mean_field(3), []

    def f(x):
        seen.append(x.copy())
        return float(function.f(x)[0])

    minimize(f, function.start, method="COBYLA", options={"rhobeg": 0.5, "tol": 1e-4, "maxiter": 10**6})
    outcome = drive(get("cobyla"), function.f, function.start, accuracy=1e-6)
    assert np.array_equal(outcome.rows[0], function.start)
    assert np.array_equal(outcome.rows[1 : len(seen) + 1], seen)


def test_nelder_mead_on_rosenbrock(functions, drive):
    function, optimizer = functions.rosenbrock(), get("nelder-mead")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-6)
    assert optimizer.converged(outcome.state)
    assert function.f(optimizer.best(outcome.state))[0] < 1e-6


def test_a_valley_too_long_is_no_convergence(functions, drive):
    """COBYLA creeps along Rosenbrock's valley; it must not call that a minimum."""
    function, optimizer = functions.rosenbrock(), get("cobyla")
    outcome = drive(optimizer, function.f, function.start, accuracy=1e-3)
    assert not optimizer.converged(outcome.state)
    assert "restarts" in optimizer.stalled(outcome.state)


def test_a_flat_curved_valley_is_no_minimum(functions, drive):
    """At an accuracy of 0.01 a restart of COBYLA gains nothing half way down Rosenbrock's valley."""
    function, optimizer = functions.rosenbrock(), get("cobyla")
    for start in ([-1.2, 1.0], [-0.5, -0.1], [-0.8, 0.9], [0.1, -0.4]):
        outcome = drive(optimizer, function.f, np.array(start), accuracy=1e-2, max_steps=2000)
        assert not optimizer.converged(outcome.state) or function.f(optimizer.best(outcome.state))[0] < 1e-2
        assert optimizer.converged(outcome.state) or optimizer.stalled(outcome.state)


@pytest.mark.parametrize("kind", ["cobyla", "nelder-mead"])
def test_a_saddle_is_no_minimum(kind, drive):
    """Of the double well x^4 - x^2 + y^2: all points with x = 0 that are met on the way are left."""

    def f(t):
        x, y = t
        return x**4 - x**2 + y**2, np.array([4 * x**3 - 2 * x, 2 * y])

    optimizer = get(kind, radius=1e-3)
    outcome = drive(optimizer, f, np.array([0.0, 1e-3]), accuracy=1e-4)
    assert optimizer.converged(outcome.state)
    assert f(optimizer.best(outcome.state))[0] == pytest.approx(-0.25, abs=1e-4)


@pytest.mark.parametrize("kind", ["cobyla", "nelder-mead"])
def test_noise_ends_stalled_not_converged(kind, functions, drive):
    function, optimizer = functions.quadratic(4.0, 4), get(kind)
    outcome = drive(optimizer, function.f, function.start, accuracy=0.01, sigma=0.02, max_steps=1000)
    assert not optimizer.converged(outcome.state)
    assert "0.02" in optimizer.stalled(outcome.state)
    assert outcome.steps < 1000


@pytest.mark.parametrize("kind", ["cobyla", "nelder-mead"])
def test_after_the_end_it_asks_for_its_answer(kind, functions, drive, evaluate):
    function, optimizer = functions.sinusoids(2), get(kind)
    state = drive(optimizer, function.f, function.start).state
    for _ in range(3):
        assert np.array_equal(optimizer.ask(state).rows[0], optimizer.best(state))
        state = optimizer.tell(state, evaluate(function.f, optimizer.ask(state)))
        assert optimizer.converged(state)


def test_a_forgotten_run_leaves_no_thread(functions, drive):
    function = functions.sinusoids(2)
    outcome = drive(get("cobyla"), function.f, function.start, max_steps=5)
    assert len(solvers()) == 1
    del outcome


def test_an_error_inside_the_solver_comes_out(functions, evaluate, monkeypatch):
    function, optimizer = functions.sinusoids(2), get("nelder-mead")

    def broken(self, function, theta, **_):
        function(theta)
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(NelderMead, "_round", broken)
    state = optimizer.init(function.start, accuracy=1e-6, seed=0)
    state = optimizer.tell(state, evaluate(function.f, optimizer.ask(state)))
    for _ in range(2):  # again from the same state: the run is repeated, and ends alike
        with pytest.raises(ZeroDivisionError, match="inside"):
            optimizer.tell(state, evaluate(function.f, optimizer.ask(state)))


SCRIPT = """
import os, signal, sys
import numpy as np
from hybrid.optimizers import Told, get
optimizer = get("cobyla")
state = optimizer.init(np.ones(3), accuracy=1e-6, seed=0)
for _ in range(5):
    state = optimizer.tell(state, Told(np.array([1.0]), np.zeros(1), None))
print("standing", flush=True)
if sys.argv[1] == "interrupt":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background of a shell ignore it
    os.kill(os.getpid(), signal.SIGINT)
elif sys.argv[1] == "fork":
    child = os.fork()
    after = optimizer.tell(state, Told(np.array([1.0]), np.zeros(1), None))
    if child:
        assert os.waitpid(child, 0)[1] == 0
    print(optimizer.ask(after).rows.tolist())
"""


@pytest.mark.parametrize(("how", "code"), [("exit", 0), ("interrupt", -2), ("fork", 0)])
def test_python_ends_at_once(how, code):
    """With a solver standing between two values: at the end of the script, on Ctrl-C, and in a forked child, too."""
    answer = subprocess.run([sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, timeout=60)
    assert answer.returncode == code, answer.stderr
    lines = answer.stdout.split("\n")
    assert lines[0] == "standing"
    if how == "fork":
        assert lines[1] == lines[2] != ""
