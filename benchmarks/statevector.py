"""The statevector engine against other libraries: value and gradient, energy alone, first calls, achieved rates.

Every contestant runs in a process of its own, so that the threads of one do not disturb another; one coordinator lets
them take turns. A first call (building, compiling, computing) is timed apart. The ratio is the best rival's
median over the engine's; above one the engine is ahead. Without options the whole table is measured and stored:

    python benchmarks/statevector.py
    python benchmarks/statevector.py --workload tfim --qubits 10 --layers 2 --json trial.json
    python benchmarks/statevector.py --contestants --json benchmarks/results/rates.json    # the engine's rates alone
    taskset -c 0 python benchmarks/statevector.py --contestants --json benchmarks/results/rates_one_core.json
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import record
from contest import table
from contest.match import Rules, first_calls, play
from contest.rivals import CONTESTANTS, PACKAGES
from contest.worker import serve
from contest.workloads import FIRST_CALLS, GEOMETRY, GPU, KINDS, TABLE, Workload


def arguments(words: Iterable[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", choices=KINDS, help="one kind of circuit instead of the table")
    parser.add_argument("--qubits", type=int, nargs="+", default=[12], help="sizes of that circuit")
    parser.add_argument("--layers", type=int, default=4, help="its layers; of random pairs, its gates")
    parser.add_argument("--molecule", choices=GEOMETRY, default="LiH", help="for uccsd")
    parser.add_argument("--precision", choices=("double", "single"), nargs="+", default=["double"])
    parser.add_argument("--rows", type=int, help="rows of parameters in one call")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--contestants", nargs="*", choices=CONTESTANTS, help="rivals to let in, instead of all")
    parser.add_argument("--rounds", type=int, default=Rules.rounds)
    parser.add_argument("--limit", type=float, default=Rules.limit_s, help="seconds for a first call")
    parser.add_argument("--memory", type=float, default=Rules.memory_share, help="share of memory for one process")
    parser.add_argument("--gpu", action="store_true", help="add circuits for a GPU; with --workload, run it there")
    parser.add_argument("--json", type=Path, help="where to store, instead of results/statevector.json")
    parser.add_argument("--worker", choices=CONTESTANTS, help=argparse.SUPPRESS)
    return parser.parse_args(words)


def chosen(options: argparse.Namespace) -> dict[Workload, float | None]:
    """The workloads to run, and the ratio wanted of each."""
    if options.workload is None:
        return TABLE | dict.fromkeys(GPU if options.gpu else ())
    molecular = options.workload == "uccsd"
    workloads = [
        Workload(
            options.workload,
            n_qubits=0 if molecular else n,
            depth=0 if molecular else options.layers,
            molecule=options.molecule if molecular else "",
            precision=precision,
            rows=options.rows,
            seed=options.seed,
            device="gpu" if options.gpu else "cpu",
        )
        for precision in options.precision
        for n in ([0] if molecular else options.qubits)
    ]
    return {workload: TABLE.get(workload) for workload in workloads}


def check_gpu() -> None:
    probe = "import jax; print(any(d.platform == 'gpu' for d in jax.devices()))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    if done.stdout.strip() != "True":
        raise SystemExit("--gpu: JAX finds no GPU on this machine; install the extra cuda, or leave --gpu out")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    names = None if options.contestants is None else tuple(options.contestants)
    rules = Rules(options.rounds, options.limit, options.memory, names)
    path = options.json or record.RESULTS / "statevector.json"
    numbers: dict[str, Any] = {
        "settings": {"rounds": rules.rounds, "limit_s": rules.limit_s, "memory_share": rules.memory_share},
        "cores": len(os.sched_getaffinity(0)),
        "gradient": {},
        "energy": {},
        "first_call": {},
    }

    def store(part: str, workload: Workload, result: dict[str, Any]) -> None:
        numbers[part][workload.title] = result
        record.save(path, numbers, PACKAGES)  # after each, so that an interrupted run is not lost

    for workload, wanted in chosen(options).items():
        print(f"{workload.title} ...", file=sys.stderr, flush=True)
        store("gradient", workload, play(workload, "gradient", rules) | {"wanted": wanted})
        if workload.rows is None and workload.device == "cpu":
            store("energy", workload, play(workload, "energy", rules))
    for workload, wanted in FIRST_CALLS.items() if options.workload is None else ():
        print(f"first call, {workload.title} ...", file=sys.stderr, flush=True)
        store("first_call", workload, first_calls(workload, rules) | {"wanted_s": wanted})
    return numbers


def main() -> None:
    options = arguments()
    if options.worker:
        serve(options.worker)
        return
    if options.gpu:
        check_gpu()
    table.show(measure(options))


if __name__ == "__main__":
    main()
