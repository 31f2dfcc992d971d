"""The commands that submit studies, watch them and end them."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuits.errors import ProviderUnreachable, Refused
from hybrid.cli.arguments import Json

if TYPE_CHECKING:
    from hybrid.sites.status import PointStatus


def submit(
    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.", show_default=False)],
    site: Annotated[
        str, typer.Option(metavar="NAME", help="A site of the site file; local is this machine.")
    ] = "local",
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the record goes (a new one in runs/).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Submit a study, each point of its sweep a task; given its folder again, what is missing."""
    from hybrid.runs.places import fresh
    from hybrid.sites import file as sites
    from hybrid.sites.submit import submit as hand_over
    from hybrid.studies.study import read
    from hybrid.terminal import console as terminal

    settings = sites.site(site)
    place = folder or fresh(read(file).points()[0].spec.run.name or file.stem)
    submission = hand_over(file, settings, site_name=site, folder=place)
    points = [] if submission is None else submission.points
    jobs = [] if submission is None else submission.jobs
    if as_json:
        print(json.dumps({"folder": str(place), "site": site, "points": points, "jobs": jobs}))
        return
    out = terminal.console()
    if submission is None:
        out.print(f"nothing to submit: every point has its result in {place}", highlight=False, soft_wrap=True)
        return
    ids = ", ".join(f"job {job['id']}" for job in jobs if "id" in job)
    out.print(f"{_count(len(points), 'point')} submitted to {site}" + f" ({ids})" * bool(ids), highlight=False)
    out.print(f"record: {place}", highlight=False, soft_wrap=True)


def status(
    folder: Annotated[
        Path | None, typer.Argument(metavar="RUN", help="What was submitted; without it, list them.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show where the points of a submitted study stand, with the energies of those that are done."""
    from hybrid.sites.status import status as stand
    from hybrid.terminal import console as terminal
    from hybrid.terminal import words

    if folder is None:
        _list(as_json=as_json)
        return
    points = stand(folder)
    counts = Counter(point.state for point in points)
    if as_json:
        content = {"folder": str(folder), "counts": counts, "points": [point.to_dict() for point in points]}
        print(json.dumps(content, allow_nan=False))
    else:
        table = terminal.table("point", "name", "state", "energy", "output")
        for point in points:
            cells = (_state(point), words.energy(point.to_dict()), _near(point.output))
            table.add_row(str(point.number), point.name, *cells)
        out = terminal.console()
        out.print(table)
        out.print(_words(counts), highlight=False)
    if why := next((point.message for point in points if point.state == "unknown"), None):
        raise ProviderUnreachable(f"{counts['unknown']} of its points may wait or run, or not: {why}")


def cancel(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="What was submitted.", show_default=False)],
    points: Annotated[
        list[str] | None, typer.Argument(metavar="POINT", help="Names, numbers from 0, or 3-7; all without any.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Cancel points of a submitted study, or all; running ones save their work first."""
    from hybrid.sites.cancel import cancel as end
    from hybrid.terminal import console as terminal

    ended = end(folder, points or ())
    if as_json:
        print(json.dumps({"folder": str(folder), "cancelled": ended}))
        return
    terminal.console().print(f"{_count(len(ended), 'point')} cancelled", highlight=False)


def _list(*, as_json: bool) -> None:
    """Every folder in the home of runs that a study was submitted to."""
    from hybrid.runs.places import home
    from hybrid.sites.record import is_submitted
    from hybrid.sites.status import status as stand
    from hybrid.terminal import console as terminal

    table, entries = terminal.table("run", "points"), []
    for path in sorted(home().glob("*")):
        if is_submitted(path):
            try:
                counts = Counter(point.state for point in stand(path))
            except Refused:  # `hybrid status RUN` says what is wrong with it
                counts = Counter(damaged=1)
            entries.append({"folder": str(path), "counts": counts})
            table.add_row(str(path), _words(counts))
    if as_json:
        print(json.dumps({"runs": entries}))
    else:
        terminal.console().print(table if entries else "nothing was submitted from here")


def _state(point: "PointStatus") -> str:
    code = "" if point.exit_code is None else f" (exit code {point.exit_code})"
    return point.state + (f": {point.message}" if point.message else "") + code


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {state}" for state, number in counts.most_common())


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + "s" * (number != 1)


def _near(path: Path) -> str:
    """The path from here, where it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
