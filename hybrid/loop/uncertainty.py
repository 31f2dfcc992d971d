"""What is known of the energy that a run ends with: the parts of its error, and the two intervals that they make."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backends.base import Backend, Capabilities
from backends.mitigation.words import as_mitigation
from hybrid.loop.clock import Clock
from hybrid.loop.conclusion import Conclusion, scale
from hybrid.loop.deviation import Deviation, deviation_of
from hybrid.loop.gap import Gap, gap
from hybrid.runs import calibrations
from hybrid.runs.error_budget import ErrorBudget
from hybrid.runs.evaluation import Evaluation
from hybrid.runs.failovers import Failover
from hybrid.runs.folder import Record
from hybrid.runs.uncertainty import CONFIDENCE, Interval, Part, Uncertainty, joined
from hybrid.terminal.words import with_unit
from hybrid.workload.beside import is_sampled
from hybrid.workload.spec import BackendSpec
from hybrid.workload.workload import Workload

FAST = 30
"""Repetitions from which on Student's t and the normal distribution are told apart by nothing that matters."""


@dataclass(frozen=True)
class Facts:
    """What the intervals are made of; energies in one unit.

    Attributes:
        energy: That the run ended with.
        standard_error: Of it; 0 where it was not sampled.
        bias: Estimated size of its systematic error.
        unit: Of all energies.
        scale: Sum of the Hamiltonian's absolute coefficients.
        shots: Of each measured circuit; None where values were not sampled.
        mitigation: Words of what was done about noise.
        truncated: Name of what cuts the state, such as "matrix product state"; empty for nothing.
        noisy: Whether the device's noise is in the energy.
        single: Whether it was computed in single precision.
        gates: Of the circuit.
        exact: The exact ground state energy; None where it is not known.
        validated: The energy of the final state without noise and shots; None where it is not known.
        rounding: The energy less that in double precision; None where it was not computed.
        deviation: As `hybrid.loop.deviation.deviation_of` gives it.
        gap: As `hybrid.loop.gap.gap` gives it; None of a circuit without parameters.
        reachable: The lowest energy of the circuit that was found without noise; None where nobody looked.
        starts: The lowest energies that each of several starts came to, shape (starts,); empty of a single one.
        remote: Whether it was measured at a provider.
        drift: Largest relative change of one of the device's errors during the run; None where nobody measured, 0 for a
            simulator and for a device that was not calibrated anew.
    """

    energy: float
    standard_error: float
    bias: float
    unit: str
    scale: float
    shots: int | None = None
    mitigation: tuple[str, ...] = ()
    truncated: str = ""
    noisy: bool = False
    single: bool = False
    gates: int = 1
    exact: float | None = None
    validated: float | None = None
    rounding: float | None = None
    deviation: Deviation | None = None
    gap: Gap | None = None
    reachable: float | None = None
    starts: tuple[float, ...] = ()
    remote: bool = False
    drift: float | None = 0.0

    @property
    def extrapolated(self) -> bool:
        """Whether mitigation is to give the energy without noise."""
        return bool({"zne", "cdr"} & set(self.mitigation))

    @property
    def pure(self) -> float | None:
        """The energy of the circuit's state without noise and shots, as far as it was computed exactly."""
        exact = self.shots is None and not self.noisy and not self.bias
        return self.energy if exact else self.validated

    @property
    def rounded(self) -> float:
        """By how much rounding may move an energy."""
        eps = np.finfo(np.float32 if self.single else np.float64).eps
        return max(float(eps) * self.scale * math.sqrt(self.gates + 1), abs(self.rounding or 0.0))


def uncertainty_of(
    record: Record,
    work: Workload,
    backend: Backend,
    conclusion: Conclusion,
    evaluations: Sequence[Evaluation],
    *,
    steps: int,
    exact: float | None,
    validated: float | None,
    rounding: float | None,
    errors: ErrorBudget | None,
    failovers: Sequence[Failover],
    clock: Clock,
) -> Uncertainty:
    """What is known of the energy of a run that has ended.

    Args:
        record: What was asked.
        work: Its workload.
        backend: Where it ended.
        conclusion: What it came to.
        evaluations: Of its journal.
        steps: Of the optimizer.
        exact: The exact energy, in the problem's unit; None where it is not known.
        validated: As `hybrid.loop.validation.validated_energy` gives it.
        rounding: As `hybrid.loop.validation.rounding_of` gives it.
        errors: As `hybrid.loop.validation.error_budget_of` gives it.
        failovers: How the run went on at other backends.
        clock: Gets the time that this takes.

    Raises:
        Refused: if the record of the device's calibrations is damaged.
    """
    can, place = backend.capabilities(), failovers[-1].backend if failovers else record.spec.backend
    with clock.phase("uncertainty"):
        facts = Facts(
            energy=conclusion.energy,
            standard_error=conclusion.standard_error,
            bias=conclusion.bias,
            unit=work.problem.unit,
            scale=scale(work.problem),
            shots=_shots(can, work),
            mitigation=_mitigation(place),
            truncated=_truncated(place, can),
            noisy=can.noise,
            single=can.precision == "single",
            gates=record.circuit.size(),
            exact=exact,
            validated=validated,
            rounding=rounding,
            deviation=deviation_of(work, conclusion.theta) if exact is None else None,
            gap=gap(evaluations, steps) if work.theta.size else None,
            reachable=_reachable(errors, exact),
            starts=_starts(record, evaluations, steps),
            remote=can.place == "provider" and can.noise,
            drift=_drift(record, failovers, can),
        )
        return uncertainty(facts)


def uncertainty(facts: Facts) -> Uncertainty:
    """The intervals that facts make, with their parts.

    Args:
        facts: Of a run.
    """
    measured = list(_of_state(facts))
    ends = joined(facts.energy, measured)
    assert ends is not None  # each of these parts has a width
    state = Interval(quantity=_quantity(facts), low=ends[0], high=ends[1])
    ansatz = _ansatz_part(facts)
    return Uncertainty(
        state=state,
        ground=_ground(facts, state, ansatz),
        parts=(*measured, *_of_ground(facts), ansatz),
        risks=tuple(_risks(facts, state)),
        unit=facts.unit,
    )


def _quantity(facts: Facts) -> str:
    state = "the energy of the final state"
    if not facts.noisy:
        return state
    if facts.extrapolated:
        return f"{state} without noise, as {' and '.join(facts.mitigation)} see it"
    left = f" as {' and '.join(facts.mitigation)} leave it" if facts.mitigation else ""
    return f"{state} on the device, its noise{left} included"


def _of_state(facts: Facts) -> Iterator[Part]:
    if facts.shots is not None:
        yield _shots_part(facts)
    if facts.bias:
        yield _bias_part(facts)
    if facts.drift and facts.validated is not None:
        width = abs(facts.energy - facts.validated) * min(facts.drift, 1.0)
        source = f"{_changed(facts.drift)}: as much of the noise in the energy"
        yield Part(name="calibration drift", of="state", below=width, above=width, kind="systematic", source=source)
    width = facts.rounded
    known = "measured against double precision" if facts.rounding is not None else "of this precision and these gates"
    yield Part(
        name="rounding", of="state", below=width, above=width, kind="systematic", source=f"typical rounding, {known}"
    )


def _shots_part(facts: Facts) -> Part:
    assert facts.shots is not None
    source = f"standard error of {facts.shots:,} shots for each measured circuit"
    if facts.standard_error:
        from scipy.special import stdtrit  # scipy.stats has it, too, and takes a second to import

        few = 1 < facts.shots <= FAST
        quantile = float(stdtrit(facts.shots - 1, (1 + CONFIDENCE) / 2)) if few else 1.96
        law = f"times Student's {quantile:.2f}, since they are few" if few else "times 1.96"
        width = quantile * facts.standard_error
        return Part(name="shots", of="state", below=width, above=width, kind="statistical", source=f"{source}, {law}")
    rare = 1.0 - ((1.0 - CONFIDENCE) / 2) ** (1.0 / facts.shots)
    width = 2.0 * facts.scale * rare
    source = f"all {facts.shots:,} shots of each circuit agreed: what is rarer than {rare:.1g} was not seen"
    return Part(name="shots", of="state", below=width, above=width, kind="bound", source=source)


def _bias_part(facts: Facts) -> Part:
    if facts.extrapolated:
        name, source = "extrapolation", "distance from what another curve, or the scatter of the known circuits, gives"
    elif facts.truncated:
        name, source = "truncation", f"change when the {facts.truncated} is cut more coarsely: an estimate, no bound"
    else:
        name, source = "bias", "as the backend estimates it"
    return Part(name=name, of="state", below=facts.bias, above=facts.bias, kind="systematic", source=source)


def _changed(drift: float) -> str:
    return f"the device's errors changed by up to {drift:.0%} between calibrations in this run"


def _of_ground(facts: Facts) -> Iterator[Part]:
    """What lies between the energy and the ground state's, besides the ansatz and what the state's interval holds."""
    if facts.noisy:
        yield _noise_part(facts)
    if facts.drift and facts.validated is None:
        source = f"{_changed(facts.drift)}, and how much of the energy is noise is not known"
        yield Part(name="calibration drift", of="ground", below=None, above=None, kind="not known", source=source)
    if facts.gap is not None:
        yield _optimizer_part(facts)
    if facts.starts:
        yield _starts_part(facts)


def _ansatz_part(facts: Facts) -> Part:
    both = "ansatz" if facts.gap is None else "ansatz and optimizer"
    if facts.pure is not None and facts.exact is not None:
        if facts.reachable is not None:
            width, source = facts.reachable - facts.exact, "from the circuit's lowest known energy to the exact one"
            return Part(name="ansatz", of="ground", below=max(0.0, width), above=0.0, kind="bound", source=source)
        width, source = facts.pure - facts.exact, "distance from the exact energy"
        return Part(name=both, of="ground", below=max(0.0, width), above=0.0, kind="bound", source=source)
    if facts.pure is not None and facts.deviation is not None:
        width, source = facts.deviation.width, "the energy's standard deviation in the final state (Weinstein)"
        if facts.deviation.seen is not None and facts.deviation.seen < facts.pure - width:
            source += "; of another eigenvalue than the lowest: a lower energy was found"
            return Part(name=both, of="ground", below=None, above=0.0, kind="not known", source=source)
        source += ", a bound if at least half of that is ground state"
        source += "" if facts.deviation.seen is None else "; a search from a random state found nothing below it"
        return Part(name=both, of="ground", below=width, above=0.0, kind="bound", source=source)
    source = "neither an exact energy nor the energy's deviation in the final state is known"
    return Part(name="ansatz", of="ground", below=None, above=0.0, kind="not known", source=source)


def _noise_part(facts: Facts) -> Part:
    if facts.validated is None:
        source = "no simulator has computed the energy without noise"
        return Part(name="device noise", of="ground", below=None, above=None, kind="not known", source=source)
    shift = facts.validated - facts.energy
    source = "from the energy measured to that without noise, on a simulator, at the same parameters"
    below, above = max(0.0, -shift), max(0.0, shift)
    return Part(name="device noise", of="ground", below=below, above=above, kind="systematic", source=source)


def _optimizer_part(facts: Facts) -> Part:
    assert facts.gap is not None
    if facts.reachable is not None and facts.pure is not None:
        width, source = max(0.0, facts.pure - facts.reachable), "what descents without noise found below the answer"
        return Part(name="optimizer", of="ground", below=width, above=0.0, kind="systematic", source=source)
    width, source = facts.gap
    kind = "not known" if width is None else "systematic"
    return Part(name="optimizer", of="ground", below=width, above=0.0, kind=kind, source=source)


def _starts_part(facts: Facts) -> Part:
    first, second = sorted(facts.starts)[:2]
    spread = f"the highest ends {with_unit(f'{max(facts.starts) - first:.2g}', facts.unit)} above the lowest"
    source = f"of {len(facts.starts)} starts {spread}; the next one's distance is taken for what more would gain"
    return Part(name="starts", of="ground", below=second - first, above=0.0, kind="systematic", source=source)


def _ground(facts: Facts, state: Interval, ansatz: Part) -> Interval:
    quantity = "the ground state energy"
    if facts.exact is not None:
        return Interval(quantity=quantity, low=facts.exact, high=facts.exact, confidence=1.0)
    edge = facts.rounded
    high = facts.pure + edge if facts.pure is not None else None if facts.noisy else state.high
    if facts.deviation is not None and facts.deviation.seen is not None and high is not None:
        high = min(high, facts.deviation.seen + edge)
    if ansatz.below is None or facts.pure is None:
        reason = f"the error of the {ansatz.name} is not known"
        return Interval(quantity=quantity, low=None, high=high, reason=reason)
    return Interval(quantity=quantity, low=facts.pure - ansatz.below - edge, high=high)


def _risks(facts: Facts, state: Interval) -> Iterator[str]:
    """What may be wrong without showing in a width."""
    pure = not facts.noisy or facts.extrapolated
    if pure and facts.validated is not None and not state.holds(facts.validated):
        yield "a simulator's energy at the same parameters lies outside of the interval: a part is too narrow"
    if facts.exact is None and facts.gap is not None:
        starts = f"the lowest of {len(facts.starts)} starts" if facts.starts else "one start"
        yield f"{starts}: a lower minimum elsewhere is not excluded"
    if facts.noisy and not facts.extrapolated:
        yield "the device's noise is in the energy, and mostly raises it"
    if facts.extrapolated:
        yield "extrapolation assumes how noise grows: if it is wrong, the energy may lie below the exact one"
    if facts.truncated and facts.bias:
        yield "truncation may put the energy below the exact one, and estimates its own error"
    if facts.remote:
        yield "a drift of the device " + ("that nobody measured" if facts.drift is None else "between calibrations")
    if facts.shots is not None and facts.shots <= FAST:
        yield "few shots may miss rare outcomes"


def _shots(can: Capabilities, work: Workload) -> int | None:
    if not is_sampled(can, work.shots):
        return None
    return work.shots if work.shots is not None else can.default_shots


def _mitigation(place: BackendSpec) -> tuple[str, ...]:
    option = place.options.get("mitigation")
    return () if option is None else as_mitigation(option).words


def _truncated(place: BackendSpec, can: Capabilities) -> str:
    if place.name == "pauli":
        return "sum of Pauli strings"
    return "matrix product state" if place.options.get("method") == "matrix_product_state" else ""


def _reachable(errors: ErrorBudget | None, exact: float | None) -> float | None:
    """The lowest energy of the circuit that an error budget knows of."""
    if errors is None or exact is None:
        return None
    return next((exact + share.size for share in errors.shares if share.cause == "ansatz"), None)


def _drift(record: Record, failovers: Sequence[Failover], can: Capabilities) -> float | None:
    """Largest relative change of an error rate between the calibrations of a run."""
    if can.place != "provider":
        return 0.0
    told = calibrations.told(record.path, record.spec.provenance, failovers)
    if told["calibrated"] is None:
        return None
    changes = [change for one in told["drift"] for change in one["changes"]]
    return max((abs(change["now"] / change["then"] - 1.0) for change in changes if change["then"]), default=0.0)


def _starts(record: Record, evaluations: Sequence[Evaluation], steps: int) -> tuple[float, ...]:
    """What each of an optimizer's starts came to, where it compared them at its end."""
    n = record.spec.workload.optimizer.get("starts", 1)
    if not isinstance(n, int) or n < 2:
        return ()
    compared = [one for one in evaluations if one.step < steps and len(one.theta) == n and one.told.gradients is None]
    return tuple(compared[-1].told.values.tolist()) if compared else ()
