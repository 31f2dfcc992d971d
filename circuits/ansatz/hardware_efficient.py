"""Layers of single-qubit rotations and entangling gates, chosen for a device and not for a problem."""

from collections.abc import Sequence

from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from circuits.errors import Refused, unknown
from circuits.problems.checks import check_circuit_size, whole
from circuits.problems.edges import GraphLike
from circuits.problems.lattice import Edge, bonds

ROTATIONS = ("p", "rx", "ry", "rz")
FIXED = ("cx", "cy", "cz", "ecr", "iswap", "swap")
PARAMETRIZED = ("cp", "crx", "cry", "crz", "rxx", "ryy", "rzx", "rzz")
TOPOLOGIES = ("all", "linear", "ring")


def hardware_efficient(
    n_qubits: int,
    *,
    layers: int = 2,
    rotations: Sequence[str] = ("ry", "rz"),
    entangler: str = "cx",
    topology: str | GraphLike = "linear",
) -> QuantumCircuit:
    """Hardware-efficient ansatz: each layer turns every qubit, then entangles the pairs of the topology.

    It starts from |0...0> and has no rotations after the last entanglers. No starting point is known: a random one is
    as good as any, and on many qubits its gradient is small.

    Args:
        n_qubits: At least 1.
        layers: At least 1.
        rotations: Gates on every qubit, in this order: p, rx, ry, rz.
        entangler: Two-qubit gate: cx, cy, cz, ecr, iswap, swap, or with a parameter of its own for each pair: cp, crx,
            cry, crz, rxx, ryy, rzx, rzz.
        topology: "linear" (i, i+1), "ring", "all", a list of pairs (control, target), or a graph of networkx or
            rustworkx on the qubits, whose edges point from control to target where they have a direction.

    Returns:
        Circuit with parameters ``theta[0]``, ``theta[1]``, ... in the order of the gates, radians.

    Raises:
        Refused: for an unknown gate or topology, a pair that is none, or more gates than fit.

    References:
        A. Kandala et al., Hardware-efficient variational quantum eigensolver, Nature 549, 242 (2017).

    >>> hardware_efficient(20, layers=4).size()
    236
    """
    n_qubits = whole(n_qubits, "n_qubits", at_least=1)
    layers = whole(layers, "layers", at_least=1)
    rotations = _rotations(rotations)
    if entangler not in FIXED + PARAMETRIZED:
        raise unknown("entangler", str(entangler), FIXED + PARAMETRIZED)
    check_circuit_size(layers * (len(rotations) * n_qubits + _n_pairs(topology, n_qubits)) + n_qubits, "the ansatz")
    pairs = _pairs(topology, n_qubits)
    check_circuit_size(layers * (len(rotations) * n_qubits + len(pairs)), "the ansatz")
    per_layer = len(rotations) * n_qubits + (len(pairs) if entangler in PARAMETRIZED else 0)
    if layers * per_layer == 0:
        raise Refused(
            "the ansatz would have no parameters: name a rotation (p, rx, ry, rz) or an entangler with an angle"
        )
    theta = ParameterVector("theta", layers * per_layer)
    angles = iter(theta)
    circuit = QuantumCircuit(n_qubits, name="hardware_efficient")
    for _ in range(layers):
        for rotation in rotations:
            for qubit in range(n_qubits):
                getattr(circuit, rotation)(next(angles), qubit)
        for pair in pairs:
            angle = [next(angles)] if entangler in PARAMETRIZED else []
            getattr(circuit, entangler)(*angle, *pair)
    circuit.metadata = {"ansatz": "hardware_efficient"}
    return circuit


def _rotations(rotations: str | Sequence[str]) -> tuple[str, ...]:
    names = (rotations,) if isinstance(rotations, str) else tuple(rotations)
    for name in names:
        if name not in ROTATIONS:
            raise unknown("rotation", str(name), ROTATIONS)
    return names


def _n_pairs(topology: str | GraphLike, n: int) -> int:
    """How many pairs a named topology has, so that none is built that is too large."""
    if topology == "all":
        return n * (n - 1) // 2
    return n - 1 if isinstance(topology, str) else 0


def _pairs(topology: str | GraphLike, n_qubits: int) -> tuple[Edge, ...]:
    if not isinstance(topology, str):
        return bonds(n_qubits, edges=topology, directed=True)
    if topology == "linear":
        return bonds(n_qubits)
    if topology == "ring":
        return bonds(n_qubits, periodic=n_qubits > 2)
    if topology == "all":
        return tuple((i, j) for i in range(n_qubits) for j in range(i + 1, n_qubits))
    raise unknown("topology", topology, TOPOLOGIES)
