"""The regret of the router's choice: the time of what it chose over the time of the best.

Workloads are made from a seed; every third is held out, so that no model of time is fitted to it. Each able backend
runs each of them in a process of its own, whose imports of libraries count. Rows are stored as they are measured, so
that a killed run goes on where it was:

    python benchmarks/routing.py                     measure the rows that may be fitted to, then analyse
    python benchmarks/routing.py --held-out          the others
    python benchmarks/routing.py --reanalyse         plan again with the code at hand against the stored times
    python benchmarks/routing.py --rows 3 17 --limit 5 --again
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import record
from regret import analysis, measure, table
from regret.asked import asked
from regret.contestants import contestants
from regret.workloads import FAMILIES, Workload, workloads

LIMIT_S = 10.0
"""Seconds that one contestant may take for what is really run of a workload."""

BEYOND = 10.0
"""Times the best so far, and two seconds more, after which a contestant is ended: it would not have been the choice."""

PACKAGES = ("qiskit", "qiskit-aer", "pennylane", "pennylane-lightning", "jax", "qoro-maestro")


def arguments(words: Iterable[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", help="numbers of workloads, instead of all that are asked for")
    parser.add_argument("--family", choices=FAMILIES, nargs="+", help="only these families")
    parser.add_argument("--held-out", action="store_true", help="the third that nothing is fitted to")
    parser.add_argument("--all", action="store_true", help="both")
    parser.add_argument("--again", action="store_true", help="measure again what is stored")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds for one contestant")
    parser.add_argument("--seconds", type=float, default=2400.0, help="after which no other row is begun")
    parser.add_argument("--reanalyse", action="store_true", help="measure nothing")
    parser.add_argument("--list", action="store_true", help="show the workloads")
    parser.add_argument("--json", type=Path, default=record.RESULTS / "routing.json", help="where rows are kept")
    return parser.parse_args(words)


def chosen(options: argparse.Namespace) -> list[Workload]:
    """The workloads that the options ask for."""
    if options.rows:
        return [workload for workload in workloads() if workload.number in options.rows]
    return [
        workload
        for workload in workloads()
        if (options.all or workload.held_out == options.held_out)
        and (options.family is None or workload.family in options.family)
    ]


def current(rows: dict[str, Any]) -> dict[str, Any]:
    """Those rows that were measured before and are of the workloads that there are now."""
    now = {str(workload.number): json.loads(json.dumps(workload.to_dict())) for workload in workloads()}
    return {number: row for number, row in rows.items() if row["workload"] == now.get(number)}


def save(path: Path, rows: dict[str, Any], options: argparse.Namespace, more: dict[str, Any]) -> None:
    settings = {
        "limit_s": options.limit,
        "beyond": BEYOND,
        "repeats": measure.REPEATS,
        "repeated_below_s": measure.SHORT_S,
        "later evaluations": f"timed for {measure.STEADY_S} s, then extrapolated where a row says so",
        "seconds": "lesser of wall and CPU time, of a forked process and of importing its libraries, timed apart",
    }
    ordered = dict(sorted(rows.items(), key=lambda item: int(item[0])))
    scratch = path.with_suffix(".part")
    record.save(scratch, {"settings": settings, **more, "rows": ordered}, PACKAGES)
    scratch.replace(path)  # a kill loses at most the row that is being measured


def row(workload: Workload, limit_s: float, loads: dict[str, Any]) -> dict[str, Any]:
    """All contestants' times for one workload."""
    case = measure.built(workload)
    work = asked(workload, case)
    times: dict[str, Any] = {}
    begun = time.perf_counter()
    for contestant in contestants(workload):
        best = min((found["spent_s"] for found in times.values() if found["status"] == "done"), default=limit_s)
        found = measure.measured(contestant, workload, case, work, min(limit_s, BEYOND * best + 2.0))
        times[contestant.name] = with_load(found, loads[contestant.library])
    return {
        "workload": workload.to_dict(),
        "parameters": int(case.theta.size),
        "terms": len(case.observable),
        "commit": record.commit(),
        "qiskit": version("qiskit"),
        "measuring_s": time.perf_counter() - begun,
        "times": analysis.judged(times, workload),
    }


def with_load(found: dict[str, Any], load: dict[str, float]) -> dict[str, Any]:
    """With the imports, which were timed apart."""
    if found["status"] != "done":
        return found
    seconds, held = found["seconds"] + load["load_s"], found["memory_bytes"] + int(load["load_bytes"])
    return found | {"run_s": found["seconds"], "load_s": load["load_s"], "seconds": seconds, "memory_bytes": held}


def main() -> None:
    options = arguments()
    if options.list:
        print("\n".join(workload.title + (" (held out)" if workload.held_out else "") for workload in workloads()))
        return
    kept = json.loads(options.json.read_text())["numbers"] if options.json.exists() else {}
    rows, loads = current(kept.get("rows", {})), kept.get("imports", {})
    if not options.reanalyse:
        everyone = {each.library: each for workload in chosen(options) for each in contestants(workload)[::-1]}
        loads = measure.ready(everyone.values(), kept.get("imports", {}))
        begun = time.monotonic()
        for workload in chosen(options):
            if str(workload.number) in rows and not options.again:
                continue
            if time.monotonic() - begun > options.seconds:
                print("time is over: start again for the other rows", file=sys.stderr)
                break
            rows[str(workload.number)] = found = row(workload, options.limit, loads)
            save(options.json, rows, options, {"imports": loads})
            print(f"{found['measuring_s']:5.1f} s  {workload.title}: {table.line(found)}", file=sys.stderr, flush=True)
    wanted = {str(workload.number) for workload in chosen(options)}
    save(options.json, rows, options, {"imports": loads})
    measured = {number: row for number, row in rows.items() if number in wanted}
    analysed = analysis.analyse(measured, lambda text: print(text, file=sys.stderr, flush=True))
    save(options.json, rows, options, {"imports": loads, "analysis": analysed})
    table.show(measured, analysed)
    table.draw(measured, analysed, options.json.with_suffix(".png"))


if __name__ == "__main__":
    main()
