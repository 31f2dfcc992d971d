"""A device as Qiskit's transpiler reads it."""

from typing import TYPE_CHECKING

from qiskit.circuit import Delay, Measure, Parameter, Reset
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties, Target

from backends.devices.gates import gate

if TYPE_CHECKING:
    from backends.devices.device import Device


def target_of(device: "Device", qubits: tuple[int, ...]) -> Target:
    """The target of some qubits of a device, the k-th of them as qubit k.

    Args:
        device: The device.
        qubits: Of it; gates on two qubits stay where both are among these.
    """
    place = {q: k for k, q in enumerate(qubits)}
    t1, t2 = device.per_place("t1"), device.per_place("t2")
    properties = [QubitProperties(t1=float(t1[q]), t2=float(t2[q])) for q in qubits]
    target = Target(num_qubits=len(qubits), qubit_properties=properties)
    error, seconds = device.per_place("one_qubit_error"), device.per_place("one_qubit_s")
    read_error, read_s = device.per_place("readout_error"), device.per_place("readout_s")
    for name in device.gates:
        if name == device.two_qubit_gate:
            target.add_instruction(gate(name), _pairs(device, place), name=name)
        elif name in device.virtual:
            target.add_instruction(gate(name), {(place[q],): _known(0.0, 0.0) for q in qubits}, name=name)
        else:
            on = {(place[q],): _known(error[q], seconds[q]) for q in qubits}
            target.add_instruction(gate(name), on, name=name)
    target.add_instruction(Measure(), {(place[q],): _known(read_error[q], read_s[q]) for q in qubits})
    target.add_instruction(Reset(), {(place[q],): None for q in qubits})
    target.add_instruction(Delay(Parameter("t")), {(place[q],): None for q in qubits})
    return target


def _pairs(device: "Device", place: dict[int, int]) -> dict[tuple[int, ...], InstructionProperties]:
    error, seconds = device.per_place("two_qubit_error"), device.per_place("two_qubit_s")
    both: dict[tuple[int, ...], InstructionProperties] = {}
    for k, (a, b) in enumerate(device.edges):
        if a in place and b in place:
            both[place[a], place[b]] = _known(error[k], seconds[k])
            if not device.directed:
                both[place[b], place[a]] = _known(error[k], seconds[k])
    return both


def _known(error: float, seconds: float) -> InstructionProperties:
    return InstructionProperties(error=float(error), duration=float(seconds))
