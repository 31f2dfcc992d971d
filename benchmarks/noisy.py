"""Values and gradients under a device's noise: our density matrices beside Aer, PennyLane and TensorCircuit.

The same gates with the same channels behind each: layers of rotations and CZ on a line of qubits, and the ZZ and Z
terms of an Ising chain. Aer differentiates by parameter shift, PennyLane by backpropagation through `default.mixed` in
JAX, compiled, and so does TensorCircuit's `DMCircuit` (pip install tensorcircuit-ng), which is left out, with the
reason, where it is not installed. Contestants take turns, and CPU seconds are compared, the least of the turns, since
other work may run on the machine; values and gradients must agree to 1e-7 before times count: Aer's differ by some 1e-8
from those of the others, which agree to 1e-13. The first call, which compiles, is told apart; a
contestant for which it takes longer than 20 CPU seconds is named, and takes one turn.

    OMP_NUM_THREADS=1 python benchmarks/noisy.py
    python benchmarks/noisy.py --qubits 4 --turns 2 --json trial.json      # a rehearsal
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pennylane as qml
import record
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Kraus, SparsePauliOp, SuperOp

import backends
from backends import Device

LAYERS = 2

LONGEST_S = 20.0
"""CPU seconds of a first call after which a contestant takes one turn, and is named as one whose first call is slow."""

TOLERANCE = 1e-7

PACKAGES = ["qiskit-aer", "pennylane", "tensorcircuit-ng", "jax"]

Function = Callable[[np.ndarray], tuple[float, np.ndarray]]


def case(n_qubits: int) -> tuple[QuantumCircuit, SparsePauliOp, Device]:
    """A circuit in the gates of a device, an observable, and the device."""
    theta = ParameterVector("t", 2 * n_qubits * LAYERS)
    circuit = QuantumCircuit(n_qubits)
    for k in range(LAYERS):
        for q in range(n_qubits):
            circuit.ry(theta[2 * (k * n_qubits + q)], q)
            circuit.rz(theta[2 * (k * n_qubits + q) + 1], q)
        for q in range(n_qubits - 1):
            circuit.cz(q, q + 1)
        for q in range(n_qubits):
            circuit.ry(0.4, q)
    strings = [("ZZ", [q, q + 1], -1.0) for q in range(n_qubits - 1)] + [("Z", [q], -0.5) for q in range(n_qubits)]
    device = Device(
        n_qubits,
        one_qubit_error=1e-3,
        two_qubit_error=1e-2,
        t1=1e-4,
        t2=8e-5,
        one_qubit_s=5e-8,
        two_qubit_s=3e-7,
        gates=("rz", "rx", "ry", "cz"),
    )
    return circuit, SparsePauliOp.from_sparse_list(strings, n_qubits), device


def ours(circuit: QuantumCircuit, observable: SparsePauliOp, device: Device) -> Function:
    """Density matrices in C++, by the angles."""
    return backends.get("density", device=device).value_and_grad(circuit, observable)


def ours_with_noise(circuit: QuantumCircuit, observable: SparsePauliOp, device: Device) -> Function:
    """The same called by JAX, by the angles and by every noise parameter."""
    f, noise = backends.noisy_value(circuit, observable, device), device.values()
    both = jax.jit(jax.value_and_grad(f, argnums=(0, 1)))

    def run(theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, (by_angles, _) = jax.block_until_ready(both(theta, noise))
        return float(value), np.asarray(by_angles)

    return run


def aer(circuit: QuantumCircuit, observable: SparsePauliOp, device: Device) -> Function:
    """Aer's density matrices, by parameter shift."""
    return backends.get("aer", noise=device, method="density_matrix").value_and_grad(circuit, observable)


def kraus_of(device: Device) -> dict[tuple[str, tuple[int, ...]], list[np.ndarray]]:
    """The Kraus operators behind each gate at each place, the first qubit the lowest."""
    return {
        (name, on): [np.asarray(one) for one in Kraus(SuperOp(error)).data]
        for name, places in device.noise.model(None)._local_quantum_errors.items()
        for on, error in places.items()
    }


def steps_of(circuit: QuantumCircuit) -> list[tuple[str, tuple[int, ...], int | None, Any]]:
    """Name and qubits of each gate, the place of its parameter if it has one, and its angle."""
    order = {parameter: k for k, parameter in enumerate(circuit.parameters)}
    steps = []
    for one in circuit.data:
        on = tuple(circuit.find_bit(q).index for q in one.qubits)
        angle = next(iter(one.operation.params), None)
        steps.append((one.operation.name, on, order.get(angle), angle))
    return steps


def compiled(value: Callable[[Any], Any]) -> Function:
    """A function of JAX's with its gradient, compiled."""
    both = jax.jit(jax.value_and_grad(value))

    def run(theta: np.ndarray) -> tuple[float, np.ndarray]:
        found, slopes = jax.block_until_ready(both(theta))
        return float(found), np.asarray(slopes)

    return run


def pennylane(circuit: QuantumCircuit, observable: SparsePauliOp, device: Device) -> Function:
    """PennyLane's default.mixed, by backpropagation, with one channel behind each gate."""
    kraus, steps = kraus_of(device), steps_of(circuit)
    gates = {"ry": qml.RY, "rz": qml.RZ, "cz": qml.CZ}
    terms = [(qml.prod(*(qml.PauliZ(q) for q in on)), c.real) for _, on, c in observable.to_sparse_list()]

    @qml.qnode(qml.device("default.mixed", wires=circuit.num_qubits), interface="jax", diff_method="backprop")
    def value(theta):
        for name, on, place, angle in steps:
            if angle is None:
                gates[name](wires=on)
            else:
                gates[name](float(angle) if place is None else theta[place], wires=on)
            if (name, on) in kraus:
                qml.QubitChannel(kraus[name, on], wires=on[::-1])
        return qml.expval(qml.dot([c for _, c in terms], [one for one, _ in terms]))

    return compiled(value)


def tensorcircuit(circuit: QuantumCircuit, observable: SparsePauliOp, device: Device) -> Function:
    """TensorCircuit's density matrices in JAX, by backpropagation, with one channel behind each gate."""
    import tensorcircuit as tc

    tc.set_backend("jax")
    tc.set_dtype("complex128")
    kraus, steps = kraus_of(device), steps_of(circuit)
    diagonal = np.real(np.diag(observable.to_matrix())).reshape((2,) * circuit.num_qubits)
    diagonal = diagonal.transpose(range(circuit.num_qubits)[::-1]).ravel()  # its first qubit is the leftmost

    def value(theta):
        state = tc.DMCircuit(circuit.num_qubits)
        for name, on, place, angle in steps:
            given = {} if angle is None else {"theta": float(angle) if place is None else theta[place]}
            getattr(state, name)(*on, **given)
            if (name, on) in kraus:
                shaped = [one.reshape((2,) * (2 * len(on))) for one in kraus[name, on]]
                state.general_kraus([tc.gates.Gate(one) for one in shaped], *on[::-1])
        return jax.numpy.real(jax.numpy.diag(state.state())) @ diagonal

    return compiled(value)


CONTESTANTS = {
    "density": ours,
    "density, noise too": ours_with_noise,
    "aer, parameter shift": aer,
    "pennylane default.mixed": pennylane,
    "tensorcircuit DMCircuit": tensorcircuit,
}


def contest(n_qubits: int, turns: int) -> dict[str, Any]:
    """CPU seconds of the first call and of the fastest later one, of each contestant that agrees with the others."""
    circuit, observable, device = case(n_qubits)
    theta = np.random.default_rng(n_qubits).uniform(0, 2 * np.pi, circuit.num_parameters)
    numbers: dict[str, Any] = {name: {} for name in CONTESTANTS}
    functions: dict[str, Function] = {}
    answer: tuple[float, np.ndarray] | None = None
    for name, make in CONTESTANTS.items():
        try:
            start = time.process_time()
            functions[name] = make(circuit, observable, device)
            found = functions[name](theta)
            numbers[name]["first_cpu_s"] = time.process_time() - start
        except ModuleNotFoundError as err:
            numbers[name]["left_out"] = f"{err.name} is not installed"
            continue
        except (MemoryError, jax.errors.JaxRuntimeError) as err:
            numbers[name]["failed"] = f"{type(err).__name__}: {str(err)[:200]}"
            functions.pop(name, None)
            continue
        answer = answer or found
        apart = max(abs(found[0] - answer[0]), float(np.abs(found[1] - answer[1]).max()))
        numbers[name]["largest_difference"] = apart
        if apart > TOLERANCE:
            raise SystemExit(f"{name} differs by {apart:g} at {n_qubits} qubits")
        print(n_qubits, name, numbers[name], flush=True)
    for _ in range(turns):
        for name, function in functions.items():
            seen = numbers[name].setdefault("cpu_s", [])
            if numbers[name]["first_cpu_s"] > LONGEST_S:
                numbers[name]["slow_first_call"] = f"over {LONGEST_S:g} CPU s, so it takes one turn"
                if seen:
                    continue
            start = time.process_time()
            function(theta)
            seen.append(time.process_time() - start)
    best = min(numbers["density"]["cpu_s"])
    for one in numbers.values():
        if "cpu_s" in one:
            one["least_cpu_s"] = min(one["cpu_s"])
            one["times_density"] = one["least_cpu_s"] / best
    return {"parameters": circuit.num_parameters, "gates": dict(circuit.count_ops()), "contestants": numbers}


def main() -> None:
    """Every number of qubits in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qubits", type=int, nargs="+", default=[6, 8, 10])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write instead of results/noisy.json")
    asked = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    numbers: dict[str, Any] = {"layers": LAYERS, "qubits": {}}
    for n_qubits in asked.qubits:  # written after each, since the largest take minutes
        numbers["qubits"][str(n_qubits)] = contest(n_qubits, asked.turns)
        record.save(asked.json or record.RESULTS / "noisy.json", numbers, PACKAGES)


if __name__ == "__main__":
    main()
