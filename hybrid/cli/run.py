"""The command that runs a study."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybrid.cli.arguments import Json, NoExact, StudyFile

if TYPE_CHECKING:
    from hybrid.ranks.mpi import Ranks
    from hybrid.routing.plan import Plan
    from hybrid.studies.outcome import Outcome
    from hybrid.studies.study import Point, Study


@dataclass(frozen=True)
class Request:
    """The arguments and options of `run`, which describes them."""

    file: Path
    backend: str | None
    folder: Path | None
    resume: bool
    only: list[str] | None
    base: Path | None
    plot: bool
    no_exact: bool
    as_json: bool


def run(
    file: StudyFile,
    backend: Annotated[str | None, typer.Option(metavar="NAME", help="Instead of the study's backend.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the record goes (a new one in runs/).")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what a signal or a kill interrupted.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="POINT", help="Some points of a sweep: names, numbers from 0, 3-7.")
    ] = None,
    base: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where paths in the study start; its own folder by default.")
    ] = None,
    plot: Annotated[bool, typer.Option(help="Write a picture into the folder.")] = True,
    no_exact: NoExact = False,
    as_json: Json = False,
) -> None:
    """Run a study: one workload, a sweep, or a survey.

    Args:
        file: The study file.
        backend: Name of a backend to use instead of the study's.
        folder: Where the record goes; None for a new folder where runs without one of their own go.
        resume: Whether to continue what the folder holds; without a folder, the newest run of the study's name.
        only: Points of a sweep to run: names, numbers from 0, or ranges such as 3-7; None for all.
        base: Folder that relative paths in the study start from; None for the study file's own.
        plot: Whether to draw the result into the folder.
        no_exact: Whether to compute no exact energy, whatever the study says.
        as_json: Whether to print the result as JSON instead of text.

    Raises:
        ToolkitError: on the leading rank, for a wrong study or a run that cannot go on.
        typer.Exit: with the exit code, once the study has ended.
    """
    from hybrid.cli import exit_codes
    from hybrid.ranks import mpi

    with mpi.started(exit_codes.of_error) as ranks:
        if ranks.leads:
            code = _lead(ranks, Request(file, backend, folder, resume, only, base, plot, no_exact, as_json))
        else:
            from hybrid.studies.run import follow

            code = follow(ranks)
    raise typer.Exit(code)


def _lead(ranks: "Ranks", asked: Request) -> int:
    """Run a study with the help of all ranks, and say how it went."""
    from hybrid.cli import exit_codes, show, survey
    from hybrid.loop.stop import Stop
    from hybrid.loop.walltime import end_time
    from hybrid.ranks.mpi import End
    from hybrid.runs.places import fresh, latest
    from hybrid.sites.status import check_idle
    from hybrid.studies.run import run_study
    from hybrid.studies.study import read
    from hybrid.terminal.console import console

    exact = False if asked.no_exact else None
    study = read(asked.file, backend=asked.backend, base=asked.base, exact=exact, surveys=True)
    study = study.only(asked.only) if asked.only else study
    first = study.points()[0]
    name = first.spec.run.name or asked.file.stem
    place = asked.folder or (latest(name) if asked.resume else None) or fresh(name)
    if not study.partial:
        check_idle(place)
    if study.survey is not None:
        return survey.lead(ranks, study, place, resume=asked.resume, plot=asked.plot, as_json=asked.as_json)
    out = console(quiet=asked.as_json)
    swept = bool(study.sweep)

    def announce(point: "Point", plan: "Plan") -> None:
        if point is first:
            out.print(plan)

    def report(outcome: "Outcome") -> None:
        if swept:
            out.print(show.line(outcome), highlight=False)
        elif outcome.result is not None:
            out.print(show.result_table(outcome.result))

    end = end_time()
    with Stop(end) as stop:
        outcomes = run_study(
            study,
            place,
            resume=asked.resume,
            on_plan=announce,
            on_outcome=report,
            should_stop=stop,
            ranks=ranks,
            end=end,
        )
        draws = asked.plot and outcomes and not study.partial and not stop()
        picture = show.draw(outcomes, place, swept=swept) if draws else None
    if picture is not None:
        out.print(f"picture: {picture}", highlight=False, soft_wrap=True)
    if swept:
        out.print(f"record: {place}", highlight=False, soft_wrap=True)
    if asked.as_json:
        print(json.dumps(_summary(study, outcomes, place, ranks.size), allow_nan=False), flush=True)
    code = exit_codes.of_outcomes(outcomes, len(study.points()))
    ranks.broadcast(End(code))
    return code


def _summary(study: "Study", outcomes: "list[Outcome]", place: Path, n_ranks: int) -> dict[str, Any]:
    points = [outcome.to_dict() for outcome in outcomes]
    if study.sweep:
        return {"folder": str(place), "ranks": n_ranks, "points": points}
    return points[0] if points else {"folder": str(place), "status": "stopped", "message": "stopped before it began"}
