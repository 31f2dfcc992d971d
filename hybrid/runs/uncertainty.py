"""What is known of an energy, in one statement: an interval of the final state's, one of the ground state's, and why.

Statistical parts add in quadrature, at 95 %; systematic parts and bounds are added to them, since nobody knows their
signs, each on the side on which it moves the truth. So intervals hold the truth at least as often as they say where a
systematic part is no smaller than what it estimates.

References:
    JCGM 100:2008, Guide to the expression of uncertainty in measurement.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import FiniteFloat

from circuits import tables
from hybrid.terminal.words import with_unit
from hybrid.workload.spec import RecordModel

CONFIDENCE = 0.95

NEGLIGIBLE = 1e-3
"""Of the largest part: what is smaller is not shown in short tables."""

SAME = 1e-9
"""Width of an interval below which one number stands for both ends, in the energy's unit."""

Kind = Literal["statistical", "systematic", "bound", "not known"]
Question = Literal["state", "ground"]


class Part(RecordModel):
    """What one cause adds to an interval.

    Attributes:
        name: "shots", "extrapolation", "truncation", "bias", "calibration drift", "rounding", "device noise",
            "optimizer", "starts", "ansatz" or "ansatz and optimizer" (both together).
        of: Whether it is in the interval of the final state's energy already, or only in that of the ground state's.
        below: How far below the energy the truth may lie for this cause, in the energy's unit; None where nobody knows.
        above: How far above; as `below`.
        kind: "statistical" at 95 %; "systematic", an estimate; "bound", which holds always, or under the condition that
            the source names; "not known".
        source: Where the width comes from, in a sentence.
    """

    name: str
    of: Question
    below: FiniteFloat | None
    above: FiniteFloat | None
    kind: Kind
    source: str

    def size(self, unit: str) -> str:
        """The widths as text, with their kind.

        Args:
            unit: Of the widths.
        """
        if self.below is None or self.above is None:
            return "not known"
        if math.isclose(self.below, self.above):
            return with_unit(f"± {self.below:.2g}", unit)
        sides = [f"{sign}{width:.2g}" for sign, width in (("-", self.below), ("+", self.above)) if width]
        return with_unit(" ".join(sides), unit)


class Interval(RecordModel):
    """An interval of one quantity.

    Attributes:
        quantity: Which.
        low: Lower end, in the energy's unit; None where it is not known.
        high: Upper end; as `low`.
        confidence: How often such intervals hold the truth, at least, as far as their parts are right; 1 where the
            quantity was computed exactly.
        reason: Why an end is missing; empty where none is.
    """

    quantity: str
    low: FiniteFloat | None
    high: FiniteFloat | None
    confidence: FiniteFloat = CONFIDENCE
    reason: str = ""

    def holds(self, truth: float) -> bool:
        """Whether a value lies in the interval; an end that is not known excludes nothing.

        Args:
            truth: The value, in the energy's unit.
        """
        return (self.low is None or self.low <= truth) and (self.high is None or truth <= self.high)

    def text(self, unit: str) -> str:
        """The interval in words.

        Args:
            unit: Of the ends.
        """
        if self.low is None or self.high is None:
            limit = "" if self.high is None else f"; it lies below {with_unit(_plain(self.high), unit)}"
            return f"no interval for {self.quantity}: {self.reason}{limit}"
        if self.confidence >= 1.0:
            return f"{with_unit(_plain(self.high), unit)}, known exactly: {self.quantity}"
        return f"{with_unit(_ends(self.low, self.high), unit)} ({100 * self.confidence:.0f} %), of {self.quantity}"


class Uncertainty(RecordModel):
    """What is known of the energy of a run.

    Attributes:
        state: Interval of the energy of the final state; its quantity says of which one, where a device has noise.
        ground: Interval of the ground state energy.
        parts: By cause.
        risks: What may be wrong without showing in a width, each in a few words.
        unit: Of the energies.
    """

    state: Interval
    ground: Interval
    parts: tuple[Part, ...]
    risks: tuple[str, ...] = ()
    unit: str

    @property
    def low(self) -> float | None:
        """Lower end of the interval of the final state's energy."""
        return self.state.low

    @property
    def high(self) -> float | None:
        """Upper end of the interval of the final state's energy."""
        return self.state.high

    @property
    def confidence(self) -> float:
        """Of the interval of the final state's energy."""
        return self.state.confidence

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form; `of_dict` reads it."""
        return self.model_dump(mode="json")

    @classmethod
    def of_dict(cls, content: dict[str, Any]) -> "Uncertainty":
        """From its JSON-able form."""
        return cls.model_validate(content)

    def rows(self) -> Iterator[tuple[str, str]]:
        """The statement as pairs of a name and a text, for tables; parts that change nothing are left out."""
        yield "interval", self.state.text(self.unit)
        yield "ground state", self.ground.text(self.unit)
        largest = max((max(part.below or 0.0, part.above or 0.0) for part in self.parts), default=0.0)
        for part in self.parts:
            if part.below is None or max(part.below, part.above or 0.0) >= NEGLIGIBLE * largest:
                yield f"± {part.name}", f"{part.size(self.unit)}, {part.source}"
        yield from (("risk", risk) for risk in self.risks)

    def cells(self) -> list[tuple[str, str, str, str]]:
        """The parts as rows of a table: cause, width, kind and source."""
        return [(part.name, part.size(self.unit), part.kind, part.source) for part in self.parts]

    def __str__(self) -> str:
        return tables.text(list(self.rows()))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = [f"{self.state.text(self.unit)}.", f"{self.ground.text(self.unit)}.", *self.risks]
        return tables.html(self.cells(), columns=("cause", "width", "kind", "how it is known"), notes=notes)


def joined(energy: float, parts: Iterable[Part]) -> tuple[float, float] | None:
    """The interval that parts make together; None where one of them is not known.

    Args:
        energy: In the unit of the parts.
        parts: Statistical ones are added in quadrature, others to their sum.

    Returns:
        The ends.
    """
    found = list(parts)
    below, above = _sum([part.below for part in found], found), _sum([part.above for part in found], found)
    return None if below is None or above is None else (energy - below, energy + above)


def _sum(widths: Sequence[float | None], parts: Sequence[Part]) -> float | None:
    known = [width for width in widths if width is not None]
    if len(known) < len(widths):
        return None
    chance = [width for width, part in zip(known, parts, strict=True) if part.kind == "statistical"]
    others = [width for width, part in zip(known, parts, strict=True) if part.kind != "statistical"]
    return math.hypot(*chance) + math.fsum(others)


def mean_over(energies: Sequence[float], *, quantity: str = "the mean over all seeds") -> Interval:
    """The interval of a mean by Student's t, from a few runs that differ in their seeds alone.

    The spread of the energies holds all that chance does to a run: its start, its way and its shots.

    Args:
        energies: Of at least two runs, in one unit.
        quantity: What the interval says that it is of.
    """
    from scipy.special import stdtrit  # scipy.stats has it, too, and takes a second to import

    values = np.asarray(energies, dtype=float)
    middle = float(values.mean())
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * error
    return Interval(quantity=quantity, low=middle - half, high=middle + half)


def _plain(value: float) -> str:
    return f"{value:.10g}"


def _ends(low: float, high: float) -> str:
    """Both ends, rounded outwards to three digits of their distance; of nearly the same number that, and its width."""
    width = high - low
    if width < SAME:
        return f"{(low + high) / 2:.10f} ± {width / 2:.1g}"
    digits = max(0, 2 - math.floor(math.log10(width)))
    scale = 10.0**digits
    return f"{math.floor(low * scale) / scale:.{digits}f} to {math.ceil(high * scale) / scale:.{digits}f}"
