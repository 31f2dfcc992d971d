"""The commands that submit studies and end them; `hybrid.cli.status` watches them."""

import json
import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuits.errors import Refused
from hybrid.cli.arguments import Json, RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hybrid.sites.site import Site
    from hybrid.sites.submit import Preview


RESOURCES = {"cpus": "cores a rank", "gpus": "GPUs a rank", "nodes": "nodes", "memory": "of memory a node"}
"""Settings of a site, and what their values are numbers of."""


def submit(
    file: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.", show_default=False)],
    site: Annotated[
        str, typer.Option(metavar="NAME", help="A site of the site file; local is this machine.")
    ] = "local",
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the record goes (a new one in runs/).")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show tasks, commands and script; nothing is written or sent.")
    ] = False,
    time: Annotated[
        str | None, typer.Option(metavar="TIME", help="Wall-time limit of a task, such as 30 (minutes) or 02:00:00.")
    ] = None,
    account: Annotated[str | None, typer.Option(metavar="NAME", help="Slurm's account.")] = None,
    partition: Annotated[str | None, typer.Option(metavar="NAME", help="Slurm's partition.")] = None,
    throttle: Annotated[int | None, typer.Option(metavar="N", help="How many tasks run at the same time.")] = None,
    points_per_task: Annotated[
        str, typer.Option(metavar="N", help="Points that a task takes one after the other; auto for about a minute.")
    ] = "1",
    points: Annotated[
        list[str] | None,
        typer.Option(metavar="POINT", help="Some points: names, numbers from 0, 3-7; others may go elsewhere."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until all have ended; the exit code is that of `hybrid run`.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Submit a study, each point of its sweep a task; given its folder again, what is missing.

    Args:
        file: The study file.
        site: Name of a site.
        folder: Where the record goes; None for a new folder where runs without one of their own go.
        dry_run: Whether to show what would be submitted, and submit nothing.
        time: As the site's own setting, which it replaces; so account, partition and throttle.
        account: See time.
        partition: See time.
        throttle: See time.
        points_per_task: A number from 1, or "auto" for as many as last a minute by their plans.
        points: Names, numbers or ranges of points; None for all.
        wait: Whether to wait for the end, and to fetch what has ended elsewhere.
        as_json: Whether to print JSON: "folder", "site", "points", "jobs", "per_task"; with wait also "results", the
            points of `hybrid status`; with dry_run "folder", "site", "points", "tasks", "commands", "settings",
            "script".

    Raises:
        ToolkitError: as `hybrid.sites.submit.submit`, or for an option that the site does not take.
        typer.Exit: with wait, with the exit code of the study.
    """
    from hybrid.runs.places import fresh
    from hybrid.sites import file as sites
    from hybrid.sites import submit as submissions
    from hybrid.studies.study import read
    from hybrid.terminal.console import console

    given = {"time": time, "account": account, "partition": partition, "throttle": throttle}
    settings = sites.site(site)
    settings = sites.changed(settings, site, {key: value for key, value in given.items() if value is not None})
    if dry_run and wait:
        raise Refused("--dry-run --wait: a dry run submits nothing, so there is nothing to wait for; give one of them")
    per_task, only = _per_task(points_per_task, file), points or ()
    place = folder or fresh(read(file).points()[0].spec.run.name or file.stem)
    out = console(quiet=as_json)
    if dry_run:
        preview = submissions.preview(file, settings, site_name=site, folder=place, per_task=per_task, only=only)
        _show(preview, settings, site, place, as_json=as_json)
        return
    submission = submissions.submit(file, settings, site_name=site, folder=place, per_task=per_task, only=only)
    sent = [] if submission is None else submission.points
    jobs = [] if submission is None else submission.jobs
    if submission is None:
        out.print(f"nothing to submit: {_every(only)} its result in {place}", highlight=False, soft_wrap=True)
    else:
        ids = ", ".join(f"job {job['id']}" for job in jobs if "id" in job)
        tasks = f" in {count(math.ceil(len(sent) / per_task), 'task')}" * (per_task > 1)
        told = f"{count(len(sent), 'point')}{tasks} submitted to {site}" + f" ({ids})" * bool(ids)
        out.print(told, highlight=False)
        out.print(f"record: {place}", highlight=False, soft_wrap=True)
    content = {"folder": str(place), "site": site, "points": sent, "jobs": jobs, "per_task": per_task}
    if wait and submission is not None:
        from hybrid.cli.status import wait_for

        ended, code = wait_for(place, out)
        if as_json:
            print(json.dumps(content | {"results": [point.to_dict() for point in ended]}, allow_nan=False))
        raise typer.Exit(code)
    if as_json:
        print(json.dumps(content))


def _per_task(text: str, file: Path) -> int:
    """How many points a task takes; a choice is told on standard error."""
    from hybrid.sites.submit import LEAST_TASK_S, points_per_task
    from hybrid.terminal.words import duration

    if text != "auto":
        if not (text.isascii() and text.isdecimal() and len(text) < 7 and int(text) > 0):
            raise Refused(f"--points-per-task {text}: must be a whole number from 1 to 999999, or auto")
        return int(text)
    number, seconds = points_per_task(file)
    if math.isnan(seconds):
        _tell("one point in a task: its plan does not know how long a point takes")
    else:
        _tell(
            f"{count(number, 'point')} in a task: a point takes about {duration(seconds, digits=2)} here by its plan, "
            f"and a task is to last {duration(LEAST_TASK_S)} at least"
        )
    return number


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _show(preview: "Preview | None", settings: "Site", site: str, place: Path, *, as_json: bool) -> None:
    """What would be submitted."""
    from hybrid.terminal.console import console

    tasks = {} if preview is None else preview.batch.tasks
    commands = [] if preview is None else preview.commands
    if as_json:
        points = [] if preview is None else list(preview.batch.points)
        content = {"folder": str(place), "site": site, "dry_run": True, "points": points, "commands": commands}
        content["tasks"] = [list(points) for points in tasks.values()]
        content["settings"] = settings.model_dump(mode="json", exclude_defaults=True)
        print(json.dumps(content | {"script": "" if preview is None else preview.script}))
        return
    out = console()

    def say(text: str) -> None:
        out.print(text, highlight=False, soft_wrap=True)

    if preview is None:
        say(f"nothing to submit: every point has its result in {place}")
        return
    batch = preview.batch
    say(f"dry run: nothing is written or sent; {count(len(batch.points), 'point')} would be submitted to {site}")
    say(f"record: {place}")
    say(f"tasks: {len(tasks)}, " + _of_each(batch.per_task, settings))
    for command in commands:
        say(f"command: {shlex.join(command)}")
    say(f"script {batch.script}:")
    say("")
    say(preview.script.rstrip("\n"))


def _of_each(per_task: int, settings: "Site") -> str:
    """The resources of a task, in words."""
    table = settings.model_dump()
    shown = [count(per_task, "point"), count(settings.ranks, "rank")]
    shown += [f"{table[key]} {words}" for key, words in RESOURCES.items() if table.get(key)]
    shown.append(f"time {settings.time}" if settings.time else "no limit of time")
    at_once = settings.throttle or (1 if settings.kind == "local" else None)
    return f"each {', '.join(shown)}" + (f"; at most {at_once} at a time" if at_once else "")


def _every(only: "Sequence[str]") -> str:
    return "every point that was named has" if only else "every point has"


def fetch(folder: RunFolder, as_json: Json = False) -> None:
    """Fetch the results of points that have ended at a facility; each is checked on its way into the folder.

    Args:
        folder: Of the study.
        as_json: Whether to print JSON: "folder", "fetched".

    Raises:
        ToolkitError: as `hybrid.sites.fetch.fetch`.
    """
    from hybrid.sites.fetch import fetch as bring
    from hybrid.terminal.console import console

    came = bring(folder)
    if as_json:
        print(json.dumps({"folder": str(folder), "fetched": came}))
        return
    console().print(f"{count(len(came), 'point')} fetched", highlight=False)


def cancel(
    folder: RunFolder,
    points: Annotated[
        list[str] | None, typer.Argument(metavar="POINT", help="Names, numbers from 0, or 3-7; all without any.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Cancel points of a submitted study, or all; running ones save their work first.

    Args:
        folder: Of the study.
        points: Names, numbers or ranges; None for all.
        as_json: Whether to print JSON: "folder", "cancelled".

    Raises:
        ToolkitError: as `hybrid.sites.cancel.cancel`.
    """
    from hybrid.sites.cancel import cancel as end
    from hybrid.terminal.console import console

    ended = end(folder, points or ())
    if as_json:
        print(json.dumps({"folder": str(folder), "cancelled": ended}))
        return
    console().print(f"{count(len(ended), 'point')} cancelled", highlight=False)


def count(number: int, word: str) -> str:
    """A number of things.

    >>> count(1, "point"), count(3, "point")
    ('1 point', '3 points')
    """
    return f"{number} {word}" + "s" * (number != 1)
