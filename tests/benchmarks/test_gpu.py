"""The benchmark for GPUs, as far as a machine without one can run it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
TOLERANCE = {"double": 1e-9, "single": 2e-5}


def run(*words):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
    return subprocess.run([sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, env=environment)


def test_a_machine_without_a_gpu_is_told_so_in_one_sentence(tmp_path):
    done = run("--json", tmp_path / "gpu.json")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("JAX finds no GPU on this machine")
    assert not (tmp_path / "gpu.json").exists()


def test_its_time_is_kept_and_what_it_did_not_reach_is_stored(tmp_path):
    start = time.monotonic()
    done = run("--device", "cpu", "--seconds", 1, "--qubits", 6, 8, "--json", tmp_path / "gpu.json")
    assert time.monotonic() - start < 60  # imports take most of it, on a busy machine
    assert done.returncode == 1  # nothing was compared
    numbers = json.loads((tmp_path / "gpu.json").read_text())["numbers"]
    assert numbers["ring"] == {}
    assert len(numbers["left_out"]) == 4
    assert not numbers["check"]["double"]["agree"]


@pytest.mark.slow
def test_a_rehearsal_on_the_processor_compares_xla_with_native_kernels(tmp_path):
    done = run("--device", "cpu", "--circuits", 3, "--qubits", 6, "--seconds", 300, "--json", tmp_path / "gpu.json")
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "gpu.json").read_text())
    assert "commit" in written["made"]
    numbers = written["numbers"]
    for precision, check in numbers["check"].items():
        assert check["circuits"] == 3
        assert check["agree"]
        assert check["tolerance"] == TOLERANCE[precision]
        assert 0 < check["largest_difference_of_gradients"] <= TOLERANCE[precision]
    double, single = (numbers["ring"][f"ring 6 qubits, 2 layers, {p}"]["statevector-xla"] for p in TOLERANCE)
    assert abs(double["value"] - single["value"]) < 1e-4
    assert double["predicted_bytes"] > single["predicted_bytes"] > 2 * 8 * 2**6
    assert len(double["times_s"]) == 3
