"""Gates and circuits as Amazon Braket writes them."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit
from qiskit.circuit import Measure
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.transpiler import Target

from backends.measurement.sampled import Sampling
from circuits.errors import FailedJob, Refused

if TYPE_CHECKING:
    from braket.circuits import Circuit

ONE_QUBIT = ["h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "p", "u"]
TWO_QUBITS = ["cx", "cy", "cz", "cp", "swap", "iswap", "ecr", "rxx", "ryy", "rzz"]
"""Gates of the simulators: those that mean the same in both libraries, and that there is a noise channel for."""


def gates(among: Collection[str] | None = None) -> Target:
    """The gates of Braket's simulators, on any qubits.

    Args:
        among: Qiskit's names of those that one has; None for all.
    """
    known = get_standard_gate_name_mapping()
    target = Target(num_qubits=None)
    for name in [one for one in [*ONE_QUBIT, *TWO_QUBITS] if among is None or one in among]:
        target.add_instruction(known[name], name=name)
    target.add_instruction(Measure())
    return target


def converted(
    request: Sampling, name: str, target: Target | None = None, labels: Sequence[int] | None = None
) -> "Circuit":
    """Gates and the measurements of a request's qubits, as Braket's circuit; no gate is added, dropped or merged.

    Args:
        request: What to run; its circuit is in the device's gates.
        name: Of the device.
        target: Of a QPU: the gates then stand in a verbatim box.
        labels: The device's own names of the target's qubits.

    Raises:
        Refused: for a circuit that measures on its way, or a gate that Braket does not have.
    """
    gates = request.at_end(name)
    plain = QuantumCircuit(gates.num_qubits, len(request.qubits))  # without a global phase, which nobody can measure
    for instruction in gates.data:
        if instruction.operation.name != "barrier":  # between gates that are run as they stand it says nothing
            plain.append(instruction.operation, [gates.find_bit(qubit).index for qubit in instruction.qubits])
    plain.measure(request.qubits, range(len(request.qubits)))
    return in_brakets_words(plain, name, target, labels)


def in_brakets_words(
    circuit: QuantumCircuit, name: str, target: Target | None = None, labels: Sequence[int] | None = None
) -> "Circuit":
    """A circuit of gates, with or without measurements after them, one instruction of Braket's for each of its own.

    Args:
        circuit: Without free parameters.
        name: As for `converted`.
        target: As for `converted`.
        labels: As for `converted`.

    Raises:
        Refused: for a gate that Braket does not have.
        FailedJob: if Braket's adapter wrote more or less than that.
    """
    from braket.circuits import Circuit
    from braket.circuits.compiler_directive import CompilerDirective
    from qiskit_braket_provider import to_braket

    try:
        written = to_braket(circuit, verbatim=True, target=target, qubit_labels=labels)
    except (KeyError, ValueError, NotImplementedError) as err:
        raise Refused(f"the circuit cannot be written for {name}: {err}") from err
    own = [one for one in written.instructions if not isinstance(one.operator, CompilerDirective)]
    if len(own) != len(circuit.data):
        raise FailedJob(f"{name} was to get {len(circuit.data)} instructions, and Braket's adapter wrote {len(own)}")
    return written if target is not None else Circuit(own)
