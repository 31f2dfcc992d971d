"""The command that shows where submitted studies stand, once or until they have ended."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuits.errors import ProviderUnreachable
from hybrid.cli.arguments import Json, OptionalRunFolder
from hybrid.cli.looks import Look, StudyLook, in_words, look

if TYPE_CHECKING:
    from rich.console import Console

    from hybrid.sites.status import PointStatus

FIRST_LOOK_S, LAST_LOOK_S, SLOWER = 0.5, 10.0, 1.3
"""Seconds between two looks, at the beginning and after a while, and how that grows: a scheduler is not to be pestered.
"""

PATIENCE_S = 600.0
"""How long a scheduler may be silent before nobody waits for it any longer."""

MARGIN = 5
"""Lines of a terminal that are not for points."""

ENDED_EARLY = ("cancelled", "interrupted", "missing", "stopped", "ended")
"""States that submitting again, or fetching, continues."""


def status(
    folder: OptionalRunFolder = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again until all have ended; Ctrl-C ends the looking alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show where the points of a submitted study stand, with the energies of those that are done.

    Args:
        folder: Of the study; None for a list of all that were submitted.
        watch: Whether to look again and again until nothing waits or runs.
        as_json: Whether to print JSON: "counts" and "points"; with watch one object on a line for each change.

    Raises:
        Refused: if nothing was submitted to the folder, or its record is damaged.
        ProviderUnreachable: if points may wait or run, and the scheduler cannot be asked.
    """
    from hybrid.terminal.console import console

    out = console(quiet=as_json)
    if watch:
        _watch(folder, out, as_json=as_json)
        return
    seen = look(folder)
    _print(seen, out, as_json=as_json)
    seen.check_known()


def wait_for(folder: Path, out: "Console") -> "tuple[list[PointStatus], int]":
    """Wait until nothing of a submitted study waits or runs any more, with a line for each change; then fetch it.

    Args:
        folder: Of the study.
        out: Where the lines go.

    Returns:
        Where its points stand then, and the exit code that `hybrid run` would have. Ctrl-C ends the waiting alone, with
        the code of a run that was stopped.

    Raises:
        ProviderUnreachable: if the scheduler was silent for ten minutes.
    """
    from hybrid.cli.exit_codes import STOPPED
    from hybrid.sites.fetch import fetch
    from hybrid.sites.status import status as where_all_stand

    seen, said = StudyLook(folder, []), ""
    try:
        for now in _looks(folder):
            assert isinstance(now, StudyLook)
            seen = now
            if (line := in_words(seen.counts)) != said:
                out.print(line, highlight=False, soft_wrap=True)
            said = line
    except KeyboardInterrupt:
        print(f"hybrid: no longer waiting; the study goes on: see `hybrid status {folder}`", file=sys.stderr)
        return seen.points, STOPPED
    if seen.counts["ended"]:
        fetch(folder)
        seen = StudyLook(folder, where_all_stand(folder))
    _print(seen, out, as_json=False)
    return seen.points, code_of(seen.points)


def code_of(points: "Sequence[PointStatus]") -> int:
    """The exit code of a study that has ended, as `hybrid.cli.exit_codes.of_outcomes` has it for one that ran here."""
    from hybrid.cli.exit_codes import DONE, NOT_CONVERGED, STOPPED, WRONG_INPUT

    states = {point.state for point in points}
    if states.intersection(ENDED_EARLY):
        return STOPPED
    if errors := [point.exit_code or WRONG_INPUT for point in points if point.state in ("failed", "damaged")]:
        return max(errors)
    return DONE if states <= {"converged"} else NOT_CONVERGED


def _looks(folder: Path | None) -> Iterator[Look]:
    """Looks at a study, or at all, until nothing waits or runs."""
    pause, known_at = FIRST_LOOK_S, time.monotonic()
    while True:
        seen = look(folder)
        try:
            seen.check_known()
            known_at = time.monotonic()
        except ProviderUnreachable:
            if time.monotonic() - known_at > PATIENCE_S:
                raise
        yield seen
        if seen.has_ended:
            return
        time.sleep(pause)
        pause = min(SLOWER * pause, LAST_LOOK_S)


def _watch(folder: Path | None, out: "Console", *, as_json: bool) -> None:
    """Look until all have ended; drawn anew in a terminal, and elsewhere printed when a state has changed."""
    from rich.console import Group
    from rich.live import Live

    try:
        if out.is_terminal and not as_json:
            with Live(console=out, auto_refresh=False) as live:
                for seen in _looks(folder):
                    live.update(Group(*seen.drawn(out.width, most=max(out.height - MARGIN, MARGIN))), refresh=True)
            return
        said = None
        for seen in _looks(folder):
            if seen.state != said:
                _print(seen, out, as_json=as_json)
            said = seen.state
    except KeyboardInterrupt:
        return


def _print(seen: Look, out: "Console", *, as_json: bool) -> None:
    from rich.text import Text

    if as_json:
        print(json.dumps(seen.to_dict(), allow_nan=False), flush=True)
    for piece in seen.drawn(out.width):
        out.print(piece, highlight=False, soft_wrap=isinstance(piece, Text))
