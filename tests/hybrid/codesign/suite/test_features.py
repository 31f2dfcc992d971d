"""Features of circuits, against values worked out by hand."""

import pytest
from qiskit import QuantumCircuit

from hybrid.codesign.suite.features import features, mean_features


def ghz(n):
    circuit = QuantumCircuit(n)
    circuit.h(0)
    for k in range(n - 1):
        circuit.cx(k, k + 1)
    return circuit


@pytest.mark.parametrize("n", [2, 3, 7])
def test_features_of_a_chain(n):
    found = features(ghz(n))
    assert found.communication == pytest.approx(2 / n)
    assert found.critical_depth == 1.0
    assert found.entanglement_ratio == pytest.approx((n - 1) / n)
    assert found.parallelism == 0.0
    assert found.liveness == pytest.approx((2 * (n - 1) + 1) / (n * n))
    assert found.measurement == 0.0


def test_gates_side_by_side():
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    found = features(circuit)
    assert found.parallelism == pytest.approx((6 / 2 - 1) / 3)
    assert found.critical_depth == 0.5
    assert found.liveness == 1.0
    assert found.communication == pytest.approx(4 / 12)


def test_barriers_and_measurements_at_the_end_count_for_nothing():
    circuit = ghz(3)
    plain = features(circuit)
    circuit.barrier()
    assert features(circuit) == plain
    circuit.measure_all()
    before = circuit.count_ops()
    assert features(circuit).measurement == 0.0
    assert circuit.count_ops() == before  # it is not changed
    assert features(circuit).liveness > plain.liveness  # measuring keeps all qubits busy


def test_layers_with_a_reset():
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.cx(0, 1)
    assert features(circuit).measurement == 0.25


def test_nothing_to_divide_by():
    assert set(vars(features(QuantumCircuit(3))).values()) == {0.0}
    alone = QuantumCircuit(1)
    alone.h(0)
    assert features(alone).liveness == 1.0
    assert features(alone).communication == 0.0


def test_mean_over_circuits():
    assert mean_features([ghz(2), ghz(4)]).communication == pytest.approx((1.0 + 0.5) / 2)
