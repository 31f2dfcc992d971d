"""What is exported and read, judged by the publishers' own packages, installed from the network for it."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import types

import numpy as np
import pytest
from qiskit.circuit.random import random_circuit

from hybrid.codesign.suite.features import features
from hybrid.codesign.suite.formats import metriq
from hybrid.codesign.suite.formats.export import export_bench
from hybrid.codesign.suite.formats.mqt_bench import Name, applications

pytestmark = [pytest.mark.slow, pytest.mark.vendor]


def result_classes(folder):
    """Metriq's classes of results by the benchmark's name, from its sources, which need a later Python than ours."""
    import pydantic

    space = {"BaseModel": pydantic.BaseModel, "computed_field": pydantic.computed_field, "Field": pydantic.Field}
    space |= {"ABC": object, "np": np, "BenchmarkResult": None}
    sources = folder / "metriq_gym" / "benchmarks"
    names = {
        "benchmark": ("BenchmarkScore", "BenchmarkResult"),
        "lr_qaoa": ("LinearRampQAOAResult",),
        "mirror_circuits": ("MirrorCircuitsResult",),
        "qml_kernel": ("QMLKernelResult",),
        "qedc_benchmarks": ("QEDCResult",),
        "eplg": ("EPLGResult",),
    }
    for module, classes in names.items():
        text = (sources / f"{module}.py").read_text()
        for name in classes:
            found = re.search(rf"^class {name}\(.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)
            assert found is not None, name
            exec(found[0].replace(", ABC)", ")"), space)
    return {
        "Linear Ramp QAOA": space["LinearRampQAOAResult"],
        "Mirror Circuits": space["MirrorCircuitsResult"],
        "QML Kernel": space["QMLKernelResult"],
        "Quantum Fourier Transform": space["QEDCResult"],
        "EPLG": space["EPLGResult"],
    }


def test_metriqs_classes_take_what_is_exported_and_give_the_same(bench_record, published):
    folder = published("metriq-gym==0.8.1", "--python-version", "3.12")
    classes = result_classes(folder)
    known = json.loads((folder / "metriq_gym" / "schemas" / "lr_qaoa.schema.json").read_text())
    assert known["properties"]["benchmark_name"]["const"] in classes
    seen = set()
    for content in metriq.written(bench_record).files.values():
        job = json.loads(content)
        if job["results"] is None:
            continue
        given = {name: value for name, value in job["results"].items() if name != "score"}
        made = classes[job["job_type"]].model_validate(given).model_dump()
        score = made.pop("score")
        assert made == given
        assert score == job["results"].get("score")
        seen.add(job["job_type"])
    assert seen == set(classes)


PLOT = """
import sys
import matplotlib
matplotlib.use("Agg")
sys.path.insert(0, sys.argv[1])
from qedclib import metrics
metrics.show_plot_images = False
apps = metrics.load_app_metrics("qiskit", "statevector")
metrics.plot_all_app_metrics("statevector", do_all_plots=True)
print("apps:", sorted(apps))
"""


def test_qedcs_library_plots_what_is_exported(bench_record, published, tmp_path):
    folder = published("qedclib==2.0.8")
    export_bench(bench_record, tmp_path, kind="qedc")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", PLOT, folder], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stdout
    assert "Mirror Circuits" in done.stdout
    pictures = list(tmp_path.glob("__images/**/*.*"))
    assert len(pictures) >= 4, done.stdout  # one of each application, and one of all
    assert all(picture.stat().st_size > 1000 for picture in pictures)


def test_features_are_supermarqs(published):
    folder = published("supermarq==0.5.70")
    spec = importlib.util.spec_from_file_location("supermarq_features", folder / "supermarq" / "features.py")
    assert spec is not None
    theirs = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "supermarq", types.ModuleType("supermarq"))  # it needs Cirq for other things
        spec.loader.exec_module(theirs)
    names = {
        "communication": "communication",
        "critical_depth": "depth",
        "entanglement_ratio": "entanglement",
        "parallelism": "parallelism",
        "liveness": "liveness",
        "measurement": "measurement",
    }
    spread = {name: set() for name in names}
    for seed in range(100):
        n, depth = 2 + seed % 5, 2 + seed % 7
        circuit = random_circuit(n, depth, max_operands=3 - seed % 2, seed=seed)
        if seed % 4 == 0:
            circuit.reset(seed % n)
            circuit.compose(random_circuit(n, depth, max_operands=2, seed=seed + 1), inplace=True)
        if seed % 3 == 0:
            circuit.measure_all()
        if seed % 5 == 0:
            circuit.barrier()
        found = features(circuit)
        for name, word in names.items():
            value = getattr(theirs, f"compute_{word}_with_qiskit")(circuit.copy())
            assert getattr(found, name) == pytest.approx(value, abs=1e-12), (seed, name)
            spread[name].add(round(value, 6))
    assert {name for name, values in spread.items() if len(values) > 3} == set(names)


GENERATE = """
import sys
sys.path.insert(0, sys.argv[1])
from mqt.bench import BenchmarkLevel, get_benchmark
from mqt.bench.output import OutputFormat, generate_filename, save_circuit
from mqt.bench.targets import get_device
device = get_device("ibm_falcon_27")
for level, kind in ((BenchmarkLevel.ALG, OutputFormat.QASM3), (BenchmarkLevel.INDEP, OutputFormat.QASM2),
                    (BenchmarkLevel.MAPPED, OutputFormat.QASM3), (BenchmarkLevel.NATIVEGATES, OutputFormat.QPY)):
    target = device if level in (BenchmarkLevel.MAPPED, BenchmarkLevel.NATIVEGATES) else None
    for name in ("ghz", "qft", "wstate", "vqe_real_amp"):
        circuit = get_benchmark(name, level, 4, target=target, opt_level=1, random_parameters=True)
        assert save_circuit(circuit, generate_filename(name, level, 4, target=target, opt_level=1), level, kind,
                            target=target)
"""


def test_mqt_benchs_own_files_are_read(published, tmp_path):
    pytest.importorskip("sklearn")
    folder = published("mqt.bench==2.3.0")
    done = subprocess.run([sys.executable, "-c", GENERATE, folder], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = applications(tmp_path)
    assert len(found) == 16
    for name, one in found.items():
        (task,) = one.circuits(one.sizes["quick"][0], shots=100, seed=0)
        assert task.circuit.num_qubits == 4, name
        assert np.sum(task.facts["exact"]) == pytest.approx(1.0)
        if name.startswith("ghz"):
            assert np.flatnonzero(task.facts["exact"] > 1e-9).tolist() == [0, 15]
    assert {Name.of(file.stem).level for file in tmp_path.iterdir()} == {"alg", "indep", "mapped", "nativegates"}
