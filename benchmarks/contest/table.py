"""The results as a reader wants them on a terminal, 80 columns wide."""

from typing import Any

from rich.console import Console
from rich.table import Table

from contest.rivals import OURS
from contest.workloads import Workload

WIDTH = 80


def show(numbers: dict[str, Any], console: Console | None = None) -> None:
    """Print every part that there is."""
    console = console or Console(width=WIDTH)
    for heading, key in (("Value and gradient", "gradient"), ("Energy alone", "energy")):
        if numbers.get(key):
            console.print(_matches(heading, numbers[key].values()))
            _print_failures(numbers[key].values(), console)
    if numbers.get("first_call"):
        console.print(_first_calls(numbers["first_call"].values()))
    rated = [match for match in numbers.get("gradient", {}).values() if "rates" in match]
    if rated:
        console.print(_rates(rated))


def _matches(heading: str, matches) -> Table:
    table = _table(heading, "workload", "ours", "best rival", "its", "ratio", "paired", "wanted")
    for match in matches:
        ours, best = match["contestants"][OURS[match["task"]]], match["best_rival"]
        theirs = match["contestants"].get(best, {})
        wanted = match.get("wanted")
        table.add_row(
            Workload(**match["workload"]).title,
            duration(ours.get("median_s")),
            best or "none",
            duration(theirs.get("median_s")),
            *(_against(match.get(key), wanted) for key in ("ratio", "paired_ratio")),
            "" if wanted is None else f"{wanted:g}",
        )
    return table


def _print_failures(matches, console: Console) -> None:
    for match in matches:
        title = Workload(**match["workload"]).title
        for name, entry in match["contestants"].items():
            if "disagrees" in entry:
                console.print(f"[bold red]WRONG: {name}, {title}: {entry['disagrees']}[/]")
            if "failed" in entry:
                console.print(f"{name}, {title}: {entry['failed']}", style="dim", markup=False)


def _first_calls(results) -> Table:
    table = _table("First call of the engine", "circuit", "empty cache", "filled cache", "later", "import", "wanted")
    for result in results:
        empty, filled = result["empty_cache"], result["filled_cache"]
        wanted = result.get("wanted_s")
        slow = wanted is not None and empty.get("first_s", 0.0) > wanted
        cold = empty.get("failed") or duration(empty["first_s"])
        table.add_row(
            Workload(**result["workload"]).title,
            f"[red]{cold}[/]" if slow else cold,
            filled.get("failed") or duration(filled["first_s"]),
            duration(filled.get("later_s")),
            duration(filled.get("import_s")),
            "" if wanted is None else f"{wanted:g} s",
        )
    return table


def _rates(matches) -> Table:
    """Of each gradient: what it reaches, what the machine does, and the share of the rate that bounds it."""
    table = _table("Rates, of the machine and of one gradient", "workload", "peak", "ours", "copy", "ours", "share")
    for match in matches:
        rates = match["rates"]
        title = Workload(**match["workload"]).title
        if "share" not in rates:
            table.add_row(title, rates["failed"], "", "", "", "")
            continue
        peak = rates.get("peak_gflops", rates["gemm_gflops"])
        copy = rates.get("native_copy_gbs", rates["copy_gbs"])
        table.add_row(
            title,
            f"{peak:.1f} GFLOP/s",
            f"{rates['gflops']:.1f}",
            f"{copy:.1f} GB/s",
            f"{rates['gbs']:.1f}",
            f"{100 * rates['share']:.0f} % of {rates['bound']}",
        )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=None, padding=(0, 1, 0, 0), width=WIDTH, title_justify="left", title_style="bold")
    for column in columns:
        words = column in ("workload", "circuit", "best rival")
        table.add_column(column, justify="left" if words else "right", overflow="fold")
    return table


def _against(ratio: float | None, wanted: float | None) -> str:
    if ratio is None:
        return ""
    text = f"{ratio:.2f}"
    if wanted is None:
        return text
    return f"[green]{text}[/]" if ratio >= wanted else f"[red]{text}[/]"


def duration(seconds: float | None) -> str:
    """Seconds or milliseconds with three digits.

    >>> duration(0.00123), duration(12.34)
    ('1.23 ms', '12.3 s')
    """
    if seconds is None:
        return ""
    number, unit = (seconds, "s") if seconds >= 1 else (1e3 * seconds, "ms")
    digits = 2 if number < 10 else 1 if number < 100 else 0
    return f"{number:.{digits}f} {unit}"
