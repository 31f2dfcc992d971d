"""What the plan expected, beside what happened."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from backends.memory import readable
from hybrid.report.page.html import Html, fold, section, table, tag
from hybrid.runs.account import Account
from hybrid.runs.queue_time import queue_of_all
from hybrid.terminal.words import duration, rounded


def forecast(run: Account) -> Html:
    """Evaluations, time by phase, memory, money and error: predicted and measured."""
    plan = run.record.spec.plan
    ways = [way for way in plan.get("ways") or () if isinstance(way, dict)]
    rows = [*_amounts(run, ways[0] if ways else {}), *_phases(run, ways[0] if ways else {})]
    ended = run.result is not None and run.result.status != "stopped"
    rows = rows if ended else [(*row[:-1], "") for row in rows]
    columns = ("Quantity", "Predicted", "Interval", "Measured", "Verdict")
    told = table(columns, rows, caption="Predicted and measured", numbers=columns[1:4], folds=True)
    said = "Nine of ten runs take more than the lower end of an interval, and nine of ten less than the upper end."
    note = tag("p", said, class_="note")
    return section("Plan and outcome", _summary(rows, ended), note, told, _others(ways, plan.get("refused") or ()))


def _summary(rows: list[tuple[Any, ...]], ended: bool) -> Html:
    if not ended:
        return tag("p", "The run has not ended, so what it took so far is not held against what was predicted.")
    judged = [row for row in rows if isinstance(row[-1], Html)]
    missed = [row[0] for row in judged if "missed" in row[-1]]
    if not judged:
        return tag("p", "Nothing was predicted that can be compared with what happened.")
    said = f"{len(judged) - len(missed)} of {len(judged)} predicted intervals hold what happened"
    return tag("p", said + (f"; missed: {', '.join(map(str, missed))}." if missed else "."))


def _amounts(run: Account, way: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    result, cost = run.result, way.get("cost") or {}
    expected = way.get("prediction") or {}
    count = sum(len(evaluation.theta) for evaluation in run.content.evaluations)
    over = result is not None and result.status != "stopped"
    yield _row(
        "evaluations", expected.get("evaluations"), count if over else None, lambda x, digits: rounded(x, digits=digits)
    )
    told = result.prediction if result is not None else None
    total = None if told is None or told.seconds is None else told.seconds.happened
    if total is None and result is not None and over:
        total = result.seconds.get("total")
    yield _row("time in all", expected.get("seconds"), total, _time)
    if run.content.jobs:
        queued = queue_of_all(run.content.jobs)
        yield _row("time in queues, part of it", _single(queued.predicted_s), queued.seconds, _time)
    width = None if result is None else result.standard_error
    yield _row(
        "standard error",
        _single(cost.get("standard_error")),
        width,
        lambda x, _: f"{x:.2g} {run.unit}" if x else "none",
    )
    name, expected_bytes, *_ = _row("memory", _single(cost.get("memory_bytes")), None, lambda x, _: readable(round(x)))
    yield name, expected_bytes, "", "not measured", ""
    charge = run.charge
    spent = (0.0 if charge is None else charge.usd if charge.priced else None) if result is not None else None
    yield _row("money", _single(cost.get("money_usd")), spent, lambda x, _: f"${x:,.2f}")


def _phases(run: Account, way: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Time by phase: those of the plan, then those that it does not predict."""
    took = {} if run.result is None else {name: s for name, s in run.result.seconds.items() if name != "total"}
    told = {str(phase["phase"]): phase for phase in way.get("phases") or () if "phase" in phase}
    for name in [*(name for name in told if name in took), *(name for name in took if name not in told)]:
        phase = told.get(name, {})
        known = phase | {"expected": phase.get("seconds")}
        yield _row(f"time: {name}", known, took.get(name), _time)


def _single(value: Any) -> dict[str, Any]:
    """A number that was predicted without an interval."""
    return {"expected": value}


def _count(number: float, digits: int) -> str:
    return rounded(number, digits=digits)


def _time(seconds: float, digits: int) -> str:
    return duration(seconds, digits=digits)


def _row(
    name: str, told: dict[str, Any] | None, happened: float | None, words: Callable[[float, int], str]
) -> tuple[Any, ...]:
    """A line of the table: what was predicted to two digits, what happened to three; nothing where it is not known."""
    expected, low, high = ((told or {}).get(key) for key in ("expected", "low", "high"))

    def said(value: Any, digits: int = 2) -> str:
        return words(value, digits) if isinstance(value, int | float) and math.isfinite(value) else ""

    interval = "" if low is None or high is None else f"{said(low)} to {said(high)}"
    return name, said(expected), interval, said(happened, 3), _verdict(low, high, happened)


def _verdict(low: Any, high: Any, happened: float | None) -> Html | str:
    if happened is None or low is None or high is None:
        return ""
    if low <= happened <= high:
        return tag("span", "✓ within", class_="outcome passed")
    return tag("span", "✗ missed, " + ("more" if happened > high else "less"), class_="outcome failed")


def _others(ways: list[dict[str, Any]], refused: Any) -> Html | None:
    """Where it could have run as well, and why it did not."""
    rows = []
    for k, way in enumerate(ways):
        seconds = ((way.get("prediction") or {}).get("seconds") or {}).get("expected")
        time = "–" if seconds is None else duration(seconds, digits=2)
        rows.append((way.get("backend", "?"), "chosen" if k == 0 else "possible", time, way.get("reason", "")))
    rows += [(one.get("backend", "?"), "refused", "–", one.get("reason", "")) for one in refused]
    if not rows:
        return None
    columns = ("Backend", "Outcome", "Predicted time", "Why")
    told = table(columns, rows, caption="Ways to run it", numbers=("Predicted time",), folds=True)
    return fold("Where it could have run, and why it ran there", told)
