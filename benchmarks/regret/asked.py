"""A workload as the work that a plan finds a place for."""

from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from circuits.errors import Refused
from hybrid.routing.routed import Routed
from hybrid.workload.workload import workload as whole_optimization
from regret.workloads import Case, Workload


@dataclass(frozen=True, eq=False)
class Evaluations:
    """One row of parameters, evaluated many times in one process; see `hybrid.routing.routed.Routed`."""

    circuit: QuantumCircuit
    observables: tuple[SparsePauliOp, ...]
    n_evaluations: int
    derivative: bool
    shots: int | None
    accuracy: float
    description: str

    n_rows = 1
    n_calls = 1
    n_final = 0
    precision = None
    label = "open"
    held_bytes = 0
    holder = ""

    def check(self, backend: Backend) -> None:
        """Refuse a backend whose values have errors where exact ones are asked for."""
        can = backend.capabilities()
        if self.shots is None and not can.exact:
            raise Refused(f"{can.name} has no exact values; give shots")


def asked(workload: Workload, case: Case) -> Routed:
    """What `hybrid.routing.plan.rank` takes."""
    if workload.optimizer:
        return whole_optimization(
            case.circuit,
            case.observable,
            optimizer=workload.optimizer,
            theta=case.theta,
            accuracy=workload.accuracy,
            max_steps=workload.max_steps,
            shots=workload.shots,
        )
    return Evaluations(
        case.circuit,
        (case.observable,),
        workload.evaluations,
        workload.gradient,
        workload.shots,
        workload.accuracy,
        workload.title,
    )
