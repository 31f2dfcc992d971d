"""Running a suite: what is recorded, what goes on where it was, and what is refused."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest

import backends
import hybrid
from backends.base import Backend
from circuits.errors import FailedJob, Refused
from hybrid.codesign.suite import measure, registry, run
from hybrid.runs.benchmark.folder import read_record
from hybrid.runs.benchmark.record import VERSION, BenchRecord

ROOT = Path(__file__).parents[4]

ASKED = {"backends": ("statevector", "reference"), "only": ("ghz", "qft"), "shots": 50, "progress": False}


class Failing(Backend):
    """A backend whose machine is broken."""

    def capabilities(self):
        return replace(backends.get("statevector").capabilities(), name="broken")

    def footprint(self, work):
        raise NotImplementedError

    def prepare(self, circuit, observables):
        raise FailedJob("the fridge is warm")


class OnlyValues(Failing):
    """A backend that gives no counts."""


@pytest.fixture
def measured(monkeypatch):
    """The units that were measured, by name and size."""
    seen, kept = [], measure.measure

    def counting(benchmark, size, backend, **options):
        seen.append((benchmark.name, str(size)))
        return kept(benchmark, size, backend, **options)

    monkeypatch.setattr(run, "measure", counting)
    return seen


def test_a_suite_is_measured_and_recorded(tmp_path):
    found = hybrid.bench("quick", folder=tmp_path / "b", **ASKED)
    assert [(unit.application, unit.size, found.label(unit)) for unit in found.units] == [
        (name, "3", where) for name in ("ghz", "qft") for where in ("statevector", "reference")
    ]
    for unit in found.units:
        assert unit.status == "done"
        assert abs(unit.score.value - unit.reference) < 5 * unit.score.standard_error
        assert unit.n_circuits == {"ghz": 4, "qft": 5}[unit.application]
        assert unit.circuit.n_qubits == 3
        assert unit.seconds.jobs is None
        assert (unit.seconds.queue, unit.queue.source) == (0.0, "here")
        parts = [unit.seconds.transpile, unit.seconds.compile, unit.seconds.execute, unit.seconds.classical]
        assert sum(part or 0 for part in parts) <= unit.seconds.total
    assert found.units[0].seconds.compile > 0
    assert found.units[1].seconds.compile is None  # the reference does not tell preparing and running apart
    stored = json.loads((tmp_path / "b" / "result.json").read_text())
    assert stored == found.to_dict()
    assert BenchRecord.model_validate(stored, strict=True) == found.record
    assert read_record(tmp_path / "b") == read_record(tmp_path / "b" / "result.json") == found.record
    assert "ghz" in str(found)
    assert "<table" in found._repr_html_()


def test_what_has_ended_is_not_measured_again(tmp_path, measured):
    once = hybrid.bench("quick", folder=tmp_path / "b", **ASKED)
    assert len(measured) == 4
    assert hybrid.bench("quick", folder=tmp_path / "b", **ASKED).to_dict() == once.to_dict()
    assert len(measured) == 4


def test_it_stops_between_units_and_goes_on(tmp_path, measured):
    def stop():
        return len(measured) >= 2

    with pytest.raises(hybrid.Stopped) as stopped:
        hybrid.bench("quick", folder=tmp_path / "b", should_stop=stop, **ASKED)
    assert "goes on" in str(stopped.value)
    partial = hybrid.Bench.load(tmp_path / "b")
    assert 0 < len(partial.units) < 4
    assert "1 of 4 done" in str(partial)
    before = len(measured)
    found = hybrid.bench("quick", folder=tmp_path / "b", **ASKED)
    assert len(measured) - before == 4 - len(partial.units)
    assert found.units[: len(partial.units)] == partial.units


def test_scores_do_not_depend_on_where_it_was_stopped_or_on_what_else_is_asked(tmp_path):
    whole = hybrid.bench("quick", folder=tmp_path / "a", **ASKED)
    alone = hybrid.bench("quick", folder=tmp_path / "b", **ASKED | {"only": "qft", "backends": "statevector"})
    assert alone.units[0].score == whole.units[2].score


def test_a_line_that_a_kill_left_unfinished_is_measured_again(tmp_path, measured):
    hybrid.bench("quick", folder=tmp_path / "b", **ASKED)
    lines = tmp_path / "b" / "units.jsonl"
    lines.write_bytes(lines.read_bytes()[:-7])
    del measured[:]
    assert len(hybrid.bench("quick", folder=tmp_path / "b", **ASKED).units) == 4
    assert measured == [("qft", "3")]


@pytest.mark.parametrize("changed", [{"seed": 3}, {"shots": 60}, {"only": ("ghz",)}, {"backends": "statevector"}])
def test_another_question_in_the_folder_is_refused(tmp_path, changed):
    hybrid.bench("quick", folder=tmp_path / "b", **ASKED)
    with pytest.raises(Refused, match=r"other arguments: .* differ"):
        hybrid.bench("quick", folder=tmp_path / "b", **ASKED | changed)


def test_a_record_of_another_machine_is_not_gone_on_with(tmp_path):
    hybrid.bench("quick", folder=tmp_path / "b", **ASKED)
    spec = json.loads((tmp_path / "b" / "bench.json").read_text())
    spec["provenance"]["machine"] = "an abacus"
    (tmp_path / "b" / "bench.json").write_text(json.dumps(spec))
    with pytest.raises(Refused, match="machine differ"):
        hybrid.bench("quick", folder=tmp_path / "b", **ASKED)


def test_a_run_is_no_place_for_a_benchmark(tmp_path):
    (tmp_path / "spec.json").write_text("{}")
    with pytest.raises(Refused, match="holds a run"):
        hybrid.bench("quick", folder=tmp_path, **ASKED)


def test_what_a_backend_cannot_do_is_a_row_with_the_reason(tmp_path):
    asked = ASKED | {"only": "ghz", "sizes": (3, 40), "backends": ("statevector", OnlyValues())}
    found = hybrid.bench("quick", folder=tmp_path / "b", **asked)
    assert [unit.status for unit in found.units] == ["done", "refused", "refused", "refused"]
    assert "40 qubits" in found.units[2].reason
    assert "no counts" in found.units[1].reason
    assert not found.failed
    assert "refused" in str(found)


def test_counts_that_no_mitigation_reaches_are_refused(tmp_path):
    asked = ASKED | {"only": "ghz", "backends": "aer noise=fake_manila mitigation=readout"}
    (unit,) = hybrid.bench("quick", folder=tmp_path / "b", **asked).units
    assert unit.status == "refused"
    assert "leave mitigation out" in unit.reason


def test_a_backend_that_fails_is_a_row_with_the_error_and_is_tried_again(tmp_path, monkeypatch):
    def broken(*arguments, **options):
        raise FailedJob("the fridge is warm")

    with monkeypatch.context() as patched:
        patched.setattr(measure.Batch, "__init__", broken)
        patched.setattr(type(backends.get("statevector")), "sample_circuits", broken)
        found = hybrid.bench("quick", folder=tmp_path / "b", **ASKED | {"only": "ghz"})
    assert [unit.status for unit in found.units] == ["failed", "done"]
    assert found.failed
    assert "the fridge is warm" in str(found)
    again = hybrid.bench("quick", folder=tmp_path / "b", **ASKED | {"only": "ghz"})
    assert [unit.status for unit in again.units] == ["done", "done"]
    assert again.units[1] == found.units[1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"only": "gzh"}, "unknown application 'gzh'; did you mean 'ghz'"),
        ({"only": ()}, "no application"),
        ({"sizes": "3x"}, "size '3x' is none"),
        ({"sizes": ("3x3",)}, "qubits alone"),
        ({"backends": "statevectr"}, "did you mean 'statevector'"),
        ({"backends": "aer presicion=single"}, "did you mean 'precision'"),
        ({"backends": "aer single"}, "NAME=VALUE"),
        ({"backends": ()}, "no backend"),
        ({"backends": ("statevector", "statevector")}, "named twice"),
        ({"backends": "auto"}, "'auto' is no backend to measure"),
        ({"shots": 0}, "shots must be a whole number of at least 1"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_written(tmp_path, changed, words):
    with pytest.raises(Refused, match=words):
        hybrid.bench("quick", folder=tmp_path / "b", **ASKED | changed)
    assert not (tmp_path / "b").exists()


def test_an_unknown_suite_is_refused():
    with pytest.raises(Refused, match="did you mean 'small'"):
        hybrid.bench("smal")


def test_sizes_that_only_some_applications_have_are_run_by_those(tmp_path, monkeypatch):
    few = {name: registry.APPLICATIONS[name] for name in ("ghz", "mirror", "quantum-volume")}
    monkeypatch.setattr(registry, "APPLICATIONS", few)
    asked = {"backends": "statevector", "sizes": "2x2", "shots": 20, "progress": False}
    found = hybrid.bench("quick", folder=tmp_path / "b", **asked)
    assert {unit.application for unit in found.units} == {"mirror", "quantum-volume"}


def test_options_follow_the_name_of_a_backend(tmp_path):
    asked = ASKED | {"only": "ghz", "backends": ("statevector", "statevector precision=single")}
    found = hybrid.bench("quick", folder=tmp_path / "b", **asked)
    assert found.record.backends[1].spec.options == {"precision": "single"}
    assert found.units[0].score == found.units[1].score


def test_the_documented_schema_is_that_of_the_code():
    assert json.loads((ROOT / "docs" / "bench.schema.json").read_text()) == BenchRecord.model_json_schema()


@pytest.mark.parametrize("damage", [{"version": VERSION + 1}, {"format": "other"}, {"units": [{}]}])
def test_damaged_records_and_those_of_later_versions_are_refused(tmp_path, damage):
    found = hybrid.bench("quick", folder=tmp_path / "b", **ASKED | {"only": "ghz", "backends": "statevector"})
    (tmp_path / "x.json").write_text(json.dumps(found.to_dict() | damage))
    with pytest.raises(Refused, match=r"x\.json"):
        hybrid.Bench.load(tmp_path / "x.json")


def test_the_command_prints_a_table_and_writes_the_record(cli, tmp_path):
    options = ("--only", "ghz,qft", "--backends", "statevector,reference", "--shots", "40", "--folder", "b")
    code, out, _ = cli("bench", "quick", *options, "--json", "b.json")
    assert code == 0
    assert "ghz" in out
    assert "1.00" in out
    assert (tmp_path / "b" / "benchmark.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads((tmp_path / "b.json").read_text()) == json.loads((tmp_path / "b" / "result.json").read_text())
    code, out, _ = cli("bench", "quick", *options, "--json", "-", "--against", "b.json", "--no-plot")
    assert code == 0
    assert json.loads(out)["suite"] == "quick"
    code, out, _ = cli("bench", "quick", *options, "--against", "b.json", "--no-plot")
    assert "0 of 4 differences significant" in out
    assert cli("bench", "quick", "--only", "gzh")[0] == 2


def test_a_failing_backend_ends_the_command_with_5(cli, monkeypatch):
    def broken(*arguments, **options):
        raise FailedJob("the fridge is warm")

    monkeypatch.setattr(type(backends.get("statevector")), "sample_circuits", broken)
    code, out, _ = cli("bench", "quick", "--only", "ghz", "--backends", "statevector,reference", "--folder", "b")
    assert code == 5
    assert "failed: the fridge is warm" in out
    code, out, _ = cli("bench", "quick", "--only", "ghz", "--backends", "statevector", "--folder", "c", "--json", "-")
    assert code == 5  # also where nothing was done, so that there is nothing to draw
    assert [unit["status"] for unit in json.loads(out)["units"]] == ["failed"]


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_with_what_has_ended(start, wait_until, tmp_path):
    """Ended by SIGKILL and by Ctrl-C after units: all units are measured, with the scores of a whole run."""
    asked = {"backends": "statevector", "only": ("ghz", "qft", "mirror"), "shots": 30, "progress": False}
    whole = hybrid.bench("quick", folder=tmp_path / "whole", **asked)
    place, codes = tmp_path / "b", []
    options = ("--backends", "statevector", "--only", "ghz,qft,mirror", "--shots", "30", "--folder", place, "--no-plot")

    def ended():
        lines = place / "units.jsonl"
        return lines.read_bytes().count(b"\n") if lines.exists() else 0

    for number in (signal.SIGKILL, signal.SIGINT):
        before = ended()
        process = start("-m", "hybrid.cli", "bench", "quick", *options)
        wait_until(lambda: ended() > before or process.poll() is not None)  # noqa: B023 - called before it changes
        process.send_signal(number)
        codes.append(process.wait())
    assert codes[0] in (-signal.SIGKILL, 0)  # on a fast machine it may have ended before
    assert codes[1] in (75, 0)
    found = hybrid.bench("quick", folder=place, **asked)
    assert [(unit.place, unit.score) for unit in found.units] == [(unit.place, unit.score) for unit in whole.units]
