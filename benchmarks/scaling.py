"""How much two ranks gain over one, each on a core of its own, and what a thousand would gain on paper.

Strong scaling gives both the same work, weak scaling gives two ranks twice as much; efficiency is the time of one rank
over what two should take at best. Two single ranks side by side, which do not know of each other, show how much of a
loss is the machine's own: shared memory, caches, other users. Runs of one and two ranks take turns; medians.

    python benchmarks/scaling.py [--small] [--repeats 5] [--json FILE]
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median

import numpy as np
import record

from circuits import hardware_efficient, tfim
from hybrid.codesign.machine.messages import measure_messages
from hybrid.loop.team import Disband, evaluator, serve
from hybrid.optimizers.optimizer import Points
from hybrid.ranks.mpi import Ranks, started
from hybrid.workload.workload import Workload, workload

CASES = ("population", "multistart", "terms", "sweep")
ROWS = {"population": 16, "multistart": 8, "terms": 1}
STEPS = 5
"""Evaluations in one measurement, after one that warms up."""

SWEEP = """
[problem]
kind = "tfim"
n = {n}
field = "{{h}}"
[ansatz]
kind = "hamiltonian_variational"
layers = 4
[optimizer]
kind = "lbfgs"
max_steps = 40
accuracy = 1e-9
[backend]
name = "statevector"
[sweep]
h = {fields}
"""


def work_of(case: str, small: bool, share: int) -> tuple[Workload, Points]:
    """A workload and a question about it; `share` multiplies the work."""
    n = {"population": 16, "multistart": 16, "terms": 13}[case] - 5 * small
    if case == "terms":
        rng = np.random.default_rng(0)
        labels = sorted({"".join(rng.choice(list("IXYZ"), n)) for _ in range((500 if small else 3000) * share)})
        problem = [(label, float(c)) for label, c in zip(labels, rng.normal(size=len(labels)), strict=True)]
        from qiskit.quantum_info import SparsePauliOp

        problem = SparsePauliOp.from_list(problem)
        circuit, rows = hardware_efficient(n, layers=1), 1
    else:
        problem, circuit, rows = tfim(n), hardware_efficient(n, layers=8), ROWS[case] * share
    gradient = case != "population"
    work = workload(circuit, problem, optimizer="adam" if gradient else "spsa")
    theta = np.random.default_rng(1).normal(size=(rows, circuit.num_parameters))
    return work, Points(theta, gradient)


def measure_questions(ranks: Ranks, case: str, small: bool, share: int) -> dict[str, float]:
    """Seconds of one answer, and those in and waiting for messages."""
    import backends

    if not ranks.leads:
        serve(ranks, lambda: None)
        return {}
    work, points = work_of(case, small, share)
    ask = evaluator(work, backends.get("statevector"), ranks)
    ask(points, 0)
    before, start = ranks.waited_s, time.perf_counter()
    for k in range(STEPS):
        ask(points, k + 1)
    seconds, waited = (time.perf_counter() - start) / STEPS, (ranks.waited_s - before) / STEPS
    if ranks.size > 1:
        ranks.broadcast(Disband())
    return {"seconds": seconds, "messages_s": waited}


def measure_sweep(ranks: Ranks, small: bool, share: int) -> dict[str, float]:
    """Seconds of a sweep from the first problem built to the last result written, and those waiting at its end."""
    from hybrid.ranks.mpi import End
    from hybrid.studies.run import follow, run_study
    from hybrid.studies.study import read

    if not ranks.leads:
        follow(ranks)
        follow(ranks)
        return {}
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, n_points in (("warm", ranks.size), ("timed", (4 if small else 24) * share)):
            file = Path(folder) / f"{name}.toml"
            fields = [round(0.5 + k / n_points, 6) for k in range(n_points)]
            file.write_text(SWEEP.format(n=9 if small else 14, fields=fields))
            before, start = ranks.waited_s, time.perf_counter()
            run_study(
                read(file),
                Path(folder) / name,
                resume=False,
                on_plan=lambda *_: None,
                on_outcome=lambda _: None,
                should_stop=lambda: False,
                ranks=ranks,
            )
            ranks.broadcast(End(0))
            found = {"seconds": time.perf_counter() - start, "messages_s": ranks.waited_s - before}
    return found


def worker(case: str, small: bool, share: int) -> None:
    """One rank of a measurement; the leader prints it."""
    with started(lambda _: 2) as ranks:
        if case == "messages":
            found = asdict(measure_messages(ranks))
        elif case == "sweep":
            found = measure_sweep(ranks, small, share)
        else:
            found = measure_questions(ranks, case, small, share)
        if ranks.leads:
            print(json.dumps(found))


def begin(n_ranks: int, core: int | None, *arguments: str) -> subprocess.Popen:
    launcher = ["mpiexec", "-n", str(n_ranks)] if n_ranks > 1 else ["taskset", "-c", str(core)]
    command = [*launcher, sys.executable, __file__, "--worker", *arguments]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path[1:])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def answer(process: subprocess.Popen) -> dict[str, float]:
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"a rank ended with {process.returncode}")
    return json.loads(out.splitlines()[-1])


def compare(case: str, small: bool, repeats: int, cores: list[int]) -> dict[str, dict[str, float]]:
    """Strong and weak scaling of one case."""
    flags = ["--small"] if small else []
    runs: dict[str, list[dict[str, float]]] = {"one": [], "two, strong": [], "two, weak": [], "side by side": []}
    for _ in range(repeats):
        runs["one"].append(answer(begin(1, cores[0], case, "1", *flags)))
        runs["two, strong"].append(answer(begin(2, None, case, "1", *flags)))
        runs["two, weak"].append(answer(begin(2, None, case, "2", *flags)))
        pair = [begin(1, core, case, "1", *flags) for core in cores[:2]]
        runs["side by side"].append(max((answer(process) for process in pair), key=lambda found: found["seconds"]))
    middle = {name: {key: median(x[key] for x in found) for key in found[0]} for name, found in runs.items()}
    one = middle["one"]["seconds"]
    return {
        "one rank, one core": middle["one"],
        "strong": middle["two, strong"] | {"efficiency": one / (2 * middle["two, strong"]["seconds"])},
        "weak": middle["two, weak"] | {"efficiency": one / middle["two, weak"]["seconds"]},
        "two processes side by side": {"efficiency": one / middle["side by side"]["seconds"]},
    }


def projected(messages: dict[str, float], tile_s: float, tiles_per_rank: int, n_ranks: int, n_params: int) -> float:
    """Efficiency of many ranks on paper.

    A question goes to all through a tree, ceil(log2 ranks) messages deep, and the answers come back through one; the
    leader takes in all numbers of an answer at the measured rate. The optimizer's own time is not in it.
    """
    depth = math.ceil(math.log2(n_ranks))
    n_bytes = 8 * n_params * tiles_per_rank * n_ranks
    exchange = depth * messages["latency_s"] + (depth + 1) * n_bytes / messages["bandwidth_bytes_s"]
    return tiles_per_rank * tile_s / (tiles_per_rank * tile_s + exchange)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small states, to try it")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cases", default=",".join(CASES), help="some of " + ",".join(CASES))
    parser.add_argument("--json", type=Path, help="instead of results/scaling.json")
    parser.add_argument("--worker", nargs=2, metavar=("CASE", "SHARE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        worker(chosen.worker[0], chosen.small, int(chosen.worker[1]))
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed, and this process may use one")
    messages = answer(begin(2, None, "messages", "1"))
    print(f"question and answer {messages['latency_s'] * 1e6:.0f} us, {messages['bandwidth_bytes_s'] / 1e9:.2f} GB/s")
    numbers: dict[str, object] = {"messages between 2 ranks": messages}
    for case in chosen.cases.split(","):
        numbers[case] = found = compare(case, chosen.small, chosen.repeats, cores)
        print(
            f"{case:<11} one rank {found['one rank, one core']['seconds']:.4f} s; two: strong "
            f"{found['strong']['efficiency']:.2f}, weak {found['weak']['efficiency']:.2f}, side by side "
            f"{found['two processes side by side']['efficiency']:.2f}; messages and waiting "
            f"{found['strong']['messages_s'] * 1e3:.2f} ms of {found['strong']['seconds'] * 1e3:.1f} ms",
            flush=True,
        )
    numbers["on paper: efficiency of 1,000 ranks, 100 parameters"] = {
        f"{tiles} tiles of {tile_s:g} s for each rank": projected(messages, tile_s, tiles, 1000, 100)
        for tile_s in (0.001, 0.01, 0.1, 1.0)
        for tiles in (1, 8)
    }
    record.save(chosen.json or record.RESULTS / "scaling.json", numbers, packages=("mpi4py", "mpich"))
    print(json.dumps(numbers["on paper: efficiency of 1,000 ranks, 100 parameters"], indent=1))


if __name__ == "__main__":
    main()
