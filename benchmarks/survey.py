"""Runs that a survey takes, and points that a uniform grid takes for the same largest error: LiH, and an Ising plane.

The right energies are exact: those of LiH's active space at 101 bond lengths, with a cubic spline between them, and the
closed form of a ring of free fermions. A grid's points are interpolated in three ways: linearly, by cubic splines, and
by the survey's own surrogate.

    python benchmarks/survey.py
"""

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import record
from scipy.interpolate import CubicSpline, RectBivariateSpline, RegularGridInterpolator

import hybrid
from circuits import hamiltonian_variational, molecule, tfim, uccsd
from hybrid.survey.surrogate import learn

BOND = {"r": (1.0, 3.0)}
"""Of LiH, angstrom."""

PLANE = {"J": (0.5, 1.5), "h": (0.5, 1.5)}
"""Coupling and field of a ring of spins."""

SITES = 6
MOST_ALONG = {1: 60, 2: 20}
"""Points of the largest uniform grid along each range, by the number of ranges."""

Energy = Callable[[np.ndarray], np.ndarray]
"""From rows of values to exact energies."""


def lih(r: float):
    problem = molecule(f"Li 0 0 0; H 0 0 {r}", basis="sto-3g", active_space=(2, 5))
    return uccsd(problem), problem


def ring(J: float, h: float):
    problem = tfim(SITES, coupling=J, field=h, periodic=True)
    return hamiltonian_variational(problem, layers=SITES // 2), problem


def bond_energy() -> Energy:
    x = np.linspace(*BOND["r"], 101)
    exact = [float(np.linalg.eigvalsh(lih(r)[1].hamiltonian.to_matrix())[0]) for r in x]
    spline = CubicSpline(x, exact)
    return lambda rows: spline(rows[:, 0])


def ring_energy(rows: np.ndarray) -> np.ndarray:
    """The even sector, which holds the ground state: momenta (2 m + 1) pi / n."""
    J, h = rows.T[..., None]
    k = np.pi * (2 * np.arange(SITES) + 1) / SITES
    return -np.sqrt(J * J + h * h - 2 * J * h * np.cos(k)).sum(axis=1)


def spline(axes: list[np.ndarray], values: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """A cubic spline through all points of a grid."""
    if len(axes) == 1:
        return CubicSpline(axes[0], values)(fine[:, 0])
    return RectBivariateSpline(*axes, values, s=0).ev(*fine.T)


def grid_errors(ranges: dict[str, tuple[float, float]], energy: Energy, fine: np.ndarray) -> list[dict[str, Any]]:
    """Largest errors of what uniform grids say, by their number of points along each range."""
    right, found = energy(fine), []
    for n in range(4, MOST_ALONG[len(ranges)] + 1):
        axes = [np.linspace(low, high, n) for low, high in ranges.values()]
        rows = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
        told = energy(rows)
        values = told.reshape([n] * len(axes))
        linear = RegularGridInterpolator(axes, values)(fine)
        errors = {
            kind: float(np.abs(y - right).max())
            for kind, y in (("linear", linear), ("cubic", spline(axes, values, fine)))
        }
        if n ** len(axes) <= 120:
            surrogate = learn(ranges, rows, told, np.zeros(len(rows)))
            errors["surrogate"] = float(np.abs(surrogate.predict(fine)[0] - right).max())
        found.append({"points": len(rows), "errors": errors})
    return found


def needed(grids: list[dict[str, Any]], error: float) -> dict[str, int | None]:
    """Points of the smallest grid from which on no larger one has a larger error."""
    found: dict[str, int | None] = {}
    for kind in ("linear", "cubic", "surrogate"):
        rows = [(row["points"], row["errors"][kind]) for row in grids if kind in row["errors"]]
        worse = [points for points, largest in rows if largest > error]
        found[kind] = next((points for points, _ in rows if points > max(worse, default=0)), None)
    return found


def compare(
    make: Callable[..., Any], ranges: dict[str, tuple[float, float]], energy: Energy, **asked: Any
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        found = hybrid.survey(make, ranges, folder=place, backend="statevector", progress=False, **asked)
    fine = found.question.grid()
    mean, deviation = found.surrogate.predict(fine)
    away = np.abs(mean - energy(fine))
    at = np.array([list(step.proposal.values.values()) for step in found.runs])
    off = max(abs(step.reading.energy - right) for step, right in zip(found.runs, energy(at), strict=True))
    told = {
        "asked": found.question.to_dict(),
        "status": found.status,
        "runs": len(found.runs),
        "half_width": found.verdict.half_width,
        "largest_error": float(away.max()),
        "inside_interval": float(np.mean(away <= 1.96 * deviation + 1e-6)),
        "lowest": {"energy": found.verdict.lowest, "at": found.verdict.lowest_at},
        "largest_error_of_a_run": float(off),
        "steps": [step.to_dict() for step in found.runs],
    }
    print({key: value for key, value in told.items() if key != "steps"}, flush=True)
    return told


def main() -> None:
    numbers: dict[str, Any] = {}
    bond = bond_energy()
    for name, make, ranges, energy, interval in (
        ("lih", lih, BOND, bond, 1e-3),
        ("ising ring", ring, PLANE, ring_energy, 0.02),
    ):
        ask = partial(compare, make, ranges, energy, runs=60, interval=interval)
        told = ask(warm_start=name == "lih")
        grids = grid_errors(ranges, energy, np.array(_fine(ranges)))
        told["grid_for_interval"] = needed(grids, interval)
        told["grid_for_same_error"] = needed(grids, told["largest_error"])
        print(name, told["grid_for_interval"], told["grid_for_same_error"], flush=True)
        numbers[name] = told | {"grids": grids}
    numbers["lih minimum"] = compare(lih, BOND, bond, runs=30, interval=1e-4, find="minimum")
    fine = np.linspace(*BOND["r"], 20001)[:, None]
    numbers["lih minimum"]["right"] = {"energy": float(bond(fine).min()), "at": float(fine[bond(fine).argmin(), 0])}
    print(numbers["lih minimum"]["right"])
    record.save(record.RESULTS / "survey.json", numbers)


def _fine(ranges: dict[str, tuple[float, float]]) -> np.ndarray:
    n = {1: 401, 2: 61}[len(ranges)]
    axes = [np.linspace(low, high, n) for low, high in ranges.values()]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


if __name__ == "__main__":
    main()
