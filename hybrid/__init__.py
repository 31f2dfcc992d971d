"""Variational quantum workloads: written once, run where they fit, with a record that a reviewer can check.

>>> import hybrid
>>> from circuits import tfim, hamiltonian_variational
>>> p = tfim(4)
>>> print(hybrid.plan(hamiltonian_variational(p, layers=2), p).chosen.refused)
False
"""

from importlib import import_module

_HOME = {
    "FailedJob": "circuits.errors",
    "Plan": "hybrid.routing.plan",
    "Refused": "circuits.errors",
    "Result": "hybrid.result",
    "ToolkitError": "circuits.errors",
    "minimize": "hybrid.loop",
    "plan": "hybrid.routing.plan",
    "resume": "hybrid.loop",
    "verify": "hybrid.verification",
}

__all__ = [
    "FailedJob",
    "Plan",
    "Refused",
    "Result",
    "ToolkitError",
    "minimize",
    "plan",
    "resume",
    "verify",
]


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
