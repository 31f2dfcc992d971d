"""A survey in Python: a function makes the circuit and the problem of each point."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from qiskit import QuantumCircuit

from backends.mitigation.words import MitigationLike
from circuits import Problem
from circuits.errors import Refused
from hybrid.loop.minimize import ACCURACY, minimize
from hybrid.registry.words import REGISTRY
from hybrid.routing.spares import Failing
from hybrid.runs.algorithm import check_free
from hybrid.runs.places import fresh
from hybrid.runs.start import PREFIX
from hybrid.survey.carry_out import carry_out
from hybrid.survey.proposals import Proposal
from hybrid.survey.question import Find, Question
from hybrid.survey.record import reading_of
from hybrid.survey.result import Survey
from hybrid.survey.step import Reading, Step
from hybrid.survey.study import nearest
from hybrid.workload.arguments import BackendLike, OptimizerLike

Make = Callable[..., tuple[QuantumCircuit, Problem]]
"""Called with the values of all ranges by name."""


def survey(
    make: Make,
    ranges: Mapping[str, tuple[float, float]],
    *,
    interval: float,
    find: Find = "energies",
    runs: int = 30,
    first: int | None = None,
    check_every: int | None = None,
    warm_start: bool | str = True,
    seed: int = 0,
    folder: str | Path | None = None,
    backend: BackendLike = "auto",
    optimizer: OptimizerLike = "lbfgs",
    max_steps: int = 200,
    accuracy: float = ACCURACY,
    shots: int | None = None,
    mitigation: MitigationLike | None = None,
    label: str = "open",
    failover: Failing = False,
    exact: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
    progress: bool = True,
) -> Survey:
    """Learn the lowest energies over one to three numbers from few runs of `hybrid.minimize`.

    Each run goes where the energy is known worst, or where a lower one is most to be expected; some are at random
    points and test what was predicted of them. It ends when every energy, or the lowest of all, is known as well as
    promised and the last tests agree, or when that cannot be reached; the status says which. The same call on the same
    folder goes on where it was stopped, with the same runs as if it had not been.

    Args:
        make: Makes ansatz and problem from the values, as in ``lambda r: (circuit, molecule(...))``; called with the
            names of the ranges.
        ranges: Names to lower and upper ends.
        interval: Promised half width of the 95 % interval, in the problem's unit.
        find: "energies" for the whole curve or surface, "minimum" for the lowest energy.
        runs: Most runs.
        first: Runs of the first design, which fills the space; None for a number that fits the ranges.
        check_every: After it, every so many runs one is at a random point; None for a number that fits the ranges.
        warm_start: True starts each run where the nearest of the earlier ones has ended, "registry" where the registry
            says (see `hybrid.registry`), False where the ansatz does.
        seed: Of the random points; run number k takes seed + k, so that the noise of different runs is independent.
        folder: Where the record goes; by default a new folder under ``runs/``.
        backend: As for `hybrid.minimize`, like all that follow.
        optimizer: See there.
        max_steps: See there.
        accuracy: See there.
        shots: See there.
        mitigation: See there.
        label: See there.
        failover: See there.
        exact: See there.
        should_stop: See there.
        progress: See there.

    Returns:
        The `Survey`; its ``surrogate(r=1.3)`` is mean and standard deviation anywhere.

    Raises:
        Refused: for impossible ranges, or if the folder holds something else.
        ToolkitError: if a run fails; those before it are kept.

    Examples:
        >>> import tempfile
        >>> from circuits import hamiltonian_variational, tfim
        >>> def chain(h):
        ...     problem = tfim(2, field=h)
        ...     return hamiltonian_variational(problem, layers=1), problem
        >>> s = survey(chain, {"h": (0.5, 1.5)}, interval=1e-2, backend="statevector", folder=tempfile.mkdtemp())
        >>> mean, deviation = s.surrogate(h=1.0)
        >>> s.status, round(float(mean), 2)
        ('converged', -2.24)
    """
    if warm_start not in (True, False, REGISTRY):
        raise Refused(f'warm_start must be True, False or "registry", not {warm_start!r}')
    try:
        ends = {name: (low, high) for name, (low, high) in ranges.items()}
    except (TypeError, ValueError, AttributeError) as err:
        raise Refused("ranges must be names with two numbers each, as in {'r': (0.8, 3.0)}") from err
    question = Question(ends, interval, find, runs, first, check_every, seed)
    if interval < accuracy:
        raise Refused(f"interval = {interval:g}: below accuracy = {accuracy:g}, to which each run is minimized")
    place = fresh("survey-" + "-".join(question.names)) if folder is None else Path(folder)

    def start(proposal: Proposal, steps: Sequence[Step]) -> str | None:
        if warm_start == REGISTRY:
            return REGISTRY
        return f"{PREFIX}{place / nearest(question, proposal, steps)}" if warm_start and steps else None

    def run(proposal: Proposal, steps: Sequence[Step]) -> Reading | None:
        if should_stop():
            return None
        circuit, problem = make(**proposal.values)
        minimize(
            circuit,
            problem,
            theta=start(proposal, steps),
            seed=seed + proposal.number,
            folder=place / proposal.name,
            backend=backend,
            optimizer=optimizer,
            max_steps=max_steps,
            accuracy=accuracy,
            shots=shots,
            mitigation=mitigation,
            label=label,
            failover=failover,
            exact=exact,
            should_stop=should_stop,
            progress=progress,
        )
        return reading_of(place / proposal.name)

    check_free(place)
    return carry_out(question, place, run)
