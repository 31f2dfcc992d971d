"""IQM's client, in its own environment, against a server on this machine."""

import importlib.util
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

import backends
from backends.providers.hardware import JobRequest, JobState
from backends.providers.worker.hardware import worker_in
from circuits.errors import LostJob, ProviderUnreachable, Refused

pytestmark = [pytest.mark.vendor, pytest.mark.slow]
TOKEN = "fake-token-5d1b"


@pytest.fixture(scope="module")
def iqm(environments):
    return environments("iqm")


@pytest.fixture
def server(iqm, monkeypatch):
    spec = importlib.util.spec_from_file_location("iqm_server", Path(__file__).with_name("iqm_server.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.served() as (server, url):
        monkeypatch.setenv("IQM_SERVER_URL", url)
        monkeypatch.setenv("IQM_TOKEN", TOKEN)
        monkeypatch.delenv("IQM_QUANTUM_COMPUTER", raising=False)
        yield server
    worker_in.cache_clear()


def flipped(qubit):
    circuit = QuantumCircuit(3, 3)
    circuit.x(qubit)
    circuit.measure([0, 1, 2], [0, 1, 2])
    return circuit


def test_a_job_is_sent_waited_for_and_found_again_by_another_process(server):
    device = backends.get("iqm:garnet")
    assert backends.get("iqm:garnet").capabilities().place == "provider"
    assert device.sample(flipped(1), shots=9) == {"010": 9}
    hardware = device.hardware
    assert hardware.n_qubits == 3
    request = JobRequest(tuple(flipped(q) for q in range(3)), 7)
    server.waiting = True
    job = hardware.submit(request, "tag")
    assert hardware.state(job) == JobState("queued", ahead=2)
    hardware._asked.close()
    server.waiting = False
    assert hardware.state(job) == JobState("done")
    assert [one.to_counts() for one in hardware.outcomes(job, request)] == [{"001": 7}, {"010": 7}, {"100": 7}]
    assert hardware.find("tag") is None
    hardware.cancel(job)
    with pytest.raises(LostJob):
        hardware.state(job)
    assert server.tokens == {f"Bearer {TOKEN}"}

    sent = len(server.jobs)
    server.trouble = "denied"
    with pytest.raises(Refused, match=r"\*\*\*") as told:
        hardware.submit(request, "tag")
    assert TOKEN not in str(told.value)
    assert TOKEN not in repr(vars(hardware))
    server.trouble = "silence"
    with pytest.raises(LostJob):
        hardware.submit(request, "tag")
    assert len(server.jobs) == sent + 1, "the server has what its answer did not say"
    server.trouble = "away"
    with pytest.raises(ProviderUnreachable):
        hardware.submit(request, "tag")
    assert len(server.jobs) == sent + 1
    server.trouble = ""
    with pytest.raises(Refused, match="does not exist"):
        backends.get("iqm:emerald")


def test_a_server_that_is_not_there_is_unreachable(iqm, monkeypatch):
    monkeypatch.setenv("IQM_SERVER_URL", "http://127.0.0.1:9")
    with pytest.raises(ProviderUnreachable):
        backends.get("iqm:garnet")
