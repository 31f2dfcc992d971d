"""The command that runs the benchmark suite."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hybrid.codesign.suite.result import Bench
    from hybrid.runs.benchmark.record import BenchRecord

PICTURE = "benchmark.png"


def bench(
    suite: Annotated[
        str, typer.Argument(metavar="[SUITE]", help="quick (seconds), small (minutes) or full.", show_default=True)
    ] = "small",
    backends: Annotated[
        str, typer.Option(metavar="A,B", help="With commas between; options may follow a name: 'aer precision=single'.")
    ] = "statevector,aer",
    only: Annotated[str, typer.Option(metavar="A,B", help="These applications alone.")] = "",
    sizes: Annotated[
        str, typer.Option(metavar="N,M", help="These sizes instead of the suite's: qubits, or qubits x layers as 4x8.")
    ] = "",
    circuits: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Run the circuits in this folder, named as MQT Bench names them.")
    ] = None,
    shots: Annotated[int | None, typer.Option(metavar="N", help="Shots of each circuit.", min=1)] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Root of every random number.", min=0)] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the record goes (a new one in runs/), or goes on."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest record of the suite, or that of --folder.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(metavar="RECORD", help="Compare with this earlier record, a file or a folder.")
    ] = None,
    plot: Annotated[bool, typer.Option(help="Write a picture into the folder.")] = True,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the record as JSON; to standard output for -.")
    ] = None,
) -> None:
    """Run the same applications on several backends: scores with their errors, and times by phase.

    Args:
        suite: Name of the suite.
        backends: Names with commas between.
        only: Names of applications with commas between; empty for all.
        sizes: With commas between; empty for the suite's.
        circuits: A folder of circuits that are run in place of the suite's applications; None for those.
        shots: Of each circuit; None for each application's own.
        seed: Root of every random number.
        folder: Where the record goes; None for a new folder where runs without one of their own go.
        resume: Whether to go on with what was begun: without a folder, with the newest of the suite's records.
        against: An earlier record to compare with.
        plot: Whether to draw a picture.
        json_file: Where the record goes as JSON, beside the folder; "-" for standard output, without the table.

    Raises:
        ToolkitError: for an unknown suite, application, size or backend, a folder that holds something else, or an
            earlier record with which nothing of this one could be compared.
        typer.Exit: with code 5 if a provider failed at a unit, 75 if a signal stopped it.
    """
    from circuits.errors import Refused
    from hybrid.cli import exit_codes, show
    from hybrid.cli.outputs import check_file, check_folder
    from hybrid.codesign.suite.run import bench as run
    from hybrid.loop.stop import Stop, Stopped
    from hybrid.loop.walltime import end_time
    from hybrid.runs.benchmark.folder import read_record
    from hybrid.runs.files import write_json
    from hybrid.runs.folder import is_benchmark
    from hybrid.runs.places import fresh, home, latest
    from hybrid.terminal.console import console
    from hybrid.terminal.progress import say

    if folder is not None:
        check_folder(folder, "--folder")
    if json_file is not None and str(json_file) != "-":
        check_file(json_file, "--json")
    named = _split(backends)
    earlier = None if against is None else read_record(against)
    printed = json_file is not None and str(json_file) == "-"
    out = console(quiet=printed)
    begun = (folder or latest(f"bench-{suite}")) if resume else None
    if resume and (begun is None or not is_benchmark(begun)):
        raise Refused(
            f"there is no benchmark to resume: {folder or home()} holds none"
            f"{'' if folder else f' of the suite {suite}'}; leave --resume out to begin one"
        )
    place = begun or folder or fresh(f"bench-{suite}")
    with Stop(end_time()) as stop:
        try:
            found = run(
                suite,
                backends=named,
                only=_split(only) or None,
                sizes=_split(sizes) or None,
                circuits=circuits,
                shots=shots,
                seed=seed,
                folder=place,
                against=earlier,
                should_stop=stop,
                on_unit=lambda unit: say(f"{unit.application} {unit.size} on {named[unit.backend]}: {unit.status}"),
            )
        except Stopped as err:
            say(f"hybrid: {err}")
            out.print(f"record: {place} (unfinished: the same command with --folder {place} goes on)", soft_wrap=True)
            raise typer.Exit(exit_codes.STOPPED) from err
    _show(found, out)
    picture = show.save(found.plot(), place / PICTURE) if plot and found.rows() else None
    if picture is not None:
        out.print(f"picture: {picture}", highlight=False, soft_wrap=True)
    if printed:
        print(json.dumps(found.to_dict(), allow_nan=False), flush=True)
    elif json_file is not None:
        write_json(json_file, found.to_dict())
        out.print(f"JSON: {json_file}", highlight=False, soft_wrap=True)
    out.print(f"record: {place}", highlight=False, soft_wrap=True)
    if earlier is not None and found.rows():
        out.print()
        _compare(found, earlier, out)
    if found.failed:
        raise typer.Exit(exit_codes.PROVIDER_FAILED)


def _compare(found: "Bench", earlier: "BenchRecord", out: "Console") -> None:
    """Print the differences; where a common unit was asked for and none was done, why there are none."""
    from circuits.errors import Refused
    from hybrid.runs.benchmark.compare import COLUMNS
    from hybrid.terminal.rows import put_table, put_text

    try:
        different = found.compare(earlier)
    except Refused as err:
        put_text(out, f"not compared: {err}")
        return
    put_table(out, COLUMNS, different.rows(), title=different.title)
    for note in different.notes():
        put_text(out, note)


def _show(found: "Bench", out: "Console") -> None:
    from hybrid.terminal.rows import put

    put(out, found.rows(), nothing="no unit was done")
    for line in [*found.notes(), *found.troubles()]:
        out.print(line, highlight=False, soft_wrap=True)


def _split(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]
