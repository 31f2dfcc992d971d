"""Measured speeds are kept, kept apart, and never stand in the way."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

import backends
from backends.speed import Speed, _fitting, keep, stored
from circuits.errors import RecordFailed

FAST = Speed(1e-3, 1e-6, 1e-9, 0.1, 1e-4, load=0.0)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "speeds.json"


def test_it_is_kept_for_values_and_gradients_apart():
    backend = backends.get("reference")
    assert stored(backend, derivative=False) is None
    keep(backend, FAST, derivative=False)
    assert stored(backend, derivative=False) == FAST
    assert stored(backend, derivative=True) is None


def test_methods_and_noise_do_not_share_a_speed():
    keep(backends.get("aer"), FAST, derivative=False)
    for options in ({"method": "matrix_product_state"}, {"noise_model": "fake_manila"}, {"precision": "single"}):
        assert stored(backends.get("aer", **options), derivative=False) is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"%s": 3}', '{"%s": {"call": 1.0}}', '{"%s": {"call": "x"}}'])
def test_a_damaged_file_is_as_good_as_none(content, cache):
    backend = backends.get("reference")
    keep(backend, FAST, derivative=False)
    (key,) = json.loads(cache.read_text())
    cache.write_text(content.replace("%s", key))
    assert stored(backend, derivative=False) is None
    keep(backend, FAST, derivative=False)
    assert stored(backend, derivative=False) == FAST


def test_costly_backends_are_measured_on_small_circuits():
    assert _fitting(backends.get("aer"), 13, 2)[0].num_qubits == 13
    assert _fitting(backends.get("aer", method="density_matrix"), 13, 2)[0].num_qubits == 8
    assert _fitting(backends.get("aer", method="statevector", noise_model="fake_guadalupe"), 13, 2)[0].num_qubits == 8
    assert _fitting(backends.get("ibm:fake_manila"), 13, 2)[0].num_qubits == 5


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(RecordFailed, match="HYBRID_CACHE"):
        keep(backends.get("reference"), FAST, derivative=False)


def test_threads_may_keep_at_the_same_time():
    backend = backends.get("reference")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keep(backend, FAST, derivative=False), range(200)))
    assert stored(backend, derivative=False) == FAST
