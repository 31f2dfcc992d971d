"""Reading a circuit for libraries that lack some of its gates."""

from typing import Any

from qiskit import QuantumCircuit

from backends.angles import Angles, compile_angles
from backends.instructions import flatten
from contest.workloads import Case

ROTATIONS = {
    "rx": (("X", 1.0),),
    "ry": (("Y", 1.0),),
    "rz": (("Z", 1.0),),
    "rxx": (("XX", 1.0),),
    "ryy": (("YY", 1.0),),
    "rzz": (("ZZ", 1.0),),
    "rzx": (("ZX", 1.0),),
    "crx": (("IX", 0.5), ("ZX", -0.5)),
    "cry": (("IY", 0.5), ("ZY", -0.5)),
    "crz": (("IZ", 0.5), ("ZZ", -0.5)),
    "cp": (("ZI", 0.5), ("IZ", 0.5), ("ZZ", -0.5)),
}
"""Gates as products of exp(-i f theta / 2 P) up to a phase: P by the gate's qubits, first letter first, and f."""


def without_rzx(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with each rzx as one rzz between two Hadamard gates; PennyLane and TensorCircuit have no rzx."""
    simpler = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.operation.name != "rzx":
            simpler.append(instruction)
            continue
        control, target = instruction.qubits
        simpler.h(target)
        simpler.rzz(instruction.operation.params[0], control, target)
        simpler.h(target)
    return simpler


def listed(case: Case, names: set[str]) -> tuple[list[tuple[str, tuple[int, ...], int | None]], Angles]:
    """Gates of these names as (name, qubits, which angle or None), and the angles as functions of the parameters.

    Raises:
        Refused: for a gate that is not among them and has no definition in them.
    """
    gates: list[tuple[str, tuple[int, ...], int | None]] = []
    angles: list[Any] = []
    for gate, qubits in flatten(without_rzx(case.circuit), lambda gate: gate.name in names):
        if gate.name == "global_phase":
            continue
        gates.append((gate.name, qubits, len(angles) if gate.params else None))
        angles += gate.params
    return gates, compile_angles(angles, case.circuit.parameters)
