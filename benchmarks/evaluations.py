"""How many rows of parameters each optimizer takes until it ends by itself; the plan's coefficients are fitted to it.

Spin chains, molecules and QAOA, with exact values and with shots, from random starts to several accuracies. A run that
takes more than `MOST_ROWS` rows or `MOST_S` seconds is cut off and counted as "more than that". Every third workload is
held out: nothing is fitted to it, and how often its runs lie in the predicted interval is stored beside the fit.

    python benchmarks/evaluations.py                # measures, fits, and stores all in results/evaluations.json
    python benchmarks/evaluations.py --minutes 20   # what can be measured in that time
    python benchmarks/evaluations.py --again adam   # runs its runs that were cut off again, ten times as long
    python benchmarks/evaluations.py --fit          # fits anew to the stored runs, and prints the coefficients
"""

import argparse
import json
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import record
from fits import evaluations as fitting

import backends
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, maxcut, molecule, qaoa, tfim, uccsd
from circuits.errors import ToolkitError
from hybrid.loop.clock import Clock
from hybrid.loop.evaluator import Evaluator
from hybrid.loop.optimize import optimize
from hybrid.optimizers import names
from hybrid.optimizers.optimizer import Points, Told
from hybrid.workload.expected import deviation
from hybrid.workload.workload import workload

MOST_ROWS, MOST_S = 20_000, 4.0
ACCURACIES = (1e-2, 1e-4, 1e-6, 1e-8)
SHOTS, NOISY_ACCURACIES = (1_000, 30_000), (0.1, 0.02)
FILE = record.RESULTS / "evaluations.json"


class CutOff(Exception):
    """A run took more rows or seconds than it may."""


def _tfim(n: int, layers: int) -> Any:
    return hardware_efficient(n, layers=layers, rotations=("ry",)), tfim(n)


def _xxz(n: int, layers: int) -> Any:
    return hardware_efficient(n, layers=layers), heisenberg(n, coupling=(1.0, 1.0, 0.5))


def _hva(problem: Any, layers: int) -> Any:
    return hamiltonian_variational(problem, layers=layers), problem


def _uccsd(atoms: str, **options: Any) -> Any:
    problem = molecule(atoms, **options)
    return uccsd(problem), problem


def _layered(atoms: str, layers: int, **options: Any) -> Any:
    problem = molecule(atoms, **options)
    return hardware_efficient(problem.n_qubits, layers=layers, rotations=("ry",)), problem


def _qaoa(n: int, layers: int) -> Any:
    problem = maxcut([(k, (k + step) % n) for step in (1, 2) for k in range(n)])
    return qaoa(problem, layers=layers), problem


LIH = {"active_space": (2, 3)}
WORKLOADS: dict[str, Callable[[], Any]] = {
    "TFIM 3, 1 layer": lambda: _tfim(3, 1),
    "TFIM 4, 2 layers": lambda: _tfim(4, 2),
    "XXZ 3, 1 layer": lambda: _xxz(3, 1),
    "H2, UCCSD": lambda: _uccsd("H 0 0 0; H 0 0 0.74"),
    "TFIM 6, variational, 3 layers": lambda: _hva(tfim(6), 3),
    "QAOA 6, 1 layer": lambda: _qaoa(6, 1),
    "H2, layers": lambda: _layered("H 0 0 0; H 0 0 0.74", 2),
    "QAOA 6, 3 layers": lambda: _qaoa(6, 3),
    "TFIM 6, 3 layers": lambda: _tfim(6, 3),
    "XXZ 4, 2 layers": lambda: _xxz(4, 2),
    "LiH, UCCSD": lambda: _uccsd("Li 0 0 0; H 0 0 1.6", **LIH),
    "XXZ 6, variational, 2 layers": lambda: _hva(heisenberg(6, coupling=(1.0, 1.0, 0.5)), 2),
    "QAOA 8, 2 layers": lambda: _qaoa(8, 2),
    "TFIM 4, 1 layer": lambda: _tfim(4, 1),
    "XXZ 5, 3 layers": lambda: _xxz(5, 3),
    "TFIM 4, variational, 2 layers": lambda: _hva(tfim(4), 2),
    "H4 chain, UCCSD": lambda: _uccsd("H 0 0 0; H 0 0 1; H 0 0 2; H 0 0 3"),
    "TFIM 8, 4 layers": lambda: _tfim(8, 4),
    "QAOA 8, 5 layers": lambda: _qaoa(8, 5),
    "LiH, layers": lambda: _layered("Li 0 0 0; H 0 0 1.6", 2, **LIH),
    "XXZ 6, 2 layers": lambda: _xxz(6, 2),
}


HELD_OUT = list(WORKLOADS)[2::3]


def cases() -> list[tuple[str, str, float, int | None, int]]:
    """Workload, optimizer, accuracy, shots and seed of every run, in a fixed random order."""
    exact = [(w, k, a, None, s) for s, w in enumerate(WORKLOADS) for k in names() for a in ACCURACIES]
    small = list(WORKLOADS)[:9]
    noisy = [
        (w, k, a, shots, s) for s, w in enumerate(small) for k in names() for shots in SHOTS for a in NOISY_ACCURACIES
    ]
    both = exact + noisy
    random.Random(0).shuffle(both)
    return both


def measure(
    name: str, kind: str, accuracy: float, shots: int | None, seed: int, most_s: float = MOST_S
) -> dict[str, Any]:
    """One run: its rows, steps, the optimizer's own time, and how it ended."""
    circuit, problem = made(name)
    work = workload(circuit, problem, optimizer=kind, accuracy=accuracy, shots=shots, seed=seed)
    evaluate = Evaluator(work, backends.get("statevector"))
    rows = steps = 0
    sigma, start, clock = 0.0, time.monotonic(), Clock()

    def answer(points: Points, step: int) -> Told:
        nonlocal rows, steps, sigma
        if rows >= MOST_ROWS or time.monotonic() - start > most_s:
            raise CutOff
        told = evaluate(points, step)
        sigma = sigma or float(told.standard_errors[0])
        rows, steps = rows + len(points.rows), step + 1
        return told

    try:
        ending = optimize(
            work.optimizer,
            work.theta,
            answer,
            accuracy=accuracy,
            seed=seed,
            max_steps=MOST_ROWS,
            should_stop=lambda: False,
            clock=clock,
            title=name,
            unit=problem.unit,
        )
        status = ending.status
    except CutOff:
        status = "cut off"
    return {
        "workload": name,
        "optimizer": kind,
        "params": circuit.num_parameters,
        "accuracy": accuracy,
        "shots": shots,
        "sigma": sigma,
        "deviation": deviation(problem.hamiltonian, shots),
        "seed": seed,
        "rows": rows,
        "steps": steps,
        "status": status,
        "seconds": round(time.monotonic() - start, 3),
        "optimizer_s": round(clock.seconds["optimize"], 4),
    }


_MADE: dict[str, Any] = {}


def made(name: str) -> Any:
    """Circuit and problem of a workload."""
    if name not in _MADE:
        _MADE[name] = WORKLOADS[name]()
    return _MADE[name]


def measured(minutes: float) -> Iterator[dict[str, Any]]:
    """Runs until the time is over; a failure is told, and is no run."""
    end = time.monotonic() + 60 * minutes
    for case in cases():
        if time.monotonic() > end:
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield measure(*case)
        except ToolkitError as err:
            print(f"{case}: {err}", file=sys.stderr, flush=True)


def again(run: dict[str, Any], most_s: float) -> dict[str, Any]:
    """A run that was cut off, with more time."""
    case = [run[key] for key in ("workload", "optimizer", "accuracy", "shots", "seed")]
    return measure(*case, most_s=most_s)


def exact_energies() -> list[dict[str, Any]]:
    """Predicted time of exact energies beside the processor time that they took."""
    problems = [tfim(n) for n in (8, 12, 14, 16)] + [heisenberg(n) for n in (10, 14)]
    problems += [molecule("H 0 0 0; H 0 0 1; H 0 0 2; H 0 0 3"), maxcut([(k, (k + 1) % 18) for k in range(18)])]
    found = []
    for problem in problems:
        start = time.process_time()
        problem.exact_energy()
        taken = time.process_time() - start
        found.append({"problem": problem.name, "predicted_s": problem.exact_energy_seconds(), "taken_s": taken})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=np.inf, help="until then as many runs as there is time for")
    parser.add_argument("--fit", action="store_true", help="fit to the stored runs instead of measuring")
    parser.add_argument(
        "--again",
        nargs="+",
        metavar="NAME",
        default=[],
        help=f"optimizers whose exact runs that were cut off before {MOST_ROWS} rows are run again, ten times as long",
    )
    options = parser.parse_args()
    runs = json.loads(FILE.read_text())["numbers"]["runs"] if options.fit or options.again else []
    for run in () if options.fit or options.again else measured(options.minutes):
        runs.append(run)
        if len(runs) % 20 == 0:
            record.save(FILE, {"settings": settings(), "runs": runs})
    for k, run in enumerate(runs):
        if run["optimizer"] in options.again and run["status"] == "cut off" and run["rows"] < MOST_ROWS:
            runs[k] = run if run["shots"] else again(run, 10 * MOST_S)
            print(runs[k], file=sys.stderr, flush=True)
    found = fitting.coverage(runs, HELD_OUT)
    numbers = {"settings": settings(), "coverage": found, "exact_energies": exact_energies(), "runs": runs}
    record.save(FILE, numbers)
    print(json.dumps(found, indent=1))
    for name, some in (("EXACT", [r for r in runs if not r["shots"]]), ("NOISY", [r for r in runs if r["shots"]])):
        print(f"{name} = {{\n{fitting.lines(fitting.fits(some))}\n}}")


def settings() -> dict[str, Any]:
    return {"most_rows": MOST_ROWS, "most_s": MOST_S, "held_out": HELD_OUT}


if __name__ == "__main__":
    main()
