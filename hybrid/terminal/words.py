"""Numbers for people."""

import math
from collections.abc import Mapping
from typing import Any


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(0.0042), duration(75), duration(float("nan"))
    ('4.2 ms', '1.25 min', 'unknown')
    """
    if math.isnan(seconds):
        return "unknown"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1000:.3g} ms"


def words(key: str, value: Any) -> str:
    """A value of a record for people."""
    if key == "seconds" and value:
        return ", ".join(f"{phase} {duration(s)}" for phase, s in value.items())
    if isinstance(value, dict):
        return ", ".join(f"{name} {content}" for name, content in value.items())
    return "-" if value in (None, "") else str(value)


def measured(value: float, standard_error: float, unit: str, *, plain: bool = False) -> str:
    """A number with its statistical error and its unit, to as many digits as the error lets mean something.

    Args:
        value: In the unit.
        standard_error: Of the value, or of what it stands beside; 0 where there is none.
        unit: In words.
        plain: Whether to leave the error out.

    >>> measured(-1.137306, 0.0123, "hartree"), measured(-1.1373060358, 0.0, "hartree")
    ('-1.137 ± 0.012 hartree', '-1.1373060358 hartree')
    """
    if not standard_error > 0:
        return f"{value:.10f} {unit}"
    digits = max(0, 1 - math.floor(math.log10(standard_error)))
    return f"{value:.{digits}f} {unit}" if plain else f"{value:.{digits}f} ± {standard_error:.2g} {unit}"


def energy(record: Mapping[str, Any]) -> str:
    """The energy of a record with its error and unit, or a dash."""
    if record["energy"] is None:
        return "-"
    return measured(record["energy"], record.get("standard_error") or 0.0, record["unit"] or "")
