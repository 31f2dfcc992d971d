"""A problem: what is to be minimized, in which unit, and what the right answer is."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits import tables
from circuits.problems import summary
from circuits.problems.exact import lowest_eigenvalue, seconds
from circuits.problems.operators import OperatorLike, as_hermitian

if TYPE_CHECKING:
    from circuits.problems.tapering import Tapering


@dataclass(frozen=True, eq=False)
class Problem:
    """A Hamiltonian H to minimize, with its unit, its exact energy where that fits, and where it came from.

    Attributes:
        hamiltonian: Hermitian operator on ``n_qubits`` qubits; qubit 0 is the rightmost letter of a label. Any of
            `circuits.problems.operators.OperatorLike` is taken, as a label ``"XIZ"`` or an operator of PennyLane's
            (whose wires in ascending order are the qubits), and kept as a SparsePauliOp.
        name: Short words for tables, such as ``"TFIM, 8 sites"``.
        unit: Unit of the energy: ``"hartree"``, ``"coupling"``, ``"weight"``, or ``"1"`` where none is known.
        source: The arguments that make this problem again, as JSON-able values; goes into the record.
        reference_state: Circuit without parameters that prepares the usual starting state (Hartree-Fock, |+...+>,
            singlets on a dimer cover), or None.
        layers: Parts of H, each of mutually commuting terms, in the order in which one Trotter step applies them.
            They sum to H up to a multiple of the identity. Empty: no natural splitting is known.
        structure: What an ansatz or an algorithm needs to know beyond H: a molecule's orbitals, a graph's edges.
        tapering: Which qubits were left out, in which sector of which symmetries; None where none were.
        solve: A better way to the exact energy than diagonalizing H, such as FCI in the particle sector.
        solve_seconds: Predicted time of ``solve`` on one core; 0 where the energy is known already.

    Raises:
        Refused: if H is no Hermitian operator, or its coefficients are not finite or too large.

    >>> Problem("ZZ").exact_energy()
    -1.0
    """

    hamiltonian: SparsePauliOp
    _: KW_ONLY
    name: str = "Hamiltonian"
    unit: str = "1"
    source: Mapping[str, object] = field(default_factory=lambda: {"kind": "operator"})
    reference_state: QuantumCircuit | None = None
    layers: tuple[SparsePauliOp, ...] = ()
    structure: object = None
    tapering: "Tapering | None" = None
    solve: Callable[[], float] | None = field(default=None, repr=False)
    solve_seconds: float = 0.0

    if TYPE_CHECKING:  # the field holds what was made of the argument

        def __init__(
            self,
            hamiltonian: OperatorLike,
            *,
            name: str = "Hamiltonian",
            unit: str = "1",
            source: Mapping[str, object] = ...,
            reference_state: QuantumCircuit | None = None,
            layers: tuple[SparsePauliOp, ...] = (),
            structure: object = None,
            tapering: Tapering | None = None,
            solve: Callable[[], float] | None = None,
            solve_seconds: float = 0.0,
        ) -> None: ...

    def __post_init__(self):
        what = "the Hamiltonian" if self.name == "Hamiltonian" else f"the Hamiltonian of {self.name}"
        object.__setattr__(self, "hamiltonian", as_hermitian(self.hamiltonian, what))

    @property
    def n_qubits(self) -> int:
        """Number of qubits that H acts on."""
        return self.hamiltonian.paulis.z.shape[1]

    def exact_energy(self) -> float:
        """Lowest energy, exact to about 1e-10 of the norm of H; an interrupt is answered within about a second.

        Raises:
            Refused: if the computation would not fit into this machine's memory; the message says how much it needs.
        """
        return float(self.solve() if self.solve is not None else lowest_eigenvalue(self.hamiltonian))

    def exact_energy_seconds(self) -> float:
        """Predicted time of `exact_energy` on one core, so that a run can decide whether to compute it unasked.

        It counts qubits and terms, or a molecule's determinants, and is right to within a factor of three or so;
        infinite where the energy would be refused.
        """
        return self.solve_seconds if self.solve is not None else seconds(self.hamiltonian)

    def __repr__(self) -> str:
        return summary.line(self)

    def __str__(self) -> str:
        return tables.text(summary.rows(self), title=self.name)

    def _repr_html_(self) -> str:
        return tables.html(summary.rows(self), title=self.name)


def as_problem(thing: Problem | OperatorLike, n_qubits: int | None = None) -> Problem:
    """A problem as it is, or the problem of a Hermitian operator alone.

    Args:
        thing: A `Problem` or any of `OperatorLike`.
        n_qubits: Of the circuit that it is for; see `circuits.problems.operators.as_hermitian`.

    Raises:
        Refused: if it is neither.
    """
    return thing if isinstance(thing, Problem) else Problem(as_hermitian(thing, "the Hamiltonian", n_qubits))
