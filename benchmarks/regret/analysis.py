"""What stored times say of the plan: its regret, that of simple rules, and how good its predictions are."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

import backends
from circuits.errors import Refused
from hybrid.routing import plan
from hybrid.routing.plan import Plan
from regret import measure
from regret.asked import asked
from regret.contestants import RIVALS, candidates, of_backend
from regret.workloads import Workload

STATISTICAL = 6.0
"""Standard errors that counted values may differ by."""

FACTOR = 2.0
"""Within which a prediction is called right."""

WORST = 15
"""Rows of the list of worst choices."""

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
    for name, group in groups.items():
        if disputed:
            times[name]["status"] = "disputed"
        elif group.isdisjoint(leaders[0]):
            times[name]["status"] = "wrong"
    return times


def _agree(one: dict[str, Any], other: dict[str, Any], workload: Workload) -> bool:
    spread = STATISTICAL * math.hypot(one["error"], other["error"])
    if workload.shots or workload.optimizer:
        spread += 2 * workload.accuracy
    tolerance = max(workload.accuracy, 1e-7) + spread  # 1e-7: what Aer's matrix-product states drop
    return all(abs(a - b) <= tolerance for a, b in zip(one["value"], other["value"], strict=True))


def planned(workload: Workload) -> dict[str, Any]:
    """What the router says of a workload with the code and the speeds at hand."""
    case = measure.built(workload)
    work = asked(workload, case)
    made: list[Any] = list(plan.candidates("auto"))
    if workload.noise:
        made = [backends.get(name, **options) for name, options in candidates(workload)]
    ranked = plan.rank(work, made)
    predicted = {of_backend(way.backend): _numbers(way) for way in ranked.ways}
    # what "auto" does not try is predicted, too, so that a model can be judged by it
    for name, options in () if workload.noise else [("reference", {}), *_methods()]:
        try:
            others = plan.rank(work, [backends.get(name, **options)])
        except (Refused, ImportError):
            continue
        predicted |= {of_backend(way.backend): _numbers(way) | {"auto": False} for way in others.ways}
    return {"chosen": _choice(ranked), "predicted": predicted}


def _methods() -> list[tuple[str, dict[str, Any]]]:
    from regret.contestants import METHODS

    return [(name, options) for name, options in METHODS if name != "reference"]


def _choice(ranked: Plan) -> str | None:
    return of_backend(ranked.ways[0].backend) if ranked.ways else None


def _numbers(way: Any) -> dict[str, Any]:
    """Seconds, memory and, where the prediction has one, its interval."""
    cost = {key: value for key, value in asdict(way.cost).items() if isinstance(value, int | float)}
    finite = {key: value for key, value in cost.items() if math.isfinite(value)}
    return {"auto": True} | {
        k: v for k, v in finite.items() if k.startswith(("seconds", "memory", "compile", "least", "most"))
    }


def analyse(rows: dict[str, Any], told: Callable[[str], None]) -> dict[str, Any]:
    """Plans for the rows, and what the times say of them.

    Args:
        rows: As they are stored.
        told: Called with a line for each row.
    """
    found = {}
    for number, row in rows.items():
        words = {key: value for key, value in row["workload"].items() if key not in ("title", "held_out")}
        answer = planned(Workload(**words))
        found[number] = answer | regrets(row["times"], answer["chosen"])
        told(f"{row['workload']['title']}: {answer['chosen']}, regret {found[number]['regret'].get('the plan')}")
    return summary(rows, found) | {"rows": found}


def regrets(times: dict[str, Any], chosen: str | None) -> dict[str, Any]:
    """The best contestant, and the time of each rule's choice over its."""
    able = {name: found["seconds"] for name, found in times.items() if found["status"] == "done"}
    ours = {name: seconds for name, seconds in able.items() if name not in RIVALS}
    if not ours:
        return {"best": None, "best_s": None, "regret": {}, "status": None}
    best = min(ours, key=ours.__getitem__)
    regret = {rule: able[name] / ours[best] for rule, name in RULES.items() if name in able}
    status = times.get(chosen, {}).get("status", "not measured") if chosen else "nothing chosen"
    if chosen in able:
        regret["the plan"] = able[chosen] / ours[best]
    elif status == "over":
        regret["the plan"] = max(times[chosen]["limit_s"] / ours[best], 1.0)
    return {"best": best, "best_s": ours[best], "regret": regret, "status": status}


def summary(rows: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Numbers over all rows."""
    rules = {
        rule: _spread([row["regret"][rule] for row in found.values() if rule in row["regret"]])
        for rule in ("the plan", *RULES)
    }
    seconds, memory, covered = [], [], []
    for number, row in found.items():
        for name, predicted in row["predicted"].items():
            time = rows[number]["times"].get(name, {})
            if time.get("status") != "done":
                continue
            if "seconds" in predicted:
                seconds.append(predicted["seconds"] / time["seconds"])
            if predicted.get("memory_bytes") and time["memory_bytes"] > 0:
                memory.append(predicted["memory_bytes"] / time["memory_bytes"])
            low, high = interval(predicted)
            if low is not None and high is not None:
                covered.append(low <= time["seconds"] <= high)
    wrong = [
        f"{rows[number]['workload']['title']}: {name} {time['status']}"
        for number in found
        for name, time in rows[number]["times"].items()
        if time["status"] in ("wrong", "disputed", "failed")
    ]
    return {
        "workloads": len(found),
        "regret": rules,
        "unable": {
            "the plan": [
                rows[number]["workload"]["title"]
                for number, row in found.items()
                if row["status"] not in ("done", "over", None)
            ]
        },
        "seconds_predicted_over_measured": _spread(seconds)
        | {"within a factor of 2": _share(1 / FACTOR <= r <= FACTOR for r in seconds)},
        "memory_predicted_over_measured": _spread(memory),
        "interval_coverage": _share(covered) if covered else None,
        "wrong": wrong,
    }


def interval(predicted: dict[str, Any]) -> tuple[float | None, float | None]:
    """The interval of a prediction, if it has one."""
    low = next((predicted[key] for key in ("seconds_low", "seconds_least", "least_s") if key in predicted), None)
    high = next((predicted[key] for key in ("seconds_high", "seconds_most", "most_s") if key in predicted), None)
    return low, high


def _spread(ratios: list[float]) -> dict[str, Any]:
    if not ratios:
        return {"n": 0}
    low, median, high = np.quantile(ratios, [0.05, 0.5, 0.95])
    return {"n": len(ratios), "5 %": float(low), "median": float(median), "95 %": float(high), "worst": max(ratios)}


def _share(answers: Iterable[bool]) -> float | None:
    told = list(answers)
    return sum(told) / len(told) if told else None


def line(row: dict[str, Any]) -> str:
    """Times of a row, fastest first, in few characters."""
    times = sorted(row["times"].items(), key=lambda item: item[1].get("seconds", math.inf))
    able = [f"{name} {found['seconds']:.3g} s" for name, found in times if found["status"] == "done"]
    return "; ".join(
        able + [f"{name} {found['status']}" for name, found in times if found["status"] not in ("done", "refused")]
    )


def show(rows: dict[str, Any], analysed: dict[str, Any]) -> None:
    """Tables in the terminal: regrets, predictions, and the worst choices."""
    print(
        f"{analysed['workloads']} workloads\n\n{'time of the choice over the best':34}{'n':>5}{'median':>9}{'95 %':>9}{'worst':>9}"
    )
    for rule, numbers in analysed["regret"].items():
        if numbers["n"]:
            print(f"{rule:34}{numbers['n']:5d}{numbers['median']:9.2f}{numbers['95 %']:9.2f}{numbers['worst']:9.1f}")
    for what in ("seconds_predicted_over_measured", "memory_predicted_over_measured"):
        numbers = analysed[what]
        print(
            f"\n{what.replace('_', ' ')}: "
            + ", ".join(f"{key} {value:.3g}" for key, value in numbers.items() if value is not None)
        )
    print(
        f"intervals hold {analysed['interval_coverage']} of the measured times"
        if analysed["interval_coverage"] is not None
        else "predictions have no intervals"
    )
    for text in (
        *analysed["wrong"],
        *(f"no answer from the choice: {text}" for text in analysed["unable"]["the plan"]),
    ):
        print(text)
    print("\nworst choices")
    worst = sorted(analysed["rows"].items(), key=lambda item: -item[1]["regret"].get("the plan", 0.0))
    for number, row in worst[:WORST]:
        if "the plan" in row["regret"]:
            print(f"{row['regret']['the plan']:7.2f}  {rows[number]['workload']['title']}")
            for name in dict.fromkeys((row["chosen"], row["best"])):
                predicted, time = row["predicted"].get(name, {}), rows[number]["times"][name]
                guess = f"{predicted['seconds']:.3g} s" if "seconds" in predicted else "nothing"
                measured = f"{time['seconds']:.3g} s" if "seconds" in time else f"over {time['limit_s']:.3g} s"
                print(
                    f"         {'chosen' if name == row['chosen'] else 'best  '} {name}: predicted {guess}, measured {measured}"
                )
