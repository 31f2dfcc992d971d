"""Runs and sweeps as files for other programs."""

import csv
import io
import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.runs.account import values_of
from hybrid.runs.document import Document
from hybrid.runs.export import document_of, export
from hybrid.runs.formats import table, units

ROOT = Path(__file__).parents[3]

SWEEP = """
[problem]
kind = "tfim"
n = 2
field = "{step}"
[ansatz]
kind = "hardware_efficient"
layers = "{layers}"
[optimizer]
kind = "lbfgs"
max_steps = 4
[backend]
name = "reference"
[sweep]
layers = [1, 2]
step = [0.5, 1.0]
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exact") / "run"
    return hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", max_steps=5, folder=folder)


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Without gradients, with standard errors, two rows in an evaluation."""
    options = {"optimizer": "spsa", "shots": 100, "max_steps": 3, "accuracy": 0.5}
    folder = tmp_path_factory.mktemp("counted") / "run"
    return hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", folder=folder, **options)


def rows_of(content: str) -> list[dict[str, str]]:
    lines = content.splitlines()
    assert all(line.startswith("# ") for line in lines[:3])
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_csv_holds_every_number_of_the_history_to_the_last_bit(result, counted, tmp_path):
    for k, run in enumerate((result, counted)):
        rows, history = rows_of(run.export(tmp_path / f"{k}.csv").read_text()), run.history
        assert len(rows) == len(history) > 3
        for name in ("step", "energy", "standard_error", "seconds"):
            assert [float(row[name]) for row in rows] == getattr(history, name).tolist()
        assert np.array_equal([[float(row[f"theta_{k}"]) for k in range(4)] for row in rows], history.theta)
        norms = [float(row["gradient_norm"]) if row["gradient_norm"] else math.nan for row in rows]
        assert np.array_equal(norms, history.gradient_norm, equal_nan=True)
        assert {row["backend"] for row in rows} == {"reference"}
        assert [row["finished_utc"] for row in rows] == sorted(row["finished_utc"] for row in rows)


def test_the_largest_component_of_a_gradient_is_no_larger_than_its_norm(result):
    rows = [row for row in document_of(result.folder).runs[0].rows if row.gradient_norm is not None]
    assert len(rows) > 3
    for row in rows:
        assert row.gradient_max is not None
        assert row.gradient_norm / 2 <= row.gradient_max <= row.gradient_norm  # of four components


def test_json_is_of_the_form_that_its_schema_says(counted, tmp_path):
    content = json.loads(counted.export(tmp_path / "run.json").read_text())
    document = Document.model_validate(content, strict=True)
    assert content["format"] == "hybrid-export"
    assert content["version"] == 1
    (run,) = document.runs
    assert run.summary.energy == counted.energy
    assert run.summary.theta == counted.theta.tolist()
    assert [row.energy for row in run.rows] == counted.history.energy.tolist()
    assert all(row.gradient_norm is None for row in run.rows)


def test_the_documented_schema_is_that_of_the_code():
    written = json.loads((ROOT / "docs" / "export.schema.json").read_text())
    assert written == Document.model_json_schema()


def test_parquet_holds_what_csv_holds_with_units(counted, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    read = parquet.read_table(counted.export(tmp_path / "run.parquet"))
    document = document_of(counted.folder)
    columns = table(document)
    assert read.column_names == list(columns)
    for name in ("energy", "standard_error", "theta_3", "evaluation", "backend", "gradient_norm"):
        assert read[name].to_pylist() == columns[name]
    assert read.schema.field("energy").metadata == {b"unit": units(document)["energy"].encode()}
    moments = [moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for moment in read["finished_utc"].to_pylist()]
    assert moments == columns["finished_utc"]


def test_pandas_sees_the_same_table_as_the_historys_own(result, tmp_path):
    pandas = pytest.importorskip("pandas")
    read = pandas.read_csv(result.export(tmp_path / "run.csv"), comment="#")
    own = result.history.to_pandas()
    shared = [name for name in own.columns if name in read.columns]
    assert {"step", "energy", "standard_error", "gradient_norm", "seconds", "theta_0", "theta_3"} <= set(shared)
    pandas.testing.assert_frame_equal(read[shared], own[shared], rtol=1e-15, atol=0.0, check_dtype=False)


def test_without_its_package_parquet_is_refused_and_nothing_is_written(result, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Refused, match=r"hybrid-codesign\[parquet\]"):
        result.export(tmp_path / "run.parquet")
    assert not list(tmp_path.iterdir())


def test_a_sweep_is_one_table_with_its_variables(cli, tmp_path):
    (tmp_path / "sweep.toml").write_text(SWEEP)
    assert cli("run", "sweep.toml", "--folder", "place", "--no-plot")[0] in (0, 3)
    code, out, _ = cli("export", "place", "--format", "csv", "--json")
    assert code == 0
    told = json.loads(out)
    rows = rows_of(Path(told["path"]).read_text())
    assert told["rows"] == len(rows)
    assert told["runs"] == 4
    points = list(dict.fromkeys((int(row["layers"]), float(row["sweep_step"])) for row in rows))
    assert points == [(1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)]
    assert {row["theta_4"] == "" for row in rows if row["layers"] == "1"} == {True}
    assert {row["theta_4"] == "" for row in rows if row["layers"] == "2"} == {False}
    for name in ("layers=1,step=0.5", "layers=2,step=1.0"):
        history = hybrid.load(tmp_path / "place" / name).history
        assert [float(row["energy"]) for row in rows if row["point"] == name] == history.energy.tolist()
    Path("place/sweep.json").unlink()  # as while it is under way
    again = export("place", tmp_path / "again.csv")
    assert again.rows == len(rows)
    assert rows_of(again.path.read_text()) == rows


def test_a_point_without_a_run_is_told(cli, tmp_path):
    text = SWEEP.replace('kind = "lbfgs"\nmax_steps = 4', 'kind = "lbfgs"\nmax_steps = "{steps}"').replace(
        "layers = [1, 2]", "layers = [1]\nsteps = [3]"
    )
    (tmp_path / "sweep.toml").write_text(text)
    assert cli("run", "sweep.toml", "--folder", "place", "--no-plot")[0] in (0, 3)
    content = json.loads(Path("place/sweep.json").read_text())
    failed = {"values": {"layers": 1, "steps": 3, "step": 7.0}, "status": "failed", "message": "no such device\nhere"}
    Path("place/sweep.json").write_text(json.dumps({"points": [*content["points"], failed]}))
    written = json.loads(export("place", tmp_path / "x.json").path.read_text())
    assert written["failures"] == [{"values": failed["values"], "message": failed["message"]}]
    assert len(rows_of(export("place", tmp_path / "x.csv").path.read_text())) == sum(
        len(run["rows"]) for run in written["runs"]
    )


def test_no_file_is_replaced_unless_that_is_asked_for(result, cli, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("mine")
    code, _, err = cli("export", result.folder, "--output", other)
    assert code == 2
    assert "--force" in err
    with pytest.raises(Refused, match="there already"):
        result.export(other)
    assert other.read_text() == "mine"
    assert cli("export", result.folder, "--output", other, "--force")[0] == 0
    assert other.read_text().startswith("# hybrid-export 1: run run\n")
    assert result.export(other, overwrite=True) == other


@pytest.mark.parametrize("missing", ["circuit.qpy", "hamiltonian.json", "journal.sqlite"])
def test_of_an_incomplete_record_nothing_is_written(result, cli, tmp_path, missing):
    place = tmp_path / "copy"
    shutil.copytree(result.folder, place)
    (place / missing).unlink()
    code, out, err = cli("export", place, "--output", "x.csv")
    assert code == 2
    assert missing in err
    assert err.count("\n") == 1
    assert out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]


def test_what_is_no_record_is_refused(result, cli, tmp_path):
    (tmp_path / "empty").mkdir()
    for wrong, said in (("empty", "holds no run"), ("nowhere", "no such folder")):
        code, _, err = cli("export", wrong, "--output", "x.csv")
        assert code == 2
        assert said in err
    code, _, err = cli("export", result.folder, "--output", "x.xlsx")
    assert code == 2
    assert ".csv, .json, .parquet" in err
    code, _, err = cli("export", result.folder, "--format", "jsn")
    assert code == 2
    assert "json" in err
    changed = tmp_path / "changed"
    shutil.copytree(result.folder, changed)
    content = json.loads((changed / "result.json").read_text())
    (changed / "result.json").write_text(json.dumps(content | {"energy": -9.0}))
    code, _, err = cli("export", changed, "--output", "x.csv")
    assert code == 2
    assert "changed after the run had ended" in err
    assert not Path("x.csv").exists()


def test_a_run_that_has_not_ended_is_written_as_far_as_it_came(result, tmp_path):
    place = tmp_path / "copy"
    shutil.copytree(result.folder, place)
    (place / "result.json").unlink()
    (run,) = document_of(place).runs
    assert run.summary.status == "unfinished"
    assert run.summary.energy is None
    assert len(run.rows) == len(result.history)


def test_values_of_a_point_are_read_from_its_name():
    assert values_of("r=1e-3,site=inf,n=-2,x=1_0") == {"r": 1e-3, "site": "inf", "n": -2, "x": "1_0"}


def test_names_with_line_breaks_leave_the_table_whole(tmp_path):
    from circuits import Problem

    problem = Problem(tfim(2).hamiltonian, name='a\nb,"c"#d', unit="x\r\ny")
    folder = tmp_path / "run"
    run = hybrid.minimize(hardware_efficient(2, layers=1), problem, backend="reference", max_steps=2, folder=folder)
    content = run.export(tmp_path / "x.csv").read_text()
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    assert len(list(csv.reader(io.StringIO("\n".join(lines))))) == len(run.history) + 1
