"""What stored times say of the plan: its regret, that of simple rules, and how good its predictions are."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import backends
from backends.cost import Cost
from circuits.errors import Refused
from hybrid.routing import plan
from regret import measure
from regret.asked import asked
from regret.contestants import METHODS, RIVALS, candidates, of_backend
from regret.workloads import Case, Workload

STATISTICAL = 6.0
"""Standard errors that counted values may differ by."""

NEAREST = 1e-7
"""Smallest difference that matters: Aer's matrix-product states drop what is smaller."""

FACTOR = 2.0
"""Within which a prediction is called right."""

LARGE_BYTES = 2**26
"""Of memory predicted, from which on it is compared: below, libraries and buffers decide."""

PLAN = "the plan"

RULES = {
    "always statevector": "statevector",
    "always Lightning": "lightning",
    "always Aer": "aer",
    **{name: name for name in RIVALS},
}
"""Rules to compare with, and the contestant that each takes."""


def judged(times: dict[str, Any], workload: Workload) -> dict[str, Any]:
    """The times, in which answers that the others contradict have the status "wrong".

    The largest group of agreeing answers is right; where two are equally large, all are "disputed".
    """
    done = {name: found for name, found in times.items() if found["status"] == "done"}
    groups = {name: {other for other in done if _agree(done[name], done[other], workload)} for name in done}
    largest = max(map(len, groups.values()), default=0)
    leaders = [group for group in groups.values() if len(group) == largest]
    disputed = any(group.isdisjoint(leaders[0]) for group in leaders)
    verdicts = {
        name: "disputed" if disputed else "wrong"
        for name, group in groups.items()
        if disputed or group.isdisjoint(leaders[0])
    }
    return {name: found | ({"status": verdicts[name]} if name in verdicts else {}) for name, found in times.items()}


def _agree(one: dict[str, Any], other: dict[str, Any], workload: Workload) -> bool:
    spread = STATISTICAL * math.hypot(one["error"], other["error"])
    if workload.shots or workload.optimizer:
        spread += 2 * workload.accuracy
    tolerance = max(workload.accuracy, NEAREST) + spread
    return all(abs(a - b) <= tolerance for a, b in zip(one["value"], other["value"], strict=True))


def analyse(rows: dict[str, Any], told: Callable[[str], None]) -> dict[str, Any]:
    """Plans for the rows with the code and the speeds at hand, and what the times say of them.

    Args:
        rows: As they are stored.
        told: Called with a line for each row.
    """
    cases = {}
    for number, row in rows.items():  # all before the first plan, which may start threads that no fork survives
        words = {key: value for key, value in row["workload"].items() if key not in ("title", "held_out")}
        workload = Workload(**words)
        cases[number] = (workload, measure.built(workload))
    found = {}
    for number, row in rows.items():
        answer = planned(*cases[number])
        found[number] = answer | regrets(row["times"], answer["chosen"])
        told(f"{row['workload']['title']}: {answer['chosen']}, regret {found[number]['regret'].get(PLAN)}")
    return summary(rows, found) | {"rows": found}


def planned(workload: Workload, case: Case) -> dict[str, Any]:
    """The router's choice, and its predictions; those of contestants that it does not try are marked."""
    work = asked(workload, case)
    noisy = [backends.get(name, **options) for name, options in candidates(workload)] if workload.noise else None
    ways = plan.rank(work, noisy or plan.candidates("auto")).ways
    predicted = {of_backend(way.backend): _numbers(way.cost) | {"auto": True} for way in ways}
    for name, options in () if workload.noise else METHODS:
        try:
            backend = backends.get(name, **options)
            predicted[of_backend(backend)] = _numbers(backend.predict(work)) | {"auto": False}
        except (Refused, ImportError):
            continue  # it cannot do this, and nothing is predicted
    return {"chosen": of_backend(ways[0].backend) if ways else None, "predicted": predicted}


def _numbers(cost: Cost) -> dict[str, Any]:
    """Its finite numbers, the ends of its interval among them where it has one."""
    found = {key: value for key, value in vars(cost).items() if isinstance(value, int | float)}
    low, high = getattr(cost, "seconds_low", math.nan), getattr(cost, "seconds_high", math.nan)
    return {key: value for key, value in (found | {"low_s": low, "high_s": high}).items() if math.isfinite(value)}


def regrets(times: dict[str, Any], chosen: str | None) -> dict[str, Any]:
    """The best of the toolkit's backends, and the time of each rule's choice over its.

    A choice that did not end within the limit counts with the limit, which is less than its time.
    """
    able = {name: found["seconds"] for name, found in times.items() if found["status"] == "done"}
    ours = {name: seconds for name, seconds in able.items() if name not in RIVALS}
    status = times.get(chosen, {"status": "not measured"})["status"] if chosen else "nothing was chosen"
    if not ours:
        return {"best": None, "regret": {}, "status": status}
    best = min(ours, key=ours.__getitem__)
    bounds = {name: found["limit_s"] for name, found in times.items() if found["status"] == "over"}
    known = {name: max(seconds / ours[best], 1.0) for name, seconds in bounds.items()}
    known |= {name: seconds / ours[best] for name, seconds in able.items()}
    taken = {PLAN: chosen, **RULES}
    regret = {rule: known[name] for rule, name in taken.items() if name in known}
    return {"best": best, "regret": regret, "status": status}


def summary(rows: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Numbers over all rows: regret by rule, predictions over measurements, and what went wrong."""
    pairs = [
        (predicted, rows[number]["times"][name])
        for number, row in found.items()
        for name, predicted in row["predicted"].items()
        if rows[number]["times"].get(name, {}).get("status") == "done"
    ]
    seconds = [predicted["seconds"] / time["seconds"] for predicted, time in pairs if "seconds" in predicted]
    memory = [
        predicted["memory_bytes"] / time["memory_bytes"]
        for predicted, time in pairs
        if predicted["memory_bytes"] >= LARGE_BYTES and time["memory_bytes"] > 0
    ]
    held = [p["low_s"] <= time["seconds"] <= p["high_s"] for p, time in pairs if "low_s" in p and "high_s" in p]
    regret = {rule: [row["regret"][rule] for row in found.values() if rule in row["regret"]] for rule in (PLAN, *RULES)}
    return {
        "workloads": len(found),
        "regret": {rule: _spread(ratios) for rule, ratios in regret.items()},
        "seconds predicted over measured": _spread(seconds),
        "seconds within a factor of 2": _share(1 / FACTOR <= ratio <= FACTOR for ratio in seconds),
        "memory predicted over measured, from 64 MiB": _spread(memory),
        "times within the predicted interval": _share(held),
        "choice without an answer": [
            f"{rows[number]['workload']['title']}: {row['chosen']} {row['status']}"
            for number, row in found.items()
            if row["status"] not in ("done", "over")
        ],
        "answers that are wrong, disputed or none": [
            f"{row['workload']['title']}: {name} {time['status']} {time.get('reason', time.get('value'))}"
            for row in rows.values()
            for name, time in row["times"].items()
            if time["status"] in ("wrong", "disputed", "failed")
        ],
    }


def _spread(ratios: list[float]) -> dict[str, Any]:
    if not ratios:
        return {"n": 0}
    low, median, high = np.quantile(ratios, [0.05, 0.5, 0.95])
    return {"n": len(ratios), "5 %": float(low), "median": float(median), "95 %": float(high), "worst": max(ratios)}


def _share(answers: Iterable[bool]) -> float | None:
    told = list(answers)
    return sum(told) / len(told) if told else None
