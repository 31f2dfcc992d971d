"""Measured speeds are kept, kept apart, and never stand in the way."""

import json
import math
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from qiskit import QuantumCircuit

import backends
from backends.base import speed_name
from backends.calibration import _fitting
from backends.cost import Footprint, Speed, cost
from backends.probe import Rates, _rates_of, slowness
from backends.speed import correct, correction, keep, shipped, speed, stored
from circuits.errors import RecordFailed

NAME = "a backend | of this kind"
FAST = Speed(1e-3, 1e-6, 1e-9, 0.1, 1e-4, load=0.0)
SHIPPED = "statevector | whole state in native kernels | double | value"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path / "cache"))
    _rates_of.cache_clear()
    return tmp_path / "cache" / "speeds.json"


def test_it_is_kept_under_its_name():
    assert stored(NAME) is None
    keep(NAME, FAST)
    assert stored(NAME) == FAST
    assert stored("another") is None


def test_methods_and_noise_do_not_share_a_speed():
    options = ({}, {"method": "matrix_product_state"}, {"noise": "fake_manila"}, {"precision": "single"})
    batch = backends.Batch(QuantumCircuit(3), "ZZZ")
    assert len({backends.get("aer", **chosen).predict(batch).speed for chosen in options}) == 4


def test_values_and_gradients_do_not_share_a_speed_unless_gradients_are_shifted_values():
    for name, kinds in (("lightning", 2), ("reference", 1)):
        can = backends.get(name).capabilities()
        assert len({speed_name(can, derivative=derivative) for derivative in (True, False)}) == kinds


@pytest.mark.parametrize("content", ["", "[]", "{", '{"%s": 3}', '{"%s": {"call": 1.0}}', '{"%s": {"call": "x"}}'])
def test_a_damaged_file_is_as_good_as_none(content, cache):
    keep(NAME, FAST)
    (key,) = json.loads(cache.read_text())
    cache.write_text(content.replace("%s", key))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is damaged is said once for each file
        assert stored(NAME) is None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
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


def test_every_backend_that_auto_may_choose_has_a_time_before_anything_was_measured():
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    for name in ("statevector", "lightning", "aer", "reference"):
        found = backends.get(name).predict(backends.Batch(circuit, "ZZI"))
        assert 0 < found.seconds_low < found.seconds < found.seconds_high < math.inf, name


def test_only_what_xla_compiles_waits_for_jax():
    whole = "statevector | whole state in {} | double | gradient"
    native, xla = shipped(whole.format("native kernels")), shipped(whole.format("XLA"))
    assert native is not None
    assert native.load < 0.1  # what the first use in a process takes, no library
    assert xla is not None
    assert xla.load > native.first


def test_what_was_measured_here_goes_before_what_is_shipped():
    known = speed(SHIPPED)
    assert known is not None
    assert known == shipped(SHIPPED)
    keep(SHIPPED, FAST)
    assert speed(SHIPPED) == FAST


@pytest.mark.parametrize(
    ("times", "found"), [(1.0, 1.0), (1.6, 1.0), (0.65, 1.0), (2.0, 2.0), (2.3, 2.0), (0.25, 0.25), (1e9, 64.0)]
)
def test_machines_differ_by_powers_of_two_and_near_ones_not_at_all(times, found, monkeypatch):
    here = Rates(2e-3, 1e-9, 3e-9)
    monkeypatch.setattr("backends.probe.rates", lambda: here)
    reference = Rates(here.python_s / times, here.cached_s, here.beyond_s)
    assert slowness(reference).overhead == found
    assert slowness(reference).cached == slowness(reference).beyond == 1


def test_the_probe_is_made_once_for_a_machine(monkeypatch):
    found = iter([Rates(1.0, 1.0, 1.0), Rates(8.0, 8.0, 8.0)])
    monkeypatch.setattr("backends.probe.rates", lambda: next(found))
    for _ in range(2):
        _rates_of.cache_clear()  # as another process would begin
        assert slowness(Rates(1.0, 1.0, 1.0)).overhead == 1


def test_a_cache_that_cannot_be_written_stops_no_prediction(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HYBRID_CACHE", str(tmp_path / "file" / "below"))
    monkeypatch.setattr("backends.probe.rates", lambda: Rates(1.0, 1.0, 1.0))
    with pytest.warns(UserWarning, match="probed again by every process"):
        assert slowness(Rates(1.0, 1.0, 1.0)).overhead == 1


def test_a_row_costs_its_call_its_steps_and_its_amplitudes():
    """Two in the cache, eight beyond it, and their geometric mean half way in powers of two."""
    made = Speed(1.0, 10.0, 2.0, 100.0, 1000.0, load=5.0, far=8.0)
    for amplitudes, each in ((2.0**16, 2.0), (2.0**17, 4.0), (2.0**18, 8.0), (2.0**20, 8.0)):
        assert made.row_s(Footprint(3, amplitudes, 0, steps=7)) == pytest.approx(1 + 70 + 3 * amplitudes * each)
    assert made.compile_s(Footprint(3, 4, 0, steps=7)) == 5 + 100 + 7000
    assert made.compile_s(Footprint(3, 4, 0, steps=7, prepared=2)) == 5 + 100 + 2000


def test_nothing_is_known_without_a_speed():
    batch = backends.Batch(QuantumCircuit(1), "Z")
    found = cost(batch, Footprint(1, 2, 32), None)
    assert math.isnan(found.seconds)
    assert (found.seconds_low, found.seconds_high) == (0, math.inf)


def test_runs_correct_a_speed_by_their_median_once_there_are_three():
    for measured in (4.0, 4.4):
        correct(SHIPPED, 1.0, measured)
    assert correction(SHIPPED) == 1
    correct(SHIPPED, 1.0, 3.9)
    assert correction(SHIPPED) == 4
    known, now = shipped(SHIPPED), speed(SHIPPED)
    assert known is not None
    assert now is not None
    assert (now.call, now.amplitude, now.load, now.first) == (
        4 * known.call,
        4 * known.amplitude,
        known.load,
        known.first,
    )
    correct(SHIPPED, 4.0, 4e6)  # one that was disturbed changes nothing
    assert correction(SHIPPED) == 4


def test_predictions_that_were_corrected_and_right_stay_corrected():
    for _ in range(3):
        correct(SHIPPED, 1.0, 8.0)
    for _ in range(20):
        correct(SHIPPED, 8.0, 8.0)
    assert correction(SHIPPED) == 8


@pytest.mark.parametrize("measured", [1.5, 0.7])
def test_small_errors_correct_nothing(measured):
    for _ in range(9):
        correct(SHIPPED, 1.0, measured)
    assert correction(SHIPPED) == 1


@pytest.mark.parametrize(("predicted", "measured"), [(0.0, 1.0), (math.nan, 1.0), (1.0, math.inf), (1.0, -1.0)])
def test_times_that_mean_nothing_teach_nothing(predicted, measured, cache):
    correct(SHIPPED, predicted, measured)
    assert not cache.with_name("corrections.json").exists()


def test_corrections_are_bounded():
    for _ in range(5):
        correct(SHIPPED, 1.0, 1e9)
    assert correction(SHIPPED) == 16


def test_a_damaged_file_is_said_to_be_one(cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("{")
    with pytest.warns(UserWarning, match=r"speeds\.json is damaged"):
        assert stored(NAME) is None
