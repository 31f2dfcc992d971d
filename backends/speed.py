"""How fast the backends are on this machine: shipped speeds, those that were measured here, and what runs have taught.

A table that comes with the package was measured once, on one machine; a short probe says how this machine differs (see
`backends.probe`). What `backends.calibration` measured here is taken before it. Runs that ended correct both (see
`correct`).
"""

import json
import math
import statistics
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from backends.cost import Speed
from backends.kept import read, write
from backends.machine import machine
from backends.probe import Rates, slowness

if TYPE_CHECKING:
    from backends.base import Capabilities

COUNTS = 8
"""Raised when a backend counts its passes in another way, so that speeds from before are measured anew."""

SHIPPED = "speeds.json"
"""Of the package; written by ``benchmarks/speeds.py``."""

ON_CARD, SINGLE = 10.0, 1.5
"""How many times wider the interval is where a speed is guessed from that on the processor, or in double precision."""

LEARNED_FROM = 3
"""Runs from which on a correction is applied."""

REMEMBERED = 9
"""Last runs of which a correction is made."""

MOST = 16.0
"""Times by which runs may correct a prediction, at most."""

DEAD_BAND = 0.75
"""Powers of two by which runs may differ from predictions without a correction: choices are to stay what they were."""


def speed_name(can: "Capabilities", kind: str = "", *, derivative: bool) -> str:
    """Under which name the speed of a backend is kept: shifted values are values.

    Args:
        can: What it can do.
        kind: The way in which it does the work, as its footprint says.
        derivative: Whether gradients are asked for.
    """
    what = "gradient" if derivative and can.gradient != "parameter-shift" else "value"
    return f"{can.name} | {kind or can.summary} | {can.precision} | {what}"


def speed(name: str) -> Speed | None:
    """The best that is known of a speed: measured here, else shipped, corrected by finished runs; or None.

    Args:
        name: See `speed_name`.
    """
    known = stored(name) or shipped(name)
    if known is None:
        return None
    factor = correction(name)
    return replace(
        known,
        call=known.call * factor,
        step=known.step * factor,
        amplitude=known.amplitude * factor,
        far=None if known.far is None else known.far * factor,
    )


def shipped(name: str) -> Speed | None:
    """The speed that comes with the package, for this machine by the probe; None where there is none of the name.

    Several backends may share the speed of a kind, which is then kept without their name. A way that was not measured
    is guessed from another, with a wider interval: one on a card from the same on the processor, one in single
    precision from that in double.
    """
    speeds = _table()["speeds"]
    found = next(((speeds[one], wider) for one, wider in _guesses(name) if one in speeds), None)
    if found is None:
        return None
    entry, guessed = found
    here = slowness(Rates(**_table()["rates"]))
    known = Speed(**entry).times(overhead=here.overhead, cached=here.cached, beyond=here.beyond)
    return replace(known, spread=known.spread * guessed)


def _guesses(name: str) -> Iterator[tuple[str, float]]:
    """Names under which a speed may be found, the nearest first, and how many times wider its interval then is."""
    backend, *kinds, precision, what = name.split(" | ")
    kind = " | ".join(kinds)
    for own, on_card in ((kind, 1.0), (kind.partition(" on ")[0], ON_CARD)):
        for number, single in ((precision, 1.0), ("double", SINGLE)):
            for whose in (backend, "*"):
                yield " | ".join((whose, own, number, what)), on_card * single


def stored(name: str) -> Speed | None:
    """The speed kept under a name from an earlier measurement on this machine, or None."""
    entry = read("speeds.json").get(_key(name))
    try:
        return Speed(**{field.name: _number(entry[field.name]) for field in fields(Speed)}) if entry else None
    except (KeyError, TypeError, ValueError):
        return None  # damaged from outside; it can be measured again


def keep(name: str, speed: Speed) -> None:
    """Write a speed to the user's cache folder; another process or thread never sees half a file.

    Raises:
        RecordFailed: if the folder cannot be written.
    """
    write("speeds.json", {_key(name): asdict(speed)})


def correct(name: str, predicted_s: float, measured_s: float) -> None:
    """Learn from a run that ended: later predictions of this speed are nearer to what was measured.

    The correction is the median over the last runs of measured by predicted time; see `correction`.

    Args:
        name: Of the speed, as ``Cost.speed`` gives it.
        predicted_s: For the evaluations that were made, without what is spent once, as it was predicted: with the
            correction that held then.
        measured_s: What they took.

    Raises:
        RecordFailed: if the folder cannot be written.
    """
    if not (0 < predicted_s < math.inf and 0 < measured_s < math.inf):
        return
    ratio = math.log2(measured_s / predicted_s * correction(name))
    bound = math.log2(MOST)
    ratios = [*_learned(name), min(max(ratio, -bound), bound)]
    write("corrections.json", {_key(name): ratios[-REMEMBERED:]})


def correction(name: str) -> float:
    """Times the known speed that runs were found to take: a power of two, 1 where they say nothing against it."""
    ratios = _learned(name)
    if len(ratios) < LEARNED_FROM:
        return 1.0
    middle = statistics.median(ratios)
    return 1.0 if abs(middle) <= DEAD_BAND else 2.0 ** round(middle)


def _learned(name: str) -> list[float]:
    """Powers of two by which runs differed from the known speed, oldest first."""
    found = read("corrections.json").get(_key(name))
    if not isinstance(found, list):
        return []
    return [float(ratio) for ratio in found if isinstance(ratio, int | float) and math.isfinite(ratio)]


def _number(value: Any) -> Any:
    """As a number; what is None stays it."""
    return None if value is None else float(value)


def _key(name: str) -> str:
    return f"{machine()} | {COUNTS} | {name}"


@cache
def _table() -> dict[str, Any]:
    return json.loads(files("backends").joinpath(SHIPPED).read_text())
