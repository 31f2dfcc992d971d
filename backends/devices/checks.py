"""Checks of the numbers of a device: what is impossible is refused with the reason."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from backends.devices.gates import any_rotation, two_qubit
from circuits.errors import Refused, shown

MOST_QUBITS = 100_000

PRICES = ("usd_per_shot", "usd_per_task", "usd_per_qpu_s", "repetition_delay_s")


def qubits(n_qubits: Any) -> int:
    """The number of qubits, if it is one."""
    if isinstance(n_qubits, bool) or not isinstance(n_qubits, int | np.integer) or not 1 <= n_qubits <= MOST_QUBITS:
        raise Refused(f"n_qubits of the device must be a whole number from 1 to {MOST_QUBITS}, not {n_qubits!r}")
    return int(n_qubits)


def numbers(name: str, value: Any, size: int) -> float | tuple[float, ...]:
    """One number as it is, or several as a tuple, one for each qubit or edge."""
    try:
        given = np.asarray(value)
        if given.size and given.dtype.kind not in "iuf":
            raise TypeError
        found = given.astype(float)
    except (TypeError, ValueError):
        raise Refused(
            f"{name} of the device must be a number, or one for each of {size} places, not {shown(value)}"
        ) from None
    if found.ndim > 1 or (found.ndim == 1 and len(found) != size):
        what = "edges" if name.startswith("two_qubit") or name in ("crosstalk", "leakage") else "qubits"
        raise Refused(
            f"{name} of the device must be one number, or one for each of its {size} {what}, not "
            f"an array of the shape {found.shape}"
        )
    if np.isnan(found).any():
        raise Refused(f"{name} of the device must be numbers, and one is not: {value!r}")
    return float(found) if found.ndim == 0 else tuple(map(float, found))


def check_error(name: str, value: float | tuple[float, ...]) -> None:
    """Refuse a probability outside 0 to 1, and a bias outside -1 to 1."""
    least = -1.0 if name == "readout_bias" else 0.0
    for place, one in enumerate(np.atleast_1d(value)):
        if not least <= one <= 1:
            where = f" at place {place}" if isinstance(value, tuple) else ""
            kind = "a number" if name == "readout_bias" else "a probability"
            raise Refused(f"{name} of the device must be {kind} from {least:g} to 1, not {one:g}{where}")


def check_times(given: Mapping[str, Any]) -> None:
    """Refuse times that are not positive, T2 above 2 T1, and readout that is wrong with more than certainty."""
    for name in ("t1", "t2", "one_qubit_s", "two_qubit_s", "readout_s"):
        found, least = np.atleast_1d(given[name]), "above 0" if name in ("t1", "t2") else "0 or above"
        wrong = found <= 0 if name in ("t1", "t2") else (found < 0) | np.isinf(found)
        if wrong.any():
            raise Refused(f"{name} of the device must be a time in seconds, {least}, not {found[wrong][0]:g}")
    t1, t2 = np.broadcast_arrays(given["t1"], given["t2"])
    over = np.flatnonzero(np.atleast_1d(t2) > 2 * np.atleast_1d(t1) * (1 + 1e-12))
    if over.size:
        q = int(over[0])
        raise Refused(
            f"t2 of the device is {np.atleast_1d(t2)[q]:g} s at qubit {q}, more than twice its t1 of "
            f"{np.atleast_1d(t1)[q]:g} s: relaxation dephases, too, so T2 is at most 2 T1"
        )
    wrong = np.asarray(given["readout_error"]) * (1 + np.abs(given["readout_bias"]))
    if np.any(wrong > 1 + 1e-12):
        raise Refused(
            "readout_error (1 + |readout_bias|) of the device must be a probability, not "
            f"{float(np.max(wrong)):g}: lower one of them"
        )


def check_price(device: Any) -> None:
    """Refuse prices and pauses that are no numbers from 0."""
    for name in PRICES:
        value: Any = getattr(device, name)
        if value is None and name.startswith("usd"):
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise Refused(f"{name} of the device must be a number from 0, not {shown(value)}")


def check_words(device: Any) -> None:
    """Refuse switches that are neither true nor false, and a name that is no text."""
    for name in ("idle", "directed"):
        value = getattr(device, name)
        if not isinstance(value, bool):
            raise Refused(f"{name} of the device must be true or false, not {shown(value)}")
    if not isinstance(device.name, str) or not device.name:
        raise Refused(f"name of the device must be a text, not {shown(device.name)}")


def check_gates(gates: Any, virtual: Any, n_qubits: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The native gates and the virtual ones among them, if every circuit can be written in them."""
    found, free = _names("gates", gates), _names("virtual", virtual)
    pairs = [name for name in found if two_qubit(name)]
    if len(pairs) > 1:
        raise Refused(
            f"gates of the device has {len(pairs)} gates on two qubits, {', '.join(pairs)}, and two_qubit_error is of "
            "one gate: keep one of them"
        )
    if n_qubits > 1 and not pairs:
        raise Refused(f"gates of the device has no gate on two qubits: {', '.join(found) or 'none at all'}; add one")
    for name in free:
        if name not in found or two_qubit(name):
            raise Refused(
                f"virtual gate '{name}' of the device must be one of its gates on one qubit: {', '.join(found)}"
            )
    if not any_rotation(frozenset(found) - set(pairs)):
        raise Refused(
            f"gates of the device cannot make every rotation of a qubit: {', '.join(found)}; add some, such as rz "
            "and sx"
        )
    return found, free


def _names(what: str, given: Any) -> tuple[str, ...]:
    """Names of gates, each once."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise Refused(f"{what} of the device must be a list of names such as 'rz', not {shown(given)}")
    found = tuple(given)
    twice = next((name for k, name in enumerate(found) if name in found[:k]), None)
    if twice is not None:
        raise Refused(f"{what} of the device names '{twice}' twice")
    return found
