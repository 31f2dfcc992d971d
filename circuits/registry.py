"""Kinds of problems and of ansatz circuits by name: those of this package, and those that other packages register."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from circuits.errors import Refused, unknown

PROBLEMS = {
    "heisenberg": "circuits.problems.spin:heisenberg",
    "maxcut": "circuits.problems.graphs:maxcut",
    "molecule": "circuits.problems.chemistry:molecule",
    "pauli_terms": "circuits.problems.pauli_file:pauli_terms",
    "tfim": "circuits.problems.spin:tfim",
}
"""Kind to ``module:function``; the function returns a `Problem`, whose source names kind and arguments."""

ANSATZES = {
    "hamiltonian_variational": "circuits.ansatz.hamiltonian_variational:hamiltonian_variational",
    "hardware_efficient": "circuits.ansatz.hardware_efficient:hardware_efficient",
    "qaoa": "circuits.ansatz.qaoa:qaoa",
    "uccsd": "circuits.ansatz.uccsd:uccsd",
}
"""Kind to ``module:function``; the function takes the problem, or its number of qubits, and returns the circuit."""

GROUPS = {"problem": "hybrid.problems", "ansatz": "hybrid.ansatzes"}
"""Groups of entry points under which other packages register theirs."""


def names(what: str) -> list[str]:
    """The kinds of problems or ansatz circuits that there are.

    Args:
        what: "problem" or "ansatz".
    """
    return sorted({*_ours(what), *(point.name for point in entry_points(group=GROUPS[what]))})


@cache
def load(what: str, kind: str) -> Callable[..., Any]:
    """The function that makes a problem or an ansatz circuit of a kind.

    Args:
        what: "problem" or "ansatz".
        kind: One of `names`.

    Raises:
        Refused: for a kind that nobody has, with the nearest right word; or if another package's cannot be loaded.
    """
    ours = _ours(what)
    if kind in ours:
        module, _, attribute = ours[kind].partition(":")
        return getattr(import_module(module), attribute)
    for point in entry_points(group=GROUPS[what]):
        if point.name == kind:
            try:
                return point.load()
            except Exception as err:
                raise Refused(f"{what} '{kind}' cannot be loaded: {type(err).__name__}: {err}") from err
    raise unknown(what, kind, names(what))


def _ours(what: str) -> dict[str, str]:
    return {"problem": PROBLEMS, "ansatz": ANSATZES}[what]
