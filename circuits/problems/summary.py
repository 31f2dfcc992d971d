"""A problem in a few lines, for a terminal and a notebook."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from circuits.problems.problem import Problem

TERMS = 4
"""Terms of H that are written out."""

LONGEST_TERM = 24
"""Qubits above which no term is written out."""

LONGEST_SOURCE = 160
"""Letters of the arguments that a problem was made with."""


def rows(problem: "Problem") -> list[tuple[str, str]]:
    """What a problem is, as pairs of a name and a text; nothing is computed.

    Args:
        problem: The problem.
    """
    listed = [("qubits", f"{problem.n_qubits}"), ("terms", f"{len(problem.hamiltonian):,}"), ("unit", problem.unit)]
    if problem.n_qubits <= LONGEST_TERM:
        listed.append(("H", _terms(problem)))
    listed.append(("exact energy", _exact(problem.exact_energy_seconds())))
    if problem.layers:
        listed.append(("layers", f"{len(problem.layers)} of commuting terms"))
    listed.append(("reference", "none" if problem.reference_state is None else "a circuit that prepares it"))
    return [*listed, ("made from", _source(dict(problem.source)))]


def line(problem: "Problem") -> str:
    """What a problem is, on one line, such as ``Problem('TFIM, 8 sites', 8 qubits, 15 terms, in coupling)``.

    Args:
        problem: The problem.
    """
    size = f"{problem.n_qubits} qubits, {len(problem.hamiltonian):,} terms"
    return f"Problem({problem.name!r}, {size}, in {problem.unit})"


def _terms(problem: "Problem") -> str:
    H = problem.hamiltonian
    first = H[:TERMS].to_list()
    written = " ".join(f"{'-' if c.real < 0 else '+'} {abs(c.real):.6g} {label}" for label, c in first)
    return written.removeprefix("+ ") + (" + …" if len(H) > TERMS else "")


def _exact(seconds: float) -> str:
    if math.isinf(seconds):
        return "out of this machine's reach"
    return f"exact_energy() gives it, in {'under a second' if seconds < 1 else f'about {seconds:,.2g} s on one core'}"


def _source(source: dict[str, Any]) -> str:
    kind = source.pop("kind", "operator")
    said = ", ".join([str(kind), *(f"{name} {value}" for name, value in source.items() if value is not None)])
    return said if len(said) <= LONGEST_SOURCE else said[: LONGEST_SOURCE - 1] + "…"
