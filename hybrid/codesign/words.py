"""The words for what limits an application, and its numbers as text."""

from math import floor, log10
from typing import TYPE_CHECKING

from backends.devices.device import PARAMETERS
from hybrid.terminal.words import rounded

if TYPE_CHECKING:
    from hybrid.codesign.point import DevicePoint
    from hybrid.codesign.sensitivity import Sensitivity

WORDS = {
    "one_qubit_error": "one-qubit error",
    "two_qubit_error": "two-qubit error",
    "readout_error": "readout error",
    "readout_bias": "readout bias",
    "t1": "T1",
    "t2": "T2",
    "one_qubit_s": "one-qubit gate time",
    "two_qubit_s": "two-qubit gate time",
    "crosstalk": "crosstalk",
    "leakage": "leakage",
    "coherence": "coherence (T1 and T2)",
    "gate_times": "gate times",
    "all": "all errors, T1 and T2",
    "ansatz": "the ansatz",
    "angles": "the angles",
}

MORE = ("t1", "t2", "coherence", "all")
"""What is improved by having more of it."""

CAUSES = ("ansatz", "angles")
"""What limits an application, and is no number of the device."""

ZERO = 5e-4
"""Of the target: what buys less buys nothing."""


def energy(value: float, unit: str, *, sign: bool = False) -> str:
    """An energy difference as text, hartree in thousandths.

    >>> energy(0.0123, "hartree"), energy(0.25, "coupling")
    ('12.3 mHa', '0.25 coupling')
    """
    scale, name = (1e3, "mHa") if unit == "hartree" else (1.0, unit)
    value = value * scale
    return f"{_plain(value, sign=sign)} {name}"


def with_interval(value: float, interval: float, unit: str) -> str:
    """An energy difference with half the width of its interval.

    >>> with_interval(0.0123, 0.0004, "hartree"), with_interval(0.2472, 0.2, "coupling")
    ('12.3 ± 0.4 mHa', '0.25 ± 0.20 coupling')
    """
    scale, name = (1e3, "mHa") if unit == "hartree" else (1.0, unit)
    value, interval = value * scale, interval * scale
    if interval <= 0:
        return f"{_plain(value)} {name}"
    shown = 2 if float(f"{interval:.0e}"[0]) < 3 else 1  # of the interval's digits
    digits = max(0, shown - 1 - floor(log10(float(f"{interval:.{shown}g}"))))
    return f"{value:.{digits}f} ± {interval:.{digits}f} {name}"


def number(parameter: str, value: str | float | None) -> str:
    """A device's number as text, times in micro- and nanoseconds; words as they are.

    >>> number("t1", 1.5e-4), number("two_qubit_s", 3e-7), number("readout_error", 0.02), number("t1", None)
    ('150 µs', '300 ns', '0.02', 'infinite')
    """
    if isinstance(value, str | int):  # and True and False
        return str(value)
    if value is None:
        return "infinite" if parameter in ("t1", "t2") else ""
    if parameter in ("t1", "t2"):
        return f"{value * 1e6:.3g} µs"
    if parameter in ("one_qubit_s", "two_qubit_s"):
        return f"{value * 1e9:.3g} ns"
    return f"{value:.3g}"


def factor(value: float) -> str:
    """How many times better.

    >>> factor(7.31), factor(0.5)
    ('7.3 times better', '2 times worse')
    """
    return f"{rounded(value)} times better" if value >= 1 else f"{rounded(1 / value)} times worse"


def requirement(one: "Sensitivity") -> str:
    """The value of a parameter that the target needs, all others as they are, as a cell of a table."""
    if one.reach == "not alone":
        return "not reachable by it alone" if one.parameter not in ("all",) else "not reachable"
    if one.factor is None:
        return "met" if one.reach == "met" else "beyond a million times better"
    value = factor(one.factor) if one.parameter not in PARAMETERS else number(one.parameter, one.required)
    if one.reach == "met":
        return f"met; {value} would do"
    return value


def sentence(point: "DevicePoint") -> str:
    """What limits the application on a device, what a better one buys, and what the target needs, in plain words."""
    unit, target = point.unit, point.target
    error = with_interval(point.error, point.interval, unit)
    (name, size), *others = point.limits()
    second, second_size = next(other for other in others if name not in CAUSES or other[0] not in CAUSES)
    wanted = energy(target, unit)
    if point.limit is None:
        return f"Nothing limits it: the error is {error}."
    share = f"{100 * size / point.error:.0f} %" if point.error > 0 else "most"
    said = [f"{WORDS[name][0].upper()}{WORDS[name][1:]} limits it: {share} of the error of {error}"]
    if name not in CAUSES:
        buys = "doubling it" if name in MORE else "halving it" if name != "gate_times" else "halving them"
        said.append(f"{buys} buys {energy(point.of(name).halved, unit)}")
    if second_size > ZERO * target and point.error > 0:
        of = "of the device, " if name in CAUSES else ""
        said.append(f"{of}{WORDS[second]} is next with {100 * second_size / point.error:.0f} %")
    return "; ".join(said) + ". " + _towards(point, name, wanted)


def limit(point: "DevicePoint") -> str:
    """What limits the application, as a cell of a table; behind the ansatz or the angles the device's first limit."""
    if point.limit is None:
        return "nothing"
    if point.limit not in CAUSES:
        return WORDS[point.limit]
    hardware, size = next(one for one in point.limits() if one[0] not in CAUSES)
    first = WORDS[point.limit].removeprefix("the ")
    return f"{first}, then {WORDS[hardware]}" if size > ZERO * point.target else first


def _towards(point: "DevicePoint", name: str, wanted: str) -> str:
    """What the target needs."""
    if abs(point.error) <= point.target:
        return f"The target of {wanted} is met."
    if point.optimum - point.reference > point.target:
        return f"No device reaches {wanted} with this ansatz, whose own error is larger."
    if name not in CAUSES and point.of(name).reach == "needed":
        one = point.of(name)
        needs = requirement(one)
        now = f", now {number(name, one.value)}" if name in PARAMETERS else ""
        return f"For {wanted} it must be {needs}{now}."
    every = point.of("all")
    if every.reach == "needed" and every.factor is not None:
        return f"No parameter alone reaches {wanted}; all errors, T1 and T2 together must be {factor(every.factor)}."
    if every.reach == "needed":
        return f"No parameter alone reaches {wanted}, and all together only where they are all but perfect."
    return f"Errors, T1 and T2 all perfect do not reach {wanted} with these angles."


def _plain(value: float, *, sign: bool = False) -> str:
    text = f"{value:{'+' if sign else ''}.3g}"
    return f"{float(text):{'+' if sign else ''},.15g}" if "e+" in text else text
