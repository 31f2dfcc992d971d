"""The command that shows the jobs of a run at a vendor, waits for them, and is told what became of them."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuits.errors import Refused
from hybrid.cli.arguments import Json, RunFolder

if TYPE_CHECKING:
    from hybrid.loop.jobs import Entry


def jobs(
    folder: RunFolder,
    adopt: Annotated[
        str | None, typer.Option(metavar="ID", help="The vendor's id of the job whose id never arrived.")
    ] = None,
    resend: Annotated[
        bool, typer.Option("--resend", help="Allow what is lost, failed or cancelled to be sent anew.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Ask the vendor to stop what waits or runs.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until nothing waits or runs at the vendor.")] = False,
    job: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="One job, such as 3.0, for --adopt, --resend and --cancel.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the jobs of a run, sweep, algorithm or benchmark; wait for them, cancel them, say what became of them.

    Args:
        folder: Of a run, a sweep, an algorithm or a benchmark.
        adopt: The vendor's id of the job whose id never arrived; the run then waits for it.
        resend: Whether jobs that are lost, failed or cancelled may be sent anew, which resuming the run then does.
        cancel: Whether the vendor is asked to stop the jobs that have not ended.
        wait: Whether to wait until all have ended.
        job: Which one is meant, by the number in the list; None for the only one, or all.
        as_json: Whether to print JSON: "jobs" with one object for each, "budget", "spent".

    Raises:
        Refused: if the folder holds no run, or no such job.
        ProviderUnreachable: if the vendor does not answer.
        Stopped: if a signal ended the waiting.
        typer.Exit: with the code 5 if a job that was waited for did not end well.
    """
    from hybrid.loop import jobs as at_vendor

    if (adopt is not None) + resend + cancel + wait > 1:
        raise Refused("--adopt, --resend, --cancel and --wait exclude each other")
    failures: list[Any] = []
    if adopt is not None:
        at_vendor.adopt(folder, adopt, job=job)
    if resend:
        at_vendor.resend(folder, job=job)
    if cancel:
        at_vendor.cancel(folder, job=job)
    if wait:
        failures = _waited(folder)
    entries, (granted, spent) = at_vendor.listed(folder), at_vendor.budget(folder)
    if as_json:
        content = {"folder": str(folder), "jobs": [entry.to_dict() for entry in entries]}
        print(json.dumps(content | {"budget": vars(granted), "spent": vars(spent)}, allow_nan=False))
    else:
        _print(folder, entries)
        _print_budget(folder)
    if failures:
        from hybrid.cli.exit_codes import PROVIDER_FAILED

        for failure in failures:
            print(f"hybrid: {failure}", file=sys.stderr)
        raise typer.Exit(PROVIDER_FAILED)


def _waited(folder: Path) -> list[Any]:
    """Wait for all jobs; a signal ends the waiting, and the jobs go on."""
    from hybrid.cli.exit_codes import STOPPED
    from hybrid.loop import jobs as at_vendor
    from hybrid.loop.stop import Stop, Stopped, pausing
    from hybrid.loop.walltime import end_time

    with Stop(end_time()) as stop:
        try:
            return at_vendor.wait(folder, pause=lambda seconds: pausing(seconds, stop))
        except Stopped:
            print("hybrid: stopped waiting; the jobs go on", file=sys.stderr)
            raise typer.Exit(STOPPED) from None


def _print(folder: Path, entries: "list[Entry]") -> None:
    from hybrid.runs.queue_time import queue_of, ways_of
    from hybrid.terminal.console import console, table
    from hybrid.terminal.rows import put_text

    several = len({entry.journal for entry in entries}) > 1
    rows = table(
        *(["run"] if several else []), "job", "id", "vendor", "status", "shots", "charge", "sent (UTC)", "queue"
    )
    for entry in entries:
        row, facts = entry.row, entry.to_dict()
        status = f"{row.status}: {row.reason}" if row.reason else row.status
        shots = f"{row.circuits} x {row.shots}"
        cells = [str(row.place), row.id or "-", row.hardware, status, shots, _charge(facts)]
        cells += [facts["sent_utc"] or "-", queue_of(row).text()]
        rows.add_row(*([entry.journal.parent.name] if several else []), *cells)
    console().print(rows if entries else f"{folder} has sent no jobs")
    for line in ways_of([entry.row for entry in entries]):
        put_text(console(), line)


def _print_budget(folder: Path) -> None:
    from hybrid.loop.jobs import budget
    from hybrid.runs.budget import described
    from hybrid.terminal.console import console

    for line in described(*budget(folder)):
        console().print(line, highlight=False, soft_wrap=True)


def _charge(facts: dict[str, Any]) -> str:
    parts = [f"{facts['usd']:.4g} USD" if facts["usd"] else "", f"{facts['qpu_s']:.4g} s" if facts["qpu_s"] else ""]
    return ", ".join(part for part in parts if part) or "-"
