"""The command that shows runs side by side, or what two benchmarks differ in."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid.cli.arguments import Json

if TYPE_CHECKING:
    from hybrid.ranks.mpi import Ranks
    from hybrid.runs.comparison import Comparison
    from hybrid.studies.outcome import Outcome

PICTURE = "comparison.png"


@dataclass(frozen=True)
class Request:
    """The options of `compare`, which describes them, for a study."""

    file: Path
    backends: list[str]
    optimizers: list[str]
    folder: Path | None
    resume: bool
    plot: bool
    as_json: bool


def compare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="STUDY.toml | RUN...",
            help="A study file, folders of runs and sweeps, or two benchmarks.",
        ),
    ],
    backends: Annotated[str, typer.Option(metavar="A,B", help="Run the study on each of these backends.")] = "",
    optimizers: Annotated[str, typer.Option(metavar="A,B", help="Run the study with each of these optimizers.")] = "",
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the record goes (a new one in runs/).")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue what a signal or a kill interrupted.")] = False,
    plot: Annotated[bool, typer.Option(help="Write a picture into the folder.")] = True,
    as_json: Json = False,
) -> None:
    """Show runs side by side, of a study on several backends or with several optimizers, or two benchmarks.

    Args:
        paths: One study file, folders of what has been run, or of two benchmarks the folders or JSON files.
        backends: Names with commas between, for a study.
        optimizers: The same, of optimizers; with both, every one runs on every backend.
        folder: Where the record of a study goes; None for a new folder where runs without one of their own go. Of runs
            that are there already, where the picture goes; None for no picture.
        resume: Whether to continue what the folder holds; without a folder, the newest comparison of the study.
        plot: Whether to draw a picture.
        as_json: Whether to print JSON: "runs" with one object for each; of benchmarks their "differences".

    Raises:
        ToolkitError: for a wrong study, folders without runs, or a run that cannot go on.
        typer.Exit: with the exit code of the study, once it has ended.
    """
    from circuits.errors import Refused
    from hybrid.cli import exit_codes
    from hybrid.ranks import mpi

    named = _split(backends), _split(optimizers)
    if not any(path.suffix == ".toml" for path in paths):
        if any(named) or resume:
            raise Refused(f"--backends, --optimizers and --resume are for a study file, and {paths[0]} is none")
        _show_stored(paths, folder if plot else None, as_json)
        return
    if len(paths) > 1:
        raise Refused(f"{len(paths)} paths were given: compare one study file, or any number of folders of runs")
    with mpi.started(exit_codes.of_error) as ranks:
        if ranks.leads:
            code = _lead(ranks, Request(paths[0], *named, folder, resume, plot, as_json))
        else:
            from hybrid.studies.run import follow

            code = follow(ranks)
    raise typer.Exit(code)


def _split(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _show_stored(paths: list[Path], folder: Path | None, as_json: bool) -> None:
    from zipfile import is_zipfile

    from hybrid.runs.comparison import compare
    from hybrid.runs.folder import is_benchmark

    if any(is_benchmark(path) or (path.is_file() and not is_zipfile(path)) for path in paths):
        _show_benchmarks(paths, folder, as_json)
        return
    _show(compare(paths), folder, as_json)


def _show_benchmarks(paths: list[Path], folder: Path | None, as_json: bool) -> None:
    """Print what a benchmark differs in from an earlier one, as `hybrid bench --against` does."""
    from circuits.errors import Refused
    from hybrid.runs.benchmark.compare import differences
    from hybrid.runs.benchmark.folder import read_record
    from hybrid.terminal.console import console

    if len(paths) != 2:
        raise Refused(f"two benchmarks are compared, the earlier one first, and {len(paths)} were given")
    if folder is not None:
        raise Refused("of two benchmarks there is no picture that --folder could take: leave it out")
    found = differences(*map(read_record, paths))
    if as_json:
        print(json.dumps(found.to_dict(), allow_nan=False))
    else:
        console().print(str(found), highlight=False, soft_wrap=True, markup=False)


def _show(comparison: "Comparison", folder: Path | None, as_json: bool) -> None:
    """Print runs side by side, and draw them into a folder if there is one."""
    from hybrid.cli import show
    from hybrid.terminal.console import console

    out = console(quiet=as_json)
    out.print(comparison)
    picture = None if folder is None else show.save(comparison.plot(), folder / PICTURE)
    if picture is not None:
        out.print(f"picture: {picture}", highlight=False, soft_wrap=True)
    if as_json:
        content = comparison.to_dict() | ({} if picture is None else {"picture": str(picture)})
        print(json.dumps(content, allow_nan=False), flush=True)


def _lead(ranks: "Ranks", asked: Request) -> int:
    """Run every alternative of a study with the help of all ranks, and show what came of them."""
    from hybrid.cli import exit_codes, show
    from hybrid.loop.stop import Stop
    from hybrid.loop.walltime import end_time
    from hybrid.ranks.mpi import End
    from hybrid.runs.comparison import compare
    from hybrid.runs.places import fresh, latest
    from hybrid.runs.result import Result
    from hybrid.studies.alternatives import read_alternatives
    from hybrid.studies.run import run_study
    from hybrid.terminal.console import console

    study = read_alternatives(asked.file, backends=asked.backends, optimizers=asked.optimizers)
    name = f"{study.points()[0].spec.run.name or asked.file.stem}-compared"
    place = asked.folder or (latest(name) if asked.resume else None) or fresh(name)
    out = console(quiet=asked.as_json)

    def report(outcome: "Outcome") -> None:
        out.print(show.line(outcome), highlight=False)

    end = end_time()
    with Stop(end) as stop:
        outcomes = run_study(
            study,
            place,
            resume=asked.resume,
            on_plan=lambda *_: None,
            on_outcome=report,
            should_stop=stop,
            ranks=ranks,
            end=end,
        )
    done = [outcome.result for outcome in outcomes if isinstance(outcome.result, Result)]
    failures = [(outcome.point.name, str(outcome.error)) for outcome in outcomes if outcome.error is not None]
    if done:
        _show(compare(done, failures=failures), place if asked.plot else None, asked.as_json)
    elif asked.as_json:
        print(json.dumps({"runs": [outcome.to_dict() for outcome in outcomes]}, allow_nan=False), flush=True)
    out.print(f"record: {place}", highlight=False, soft_wrap=True)
    code = exit_codes.of_outcomes(outcomes, len(study.points()))
    ranks.broadcast(End(code))
    return code
