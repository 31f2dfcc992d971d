"""A vendor's process: what is said over its pipes, and what becomes of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Statevector

from backends.providers.device import Device
from backends.providers.hardware import JobRequest, JobState
from backends.providers.worker.hardware import WorkerElsewhere, WorkerHere, checked, target_of
from backends.providers.worker.process import Silence, Worker, secrets_of
from circuits.errors import BudgetExceeded, FailedJob, LostJob, ProviderUnreachable, Refused

ROOT = Path(__file__).parents[3]
STAND_IN = Path(__file__).with_name("stand_in.py")


def opened(worker, device):
    told = worker.ask("describe", device=device, within_s=60)
    return (WorkerHere if told["local"] else WorkerElsewhere)(f"stand-in:{device}", device, worker, told)


def flipped(qubit):
    circuit = QuantumCircuit(3, 3)
    circuit.r(np.pi, 0, qubit)
    circuit.measure(range(3), range(3))
    return circuit


def pid_of(worker):
    with pytest.raises(Refused) as told:
        worker.ask("describe", device="pid", within_s=60)
    return int(str(told.value).rpartition(" ")[2])


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_dead(pid):
    deadline = time.monotonic() + 30
    while alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_device_is_what_its_process_says(stand_in):
    here = opened(stand_in, "here")
    assert here.n_qubits == 3
    assert here.target["cz"][(1, 2)].error == 0.02
    assert here.target["cz"][(0, 1)].duration == 2e-7
    assert here.target["measure"][(2,)].error == pytest.approx(0.2)
    assert "qiskit-aer 0." in here.summary
    assert "no-such-package" not in here.summary


def test_bits_are_in_the_order_of_qiskit_and_prints_do_no_harm(stand_in):
    outcomes = opened(stand_in, "here").run([flipped(q) for q in range(3)], 10, seed=1)
    assert [one.to_counts() for one in outcomes] == [{"001": 10}, {"010": 10}, {"100": 10}]


@pytest.mark.parametrize("seed", range(3))
def test_random_circuits_give_the_values_of_their_states(stand_in, seed):
    circuit = random_circuit(3, 3, max_operands=2, seed=seed)
    device = Device(opened(stand_in, "here"))
    (values,) = device.prepare(circuit, ["ZII", "XYI", "IZZ"])([], shots=20000, seed=5).values
    exact = [Statevector(circuit).expectation_value(_pauli(one)).real for one in ("ZII", "XYI", "IZZ")]
    assert values == pytest.approx(exact, abs=0.04)  # over five standard errors
    assert np.abs(exact).max() > 0.1


def _pauli(label):
    from qiskit.quantum_info import Pauli

    return Pauli(label)


def test_angles_keep_every_bit(stand_in):
    from qiskit import qpy

    angle = 0.1 + 2**-50
    circuit = QuantumCircuit(1)
    circuit.r(angle, -angle, 0)
    import base64
    import io

    (back,) = qpy.load(io.BytesIO(base64.b64decode(stand_in.packed([circuit]))))
    assert back.data[0].operation.params == [angle, -angle]


def test_circuits_are_written_for_the_older_of_both_sides(stand_in):
    import base64

    stand_in.hello()
    stand_in._child.hello["qpy"] = 14
    assert base64.b64decode(stand_in.packed([flipped(0)]))[6] == 14
    stand_in._child.hello["qpy"] = 5
    with pytest.raises(Refused, match="reads QPY up to version 5"):
        stand_in.packed([flipped(0)])


def test_jobs_are_found_by_another_process(stand_in, borrowed):
    request = JobRequest((flipped(0), flipped(2)), 50)
    job = opened(stand_in, "elsewhere").submit(request, "tag1")
    stand_in.close()
    other = Worker("stand-in", borrowed, STAND_IN, ("STAND_IN_*",))
    try:
        device = opened(other, "elsewhere")
        assert device.most_circuits == 2
        assert device.find("tag1") == (job,)
        assert device.find("tag2") == ()
        assert device.state(job) == JobState("done")
        assert [one.to_counts() for one in device.outcomes(job, request)] == [{"001": 50}, {"100": 50}]
        device.cancel(job)
        assert device.find("tag1") == ()
    finally:
        other.close()


@pytest.mark.parametrize(
    ("trouble", "error"), [("refused", ProviderUnreachable), ("reset", LostJob), ("wrong", Refused), ("fault", LostJob)]
)
def test_a_job_that_may_have_been_taken_is_lost_and_no_other(stand_in, tmp_path, trouble, error):
    device = opened(stand_in, "elsewhere")
    (tmp_path / "jobs" / "trouble").write_text(trouble)
    with pytest.raises(error):
        device.submit(JobRequest((flipped(0),), 5), "tag")


def test_a_process_that_ends_while_it_sends_leaves_a_lost_job(stand_in, monkeypatch):
    device = opened(stand_in, "elsewhere")
    packed = stand_in.packed([flipped(0)])

    def killed(circuits):
        os.kill(stand_in._child._process.pid, signal.SIGSTOP)
        return packed

    monkeypatch.setattr(stand_in, "packed", killed)
    monkeypatch.setattr("backends.providers.worker.hardware.ASK_S", 0.3)
    with pytest.raises(LostJob, match="did not answer in 0 s"):
        device.submit(JobRequest((flipped(0),), 5), "tag")
    monkeypatch.undo()


def test_a_process_that_dies_is_an_error_with_its_last_words_and_no_secret(stand_in, monkeypatch):
    monkeypatch.setenv("STAND_IN_TOKEN", "hush-hush-123")
    with pytest.raises(Silence, match="terrible trouble") as told:
        stand_in.ask("describe", device="dies", within_s=60)
    assert "hush-hush-123" not in str(told.value)
    assert "***" in str(told.value)
    assert opened(stand_in, "here").n_qubits == 3  # the next question finds a new process


def test_what_the_vendor_says_is_told_without_secrets(stand_in, monkeypatch):
    monkeypatch.setenv("STAND_IN_TOKEN", "hush-hush-123")
    with pytest.raises(Refused, match="the server said: 401") as told:
        stand_in.ask("describe", device="secret", within_s=60)
    assert "hush-hush-123" not in str(told.value)


def test_a_process_that_hangs_is_ended(stand_in):
    pid = pid_of(stand_in)
    with pytest.raises(Silence, match="did not answer in 1 s, and was ended"):
        stand_in.ask("describe", device="hangs", within_s=1)
    wait_until_dead(pid)


def test_an_environment_without_its_packages_is_said_to_be_damaged(borrowed, tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("import not_there_at_all\n")
    worker = Worker("broken", borrowed, script)
    with pytest.raises(FailedJob, match=r"not_there_at_all.*hybrid backends --install broken"):
        worker.hello()
    worker = Worker("gone", tmp_path / "no" / "python", script)
    with pytest.raises(Refused, match="cannot be run"):
        worker.hello()


def test_only_chosen_variables_are_handed_on(stand_in, monkeypatch):
    monkeypatch.setenv("IBM_TOKEN", "of-another-vendor")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("STAND_IN_REGION_NAME_URL", "https://here.example")
    with pytest.raises(Refused) as told:
        stand_in.ask("describe", device="variables", within_s=60)
    variables = json.loads(str(told.value).partition(": ")[2])
    assert variables["STAND_IN_REGION_NAME_URL"] == "https://here.example"
    assert variables["PATH"] == os.environ["PATH"]
    assert not {"IBM_TOKEN", "PYTHONPATH"} & set(variables)


def test_the_process_ends_with_its_parent(borrowed):
    program = (
        "import os, sys; from pathlib import Path; from backends.providers.worker.process import Worker\n"
        f"worker = Worker('stand-in', Path({str(borrowed)!r}), Path({str(STAND_IN)!r}))\n"
        "worker.hello(); print(worker._child._process.pid, flush=True)\n"
        "import threading; threading.Thread(target=lambda: worker.ask('describe', device='hangs', within_s=100), "
        "daemon=True).start()\n"
        "import time; time.sleep(0.5); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    wait_until_dead(int(done.stdout))


def test_a_fork_asks_a_process_of_its_own(stand_in):
    mine = pid_of(stand_in)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, str(pid_of(stand_in)).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    theirs = int(os.read(read, 100))
    assert theirs != mine
    assert pid_of(stand_in) == mine
    wait_until_dead(theirs)


def test_a_process_that_does_not_read_is_ended(stand_in):
    pid = pid_of(stand_in)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(Silence, match="did not listen for 1 s"):
        stand_in.ask("run", device="here", circuits="A" * 2**20, shots=1, seed=None, within_s=1)
    wait_until_dead(pid)


def test_memory_that_does_not_suffice_is_said_as_elsewhere(stand_in):
    with pytest.raises(BudgetExceeded, match="needs more memory than it can get"):
        opened(stand_in, "here").run([flipped(0)], 999, seed=1)


def test_every_credential_is_hidden_whatever_its_name():
    variables = {"a_QRMI_JOB_ACQUISITION_TOKEN": "one-secret", "a_QRMI_IBM_QRS_IAM_APIKEY": "two-secret"}
    assert sorted(secrets_of(variables | {"a_QRMI_IBM_QRS_ENDPOINT": "https://here"})) == ["one-secret", "two-secret"]


@pytest.mark.parametrize(
    "counts", [None, [], [{"00": 5}], [{"0a0": 5}], [{"000": 4}], [{"000": 5}, {"000": 5}], [{"000": 6, "001": -1}]]
)
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(FailedJob):
        checked(counts, [flipped(0)], 5, "x")


def test_a_device_without_measurements_is_refused():
    with pytest.raises(Refused, match="move"):
        target_of({"n_qubits": 1, "qubits": [], "gates": [{"name": "move", "places": None}]})
