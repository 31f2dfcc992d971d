"""The exact energy of a problem, computed beside a run where it costs little."""

from circuits import Problem
from circuits.errors import Refused
from hybrid.loop.stop import stop_at_once
from hybrid.workload.beside import has_exact_energy


def exact_energy(problem: Problem) -> float | None:
    """The lowest energy of a problem, in its unit; None where it would take long or not fit into memory.

    Raises:
        Stopped: as soon as a signal comes, for there is nothing yet that could be saved.
    """
    if not has_exact_energy(problem):
        return None
    with stop_at_once():
        try:
            return problem.exact_energy()
        except Refused:
            return None  # it would not fit; the result says that it is not known
