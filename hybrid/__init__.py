"""Variational quantum workloads: written once, run where they fit, with a record that a reviewer can check.

>>> import hybrid
>>> from circuits import tfim, hamiltonian_variational
>>> p = tfim(4)
>>> hybrid.plan(hamiltonian_variational(p, layers=2), p, backend="reference").chosen.name
'reference'
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuits.errors import FailedJob, Refused, ToolkitError
    from hybrid.algorithms.adapt import adapt
    from hybrid.algorithms.classifier import classifier
    from hybrid.algorithms.evolution import imaginary_time_evolution, real_time_evolution
    from hybrid.algorithms.qaoa import qaoa
    from hybrid.algorithms.vqd import vqd
    from hybrid.loop import minimize, resume
    from hybrid.result import Result
    from hybrid.routing.plan import Plan, plan
    from hybrid.verification import verify

_HOME = {
    "FailedJob": "circuits.errors",
    "Plan": "hybrid.routing.plan",
    "Refused": "circuits.errors",
    "Result": "hybrid.result",
    "ToolkitError": "circuits.errors",
    "adapt": "hybrid.algorithms.adapt",
    "classifier": "hybrid.algorithms.classifier",
    "imaginary_time_evolution": "hybrid.algorithms.evolution",
    "minimize": "hybrid.loop",
    "plan": "hybrid.routing.plan",
    "qaoa": "hybrid.algorithms.qaoa",
    "real_time_evolution": "hybrid.algorithms.evolution",
    "resume": "hybrid.loop",
    "verify": "hybrid.verification",
    "vqd": "hybrid.algorithms.vqd",
}

__all__ = [
    "FailedJob",
    "Plan",
    "Refused",
    "Result",
    "ToolkitError",
    "adapt",
    "classifier",
    "imaginary_time_evolution",
    "minimize",
    "plan",
    "qaoa",
    "real_time_evolution",
    "resume",
    "verify",
    "vqd",
]


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
