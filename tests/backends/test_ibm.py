"""IBM's devices through IBM's own client, against a stand-in for the service on this machine."""

import importlib.util
import json
import os
import subprocess
import sys
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

import backends
import hybrid
from backends import Batch
from backends.forecast.prices import price_of
from backends.measurement.circuits import measure
from backends.measurement.targets import transpiled
from backends.providers.calibration import Calibration, Gate, Qubit
from backends.providers.dispatch import Patience, fetched
from backends.providers.hardware import JobRequest
from backends.providers.ibm import noise_of
from backends.providers.ibm_device import RANDOMIZATIONS, SUB_JOB_S, duration_s
from circuits import hardware_efficient, tfim
from circuits.errors import FailedJob, LostJob, ProviderBusy, ProviderUnreachable, Refused
from hybrid.cli.record import show

spec = importlib.util.spec_from_file_location("ibm_service", Path(__file__).with_name("ibm_service.py"))
assert spec is not None
assert spec.loader is not None
ibm_service: Any = importlib.util.module_from_spec(spec)
sys.modules["ibm_service"] = ibm_service
spec.loader.exec_module(ibm_service)

KEY, QUICK = ibm_service.KEY, Patience(first_s=0.05, silent_s=2.0, deadline_s=30.0)


@pytest.fixture
def service(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    service = ibm_service.Service()
    with ibm_service.running(service) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        service.variables = variables
        yield service


def machine(**options) -> Any:
    device: Any = backends.get("ibm:ibm_test", **options)
    return device.hardware


def request(hardware: Any, shots: int = 1000) -> JobRequest:
    """A Bell pair, measured."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    moved, layout = transpiled(circuit, hardware.target, level=0)
    return JobRequest((measure(moved, layout),), shots)


def test_values_are_those_of_the_snapshot_behind_it(service):
    circuit = hardware_efficient(3, layers=1)
    theta = np.linspace(0.2, 1.8, circuit.num_parameters)
    batch = Batch(circuit, ["ZZI", "IXX"], theta, shots=8000)
    device = backends.get("ibm:ibm_test")
    result = device.submit(batch).result()
    exact = backends.get("aer", noise="fake_manila").submit(Batch(circuit, ["ZZI", "IXX"], theta)).result().values
    assert np.all(np.abs(result.values - exact) < 5 * result.standard_errors)
    assert service.submissions == 1
    assert device.capabilities().place == "provider"


def test_samples_of_several_registers(service):
    first, second = ClassicalRegister(2, "first"), ClassicalRegister(1, "second")
    circuit = QuantumCircuit(QuantumRegister(2), first, second)
    circuit.x(1)
    circuit.measure(1, first[1])
    with circuit.if_test((first, 2)):
        circuit.x(0)
    circuit.measure(0, second[0])
    device: Any = backends.get("ibm:ibm_test")
    counts = device.sample(circuit, shots=500)
    assert sum(counts.values()) == 500
    assert counts["1 10"] > 350


def test_a_study_runs_through_it_and_keeps_no_key(service, tmp_path):
    problem = tfim(2)
    circuit = hardware_efficient(2, layers=1)
    run = hybrid.minimize(
        circuit,
        problem,
        backend="ibm:ibm_test",
        optimizer="spsa",
        max_steps=2,
        accuracy=0.05,
        shots=500,
        folder=tmp_path / "run",
    )
    assert service.submissions > 2
    assert {job["status"] for job in service.jobs.values()} == {"Completed"}
    assert np.isfinite(run.energy)
    for file in (tmp_path / "run").rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def test_a_job_is_found_by_its_tag_and_fetched_by_another_process(service):
    hardware = machine()
    service.delay_s = 1.0
    job_id = hardware.submit(request(hardware), "a0b1c2")
    program = """
import sys, backends
from qiskit import qpy
from backends.providers.dispatch import Patience, fetched
from backends.providers.hardware import JobRequest
hardware = backends.get("ibm:ibm_test").hardware
(job_id,) = hardware.find("a0b1c2")
circuits = tuple(qpy.load(open(sys.argv[1], "rb")))
(outcomes,) = fetched(hardware, job_id, JobRequest(circuits, 1000), Patience(first_s=0.1))
print(job_id, outcomes.counts.sum())
"""
    from qiskit import qpy

    file = Path(os.environ["HOME"]) / "circuits.qpy"
    with file.open("wb") as opened:
        qpy.dump(list(request(hardware).circuits), opened)
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [job_id, "1000"], done.stderr
    assert hardware.find("another") == ()
    assert service.submissions == 1


@contextmanager
def impatient(hardware, fault):
    """Wait a few seconds only where no answer comes, and a minute wherever one does, however busy this machine is."""
    connection = hardware._connection
    before = connection._deadline_s
    connection._deadline_s = 5.0 if fault in ("hang", "half") else before
    try:
        yield
    finally:
        connection._deadline_s = before


ARRIVED = {"lose": 1, "drop": 0, "moved": 1, "half": 1, "hang": 1, "500": 0, "502": 0, "408": 0}
"""What goes wrong with a submission, and how many jobs it has started."""


@pytest.mark.parametrize("fault", ARRIVED)
def test_a_submission_that_nobody_knows_the_fate_of_is_lost_and_sent_once(service, fault):
    hardware = machine()
    service.faults["submit"] = [fault]
    with impatient(hardware, fault), pytest.raises(LostJob, match="look for it by its tag"):
        hardware.submit(request(hardware), "tag1")
    assert service.submissions == 1
    assert len(hardware.find("tag1")) == ARRIVED[fault]


def test_a_submission_that_was_surely_not_taken_may_be_sent_again(service):
    hardware = machine()
    service.faults["submit"] = ["429", "400"]
    with pytest.raises(ProviderBusy, match="again in 7 s") as caught:
        hardware.submit(request(hardware), "tag1")
    assert caught.value.retry_after_s == 7
    with pytest.raises(Refused, match="does not take"):
        hardware.submit(request(hardware), "tag1")
    assert hardware.find("tag1") == ()
    hardware.submit(request(hardware), "tag1")
    assert len(hardware.find("tag1")) == 1


def test_nothing_is_sent_once_it_is_given_up(service):
    """An answer that comes drop by drop, before the job would be sent."""
    hardware = machine()
    service.faults["usage"] = ["trickle"]
    hardware._connection._deadline_s = 1.0
    with pytest.raises(ProviderUnreachable, match="within 1 s"):
        hardware.submit(request(hardware), "tag1")
    time.sleep(3)
    assert service.submissions == 0


def test_nobody_there(service, monkeypatch):
    hardware = machine()
    asked = request(hardware)
    monkeypatch.setattr(hardware._connection._service._active_api_client._session, "base_url", "http://127.0.0.1:9")
    with pytest.raises(ProviderUnreachable):
        hardware.submit(asked, "tag1")
    assert service.submissions == 0


@pytest.mark.parametrize("fault", ["500", "half", "drop", "hang", "429"])
def test_questions_may_be_asked_again(service, fault):
    hardware = machine()
    asked = request(hardware)
    job_id = hardware.submit(asked, "tag1")
    fetched(hardware, job_id, asked, QUICK)
    for kind, ask in (
        ("job", lambda: hardware.state(job_id)),
        ("results", lambda: hardware.outcomes(job_id, asked)),
        ("find", lambda: hardware.find("tag1")),
    ):
        service.faults[kind] = [fault]
        with impatient(hardware, fault), pytest.raises(ProviderUnreachable):
            ask()
        service.faults[kind] = []
    (outcomes,) = fetched(hardware, job_id, asked, QUICK)
    assert outcomes.counts.sum() == 1000


def test_jobs_that_end_otherwise(service):
    hardware = machine()
    service.fails = True
    asked = request(hardware)
    with pytest.raises(FailedJob, match="the machine has warmed up"):
        fetched(hardware, hardware.submit(asked, "tag1"), asked, QUICK)
    service.delay_s = 20.0
    job_id = hardware.submit(asked, "tag2")
    assert hardware.state(job_id).status == "queued"
    hardware.cancel(job_id)
    hardware.cancel(job_id)
    with pytest.raises(FailedJob, match="cancelled"):
        fetched(hardware, job_id, asked, QUICK)
    with pytest.raises(LostJob, match="no such job"):
        hardware.state("job-of-nobody")


def said(caught: Any) -> str:
    """All that a user could come to see of an error."""
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_a_key_that_expires(service, recwarn):
    hardware = machine()
    asked = request(hardware)
    service.rejects = True
    for ask in (lambda: hardware.submit(asked, "tag1"), lambda: hardware.find("tag1"), lambda: machine()):
        with pytest.raises(Refused, match=r"does not accept the API key.*QISKIT_IBM_TOKEN") as caught:
            ask()
        assert KEY not in said(caught)
    assert KEY not in repr(hardware) + repr(hardware._connection) + "".join(str(one.message) for one in recwarn)


def test_a_service_that_repeats_the_key(service):
    hardware = machine()
    service.repeats = f"apikey {KEY} was wrong"
    service.faults["submit"] = ["400"]
    with pytest.raises(Refused) as caught:
        hardware.submit(request(hardware), "tag1")
    assert KEY not in said(caught)


def test_unknown_devices_accounts_and_instances(service, monkeypatch):
    with pytest.raises(Refused, match="did you mean 'ibm_test'"):
        backends.get("ibm:ibm_tset")
    with pytest.raises(Refused, match="instance"):
        backends.get("ibm:ibm_test", instance="crn:v1:of:nobody")
    with pytest.raises(Refused, match="no_such_account"):
        backends.get("ibm:ibm_test", account="no_such_account")
    monkeypatch.delenv("QISKIT_IBM_TOKEN")
    with pytest.raises(Refused, match=r"no IBM account.*save_account"):
        backends.get("ibm:ibm_test")


def test_no_option_takes_a_key_and_none_that_is_left_out_is_accepted():
    with pytest.raises(Refused, match=r"unknown option.*'token'"):
        backends.get("ibm:ibm_test", token="a")
    with pytest.raises(Refused, match="twirling has no effect on the snapshot"):
        backends.get("ibm:fake_manila", twirling="gates")


def test_what_the_vendor_does_to_circuits(service):
    device: Any = backends.get("ibm:ibm_test", twirling="both", dynamical_decoupling="XY4", max_execution_time_s=60)
    circuit = hardware_efficient(2, layers=1)
    theta = np.linspace(0.2, 1.8, circuit.num_parameters)
    result = device.submit(Batch(circuit, ["ZZ", "IX"], theta, shots=4001)).result()
    ideal = backends.get("reference").submit(Batch(circuit, ["ZZ", "IX"], theta)).result().values
    assert np.abs(result.values - ideal).max() < 0.2
    (job,) = service.jobs.values()
    assert job["max_s"] == 60
    program = job["params"]["quantum_program"]
    assert {item["item_type"] for item in program["items"]} == {"samplex"}
    assert program["items"][0]["shape"] == [RANDOMIZATIONS]
    assert sum(device.sample(circuit.assign_parameters(theta), shots=1234).values()) == 1234


RESILIENT = {"theta": np.linspace(0.2, 1.8, 6), "observables": ["ZZI", "IZZ"]}


@pytest.mark.parametrize("level", [0, 1])
def test_a_resilience_level_gives_what_the_vendor_s_own_estimator_gives(level):
    """On the same qubits of a snapshot, within five of both standard errors; far from the value at the other level."""
    from qiskit.quantum_info import SparsePauliOp
    from qiskit_aer import AerSimulator
    from qiskit_ibm_runtime.executor_estimator import Estimator

    circuit = hardware_efficient(3, layers=1).assign_parameters(RESILIENT["theta"])
    device: Any = backends.get("ibm:fake_manila", resilience_level=level)
    found = device.submit(Batch(circuit, RESILIENT["observables"], shots=20_000, seed=1)).result()
    moved, layout = transpiled(circuit, device.hardware.target, level=0)
    operators = [SparsePauliOp(one).apply_layout(list(layout), 5) for one in RESILIENT["observables"]]
    options: Any = {"resilience_level": level, "default_shots": 20_000, "simulator": {"seed_simulator": 2}}
    simulator = AerSimulator(noise_model=noise_of(device.hardware.target).model(None))
    estimated: Any = Estimator(mode=simulator, options=options).run([(moved, operators)]).result()
    data = estimated[0].data
    width = np.hypot(found.standard_errors[0], data.stds)
    assert np.all(np.abs(found.values[0] - data.evs) < 5 * width)
    other = backends.get("ibm:fake_manila", resilience_level=1 - level)
    values = other.submit(Batch(circuit, RESILIENT["observables"], shots=20_000, seed=1)).result().values[0]
    assert np.any(np.abs(values - data.evs) > 5 * width)


def test_the_highest_resilience_level_corrects_gates_too():
    circuit = hardware_efficient(3, layers=1)
    batch = Batch(circuit, RESILIENT["observables"], RESILIENT["theta"], shots=20_000, seed=1)
    ideal = backends.get("reference").submit(batch).result().values
    found = backends.get("ibm:fake_manila", resilience_level=2).submit(batch).result()
    assert np.all(np.abs(found.values - ideal) < 3 * found.standard_errors + found.bias)


@pytest.mark.parametrize(("level", "points"), [(1, 1), (2, 3)])
def test_a_resilience_level_on_a_device_is_one_job_of_twirled_circuits(service, level, points):
    device: Any = backends.get("ibm:ibm_test", resilience_level=level)
    circuit = hardware_efficient(2, layers=1)
    theta = np.linspace(0.2, 1.8, circuit.num_parameters)
    found = device.submit(Batch(circuit, ["ZZ"], theta, shots=4000)).result()
    ideal = backends.get("reference").submit(Batch(circuit, ["ZZ"], theta)).result().values
    of_gates = 0.08 if level == 1 else 0.0
    assert np.abs(found.values - ideal).max() < 5 * found.standard_errors.max() + found.bias.max() + of_gates
    (job,) = service.jobs.values()
    items = job["params"]["quantum_program"]["items"]
    assert len(items) == points + 2  # one group, and two circuits that measure the errors of measurement
    assert {item["item_type"] for item in items} == {"samplex"}


def test_two_ways_to_say_what_is_done_about_noise_are_refused(service):
    with pytest.raises(Refused, match=r"resilience_level=1 is mitigation=\['readout'\]"):
        backends.get("ibm:ibm_test", resilience_level=1, mitigation="zne")
    with pytest.raises(Refused, match=r"resilience_level=2 says what is twirled .*\(both\)"):
        backends.get("ibm:ibm_test", resilience_level=2, twirling="gates")
    with pytest.raises(Refused, match=r"resilience_level .* must be 0 \(nothing\), 1"):
        backends.get("ibm:fake_manila", resilience_level=3)
    with pytest.raises(Refused, match="resilience_level and mitigation"):
        hybrid.minimize(
            hardware_efficient(2),
            tfim(2),
            backend=backends.get("ibm:fake_manila", resilience_level=0),
            mitigation="readout",
            shots=10,
        )


@pytest.mark.parametrize("mode", ["batch", "session"])
def test_batches_and_sessions_are_opened_once_and_closed(service, mode):
    hardware = machine(mode=mode)
    for tag in ("one", "two"):
        hardware.submit(request(hardware), tag)
    assert service.sessions == {"session-0": True}
    assert {job["session"] for job in service.jobs.values()} == {"session-0"}
    hardware.close()
    hardware.close()
    assert service.sessions == {"session-0": False}


def test_charge(service):
    """Two seconds, and for each execution the pause and the gates on the longest path."""
    service.plan = "pay-as-you-go"
    hardware = machine()
    asked = request(hardware, shots=1000)
    charge = hardware.charge(asked)
    target, (circuit,) = hardware.target.target, asked.circuits
    longest = 0.0
    for instruction in circuit.data:  # sx and cx of the pair stand one behind the other, then both are measured
        places = tuple(circuit.find_bit(q).index for q in instruction.qubits)
        takes = target[instruction.operation.name][places].duration
        longest += takes if instruction.operation.name != "measure" or instruction == circuit.data[-1] else 0.0
    delay_s = hardware.target.default_rep_delay
    assert duration_s(circuit, target) == pytest.approx(longest)
    assert charge.qpu_s == pytest.approx(SUB_JOB_S + 1000 * (delay_s + longest))
    price = price_of("ibm:ibm_torino")
    assert price is not None
    assert price.usd_per_qpu_s
    assert charge.usd == pytest.approx(price.usd_per_qpu_s * charge.qpu_s)
    assert charge.shots == 1000
    assert machine(twirling="gates").charge(JobRequest(asked.circuits, 1001)).shots == 1024
    assert machine(max_execution_time_s=1).charge(asked).qpu_s == 1.0
    service.plan = "open"
    assert machine().charge(asked).usd == 0.0


def test_calibration(service):
    found = machine().calibration()
    snapshot: Any = backends.get("ibm:fake_manila")
    kept = snapshot.hardware.calibration()
    assert found.qubits == kept.qubits
    properties = snapshot.hardware.target.properties()
    assert kept.qubits[2].t1_s == pytest.approx(properties.t1(2))
    assert kept.qubits[2].readout_error == pytest.approx(properties.readout_error(2))
    part = kept.of([1, 2])
    assert set(part.qubits) == {1, 2}
    assert all(set(gate.qubits) <= {1, 2} for gate in part.gates)
    assert next(g.error for g in part.gates if g.name == "cx") == pytest.approx(properties.gate_error("cx", [1, 2]))
    assert Calibration.from_dict(part.to_dict()) == part
    assert part.drift(part) == ""


def calibrated(date: str, *, t1_s: float, error: float, readout: float) -> Calibration:
    """Three qubits, of which the last changes."""
    qubits = {0: Qubit(1e-4, 1e-4, 0.01), 1: Qubit(2e-4, None, 0.02), 2: Qubit(t1_s, 1e-4, readout)}
    return Calibration("ibm:x", date, qubits, (Gate("cz", (0, 1), 0.002), Gate("cz", (1, 2), error)))


def test_drift_is_told_in_words():
    then = calibrated("2026-01-01", t1_s=1e-4, error=0.002, readout=0.01)
    now = calibrated("2026-01-02", t1_s=5e-5, error=0.006, readout=0.011)
    assert now.drift(then) == (
        "ibm:x was calibrated anew (2026-01-01, now 2026-01-02); most changed T1 of qubit 2 from 100 to 50 µs (-50%), "
        "two-qubit error of cz on 1, 2 from 0.002 to 0.006 (+200%)"
    )
    assert [(one.what, one.then, one.now) for one in now.changes(then)] == [
        ("T1", 1e-4, 5e-5),
        ("readout error", 0.01, 0.011),
        ("two-qubit error", 0.002, 0.006),
    ]
    other = calibrated("2026-01-03", t1_s=5.1e-5, error=0.006, readout=0.011)
    assert other.drift(now).endswith("; nothing changed by more than 20%")
    assert now.of([0, 1]).changes(then.of([0, 1])) == []


def test_numbers_that_mean_nothing_are_no_drift():
    then = calibrated("2026-01-01", t1_s=0.0, error=float("nan"), readout=0.01)
    now = calibrated("2026-01-02", t1_s=5e-5, error=1.0, readout=float("inf"))
    assert now.changes(then) == []


def test_a_run_keeps_the_calibrations_and_showing_it_tells_the_drift(service, tmp_path, capsys):
    place, circuit = tmp_path / "run", hardware_efficient(1, layers=1)
    options: dict[str, Any] = {"optimizer": "spsa", "max_steps": 1, "shots": 10, "should_stop": lambda: True}
    hybrid.minimize(circuit, tfim(1), backend="ibm:ibm_test", folder=place, **options)
    first = shown(place, capsys)
    kept = Calibration.from_dict(json.loads((place / "spec.json").read_text())["provenance"]["calibration"])
    assert (first["calibrated"], first["drift"]) == (kept.date, [])
    hybrid.resume(place, should_stop=lambda: True)
    assert not (place / "calibrations.json").exists()
    (qubit,) = kept.qubits

    def halved(properties: dict[str, Any]) -> dict[str, Any]:
        t1 = next(one for one in properties["qubits"][qubit] if one["name"] == "T1")
        t1["value"] /= 2
        return properties | {"last_update_date": "2030-01-02T03:04:05+00:00"}

    service.measured = halved
    with pytest.warns(UserWarning, match=f"calibrated anew .*T1 of qubit {qubit} from .* µs"):
        hybrid.resume(place, should_stop=lambda: True)
    hybrid.resume(place, should_stop=lambda: True)
    (drift,) = shown(place, capsys)["drift"]
    assert drift["calibrated"].startswith("2030-01-02")
    (change,) = drift["changes"]
    t1_s = kept.qubits[qubit].t1_s
    assert t1_s is not None
    assert change == {
        "what": "T1",
        "where": f"qubit {qubit}",
        "then": pytest.approx(t1_s),
        "now": pytest.approx(t1_s / 2),
    }
    show(place)
    said = " ".join(capsys.readouterr().out.split())
    assert "(-50%)" in said
    (place / "calibrations.json").write_text('{"calibrations": [1]}')
    with pytest.raises(Refused, match=r"calibrations\.json is damaged"):
        hybrid.resume(place)


def shown(place: Path, capsys: Any) -> dict[str, Any]:
    """What `hybrid show --json` says."""
    capsys.readouterr()
    show(place, as_json=True)
    return json.loads(capsys.readouterr().out)
