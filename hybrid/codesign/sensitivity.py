"""What an application gains from a better device: by derivatives, by halving, and by the value that a target needs."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from scipy.optimize import brentq

from backends.devices.device import ERRORS, PARAMETERS, Device
from hybrid.codesign.engines import Engine, Noise
from hybrid.workload.spec import RecordModel

TIMES = ("t1", "t2")
DURATIONS = ("one_qubit_s", "two_qubit_s")

GROUPS = {"coherence": TIMES, "gate_times": DURATIONS, "all": (*ERRORS, *TIMES)}
"""Parameters that get better together; see `better`."""

BEST, WORST = 1e-6, 1e3
"""Factors between which the value that a target needs is looked for."""

TEN_PERCENT = 0.1

Reach = Literal["met", "needed", "not alone"]


class Sensitivity(RecordModel):
    """What one parameter of a device does to the error of an application.

    Attributes:
        parameter: Its name, or that of a group.
        value: Its median over the places that the device gives it for, in SI units; None of a group, and where it is
            infinite.
        derivative: Of the value of the observable, by a common change of the parameter at all places, in the
            observable's unit per SI unit; None of a group.
        elasticity: Derivative by the parameter's logarithm: its unit is the observable's, so parameters compare. Of a
            group by the logarithm of how much worse it is.
        halved: Error that goes where the parameter is twice as good (errors and durations halved, T1 and T2 doubled).
        perfect: Error that goes where it is perfect.
        reach: "met" where the target is met now, "needed" where this parameter alone can bring the error to the target,
            and "not alone" where it cannot.
        factor: By which the parameter is to become better (above 1), or may become worse (below 1), for the error to be
            the target; None where no value does that.
        required: The parameter's median then, in SI units; None where there is none, or it is infinite.
    """

    parameter: str
    value: float | None
    derivative: float | None
    elasticity: float
    halved: float
    perfect: float
    reach: Reach
    factor: float | None = None
    required: float | None = None

    @property
    def ten_percent(self) -> float:
        """Error that goes, at first order, where the parameter is 10 % better."""
        return TEN_PERCENT * (self.elasticity if self.parameter not in TIMES else -self.elasticity)

    @property
    def decade(self) -> float:
        """Slope of the value for each factor of ten in the parameter."""
        return math.log(10) * self.elasticity


def better(noise: Noise, name: str, factor: float, device: Device) -> dict[str, np.ndarray]:
    """All noise parameters, one of them better by a factor: errors and durations divided by it, T1 and T2 multiplied.

    T2 stays at 2 T1 at most, and a worse T1 at T2 / 2 at least; errors stay probabilities. Of a single parameter all
    others stay as they are, the stated errors of gates included.

    Args:
        noise: All noise parameters.
        name: Of one, or of a group: "coherence" (T1 and T2) and "gate_times" (all durations) take with them as much of
            the gates' stated errors as relaxation during the gates had made; "all" is all errors, T1 and T2, as
            `hybrid.Device.scaled` changes them.
        factor: Above 1 for better, infinite for perfect, below 1 for worse.
        device: For how many qubits and edges the parameters are.
    """
    found = {key: np.asarray(value, float) for key, value in noise.items()}
    if name in GROUPS:
        for one in GROUPS[name]:
            found[one] = found[one] * factor if one in TIMES else found[one] / factor
        if name == "all":
            return found | {one: np.clip(found[one], 0, 0.5) for one in ERRORS}
        return found | following(noise, found, device)
    if name == "t1":
        found["t1"] = np.maximum(found["t1"] * factor, found["t2"] / 2)
    elif name == "t2":
        found["t2"] = np.minimum(found["t2"] * factor, 2 * found["t1"])
    elif name in ERRORS:
        found[name] = np.clip(found[name] / factor, 0, 0.5)
    elif name == "readout_bias":
        found[name] = np.clip(found[name] / factor, -1, 1)
    else:
        found[name] = found[name] / factor
    return found


def following(before: Noise, after: Noise, device: Device) -> dict[str, np.ndarray]:
    """The stated errors of gates, less what relaxation during the gates made of them before, more what it makes now.

    Args:
        before: All noise parameters.
        after: The same with other T1, T2 or durations.
        device: For how many qubits and edges they are.

    Returns:
        "one_qubit_error", shape (qubits,), and "two_qubit_error", shape (edges,).
    """
    found = {}
    for name, was, now in zip(ERRORS, relaxing(before, device), relaxing(after, device), strict=False):
        stated = np.broadcast_to(before[name], was.shape)
        found[name] = np.clip(np.where(stated >= was, stated - was + now, stated), 0, 0.5)
    return found


def relaxing(noise: Noise, device: Device) -> tuple[np.ndarray, np.ndarray]:
    """The average errors that relaxation alone gives the gates on one and two qubits, shapes (qubits,) and (edges,)."""
    n, edges = device.n_qubits, np.array(device.edges, dtype=int).reshape(-1, 2)
    t1, t2 = (np.broadcast_to(noise[name], (n,)) for name in TIMES)

    def kept(seconds: np.ndarray, q: np.ndarray) -> np.ndarray:
        return (1 + np.exp(-seconds / t1[q]) + 2 * np.exp(-seconds / t2[q])) / 4

    one = kept(np.broadcast_to(noise["one_qubit_s"], (n,)), np.arange(n))
    seconds = np.broadcast_to(noise["two_qubit_s"], (len(edges),))
    two = kept(seconds, edges[:, 0]) * kept(seconds, edges[:, 1])
    return 1 - (2 * one + 1) / 3, 1 - (4 * two + 1) / 5


def elasticity(name: str, noise: Noise, slopes: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """The derivative by a common change of a parameter, and that by its logarithm.

    Args:
        name: Of the parameter.
        noise: All noise parameters.
        slopes: The derivatives by them.
    """
    value, slope = np.asarray(noise[name], float), slopes[name]
    at = np.where(np.isfinite(value) & (value != 0), value, 0.0)
    return float(np.sum(slope)), float(np.sum(at * slope))


def along(name: str, noise: Noise, slopes: Mapping[str, np.ndarray], device: Device) -> float:
    """The derivative of the value as a group of parameters gets better, by the logarithm of the factor."""
    step = 1e-4
    up, down = (better(noise, name, math.exp(sign * step), device) for sign in (1, -1))
    moved = 0.0
    for one in PARAMETERS:
        finite = np.isfinite(up[one])  # what is infinite stays so
        change = (np.where(finite, up[one], 0.0) - np.where(finite, down[one], 0.0)) / (2 * step)
        slope = (
            np.broadcast_to(slopes[one], change.shape) if np.ndim(slopes[one]) else slopes[one] / max(change.size, 1)
        )
        moved += float(np.sum(change * slope))
    return moved


def sensitivities(
    engine: Engine, noise: Noise, device: Device, *, target: float, reference: float
) -> list[Sensitivity]:
    """All parameters of a device, and the groups of them, for one application.

    Args:
        engine: The value of the application as a function of the noise.
        noise: The device's numbers.
        device: For how many qubits and edges they are.
        target: Wanted error, in the observable's unit.
        reference: The right value, from which errors count: the exact energy, or where it is not known the noiseless.

    Returns:
        One for each of `hybrid.Device.parameters`, then one for each of `GROUPS`.
    """
    slopes = engine.gradient(noise)
    now = engine.value(noise) - reference
    found = []
    for name in (*PARAMETERS, *GROUPS):

        def error(factor: float, name: str = name) -> float:
            return engine.value(better(noise, name, factor, device)) - reference

        group = name in GROUPS
        derivative, log = (None, -along(name, noise, slopes, device)) if group else elasticity(name, noise, slopes)
        reach, factor = needed(error, now, target)
        required = None if factor is None or group else _median(better(noise, name, factor, device)[name])
        found.append(
            Sensitivity(
                parameter=name,
                value=None if group else _median(noise[name]),
                derivative=derivative,
                elasticity=log,
                halved=now - error(2.0),
                perfect=now - error(math.inf),
                reach=reach,
                factor=factor,
                required=required,
            )
        )
    return found


def needed(error: Callable[[float], float], now: float, target: float) -> tuple[Reach, float | None]:
    """By which factor a parameter must be better, or may be worse, for the error to be the target.

    Args:
        error: From the factor, above 1 for better, to the error.
        now: The error at 1.
        target: The wanted one.

    Returns:
        What can be reached, and the factor; None where there is none.
    """
    if abs(now) <= target:
        return "met", _root(error, target, 1 / WORST, 1.0)
    if abs(error(math.inf)) > target:
        return "not alone", None
    return "needed", _root(error, target, 1.0, 1 / BEST)


def _root(error: Callable[[float], float], target: float, low: float, high: float) -> float | None:
    """The factor between two at which the error is the target, by Brent's method in its logarithm; None for none."""

    def beyond(log: float) -> float:
        return abs(error(math.exp(log))) - target

    ends = math.log(low), math.log(high)
    if beyond(ends[0]) * beyond(ends[1]) > 0:
        return None
    return math.exp(float(brentq(beyond, *ends, xtol=1e-6, rtol=1e-9)))  # pyright: ignore[reportArgumentType]


def _median(value: Any) -> float | None:
    middle = float(np.median(np.asarray(value, float))) if np.size(value) else 0.0
    return middle if math.isfinite(middle) else None
