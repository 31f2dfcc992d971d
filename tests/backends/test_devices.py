"""Devices and simulators of other libraries behind Qiskit's interface."""

from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator, QasmSimulator, StatevectorSimulator, UnitarySimulator

import backends
import hybrid
from backends import Batch
from backends.machine import own_cores
from circuits import hardware_efficient
from circuits.errors import Refused

SIMULATORS = [StatevectorSimulator, QasmSimulator, AerSimulator, BasicSimulator]


@pytest.fixture
def turned():
    circuit = QuantumCircuit(2)
    circuit.ry(1.0471975511965976, 0)  # cos = 1/2
    circuit.cx(0, 1)
    return circuit


@pytest.mark.parametrize("make", SIMULATORS)
def test_simulators_of_qiskit_count(make, turned):
    backend = backends.get(make())
    (values,) = backend.submit(Batch(turned, ["ZZ", "IZ"], shots=4000, seed=1)).result().values
    assert values == pytest.approx([1, 0.5], abs=0.06)
    assert set(backend.sample(turned, shots=100, seed=1)) == {"00", "11"}
    assert backend.capabilities().place == "here"
    assert not backend.capabilities().noise


def test_the_old_statevector_simulator_minimizes(tmp_path):
    H, circuit = SparsePauliOp("Z"), hardware_efficient(1, layers=1)
    run = hybrid.minimize(
        circuit, H, backend=StatevectorSimulator(), optimizer="spsa", accuracy=0.1, max_steps=5, folder=tmp_path / "r"
    )
    assert run.energy < 1


def test_simulators_of_unitaries_are_refused_by_name():
    for device in (UnitarySimulator(), AerSimulator(method="unitary"), AerSimulator(method="superop")):
        with pytest.raises(Refused, match=f"{device.name} simulates whole unitaries"):
            backends.get(device)


def test_a_local_simulator_of_braket_is_here(turned):
    provider = pytest.importorskip("qiskit_braket_provider")
    backend = backends.get(provider.BraketLocalBackend())
    assert backend.capabilities().place == "here"
    assert backend.footprint(Batch(turned, "ZZ")).memory_bytes >= 16 * 4
    (values,) = backend.submit(Batch(turned, ["ZZ", "IZ"], shots=4000)).result().values
    assert values == pytest.approx([1, 0.5], abs=0.06)


def test_what_is_not_known_to_run_here_is_elsewhere():
    class Wrapped:
        """Stands for a machine of a vendor."""

    provider = pytest.importorskip("qiskit_braket_provider")
    device = provider.BraketLocalBackend()
    device._device = Wrapped()
    assert backends.get(device).capabilities().place == "provider"


def test_aer_uses_the_threads_that_a_record_names(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    aer: Any = backends.get("aer")
    assert aer._simulator("statevector", None).options.max_parallel_threads == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert aer._simulator("statevector", None).options.max_parallel_threads == len(own_cores())
