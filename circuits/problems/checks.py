"""Checks of arguments that several problems and ansatz families share."""

import math
import operator
from typing import Any

from circuits.errors import Refused


def whole(value: Any, what: str, *, at_least: int) -> int:
    """The value as an int.

    Raises:
        Refused: if it is no whole number or below ``at_least``.

    >>> whole(3, "layers", at_least=1)
    3
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < at_least:
        raise Refused(f"{what} must be a whole number of at least {at_least}, not {value!r}")
    return number


def finite(value: Any, what: str) -> float:
    """The value as a float.

    Raises:
        Refused: if it is no number, infinite or NaN.

    >>> finite(2, "field")
    2.0
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, (bool, str)) or not math.isfinite(number):
        raise Refused(f"{what} must be a finite number, not {value!r}")
    return number
