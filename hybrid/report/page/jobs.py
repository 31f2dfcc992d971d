"""What was sent to vendors, what it cost, and how the run went on where a backend failed."""

import time

from hybrid.report.page.html import Html, fold, note, section, table, tag
from hybrid.runs.account import Account
from hybrid.runs.failovers import described
from hybrid.runs.jobs import JobRow
from hybrid.runs.queue_time import queue_of, ways_of

MOST = 500
"""Jobs of the table; the journal holds all of them."""


def jobs(run: Account) -> Html | None:
    """Every job, with its charge; None where none was sent."""
    sent = run.content.jobs
    if not sent:
        return None
    charge = run.charge
    told = "nothing may have to be paid"
    if charge is not None:
        price = f"${charge.usd:,.2f}" if charge.priced else "a price that is not known"
        told = f"{charge.shots:,} shots, {charge.qpu_s:,.3g} s on devices, {price}"
    states = {status: sum(job.status == status for job in sent) for status in dict.fromkeys(job.status for job in sent)}
    count = ", ".join(f"{n:,} {status}" for status, n in states.items())
    said = f"{len(sent):,} job{'s' if len(sent) != 1 else ''} ({count}): {told}."
    columns = ("Job", "Device", "Vendor's id", "Status", "Sent (UTC)", "Queue")
    columns = (*columns, "Circuits", "Shots of each", "Charge", "Reason")
    rows = [_row(job) for job in sent[:MOST]]
    listed = table(columns, rows, caption="Jobs", numbers=("Circuits", "Shots of each", "Charge"))
    notes = map(note, ways_of(sent))
    more = tag("p", f"The first {MOST} of {len(sent):,}.", class_="note") if len(sent) > MOST else None
    return section("Jobs and charges", tag("p", said), fold("Every job", listed, *notes, more))


def _row(job: JobRow) -> tuple[str, ...]:
    sent = job.sent_at if job.sent_at is not None else job.intended_at
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(sent))
    charge = f"${job.charge.usd:,.4g}" if job.charge.usd else f"{job.charge.qpu_s:.3g} s" if job.charge.qpu_s else "–"
    attempt = f", attempt {job.attempt + 1}" if job.attempt else ""
    where = f"evaluation {job.place}{attempt}"
    return (
        where,
        job.hardware,
        job.id or "–",
        job.status,
        when,
        queue_of(job).text("–"),
        f"{job.circuits:,}",
        f"{job.shots:,}",
        charge,
        job.reason,
    )


def failovers(run: Account) -> Html | None:
    """How the run went on at other backends; None where it did not."""
    changes = [tag("li", described(change.to_dict())) for change in run.content.failovers]
    return section("Failovers", tag("ol", changes)) if changes else None
