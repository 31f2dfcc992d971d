"""A benchmark's folder, as the commands on runs take it: listed, shown, reported on, and refused by its own name."""

import json
import re
import shlex

import pytest

import backends
import hybrid
from circuits.errors import FailedJob, Refused
from hybrid.cli.app import app
from hybrid.cli.show import save
from hybrid.loop.rerun import rerun
from hybrid.report.page.benchmark import commands_of
from hybrid.runs import algorithm, folder
from hybrid.runs.benchmark.folder import backend_of_stage, read_record, stage_of
from hybrid.runs.benchmark.record import BenchSpec, Measured
from hybrid.runs.evidence import examine
from hybrid.runs.folder import read_spec
from hybrid.runs.listing import listing
from hybrid.workload.spec import BackendSpec


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """A benchmark whose mirror circuits have two widths and two depths, and of which one unit is refused."""
    folder = tmp_path_factory.mktemp("made") / "spring"
    hybrid.bench(
        "quick",
        backends=["statevector", "reference"],
        only=["mirror"],
        sizes=["2x2", "2x4", "3x2"],
        shots=60,
        seed=3,
        folder=folder,
        progress=False,
    )
    return folder


def test_it_is_listed_among_the_runs_with_its_suite_and_backends(benchmark):
    (entry,) = listing(benchmark.parent)
    assert (entry["problem"], entry["backend"]) == ("benchmark quick", "statevector, reference")
    assert (entry["status"], entry["energy"], entry["seed"]) == ("finished", None, 3)


def test_one_that_was_interrupted_is_listed_as_unfinished(benchmark, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    (half / "bench.json").write_bytes((benchmark / "bench.json").read_bytes())
    assert [entry["status"] for entry in listing(tmp_path)] == ["unfinished"]
    assert "0 of 6 units done, 6 left" in hybrid.report(half).read_text()


def test_show_prints_its_scores_or_its_whole_record(benchmark, capsys):
    app(["show", str(benchmark)], standalone_mode=False)
    shown = capsys.readouterr().out
    assert "Benchmark quick: 6 of 6 done, seed 3" in shown
    assert shown.count("mirror") == 6
    app(["show", str(benchmark), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == read_record(benchmark).model_dump(mode="json")


def test_the_page_holds_every_score_with_its_error_and_every_time(benchmark):
    page = hybrid.report(benchmark).read_text()
    for unit in read_record(benchmark).units:
        assert unit.score is not None
        value, error = unit.score.value, unit.score.standard_error
        cells = re.findall(rf">{re.escape(unit.size)}</td>.*?>([\d.]+) ± ([\d.]+)</td>", page)
        assert any(
            float(told) == pytest.approx(value, abs=error) and float(width) == pytest.approx(error, rel=0.06)
            for told, width in cells
        )
    for heading in ("Answer", "Picture", "Times", "Backends", "Machine and versions", "How to repeat it"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<svg") == 1
    assert "<script" not in page


def test_the_commands_on_the_page_measure_the_same_again(benchmark, tmp_path, capsys):
    (command,) = commands_of(read_record(benchmark))
    _, *words = shlex.split(command)
    app([*words, "--folder", str(tmp_path / "again"), "--no-plot"], standalone_mode=False)
    first, again = read_record(benchmark), read_record(tmp_path / "again")
    assert [unit.score for unit in again.units] == [unit.score for unit in first.units]


def test_commands_on_runs_alone_say_that_it_is_a_benchmark(benchmark):
    for ask in (read_spec, hybrid.load, lambda path: next(iter(rerun(path, path / "again")))):
        with pytest.raises(Refused, match=r"holds a benchmark.*hybrid show.*hybrid bench --folder"):
            ask(benchmark)


def test_a_folder_that_is_not_there_is_said_not_to_be_there(tmp_path):
    with pytest.raises(Refused, match="no such folder"):
        hybrid.load(tmp_path / "nowhere")


def test_nothing_else_is_begun_in_its_folder(benchmark, tmp_path):
    place = tmp_path / "taken"
    place.mkdir()
    (place / "bench.json").write_bytes((benchmark / "bench.json").read_bytes())
    for check in (algorithm.check_free, folder.check_free):
        with pytest.raises(Refused, match="holds a benchmark already"):
            check(place)


def test_a_picture_of_an_unknown_format_is_refused(benchmark, tmp_path):
    with pytest.raises(Refused, match=r"no format of a picture.*\.png"):
        save(hybrid.Bench.load(benchmark).plot(), tmp_path / "scores.xyz")


def test_compare_says_what_bench_says_against_an_earlier_record(benchmark, tmp_path, cli):
    asked = {"backends": ["statevector", "reference"], "only": ["mirror"], "sizes": ["2x2", "2x4", "3x2"]}
    later = hybrid.bench("quick", shots=60, seed=4, folder=tmp_path / "summer", progress=False, **asked)
    code, out, err = cli("compare", benchmark, tmp_path / "summer")
    assert (code, err) == (0, "")
    assert out.split() == str(later.compare(benchmark)).split()
    assert "6 differences significant" in out
    code, out, _ = cli("compare", benchmark, tmp_path / "summer", "--json")
    assert json.loads(out) == later.compare(benchmark).to_dict()
    for paths, words in (
        ((benchmark,), "two benchmarks are compared, the earlier one first, and 1 were given"),
        ((benchmark, tmp_path), "holds no benchmark"),
        ((benchmark, tmp_path / "summer", "--folder", "x"), "there is no picture"),
    ):
        code, _, err = cli("compare", *paths)
        assert code == 2
        assert words in " ".join(err.split())
    with pytest.raises(Refused, match="hybrid compare EARLIER"):
        hybrid.compare([benchmark])


def test_a_benchmark_with_failed_units_is_not_listed_as_finished(tmp_path, monkeypatch):
    def broken(*arguments, **options):
        raise FailedJob("the fridge is warm")

    asked = {"backends": ["statevector", "reference"], "only": ["ghz"], "shots": 40, "folder": tmp_path / "b"}
    with monkeypatch.context() as patched:
        patched.setattr(type(backends.get("statevector")), "sample_circuits", broken)
        hybrid.bench("quick", progress=False, **asked)
    (entry,) = listing(tmp_path)
    assert (entry["status"], entry["message"]) == ("failed", "1 unit failed; the same command tries it again")
    checks = {check.name: check for check in hybrid.verify(tmp_path / "b").checks}
    assert (checks["status"].outcome, checks["chain"].outcome) == ("failed", "passed")
    hybrid.bench("quick", progress=False, **asked)
    assert listing(tmp_path)[0]["status"] == "finished"
    assert examine(tmp_path / "b").sealed


def test_jobs_and_status_say_what_a_benchmark_is(benchmark, cli):
    code, out, _ = cli("jobs", benchmark)
    assert (code, " ".join(out.split())) == (0, f"{benchmark} has sent no jobs")
    code, _, err = cli("status", benchmark)
    assert code == 2
    assert f"nothing was submitted to this folder; `hybrid show {benchmark}` shows it" in " ".join(err.split())


def test_the_backend_of_a_unit_s_jobs_is_that_of_the_unit():
    device, simulator = (Measured(label=name, spec=BackendSpec(name=name)) for name in ("ibm:x", "aer"))
    spec = BenchSpec(
        suite="quick",
        shots=9,
        seed=0,
        sizes={"lr-qaoa": ["3x2"], "ghz": ["3"]},
        backends=[device, simulator],
        provenance={},
    )
    assert backend_of_stage(spec, stage_of("lr-qaoa", "3x2", 0)) == device
    assert backend_of_stage(spec, stage_of("ghz", "3", 1)) == simulator
    with pytest.raises(Refused, match="no unit of this benchmark"):
        backend_of_stage(spec, "ghz-4-0")
