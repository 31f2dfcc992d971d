"""Where the time of a run goes: its wall time, divided among what worked or was waited for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from circuits.errors import Refused
from hybrid.terminal.words import counted, duration

if TYPE_CHECKING:
    from hybrid.routing.plan import Plan
    from hybrid.runs.account import Account
    from hybrid.runs.evaluation import Evaluation
    from hybrid.runs.jobs import JobRow

PARTS = {
    "device": "computing on a quantum device",
    "queue": "waiting for a device",
    "simulator": "evaluating on this machine",
    "optimizer": "the optimizer's own work",
    "communication": "messages and waiting between ranks, and sending jobs",
    "compilation": "compiling and transpiling",
    "record": "writing the record",
    "checks": "beside the run: exact energy, other precision, error budget",
    "other": "planning, building the problem, and all else",
}
"""The parts of a run's time, and what each is."""

CHECKS = ("exact energy", "double precision", "validate", "error budget", "uncertainty")
"""Phases of a run that check it."""

PREDICTED = {
    "compile": "compilation",
    "evaluate": "simulator",
    "geometry": "simulator",
    "conclude": "simulator",
    "optimize": "optimizer",
    "record": "record",
} | dict.fromkeys(CHECKS, "checks")
"""The part that each phase of a plan belongs to."""


@dataclass(frozen=True)
class Split:
    """The time of a run by part.

    Attributes:
        title: Of the run or plan.
        measured: Whether it was; predicted otherwise.
        seconds: Of each of `PARTS` that is known, in their order; they add up to the wall time.
        ranks: Processes that shared the work.
        asked: How often the optimizer asked for values.
        waits: How often jobs of one question were waited for together.
        jobs: That were sent.
        shots: That were run, of all circuits together.
        device: Name of the quantum device; empty where none was asked.
        notes: What the numbers leave out.
    """

    title: str
    measured: bool
    seconds: Mapping[str, float]
    ranks: int = 1
    asked: int = 0
    waits: int = 0
    jobs: int = 0
    shots: int = 0
    device: str = ""
    notes: tuple[str, ...] = ()

    @property
    def total_s(self) -> float:
        """Of all parts together."""
        return sum(self.seconds.values())

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Part, time, share of the whole, and what it is, as text for tables; parts that take nothing are left out."""
        total = self.total_s
        return [
            (part, duration(seconds), f"{seconds / total:.1%}", PARTS[part])
            for part, seconds in self.seconds.items()
            if seconds > 0
        ]


def bottleneck(seconds: Mapping[str, float]) -> str:
    """The part that takes longest, what it is worth to make it faster, and what comes next, in a sentence.

    Args:
        seconds: Of each part.
    """
    total = sum(seconds.values())
    if not total:
        return "Nothing is left that takes time."
    first, second, *_ = sorted(seconds, key=lambda part: -seconds[part])
    taken = seconds[first]
    after = f"; next comes {second} ({seconds[second] / total:.0%})" if seconds[second] > 0 else ""
    return (
        f"The bottleneck is {first} ({PARTS[first]}): {taken / total:.0%} of {duration(total)}. Ten times faster, it "
        f"would leave {duration(total - 0.9 * taken)}; however fast, never less than {duration(total - taken)}{after}."
    )


def measured_split(run: "Account") -> Split:
    """Where the time of a run went, from its record.

    Time at a device is what its vendor charged or, before that, would charge by its rule; what is left of the wait for
    a job is the queue. Where a run was continued, evaluations of all its processes count, and the rest of the last one.

    Args:
        run: What its record says.

    Raises:
        Refused: if it has no result.
    """
    result = run.result
    if result is None:
        raise Refused(f"{run.path}: the run has not ended, and what its phases took is not known; resume it first")
    jobs: dict[int, list[JobRow]] = {}
    for job in run.content.jobs:
        if job.counts:
            jobs.setdefault(job.place.evaluation, []).append(job)
    evaluations, phases, seconds = run.content.evaluations, result.seconds, dict.fromkeys(PARTS, 0.0)
    replayed_s = _replayed_s(run)
    cut = _first_of_the_last_process(evaluations, replayed_s)
    answered = sum(evaluation.seconds for evaluation in evaluations[cut:])
    waited = phases.get("other ranks", 0.0)
    excess = max(answered - phases.get("evaluate", 0.0) - waited, 0.0) if len(evaluations) > cut else 0.0
    seconds["compilation"] = max(phases.get("compile", 0.0) - excess, 0.0)
    for evaluation in evaluations:
        _divide(evaluation, jobs.get(evaluation.number, []), seconds)
    seconds["communication"] += waited
    seconds["simulator"] -= waited
    for group, first_s in ((evaluations[cut:], excess), (evaluations[:cut], _excess(evaluations[:cut]))):
        if group and group[0].number not in jobs:
            seconds["simulator"] -= first_s
            seconds["compilation"] += first_s
    seconds["simulator"] = max(seconds["simulator"], 0.0)
    seconds["optimizer"], seconds["record"] = phases.get("optimize", 0.0), phases.get("record", 0.0)
    seconds["checks"] = sum(phases.get(phase, 0.0) for phase in CHECKS)
    total = phases.get("total", sum(phases.values())) + replayed_s
    seconds["other"] = max(total - sum(seconds.values()), 0.0)
    sent = [job for one in jobs.values() for job in one]
    notes = []
    if sent and not seconds["device"]:
        notes.append("The device's vendor charges no time, so that computing on it counts as queue.")
    if cut:
        notes.append(f"{cut:,} of {len(evaluations):,} evaluations were computed by earlier processes of the run.")
    return Split(
        title=f"{result.problem} on {result.backend}",
        measured=True,
        seconds=seconds,
        ranks=result.ranks,
        asked=len(evaluations),
        waits=len(jobs),
        jobs=len(sent),
        shots=sum(job.circuits * job.shots for job in sent),
        device=sent[-1].hardware if sent else "",
        notes=tuple(notes),
    )


def joined(splits: "Sequence[Split]", title: str, *, left_out: int = 0) -> Split:
    """The time of several runs together, such as the stages of an algorithm.

    Args:
        splits: Of the runs, at least one.
        title: Of them all.
        left_out: How many runs have not ended, or cannot be read.
    """
    notes = [f"{left_out:,} runs that have not ended, or cannot be read, are left out."] if left_out else []
    return Split(
        title=f"{title}, {counted(len(splits), 'runs')}",
        measured=True,
        seconds={part: sum(split.seconds[part] for split in splits) for part in PARTS},
        ranks=max(split.ranks for split in splits),
        asked=sum(split.asked for split in splits),
        waits=sum(split.waits for split in splits),
        jobs=sum(split.jobs for split in splits),
        shots=sum(split.shots for split in splits),
        device=next((split.device for split in splits if split.device), ""),
        notes=tuple(dict.fromkeys([*notes, *(note for split in splits for note in split.notes)])),
    )


def predicted_split(plan: "Plan") -> Split:
    """Where the time of a run would go, as its plan predicts for the first way.

    Args:
        plan: As `hybrid.plan` makes it.

    Raises:
        Refused: if no backend can run it, or the time of its evaluations is not known.
    """
    way = plan.chosen
    if way.outlook is None:
        raise Refused(f"the plan for {plan.workload} is not one for a minimization, whose phases are predicted")
    seconds, unknown, notes = dict.fromkeys(PARTS, 0.0), [], []
    for phase in way.outlook.phases:
        if math.isfinite(phase.seconds):
            seconds[PREDICTED[phase.name]] += phase.seconds
        else:
            unknown.append(phase.name)
    hardware, qpu_s = way.cost.hardware, None if way.cost.hardware is None else way.cost.hardware.qpu_s
    away = hardware is not None and (qpu_s is not None or way.backend.capabilities().place == "provider")
    if hardware is not None and qpu_s is not None:
        seconds["device"], seconds["simulator"] = qpu_s, 0.0
        unknown = [phase for phase in unknown if PREDICTED[phase] != "simulator"]
        notes.append(f"Evaluations as {hardware.device} itself would take them, without its queue (say queue_s).")
    elif "evaluate" in unknown:
        raise Refused(
            f"how long {way.name} takes for an evaluation is not known here, so that the time of {plan.workload} "
            "cannot be divided; `hybrid backends --calibrate` measures simulators"
        )
    if unknown:
        notes.append(f"Not known here, and not in the time: {', '.join(unknown)}.")
    expected = way.outlook.prediction.evaluations.expected
    return Split(
        title=f"{plan.workload} on {way.name}",
        measured=False,
        seconds=seconds,
        asked=round(expected),
        waits=round(expected) if away else 0,
        jobs=hardware.jobs if away and hardware is not None else 0,
        shots=hardware.shots if away and hardware is not None else 0,
        device=hardware.device if away and hardware is not None else "",
        notes=tuple(notes),
    )


def _divide(evaluation: "Evaluation", jobs: "Sequence[JobRow]", seconds: dict[str, float]) -> None:
    """Add the time of one evaluation to its parts."""
    left = evaluation.seconds
    if not jobs:
        seconds["simulator"] += left
        return
    sending = sum(max(job.sent_at - job.intended_at, 0.0) for job in jobs if job.sent_at is not None)
    computing = sum(job.charge.qpu_s for job in jobs)
    for part, wanted in (("device", computing), ("communication", sending)):
        taken = min(wanted, left)
        seconds[part] += taken
        left -= taken
    seconds["queue"] += left


def _replayed_s(run: "Account") -> float:
    """What evaluations of earlier processes took: the prediction in hindsight counts them, the phases do not."""
    assert run.result is not None
    prediction, phases = run.result.prediction, run.result.seconds
    if prediction is None or prediction.seconds is None or prediction.seconds.happened is None:
        return 0.0
    before = sum(phases.get(phase, 0.0) for phase in ("problem", "plan"))
    found = prediction.seconds.happened - (phases.get("total", 0.0) - before)
    return found if found > 1e-9 * max(prediction.seconds.happened, 1.0) else 0.0


def _first_of_the_last_process(evaluations: "Sequence[Evaluation]", replayed_s: float) -> int:
    """How many evaluations take the seconds that were answered from the journal."""
    if not replayed_s:
        return 0
    sums = np.cumsum([0.0] + [evaluation.seconds for evaluation in evaluations])
    return int(np.argmin(np.abs(sums - replayed_s)))


def _excess(evaluations: "Sequence[Evaluation]") -> float:
    """By how much the first took longer than the others: it was compiled."""
    if len(evaluations) < 2:
        return 0.0
    return max(evaluations[0].seconds - float(np.median([one.seconds for one in evaluations[1:]])), 0.0)
