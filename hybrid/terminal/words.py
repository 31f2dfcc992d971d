"""Numbers as text for people."""

import math
from collections.abc import Mapping
from typing import Any

MOST = 4
"""Numbers of a list that a table shows in full."""

UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def duration(seconds: float, *, digits: int = 3) -> str:
    """A time in seconds as text, in a unit that fits.

    Args:
        seconds: The time.
        digits: How many of them mean something: 3 of what was measured, 2 of what is predicted.

    >>> duration(8.87e-9), duration(0.0042), duration(75), duration(0.9996), duration(80, digits=2)
    ('8.87 ns', '4.2 ms', '1.25 min', '1 s', '1.3 min')
    """
    if math.isnan(seconds):
        return "unknown"
    for unit, size in UNITS:
        if float(f"{seconds / size:.{digits}g}") >= 1:
            return f"{rounded(seconds / size, digits=digits)} {unit}"
    if 0 < seconds < 1e-6:
        return f"{rounded(seconds * 1e9, digits=digits)} ns"
    return f"{rounded(seconds * 1000, digits=digits)} ms"


def rounded(number: float, *, digits: int = 2) -> str:
    """A number as text, to as many digits as mean something, without a power of ten.

    >>> rounded(3987.2), rounded(22.6), rounded(1.26)
    ('4,000', '23', '1.3')
    """
    return f"{float(f'{number:.{digits}g}'):,.15g}"


def value_text(key: str, value: Any) -> str:
    """A value of a run's entry in a list as text, for tables.

    Args:
        key: Of the value; "seconds" holds times by phase, "drift" the resumptions on a device calibrated anew.
        value: JSON-able.

    Returns:
        Text on one line; a dash for None and for empty text.
    """
    if key == "seconds" and value:
        return ", ".join(f"{phase} {duration(s)}" for phase, s in value.items())
    if isinstance(value, list) and len(value) > MOST and all(isinstance(one, int | float) for one in value):
        value = ", ".join([*(f"{one:.6g}" for one in value[:2]), "...", f"{value[-1]:.6g} ({len(value)} numbers)"])
    if key == "drift" and isinstance(value, list | tuple):  # of a device; a trajectory's is a number
        value = "; ".join(f"resumed {one['resumed_utc']}: {one['words']}" for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {content}" for name, content in value.items())
    return "-" if value in (None, "") else str(value)


def measured(value: float, standard_error: float, unit: str, *, plain: bool = False) -> str:
    """A number with its standard error and its unit as text, to as many digits as the error makes meaningful.

    Args:
        value: In the unit.
        standard_error: Of the value, or of the value beside it in a table, in the unit; 0 where there is none.
        unit: Name of the unit, such as "hartree".
        plain: Whether to leave the error out.

    >>> measured(-1.137306, 0.0123, "hartree"), measured(-1.1373060358, 0.0, "hartree")
    ('-1.137 ± 0.012 hartree', '-1.1373060358 hartree')
    """
    if not standard_error > 0:
        return with_unit(f"{value:.10f}", unit)
    digits = max(0, 1 - math.floor(math.log10(standard_error)))
    told = f"{value:.{digits}f}"
    return with_unit(told if plain else f"{told} ± {standard_error:.2g}", unit)


def with_unit(number: str, unit: str) -> str:
    """A number as text with its unit; numbers without a dimension, whose unit is "1", stand alone.

    >>> with_unit("-3.2", "hartree"), with_unit("-3.2", "1")
    ('-3.2 hartree', '-3.2')
    """
    return number if unit in ("", "1") else f"{number} {unit}"


def axis(name: str, unit: str) -> str:
    """What an axis or a column holds, with its unit in brackets where it has one.

    >>> axis("energy", "hartree"), axis("energy", "1")
    ('energy (hartree)', 'energy')
    """
    return name if unit in ("", "1") else f"{name} ({unit})"


def slope_unit(unit: str) -> str:
    """The unit of a derivative by an angle.

    >>> slope_unit("hartree"), slope_unit("1")
    ('hartree/rad', '1/rad')
    """
    return f"{unit or '1'}/rad"


def counted(number: int, things: str) -> str:
    """A number of things as text, in the singular where there is one.

    Args:
        number: How many.
        things: What, in a plural whose first word ends in "s".

    >>> counted(1, "steps"), counted(2000, "steps"), counted(1, "points of a sweep")
    ('1 step', '2,000 steps', '1 point of a sweep')
    """
    first, *others = things.split(" ")
    return " ".join([f"{number:,}", first.removesuffix("s") if number == 1 else first, *others])


def energy(record: Mapping[str, Any]) -> str:
    """The energy of a run with its standard error and unit as text; a dash where there is none.

    Args:
        record: With the keys "energy", "unit" and, where there is one, "standard_error"; such as an entry of a list.
    """
    if record["energy"] is None:
        return "-"
    return measured(record["energy"], record.get("standard_error") or 0.0, record["unit"] or "")
