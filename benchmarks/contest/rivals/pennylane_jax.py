"""PennyLane's default.qubit with JAX: backpropagation through the whole circuit, compiled."""

from backends.angles import compile_angles
from backends.simulators.lightning import _observable, convert
from contest.rivals.gates import without_rzx
from contest.rivals.jax_function import configure, value_and_grad
from contest.rivals.lightning import excitation_operations
from contest.workloads import Case


def backprop(case: Case):
    configure(case)
    import pennylane as qml

    native = case.workload.kind == "uccsd"
    operations, places, angles = excitation_operations(case) if native else convert(without_rzx(case.circuit))
    tape = qml.tape.QuantumScript(operations, trainable_params=places)
    observable = _observable(case.observable)
    device = qml.device("default.qubit", wires=case.circuit.num_qubits)

    @qml.qnode(device, interface="jax", diff_method="backprop")
    def energy(alphas):
        with qml.QueuingManager.stop_recording():  # what is made inside a circuit is otherwise part of it already
            bound = tape.bind_new_parameters(list(alphas), places)
        for operation in bound.operations:
            qml.apply(operation)
        return qml.expval(observable)

    return value_and_grad(energy, compile_angles(angles, case.circuit.parameters), case)
