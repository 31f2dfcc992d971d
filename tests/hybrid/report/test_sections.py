"""What single sections of a page say of records that are rarely met."""

from dataclasses import replace

import numpy as np
import pytest

from backends.providers.calibration import Calibration, Gate, Qubit
from hybrid.report.page.answer import answer, caveats
from hybrid.report.page.axes import Axis, linear, logarithmic
from hybrid.report.page.checks import Verified
from hybrid.report.page.circuit import MOST_GATES, circuit
from hybrid.report.page.device import device
from hybrid.report.page.forecast import forecast
from hybrid.report.page.picture import MANY, Series, picture
from hybrid.runs.account import account

PASSED = Verified("passed")


@pytest.fixture
def run(studied):
    return account(studied)


def changed(run, **keys):
    return replace(run, result=run.result.model_copy(update=keys), entry=run.entry | {"status": run.result.status})


def words(run, verified=PASSED) -> str:
    return " ".join(f"{one.weight}: {one.words}" for one in caveats(run, verified))


def test_nothing_is_said_against_an_answer_that_is_right(run):
    exact = changed(run, energy=run.result.exact_energy)
    assert caveats(exact, PASSED) == []
    assert "Nothing in the record speaks against it" in answer(exact, PASSED)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"status": "stalled"}, "doubt: Not converged (status stalled)"),
        ({"status": "below_exact"}, "wrong: The energy lies below the exact one"),
        ({"energy": None}, "wrong: There is no answer yet"),
        ({"exact_energy": None}, "note: The exact energy is not known"),
        ({"bias": 2e-3}, "doubt: The energy has a systematic error of about 2.0e-03 coupling"),
        ({"standard_error": 0.125}, "doubt: The standard error of 0.12 coupling is larger than the accuracy of 1e-06"),
    ],
)
def test_what_is_to_be_said_against_an_answer_is_said(run, keys, said):
    assert said in words(changed(run, **keys))


def test_an_energy_far_above_the_exact_one_is_told_in_units_of_the_accuracy(run):
    far = changed(run, energy=run.result.exact_energy + 3e-5)
    assert "3e-05 coupling above the exact one, 30 times the accuracy" in words(far)
    noisy = changed(run, energy=run.result.exact_energy + 0.5, validated=run.result.exact_energy + 0.125)
    assert "Without noise, the energy at the same parameters is -0.38 coupling away" in words(noisy)


def test_a_verification_that_failed_is_incomplete_or_old_is_told(run):
    checks = ({"name": "energy on other engines", "outcome": "failed", "finding": "1"},)
    assert "doubt: Verification failed: energy on other engines" in words(run, Verified("failed", checks))
    left = ({"name": "gradient", "outcome": "unchecked", "finding": ""},)
    assert "note: Verification is incomplete: gradient could not be checked" in words(run, Verified("incomplete", left))
    assert "older than the result" in words(run, Verified("passed", (), stale=True))
    assert "Not verified" in words(run, Verified())


def test_a_device_is_told_as_it_was_calibrated_with_its_drift(run):
    qubits = {3: Qubit(1e-4, 5e-5, 0.02), 5: Qubit(3e-4, None, 0.04)}
    gates = (Gate("cz", (3, 5), 7e-3), Gate("x", (3,), 1e-4))
    kept = Calibration("vendor:device", "2030-01-01", qubits, gates).to_dict()
    spec = run.record.spec.model_copy(update={"provenance": {"calibration": kept, "created_utc": "2030-01-02"}})
    drift = [{"resumed_utc": "2030-01-03", "calibrated": "2030-01-03", "changes": [], "words": "T1 of qubit 3 fell"}]
    told = device(replace(run, record=replace(run.record, spec=spec), entry=run.entry | {"drift": drift}))
    assert told is not None
    for said in (
        "vendor:device",
        "calibrated 2030-01-01",
        "median T1 200 µs",
        "cz on 3, 5",
        "7.00e-03",
        "T1 of qubit 3 fell",
    ):
        assert said in told
    assert device(run) is None


def test_missed_intervals_are_marked_and_counted(run):
    ways = [
        {
            "backend": "reference",
            "reason": "named",
            "prediction": {"evaluations": {"expected": 5.0, "low": 1.0, "high": 2.0}},
            "phases": [{"phase": "evaluate", "seconds": 1.0, "low": 0.0, "high": 1e6}],
        }
    ]
    spec = run.record.spec.model_copy(update={"plan": {"ways": ways}})
    told = forecast(replace(run, record=replace(run.record, spec=spec)))
    assert "1 of 2 predicted intervals hold what happened; missed: evaluations." in told
    assert "✗ missed, more" in told
    assert "✓ within" in told
    stopped = forecast(changed(replace(run, record=replace(run.record, spec=spec)), status="stopped"))
    assert "The run has not ended" in stopped
    assert "✗" not in stopped


def test_a_large_circuit_is_summed_up(run):
    from circuits import hardware_efficient

    large = replace(run, record=replace(run.record, circuit=hardware_efficient(12, layers=MOST_GATES // 12)))
    told = circuit(large)
    assert "Not drawn" in told
    assert "┤" not in told
    assert "┤" in circuit(run)


def test_scales_hold_all_values_and_their_ticks_are_round():
    rng = np.random.default_rng(0)
    for _ in range(200):
        scatter, middle = 10.0 ** rng.integers(-14, 9), rng.normal() * 10.0 ** rng.integers(-3, 3)
        values = (middle + scatter * rng.normal(size=5)).tolist()
        scales = [linear(values, "x"), logarithmic([abs(value) for value in values], "x")]
        for scale, held in zip(scales, (values, [abs(value) for value in values]), strict=True):
            assert all(-1e-9 <= scale.place(value) <= 1 + 1e-9 for value in held)
            ticks = scale.ticks()
            assert 1 <= len(ticks) <= 13
            assert len({label for _, label in ticks}) == len(ticks)
            assert all(-1e-6 <= scale.place(value) <= 1 + 1e-6 for value, _ in ticks)


def test_what_is_counted_has_ticks_at_whole_numbers():
    assert [label for _, label in linear([1, 4], "evaluations", whole=True).ticks()] == ["1", "2", "3", "4"]
    assert [label for _, label in linear([1, 1], "evaluations", whole=True).ticks(8)] == ["1", "2"]


def test_of_many_points_those_that_stand_out_are_drawn():
    n = 50_000
    y = [0.5] * n
    y[12_345], y[23_456] = 1.0, 0.0
    drawn = picture([Series("one", range(n), y)], Axis(0, n, "x"), Axis(-0.1, 1.1, "y"), says="points")
    assert drawn.count("h0") < 3 * (MANY + 2)
    for shape_height in ((32.0, 298.0), (32.0, 228.0)):
        top, bottom = shape_height
        for value in (0.0, 1.0):
            height = round(bottom - (value + 0.1) / 1.2 * (bottom - top), 1)
            assert f" {height}h0" in drawn
