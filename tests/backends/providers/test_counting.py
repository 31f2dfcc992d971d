"""What counting here with noise amounts to: beside the times of circuits that were measured."""

import pytest
from qiskit import QuantumCircuit

from backends import Device
from backends.calibration import Probe
from backends.devices.hardware import ModelledDevice
from backends.providers.counting import DENSITY_MATRIX, TRAJECTORIES, counting
from circuits import hardware_efficient, tfim

NOISY = Device(6, "line", one_qubit_error=1e-3, two_qubit_error=1e-2)


def test_the_way_depends_on_shots_and_on_the_qubits_that_the_circuit_takes_there():
    """Three qubits in use: 2^3 shots are drawn one by one, and more of them from a density matrix."""
    circuit = QuantumCircuit(6)
    circuit.cz(0, 1)
    circuit.sx(4)
    circuit.rz(0.2, 4)
    told = {"circuits": 2, "beside": False}
    dense = counting(circuit, (0, 1, 4), NOISY.target(), shots=9, **told)
    drawn = counting(circuit, (0, 1, 4), NOISY.target(), shots=8, **told)
    assert (dense.kind, drawn.kind) == (DENSITY_MATRIX, TRAJECTORIES)
    assert dense.amplitudes == 4**3
    assert (dense.memory_bytes, drawn.memory_bytes) == (16 * 4**3, 16 * 2**3)
    assert drawn.passes == 8 * dense.passes
    assert dense.steps == 2 * 3 + 100  # three gates in each circuit, and the errors of one edge


def test_errors_that_depend_on_the_circuit_around_them_are_counted():
    circuit, observable = hardware_efficient(4, layers=2), tfim(4).hamiltonian
    work = Probe(circuit, (observable,), False, shots=1000)
    times = {"t1": 1e-4, "t2": 2e-4, "one_qubit_s": 4e-8, "two_qubit_s": 2e-7}
    plain, idle, mixed = (
        ModelledDevice(**NOISY.with_(**changes).options()).predict(work).seconds
        for changes in (times, times | {"idle": True}, times | {"crosstalk": 1e-3})
    )
    assert plain < idle == pytest.approx(mixed)


def test_more_shots_of_a_large_circuit_take_longer_and_those_of_a_density_matrix_do_not():
    small, large = ((hardware_efficient(n, layers=2), (tfim(n).hamiltonian,)) for n in (4, 6))
    backend = ModelledDevice(**NOISY.options())

    def passes(case, shots):
        return backend.footprint(Probe(case[0], case[1], False, shots=shots)).passes

    assert passes(small, 1000) == passes(small, 4000)
    assert passes(large, 60) == 2 * passes(large, 30)
