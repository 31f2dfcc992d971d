"""Whether a backend is measured before a choice: only where the answer could change it, and save more than it takes."""

import math
from collections.abc import Sequence

from backends.base import Backend
from backends.calibration import measure
from backends.cost import Cost
from backends.speed import stored
from circuits.errors import Refused
from hybrid.routing.order import known_s, order
from hybrid.terminal.progress import Progress, say
from hybrid.terminal.words import duration

MEASURING_S = 8.0
"""What a measurement of a backend takes, about."""


def to_measure(costs: Sequence[Cost]) -> tuple[list[int], float]:
    """Which backends could turn out to be the best choice, the present one among them.

    Args:
        costs: Predicted, in the order in which near-ties are decided.

    Returns:
        Their places, none where a measurement would take longer than it can save; and what it can save, seconds.
    """
    if len(costs) < 2:
        return [], 0.0
    chosen = order(costs)[0]
    now_s = known_s(costs[chosen])
    rivals = [k for k, cost in enumerate(costs) if k != chosen and cost.seconds_low < costs[chosen].seconds_high]
    saved_s = max((now_s - costs[k].seconds_low for k in rivals), default=0.0)
    worth = bool(rivals) and saved_s > MEASURING_S * (1 + len(rivals))
    return ([chosen, *rivals] if worth else []), saved_s


def measure_all(backends: Sequence[Backend], costs: Sequence[Cost], *, derivative: bool) -> list[int]:
    """Measure those of `to_measure` that can be, and were not on this machine.

    Args:
        backends: What may be chosen.
        costs: Of the work on each.
        derivative: Whether the work asks for gradients.

    Returns:
        The places of those that were measured.
    """
    places, saved_s = to_measure(costs)
    places = [k for k in places if _can_be_measured(backends[k], costs[k])]
    if not places:
        return []
    names = " and ".join(backends[k].capabilities().name for k in places)
    saved = "time" if math.isinf(saved_s) else f"up to {duration(saved_s, digits=2)}"
    why = f"measuring the speed of {names} on this machine, to be kept: the right choice may save {saved}"
    say(f"hybrid: {why}")
    found = []
    with Progress(why, len(places)) as progress:
        for done, k in enumerate(places):
            can = backends[k].capabilities()
            progress.update(done, can.name)
            try:
                measure(backends[k], derivative=derivative and can.gradient != "parameter-shift")
            except Refused as err:  # such as of a method that cannot do the probe
                say(f"hybrid: {can.name} could not be measured: {err}")
                continue
            found.append(k)
    return found


def _can_be_measured(backend: Backend, cost: Cost) -> bool:
    here = backend.capabilities().place == "here" and backend.origin is not None
    return here and stored(cost.speed) is None
