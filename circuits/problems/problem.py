"""A problem: what is to be minimized, in which unit, and what the right answer is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import Refused
from circuits.problems.exact import lowest_eigenvalue


@dataclass(frozen=True, eq=False)
class Problem:
    """A Hamiltonian H to minimize, with its unit, its exact energy where that fits, and where it came from.

    Attributes:
        name: Short words for tables, such as ``"TFIM, 8 sites"``.
        hamiltonian: Hermitian operator on ``n_qubits`` qubits; qubit 0 is the rightmost letter of a label.
        unit: Unit of the energy: ``"hartree"``, ``"coupling"`` or ``"weight"``.
        source: The arguments that make this problem again, as JSON-able values; goes into the record.
        reference_state: Circuit without parameters that prepares the usual starting state (Hartree-Fock, |+...+>,
            singlets on a dimer cover), or None.
        layers: Parts of H, each of mutually commuting terms, in the order in which one Trotter step applies them.
            They sum to H up to a multiple of the identity. Empty: no natural splitting is known.
        structure: What an ansatz or an algorithm needs to know beyond H: a molecule's orbitals, a graph's edges.
        solve: A better way to the exact energy than diagonalizing H, such as FCI in the particle sector.
    """

    name: str
    hamiltonian: SparsePauliOp
    unit: str
    source: Mapping[str, Any]
    reference_state: QuantumCircuit | None = None
    layers: tuple[SparsePauliOp, ...] = ()
    structure: Any = None
    solve: Callable[[], float] | None = field(default=None, repr=False)

    def __post_init__(self):
        coefficients = np.asarray(self.hamiltonian.coeffs, dtype=complex)
        if not np.all(np.isfinite(coefficients)):
            raise Refused(f"the Hamiltonian of {self.name} has a coefficient that is not finite")
        if np.max(np.abs(np.imag(coefficients)), initial=0.0) > 1e-12:
            raise Refused(f"the Hamiltonian of {self.name} is not Hermitian: a coefficient is complex")

    @property
    def n_qubits(self) -> int:
        """Number of qubits that H acts on."""
        return self.hamiltonian.paulis.z.shape[1]

    def exact_energy(self) -> float:
        """Lowest energy, exact to about 1e-10 of the unit.

        Raises:
            Refused: if the computation would not fit into this machine's memory; the message says how much it needs.
        """
        return float(self.solve() if self.solve is not None else lowest_eigenvalue(self.hamiltonian))
