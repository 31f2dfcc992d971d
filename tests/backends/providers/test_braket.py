"""Amazon Braket: simulators here, and the real SDK against a stand-in for the service."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import DensityMatrix, Pauli, Statevector

import backends
from backends import Batch
from backends.providers.dispatch import Direct, Patience
from backends.providers.hardware import JobRequest
from circuits.errors import FailedJob, LostJob, ProviderBusy, ProviderUnreachable, Refused

pytest.importorskip("braket.aws")
pytest.importorskip("qiskit_braket_provider")
spec = importlib.util.spec_from_file_location("braket_service", Path(__file__).with_name("braket_service.py"))
braket_service = importlib.util.module_from_spec(spec)
spec.loader.exec_module(braket_service)

SECRET = braket_service.SECRET


@pytest.fixture
def service(monkeypatch, tmp_path):
    found = braket_service.Service()
    for name, value in found.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    yield found
    found.close()


def quick(backend):
    return backend.through(Direct(Patience(first_s=0.01, most_s=0.02, silent_s=0.1)))


def turned():
    circuit = QuantumCircuit(2)
    circuit.ry(1.0471975511965976, 0)  # <Z> = 1/2
    circuit.cx(0, 1)
    return circuit


def measured(circuit):
    full = circuit.copy()
    full.measure_all()
    return full


@pytest.mark.parametrize("seed", range(6))
def test_random_circuits_agree_with_qiskit(seed):
    circuit = random_circuit(4, 4, max_operands=3, seed=seed)
    expected, shots = Statevector(circuit).probabilities(), 20000
    counts = backends.get("braket:local").sample(circuit, shots=shots, seed=seed)
    found = np.array([counts.get(f"{k:04b}", 0) for k in range(16)]) / shots
    assert found == pytest.approx(expected, abs=5 / np.sqrt(4 * shots))
    assert not np.allclose(expected, 1 / 16, atol=0.02)


def test_measured_registers_are_words_of_the_counts_and_idle_qubits_are_there():
    circuit = QuantumCircuit(5, 3)
    circuit.x(4)
    circuit.measure([4, 2], [0, 2])  # bit 1 stays 0
    assert backends.get("braket:local").sample(circuit, shots=5) == {"001": 5}


def depolarized(rho, p, qubits):
    """With probability p one of the Paulis that are not the identity, each as likely."""
    n = len(qubits)
    labels = ["".join(letters) for letters in np.array(np.meshgrid(*[list("IXYZ")] * n)).reshape(n, -1).T][1:]
    mixed = sum(rho.evolve(Pauli(label), qubits).data for label in labels) / len(labels)
    return DensityMatrix((1 - p) * rho.data + p * mixed)


def test_noise_is_what_the_rates_say():
    """Against a density matrix of Qiskit's with the same noise after each gate."""
    one, two, readout, shots = 0.03, 0.1, 0.04, 200000
    rho = depolarized(DensityMatrix.from_label("00").evolve(turned().data[0].operation, [0]), one, [0])
    rho = depolarized(rho.evolve(turned().data[1].operation, [0, 1]), two, [0, 1])
    p = rho.probabilities().reshape(2, 2)
    told = np.array([[1 - readout, readout], [readout, 1 - readout]])
    expected = (told @ p @ told.T).reshape(-1)
    backend = backends.get("braket:local-noise", one_qubit_error=one, two_qubit_error=two, readout_error=readout)
    assert backend.capabilities().noise
    counts = backend.sample(turned(), shots=shots, seed=2)
    found = np.array([counts.get(f"{k:02b}", 0) for k in range(4)]) / shots
    assert found == pytest.approx(expected, abs=4 / np.sqrt(4 * shots))
    assert not np.allclose(expected, Statevector(turned()).probabilities(), atol=0.02)


def test_folded_gates_are_all_run():
    circuit = QuantumCircuit(2)
    for _ in range(40):
        circuit.cx(0, 1)
    assert backends.get("braket:local").sample(circuit, shots=100) == {"00": 100}
    counts = backends.get("braket:local-noise", readout_error=0.0).sample(circuit, shots=1000, seed=0)
    assert counts["00"] < 900


def test_a_noise_model_of_brakets_is_applied():
    from braket.circuits import Gate
    from braket.circuits.noise_model import GateCriteria, NoiseModel
    from braket.circuits.noises import AmplitudeDamping

    model = NoiseModel()
    model.add_noise(AmplitudeDamping(1.0), GateCriteria(Gate.X))
    circuit = QuantumCircuit(2)
    circuit.x(1)
    assert backends.get("braket:local-noise", noise=model).sample(circuit, shots=10) == {"00": 10}


def test_noise_of_measurements_that_counts_would_not_have_is_refused():
    from braket.circuits.noise_model import MeasureCriteria, NoiseModel, ObservableCriteria
    from braket.circuits.noises import BitFlip

    model = NoiseModel().add_noise(BitFlip(0.5), MeasureCriteria())
    assert len(backends.get("braket:local-noise", noise=model).sample(QuantumCircuit(1), shots=50, seed=0)) == 2
    model.add_noise(BitFlip(0.5), ObservableCriteria())
    with pytest.raises(Refused, match=r"ObservableCriteria.*write it with MeasureCriteria"):
        backends.get("braket:local-noise", noise=model)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("local", {"readout_error": 0.1}, "'braket:local' has no option 'readout_error'"),
        ("local-noise", {"results": "s3://a/b"}, "'braket:local-noise' has no option 'results'"),
        ("local-noise", {"noise": "strong"}, "must be a NoiseModel of braket"),
        ("local-noise", {"two_qubit_error": 0.99}, "two_qubit_error must be from 0 to 0.9375"),
    ],
)
def test_options_that_have_no_effect_are_refused(name, options, words):
    with pytest.raises(Refused, match=words):
        backends.get(f"braket:{name}", **options)


def test_a_device_gives_values_on_its_own_qubits(service):
    backend = quick(backends.get("braket:Standin"))
    assert backend.capabilities().place == "provider"
    (values,) = backend.submit(Batch(turned(), ["ZZ", "IZ", "XX"], shots=2000)).result().values
    assert values == pytest.approx([1, 0.5, 0.75**0.5], abs=0.1)
    assert len(service.tasks) == 2  # one for each group
    source = service.requests[0]["action"]
    assert "verbatim" in source
    assert "disableQubitRewiring" in str(service.requests[0]["deviceParameters"])


@pytest.mark.parametrize("bits", ["001", "010", "110", "011"])
def test_bits_of_a_device_stand_where_qiskit_writes_them(service, bits):
    circuit = QuantumCircuit(3)
    for qubit, bit in enumerate(reversed(bits)):
        if bit == "1":
            circuit.x(qubit)
    circuit.cx(0, 2)
    circuit.cx(0, 2)  # runs through qubit 1: the circuit is routed
    assert quick(backends.get("braket:Standin")).sample(circuit, shots=20) == {bits: 20}


def test_folded_gates_reach_the_device(service):
    circuit = QuantumCircuit(2)
    for _ in range(7):
        circuit.cz(0, 1)
    quick(backends.get("braket:Standin")).sample(circuit, shots=5)
    assert service.requests[0]["action"].count("cz ") == 7


@pytest.mark.parametrize("name", ["SV0", braket_service.SIMULATOR], ids=["name", "ARN"])
def test_a_simulator_of_the_service_gets_the_gates_that_it_has(service, name):
    backend = quick(backends.get(f"braket:{name}"))
    assert not backend.capabilities().noise
    circuit = QuantumCircuit(3)
    circuit.x(0)
    circuit.iswap(0, 2)
    assert backend.sample(circuit, shots=20) == {"100": 20}
    source = service.requests[0]["action"]
    assert "iswap" not in source
    assert "verbatim" not in source
    assert backend.hardware.charge(request_of(backend, circuit)).usd == pytest.approx(0.075)


def request_of(backend, circuit, shots=50):
    moved, layout = backend._transpiled(circuit)
    full = QuantumCircuit(moved.num_qubits, len(layout))
    full.compose(moved, inplace=True)
    full.measure(layout, range(len(layout)))
    return JobRequest((full,), shots)


def test_a_job_that_is_sent_twice_is_one_task(service):
    backend = backends.get("braket:Standin")
    hardware, request = backend.hardware, request_of(backend, turned())
    first = hardware.submit(request, "a" * 40)
    assert hardware.submit(request, "a" * 40) == first
    assert hardware.submit(request, "b" * 40) != first
    assert len(service.tasks) == 2
    assert hardware.idempotent


def test_a_job_whose_reply_was_lost_is_found_by_its_tag_and_not_made_again(service):
    backend = backends.get("braket:Standin")
    hardware, request = backend.hardware, request_of(backend, turned())
    hardware.submit(request, "other")
    service.faults["submit"] = ["lose"]
    with pytest.raises(LostJob, match="did not answer while it was sent a job"):
        hardware.submit(request, "mine")
    (found,) = hardware.find("mine")
    assert hardware.submit(request, "mine") == found
    assert hardware.find("nobody") == ()
    again = backends.get("braket:Standin").hardware  # as another process would
    assert again.state(found).ahead == 4
    assert again.state(found).status == "running"
    assert again.state(found).status == "done"
    (outcomes,) = again.outcomes(found, request)
    assert outcomes.counts.sum() == 50


def test_an_answer_without_its_content_says_nothing_of_the_job(service, monkeypatch):
    backend = backends.get("braket:Standin")
    hardware, request = backend.hardware, request_of(backend, turned())
    job = hardware.submit(request, "whole")
    monkeypatch.setattr(service, "told", lambda task: {})
    with pytest.raises(ProviderUnreachable, match="half an answer, without 'quantumTaskArn'"):
        hardware.state(job)
    monkeypatch.setattr(service, "create", lambda body: {"arn": None})
    with pytest.raises(LostJob, match="half an answer, without 'quantumTaskArn'"):
        hardware.submit(request, "another")


@pytest.mark.parametrize(
    ("refuse", "error", "words"),
    [
        ((429, "ThrottlingException"), ProviderBusy, "takes no more"),
        ((500, "InternalServiceException"), LostJob, "InternalServiceException"),
        ((403, "AccessDeniedException"), Refused, "aws configure"),
        ((424, "DeviceOfflineException"), Refused, "DeviceOfflineException"),
    ],
)
def test_errors_of_the_service_say_what_became_of_the_job(service, refuse, error, words):
    backend = backends.get("braket:Standin")
    service.refuse = refuse
    with pytest.raises(error, match=words) as raised:
        backend.hardware.submit(request_of(backend, turned()), "tag")
    assert type(raised.value) is error
    assert SECRET not in str(raised.value)


def test_failed_and_cancelled_tasks_say_so(service):
    backend = quick(backends.get("braket:Standin"))
    service.fail = True
    with pytest.raises(FailedJob, match="the ions have left the trap"):
        backend.sample(turned(), shots=10)
    service.fail = False
    hardware = backend.hardware
    job_id = hardware.submit(request_of(backend, turned()), "tag")
    hardware.cancel(job_id)
    assert hardware.state(job_id).status == "cancelled"
    hardware.cancel(job_id)
    with pytest.raises(LostJob, match="no such task"):
        hardware.state("arn:aws:braket:eu-north-1:000000000000:quantum-task/none")


def test_prices_and_spending_limits_are_the_services(service):
    backend = backends.get("braket:Standin")
    charge = backend.hardware.charge(request_of(backend, turned(), 1000))
    assert charge.usd == pytest.approx(0.3 + 1000 * 0.00145)
    assert charge.shots == 1000
    assert backend.hardware.left_usd() is None
    limit = {"spendingLimitArn": "arn", "deviceArn": braket_service.ARN, "createdAt": 0, "updatedAt": 0}
    limit |= {"timePeriod": {"startAt": 0, "endAt": 1}, "spendingLimit": "50", "queuedSpend": "1.5"}
    service.limits = [limit | {"totalSpend": "8.5"}, limit | {"totalSpend": "20"}]
    assert backend.hardware.left_usd() == pytest.approx(28.5)


def test_a_device_without_verbatim_boxes_is_refused(service):
    service.capabilities["action"]["braket.ir.openqasm.program"]["supportedPragmas"] = []
    with pytest.raises(Refused, match="takes no verbatim boxes"):
        backends.get("braket:Standin")


def test_a_name_that_is_almost_a_devices_gets_that(service):
    with pytest.raises(Refused, match="did you mean 'Standin'"):
        backends.get("braket:Standing")


def test_missing_credentials_name_the_cure(service, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Refused, match="aws configure"):
        backends.get("braket:Standin")


def test_an_account_that_may_not_list_devices_is_told_so(service):
    service.deny = True
    with pytest.raises(Refused, match=r"not every region could be searched.*AccessDeniedException.*aws configure"):
        backends.get("braket:Standin")


def test_what_the_adapter_would_drop_is_refused():
    circuit = QuantumCircuit(1, 1)
    circuit.reset(0)
    circuit.measure(0, 0)
    circuit.x(0)
    with pytest.raises(Refused):
        backends.get("braket:local").sample(circuit, shots=1)


def test_a_misspelt_simulator_is_not_looked_for_at_the_service(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(Refused, match="did you mean 'local-noise'"):
        backends.get("braket:local_noise")
    with pytest.raises(Refused, match="did you mean 'local'"):
        backends.get("braket:lcal")
