"""The exact energy of a problem, computed beside a run where it costs little."""

from circuits import Problem
from circuits.errors import Refused
from hybrid.loop.stop import at_once

EXACT_QUBITS = 16
"""Largest problem whose exact energy, or that of a noisy run's answer, is computed without being asked for."""


def exact_energy(problem: Problem) -> float | None:
    """The exact energy, or None where it would take long or not fit.

    Raises:
        Stopped: if a signal comes: nothing was begun that could be saved.
    """
    if problem.solve is None and problem.n_qubits > EXACT_QUBITS:
        return None
    with at_once():
        try:
            return problem.exact_energy()
        except Refused:
            return None  # it would not fit; the result says that it is not known
