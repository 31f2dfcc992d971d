"""Simulating only the qubits in use: a circuit on a large device, and its noise, on the few qubits that it acts on.

A qubit that no gate acts on stays as it was and carries no information, whatever noise it has; but to read a noise
model of more than a hundred qubits takes a simulator many times as long as to simulate five of them; so do the errors
of gates that the circuits do not have.
"""

import copy
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import ControlFlowOp

from backends.instructions import SILENT


def in_use(circuits: Sequence[QuantumCircuit]) -> tuple[int, ...]:
    """The qubits that any of the circuits acts on, ascending, at least one; barriers and delays alone do not count."""
    used = {
        circuit.find_bit(qubit).index
        for circuit in circuits
        for instruction in circuit.data
        if instruction.operation.name not in SILENT
        for qubit in instruction.qubits
    }
    return tuple(sorted(used)) or (0,)


def cropped(circuit: QuantumCircuit, qubits: Sequence[int]) -> QuantumCircuit:
    """The circuit on some of its qubits alone, the k-th of them as qubit k; classical bits stay as they are.

    Args:
        circuit: On the device's qubits.
        qubits: Among them all that it acts on, as `in_use` tells them.
    """
    small = QuantumCircuit(len(qubits), name=circuit.name, global_phase=circuit.global_phase, metadata=circuit.metadata)
    small.add_bits(circuit.clbits)
    for register in circuit.cregs:
        small.add_register(register)
    for variable in circuit.iter_declared_vars():
        small.add_uninitialized_var(variable)
    place = {circuit.qubits[qubit]: small.qubits[k] for k, qubit in enumerate(qubits)}
    append: Any = small._append  # without the checks, which the circuit has passed
    for instruction in circuit.data:
        on = [place[qubit] for qubit in instruction.qubits if qubit in place]
        if instruction.operation.name == "barrier" and on:
            small.barrier(on)
        elif len(on) == len(instruction.qubits):
            append(instruction.replace(qubits=on))
    return small


def instructions(circuits: Sequence[QuantumCircuit]) -> frozenset[tuple[str, tuple[int, ...]]]:
    """What the circuits do, inside of branches and loops, too: names and labels, with the qubits in order."""
    return frozenset(
        known for circuit in circuits for known in _instructions(circuit, {q: k for k, q in enumerate(circuit.qubits)})
    )


def _instructions(circuit: QuantumCircuit, place: dict[Any, int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for instruction in circuit.data:
        operation, on = instruction.operation, tuple(place[qubit] for qubit in instruction.qubits)
        yield operation.name, on
        if operation.label is not None:
            yield operation.label, on
        if isinstance(operation, ControlFlowOp):
            for block in operation.blocks:
                yield from _instructions(block, dict(zip(block.qubits, on, strict=True)))


def can_crop(model: Any) -> bool:
    """Whether the noise of some qubits can be told from a model: not if a pass of an unknown kind makes it.

    Args:
        model: A qiskit_aer NoiseModel.
    """
    return all(hasattr(one, "_func") and hasattr(one, "_method") for one in model._custom_noise_passes)


def cropped_model(model: Any, qubits: Sequence[int]) -> Any:
    """The noise of some qubits, the k-th of them as qubit k.

    Args:
        model: A qiskit_aer NoiseModel, of which `can_crop` is true. Its errors are shared, not copied.
        qubits: Of the model. An error of several qubits is kept if all of them are among these.
    """
    place = {qubit: k for k, qubit in enumerate(qubits)}
    small = type(model)(basis_gates=model.basis_gates)
    for name, error in model._default_quantum_errors.items():
        small.add_all_qubit_quantum_error(error, name)
    for name, errors in model._local_quantum_errors.items():
        for on, error in errors.items():
            if place.keys() >= set(on):
                small.add_quantum_error(error, name, [place[q] for q in on])
    if model._default_readout_error is not None:
        small.add_all_qubit_readout_error(model._default_readout_error)
    for on, error in model._local_readout_errors.items():
        if place.keys() >= set(on):
            small.add_readout_error(error, [place[q] for q in on])
    small._custom_noise_passes += [_moved(one, tuple(qubits)) for one in model._custom_noise_passes]
    return small


def of_instructions(model: Any, asked: Collection[tuple[str, tuple[int, ...]]]) -> Any:
    """A model with the errors of some instructions alone, on the same qubits: to read each takes a simulator time.

    Args:
        model: A qiskit_aer NoiseModel.
        asked: Names of the instructions, with the qubits in order; as `instructions` tells them.
    """
    names = {name for name, _ in asked}
    only = copy.copy(model)
    only._default_quantum_errors = {k: v for k, v in model._default_quantum_errors.items() if k in names}
    only._local_quantum_errors = {
        name: {on: error for on, error in errors.items() if (name, on) in asked}
        for name, errors in model._local_quantum_errors.items()
        if name in names
    }
    return only


def measuring(model: Any) -> Any:
    """A model with the errors of a noise model that belong to measurements, on the same qubits.

    Args:
        model: A qiskit_aer NoiseModel.
    """
    only = copy.copy(model)
    only._default_quantum_errors = {k: v for k, v in model._default_quantum_errors.items() if k == "measure"}
    only._local_quantum_errors = {k: v for k, v in model._local_quantum_errors.items() if k == "measure"}
    only._custom_noise_passes = []
    return only


def _moved(noise_pass: Any, qubits: tuple[int, ...]) -> Any:
    """A pass that puts noise behind single instructions, such as the relaxation behind delays, for moved qubits."""
    moved, func = copy.copy(noise_pass), noise_pass._func
    moved._func = lambda operation, on: func(operation, [qubits[q] for q in on])
    return moved
