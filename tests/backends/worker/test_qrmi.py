"""Resources that Slurm has granted by QRMI: the real file of ours, in an environment with a stand-in for `qrmi`."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit

import backends
import hybrid
from backends.providers.hardware import JobRequest, JobState
from backends.providers.worker import environment
from backends.providers.worker.recipes import RECIPES
from circuits import hardware_efficient, tfim
from circuits.errors import LostJob, ProviderUnreachable, Refused

SECRET = "fake-secret-7f3a9c"
QRMI = Path(__file__).with_name("qrmi_stand_in.py")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment by the name of qrmi that holds the stand-in and borrows this one's packages."""
    root = tmp_path_factory.mktemp("environments")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "qrmi"], check=True)
    (site,) = (root / "qrmi").glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (site / "qrmi" / "primitives").mkdir(parents=True)
    (site / "qrmi" / "__init__.py").write_text(QRMI.read_text())
    (site / "qrmi" / "primitives" / "__init__.py").write_text("")
    (site / "qrmi" / "primitives" / "ibm.py").write_text("from qrmi import get_backend\n")
    stamp = {"packages": RECIPES["qrmi"].packages, "size_bytes": 1}
    (root / "qrmi" / environment.STAMP).write_text(json.dumps(stamp))
    return root


@pytest.fixture(autouse=True)
def job(installed, monkeypatch, tmp_path):
    """The environment of a job to which Slurm's plugin has granted two resources."""
    pytest.importorskip("qiskit_ibm_runtime")
    monkeypatch.setenv("HYBRID_ENVIRONMENTS", str(installed))
    monkeypatch.setenv("QRMI_JOB_QPU_RESOURCES", "ibm_a,alice")
    monkeypatch.setenv("QRMI_JOB_QPU_TYPES", "ibm-quantum-system,alice-bob-felis")
    monkeypatch.setenv("ibm_a_QRMI_IBM_QS_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("ibm_a_QRMI_IBM_QS_IAM_APIKEY", SECRET)
    monkeypatch.setenv("QRMI_STAND_IN_FOLDER", str(tmp_path / "tasks"))
    (tmp_path / "tasks").mkdir()
    return tmp_path / "tasks"


def flipped(qubit):
    circuit = QuantumCircuit(3, 3)
    circuit.x(qubit)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


@pytest.mark.parametrize("form", ["", "plain"])
def test_a_job_is_sent_and_its_bits_come_back_in_qiskits_order(monkeypatch, form):
    monkeypatch.setenv("QRMI_STAND_IN_FORM", form)
    device = backends.get("qrmi:ibm_a").hardware
    assert device.n_qubits == 3
    request = JobRequest(tuple(flipped(q) for q in range(3)), 20)
    job = device.submit(request, "tag")
    assert device.state(job) == JobState("done")
    assert [one.to_counts() for one in device.outcomes(job, request)] == [{"001": 20}, {"010": 20}, {"100": 20}]
    assert device.find("tag") is None
    device.cancel(job)
    with pytest.raises(LostJob):
        device.state(job)


def test_what_was_not_granted_is_refused_by_name(monkeypatch):
    with pytest.raises(Refused, match=r"'ibm_b' was granted: this job has alice, ibm_a; ask for it by qpu"):
        backends.get("qrmi:ibm_b")
    with pytest.raises(Refused, match="'alice' is of type alice-bob-felis"):
        backends.get("qrmi:alice")
    monkeypatch.delenv("QRMI_JOB_QPU_RESOURCES")
    monkeypatch.delenv("QRMI_JOB_QPU_TYPES")
    with pytest.raises(Refused, match="this job has none"):
        backends.get("qrmi:ibm_a")


@pytest.mark.parametrize(
    ("trouble", "sending", "asking"),
    [("AuthenticationFailedError", Refused, Refused), ("QrmiError", LostJob, ProviderUnreachable)],
)
def test_errors_of_the_resource_are_ours_and_keep_its_secret(job, trouble, sending, asking):
    device = backends.get("qrmi:ibm_a").hardware
    request = JobRequest((flipped(0),), 5)
    sent = device.submit(request, "tag")
    (job / "trouble").write_text(trouble)
    for error, ask in ((sending, lambda: device.submit(request, "tag")), (asking, lambda: device.state(sent))):
        with pytest.raises(error, match=r"\*\*\*") as told:
            ask()
        assert SECRET not in str(told.value)


def test_a_failed_job_says_why_without_the_secret(job):
    device = backends.get("qrmi:ibm_a").hardware
    sent = device.submit(JobRequest((flipped(0),), 5), "tag")
    (job / "failed").write_text("")
    state = device.state(sent)
    assert state.status == "failed"
    assert "the log of the task, with key ***" in state.reason


def test_a_run_leaves_the_secret_nowhere(tmp_path):
    problem, circuit = tfim(2, coupling=1.0, field=1.0), hardware_efficient(2, layers=1)
    run = hybrid.minimize(
        circuit,
        problem,
        backend="qrmi:ibm_a",
        optimizer="spsa",
        theta=np.zeros(circuit.num_parameters),
        seed=1,
        max_steps=2,
        accuracy=0.2,
        folder=tmp_path / "run",
    )
    assert run.evaluations > 2
    files = [file for file in (tmp_path / "run").rglob("*") if file.is_file()]
    assert len(files) > 2
    for file in files:
        assert SECRET.encode() not in file.read_bytes(), file
    assert SECRET not in repr(backends.get("qrmi:ibm_a").hardware.__dict__)
