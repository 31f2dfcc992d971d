"""Mitigation on devices: better values, honest errors, the shots that were asked for, the same answer every time."""

import numpy as np
import pytest

import backends
from backends import Batch
from backends.measurement.outcomes import Outcomes
from backends.providers.device import Device
from backends.providers.hardware import Elsewhere, Here, JobRequest, JobState
from backends.providers.ibm import snapshot
from backends.providers.qiskit import QiskitHere
from circuits import hardware_efficient, tfim

SETTINGS = [
    ["readout"],
    ["twirling"],
    ["dd"],
    ["readout", "zne"],
    ["readout", {"zne": {"extrapolation": "exponential"}}],
    ["readout", "cdr"],
]


@pytest.fixture(scope="module")
def asked():
    problem, circuit = tfim(2), hardware_efficient(2, layers=2)
    theta = np.linspace(0.2, 1.3, circuit.num_parameters)
    exact = backends.get("statevector").submit(Batch(circuit, problem.hamiltonian, theta)).result().values[0, 0]
    return circuit, problem.hamiltonian, theta, exact


class Counting(QiskitHere):
    """A snapshot that remembers the shots it was asked for."""

    def __init__(self):
        super().__init__(snapshot("fake_manila"), "manila")
        self.shots = []

    def run(self, circuits, shots, seed):
        self.shots += [shots] * len(circuits)
        return super().run(circuits, shots, seed)


@pytest.mark.parametrize("mitigation", SETTINGS, ids=str)
def test_values_lie_within_their_errors_and_come_again(mitigation, asked):
    circuit, H, theta, exact = asked
    backend = backends.get("ibm:fake_manila", mitigation=mitigation)
    batch = Batch(circuit, H, theta, shots=3000, seed=5)
    first, second = backend.submit(batch).result(), backend.submit(batch).result()
    assert first.values.tolist() == second.values.tolist()
    assert first.standard_errors.tolist() == second.standard_errors.tolist()
    assert 0 < first.standard_errors[0, 0] < 0.2
    assert abs(first.values[0, 0] - exact) < 4 * first.standard_errors[0, 0] + first.bias[0, 0] + 0.2
    assert mitigation[0] in backend.capabilities().summary


def test_readout_and_extrapolation_take_most_of_the_noise_away(asked):
    pytest.importorskip("qiskit_aer")
    circuit, H, theta, exact = asked
    error = {}
    for words in (None, ["readout", {"zne": {"extrapolation": "exponential"}}]):
        backend = backends.get("ibm:fake_melbourne", mitigation=words)
        found = backend.submit(Batch(circuit, H, theta, shots=100_000, seed=1)).result()
        error[bool(words)] = abs(found.values[0, 0] - exact)
        assert not words or error[True] < 4 * found.standard_errors[0, 0] + found.bias[0, 0]
    assert error[True] < 0.4 * error[False]


@pytest.mark.parametrize(("mitigation", "points"), [(["twirling"], 1), (["zne"], 3), (["twirling", "zne"], 3)])
def test_1234_shots_asked_are_1234_shots_run(mitigation, points, asked):
    circuit, _, theta, _ = asked
    hardware = Counting()
    device = Device(hardware, mitigation=mitigation)
    batch = Batch(circuit, "ZZ", theta, shots=1234, seed=0)
    result = device.submit(batch).result()
    assert sum(hardware.shots) == 1234 * points
    assert result.shots == 1234
    assert device.footprint(batch).shots == 1234 * points
    assert device.footprint(batch).circuits == len(hardware.shots)


@pytest.mark.parametrize("allocation", ["softened", "weights", "variance", "uniform"])
@pytest.mark.parametrize("grouping", ["qubit-wise", "commuting"])
def test_all_shots_of_all_groups_are_run(allocation, grouping, asked):
    circuit, _, theta, _ = asked
    from qiskit.quantum_info import SparsePauliOp

    H = SparsePauliOp(["ZZ", "XX", "YI"], [3.0, 1.0, 0.1])
    hardware = Counting()
    device = Device(hardware, allocation=allocation, grouping=grouping)
    device.submit(Batch(circuit, H, theta, shots=997, seed=0)).result()
    groups = {"qubit-wise": 3, "commuting": 2}[grouping]
    assert sum(hardware.shots) == 997 * groups
    assert (len(set(hardware.shots)) > 1) == (allocation != "uniform")


@pytest.mark.parametrize("allocation", ["softened", "weights", "uniform"])
def test_a_wanted_precision_is_reached(allocation, asked):
    circuit, _, theta, _ = asked
    from qiskit.quantum_info import SparsePauliOp

    H = SparsePauliOp(["ZZ", "XX", "YI"], [3.0, 1.0, 0.1])
    hardware = Counting()
    result = (
        Device(hardware, allocation=allocation, grouping="qubit-wise")
        .submit(Batch(circuit, H, theta, precision=0.05, seed=0))
        .result()
    )
    assert result.standard_errors[0, 0] <= 0.05
    assert sum(hardware.shots) == 3 * result.shots


def test_shapes_are_those_of_rows_and_observables(asked):
    circuit, H, theta, _ = asked
    rows = np.stack([theta, 2 * theta, 0 * theta])
    backend = backends.get("ibm:fake_manila", mitigation=["readout", "zne"])
    result = backend.submit(Batch(circuit, [H, "ZI", "II"], rows, shots=200, seed=0)).result()
    for array in (result.values, result.standard_errors, result.bias):
        assert array.shape == (3, 3)
    assert result.values[:, 2] == pytest.approx(1)
    assert result.standard_errors[:, 2] == pytest.approx(0)
    assert result.bias[:, 2] == pytest.approx(0, abs=1e-12)
    nothing = backend.submit(Batch(circuit, H, np.zeros((0, circuit.num_parameters)), shots=200)).result()
    assert nothing.values.shape == (0, 1)


class Drifting(Here):
    """One qubit that is measured as 1 with a probability of its own in each circuit, as twirled copies differ."""

    def __init__(self, spread):
        self.name, self.summary, self.n_qubits = "drifting", "drifts", 2
        self.target = snapshot("fake_manila")
        self.spread = spread

    def run(self, circuits, shots, seed):
        rng = np.random.default_rng(seed)
        found = []
        for circuit in circuits:
            ones = rng.binomial(shots, np.clip(0.5 + self.spread * rng.normal(), 0, 1))
            bits = np.array([[0] * circuit.num_clbits, [1] + [0] * (circuit.num_clbits - 1)])
            found.append(Outcomes(bits, np.array([shots - ones, ones])))
        return found


def test_errors_of_twirled_copies_count_what_differs_between_copies():
    """Neither the error of shots alone, nor wrong by the root of the number of copies."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    device = Device(Drifting(0.05), mitigation={"twirling": {"randomizations": 25}})
    evaluate = device.prepare(circuit, "IZ")
    results = [evaluate([], shots=25 * 400, seed=seed) for seed in range(60)]
    values = np.array([result.values[0, 0] for result in results])
    errors = np.array([result.standard_errors[0, 0] for result in results])
    between = 2 * np.sqrt((0.05**2 + 0.25 / 400) / 25)  # each copy: its own p, and 400 shots
    assert values.std() == pytest.approx(between, rel=0.25)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(between, rel=0.2)


class Queue(Elsewhere):
    """Takes jobs, and reads every circuit that ends with X as 1, all others as 0; it keeps what was asked."""

    def __init__(self):
        self.name, self.summary, self.n_qubits, self.target = "queue", "a queue", 5, snapshot("fake_manila")
        self.most_circuits = None
        self.sent, self.waited = [], []

    def submit(self, request, tag):
        assert not self.waited
        self.sent.append(request)
        return str(len(self.sent) - 1)

    def state(self, job_id):
        self.waited.append(job_id)
        return JobState("done")

    def outcomes(self, job_id, request: JobRequest):
        bits = [int(circuit.count_ops().get("x", 0) == 2) for circuit in request.circuits]
        return [
            Outcomes(np.full((1, circuit.num_clbits), bit), np.array([request.shots]))
            for bit, circuit in zip(bits, request.circuits, strict=True)
        ]

    def cancel(self, job_id):
        raise NotImplementedError

    def find(self, tag):
        return None


def test_one_job_for_each_number_of_shots_all_sent_before_any_is_waited_for(asked):
    circuit, _, theta, _ = asked
    from qiskit.quantum_info import SparsePauliOp

    H = SparsePauliOp(["ZZ", "XX", "YI"], [3.0, 1.0, 0.1])
    queue = Queue()
    Device(queue, grouping="qubit-wise").submit(Batch(circuit, H, [theta, theta], shots=1000)).result()
    assert sum(request.shots * len(request.circuits) for request in queue.sent) == 2 * 3 * 1000
    assert len(queue.sent) == len({request.shots for request in queue.sent}) <= 4
    like = Queue()
    Device(like, mitigation="readout").submit(Batch(circuit, tfim(2).hamiltonian, theta, shots=1000)).result()
    assert [len(request.circuits) for request in like.sent] == [4]
