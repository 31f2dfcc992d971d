"""Layers of a parametrized circuit: which parameters turn gates that commute and see the same state before them."""

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression
from qiskit.circuit.commutation_library import SessionCommutationChecker


def layers(circuit: QuantumCircuit) -> tuple[tuple[int, ...], ...]:
    """Parameters by layer, the blocks of the block-diagonal metric.

    A parametrized gate is one layer later than every parametrized gate that lies before it and does not commute with
    it, directly or through fixed gates in between. All parametrized gates of a layer then commute, and act on one
    state; the metric between two of their angles is the covariance of the gates' generators in that state. A parameter
    that turns gates of several layers, or an angle of several parameters, joins what it touches into one block.

    Args:
        circuit: With parameters, without measurements.

    Returns:
        Indices into ``circuit.parameters``, each in exactly one block, the blocks in the order of their first one.

    References:
        Stokes, Izaac, Killoran, Carleo, Quantum 4, 269 (2020), section 3.

    >>> from circuits import hardware_efficient
    >>> layers(hardware_efficient(2, layers=2, rotations=["ry"]))
    ((0, 1), (2, 3))
    """
    place = {parameter: k for k, parameter in enumerate(circuit.parameters)}
    before: list[list] = [[] for _ in circuit.qubits]  # (instruction, layer after it), by qubit
    index = {qubit: q for q, qubit in enumerate(circuit.qubits)}
    members: dict[int, set[int]] = {}
    joined: list[set[int]] = [{k} for k in place.values()]
    for instruction in circuit.data:
        operation = instruction.operation
        turned = {place[p] for x in operation.params if isinstance(x, ParameterExpression) for p in x.parameters}
        qubits = [index[qubit] for qubit in instruction.qubits]
        layer = 0
        for earlier, reached in {id(e): (e, r) for q in qubits for e, r in before[q]}.values():
            if reached > layer and not _commute(earlier, instruction):
                layer = reached
        if turned:
            members.setdefault(layer, set()).update(turned)
            joined.append(turned)
        for q in qubits:
            before[q].append((instruction, layer + bool(turned)))
    return _merged([*joined, *members.values()])


def _commute(one, other) -> bool:
    if "barrier" in (one.operation.name, other.operation.name):
        return True
    return SessionCommutationChecker.commute(
        one.operation, one.qubits, one.clbits, other.operation, other.qubits, other.clbits
    )


def _merged(groups: list[set[int]]) -> tuple[tuple[int, ...], ...]:
    """The connected components of sets that overlap."""
    blocks: list[set[int]] = []
    for group in groups:
        touched = [block for block in blocks if block & group]
        blocks = [block for block in blocks if not block & group] + [group.union(*touched)]
    return tuple(sorted(tuple(sorted(block)) for block in blocks))
