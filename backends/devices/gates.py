"""The gates that devices have, by Qiskit's names."""

from functools import cache

from qiskit.circuit import Gate
from qiskit.circuit.library import get_standard_gate_name_mapping

from circuits.errors import Refused, unknown

SYMMETRIC = ("cz", "swap", "iswap", "rzz", "rxx", "ryy", "xx_plus_yy", "cp", "dcx")
"""Gates on two qubits that run either way if they run one way."""


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
