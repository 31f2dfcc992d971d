"""The gates that devices have, by Qiskit's names."""

from functools import cache

from qiskit.circuit import Gate
from qiskit.circuit.library import get_standard_gate_name_mapping

from circuits.errors import Refused, unknown

SYMMETRIC = ("cp", "cs", "csdg", "cu1", "cz", "iswap", "rxx", "ryy", "rzz", "swap")
"""Gates on two qubits that do the same with the qubits exchanged."""


@cache
def gate(name: str) -> Gate:
    """A native gate by its name, its angles free.

    Raises:
        Refused: for an unknown name, or a gate on three qubits or more.
    """
    known = {key: one for key, one in get_standard_gate_name_mapping().items() if isinstance(one, Gate)}
    if name not in known:
        raise unknown("gate", name, known)
    found = known[name]
    if found.num_qubits not in (1, 2):
        raise Refused(f"a device's native gates are on one or two qubits, and '{name}' is on {found.num_qubits}")
    return found


def two_qubit(name: str) -> bool:
    """Whether it is a gate on two qubits."""
    return gate(name).num_qubits == 2


@cache
def any_rotation(names: frozenset[str]) -> bool:
    """Whether gates on one qubit, by name, make every rotation of it, as Qiskit's transpiler writes them."""
    from qiskit import QuantumCircuit, transpile
    from qiskit.transpiler import Target, TranspilerError

    if not names:
        return False
    target = Target(num_qubits=1)
    for name in sorted(names):
        target.add_instruction(gate(name), {(0,): None}, name=name)
    turned = QuantumCircuit(1)
    turned.u(0.3, 0.7, 1.1, 0)
    try:
        transpile(turned, target=target, optimization_level=1)
    except TranspilerError:
        return False
    return True
