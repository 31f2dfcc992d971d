"""Correct the shipped speeds by whole workloads: ``settle.py``, after ``routing.py`` and ``speeds.py fit``.

``speeds.py`` times calls in a process that has computed before; users wait for a fresh one. Each number of a speed is
multiplied by what brings the predicted times of ``results/routing.json``, the held-out third excepted, nearest to the
measured ones in ratio, and no further from 1 than they say. The interval is that of nine of ten of these times.
"""

import json
from collections import defaultdict
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from regret import measure
from regret.asked import asked
from regret.contestants import RIVALS, contestants
from regret.workloads import Workload
from scipy.optimize import least_squares

import backends
from backends.cost import Footprint, Speed, cost
from backends.simulators.methods import TYPICAL
from backends.speed import speed_name
from circuits.errors import Refused

ROUTING = Path(__file__).parent / "results" / "routing.json"
SHIPPED = Path(backends.__file__).parent / "speeds.json"

NUMBERS = ("load", "first_step", "call", "step", "amplitude")
"""What is corrected; numbers beyond the cache with those in it."""

TIMES = 8.0
"""By which a number is changed without much doubt."""

LEAST = 0.02
"""Seconds of the first use in a process: what begins at 0 cannot be multiplied."""

MARGIN, NARROWEST = 1.15, 1.3
"""Of intervals."""

Sample = tuple[Any, Footprint, float]


def main() -> None:
    table = json.loads(SHIPPED.read_text())
    for name, samples in sorted(measured().items()):
        start = beginning(name, table["speeds"])
        if start is not None and samples:
            settled = settle(start, samples)
            table["speeds"][name] = {k: v if v is None else float(f"{v:.3g}") for k, v in asdict(settled).items()}
            print(f"{len(samples):4}  spread {settled.spread:6.2f}  {name}")
    SHIPPED.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


def measured() -> dict[str, list[Sample]]:
    """Work, its footprint and its time, by the name of the speed; an optimization is more than a backend's time."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for row in json.loads(ROUTING.read_text())["numbers"]["rows"].values():
        workload = Workload(**{key: row["workload"][key] for key in (one.name for one in fields(Workload))})
        if workload.held_out or workload.optimizer:
            continue
        work = asked(workload, measure.built(workload))
        for contestant in contestants(workload):
            time = row["times"].get(contestant.name, {})
            if time.get("status") != "done" or contestant.backend in RIVALS:
                continue
            try:
                backend = contestant.make()
                counted = backend.footprint(work)
            except Refused:
                continue
            name = speed_name(backend.capabilities(), counted.kind, derivative=work.derivative)
            found[name].append((work, counted, time["seconds"]))
    return found


def beginning(name: str, speeds: dict[str, Any]) -> Speed | None:
    """The speed of the name, or of the nearest way of the same backend."""
    backend, *kinds, _, what = name.split(" | ")
    kind = " | ".join(kinds)
    for other in (kind, kind.removesuffix(" from XLA"), kind.partition(", ")[0], kind.replace(" with noise", "")):
        key = f"{backend} | {other} | double | {what}"
        if key in speeds:
            return Speed(**speeds[key])
    return TYPICAL.get(kind.partition(", ")[0])


def settle(start: Speed, samples: list[Sample]) -> Speed:
    """The speed whose numbers are changed as little as the times ask for."""

    def changed(powers: np.ndarray) -> Speed:
        factor = dict(zip(NUMBERS, np.exp(powers), strict=True))
        numbers = {number: getattr(start, number) * factor[number] for number in NUMBERS if number != "load"}
        load = max(start.load, LEAST) * factor["load"]
        far = None if start.far is None else start.far * factor["amplitude"]
        return replace(start, **numbers, load=load, far=far)

    def off(speed: Speed) -> np.ndarray:
        return np.log([cost(work, counted, speed).seconds / seconds for work, counted, seconds in samples])

    doubt = 1 / np.log(TIMES)
    found = least_squares(
        lambda p: [*off(changed(p)), *(doubt * p)], np.zeros(len(NUMBERS)), loss="soft_l1", f_scale=0.3
    )
    speed = changed(found.x)
    spread = MARGIN * float(np.exp(np.quantile(np.abs(off(speed)), 0.9)))
    return replace(speed, spread=max(round(spread, 2), NARROWEST) if len(samples) > 4 else max(spread, start.spread))


if __name__ == "__main__":
    main()
