"""A package of somebody else adds a vendor of quantum computers: one file and one entry point.

The file is the example of docs/adding_a_provider.md, so that it stays true.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding_a_provider.md").read_text()

STUDY = """
[problem]
kind = "tfim"
n = 2
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "spsa"
max_steps = 3
accuracy = 0.3
[backend]
name = "acme:one"
optimization_level = 1
"""

PROGRAM = """
import json
import backends
from qiskit import QuantumCircuit
from backends.providers.hardware import JobRequest

device = backends.get("acme:one").hardware
circuit = QuantumCircuit(3, 2)
circuit.x(2)
circuit.measure([0, 2], [0, 1])
request = JobRequest((circuit,), 10)
job = device.submit(request, "tag1")
counts = device.outcomes(job, request)[0].to_counts()
print(json.dumps([device.find("tag1") == (job,), device.state(job).status, counts]))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    info = site / "acme_quantum-1.0.dist-info"
    info.mkdir()
    blocks = re.findall(r"```(python|toml)\n(.*?)```", PAGE, re.DOTALL)
    (module,) = [text for kind, text in blocks if kind == "python"]
    (entry,) = [text for kind, text in blocks if kind == "toml"]
    (site / "acme_quantum.py").write_text(module)
    name, target = re.search(r'^(\w+) = "(\S+)"$', entry, re.MULTILINE).groups()
    (info / "entry_points.txt").write_text(f"[hybrid.backends]\n{name} = {target}\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-quantum\nVersion: 1.0\n")
    return os.environ | {
        "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
        "ACME_FOLDER": str(tmp_path_factory.mktemp("acme")),
    }


def call(environment, folder, *words):
    return subprocess.run([sys.executable, *words], env=environment, cwd=folder, capture_output=True, text=True)


def test_its_jobs_are_sent_found_and_read(environment, tmp_path):
    done = call(environment, tmp_path, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [True, "done", {"10": 10}]


def test_a_study_runs_on_it(environment, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    done = call(environment, tmp_path, "-m", "hybrid.cli", "run", "study.toml", "--folder", "run", "--json")
    assert done.returncode in (0, 3), done.stderr
    told = json.loads(done.stdout)
    assert told["backend"] == "acme:one"
    assert told["evaluations"] > 3
    assert len(list(Path(environment["ACME_FOLDER"]).glob("*.json"))) > 2  # rows of one step go out together


def test_its_mistakes_are_named_like_our_own(environment, tmp_path):
    for old, new, words in (
        ("acme:one", "acme:two", "there is no device 'two'"),
        ("optimization_level", "optimisation_level", "did you mean 'optimization_level'?"),
        ("acme:one", "acm:one", "did you mean 'acme'?"),
    ):
        (tmp_path / "study.toml").write_text(STUDY.replace(old, new))
        done = call(environment, tmp_path, "-m", "hybrid.cli", "plan", "study.toml")
        assert done.returncode == 2
        assert words in done.stderr
