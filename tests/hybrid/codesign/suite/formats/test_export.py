"""Records in other formats: their shapes, and that nothing is invented."""

import csv
import json

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm3

import backends
import hybrid
from circuits.errors import Refused
from hybrid.codesign.suite.formats import metriq, qedc
from hybrid.codesign.suite.formats.export import export_bench

SCORE = {
    "type": "object",
    "required": ["value", "uncertainty"],
    "properties": {"value": {"type": "number"}, "uncertainty": {"type": ["number", "null"], "minimum": 0}},
    "additionalProperties": False,
}
PART = {"type": "number", "minimum": 0, "maximum": 1}
RESULTS = {
    "Linear Ramp QAOA": {
        "approx_ratio": {"type": "array", "items": PART},
        "random_approx_ratio": PART,
        "confidence_pass": {"type": "array", "items": {"type": "boolean"}},
        "effective_approx_ratio": {"type": "array", "items": PART},
        "score": SCORE,
    },
    "Mirror Circuits": {
        "success_probability": SCORE,
        "polarization": SCORE,
        "binary_success": {"type": "boolean"},
        "score": SCORE,
    },
    "QML Kernel": {"accuracy_score": SCORE, "score": SCORE},
    "Quantum Fourier Transform": {"accuracy_score": SCORE, "score": SCORE},
    "EPLG": {
        "chain_lengths": {"type": "array", "items": {"type": "integer"}},
        "chain_eplgs": {"type": "array", "items": {"type": "number"}},
        **{f"eplg_{n}": {"type": ["number", "null"]} for n in (10, 20, 50, 100)},
    },
}
JOB = {
    "type": "object",
    "required": ["app_version", "timestamp", "suite_id", "job_type", "results", "platform"],
    "properties": {
        "app_version": {"type": "string"},
        "timestamp": {"type": "string", "pattern": r"\+00:00$"},
        "suite_id": {"type": "null"},
        "job_type": {"enum": list(RESULTS)},
        "results": {"type": ["object", "null"]},
        "outcome": {"const": "error"},
        "outcome_detail": {"type": "object", "required": ["error_message"]},
        "runtime_seconds": {"type": "number", "minimum": 0},
        "platform": {
            "type": "object",
            "required": ["provider", "device"],
            "properties": {"device_metadata": {"type": "object"}},
        },
    },
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def jobs(bench_record):
    return {name: json.loads(content) for name, content in metriq.written(bench_record).files.items()}


def test_each_job_of_metriq_has_its_shape(jobs):
    import jsonschema  # takes seconds, which collection need not wait for

    kinds = set()
    for job in jobs.values():
        jsonschema.validate(job, JOB)
        if job["results"] is not None:
            shape = RESULTS[job["job_type"]]
            whole = {"type": "object", "properties": shape, "required": list(shape), "additionalProperties": False}
            jsonschema.validate(job["results"], whole)
            kinds.add(job["job_type"])
    assert kinds == set(RESULTS)


def test_linear_ramps_of_several_lengths_are_one_job(bench_record, jobs):
    job = jobs["lr-qaoa-4-statevector.json"]["results"]
    short, long = (unit for unit in bench_record.units if unit.application == "lr-qaoa")
    assert job["effective_approx_ratio"] == [short.score.value, 0.8]
    assert job["approx_ratio"][0] == short.details["approx_ratio"].value
    assert job["score"]["value"] == pytest.approx((short.score.value + 0.8) / 2)
    assert job["confidence_pass"] == [True, True]
    assert long.depth == 5


def test_polarization_and_accuracy_are_above_guessing(bench_record, jobs):
    unit = next(one for one in bench_record.units if one.application == "mirror" and one.status == "done")
    unit = unit.model_copy(update={"details": {"right_answers": unit.details["right_answers"].model_copy()}})
    unit.details["right_answers"] = unit.details["right_answers"].model_copy(
        update={"value": 0.4375, "standard_error": 0.03}
    )
    record = bench_record.model_copy(update={"units": [unit]})
    (content,) = metriq.written(record).files.values()
    results = json.loads(content)["results"]
    guess = 0.5**unit.n_qubits
    assert results["polarization"]["value"] == pytest.approx((0.4375 - guess) / (1 - guess))
    assert results["polarization"]["uncertainty"] == pytest.approx(0.03 / (1 - guess))
    assert results["binary_success"] is (results["polarization"]["value"] >= 1 / np.e)


def test_what_failed_is_an_outcome_and_what_was_refused_is_told(bench_record, jobs):
    job = next(job for job in jobs.values() if job["results"] is None)
    assert job["outcome_detail"] == {"error_message": "job lost"}
    assert job["platform"] == {"provider": "ibm", "device": "ibm_fez", "device_metadata": {"num_qubits": 156}}
    left_out = metriq.written(bench_record).left_out
    assert any("qft" in line and "refused" in line for line in left_out)
    assert any(line.startswith("ghz, hamiltonian-simulation: ") for line in left_out)
    assert not any("qft" in name and "fez" in name for name in jobs)


def test_parallel_lists_of_qedc(bench_record):
    found = qedc.written(bench_record)
    assert list(found.files) == ["__data/DATA-statevector.json"]
    apps = json.loads(found.files["__data/DATA-statevector.json"])
    assert list(apps) == ["Quantum Fourier Transform (2)", "Mirror Circuits", "Hamiltonian Simulation (Ising chain)"]
    for app in apps.values():
        assert set(app) == {"backend_id", "api", "start_time", "end_time", "group_metrics"}
        assert app["start_time"] < app["end_time"]
        metrics = app["group_metrics"]
        n = len(metrics["groups"])
        assert all(isinstance(group, str) for group in metrics["groups"])
        empty = {"avg_exec_creating_times", "avg_exec_validating_times", "avg_exec_running_times"}
        assert {name for name, values in metrics.items() if len(values) != n} == empty
        assert all(values == [] for name, values in metrics.items() if name in empty)
        assert all(0 <= value <= 1 for value in metrics["avg_fidelities"] + metrics["avg_xis"])
    fourier = apps["Quantum Fourier Transform (2)"]["group_metrics"]
    assert fourier["avg_tr_n2qs"] == [6.0]  # two CX for each of the three controlled phases
    assert fourier["avg_depths"] == [8.0]  # H and a phase, then 5 layers of the transform, and measurements


def test_depths_are_left_out_where_other_versions_wrote_the_circuits(bench_record):
    packages = bench_record.provenance["packages"] | {"qiskit": "1.0"}
    record = bench_record.model_copy(update={"provenance": bench_record.provenance | {"packages": packages}})
    found = qedc.written(record)
    apps = json.loads(found.files["__data/DATA-statevector.json"])
    assert apps["Mirror Circuits"]["group_metrics"]["avg_tr_depths"] == []
    assert any("other versions" in line for line in found.left_out)


def test_the_table_has_a_line_for_each_unit(bench_folder, tmp_path):
    written = export_bench(bench_folder, tmp_path / "b.csv")
    rows = list(csv.DictReader(written.path.read_text().splitlines()))
    units = hybrid.Bench.load(bench_folder).units
    assert [row["application"] for row in rows] == [unit.application for unit in units]
    ramp, unit = next((row, one) for row, one in zip(rows, units, strict=True) if one.application == "lr-qaoa")
    assert float(ramp["score"]) == unit.score.value
    assert float(ramp["feature_entanglement_ratio"]) == unit.circuit.features["entanglement_ratio"] == 9 / (9 + 4 * 4)
    assert float(ramp["detail_approx_ratio"]) == unit.details["approx_ratio"].value
    assert ramp["detail_right_answers"] == "" == ramp["jobs_s"]
    assert (ramp["queue_s"], ramp["queue_source"], ramp["queue_reason"]) == ("0.0", "here", "")
    assert float(ramp["feature_communication"]) == 2 * 3 / (4 * 3)


def test_the_command(bench_folder, cli, tmp_path):
    asked = ("export", bench_folder, "--format", "metriq", "--output", "m")
    code, out, _ = cli(*asked, "--json")
    assert code == 0
    told = json.loads(out)
    assert told["format"] == "metriq"
    assert sorted(told["files"]) == sorted(str(file.relative_to(tmp_path)) for file in (tmp_path / "m").iterdir())
    code, _, err = cli(*asked)
    assert code == 2
    assert "--force" in err
    code, out, _ = cli(*asked, "--force")
    assert code == 0
    assert "left out: ghz, hamiltonian-simulation" in out
    code, _, err = cli("export", bench_folder, "--format", "qed-c")
    assert code == 2
    assert "qedc" in err
    (tmp_path / "empty").mkdir()
    code, _, err = cli("export", "empty", "--format", "qedc")
    assert code == 2
    assert "no benchmark" in err


def test_a_format_that_takes_nothing(bench_record, tmp_path):
    only = [unit for unit in bench_record.units if unit.application == "ghz"]
    record = bench_record.model_copy(update={"units": only})
    for kind in ("metriq", "qedc"):
        with pytest.raises(Refused, match="--format csv takes all"):
            export_bench(record, tmp_path / "x", kind=kind)
    with pytest.raises(Refused, match="path of a file"):
        export_bench(record)
    assert list(tmp_path.iterdir()) == []


def test_circuits_of_files_are_run_and_exported(tmp_path):
    circuits = tmp_path / "circuits"
    circuits.mkdir()
    ghz = QuantumCircuit(2)
    ghz.h(0)
    ghz.cx(0, 1)
    ghz.measure_all()
    (circuits / "ghz_alg_2.qasm").write_text(qasm3.dumps(ghz))
    device = hybrid.Device(2, two_qubit_error=0.05, readout_error=0.01)
    asked = {"backends": [backends.get(device)], "circuits": circuits, "folder": tmp_path / "b"}
    found = hybrid.bench("quick", progress=False, shots=4000, **asked)
    (unit,) = found.units
    assert (unit.application, unit.n_qubits, unit.status) == ("ghz-alg", 2, "done")
    expected = (1 - 0.05) * (1 - 0.01) ** 2
    assert unit.details["expected_fidelity"].value == pytest.approx(expected, rel=1e-9)
    assert unit.score.value == pytest.approx(expected, abs=0.03)  # of two outcomes, errors that flip one bit show
    (content,) = qedc.written(found.record).files.values()
    apps = json.loads(content)
    assert apps["ghz-alg"]["group_metrics"]["avg_hf_fidelities"] == [unit.score.value]
    assert apps["ghz-alg"]["group_metrics"]["avg_depths"] == []
    (circuits / "ghz_alg_2.qasm").write_text(qasm3.dumps(ghz) + "\n")
    with pytest.raises(Refused, match="circuits differ"):
        hybrid.bench("quick", progress=False, shots=4000, **asked)
