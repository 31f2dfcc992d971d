"""Scales of a picture, with ticks at round numbers."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

MAX_TICKS = 6

RESOLUTION = 1e-8
"""Of the values: a scale is at least this wide beside them, so that rounding is not drawn as large as a page."""


@dataclass(frozen=True)
class Axis:
    """A scale.

    Attributes:
        low: Its start.
        high: Its end, larger than the start.
        label: What it measures, with the unit.
        log: Whether it is logarithmic; the start is larger than 0 then.
        whole: Whether it counts things, so that ticks stand at whole numbers alone.
    """

    low: float
    high: float
    label: str
    log: bool = False
    whole: bool = False

    def place(self, value: float) -> float:
        """Where a value stands: 0 at the start, 1 at the end."""
        if self.log:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int = MAX_TICKS) -> list[tuple[float, str]]:
        """Round numbers on the scale, with their texts.

        Args:
            most: About how many.

        >>> [label for _, label in Axis(0.0, 10.0, "evaluations").ticks()]
        ['0', '2', '4', '6', '8', '10']
        >>> [label for _, label in Axis(1e-4, 1.0, "error", log=True).ticks()]
        ['10⁻⁴', '10⁻³', '10⁻²', '10⁻¹', '10⁰']
        """
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            every = max(1, math.ceil((last - first) / most))
            return [(10.0**k, _power(k, plain=first >= 0)) for k in range(first, last + 1, every)]
        step = _round_step(max((self.high - self.low) / most, 1.0 if self.whole else 0.0))
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(k * step, _plain(k * step, digits)) for k in range(first, last + 1)]


def linear(values: Iterable[float], label: str, *, whole: bool = False) -> Axis:
    """A linear scale on which all values have room.

    Args:
        values: At least one, finite.
        label: Of the scale.
        whole: Whether it counts things from the first value on: no room is added.
    """
    known = list(values)
    low, high = min(known), max(known)
    if whole:
        return Axis(low, max(high, low + 1), label, whole=True)
    room = max(0.06 * (high - low), RESOLUTION * max(abs(low), abs(high))) or 1.0
    return Axis(low - room, high + room, label)


def logarithmic(values: Iterable[float], label: str) -> Axis:
    """A logarithmic scale from a power of ten to another, on which all values have room.

    Args:
        values: At least one, finite and above 0.
        label: Of the scale.
    """
    known = list(values)
    first, last = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    return Axis(10.0**first, 10.0 ** max(last, first + 1), label, log=True)


def _round_step(wanted: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= wanted * (1 - 1e-9))


def _power(k: int, *, plain: bool) -> str:
    return f"{10**k:,}" if plain and k < 6 else "10" + str(k).translate(SUPERSCRIPTS)


def _plain(value: float, digits: int) -> str:
    if abs(value) >= 1e7:
        return f"{value:.3g}"
    return f"{value:,.{digits}f}".replace("-", "−") if value else "0"
