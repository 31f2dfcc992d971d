import copy
import pickle
import threading

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import efficient_su2
from qiskit.circuit.random import random_circuit
from qiskit.primitives import StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, Statevector

import backends
import hybrid
from backends.base import Backend
from circuits.errors import FailedJob, PolicyViolation, Refused
from hybrid.primitives.resets import without_resets

ANSATZ = efficient_su2(3, reps=1)


class Counting(Backend):
    """The reference, with a record of what it was asked."""

    def __init__(self, place="here"):
        self._inner, self._place, self.asked = backends.get("reference"), place, []

    def capabilities(self):
        from dataclasses import replace

        return replace(self._inner.capabilities(), name="counting", place=self._place)

    def footprint(self, work):
        return self._inner.footprint(work)

    def prepare(self, circuit, observables):
        evaluate = self._inner.prepare(circuit, observables)

        def counted(parameters, precision=None, shots=None, seed=None):
            self.asked.append((len(parameters), len(observables)))
            return evaluate(parameters, precision, shots, seed)

        return counted


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def random_rows(rng, *shape):
    return rng.uniform(-np.pi, np.pi, (*shape, ANSATZ.num_parameters))


@pytest.mark.parametrize(
    ("rows", "observables", "shape"),
    [
        ((), (), ()),
        ((), (2, 3), (2, 3)),
        ((1,), (), (1,)),
        ((3,), (3,), (3,)),
        ((4,), (2, 1), (2, 4)),
        ((2, 1), (3,), (2, 3)),
        ((2, 3), (), (2, 3)),
        ((2, 3), (2, 3), (2, 3)),
        ((0,), (), (0,)),
        ((0,), (2, 1), (2, 0)),
    ],
)
def test_parameters_are_broadcast_against_observables(rows, observables, shape, rng):
    labels = rng.choice(["ZII", "IXY", "YZX"], observables).tolist()
    pub = (ANSATZ, labels, random_rows(rng, *rows))
    ours = hybrid.Estimator("reference").run([pub]).result()[0].data
    theirs = StatevectorEstimator().run([pub]).result()[0].data
    assert ours.shape == ours.evs.shape == ours.stds.shape == shape
    assert ours.evs == pytest.approx(theirs.evs, abs=1e-12)
    assert not ours.stds.any()


def test_no_observables_and_no_pubs_give_no_values():
    estimator = hybrid.Estimator()
    (pub,) = estimator.run([(QuantumCircuit(1), [])]).result()
    assert (pub.data.evs.shape, pub.data.stds.shape) == ((0,), (0,))
    assert len(estimator.run([]).result()) == 0


def test_gates_that_are_known_by_their_matrix_alone():
    class Turn(Gate):
        def __init__(self):
            super().__init__("turn", 1, [])

        def __array__(self, dtype=None, copy=None):
            return np.array([[0, 1], [1, 0]], dtype=dtype)

    circuit = QuantumCircuit(1)
    circuit.append(Turn(), [0])
    assert hybrid.Estimator("reference").run([(circuit, "Z")]).result()[0].data.evs == pytest.approx(-1)


def test_only_what_the_result_holds_is_evaluated(rng):
    counting = Counting()
    estimator = hybrid.Estimator(counting)
    pairs = (ANSATZ, ["ZII", "IXY", "YZX"], random_rows(rng, 3))
    grid = (ANSATZ, [["ZII"], ["IXY"], ["ZII"]], random_rows(rng, 5))
    result = estimator.run([pairs, grid]).result()
    assert counting.asked == [(1, 1), (1, 1), (1, 1), (5, 2)]
    assert result[1].data.evs[0].tolist() == result[1].data.evs[2].tolist()
    assert result[0].data.evs == pytest.approx(StatevectorEstimator().run([pairs]).result()[0].data.evs)


def test_parameters_are_found_by_their_names():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.ry(b, 0)
    circuit.ry(a, 1)
    pub = (circuit, ["IZ", "ZI"], {("b", "a"): [0.3, 1.1]})
    assert hybrid.Estimator("reference").run([pub]).result()[0].data.evs == pytest.approx(np.cos([0.3, 1.1]))


def test_projectors_are_observables():
    circuit = QuantumCircuit(2)
    circuit.ry(0.7, 0)
    values = hybrid.Estimator("reference").run([(circuit, ["I0", "I1", "+I", {"01": 2.0}])]).result()[0].data.evs
    one = np.sin(0.35) ** 2
    assert values == pytest.approx([1 - one, one, 0.5, 2 * one])


def test_precision_of_a_pub_comes_before_that_of_the_run_and_that_before_the_default():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    estimator = hybrid.Estimator(BasicSimulator(), default_precision=0.5, seed=1)
    own = EstimatorPub.coerce((circuit, "ZZ", None, 0.05))
    asked = estimator.run([(circuit, "ZZ"), (circuit, "ZZ", None, 0.2), own], precision=0.1).result()
    default = estimator.run([(circuit, "ZZ")]).result()
    assert [pub.metadata["target_precision"] for pub in (*asked, *default)] == [0.1, 0.2, 0.05, 0.5]
    assert [pub.metadata["shots"] for pub in (*asked, *default)] == [100, 25, 400, 4]


def test_exact_values_satisfy_any_precision():
    circuit = QuantumCircuit(1)
    circuit.ry(0.4, 0)
    for precision in (None, 0, 0.5):
        (pub,) = hybrid.Estimator("statevector", seed=1).run([(circuit, "Z")], precision=precision).result()
        assert pub.data.evs == pytest.approx(np.cos(0.4), abs=1e-12)
        assert pub.data.stds == 0
        assert pub.metadata == {"target_precision": precision or 0, "circuit_metadata": {}}


def test_precision_of_zero_is_refused_where_values_are_counted():
    circuit = QuantumCircuit(1)
    job = hybrid.Estimator(BasicSimulator()).run([(circuit, "Z")], precision=0)
    with pytest.raises(Refused, match="a precision of 0 asks for exact values"):
        job.result()
    (pub,) = hybrid.Estimator(BasicSimulator()).run([(circuit, "Z")]).result()
    assert pub.metadata["target_precision"] is None
    assert pub.metadata["shots"] == 4096


def test_standard_errors_are_those_of_the_values():
    """Of <Z> = cos(t) from n shots: sqrt((1 - cos^2 t) / n), and so do repeated values scatter."""
    circuit = QuantumCircuit(1)
    circuit.ry(1.2, 0)
    estimator = hybrid.Estimator(BasicSimulator(), seed=3)
    data = estimator.run([(circuit, "Z", np.zeros((200, 0)))], precision=0.05).result()[0].data
    wanted = np.sin(1.2) / np.sqrt(400)
    assert data.evs.shape == data.stds.shape == (200,)
    assert data.stds == pytest.approx(wanted, rel=0.1)
    assert data.evs.std() == pytest.approx(wanted, rel=0.25)  # five standard deviations of the scatter of 200
    assert data.evs.mean() == pytest.approx(np.cos(1.2), abs=5 * wanted / np.sqrt(200))


def test_every_observable_of_a_pub_stays_within_the_precision():
    circuit = QuantumCircuit(2)
    circuit.h([0, 1])
    observables = [SparsePauliOp(["ZZ", "XX", "IZ"], [3, 2, 1]), SparsePauliOp(["IZ"], [0.1])]
    data = hybrid.Estimator(BasicSimulator(), seed=2).run([(circuit, observables)], precision=0.1).result()[0].data
    assert data.stds.max() <= 0.1
    assert data.stds.min() > 0


def test_truncated_values_come_with_a_bias_and_are_not_called_exact():
    circuit = QuantumCircuit(2)
    circuit.ry(1.0, 0)
    circuit.cx(0, 1)
    cut = backends.get("aer", method="matrix_product_state", max_bond_dimension=1)
    pub = hybrid.Estimator(cut).run([(circuit, ["XX", "ZZ"])]).result()[0]
    assert pub.data.bias.shape == (2,)
    assert pub.data.bias[0] > 0.1
    assert pub.metadata["target_precision"] is None
    with pytest.raises(Refused, match="exact values"):
        hybrid.Estimator(cut).run([(circuit, "XX")], precision=0).result()
    assert "bias" not in hybrid.Estimator("statevector").run([(circuit, "XX")]).result()[0].data


@pytest.mark.parametrize("seed", range(6))
def test_resets_are_the_channel_that_empties_a_qubit(seed):
    circuit = random_circuit(3, 5, max_operands=2, reset=True, seed=seed)
    circuit.h([0, 1, 2])
    circuit.reset([0, 2])
    circuit.cx(0, 1)
    circuit.rx(0.3, 2)
    labels = ["ZII", "IXY", "YZX", "IIZ", "XXI"]
    wanted = [DensityMatrix(circuit).expectation_value(SparsePauliOp(label)).real for label in labels]
    assert hybrid.Estimator("reference").run([(circuit, labels)]).result()[0].data.evs == pytest.approx(wanted)
    assert np.ptp(wanted) > 0.01


def test_reset_inside_of_a_definition_is_seen():
    inner = QuantumCircuit(1)
    inner.reset(0)
    circuit = QuantumCircuit(2)
    circuit.x([0, 1])
    circuit.append(inner.to_instruction(), [1])
    wide, (observable,) = without_resets(circuit, (SparsePauliOp("ZI"),))
    assert (wide.num_qubits, observable.num_qubits) == (3, 3)
    assert Statevector(wide).expectation_value(observable) == pytest.approx(1)


def test_circuits_without_expectation_value_are_refused_at_once():
    measured, steered = QuantumCircuit(1, 1), QuantumCircuit(1, 1)
    for circuit in (measured, steered):
        circuit.x(0)
        circuit.reset(0)
    measured.measure(0, 0)
    with steered.if_test((steered.cregs[0], 1)):
        steered.x(0)
    for circuit, words in ((measured, "has measurements"), (steered, "'if_else' instruction")):
        with pytest.raises(ValueError, match=words):
            hybrid.Estimator("reference").run([(circuit, "Z")])


def test_can_be_copied_and_pickled():
    estimator = hybrid.Estimator("statevector", default_precision=0.25, seed=3)
    pub = (ANSATZ, "ZII", np.full(ANSATZ.num_parameters, 0.1))
    value = estimator.run([pub]).result()[0].data.evs
    for other in (copy.deepcopy(estimator), pickle.loads(pickle.dumps(estimator))):
        assert (other.default_precision, other.seed) == (0.25, 3)
        assert other.run([pub]).result()[0].data.evs == value


@pytest.mark.parametrize("precision", [-1, float("nan"), float("inf")])
def test_precision_that_means_nothing_is_refused(precision):
    circuit = QuantumCircuit(1)
    with pytest.raises(ValueError, match="precision"):
        hybrid.Estimator("reference").run([(circuit, "Z")], precision=precision)
    with pytest.raises(ValueError, match="precision"):
        hybrid.Estimator("reference").run([(circuit, "Z", None, precision)])
    with pytest.raises(ValueError, match="precision"):
        hybrid.Estimator("reference", default_precision=precision)


def test_wrong_types_are_type_errors_and_wrong_values_value_errors():
    circuit, estimator = QuantumCircuit(1), hybrid.Estimator("reference")
    with pytest.raises(TypeError):
        estimator.run([(circuit, "Z")], precision="fine")
    with pytest.raises(ValueError, match="inconsistent"):
        estimator.run([(circuit, "Z", [[1e4]])])
    with pytest.raises(ValueError, match="finite"):
        estimator.run([(ANSATZ, "ZII", np.full(ANSATZ.num_parameters, np.nan))])
    with pytest.raises(ValueError, match="qubits"):
        estimator.run([(circuit, "ZZ")])
    with pytest.raises(Refused, match="seed"):
        hybrid.Estimator(seed=-1)
    with pytest.raises(Refused, match="did you mean 'statevector'"):
        hybrid.Estimator("statevektor")
    with pytest.raises(Refused, match="did you mean 'restricted'"):
        hybrid.Estimator(label="restrictid")


def test_seeds():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    pub = (circuit, "Z", None, 0.02)

    def values(estimator, n=1):
        return [float(result.data.evs) for result in estimator.run([pub] * n).result()]

    fixed = hybrid.Estimator(BasicSimulator(), seed=7)
    assert fixed.seed == 7
    assert values(fixed, 2) == values(fixed, 2)
    assert len(set(values(fixed, 3))) == 3, "pubs of one run share their random numbers"
    moving = hybrid.Estimator(BasicSimulator(), seed=np.random.default_rng(7))
    assert values(moving) != values(moving)
    assert values(hybrid.Estimator(BasicSimulator())) != values(hybrid.Estimator(BasicSimulator()))


def test_auto_goes_where_the_plan_says_and_says_so():
    circuit = QuantumCircuit(2, metadata={"who": "me"})
    circuit.h(0)
    result = hybrid.Estimator().run(iter([(circuit, "XZ")])).result()
    assert result.metadata == {"version": 2}
    metadata = result[0].metadata
    assert metadata == {"target_precision": 0.0, "circuit_metadata": {"who": "me"}}
    assert metadata.backend in backends.registry.automatic()
    assert metadata.why
    assert metadata.backend in repr(result)


def test_restricted_data_do_not_leave_this_machine():
    circuit = QuantumCircuit(1)
    with pytest.raises(PolicyViolation):
        hybrid.Estimator(Counting("provider"), label="restricted").run([(circuit, "Z")]).result()
    assert hybrid.Estimator(Counting("provider")).run([(circuit, "Z")]).result()[0].data.evs == 1


def test_circuit_that_changes_after_the_call_does_not_matter():
    circuit = QuantumCircuit(1)
    estimator = hybrid.Estimator("reference")
    first = estimator.run([(circuit, "Z")])
    circuit.x(0)
    assert first.result()[0].data.evs == 1
    assert estimator.run([(circuit, "Z")]).result()[0].data.evs == -1


def test_pubs_at_a_provider_are_all_sent_before_one_is_waited_for():
    class Waiting(Counting):
        together = threading.Barrier(3, timeout=60)

        def prepare(self, circuit, observables):
            evaluate = super().prepare(circuit, observables)

            def waiting(*arguments):
                self.together.wait()
                return evaluate(*arguments)

            return waiting

    pubs = [(ANSATZ, "ZII", np.full(ANSATZ.num_parameters, 0.1 * k)) for k in range(3)]
    values = [pub.data.evs for pub in hybrid.Estimator(Waiting("provider")).run(pubs).result()]
    assert values == [pub.data.evs for pub in hybrid.Estimator("reference").run(pubs).result()]


def test_failure_of_a_backend_reaches_whoever_asks():
    class Failing(Counting):
        def prepare(self, circuit, observables):
            raise FailedJob("no power")

    job = hybrid.Estimator(Failing()).run([(QuantumCircuit(1), "Z")])
    with pytest.raises(FailedJob, match="no power"):
        job.result()
    assert job.status().name == "ERROR"
