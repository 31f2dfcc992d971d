"""Comparing two records: differences, their errors, and what is significant among many."""

import itertools

import numpy as np
import pytest

import hybrid
from circuits.errors import Refused
from hybrid.codesign.suite.result import Bench
from hybrid.runs.benchmark.compare import LEVEL, differences, holm
from hybrid.runs.benchmark.picture import picture
from hybrid.runs.benchmark.record import BenchRecord, Measured, Number, Seconds, Unit
from hybrid.workload.spec import BackendSpec


def record(scores, *, name="mirror", errors=0.01, higher=True, label="device", depth=2):
    """A record of one application, a score for each width from 2 on; None for a refused one."""
    seconds = Seconds(execute=1.0, total=2.0)
    common = {"application": name, "title": name, "depth": depth, "backend": 0, "shots": 100, "seed": 1}
    units = [
        Unit(
            **common,
            n_qubits=width,
            status="refused" if score is None else "done",
            reason="too wide" if score is None else "",
            score=None if score is None else Number(value=score, standard_error=errors),
            reference=1.0,
            higher_is_better=higher,
            seconds=seconds,
            finished_utc="2026-01-01T00:00:00Z",
        )
        for width, score in enumerate(scores, 2)
    ]
    return BenchRecord(
        suite="small",
        shots=None,
        seed=0,
        sizes={name: [unit.size for unit in units]},
        backends=[Measured(label=label, spec=BackendSpec(name="x"))],
        provenance={},
        units=units,
    )


def test_holms_correction_is_that_of_its_definition():
    """By trying all subsets: the closed test of Bonferroni tests, which Holm's procedure shortens."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        p = rng.uniform(0, 0.3, size=4).tolist()
        for k, adjusted in enumerate(holm(p)):
            subsets = [s for n in range(1, 5) for s in itertools.combinations(range(4), n) if k in s]
            closed = max(min(1.0, len(s) * min(p[j] for j in s)) for s in subsets)
            assert adjusted == pytest.approx(closed)


def test_a_large_difference_is_significant_and_a_small_one_is_not():
    found = differences(record([0.9, 0.9, 0.9]), record([0.9, 0.92, 0.8]))
    assert [one.significant for one in found.found] == [False, False, True]
    assert found.found[1].p == pytest.approx(0.1573, abs=1e-4)  # sqrt(2) standard deviations
    assert found.found[2].value == pytest.approx(-0.1)
    assert found.found[2].standard_error == pytest.approx(0.01 * 2**0.5)
    assert not found.found[2].better
    assert "worse" in str(found)
    assert "Holm" in str(found)
    assert "<table" in found._repr_html_()


def test_a_lower_error_is_better():
    found = differences(record([0.05], higher=False), record([0.001], higher=False))
    assert found.found[0].better
    assert "better" in str(found)


def test_chance_alone_is_called_significant_as_rarely_as_the_level_says():
    rng, false = np.random.default_rng(1), 0
    for _ in range(400):
        before, now = rng.normal(0.9, 0.01, size=(2, 10))
        false += any(one.significant for one in differences(record(before), record(now)).found)
    assert false <= 400 * LEVEL + 3 * (400 * LEVEL) ** 0.5


def test_exact_numbers_differ_if_they_are_not_the_same():
    found = differences(record([1.0, 0.5], errors=0.0), record([1.0, 0.6], errors=0.0)).found
    assert [one.significant for one in found] == [False, True]


def test_what_only_one_record_has_is_named():
    found = differences(record([0.9, None, 0.9]), record([0.9, 0.9]))
    assert len(found.found) == 1
    assert found.only_before == ("mirror 4x2 on device",)
    assert found.only_now == ("mirror 3x2 on device",)


def test_records_with_nothing_in_common_are_refused():
    with pytest.raises(Refused, match="in common"):
        differences(record([0.9]), record([0.9], label="another"))


def test_what_could_have_nothing_in_common_is_refused_before_anything_is_measured(tmp_path):
    asked = {"backends": "statevector", "shots": 10, "progress": False, "folder": tmp_path / "bench"}
    with pytest.raises(Refused, match=r"before mirror 2x2 on device; now ghz 3 on statevector"):
        hybrid.bench("quick", only="ghz", against=record([0.5]), **asked)
    assert not (tmp_path / "bench").exists()
    same = record([0.5], name="ghz", label="statevector", depth=None)  # of two qubits
    found = hybrid.bench("quick", only="ghz", sizes=[2], against=Bench(same), **asked)
    assert len(found.compare(same).found) == 1


def test_resume_goes_on_with_the_newest_and_needs_one(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("HYBRID_RUNS", str(tmp_path / "runs"))
    asked = ("bench", "quick", "--only", "ghz", "--backends", "statevector", "--shots", 10, "--no-plot")
    code, _, err = cli(*asked, "--resume")
    assert (code, "there is no benchmark to resume" in err) == (2, True)
    assert not (tmp_path / "runs").exists()
    assert cli(*asked)[0] == 0
    (begun,) = (tmp_path / "runs").iterdir()
    units = (begun / "units.jsonl").read_bytes()
    for again in ((), ("--folder", begun)):
        code, out, _ = cli(*asked, "--resume", *again)
        assert (code, f"record: {begun}" in out) == (0, True)
    assert list((tmp_path / "runs").iterdir()) == [begun]
    assert (begun / "units.jsonl").read_bytes() == units  # nothing is measured again


def test_a_record_without_scores_has_no_picture_and_says_why():
    nothing = record([None])
    with pytest.raises(Refused, match="nothing to draw"):
        picture(nothing)
    assert "mirror 2x2 on device: refused: too wide" in str(Bench(nothing))


def test_the_picture_brings_no_ground_and_has_a_square_for_each_width_and_depth():
    wide = record([0.9, 0.8, 0.7])
    deep = record([0.8, 0.6, 0.4], depth=8)
    both = wide.model_copy(update={"units": [*wide.units, *deep.units]})
    figure = Bench(both).plot()
    assert figure.get_facecolor()[3] == 0
    assert all(axes.get_facecolor()[3] == 0 for axes in figure.axes[:1])
    assert len(figure.axes[0].patches) == 6
    assert len(Bench(wide).plot().axes[0].containers) == 1  # one width, one depth: error bars over the widths
