"""Where the time of a run went."""

from hybrid.codesign.machine.split import bottleneck, measured_split
from hybrid.report.page.html import Html, section, table, tag
from hybrid.runs.account import Account


def where_the_time_went(run: Account) -> Html | None:
    """The wall time by part, and the bottleneck in a sentence; None for a run without a result."""
    if run.result is None:
        return None
    split = measured_split(run)
    if not split.total_s:
        return None
    columns = ("Part", "Time", "Share", "What it is")
    listed = table(columns, split.rows(), caption="Wall time by part", numbers=columns[1:3], folds=True)
    notes = [tag("p", note, class_="note") for note in split.notes]
    return section("Where the time went", tag("p", bottleneck(split.seconds)), listed, notes)
