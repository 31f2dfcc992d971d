"""The command that hands the numbers of runs to other programs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from circuits.errors import Refused, unknown
from hybrid.cli.arguments import Force, Json
from hybrid.cli.crate import Asked, crate, lineage

OF_BENCHMARKS = ("metriq", "qedc")

HANDED_ON = {"crate": crate, "prov": lineage}
"""Forms that say of the whole record where it came from."""


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="RUN|SWEEP|ALGORITHM|BENCHMARK", help="The folder.", show_default=False)
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="csv|json|parquet|crate|prov",
            help="By default what --output ends in; csv. Of a benchmark: csv, metriq or qedc.",
        ),
    ] = None,
    as_crate: Annotated[bool, typer.Option("--crate", help="The same as --format crate.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR", help="Where it goes; export.FORMAT, or a folder FORMAT, in the folder by default."
        ),
    ] = None,
    agent: Annotated[str, typer.Option(help="In a crate: who ran it, an ORCID's address or a name.")] = "",
    terms: Annotated[str, typer.Option("--license", help="In a crate: a license's address, or a sentence.")] = "",
    redact: Annotated[
        bool, typer.Option("--redact", help="In a crate: withhold hosts, users, paths, job ids, accounts and sites.")
    ] = False,
    redact_prices: Annotated[bool, typer.Option("--redact-prices", help="Withhold these, and prices.")] = False,
    key: Annotated[
        Path | None, typer.Option(metavar="KEY", help="In a redacted crate: an SSH key that signs what is left.")
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write every evaluation of a run, or of all runs of a sweep or an algorithm, into one file.

    A crate (crate) holds the whole record, for archives and other people, and says where it came from; prov says only
    that. A benchmark becomes a table (csv), or the files of Metriq (metriq) or of QED-C (qedc).

    Args:
        folder: Of the run, the sweep, the algorithm or the benchmark, or the file of a benchmark's record.
        kind: The format; None for what the output's ending says, and CSV without an output.
        as_crate: Whether it is to be a crate.
        output: The file, or the folder of several; None for one in the folder.
        agent: Who ran it, in a crate.
        terms: The license, in a crate.
        redact: Whether words that say where it was made are withheld from a crate; a policy may ask for it, too.
        redact_prices: Whether prices are, too.
        key: An SSH key for a redacted crate; None not to sign what is left.
        force: Whether to replace a file that is there already.
        as_json: Whether to print what was written as JSON: "path", "format", and "runs", "rows" or of a benchmark
            "files", "left_out".

    Raises:
        Refused: if the folder holds no run, or a damaged one; if the file is there already; if the
            format is not known or needs a package that is not installed. Nothing is written then.
        PolicyViolation: if the data may not be handed on.
        RecordFailed: if the file cannot be written.
    """
    from hybrid.routing.exports import check_may_be_exported
    from hybrid.runs.export import CONTENT, kind_of
    from hybrid.runs.export import export as write
    from hybrid.runs.folder import is_benchmark
    from hybrid.terminal.console import console
    from hybrid.terminal.words import counted

    if as_crate:
        if kind not in (None, "crate"):
            raise Refused(f"--crate writes a crate, and --format {kind} something else: give one of the two")
        kind = "crate"
    if is_benchmark(folder) or folder.is_file():
        _export_benchmark(folder, kind, output, force=force, as_json=as_json)
        return
    if kind in OF_BENCHMARKS:
        raise Refused(
            f"{folder} holds no benchmark, which --format {kind} is for; use csv, json, parquet, crate or prov"
        )
    if kind is not None and kind not in (*CONTENT, *HANDED_ON):
        raise unknown("format", kind, (*CONTENT, *HANDED_ON))
    if kind in HANDED_ON:
        HANDED_ON[kind](folder, Asked(output, agent, terms, redact, redact_prices, key, force, as_json))
        return
    if redact or redact_prices or key is not None:
        raise Refused("--redact, --redact-prices and --key are for a crate: add --crate")
    if kind is None:
        kind = "csv" if output is None else kind_of(output)
    check_may_be_exported(folder, kind)
    written = write(folder, output or folder / f"export.{kind}", kind=kind, overwrite=force)
    if as_json:
        print(json.dumps(written.to_dict()))
        return
    console().print(
        f"{written.path}: {counted(written.rows, 'rows')} of {counted(written.runs, 'runs')}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _export_benchmark(folder: Path, kind: str | None, output: Path | None, *, force: bool, as_json: bool) -> None:
    from hybrid.codesign.suite.formats.export import export_bench
    from hybrid.terminal.console import console

    written = export_bench(folder, output, kind=kind or "csv", overwrite=force)
    if as_json:
        print(json.dumps(written.to_dict()))
        return
    out = console()
    for file in written.files:
        out.print(str(file), highlight=False, soft_wrap=True, markup=False)
    for line in written.left_out:
        out.print(f"left out: {line}", highlight=False, soft_wrap=True, markup=False)
