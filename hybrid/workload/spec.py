"""A run's spec: what was asked, as JSON-able values, and back again."""

from typing import Any

from qiskit import QuantumCircuit

import backends
from backends.base import Backend
from circuits import Problem
from circuits.errors import Refused
from hybrid import optimizers
from hybrid.routing.plan import Plan
from hybrid.runs.provenance import provenance
from hybrid.workload import Workload, workload

WORKLOAD = ("accuracy", "max_steps", "seed", "shots", "label")


def spec_of(work: Workload, plan: Plan, exact: float | None) -> dict[str, Any]:
    """The spec of a run that takes the way its plan chose."""
    problem = work.problem
    return {
        "problem": {
            "name": problem.name,
            "unit": problem.unit,
            "source": dict(problem.source),
            "exact_energy": exact,
        },
        "workload": {
            "optimizer": work.optimizer.describe(),
            "theta": work.theta.tolist(),
            **{key: getattr(work, key) for key in WORKLOAD},
        },
        "backend": backend_words(plan.chosen.backend),
        "plan": plan.to_dict(),
        "provenance": provenance(),
    }


def workload_of(spec: dict[str, Any], circuit: QuantumCircuit, problem: Problem) -> Workload:
    """The workload again, to the last bit."""
    kept = spec["workload"]
    return workload(
        circuit,
        problem,
        optimizer=optimizers.get(**kept["optimizer"]),
        theta=kept["theta"],
        **{key: kept[key] for key in WORKLOAD},
    )


def backend_of(spec: dict[str, Any], backend: Any = None) -> Backend:
    """The backend that a run's spec names, or the object given in its place.

    Raises:
        Refused: if the run was started on a backend object and none is given.
    """
    kept = spec["backend"]
    if "name" in kept:
        return backends.get(kept["name"], **kept["options"])
    if backend is None:
        raise Refused(
            f"the run was started on a backend object ({kept['object']}), which its folder cannot hold: "
            "give it again, hybrid.resume(folder, backend=...)"
        )
    return backends.get(backend)


def backend_words(backend: Backend) -> dict[str, Any]:
    """How a folder names a backend: its name and options, or, for an object, what it is."""
    origin = backend.origin
    if origin is not None and all(isinstance(v, str | int | float | bool | None) for v in origin.options.values()):
        return {"name": origin.name, "options": origin.options}
    return {"object": backend.capabilities().name}
