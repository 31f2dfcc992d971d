"""The analysis as text and as a picture."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from regret.analysis import PLAN

WORST = 15
"""Rows of the list of worst choices."""

COLORS = ("#0b7285", "#9aa5b1", "#e8590c", "#5f3dc4", "#2b8a3e", "#c2255c")


def line(row: dict[str, Any]) -> str:
    """Times of a row, fastest first, in few characters."""
    times = sorted(row["times"].items(), key=lambda item: item[1].get("seconds", math.inf))
    able = [f"{name} {found['seconds']:.3g} s" for name, found in times if found["status"] == "done"]
    others = [f"{name} {found['status']}" for name, found in times if found["status"] not in ("done", "refused")]
    return "; ".join(able + others)


def show(rows: dict[str, Any], analysed: dict[str, Any]) -> None:
    """Print regrets, predictions, and the worst choices."""
    print(f"{analysed['workloads']} workloads\n")
    print(f"{'time of the choice over the best':34}{'n':>5}{'median':>9}{'95 %':>9}{'worst':>9}")
    for rule, numbers in analysed["regret"].items():
        if numbers["n"]:
            print(f"{rule:34}{numbers['n']:5d}{numbers['median']:9.2f}{numbers['95 %']:9.2f}{numbers['worst']:9.1f}")
    print()
    for what in analysed.keys() - {"workloads", "regret", "rows"}:
        answer = analysed[what]
        if isinstance(answer, list):
            print(f"{what}: {len(answer)}", *answer, sep="\n    ")
        elif isinstance(answer, dict):
            print(f"{what}: " + ", ".join(f"{key} {value:.3g}" for key, value in answer.items()))
        else:
            print(f"{what}: {'none known' if answer is None else format(answer, '.2f')}")
    print("\nworst choices")
    worst = sorted(analysed["rows"].items(), key=lambda item: -item[1]["regret"].get(PLAN, 0.0))
    for number, row in worst[:WORST]:
        if PLAN in row["regret"]:
            print(f"{row['regret'][PLAN]:7.2f}  {rows[number]['workload']['title']}")
            for word, name in {row["chosen"]: "chosen", row["best"]: "best"}.items():
                print(f"           {name} {word}: {_told(row['predicted'].get(word, {}), rows[number]['times'][word])}")


def _told(predicted: dict[str, Any], time: dict[str, Any]) -> str:
    guess = f"{predicted['seconds']:.3g} s" if "seconds" in predicted else "nothing"
    measured = f"{time['seconds']:.3g} s" if "seconds" in time else f"over {time['limit_s']:.3g} s"
    return f"predicted {guess}, measured {measured}"


def draw(rows: dict[str, Any], analysed: dict[str, Any], path: Path) -> None:
    """Regret by rule as the share of workloads up to it, and predicted over measured seconds by backend."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for color, rule in zip(COLORS, analysed["regret"], strict=True):
        ratios = sorted(row["regret"][rule] for row in analysed["rows"].values() if rule in row["regret"])
        share = np.arange(1, len(ratios) + 1) / max(len(analysed["rows"]), 1)
        left.step(ratios, share, where="post", color=color, label=rule, lw=2.4 if rule == PLAN else 1.4)
    left.set(xscale="log", xlim=(0.9, 1e4), ylim=(0, 1.02), xlabel="time of the choice over the best backend's")
    left.set_ylabel("share of workloads")
    left.set_title("What each rule costs; a line that ends low cannot do the others", loc="left", fontsize=10)
    seen: dict[str, list[tuple[float, float]]] = {}
    for number, row in analysed["rows"].items():
        for name, predicted in row["predicted"].items():
            time = rows[number]["times"].get(name, {})
            if time.get("status") == "done" and "seconds" in predicted:
                seen.setdefault(name.partition(" ")[0], []).append((time["seconds"], predicted["seconds"]))
    for color, (name, points) in zip(COLORS, sorted(seen.items(), key=lambda item: -len(item[1])), strict=False):
        right.loglog(*np.transpose(points), "o", ms=4, alpha=0.7, color=color, label=name)
    ends = np.array([1e-2, 1e4])
    right.plot(ends, ends, color="#1f2933", lw=1)
    right.fill_between(ends, ends / 2, ends * 2, color="#9aa5b1", alpha=0.25, lw=0, label="within a factor of 2")
    right.set(xlabel="measured (s)", ylabel="predicted (s)")
    right.set_title("Predictions", loc="left", fontsize=10)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)
