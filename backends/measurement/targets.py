"""Circuits on the qubits and in the gates of a target."""

from typing import Any, Literal

from qiskit import QuantumCircuit
from qiskit.circuit import Instruction
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2
from qiskit.transpiler import Target, generate_preset_pass_manager

from backends.instructions import definition_of, is_standard, is_unitary, written_out
from backends.measurement.placing import settled
from circuits.errors import Refused

OptimizationLevel = Literal[0, 1, 2, 3]

LEVELS = "0, which routes and translates but leaves every gate, or one of Qiskit's levels 1 to 3, which cancel gates"
""""optimization_level must be ...": the description of the option."""

SEED = 0
"""Of the transpiler, so that the same circuit is always brought to a target in the same way."""


def transpiled(
    circuit: QuantumCircuit, device: BackendV2 | Target, *, level: OptimizationLevel
) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """The circuit on a device's qubits and gates, and where each original qubit ends up.

    Whatever is no standard gate means its definition, so that a device reads it as every other backend does.

    Args:
        circuit: With or without free parameters and measurements.
        device: A device, or the gates of one; see `gates_of`.
        level: 0 finds layout and route as Qiskit's level 1 does, but neither cancels nor merges gates: those that were
            folded to amplify noise are all run. Level 1 and above shorten the circuit.

    Returns:
        The circuit, and for each original qubit the device's qubit that holds it at the end.

    Raises:
        Refused: if a gate cannot be written in the device's gates; the transpiler's reason is passed on.
    """
    plain = written_out(circuit, _is_left_to_the_device)
    manager = _manager(device, max(level, 1))
    if level == 0:
        manager.init = _manager(device, 0).init
        manager.optimization = None
    moved = _run(manager, plain, device)
    if moved.layout is None:
        return moved, tuple(range(circuit.num_qubits))
    layout = tuple(moved.layout.final_index_layout())
    target = target_of(device)
    return (moved, layout) if target is None else settled(moved, layout, target)


def target_of(device: BackendV2 | Target) -> Any:
    """The target of a device, which may be one itself; None for a backend that has none."""
    return device if isinstance(device, Target) else device.target


def _is_left_to_the_device(operation: Instruction) -> bool:
    """Standard gates, and channels and the like, which only the device knows."""
    return is_standard(operation) or (not is_unitary(operation) and definition_of(operation) is None)


def translated(circuit: QuantumCircuit, device: BackendV2 | Target) -> QuantumCircuit:
    """One-qubit gates that stand on the device's qubits already, in as few of the device's gates as do the same.

    Args:
        circuit: Of gates on one qubit each.
        device: As for `transpiled`.
    """
    place = list(range(circuit.num_qubits)) if circuit.num_qubits == device.num_qubits else None
    return _run(_manager(device, 1, initial_layout=place), circuit, device)


def placed_at(
    circuit: QuantumCircuit, layout: tuple[int, ...], device: BackendV2 | Target
) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """A circuit whose qubits stand on given ones of a device, routed along its couplings and in its gates.

    Args:
        circuit: To be brought there.
        layout: Qubit of the device that each of its qubits starts on.
        device: As for `transpiled`.

    Returns:
        As `transpiled`.
    """
    moved: Any = _run(_manager(device, 1, initial_layout=list(layout)), circuit, device)
    return moved, tuple(moved.layout.final_index_layout())


def gates_of(device: BackendV2, n_qubits: int) -> Target:
    """The gates of a simulator, each on any qubits: its own limit on their number says how much memory it expects.

    Args:
        device: The simulator.
        n_qubits: How many there shall be.
    """
    own: Any = device.target
    target = Target(num_qubits=n_qubits)
    for name in own.operation_names:
        target.add_instruction(own.operation_from_name(name), name=name)
    return target


def _run(manager: Any, circuit: QuantumCircuit, device: BackendV2 | Target) -> QuantumCircuit:
    try:
        return manager.run(circuit)
    except QiskitError as err:
        name = getattr(device, "name", "the simulator")
        raise Refused(f"the circuit cannot be brought to the gates of {name}: {err.message}") from err


def _manager(device: BackendV2 | Target, level: int, **options: Any) -> Any:
    where: dict[str, Any] = {"target" if isinstance(device, Target) else "backend": device}
    return generate_preset_pass_manager(level, **where, seed_transpiler=SEED, **options)
