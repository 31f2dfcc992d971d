"""What to compute: problems, ansatz circuits, and circuits from other formats. It runs nothing and knows no backend.

Circuits are Qiskit's QuantumCircuit and operators its SparsePauliOp; qubit 0 is the rightmost letter of a label. Names
are loaded when they are first used, so that importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from circuits.ansatz.hamiltonian_variational import hamiltonian_variational
    from circuits.ansatz.hardware_efficient import hardware_efficient
    from circuits.ansatz.qaoa import qaoa
    from circuits.ansatz.uccsd import uccsd
    from circuits.errors import (
        BudgetExceeded,
        FailedJob,
        LostJob,
        PolicyViolation,
        ProviderUnreachable,
        Refused,
        ToolkitError,
    )
    from circuits.interop.openqasm import from_qasm
    from circuits.interop.qpy import load_circuit, save_circuit
    from circuits.problems.chemistry import molecule
    from circuits.problems.graphs import maxcut
    from circuits.problems.pauli_file import pauli_terms
    from circuits.problems.problem import Problem
    from circuits.problems.spin import heisenberg, tfim

_HOMES = {
    "BudgetExceeded": "circuits.errors",
    "FailedJob": "circuits.errors",
    "LostJob": "circuits.errors",
    "PolicyViolation": "circuits.errors",
    "Problem": "circuits.problems.problem",
    "ProviderUnreachable": "circuits.errors",
    "Refused": "circuits.errors",
    "ToolkitError": "circuits.errors",
    "from_qasm": "circuits.interop.openqasm",
    "hamiltonian_variational": "circuits.ansatz.hamiltonian_variational",
    "hardware_efficient": "circuits.ansatz.hardware_efficient",
    "heisenberg": "circuits.problems.spin",
    "load_circuit": "circuits.interop.qpy",
    "maxcut": "circuits.problems.graphs",
    "molecule": "circuits.problems.chemistry",
    "pauli_terms": "circuits.problems.pauli_file",
    "qaoa": "circuits.ansatz.qaoa",
    "save_circuit": "circuits.interop.qpy",
    "tfim": "circuits.problems.spin",
    "uccsd": "circuits.ansatz.uccsd",
}

__all__ = [
    "BudgetExceeded",
    "FailedJob",
    "LostJob",
    "PolicyViolation",
    "Problem",
    "ProviderUnreachable",
    "Refused",
    "ToolkitError",
    "from_qasm",
    "hamiltonian_variational",
    "hardware_efficient",
    "heisenberg",
    "load_circuit",
    "maxcut",
    "molecule",
    "pauli_terms",
    "qaoa",
    "save_circuit",
    "tfim",
    "uccsd",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'circuits' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
