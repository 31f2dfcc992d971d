"""Measured speeds are kept, kept apart, and never stand in the way."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import backends
from backends.base import speed_name
from backends.calibration import _fitting
from backends.cost import Speed
from backends.speed import keep, stored
from circuits.errors import RecordFailed

NAME = "a backend | of this kind"
FAST = Speed(1e-3, 1e-6, 1e-9, 0.1, 1e-4, load=0.0)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "speeds.json"


def test_it_is_kept_under_its_name():
    assert stored(NAME) is None
    keep(NAME, FAST)
    assert stored(NAME) == FAST
    assert stored("another") is None


def test_methods_and_noise_do_not_share_a_speed():
    options = ({}, {"method": "matrix_product_state"}, {"noise": "fake_manila"}, {"precision": "single"})
    names = {speed_name(backends.get("aer", **chosen).capabilities(), derivative=False) for chosen in options}
    assert len(names) == 4


def test_values_and_gradients_do_not_share_a_speed_unless_gradients_are_shifted_values():
    for name, kinds in (("lightning", 2), ("reference", 1)):
        can = backends.get(name).capabilities()
        assert len({speed_name(can, derivative=derivative) for derivative in (True, False)}) == kinds


@pytest.mark.parametrize("content", ["", "[]", "{", '{"%s": 3}', '{"%s": {"call": 1.0}}', '{"%s": {"call": "x"}}'])
def test_a_damaged_file_is_as_good_as_none(content, cache):
    keep(NAME, FAST)
    (key,) = json.loads(cache.read_text())
    cache.write_text(content.replace("%s", key))
    assert stored(NAME) is None
    keep(NAME, FAST)
    assert stored(NAME) == FAST


def test_costly_backends_are_measured_on_small_circuits():
    assert _fitting(backends.get("aer"), 13, 2)[0].num_qubits == 13
    assert _fitting(backends.get("aer", method="density_matrix"), 13, 2)[0].num_qubits == 8
    assert _fitting(backends.get("aer", method="statevector", noise_model="fake_guadalupe"), 13, 2)[0].num_qubits == 8
    assert _fitting(backends.get("ibm:fake_manila"), 13, 2)[0].num_qubits == 5


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(RecordFailed, match="HYBRID_CACHE"):
        keep(NAME, FAST)


def test_threads_may_keep_at_the_same_time():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keep(NAME, FAST), range(200)))
    assert stored(NAME) == FAST
