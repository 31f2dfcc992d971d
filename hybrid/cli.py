"""The command line."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuits.errors import (
    BudgetExceeded,
    FailedJob,
    LostJob,
    PolicyViolation,
    ProviderUnreachable,
    RecordFailed,
    Refused,
    ToolkitError,
)
from hybrid import batch

if TYPE_CHECKING:
    from hybrid.distributed import Ranks
    from hybrid.studies.outcome import Outcome

DONE, UNRECORDED, WRONG_INPUT, NOT_CONVERGED, NOT_ALLOWED, PROVIDER_FAILED, STOPPED = 0, 1, 2, 3, 4, 5, 75

app = typer.Typer(
    help="Variational quantum workloads: written once, run where they fit, with a record that can be checked.",
    epilog=(
        "Exit codes: 0 done, 1 the record could not be written, 2 wrong input, 3 not converged, 4 refused by policy or "
        "budget, 5 a provider failed, 75 stopped by a signal with all work saved (continue with --resume)."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StudyFile = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.", show_default=False)]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


@app.command()
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
    as_json: Json = False,
) -> None:
    """Run a study: one workload, or a sweep."""
    from hybrid import distributed

    with distributed.started(_code_of) as ranks:
        if ranks.leads:
            code = _lead(ranks, file, backend, folder, resume, only, base, plot, as_json)
        else:
            from hybrid.studies.run import follow

            code = follow(ranks)
    raise typer.Exit(code)


def _lead(
    ranks: "Ranks",
    file: Path,
    backend: str | None,
    folder: Path | None,
    resume: bool,
    only: list[str] | None,
    base: Path | None,
    plot: bool,
    as_json: bool,
) -> int:
    """Run a study with the help of all ranks, and say how it went; see `run` for the rest."""
    from hybrid import terminal
    from hybrid.distributed import End
    from hybrid.runs import folder as folders
    from hybrid.signals import Stop
    from hybrid.sites.status import check_idle
    from hybrid.studies.run import run_study
    from hybrid.studies.study import read
    from hybrid.walltime import end_time

    study = read(file, backend=backend, base=base)
    study = study.only(only) if only else study
    first = study.points()[0]
    name = first.spec.run.name or file.stem
    place = folder or (folders.latest(name) if resume else None) or folders.fresh(name)
    if not study.partial:
        check_idle(place)
    out = terminal.console(quiet=as_json)
    swept = bool(study.sweep)

    def announce(point: Any, plan: Any) -> None:
        if point is first:
            out.print(plan)

    def report(outcome: "Outcome") -> None:
        if swept:
            out.print(terminal.line(outcome), highlight=False)
        elif outcome.result is not None:
            out.print(terminal.result_table(outcome.result))

    end = end_time()
    with Stop(end) as stop:
        outcomes = run_study(
            study, place, resume=resume, on_plan=announce, on_outcome=report, should_stop=stop, ranks=ranks, end=end
        )
        draws = plot and outcomes and not study.partial and not stop()
        picture = terminal.draw(outcomes, place, swept=swept) if draws else None
    if picture is not None:
        out.print(f"picture: {picture}", highlight=False, soft_wrap=True)
    if swept:
        out.print(f"record: {place}", highlight=False, soft_wrap=True)
    if as_json:
        summary = [outcome.to_dict() for outcome in outcomes]
        whole = {"folder": str(place), "ranks": ranks.size, "points": summary}
        nothing = {"folder": str(place), "status": "stopped", "message": "stopped before it began"}
        print(json.dumps(whole if swept else summary[0] if summary else nothing, allow_nan=False), flush=True)
    code = STOPPED if len(outcomes) < len(study.points()) else _exit_code(outcomes)
    ranks.share(End(code))
    return code


@app.command()
def plan(file: StudyFile, as_json: Json = False) -> None:
    """Show where a study would run, how long, with how much memory, and why; nothing is started."""
    from hybrid import terminal
    from hybrid.studies.run import plan_of
    from hybrid.studies.study import read

    plans = [(point, plan_of(point)[1]) for point in read(file).points()]
    out = terminal.console(quiet=as_json)
    for point, ways in plans:
        if point.values:
            out.print(point.name, style="bold")
        out.print(ways)
    if as_json:
        content = [{"values": dict(point.values)} | ways.to_dict() for point, ways in plans]
        print(json.dumps(content[0] if len(content) == 1 else {"points": content}, allow_nan=False))
    for _, ways in plans:
        ways.chosen  # noqa: B018 - refuses if nothing can run it


@app.command()
def backends(
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure their speed again (some seconds each).")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the backends: what is here, what works, how fast."""
    from hybrid import terminal
    from hybrid.routing.survey import survey

    entries = survey(calibrate=calibrate)
    if as_json:
        print(json.dumps({"backends": [entry.to_dict() for entry in entries]}, allow_nan=False))
        return
    table = terminal.table("backend", "value", "gradient", "what")
    table.caption = "times: measured speed at 12 qubits and 160 passes over the state; --calibrate measures anew"
    for entry in entries:
        table.add_row(*entry.cells())
    terminal.console().print(table)


@app.command()
def runs(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="Where to look; runs/ by default.")] = None,
    as_json: Json = False,
) -> None:
    """List the runs in a folder."""
    from hybrid import terminal
    from hybrid.runs.listing import listing

    entries = listing(folder)
    if as_json:
        print(json.dumps({"runs": entries}, allow_nan=False))
        return
    table = terminal.table("run", "problem", "backend", "status", "energy")
    for entry in entries:
        table.add_row(entry["folder"], entry["problem"], entry["backend"], entry["status"], terminal.energy(entry))
    terminal.console().print(table if entries else "no runs here")


@app.command()
def show(folder: RunFolder, as_json: Json = False) -> None:
    """Show a run: what was asked, where it ran, what came out."""
    from hybrid import terminal
    from hybrid.runs.listing import entry_of, sweep_of

    points = sweep_of(folder)
    if points is not None:
        if as_json:
            print(json.dumps({"points": points}, allow_nan=False))
        else:
            table = terminal.table("point", "status", "energy")
            for point in points:
                table.add_row(point["folder"], point["status"], terminal.energy(point))
            terminal.console().print(table)
        return
    entry = entry_of(folder)
    if as_json:
        print(json.dumps(entry, allow_nan=False))
        return
    table = terminal.table("what", "value")
    for key, value in entry.items():
        table.add_row(key, terminal.words(key, value))
    terminal.console().print(table)


@app.command()
def verify(folder: RunFolder, as_json: Json = False) -> None:
    """Judge a finished run: its energy on other engines, the variational bound, the gradient, the precision."""
    from hybrid import terminal
    from hybrid.verification import verify as judge

    verification = judge(folder)
    if as_json:
        print(json.dumps(verification.to_dict(), allow_nan=False))
    else:
        terminal.console().print(verification)
    raise typer.Exit(DONE if verification.passed else NOT_CONVERGED)


@app.command()
def new(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help="What to start from; none lists them.")] = None,
) -> None:
    """Print a commented study file to start from."""
    from hybrid.studies.templates import kinds, template

    print("\n".join(kinds()) if kind is None else template(kind).rstrip("\n"))


batch.register(app)


def main() -> None:
    """Run the command line; every error of this toolkit becomes one message and an exit code."""
    try:
        app()
    except ToolkitError as err:
        print(f"hybrid: {err}", file=sys.stderr)
        sys.exit(_code_of(err))
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone, as in `hybrid runs | head`


def _code_of(err: ToolkitError) -> int:
    if isinstance(err, PolicyViolation | BudgetExceeded):
        return NOT_ALLOWED
    if isinstance(err, FailedJob | LostJob | ProviderUnreachable):
        return PROVIDER_FAILED
    if isinstance(err, RecordFailed):
        return UNRECORDED
    assert isinstance(err, Refused)
    return WRONG_INPUT


def _exit_code(outcomes: "list[Outcome]") -> int:
    if any(outcome.error is not None for outcome in outcomes):
        return max(_code_of(outcome.error) for outcome in outcomes if outcome.error is not None)
    statuses = {outcome.result.status for outcome in outcomes if outcome.result is not None}
    if "stopped" in statuses:
        return STOPPED
    return DONE if statuses <= {"converged"} else NOT_CONVERGED


if __name__ == "__main__":
    main()
