"""How right the answer of a run is: what rounding, noise, shots and angles did to its energy."""

import backends
from backends.base import Backend, Capabilities
from circuits.errors import Refused
from hybrid.loop.clock import Clock
from hybrid.loop.conclusion import Conclusion
from hybrid.loop.reachable import reachable_energy
from hybrid.runs.error_budget import ErrorBudget, error_budget
from hybrid.workload.beside import in_double, is_rounded, is_validated
from hybrid.workload.workload import Workload


def rounding_of(work: Workload, backend: Backend, conclusion: Conclusion, clock: Clock) -> float | None:
    """What single precision changed: the energy less that of the same engine in double precision, in the same unit.

    Args:
        work: The workload.
        backend: Where it ran.
        conclusion: What it came to.
        clock: Gets the time that this takes.
    """
    if not is_rounded(work, backend):
        return None
    with clock.phase("double precision"):
        exact = in_double(backend).prepare(work.circuit, work.problem.hamiltonian)(conclusion.theta).values[0, 0]
    return conclusion.energy - float(exact)


def error_budget_of(
    work: Workload,
    can: Capabilities,
    conclusion: Conclusion,
    exact: float | None,
    validated: float | None,
    clock: Clock,
) -> ErrorBudget | None:
    """Where the error of the energy comes from, for a run that was not exact; None where it cannot be told.

    Args:
        work: The workload.
        can: What the backend can do where it ran.
        conclusion: What it came to.
        exact: The exact energy, in the problem's unit; None where it is not known.
        validated: As `validated_energy` gives it.
        clock: Gets the time that this takes.
    """
    if exact is None or validated is None:
        return None
    with clock.phase("error budget"):
        reachable = reachable_energy(work, conclusion.theta, validated)
    return error_budget(
        energy=conclusion.energy,
        standard_error=conclusion.standard_error,
        bias=conclusion.bias,
        exact=exact,
        validated=validated,
        reachable=reachable,
        noisy=can.noise,
        unit=work.problem.unit,
    )


def validated_energy(work: Workload, backend: Backend, conclusion: Conclusion, clock: Clock) -> float | None:
    """The exact energy at the answer of a run that was not exact, from a simulator here, where the states are small.

    Args:
        work: The workload.
        backend: Where it ran.
        conclusion: What it came to.
        clock: Gets the time that this takes.
    """
    if not is_validated(work, backend.capabilities()):
        return None
    with clock.phase("validate"):
        try:
            exact = backends.get("statevector").prepare(work.circuit, work.problem.hamiltonian)
        except Refused:
            return None  # the device knows gates that the simulator does not; the result says nothing, then
        return float(exact(conclusion.theta).values[0, 0])
