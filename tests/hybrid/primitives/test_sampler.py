import pickle

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.random import random_circuit
from qiskit.primitives import BitArray
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.quantum_info import Statevector

import backends
import hybrid
from backends.base import Backend, Samples
from circuits.errors import FailedJob, Refused


def measured(n_qubits, ones=()):
    circuit = QuantumCircuit(n_qubits)
    for q in ones:
        circuit.x(q)
    circuit.measure_all()
    return circuit


@pytest.mark.parametrize("n_bits", [1, 7, 8, 9, 17])
def test_bits_stand_where_qiskit_puts_them(n_bits):
    ones = {0, n_bits // 2, n_bits - 1}
    bits = hybrid.Sampler("statevector").run([measured(n_bits, ones)], shots=3).result()[0].data.meas
    assert isinstance(bits, BitArray)
    assert (bits.num_bits, bits.num_shots, bits.shape, bits.array.dtype) == (n_bits, 3, (), np.uint8)
    assert bits.array.shape == (3, (n_bits + 7) // 8)
    assert bits.get_int_counts() == {sum(1 << bit for bit in ones): 3}


@pytest.mark.parametrize(
    "backend",
    ["reference", "statevector", "aer", "lightning", BasicSimulator()],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_samples_follow_the_states_probabilities(backend):
    circuit = random_circuit(3, 4, max_operands=2, seed=4)
    p = Statevector(circuit).probabilities()
    circuit.measure_all()
    counts = hybrid.Sampler(backend, seed=1).run([circuit], shots=20_000).result()[0].data.meas.get_int_counts()
    seen = np.array([counts.get(k, 0) for k in range(8)]) / 20_000
    assert seen == pytest.approx(p, abs=5 * 0.5 / np.sqrt(20_000))
    assert np.ptp(p) > 0.1


def test_each_register_has_its_bits_and_one_shot_is_one_run():
    a, b, c = ClassicalRegister(1, "a"), ClassicalRegister(10, "b"), ClassicalRegister(2, "unused")
    circuit = QuantumCircuit(QuantumRegister(2), a, b, c)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure(0, a[0])
    circuit.measure(1, b[9])
    data = hybrid.Sampler("statevector", seed=1).run([circuit], shots=500).result()[0].data
    assert list(data) == ["a", "b", "unused"]
    left, right = data.a.to_bool_array()[:, 0], data.b.to_bool_array(order="little")[:, 9]
    assert left.tolist() == right.tolist()
    assert 150 < left.sum() < 350
    assert data.unused.get_counts() == {"00": 500}
    assert data.b.num_bits == 10


def test_registers_may_share_bits():
    whole = ClassicalRegister(3, "whole")
    part = ClassicalRegister(name="part", bits=[whole[2], whole[0]])
    circuit = QuantumCircuit(QuantumRegister(3), whole, part)
    circuit.x(2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    data = hybrid.Sampler("reference").run([circuit], shots=4).result()[0].data
    assert data.whole.get_counts() == {"100": 4}
    assert data.part.get_counts() == {"01": 4}


@pytest.mark.parametrize(
    "backend",
    ["statevector", "aer", BasicSimulator()],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_as_many_shots_come_as_are_asked_for(backend):
    sampler = hybrid.Sampler(backend, default_shots=77, seed=3)
    circuit = measured(2)
    pubs = [circuit, (circuit, None, 1234), SamplerPub(circuit, shots=1)]
    for run, shots in ((sampler.run(pubs, shots=55), 55), (sampler.run(pubs), 77)):
        result = run.result()
        assert [pub.metadata["shots"] for pub in result] == [shots, 1234, 1]
        assert [pub.data.meas.num_shots for pub in result] == [shots, 1234, 1]
        assert [sum(pub.data.meas.get_counts().values()) for pub in result] == [shots, 1234, 1]


def test_backend_that_gives_another_number_of_shots_is_found_out():
    class Rounding(Backend, Samples):
        def capabilities(self):
            return backends.get("reference").capabilities()

        def footprint(self, work):
            return backends.get("reference").footprint(work)

        def prepare(self, circuit, observables):
            raise NotImplementedError

        def sample(self, circuit, parameters=(), *, shots=1024, seed=None):
            return {"0": -(-shots // 64) * 64}

    with pytest.raises(FailedJob, match="gave 1280 shots, where 1234 were asked for"):
        hybrid.Sampler(Rounding()).run([measured(1)], shots=1234).result()


def test_rows_keep_their_shape_and_draw_apart():
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.ry(angle, 0)
    circuit.measure_all()
    values = np.array([[0.0, np.pi, np.pi / 2], [np.pi / 2, np.pi / 2, 0.0]])
    bits = hybrid.Sampler("statevector", seed=5).run([(circuit, values[..., None])], shots=400).result()[0].data.meas
    assert (bits.shape, bits.array.shape) == ((2, 3), (2, 3, 400, 1))
    ones = np.array([[bits[j, k].get_int_counts().get(1, 0) for k in range(3)] for j in range(2)])
    assert ones[0, :2].tolist() == [0, 400]
    assert ones[1, 2] == 0
    assert len({ones[0, 2], ones[1, 0], ones[1, 1]}) == 3, "rows share their random numbers"


def test_first_shots_are_a_fair_sample_of_all():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    bits = hybrid.Sampler("statevector", seed=2).run([circuit], shots=2000).result()[0].data.meas
    first = bits.slice_shots(range(1000)).get_counts()
    assert 400 < first["0"] < 600


def test_runs_repeat_by_their_seed_however_rows_are_cut_into_pubs():
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.ry(angle, 0)
    circuit.measure_all()
    sampler = hybrid.Sampler("statevector", seed=9)
    together = sampler.run([(circuit, [[1.0], [1.1], [1.2]])]).result()[0].data.meas
    apart = sampler.run([(circuit, [1.0]), (circuit, [1.1]), (circuit, [1.2])]).result()
    assert [together[k].get_counts() for k in range(3)] == [pub.data.meas.get_counts() for pub in apart]


def test_circuits_that_measure_and_decide_on_the_way():
    """Teleportation: whatever was measured, the last qubit is in the first one's state."""
    alice, bob = ClassicalRegister(2, "alice"), ClassicalRegister(1, "bob")
    circuit = QuantumCircuit(QuantumRegister(3), alice, bob)
    circuit.ry(2 * np.arcsin(np.sqrt(0.2)), 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], alice)
    with circuit.if_test((alice[1], 1)):
        circuit.x(2)
    with circuit.if_test((alice[0], 1)):
        circuit.z(2)
    circuit.measure(2, bob)
    (pub,) = hybrid.Sampler(seed=4).run([circuit], shots=8000).result()
    assert pub.metadata.backend == "aer"
    assert pub.data.bob.get_int_counts()[1] / 8000 == pytest.approx(0.2, abs=5 * 0.4 / np.sqrt(8000))
    assert len(pub.data.alice.get_counts()) == 4
    with pytest.raises(Refused, match="aer"):
        hybrid.Sampler("statevector").run([circuit]).result()


def test_nothing_measured_is_zeros_and_no_register_a_warning():
    circuit = QuantumCircuit(2, 3)
    circuit.x(0)
    (pub,) = hybrid.Sampler().run([circuit], shots=10).result()
    assert pub.data.c.get_counts() == {"000": 10}
    with pytest.warns(UserWarning, match="no classical registers"):
        job = hybrid.Sampler().run([QuantumCircuit(2)])
    assert len(job.result()[0].data) == 0


def test_measurement_inside_of_a_definition_is_seen():
    inner = QuantumCircuit(1, 1)
    inner.measure(0, 0)
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.append(inner.to_instruction(), [0], [0])
    assert hybrid.Sampler("reference").run([circuit], shots=5).result()[0].data.c.get_counts() == {"1": 5}


def test_register_without_bits():
    empty, one = ClassicalRegister(0, "empty"), ClassicalRegister(1, "one")
    circuit = QuantumCircuit(QuantumRegister(1), empty, one)
    circuit.x(0)
    circuit.measure(0, 0)
    data = hybrid.Sampler("reference").run([circuit], shots=6).result()[0].data
    assert data.empty.array.shape == (6, 0)
    assert data.one.get_counts() == {"1": 6}


def test_no_rows_give_no_shots():
    angle = Parameter("angle")
    circuit = QuantumCircuit(1)
    circuit.ry(angle, 0)
    circuit.measure_all()
    bits = hybrid.Sampler("reference").run([(circuit, np.zeros((0, 1)))], shots=6).result()[0].data.meas
    assert bits.array.shape == (0, 6, 1)


def test_metadata_are_qiskits_and_say_who_computed():
    circuit = measured(1)
    circuit.metadata = {"a": 1}
    result = hybrid.Sampler("reference").run([circuit], shots=5).result()
    assert result.metadata == {"version": 2}
    assert result[0].metadata == {"shots": 5, "circuit_metadata": {"a": 1}}
    assert (result[0].metadata.backend, result[0].metadata.why) == ("reference", "asked for by name")
    again = pickle.loads(pickle.dumps(result))[0].metadata
    assert (again, again.backend) == (result[0].metadata, "reference")


def test_wrong_requests():
    circuit, sampler = measured(1), hybrid.Sampler("reference")
    for shots in (0, -1):
        with pytest.raises(ValueError, match="shots"):
            sampler.run([circuit], shots=shots)
        with pytest.raises(ValueError, match="shots"):
            hybrid.Sampler(default_shots=shots)
    with pytest.raises(TypeError):
        sampler.run([circuit], shots=1.5)
    turned = QuantumCircuit(1, 1)
    turned.ry(Parameter("angle"), 0)
    turned.measure(0, 0)
    with pytest.raises(ValueError, match="finite"):
        sampler.run([(turned, [np.inf])])
    wide = QuantumCircuit(1, 100_000)
    wide.measure(0, 0)
    with pytest.raises(ValueError, match="bytes"):
        sampler.run([wide], shots=10**9).result()
