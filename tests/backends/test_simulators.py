"""What single simulators and devices do beyond the contract."""

import subprocess
import sys

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector

import backends
from backends import Batch
from backends.simulators.reference import state
from circuits.errors import Refused


def test_reference_keeps_the_global_phase():
    circuit = QuantumCircuit(2, global_phase=0.4)
    circuit.p(0.3, 0)
    circuit.ry(0.9, 1)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["ZZ", "II"], [0.2, 0.5])), [0, 1])
    circuit.iswap(0, 1)
    psi = state(circuit).reshape(-1)
    wanted = Operator(circuit).data[:, 0]
    assert psi == pytest.approx(wanted, abs=1e-12)


def test_reference_stops_at_twenty_qubits():
    with pytest.raises(Refused, match="20 at most"):
        backends.get("reference").submit(Batch(QuantumCircuit(21), "Z" * 21))


def test_stabilizer_does_clifford_circuits_of_many_qubits():
    n = 60
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for q in range(n - 1):
        circuit.cx(q, q + 1)
    stabilizer = backends.get("aer", method="stabilizer")
    H = SparsePauliOp.from_sparse_list([("ZZ", [0, n - 1], 1.0), ("X" * n, list(range(n)), 0.5), ("Z", [3], 2.0)], n)
    assert stabilizer.submit(Batch(circuit, H)).result().values[0, 0] == pytest.approx(1.5)
    assert set(stabilizer.sample(circuit, shots=50, seed=1)) == {"0" * n, "1" * n}


def test_stabilizer_names_the_gate_it_cannot_do():
    stabilizer = backends.get("aer", method="stabilizer")
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.t(1)
    with pytest.raises(Refused, match=r"'t' on qubits \[1\]"):
        stabilizer.submit(Batch(circuit, "ZZ"))
    turned = QuantumCircuit(1)
    turned.rx(Parameter("a"), 0)
    assert stabilizer.submit(Batch(turned, "Z", [np.pi])).result().values[0, 0] == pytest.approx(-1)
    with pytest.raises(Refused, match=r"rx\(0\.3\)"):
        stabilizer.submit(Batch(turned, "Z", [0.3]))


def test_options_are_checked():
    for options, match in (
        ({"method": "stabiliser"}, "stabilizer"),
        ({"precision": "half"}, "precision"),
        ({"max_bond_dimension": 4}, "matrix_product_state"),
        ({"methods": "x"}, "did you mean 'method'"),
        ({"shots": 100}, "unknown option"),
    ):
        with pytest.raises(Refused, match=match):
            backends.get("aer", **options)
    with pytest.raises(Refused, match="optimization_level"):
        backends.get("ibm:fake_manila", optimization_level=7)


def test_controlled_rotations_with_free_angles_on_aer():
    """Aer's own parameter_binds gets these wrong; binding before the run does not."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.crx(Parameter("a"), 0, 1)
    value = backends.get("aer").submit(Batch(circuit, "ZI", [1.3])).result().values[0, 0]
    assert value == pytest.approx((1 + np.cos(1.3)) / 2)


def test_lightning_pauli_rotations_have_right_gradients():
    circuit = QuantumCircuit(3)
    circuit.ry(0.4, [0, 1, 2])
    circuit.append(PauliEvolutionGate(SparsePauliOp("XYZ"), time=Parameter("t")), [0, 1, 2])
    _, gradient = backends.get("lightning").value_and_grad(circuit, "ZII")([0.3])
    step = 1e-5
    up, down = (
        Statevector(circuit.assign_parameters([0.3 + s])).expectation_value(SparsePauliOp("ZII")).real
        for s in (step, -step)
    )
    assert gradient[0] == pytest.approx((up - down) / (2 * step), abs=1e-8)
    assert abs(gradient[0]) > 0.1


def test_device_size_is_named():
    with pytest.raises(Refused, match=r"6 qubits, but ibm:fake_manila has 5"):
        backends.get("ibm:fake_manila").predict(Batch(QuantumCircuit(6), "Z" * 6))


def test_snapshots_and_real_devices():
    assert backends.get("ibm:fake_manila").capabilities().name == "ibm:fake_manila"
    with pytest.raises(Refused, match="did you mean 'fake_manila'"):
        backends.get("ibm:fake_manilla")


def test_without_the_extra_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "qiskit_ibm_runtime", None)
    with pytest.raises(Refused, match=r"pip install 'hybrid-codesign\[ibm\]'"):
        backends.get("ibm:fake_manila")


def test_routing_keeps_the_observable_on_its_qubits():
    """On a chain of five, one qubit cannot neighbour the four others: swaps are needed, and the layout must follow."""
    circuit = QuantumCircuit(5)
    circuit.x(0)
    for q in (1, 2, 3, 4):
        circuit.cx(0, q)
    circuit.x([2, 3])
    device = backends.get("ibm:fake_manila")
    observables = ["IIIIZ", "IIIZI", "IIZII", "IZIII", "ZIIII"]
    values = device.submit(Batch(circuit, observables, shots=500, seed=1)).result().values[0]
    assert np.sign(values).tolist() == [-1, -1, 1, 1, -1]
    counts = device.sample(circuit, shots=200, seed=1)
    assert max(counts, key=counts.__getitem__) == "10011"


def test_a_device_with_a_limit_of_circuits_gets_several_jobs():
    from qiskit_aer import AerSimulator

    class Limited(AerSimulator):
        @property
        def max_circuits(self):
            return 2

    limited = backends.get(Limited())
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    result = limited.submit(Batch(circuit, "Z", np.linspace(0, 3, 5)[:, None], shots=4000, seed=1)).result()
    assert result.values[:, 0] == pytest.approx(np.cos(np.linspace(0, 3, 5)), abs=0.08)  # 5 / sqrt(4000)


def test_plain_objects_are_refused():
    with pytest.raises(Refused, match="BackendV2"):
        backends.get(3.0)


def test_a_device_failure_is_a_failed_job():
    from qiskit.exceptions import QiskitError
    from qiskit_aer import AerSimulator

    from circuits.errors import FailedJob

    class Broken(AerSimulator):
        def run(self, *args, **options):
            raise QiskitError("the cryostat is warm")

    with pytest.raises(FailedJob, match="cryostat"):
        backends.get(Broken()).submit(Batch(QuantumCircuit(1), "Z"))


def test_values_repeat_in_another_process():
    program = (
        "import backends, numpy as np\n"
        "from qiskit.circuit.library import real_amplitudes\n"
        "from qiskit.quantum_info import SparsePauliOp\n"
        "c = real_amplitudes(15, reps=1); t = np.linspace(0, 3, c.num_parameters)\n"
        "H = SparsePauliOp(['Z' * 15, 'X' * 15, 'ZX' + 'I' * 13], [1, .5, .3])\n"
        "f = backends.get('aer').prepare(c, H)\n"
        "answer = [f(t).values[0, 0].hex(), f(t, shots=100, seed=3).values[0, 0].hex()]\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", program + "print(answer)"], capture_output=True, text=True, check=True
    )
    here: dict = {}
    exec(program, here)
    assert there.stdout.strip() == str(here["answer"])


def test_evolution_means_its_definition_on_devices(hamiltonian):
    circuit = QuantumCircuit(2)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XI", "ZZ"], [0.7, 0.4]), time=0.9), [0, 1])
    from qiskit_aer import AerSimulator

    from backends.measurement.targets import transpiled

    moved, layout = transpiled(circuit, AerSimulator(), level=1)
    assert layout == (0, 1)
    assert Operator(moved).equiv(Operator(circuit.decompose("PauliEvolution")))
    assert Operator(moved).equiv(Operator(transpile(circuit.decompose("PauliEvolution"), basis_gates=["u", "cx"])))
