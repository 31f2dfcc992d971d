"""Every optimizer against SciPy's, optax's and pycma's: evaluations to the target, and how often it is reached.

A run is over when a point that it asked for, or that ours would answer with, truly lies within the target of the
minimum, when the optimizer stops by itself, or when its budget is spent: 4000 + 50 params rows, a tenth of it where
each row comes with its gradient. Values alone and rows with gradients are counted alike; which one an optimizer asks
for stands beside the number (a gradient costs about 4 values on a simulator with an adjoint method, 2 params values on
a device). All have their default settings, from the same random starts. The surrogate, made for fewer rows, gets 150;
metrics and fidelities, which natural gradients and QN-SPSA ask for besides, are not counted.

    python benchmarks/optimizers.py
    python benchmarks/optimizers.py --quick --contestants lbfgs cma-es pycma --json trial.json
"""

import argparse
import sys
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import record
from descent.contestants import CONTESTANTS, Contestant
from descent.landscapes import LANDSCAPES, QUICK, Landscape
from descent.meter import Ended, Meter
from rich.console import Console
from rich.table import Table

SEEDS, QUICK_SEEDS = 5, 2


def arguments(words: Iterable[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"up to ten parameters, {QUICK_SEEDS} seeds")
    parser.add_argument("--seeds", type=int, help=f"starts of each landscape, instead of {SEEDS}")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, metavar="NAME", help="instead of all")
    parser.add_argument("--json", type=Path, help="where to store; without it, only the whole table is stored")
    return parser.parse_args(words)


def run(contestant: Contestant, meter: Meter, seed: int) -> str:
    """Why it ended; a failure of a contestant is a result, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return contestant.minimize(meter, meter.landscape.start(seed), seed)
        except Ended:
            return "" if meter.reached else "budget spent"
        except Exception as error:  # noqa: BLE001 - kept in the record
            return f"{type(error).__name__}: {error}"


def race(landscape: Landscape, names: Iterable[str], seeds: int) -> dict[str, Any]:
    """All contestants on one landscape."""
    f = landscape.make()
    minimum = landscape.minimum(f) if callable(landscape.minimum) else landscape.minimum
    budget = 4000 + 50 * landscape.n_params
    results = {}
    for name in names:
        contestant = CONTESTANTS[name]
        if reason := contestant.missing or contestant.left_out(landscape):
            results[name] = {"skipped": reason}
            continue
        evaluations, ends, gradients = [], [], False
        start = time.perf_counter()
        for seed in range(seeds):
            meter = Meter(landscape, f, minimum, seed, min(budget, contestant.most_rows))
            ends.append(run(contestant, meter, seed)[:120])
            evaluations.append(meter.reached)
            gradients |= meter.gradients
        reached = [count for count in evaluations if count is not None]
        results[name] = {
            "evaluations": evaluations,
            "median": median(reached) if reached else None,
            "success": len(reached) / seeds,
            "gradients": gradients,
            "ends": sorted(set(ends) - {""}),
            "seconds": time.perf_counter() - start,
        }
    facts = {"params": landscape.n_params, "minimum": minimum, "target": landscape.target, "sigma": landscape.sigma}
    return facts | {"budget": budget, "contestants": results}


def show(title: str, result: dict[str, Any]) -> None:
    """The contestants, those first that reached the target most often, then by evaluations."""
    table = Table(title=f"{title}, {result['params']} parameters", title_justify="left", expand=False)
    for column in ("optimizer", "evaluations", "reached", "otherwise"):
        table.add_column(column, justify="left" if column in ("optimizer", "otherwise") else "right")
    taken = {name: r for name, r in result["contestants"].items() if "skipped" not in r}
    for name, r in sorted(taken.items(), key=lambda item: (-item[1]["success"], item[1]["median"] or 0)):
        count = "-" if r["median"] is None else f"{r['median']:g}" + " g" * r["gradients"]
        table.add_row(name, count, f"{100 * r['success']:.0f} %", "; ".join(r["ends"])[:60])
    Console(width=120).print(table)
    for name, r in result["contestants"].items():
        if "skipped" in r:
            print(f"{name}: skipped, {r['skipped']}")


def main() -> None:
    options = arguments()
    landscapes, seeds = (QUICK, QUICK_SEEDS) if options.quick else (LANDSCAPES, SEEDS)
    seeds, names = options.seeds or seeds, options.contestants or list(CONTESTANTS)
    path = options.json
    if path is None and not options.quick and options.contestants is None:
        path = record.RESULTS / "optimizers.json"
    numbers: dict[str, Any] = {"settings": {"seeds": seeds, "quick": options.quick}, "landscapes": {}}
    packages = sorted({CONTESTANTS[name].package for name in names})
    start = time.perf_counter()
    for landscape in landscapes:
        title = f"{landscape.title} ({landscape.n_params})"
        numbers["landscapes"][title] = result = race(landscape, names, seeds)
        show(landscape.title, result)
        print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        if path is not None:
            record.save(path, numbers, packages)  # after each, so that an interrupted run is not lost


if __name__ == "__main__":
    main()
