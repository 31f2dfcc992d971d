"""An algorithm whose backend fails goes on at another in every kind of stage, and the next stages begin there."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import backends.registry
import hybrid
from backends.simulators.reference import Reference
from circuits import hardware_efficient, maxcut, tfim
from circuits.errors import FailedJob, Refused

sys.path.insert(0, str(Path(__file__).parent))

SQUARE = maxcut([(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)])


class Mortal(Reference):
    """The reference, whose device is away from some call on."""

    lives = 10**9

    def _call(self):
        if Mortal.lives <= 0:
            raise FailedJob("the cable was cut")
        Mortal.lives -= 1

    def capabilities(self):
        return replace(super().capabilities(), name="mortal")

    def prepare(self, circuit, observables):
        evaluate = super().prepare(circuit, observables)

        def counted(*arguments, **options):
            self._call()
            return evaluate(*arguments, **options)

        return counted

    def sample(self, *arguments, **options):
        self._call()
        return super().sample(*arguments, **options)


@pytest.fixture(autouse=True)
def mortal(monkeypatch):
    monkeypatch.setitem(backends.registry.BUILT_IN, "mortal", "test_failover:Mortal")
    monkeypatch.setitem(sys.modules, "test_failover", sys.modules[__name__])
    backends.registry.load.cache_clear()
    yield
    backends.registry.load.cache_clear()


def qaoa(folder, *, backend="mortal", failover=("reference",)):
    options = {"optimizer": "cobyla", "max_steps": 12, "samples": 40}
    return hybrid.qaoa(SQUARE, layers=2, backend=backend, failover=list(failover) or False, folder=folder, **options)


def vqd(folder, *, backend="mortal", failover=("reference",)):
    options = {"optimizer": "cobyla", "max_steps": 12, "levels": 2, "starts": 1}
    circuit = hardware_efficient(2, layers=1)
    return hybrid.vqd(circuit, tfim(2), backend=backend, failover=list(failover) or False, folder=folder, **options)


def content(found):
    return json.loads(json.dumps(found.content(), default=lambda value: np.asarray(value).tolist()))


@pytest.mark.parametrize(("algorithm", "share"), [(qaoa, 0.2), (qaoa, 1.0), (vqd, 0.7), (vqd, 1.0)])
def test_the_rest_comes_from_the_next_backend_to_the_same_bits(algorithm, share, tmp_path, monkeypatch):
    alone = algorithm(tmp_path / "alone", backend="reference", failover=())
    monkeypatch.setattr(Mortal, "lives", 10**6)
    algorithm(tmp_path / "counted", failover=())
    calls = 10**6 - Mortal.lives
    monkeypatch.setattr(Mortal, "lives", round(share * calls) - 1)
    found = algorithm(tmp_path / "run")
    assert content(found) == content(alone)  # both are the same engine, and no evaluation was lost
    stored = json.loads((tmp_path / "run" / "result.json").read_text())
    assert [one["to"].removeprefix("deflated ") for one in stored["failovers"]] == ["reference"]
    assert "the cable was cut" in stored["failovers"][0]["reason"]
    assert stored["backend"] == "reference"
    assert content(algorithm(tmp_path / "run")) == content(alone)  # read again


def test_without_leave_it_ends_with_the_error_and_goes_on_once_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(Mortal, "lives", 5)
    with pytest.raises(FailedJob, match="the cable was cut"):
        qaoa(tmp_path, failover=())
    assert qaoa(tmp_path).runs[-1].backend == "reference"


def test_a_place_that_lacks_the_ability_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hybrid.algorithms.qaoa.Samples", Mortal)
    with pytest.raises(Refused, match="qaoa cannot go on at reference"):
        qaoa(tmp_path / "run")
    assert not (tmp_path / "run").exists()
