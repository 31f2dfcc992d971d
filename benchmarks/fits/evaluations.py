"""The formula of `hybrid.workload.expected`, fitted to measured runs, and its coverage on workloads held out."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from hybrid.workload.coefficients import Fit
from hybrid.workload.expected import USUAL

Run = dict[str, Any]

PULL = 0.1
"""Weight, for each run, that holds the powers of size and demand near `USUAL_POWERS` where few runs decide them."""

USUAL_POWERS = (0.7, 0.05)

FEW = 20
"""Runs below which the spread of all optimizers counts, too."""

QUIET = 0.2
"""Share of the measured times of its own below the one that is taken: the machine had other work."""

BEYOND = 0.7
"""Added to the largest logarithm where so many runs were cut off that the end of the interval is beyond it."""


def demand(run: Run) -> float:
    """As `hybrid.workload.expected` has it."""
    return (run["deviation"] if run["shots"] else USUAL) / run["accuracy"]


def fit(runs: Sequence[Run], others: np.ndarray) -> Fit:
    """The median of censored runs (Powell, J. Econometrics 32, 143, 1986), and the spread of workloads left out.

    Args:
        runs: Of one optimizer, all with shots or all without.
        others: `residuals` of all optimizers, shape (2, runs): where one has few runs, its interval is no narrower.
    """
    size, need, rows, cut = _arrays(runs)
    line = _line(size, need, rows, cut)
    off = residuals(runs)
    low, high = _quantile(off, 0.1), _quantile(off, 0.9)
    if len(runs) < FEW:
        low, high = min(low, _quantile(others, 0.1)), max(high, _quantile(others, 0.9))
    own_s = np.log([max(run["optimizer_s"], 1e-6) / run["rows"] for run in runs])
    slope = float(np.clip(np.polyfit(size, own_s, 1)[0], 0.0, 3.0))
    level = float(np.quantile(own_s - slope * size, QUIET))
    spread = (math.exp(min(low, -0.1)), math.exp(max(high, 0.1)))
    return Fit(*(_short(x) for x in (*line, *spread, math.exp(level), slope)))


def residuals(runs: Sequence[Run]) -> np.ndarray:
    """Logarithms of rows over predicted rows, each workload's from a fit to the others; and whether they are cut off.

    Args:
        runs: Of one optimizer.

    Returns:
        Shape (2, runs).
    """
    size, need, rows, cut = _arrays(runs)
    workloads = np.array([run["workload"] for run in runs])
    off = np.zeros(len(runs))
    for name in np.unique(workloads):
        rest, own = workloads != name, workloads == name
        off[own] = rows[own] - _middle(_line(size[rest], need[rest], rows[rest], cut[rest]), size[own], need[own])
    return np.stack([off, cut])


def _arrays(runs: Sequence[Run]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    size = np.log([run["params"] for run in runs])
    need = np.log([demand(run) for run in runs])
    return size, need, np.log([run["rows"] for run in runs]), np.array([run["status"] == "cut off" for run in runs])


def _line(size: np.ndarray, need: np.ndarray, rows: np.ndarray, cut: np.ndarray) -> np.ndarray:
    def loss(line: np.ndarray) -> float:
        off = rows - _middle(line, size, need)
        off = np.where(cut, np.maximum(off, 0.0), off)  # a run that was cut off takes more, nobody knows how many
        pull = PULL * len(rows) * float(((line[1:] - USUAL_POWERS) ** 2 * (1.0, 4.0)).sum())
        return float(np.abs(off).sum()) + pull

    start = np.array([float(np.median(rows - USUAL_POWERS[0] * size)), *USUAL_POWERS])
    best = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-4, "fatol": 1e-4})
    return best.x


def _middle(line: np.ndarray, size: np.ndarray, need: np.ndarray) -> np.ndarray:
    return line[0] + line[1] * size + line[2] * need


def _quantile(off: np.ndarray, share: float) -> float:
    """Of residuals, some of which are cut off and may be any size above (Kaplan, Meier, J. Am. Stat. Assoc. 53, 457).

    Args:
        off: From `residuals`, shape (2, runs).
        share: Of them that is below.
    """
    values, cut = off[0], off[1] > 0
    alive, survival = len(values), 1.0
    for k in np.argsort(values + 1e-9 * cut):
        if not cut[k]:
            survival *= 1.0 - 1.0 / alive
        alive -= 1
        if survival <= 1.0 - share:
            return float(values[k])
    return float(values.max()) + BEYOND  # nobody knows how far beyond


def covered(run: Run, made: Fit) -> bool:
    """Whether the interval holds a run; one that was cut off lies in it, if the interval reaches so far."""
    middle = made.level + made.size * math.log(run["params"]) + made.demand * math.log(demand(run))
    factor = run["rows"] / math.exp(middle)
    return factor <= made.high if run["status"] == "cut off" else made.low <= factor <= made.high


def missed_by(run: Run, made: Fit) -> float:
    """Times by which the median is off."""
    middle = made.level + made.size * math.log(run["params"]) + made.demand * math.log(demand(run))
    return math.exp(abs(math.log(run["rows"]) - middle))


def fits(runs: Sequence[Run]) -> dict[str, Fit]:
    """A fit for each optimizer of which there are runs enough."""
    kinds = {name: [run for run in runs if run["optimizer"] == name] for name in sorted({r["optimizer"] for r in runs})}
    kinds = {name: own for name, own in kinds.items() if len({run["workload"] for run in own}) >= 3}
    others = np.concatenate([residuals(own) for own in kinds.values()], axis=1)
    return {name: fit(own, others) for name, own in kinds.items()}


def coverage(runs: Sequence[Run], held_out: Sequence[str]) -> dict[str, Any]:
    """How good fits to the other workloads are on those that are held out.

    Returns:
        For exact values and for shots: the share of runs in the interval, the share that took no more than its upper
        end, the median factor by which the predicted rows are off, and the same for each optimizer.
    """
    report = {}
    for what, some in (("exact", [r for r in runs if not r["shots"]]), ("shots", [r for r in runs if r["shots"]])):
        made = fits([run for run in some if run["workload"] not in held_out])
        tested = [run for run in some if run["workload"] in held_out and run["optimizer"] in made]
        if not tested:
            continue
        inside = {name: [covered(r, made[name]) for r in tested if r["optimizer"] == name] for name in made}
        ended = [r for r in tested if r["status"] != "cut off"]
        report[what] = {
            "runs": len(tested),
            "fitted_to": len(some) - len([run for run in some if run["workload"] in held_out]),
            "in_interval": _short(np.mean([covered(run, made[run["optimizer"]]) for run in tested])),
            "median_factor_off": _short(np.median([missed_by(run, made[run["optimizer"]]) for run in ended])),
            "by_optimizer": {name: f"{sum(found)} of {len(found)}" for name, found in inside.items()},
        }
    return report


def _short(number: float) -> float:
    return float(f"{number:.3g}")


def lines(made: dict[str, Fit]) -> str:
    """As Python, for `hybrid.workload.coefficients`."""
    fields = ("level", "size", "demand", "low", "high", "own_s", "own_size")
    numbers = {name: ", ".join(str(getattr(one, field)) for field in fields) for name, one in made.items()}
    return "\n".join(f'    "{name}": Fit({text}),' for name, text in numbers.items())
