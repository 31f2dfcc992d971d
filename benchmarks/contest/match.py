"""One workload, all contestants: each starts and compiles alone, then they take turns.

A result is what goes into the file: for each contestant its times and how far it is from the engine, or why it left.
"""

import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from contest.process import Left, Worker
from contest.rivals import CONTESTANTS, OURS
from contest.workloads import Workload

SHORT_S = 0.1
"""Calls shorter than this are made several times in a turn, and their mean is taken, after one that does not count: a
processor that waited for its turn is cold, and an optimizer calls without pause."""

MOST_CALLS = 200

PAUSE_S = 0.03
"""Before each turn: threads of the contestant before may still spin for more work."""

CACHE_BYTES = 2**26
"""Two states that hold more are not in the cache, and a copy's rate bounds how fast they are walked."""

TOLERANCE = {"double": 1e-10, "single": 3e-5}
"""Of values and gradients, relative to the sum of the observable's coefficients."""


@dataclass(frozen=True)
class Rules:
    """What holds for every contestant.

    Attributes:
        rounds: Turns of each.
        limit_s: For a first call, and for all later turns together.
        memory_share: Of the machine's memory that one process may hold.
        names: Contestants that are let in; None for all. The engine always is.
    """

    rounds: int = 7
    limit_s: float = 180.0
    memory_share: float = 0.6
    names: tuple[str, ...] | None = None


def play(workload: Workload, task: str, rules: Rules) -> dict[str, Any]:
    """Let everyone who takes part compute one workload in turn.

    Args:
        workload: What to compute.
        task: "gradient" for value and gradient, "energy" for the value alone.
        rules: Rounds and limits.
    """
    ours = OURS[task]
    result: dict[str, Any] = {
        "workload": asdict(workload),
        "task": task,
        "load_at_start": os.getloadavg()[0],
        "contestants": {},
    }
    entries: dict[str, dict[str, Any]] = result["contestants"]
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name in _admitted(workload, task, rules):
            entries[name] = {}
            if workload.precision not in CONTESTANTS[name].precisions:
                entries[name]["failed"] = f"has no {workload.precision} precision"
                continue
            try:
                workers[name] = _seated(name, workload, rules, stack, entries[name])
            except Left as left:
                entries[name]["failed"] = str(left)
        _take_turns(workers, entries, rules)
        _compare(entries, ours, workload)
        if task == "gradient" and ours in workers and "failed" not in entries[ours]:
            try:
                result["rates"] = _shares(workers[ours].ask("rates"), entries[ours]["median_s"], workload)
            except Left as left:
                result["rates"] = {"failed": str(left)}
    result["load_at_end"] = os.getloadavg()[0]
    return result | _verdict(entries, ours)


def _admitted(workload: Workload, task: str, rules: Rules) -> list[str]:
    chosen = [name for name, c in CONTESTANTS.items() if c.takes_part(workload, task)]
    return [name for name in chosen if name == OURS[task] or rules.names is None or name in rules.names]


def _seated(name: str, workload: Workload, rules: Rules, stack: ExitStack, entry: dict[str, Any]) -> Worker:
    """A worker that has made its first call and is warm."""
    cache = stack.enter_context(tempfile.TemporaryDirectory())
    worker = Worker(name, workload, limit_s=rules.limit_s, memory_share=rules.memory_share, cache=cache)
    stack.callback(worker.close)
    entry["import_s"] = worker.loaded["import_s"]
    entry["scale"] = worker.loaded["scale"]
    entry.update(worker.ask("first"))
    worker.ask("call", number=-2, times=1)
    seconds = worker.ask("call", number=-1, times=1)["seconds"]
    entry["calls_per_turn"] = 1 if seconds >= SHORT_S else min(MOST_CALLS, int(2 * SHORT_S / seconds) + 1)
    entry["times_s"] = []
    return worker


def _take_turns(workers: dict[str, Worker], entries: dict[str, dict[str, Any]], rules: Rules) -> None:
    """Rounds in which each makes its calls; who has used up its time or fails sits out from then on."""
    spent = dict.fromkeys(workers, 0.0)
    for number in range(rules.rounds):
        for name, worker in workers.items():
            entry = entries[name]
            if "failed" in entry or spent[name] > rules.limit_s:
                continue
            time.sleep(PAUSE_S)
            try:
                times = entry["calls_per_turn"]
                seconds = worker.ask("call", number=number, times=times, uncounted=int(times > 1))["seconds"]
            except Left as left:
                entry["failed"] = str(left)
                continue
            entry["times_s"].append(seconds)
            spent[name] += seconds * entry["calls_per_turn"]
    for name in workers:
        times = entries[name]["times_s"]
        if times:
            entries[name] |= {"median_s": median(times), "min_s": min(times)}


def _compare(entries: dict[str, dict[str, Any]], ours: str, workload: Workload) -> None:
    """Replace values and gradients by their distances from the engine's, and say where these are too large."""
    engine = entries[ours]
    answers = {name: (entry.pop("value", None), entry.pop("gradient", None)) for name, entry in entries.items()}
    value, gradient = answers[ours]
    for name, entry in entries.items():
        bound = TOLERANCE[workload.precision] * entry.pop("scale", 0.0)
        if answers[name][0] is None:
            continue
        entry["value"] = float(np.mean(answers[name][0]))
        if name == ours:
            continue
        if value is None:
            entry["unchecked"] = f"the engine had no answer: {engine.get('failed')}"
            continue
        entry["value_off"] = _distance(answers[name][0], value)
        entry["gradient_off"] = None if gradient is None else _distance(answers[name][1], gradient)
        worst = max(entry["value_off"], entry["gradient_off"] or 0.0)
        if not worst <= bound:
            entry["disagrees"] = f"off by {worst:.1e}, tolerated {bound:.1e}"


def _distance(one: Any, other: Any) -> float:
    one, other = np.asarray(one, float), np.asarray(other, float)
    return float(np.max(np.abs(one - other), initial=0.0)) if one.shape == other.shape else float("inf")


def _verdict(entries: dict[str, dict[str, Any]], ours: str) -> dict[str, Any]:
    """The best rival that agrees, by its median, and the ratios to it; above one the engine is ahead."""
    fit = {
        name: entry
        for name, entry in entries.items()
        if name != ours and "median_s" in entry and not entry.keys() & {"failed", "disagrees", "unchecked"}
    }
    mine = entries[ours]
    if not fit or "median_s" not in mine or "failed" in mine:
        return {"best_rival": None}
    best = min(fit, key=lambda name: fit[name]["median_s"])
    theirs = fit[best]
    return {
        "best_rival": best,
        "ratio": theirs["median_s"] / mine["median_s"],
        "ratio_of_minima": theirs["min_s"] / mine["min_s"],
        # In each round: a machine that slows down for a while slows both.
        "paired_ratio": median(b / a for a, b in zip(mine["times_s"], theirs["times_s"], strict=False)),
    }


def _shares(answer: dict[str, Any], seconds: float, workload: Workload) -> dict[str, Any]:
    """What the engine reaches, as shares of the machine's own rates.

    ``share`` is what is reached of the peak in registers; of states beyond the cache, of the peak or of the copy,
    whichever is nearer and so bounds the time.
    """
    machine, work = answer["machine"], answer["work"]
    if "failed" in work:
        return {**machine, **work}
    row_s = seconds / (workload.rows or 1)
    gflops, gbs = 1e-9 * work["flops"] / row_s, 1e-9 * work["bytes"] / row_s
    shares = {"peak": gflops / machine.get("peak_gflops", machine["gemm_gflops"])}
    if 2 * (8 if workload.precision == "single" else 16) * 2**workload.n_qubits > CACHE_BYTES:
        shares["copy"] = gbs / machine.get("native_copy_gbs", machine["copy_gbs"])
    bound = max(shares, key=lambda name: shares[name])
    return {
        **machine,
        "work": work,
        "gflops": gflops,
        "gbs": gbs,
        "share_of_gemm": gflops / machine["gemm_gflops"],
        "share_of_copy": gbs / machine["copy_gbs"],
        "share": shares[bound],
        "bound": bound,
    }


def first_calls(workload: Workload, rules: Rules) -> dict[str, Any]:
    """The engine's first call with an empty cache of compiled programs, and in a second process with the filled one."""
    result: dict[str, Any] = {"workload": asdict(workload)}
    with tempfile.TemporaryDirectory() as cache:
        for name in ("empty_cache", "filled_cache"):
            try:
                worker = Worker(
                    OURS["gradient"], workload, limit_s=rules.limit_s, memory_share=rules.memory_share, cache=cache
                )
                first = worker.ask("first")
                later = worker.ask("call", number=0, times=1)["seconds"]
                worker.close()
            except Left as left:
                result[name] = {"failed": str(left)}
                continue
            result[name] = {"import_s": worker.loaded["import_s"], "first_s": first["first_s"], "later_s": later}
    return result
