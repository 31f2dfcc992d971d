"""The commands that say what would happen, and what there is."""

import json
import sys
from typing import Annotated

import typer

from hybrid.cli.arguments import Json, NoExact, StudyFile

TABLE_WIDTH = 96
"""Columns of a terminal below which backends are a list instead of a table."""


def plan(
    file: StudyFile,
    backend: Annotated[str | None, typer.Option(metavar="NAME", help="Instead of the study's backend.")] = None,
    no_exact: NoExact = False,
    as_json: Json = False,
) -> None:
    """Show where a study would run, how long, for how much money, and why; nothing is started.

    Args:
        file: The study file.
        backend: Name of a backend to use instead of the study's.
        no_exact: Whether to plan without the exact energy, whatever the study says.
        as_json: Whether to print JSON: the plan of a single workload, or "points" with one for each point of a sweep,
            or of a survey's first design, with "most", what all its runs take at most.

    Raises:
        Refused: if the study is wrong, or no backend can run one of its points and no device is known that could.
    """
    from hybrid.cli.survey import most, most_text
    from hybrid.studies.preparation import plan_of
    from hybrid.studies.study import read
    from hybrid.terminal.console import console

    study = read(file, backend=backend, exact=False if no_exact else None, surveys=True)
    plans = [(point, plan_of(point)) for point in study.points()]
    out = console(quiet=as_json)
    for point, its_plan in plans:
        if point.values:
            out.print(point.name, style="bold")
        out.print(its_plan)
    whole = None if study.survey is None else most(study, [its_plan for _, its_plan in plans])
    if whole is not None:
        out.print(most_text(whole), highlight=False, soft_wrap=True)
    if as_json:
        content = [{"values": dict(point.values)} | its_plan.to_dict() for point, its_plan in plans]
        several = {"points": content} | ({} if whole is None else {"most": whole})
        print(json.dumps(content[0] if len(content) == 1 and whole is None else several, allow_nan=False))
    for _, its_plan in plans:
        if not its_plan.forecasts:
            its_plan.chosen  # noqa: B018 - refuses if nothing can run it


def backends(
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure their speed again (some seconds each).")
    ] = False,
    install: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Make the environment that a vendor's packages need, or make it anew."),
    ] = None,
    uninstall: Annotated[str | None, typer.Option(metavar="NAME", help="Remove such an environment.")] = None,
    as_json: Json = False,
) -> None:
    """List the backends: what is here, what works, how fast, and which options each takes.

    Args:
        calibrate: Whether to measure their speeds again.
        install: Name of an environment to make first, such as "iqm".
        uninstall: Name of an environment to remove first.
        as_json: Whether to print JSON: "backends" with one object for each.

    Raises:
        Refused: for an environment that nobody knows, or that another process is making.
        FailedJob: if an installation failed.
    """
    from hybrid.routing.survey import survey
    from hybrid.terminal.console import console, table

    for name, change in ((uninstall, _uninstall), (install, _install)):
        if name is not None:
            change(name)
    entries = survey(calibrate=calibrate)
    if as_json:
        print(json.dumps({"backends": [entry.to_dict() for entry in entries]}, allow_nan=False))
        return
    out = console()
    told = (
        "times of one row of parameters, 4 layers on 12 qubits, predicted for this machine; --calibrate measures them"
    )
    if out.width < TABLE_WIDTH:
        for entry in entries:
            out.print(entry.line(), highlight=False)
        out.print(told, highlight=False)
        return
    rows = table("backend", "value", "gradient", "what", "options")
    rows.caption = told
    for entry in entries:
        rows.add_row(*entry.cells())
    out.print(rows)


def _install(name: str) -> None:
    from backends.memory import readable
    from backends.providers.worker.environment import install
    from backends.providers.worker.recipes import recipe

    made = install(recipe(name), told=_tell)
    _tell(f"{name}: {readable(made.size_bytes)} in {made.folder}")


def _uninstall(name: str) -> None:
    from backends.providers.worker.environment import uninstall
    from backends.providers.worker.recipes import recipe

    _tell(f"{name}: removed" if uninstall(recipe(name)) else f"{name}: was not installed")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def new(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="What to start from; none lists them.")] = None,
) -> None:
    """Print a commented study file to start from, or a site file.

    Args:
        kind: Name of a template, or "site"; None to list the names.

    Raises:
        Refused: for an unknown name.
    """
    from hybrid.studies.templates import kinds, template

    if kind == "site":
        from hybrid.sites.file import template as site_file

        print(site_file().rstrip("\n"))
        return
    print("\n".join([*kinds(), "site"]) if kind is None else template(kind).rstrip("\n"))
