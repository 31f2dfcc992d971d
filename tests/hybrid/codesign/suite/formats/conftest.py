"""Records to export, and the publishers' own packages."""

import subprocess
import sys

import pytest

import hybrid
from hybrid.runs.benchmark.record import BenchRecord


@pytest.fixture(scope="session")
def bench_folder(tmp_path_factory):
    """A small benchmark of all applications that other formats know, and one that they do not."""
    folder = tmp_path_factory.mktemp("bench") / "b"
    only = ["ghz", "qft", "mirror", "layer-fidelity", "lr-qaoa", "hamiltonian-simulation", "quantum-kernel"]
    hybrid.bench("quick", backends="statevector", only=only, shots=200, folder=folder, progress=False)
    return folder


@pytest.fixture(scope="session")
def bench_record(bench_folder):
    """Its record, with a second backend that failed and one that refused, and linear ramps of two lengths."""
    content = hybrid.Bench.load(bench_folder).to_dict()
    backend = content["backends"][0]
    content["backends"] += [backend | {"label": "ibm:ibm_fez", "place": "provider", "max_qubits": 156}]
    units = {unit["application"]: unit for unit in content["units"]}
    longer = units["lr-qaoa"] | {"depth": 5, "score": {"value": 0.8, "standard_error": 0.01}}
    broken = units["mirror"] | {"backend": 1, "status": "failed", "reason": "job lost", "score": None, "details": {}}
    unfit = units["qft"] | {"backend": 1, "status": "refused", "reason": "too wide", "score": None, "details": {}}
    content["units"] += [longer, broken, unfit]
    return BenchRecord.model_validate(content)


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """Install a package alone, without what it needs, in a folder of its own: ``published("name==1.0")``."""

    def install(requirement, *options):
        folder = tmp_path_factory.mktemp("published")
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--target", folder]
        done = subprocess.run([*command, *options, requirement], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{requirement} cannot be installed here: {done.stderr.strip()[-200:]}")
        return folder

    return install
