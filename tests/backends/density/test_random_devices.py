"""Random circuits on random devices, beside Aer's density matrices."""

import numpy as np
import pytest
from qiskit import QuantumCircuit

import backends
from backends import Batch, Device

TOPOLOGIES = ("line", "ring", "grid", "heavy-hex", "all-to-all")
GATES = (("rz", "sx", "x", "cz"), ("rz", "sx", "x", "cx"), ("u", "cz"), ("rz", "rx", "ry", "ecr"))


def random_device(rng, **changes):
    """Different numbers at every place, and gates that may run one way alone."""
    n_qubits = int(rng.integers(2, 5))
    gates = GATES[rng.integers(len(GATES))]
    plain = Device(n_qubits, TOPOLOGIES[rng.integers(len(TOPOLOGIES))])
    edges = tuple((b, a) if rng.random() < 0.5 else (a, b) for a, b in plain.edges)
    t1 = rng.uniform(2e-6, 2e-5, n_qubits)
    numbers = {
        "one_qubit_error": rng.uniform(0, 0.05, n_qubits),
        "two_qubit_error": rng.uniform(0, 0.2, len(edges)),
        "readout_error": rng.uniform(0, 0.2, n_qubits),
        "readout_bias": rng.uniform(-1, 1, n_qubits),
        "t1": t1,
        "t2": t1 * rng.uniform(0.2, 2.0, n_qubits),
        "one_qubit_s": rng.uniform(0, 6e-8, n_qubits),
        "two_qubit_s": rng.uniform(0, 4e-7, len(edges)),
        "virtual": ("rz",) if "rz" in gates else (),
        "directed": bool(rng.random() < 0.5),
        "idle": bool(rng.random() < 0.5),
        "gates": gates,
    }
    return Device(n_qubits, edges, **numbers | changes)


def random_circuit(rng, n_qubits, n_gates):
    circuit = QuantumCircuit(n_qubits)
    for _ in range(n_gates):
        a, b = (int(q) for q in rng.permutation(n_qubits)[:2])
        angle = rng.uniform(0, 2 * np.pi)
        kind = rng.integers(6)
        if kind < 3:
            (circuit.rx, circuit.ry, circuit.rz)[kind](angle, a)
        elif kind == 3:
            circuit.h(a)
        else:
            (circuit.cx, circuit.cz)[kind - 4](a, b)
    return circuit


def random_labels(rng, n_qubits, count):
    return ["".join(rng.choice(list("IXYZ"), n_qubits)) for _ in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_values_are_those_of_aers_density_matrices(seed):
    rng = np.random.default_rng(seed)
    device = random_device(rng)
    circuit = random_circuit(rng, int(rng.integers(2, device.n_qubits + 1)), 12)
    observables = [*random_labels(rng, circuit.num_qubits, 2), "Z" * circuit.num_qubits]
    batch = Batch(circuit, observables)
    found = backends.get("density", device=device).submit(batch).result().values
    aer = backends.get("aer", noise=device).submit(batch).result().values
    np.testing.assert_allclose(found, aer, atol=1e-8, rtol=0)
    assert np.abs(found).max() > 1e-6


def test_waiting_qubits_decay_and_those_that_are_done_do_not():
    """One qubit is excited and waits for its partner, which turns for ten gates; another is excited and measured."""
    circuit = QuantumCircuit(3)
    circuit.x([0, 2])
    for _ in range(10):
        circuit.sx(1)
    circuit.cz(0, 1)
    device = Device(3, t1=1e-5, one_qubit_s=1e-6, two_qubit_s=0.0, idle=True)
    batch = Batch(circuit, ["IIZ", "ZII"])
    found = backends.get("density", device=device).submit(batch).result().values[0]
    assert found == pytest.approx([1 - 2 * np.exp(-1.0), 1 - 2 * np.exp(-0.1)], abs=1e-12)
    still = backends.get("density", device=device.with_(idle=False)).submit(batch).result().values[0]
    assert still == pytest.approx([1 - 2 * np.exp(-0.1)] * 2, abs=1e-12)
