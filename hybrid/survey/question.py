"""What a survey asks: over which ranges, how well the energies shall be known, and with how many runs at most."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from circuits.errors import Refused, shown, unknown

Find = Literal["energies", "minimum"]

MOST_KEYS = 3
"""Ranges of a survey: a space of more has too many corners for few runs."""

GRID = {1: 201, 2: 41, 3: 17}
"""By the number of ranges, points along each: there runs are proposed, and the promise is tested."""

FIRST = {1: 5, 2: 9, 3: 15}
"""By the number of ranges, runs of the first design, which takes ends and middles first."""

CHECK_EVERY = {1: 2, 2: 4, 3: 4}
"""By the number of ranges: along one, random points are as good as any; in more, each costs a better one."""

SETTINGS = ("interval", "find", "runs", "first", "check_every")
"""Keys of the section that are no ranges."""

DIGITS = 10
"""Of the values at which runs are made."""

MOST_RUNS = 500


@dataclass(frozen=True)
class Question:
    """What a survey asks.

    Attributes:
        ranges: Names to lower and upper ends.
        interval: Promised half width of the 95 % interval, in the problem's unit: of the energy at every point, or of
            the lowest energy.
        find: "energies" for all of them, "minimum" for the lowest alone.
        runs: Most runs.
        first: Runs of the first design; None for a number that fits the ranges.
        check_every: After the first design one of so many runs is at a random point and tests what is predicted; None
            for a number that fits the ranges.
        seed: Of the choice of these points; run number k takes seed + k.

    Raises:
        Refused: for impossible values.
    """

    ranges: Mapping[str, tuple[float, float]]
    interval: float
    find: Find = "energies"
    runs: int = 30
    first: int | None = None
    check_every: int | None = None
    seed: int = 0

    def __post_init__(self):
        if not self.ranges:
            raise Refused("it needs a range, such as r = [0.8, 3.0]")
        if len(self.ranges) > MOST_KEYS:
            raise Refused(f"{len(self.ranges)} ranges, more than {MOST_KEYS}: fix some of them, or use a [sweep]")
        for name, ends in self.ranges.items():
            _check_range(name, ends)
        if not _is_number(self.interval) or not self.interval > 0:
            raise Refused(f"interval = {shown(self.interval)}: must be a positive number, in the problem's unit")
        if self.find not in get_args(Find):
            raise unknown("find:", str(self.find), get_args(Find))
        for name, least, most in (("runs", 2, MOST_RUNS), ("first", 2, MOST_RUNS), ("check_every", 2, MOST_RUNS)):
            value = getattr(self, name)
            if value is None and name != "runs":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise Refused(f"{name} = {shown(value)}: must be a whole number from {least} to {most}")
        if self.n_first > self.runs:
            raise Refused(
                f"runs = {self.runs}: fewer than the {self.n_first} of the first design; give more runs, or a smaller "
                "first"
            )
        if self.n_first > GRID[len(self.ranges)] ** len(self.ranges):
            raise Refused(f"first = {self.first}: more than the points that there are")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the ranges, in their order."""
        return tuple(self.ranges)

    @property
    def n_first(self) -> int:
        """Runs of the first design."""
        return FIRST[len(self.ranges)] if self.first is None else self.first

    @property
    def n_check(self) -> int:
        """After the first design one of so many runs is a check."""
        return CHECK_EVERY[len(self.ranges)] if self.check_every is None else self.check_every

    def grid(self) -> np.ndarray:
        """The points at which runs are proposed and the promise is tested, shape (points, ranges), last key fastest."""
        n = GRID[len(self.ranges)]
        axes = [[_rounded(x) for x in np.linspace(low, high, n)] for low, high in self.ranges.values()]
        return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)

    def axes(self) -> list[np.ndarray]:
        """Values along each range, as in `grid`."""
        grid = self.grid()
        return [np.unique(grid[:, k]) for k in range(grid.shape[1])]

    def values(self, row: np.ndarray) -> dict[str, float]:
        """A row of the grid by names."""
        return dict(zip(self.names, map(float, row), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {
            "ranges": {name: list(ends) for name, ends in self.ranges.items()},
            "interval": self.interval,
            "find": self.find,
            "runs": self.runs,
            "first": self.n_first,
            "check_every": self.n_check,
            "seed": self.seed,
        }


def question_of(table: Any, *, seed: int) -> Question:
    """The section [survey] of a study file, checked.

    Args:
        table: Its content: ranges, which are lists of two numbers, and the other attributes of `Question`.
        seed: Of the study.

    Raises:
        Refused: for anything that is not understood.
    """
    if not isinstance(table, Mapping):
        raise Refused("must be a table with ranges, such as r = [0.8, 3.0], and interval = 1e-3")
    ranges = {name: ends for name, ends in table.items() if name not in SETTINGS and isinstance(ends, list)}
    for name in table:
        if name not in SETTINGS and name not in ranges:
            if isinstance(table[name], int | float):
                known = unknown("key", name, SETTINGS)
                raise Refused(f"{known}; a range is a list of two numbers")
            raise Refused(f"{name} = {shown(table[name])}: must be a range, a list of two numbers")
    for name, ends in ranges.items():
        if len(ends) != 2:
            raise Refused(
                f"{name} = {shown(ends)}: must be two numbers, the ends of a range; [sweep] takes single points"
            )
    if "interval" not in table:
        raise Refused("interval: missing; must be the promised half width of the 95 % interval, in the problem's unit")
    settings = {name: table[name] for name in SETTINGS if name in table}
    return Question({name: tuple(ends) for name, ends in ranges.items()}, seed=seed, **settings)


def _check_range(name: str, ends: Any) -> None:
    if not name.isidentifier():
        raise Refused(f'"{name}": must be a plain name, such as r')
    if name in SETTINGS:
        raise Refused(f"{name}: is a setting of the survey; give the range another name")
    if len(ends) != 2 or not all(map(_is_number, ends)):
        raise Refused(f"{name} = {shown(list(ends))}: must be two finite numbers, the ends of a range")
    low, high = ends
    if low == high:
        raise Refused(f"{name} = {shown(list(ends))}: is one point, which a single run answers; give a range")
    if low > high:
        raise Refused(f"{name} = {shown(list(ends))}: the range is reversed; write [{high}, {low}]")
    n = GRID[MOST_KEYS]
    if len({_rounded(x) for x in np.linspace(low, high, GRID[1])}) < GRID[1]:
        raise Refused(f"{name} = {shown(list(ends))}: is too narrow to tell {n} points in it apart")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _rounded(x: float) -> float:
    return float(f"{x:.{DIGITS}g}")
