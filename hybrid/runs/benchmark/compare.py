"""Two records of the suite side by side: which scores and times differ by more than chance."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from circuits import tables
from circuits.errors import Refused
from hybrid.runs.benchmark.record import BenchRecord, BenchSpec, Number, Unit, number_text
from hybrid.terminal.words import duration

LEVEL = 0.05
"""Probability that any difference is called significant where there is none at all."""

SHOWN = 8
"""Units that a message names; of more, their number."""

COLUMNS = (
    "application",
    "size",
    "backend",
    "before",
    "now",
    "difference",
    "p",
    "significant",
    "time before",
    "time now",
)


@dataclass(frozen=True)
class Difference:
    """One unit in two records.

    Attributes:
        before: In the earlier record.
        now: In the later one.
        label: Of its backend, in both.
        value: Now less before, in the unit of the score.
        standard_error: Of the difference, from those of both scores, which are taken as independent.
        p: Probability of a difference at least as large by chance; 1 where both are the same and exact.
        p_adjusted: The same among all comparisons, after Holm; at most 1.
    """

    before: Unit
    now: Unit
    label: str
    value: float
    standard_error: float
    p: float
    p_adjusted: float

    @property
    def significant(self) -> bool:
        """Whether it is more than chance."""
        return self.p_adjusted < LEVEL

    @property
    def better(self) -> bool:
        """Whether the later score is the better one."""
        return (self.value > 0) == self.now.higher_is_better and self.value != 0


@dataclass(frozen=True, eq=False)
class Differences:
    """All units that two records have in common; prints as a table, and shows itself in a notebook.

    Each difference of scores is divided by its standard error, and its two-sided probability taken from the normal
    distribution. Of m comparisons, ordered by their probabilities, the k-th (from 0) is multiplied by m - k, and none
    is below the one before it: so the probability that any difference is called significant by chance is below 0.05,
    however the comparisons depend on each other.

    Attributes:
        found: In the order of the later record.
        only_before: Units that the later record does not have, as text.
        only_now: Units that the earlier one does not have.

    References:
        S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6, 65 (1979).
    """

    found: tuple[Difference, ...]
    only_before: tuple[str, ...]
    only_now: tuple[str, ...]

    def notes(self) -> list[str]:
        """Sentences below the table."""
        significant = sum(one.significant for one in self.found)
        lines = [
            f"{significant} of {len(self.found)} differences significant: two-sided normal test, corrected for many "
            f"comparisons after Holm, level {LEVEL}. Times are single measurements, and not tested."
        ]
        lines += [f"only before: {', '.join(self.only_before)}"] if self.only_before else []
        return lines + ([f"only now: {', '.join(self.only_now)}"] if self.only_now else [])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "method": "two-sided normal test, Holm's correction",
            "level": LEVEL,
            "differences": [
                {
                    "application": one.now.application,
                    "size": one.now.size,
                    "backend": one.label,
                    "unit": one.now.unit,
                    "value": one.value,
                    "standard_error": one.standard_error,
                    "p": one.p,
                    "p_adjusted": one.p_adjusted,
                    "significant": one.significant,
                    "better": one.better,
                }
                for one in self.found
            ],
            "only_before": list(self.only_before),
            "only_now": list(self.only_now),
        }

    title: ClassVar[str] = "Now against before"

    def rows(self) -> list[tuple[str, ...]]:
        """One row for each unit that both have, with the columns `COLUMNS`."""
        return [_cells(one) for one in self.found]

    def __str__(self) -> str:
        return "\n".join([tables.text(self.rows(), title=self.title, columns=COLUMNS), *self.notes()])

    def _repr_html_(self) -> str:
        return tables.html(self.rows(), title=self.title, columns=COLUMNS, notes=self.notes())


def differences(before: BenchRecord, now: BenchRecord) -> Differences:
    """Compare the units that both records have: the same application at the same size on a backend of the same name.

    Args:
        before: The earlier record.
        now: The later one.

    Raises:
        Refused: if they have no unit in common that was done in both.
    """
    old, new = _by_name(before), _by_name(now)
    common = [name for name in new if name in old]
    if not common:
        raise _nothing_in_common(old, new)
    raw = [_difference(old[name], new[name]) for name in common]
    adjusted = holm([p for _, _, p in raw])
    found = tuple(
        Difference(old[name], new[name], name[2], value, error, p, q)
        for name, (value, error, p), q in zip(common, raw, adjusted, strict=True)
    )
    only_before = tuple(_named(name) for name in old if name not in new)
    return Differences(found, only_before, tuple(_named(name) for name in new if name not in old))


def check_comparable(before: BenchRecord, asked: BenchSpec) -> None:
    """Refuse what could have no unit in common with an earlier record, before it is measured.

    Args:
        before: The earlier record.
        asked: What is to be measured.

    Raises:
        Refused: if they can have none in common.
    """
    new = [
        (name, size, backend.label)
        for name, sizes in asked.sizes.items()
        for size in sizes
        for backend in asked.backends
    ]
    if not set(new).intersection(_by_name(before)):
        raise _nothing_in_common(_by_name(before), new)


def _nothing_in_common(old: Iterable[tuple[str, str, str]], new: Iterable[tuple[str, str, str]]) -> Refused:
    return Refused(
        "the two records have no application at the same size on a backend of the same name in common: "
        f"before {_some(old)}; now {_some(new)}"
    )


def _some(names: Iterable[tuple[str, str, str]]) -> str:
    words = [_named(name) for name in names]
    more = f" and {len(words) - SHOWN} more" if len(words) > SHOWN else ""
    return (", ".join(words[:SHOWN]) or "nothing") + more


def holm(probabilities: list[float]) -> list[float]:
    """Probabilities corrected for their number; see `Differences`.

    Args:
        probabilities: Of each comparison alone.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(probabilities)), key=lambda k: probabilities[k])
    adjusted, highest = [0.0] * len(probabilities), 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * probabilities[k]))
        adjusted[k] = highest
    return adjusted


def _by_name(record: BenchRecord) -> dict[tuple[str, str, str], Unit]:
    done = [unit for unit in record.units if unit.score is not None]
    return {(unit.application, unit.size, record.backends[unit.backend].label): unit for unit in done}


def _named(name: tuple[str, str, str]) -> str:
    return f"{name[0]} {name[1]} on {name[2]}"


def _difference(before: Unit, now: Unit) -> tuple[float, float, float]:
    assert before.score is not None
    assert now.score is not None
    value = now.score.value - before.score.value
    error = math.hypot(before.score.standard_error, now.score.standard_error)
    if not error:
        return value, 0.0, float(value == 0)
    return value, error, math.erfc(abs(value) / error / math.sqrt(2))


def _cells(one: Difference) -> tuple[str, ...]:
    assert one.before.score is not None
    assert one.now.score is not None
    word = ("better" if one.better else "worse") if one.significant else "no"
    unit = f", {one.now.unit}" if one.now.unit else ""
    return (
        one.now.application + unit,
        one.now.size,
        one.label,
        number_text(one.before.score),
        number_text(one.now.score),
        number_text(Number(value=one.value, standard_error=one.standard_error)),
        f"{one.p_adjusted:.2g}",
        word,
        duration(one.before.seconds.total),
        duration(one.now.seconds.total),
    )
