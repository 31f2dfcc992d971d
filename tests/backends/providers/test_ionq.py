"""IonQ against a stand-in for its cloud: bit order, noise, what becomes of a job when replies are lost, the key."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Statevector

import backends
from backends import Batch
from backends.providers import ionq
from backends.providers.dispatch import Direct, Patience
from backends.providers.hardware import JobRequest
from circuits.errors import FailedJob, LostJob, ProviderBusy, ProviderUnreachable, Refused

spec = importlib.util.spec_from_file_location("ionq_service", Path(__file__).with_name("ionq_service.py"))
ionq_service = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ionq_service)


@pytest.fixture
def service(monkeypatch):
    found = ionq_service.Service()
    monkeypatch.setenv("IONQ_API_KEY", ionq_service.KEY)
    monkeypatch.setenv("IONQ_API_URL", found.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield found
    found.close()


def quick(backend):
    return backend.through(Direct(Patience(first_s=0.01, most_s=0.02, silent_s=5)))


def turned():
    circuit = QuantumCircuit(2)
    circuit.ry(1.0471975511965976, 0)  # <Z> = 1/2
    circuit.cx(0, 1)
    return circuit


def request_of(circuit, shots=50):
    full = circuit.copy()
    full.measure_all()
    return JobRequest((full,), shots)


@pytest.mark.parametrize("seed", range(4))
def test_random_circuits_agree_with_qiskit(service, seed):
    circuit = random_circuit(3, 4, max_operands=3, seed=seed)
    expected, shots = Statevector(circuit).probabilities(), 20000
    counts = quick(backends.get("ionq:simulator")).sample(circuit, shots=shots)
    found = np.array([counts.get(f"{k:03b}", 0) for k in range(8)]) / shots
    assert found == pytest.approx(expected, abs=5 / np.sqrt(4 * shots))
    assert not np.allclose(expected, 1 / 8, atol=0.02)


def test_measured_registers_are_words_of_the_counts(service):
    circuit = QuantumCircuit(QuantumRegister(4), ClassicalRegister(1, "a"), ClassicalRegister(2, "b"))
    circuit.x(3)
    circuit.measure([3, 0], [0, 2])  # bit 1 stays 0
    assert quick(backends.get("ionq:simulator")).sample(circuit, shots=5) == {"00 1": 5}


@pytest.mark.parametrize(
    ("name", "options"), [("simulator", {"noise_model": "aria-1"}), ("forte-1", {}), ("qpu.forte-1", {})]
)
def test_noise_of_the_service_is_in_the_values(service, name, options):
    """The rates of the stand-in on a circuit of two gates, by hand: Z shrinks by 1 - 4p/3 and by 1 - 16p/15."""
    backend = quick(backends.get(f"ionq:{name}", **options))
    assert backend.capabilities().noise
    result = backend.submit(Batch(turned(), ["ZZ", "IZ"], shots=10000)).result()
    one, two = 1 - 4 * service.one / 3, 1 - 16 * service.two / 15
    assert np.all(np.abs(result.values[0] - np.array([two, 0.5 * one * two])) < 4 * result.standard_errors[0])
    assert result.values[0, 0] < 1 - 10 * result.standard_errors[0, 0]


def test_gates_are_sent_as_they_were_written(service):
    circuit = QuantumCircuit(2)
    for _ in range(5):
        circuit.cx(0, 1)
    quick(backends.get("ionq:simulator")).sample(circuit, shots=10)
    (job,) = service.jobs.values()
    assert [gate["gate"] for gate in job["body"]["input"]["circuit"]] == ["cnot"] * 5
    assert job["body"]["settings"] == {"compilation": {"opt": 0}, "error_mitigation": {"debiasing": False}}


def test_exact_probabilities_give_the_statistics_of_shots_and_the_same_ones_again(service):
    hardware = backends.get("ionq:simulator").hardware
    plus = QuantumCircuit(1)
    plus.h(0)
    request = request_of(plus, 1000)
    heads = []
    for number in range(60):
        job_id = hardware.submit(request, f"tag{number}")
        while hardware.state(job_id).status != "done":
            pass
        (outcomes,) = hardware.outcomes(job_id, request)
        assert hardware.outcomes(job_id, request)[0].to_counts() == outcomes.to_counts()
        heads.append(outcomes.to_counts()["1"])
    assert np.std(heads) == pytest.approx(np.sqrt(250), rel=0.35)  # its own relative error is 9 %


@pytest.mark.parametrize("fault", ["lose", "500", "408", "half", "hang"])
def test_a_job_whose_reply_is_lost_is_not_sent_again_but_found_by_its_tag(service, fault, monkeypatch):
    monkeypatch.setattr(ionq, "TIMEOUT_S", 0.5)
    hardware = backends.get("ionq:simulator").hardware
    for number in range(5):  # the list has pages
        hardware.submit(request_of(turned()), f"other{number}")
    service.faults["submit"] = [fault]
    with pytest.raises(LostJob, match=r"cloud\.ionq\.com"):
        hardware.submit(request_of(turned()), "mine")
    taken = fault in ("lose", "half")
    assert len(service.jobs) == 5 + taken
    found = hardware.find("mine")
    assert found is not None
    assert len(found) == taken
    assert hardware.find("other4") == (list(service.jobs)[4],)


def test_a_request_that_was_surely_not_taken_may_be_made_again(service, monkeypatch):
    hardware = backends.get("ionq:simulator").hardware
    service.faults["submit"] = ["429"]
    with pytest.raises(ProviderBusy, match="again in 7 s") as caught:
        hardware.submit(request_of(turned()), "tag")
    assert caught.value.retry_after_s == 7
    monkeypatch.setenv("IONQ_API_URL", "http://127.0.0.1:9")  # where nobody listens
    with pytest.raises(ProviderUnreachable, match="cannot be reached"):
        backends.get("ionq:simulator").hardware.submit(request_of(turned()), "tag")
    assert not service.jobs


@pytest.mark.parametrize("fault", ["lose", "500", "429", "half", "hang"])
def test_questions_are_asked_again(service, fault, monkeypatch):
    monkeypatch.setattr(ionq, "TIMEOUT_S", 0.5)
    service.faults["job"], service.retry_after = [fault] * 2, "0"
    counts = quick(backends.get("ionq:simulator")).sample(turned(), shots=100)
    assert sum(counts.values()) == 100
    assert len(service.jobs) == 1


def test_another_process_finds_a_job_by_its_id(service):
    service.seconds = 0.2
    request = request_of(turned(), 100)
    job_id = backends.get("ionq:simulator", noise_model="aria-1").hardware.submit(request, "tag")
    again = backends.get("ionq:simulator", noise_model="aria-1").hardware
    assert again.state(job_id).status in ("queued", "running")
    while again.state(job_id).status != "done":
        pass
    assert again.outcomes(job_id, request)[0].counts.sum() == 100
    with pytest.raises(FailedJob, match="has 100 shots, where 50"):
        again.outcomes(job_id, request_of(turned(), 50))
    with pytest.raises(LostJob, match="no such job"):
        again.state("00000000")


def test_failed_and_cancelled_jobs_say_so(service):
    service.fail = True
    with pytest.raises(FailedJob, match="SystemError: the chain has melted"):
        quick(backends.get("ionq:simulator")).sample(turned(), shots=10)
    service.fail, service.seconds = False, 0.2
    hardware = backends.get("ionq:simulator").hardware
    job_id = hardware.submit(request_of(turned()), "tag")
    hardware.cancel(job_id)
    assert hardware.state(job_id).status == "cancelled"


def test_prices_are_the_services_estimate(service):
    charge = backends.get("ionq:forte-1").hardware.charge(request_of(turned(), 1000))
    assert charge.usd == pytest.approx(10 + 1000 * (0.0001 + 0.001))
    assert (charge.qpu_s, charge.shots) == (1.5, 1000)
    assert backends.get("ionq:simulator").hardware.charge(request_of(turned(), 1000)).usd == 0


def test_the_key_is_asked_for_and_never_shown(service, monkeypatch):
    backend = backends.get("ionq:simulator")
    assert ionq_service.KEY not in repr(vars(backend.hardware)) + repr(vars(backend.hardware._api))
    monkeypatch.setenv("IONQ_API_KEY", "another-key-of-nobody")
    with pytest.raises(Refused, match="is the key in IONQ_API_KEY right") as raised:
        backend.sample(turned(), shots=1)
    assert "another-key" not in str(raised.value)
    monkeypatch.delenv("IONQ_API_KEY")
    with pytest.raises(Refused, match=r"make one on cloud\.ionq\.com.*IONQ_API_KEY"):
        backends.get("ionq:simulator")
    monkeypatch.setenv("MY_KEY", ionq_service.KEY)
    assert backends.get("ionq:simulator", key_variable="MY_KEY").sample(turned(), shots=1)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("forte-1", {"noise_model": "aria-1"}, "only 'ionq:simulator' imitates"),
        ("forte-9", {}, "404: no backend qpu.forte-9"),
        ("simulator", {"url": "http://example.org/v0.4"}, "must begin with https"),
        ("simulator", {"url": "https://me:secret@example.org/v0.4"}, "must hold no credentials"),
    ],
)
def test_what_makes_no_sense_is_refused(service, name, options, words):
    with pytest.raises(Refused, match=words) as raised:
        backends.get(f"ionq:{name}", **options)
    assert "secret" not in str(raised.value)


def test_ionqs_own_client_takes_the_stand_in_for_the_service(service):
    """What the stand-in says is what IonQ's client expects, and both read the same counts."""
    qiskit_ionq = pytest.importorskip("qiskit_ionq")
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.cx(0, 2)
    circuit.sx(1)
    circuit.sx(1)
    circuit.measure_all()
    backend = qiskit_ionq.IonQProvider(ionq_service.KEY, url=service.url).get_backend("simulator")
    job = backend.run(circuit, shots=100)
    assert job.get_counts() == {"111": 100}
    assert quick(backends.get("ionq:simulator")).sample(circuit, shots=100) == {"111": 100}


def test_the_misspelt_simulator_is_told_before_a_key_is_asked_for(monkeypatch):
    monkeypatch.delenv("IONQ_API_KEY", raising=False)
    with pytest.raises(Refused, match="did you mean 'simulator'"):
        backends.get("ionq:simulater")
