import subprocess
import sys

import pytest

import hybrid.optimizers
from circuits.errors import Refused
from hybrid.optimizers import get, names


def test_names():
    assert names() == sorted(names())
    assert {"adam", "cma-es", "lbfgs", "multistart"} < set(names())
    assert [get(name).kind for name in names()] == names()
    assert get("nelder_mead") == get("Nelder-Mead") == hybrid.optimizers.NelderMead()


def test_every_public_name_is_there():
    assert sorted(hybrid.optimizers.__all__) == sorted(set(hybrid.optimizers.__all__))
    for name in hybrid.optimizers.__all__:
        assert getattr(hybrid.optimizers, name) is not None
    with pytest.raises(AttributeError):
        hybrid.optimizers.Newton  # noqa: B018


def test_an_optimizer_passes_through():
    adam = get("adam", learning_rate=0.1)
    assert get(adam) is adam
    with pytest.raises(Refused, match="no effect"):
        get(adam, learning_rate=0.2)


@pytest.mark.parametrize(
    ("kind", "options", "match"),
    [
        ("lbgfs", {}, "did you mean 'lbfgs'"),
        (7, {}, "must be one of"),
        ("adam", {"learning_rat": 0.1}, "did you mean 'learning_rate'"),
        ("rotosolve", {"memory": 1}, "unknown option"),
        ("adam", {"learning_rate": -0.1}, "learning_rate must be a number"),
        ("adam", {"b1": 1.0}, "b1 must be"),
        ("lbfgs", {"memory": 0}, "memory must be a whole number between 1 and 1000"),
        ("lbfgs", {"memory": 2.5}, "memory must be a whole number"),
        ("lbfgs", {"memory": True}, "memory must be a whole number"),
        ("spsa", {"calibration": "ten"}, "calibration must be a whole number"),
        ("cobyla", {"radius": float("nan")}, "radius must be a finite number"),
        ("cma-es", {"population": 3}, "population must be a whole number between 4"),
        ("cma-es", {"sigma": 0.0}, "sigma must be a number"),
        ("differential-evolution", {"population": 2.5}, "population must be a whole number"),
        ("multistart", {"starts": 0}, "starts must be a whole number"),
        ("multistart", {"inner": "lbgfs"}, "did you mean 'lbfgs'"),
        ("multistart", {"inner": {"memory": 3}}, "inner must be the name of an optimizer, or a table"),
        ("multistart", {"inner": {"kind": "lbfgs", "memry": 3}}, "option of optimizer lbfgs: .*did you mean 'memory'"),
        ("multistart", {"inner": {"kind": "lbfgs", "memory": 0}}, "optimizer lbfgs: memory must be"),
        ("basin-hopping", {"inner": 7}, "inner must be"),
        ("basin-hopping", {"temperature": -1.0}, "temperature must be"),
        ("basin-hopping", {"patience": 0}, "patience must be"),
    ],
)
def test_wrong_names_and_settings_are_refused(kind, options, match):
    with pytest.raises(Refused, match=match):
        get(kind, **options)


def test_importing_loads_nothing_heavy():
    script = (
        "import sys, hybrid.optimizers; print([m for m in ('jax', 'optax', 'scipy', 'qiskit') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert answer.stdout.strip() == "[]"
