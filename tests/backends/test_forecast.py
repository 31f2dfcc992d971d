"""What is known of work on a device before a job is sent."""

import math

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Measure
from qiskit.circuit.library import CXGate, RZGate, SXGate
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

import backends
import hybrid
from backends import Batch
from backends.forecast import prices
from backends.forecast.circuit import size_of
from backends.forecast.work import charge, forecast_by_name
from backends.providers.hardware import JobRequest
from backends.providers.qiskit import QiskitHere
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.workload.workload import workload

T1, T2 = 100e-6, 80e-6


@pytest.fixture(autouse=True)
def no_prices_of_ones_own(monkeypatch, tmp_path):
    monkeypatch.delenv("HYBRID_PRICES", raising=False)
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / name)


def device(**errors):
    """Two qubits whose gates last 50 ns and 400 ns, and measurements 1 us."""
    target = Target(num_qubits=2, qubit_properties=[QubitProperties(t1=T1, t2=T2)] * 2)
    each = [(0,), (1,)]
    target.add_instruction(SXGate(), {q: InstructionProperties(50e-9, 1e-3) for q in each})
    target.add_instruction(RZGate(0.0), {q: InstructionProperties(0.0, 0.0) for q in each})
    target.add_instruction(CXGate(), {(0, 1): InstructionProperties(400e-9, errors.get("cx", 0.02))})
    target.add_instruction(Measure(), {q: InstructionProperties(1e-6, 0.03) for q in each})
    return target


def test_the_fidelity_is_the_product_of_all_that_may_go_wrong():
    circuit = QuantumCircuit(2, 2)
    circuit.sx(0)
    circuit.cx(0, 1)
    circuit.rz(0.3, 0)
    circuit.sx(1)
    circuit.sx(1)
    circuit.measure([0, 1], [0, 1])
    size = size_of(circuit, device())
    assert (size.depth, size.two_qubit_gates, size.one_qubit_gates) == (5, 1, 4)
    assert size.seconds == pytest.approx(50e-9 + 400e-9 + 2 * 50e-9 + 1e-6)
    waits = 100e-9  # of qubit 0, while qubit 1 is turned twice: both are measured at the end
    relaxed = (1 + math.exp(-waits / T1) + 2 * math.exp(-waits / T2)) / 4
    gates = (1 - 1e-3) ** 3 * (1 - 0.02) * (1 - 0.03) ** 2
    assert size.fidelity == pytest.approx(gates * relaxed, rel=1e-12)


def test_a_gate_that_always_fails_is_named():
    circuit = QuantumCircuit(2, 2)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    size = size_of(circuit, device(cx=1.0))
    assert size.fidelity == 0
    assert size.broken == ("cx on 0-1",)
    assert size.fidelity_beside == pytest.approx(0.97**2)


def test_a_snapshot_is_forecast_as_the_real_device_would_take_it():
    circuit = hardware_efficient(3, layers=2)
    work = Batch(circuit, tfim(3).hamiltonian, [0.1] * circuit.num_parameters, shots=1000)
    found = backends.get("ibm:fake_manila").forecast(work)
    assert found is not None
    assert (found.circuits, found.shots, found.jobs) == (2, 2000, 1)  # ZZ and X are measured apart
    assert found.two_qubit_gates == circuit.count_ops()["cx"]  # a line of Manila needs no swaps
    assert found.circuit_s is not None
    assert found.qpu_s == pytest.approx(2 + 2000 * (250e-6 + found.circuit_s))
    assert found.money_usd == pytest.approx(1.6 * found.qpu_s)
    assert found.fidelity is not None
    assert 0.7 < found.fidelity < 0.97
    assert "as the real device would take it" in found.notes[0]


def test_a_simulator_of_no_device_has_no_forecast():
    from qiskit_aer import AerSimulator

    work = Batch(hardware_efficient(2, layers=1), "ZZ", [0.1] * 4)
    assert backends.get(AerSimulator()).forecast(work) is None
    assert backends.get("statevector").forecast(work) is None


def test_the_evaluations_of_the_whole_workload_are_counted():
    work = workload(hardware_efficient(3, layers=1), tfim(3), optimizer="spsa", max_steps=10, shots=100)
    found = backends.get("ibm:fake_manila").forecast(work)
    assert found is not None
    assert found.circuits == 2 * (work.n_evaluations + 4)
    assert found.jobs == 12  # one a step, with both of its points, and two to conclude
    assert found.shots == 100 * found.circuits


def test_what_a_run_takes_is_what_was_forecast_with_what_concludes_it(tmp_path, monkeypatch):
    """SPSA evaluates as often as it says; then the answer, the best point and the start, and one of them once more."""
    run, seen = QiskitHere.run, []

    def counting(self, circuits, shots, seed):
        seen.append(len(circuits) * shots)
        return run(self, circuits, shots, seed)

    monkeypatch.setattr(QiskitHere, "run", counting)
    result = hybrid.minimize(
        hardware_efficient(2, layers=1),
        tfim(2),
        backend="ibm:fake_manila",
        optimizer="spsa",
        max_steps=4,
        shots=50,
        folder=tmp_path / "run",
    )
    assert result.plan is not None
    cost = result.plan.chosen.cost
    assert result.status == "max_steps"
    assert cost.hardware is not None
    assert (cost.circuits, cost.shots) == (2, 100)
    assert sum(seen) == cost.hardware.shots == 100 * result.evaluations
    assert "a value takes 2 circuits, 100 shots in all" in result.plan.chosen.reason


def test_devices_that_nobody_is_logged_in_to_have_a_price_and_a_size():
    circuit = QuantumCircuit(2)
    circuit.rx(0.1, 0)
    circuit.cx(0, 1)
    work = Batch(circuit, "ZZ", shots=10000)
    ionq = forecast_by_name("ionq:qpu.forte-1", work)
    assert ionq is not None
    assert ionq.money_usd == pytest.approx(10000 * (0.0001645 + 0.001121), abs=25)  # above the least, 25.79 USD
    assert ionq.two_qubit_gates == 1
    braket = forecast_by_name("braket:arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet", work)
    assert braket is not None
    assert braket.money_usd == pytest.approx(0.30 + 10000 * 0.00145)
    assert braket.two_qubit_gates is None
    with pytest.raises(Refused, match="21 qubits, but braket:garnet has 20"):
        forecast_by_name("braket:garnet", Batch(QuantumCircuit(21), "Z" * 21))


def test_a_price_that_is_not_known_is_never_nothing():
    work = Batch(QuantumCircuit(2), "ZZ", shots=10)
    assert forecast_by_name("elsewhere:machine", work) is None
    request = JobRequest((QuantumCircuit(1, 1),), 10)
    assert charge("elsewhere:machine", request) is None
    found = charge("braket:Ankaa-3", request)
    assert found is not None
    assert (found.usd, found.shots) == (pytest.approx(0.309), 10)
    gates = QuantumCircuit(2)
    gates.cx(0, 1)
    found = charge("ionq:aria-1", JobRequest((gates,), 100_000))
    assert found is not None
    assert found.usd == pytest.approx(97.5)


def test_ones_own_prices_come_first(monkeypatch, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(
        '[[price]]\ndevices = ["IBM:ibm_*"]\ndate = 2026-01-31\nsource = "our contract"\n'
        "usd_per_qpu_s = 0.5\njob_s = 1.0\nrep_delay_s = 0.0\n"
    )
    monkeypatch.setenv("HYBRID_PRICES", str(mine))
    found = forecast_by_name("ibm:ibm_fez", Batch(QuantumCircuit(2), "ZZ", shots=10))
    assert found is not None
    assert found.money_usd == 0.5
    assert any("2026-01-31" in note and "our contract" in note for note in found.notes)
    entry = prices.price_of("ibm:fake_manila")
    assert entry is not None
    assert entry.usd_per_qpu_s == 1.6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("price = 1", r"price must be a list"),
        ("[[prize]]\n", r"'prize'.*price"),
        ('[[price]]\ndevices = ["x"]\ndate = 2026-01-01\nsource = "s"\nusd_per_shots = 1.0', "usd_per_shot"),
        ('[[price]]\ndevices = ["x"]\ndate = 2026-01-01\nsource = "s"\nusd_per_shot = -1.0', "usd_per_shot"),
        ('[[price]]\ndevices = ["x"]\nsource = "s"', "date"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_price_table_that_is_wrong_is_refused_by_file_and_key(text, words, monkeypatch, tmp_path):
    (tmp_path / "p.toml").write_text(text)
    monkeypatch.setenv("HYBRID_PRICES", str(tmp_path / "p.toml"))
    with pytest.raises(Refused, match=r"p\.toml.*" + words):
        prices.price_of("x")
