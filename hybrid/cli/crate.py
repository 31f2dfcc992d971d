"""The commands that hand runs on as RO-Crates, and repeat what such a crate holds."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from circuits.errors import Refused
from hybrid.cli.arguments import Json, Signers


@dataclass(frozen=True)
class Asked:
    """What is asked of a crate, as the options of `export` describe it."""

    output: Path | None
    agent: str
    terms: str
    redact: bool
    prices: bool
    key: Path | None
    force: bool
    as_json: bool


def crate(folder: Path, asked: Asked) -> None:
    """Write a run, or all runs of a sweep or an algorithm, as one RO-Crate, for archives and other people.

    Args:
        folder: Of the run, the sweep or the algorithm.
        asked: The options.

    Raises:
        Refused: if a run has not ended or was changed; if the file is there already, or rocrate is not installed.
        PolicyViolation: if the data may not be handed on.
        RecordFailed: if the file cannot be written.
    """
    from hybrid.routing.exports import check_may_be_exported, words_withheld
    from hybrid.routing.policy import export_rules
    from hybrid.runs.crate.write import WITHHELD, write
    from hybrid.sites.origins import known_words, origins
    from hybrid.terminal.console import console
    from hybrid.terminal.words import counted

    labels = check_may_be_exported(folder, "crate")
    output = asked.output or Path(f"{folder.resolve().name}.crate.zip")
    redact = words_withheld(asked=asked.redact, prices=asked.prices, known=known_words())
    path = write(
        folder,
        output,
        agent=asked.agent,
        terms=asked.terms,
        usage=export_rules().note,
        redact=redact,
        key=asked.key,
        sites=origins(folder),
        labels=labels,
        overwrite=asked.force,
    )
    withheld = None if redact is None else path.with_name(f"{path.name}{WITHHELD}")
    if asked.as_json:
        print(json.dumps({"path": str(path)} | ({} if withheld is None else {"withheld": str(withheld)})))
        return
    out = console()
    out.print(f"{path}: {path.stat().st_size:,} bytes", highlight=False, soft_wrap=True, markup=False)
    if withheld is not None:
        number = len(json.loads(withheld.read_bytes())["withheld"])
        said = f"{withheld}: {counted(number, 'words')} withheld, for their owner alone"
        out.print(said, highlight=False, soft_wrap=True, markup=False)


def lineage(folder: Path, asked: Asked) -> None:
    """Write the lineage of a run, or of all runs of a sweep or an algorithm, as PROV-JSON.

    Args:
        folder: Of the run, the sweep or the algorithm.
        asked: The options.

    Raises:
        Refused: if a run has not ended or was changed, or the file is there already.
        PolicyViolation: if the data may not be handed on, or something would have to be withheld.
        RecordFailed: if the file cannot be written.
    """
    from hybrid.routing.exports import check_may_be_exported, words_withheld
    from hybrid.runs.crate.prov_json import export_prov
    from hybrid.terminal.console import console

    labels = check_may_be_exported(folder, "prov")
    if words_withheld(asked=asked.redact, prices=asked.prices, known={}) is not None:
        raise Refused("a redacted lineage is in a redacted crate, as provenance.jsonld: use --crate")
    output = asked.output or Path(f"{folder.resolve().name}.prov.json")
    path = export_prov(folder, output, agent=asked.agent, labels=labels, overwrite=asked.force)
    if asked.as_json:
        print(json.dumps({"path": str(path)}))
        return
    console().print(f"{path}: {path.stat().st_size:,} bytes", highlight=False, soft_wrap=True, markup=False)


def take_in(
    source: Annotated[
        Path, typer.Argument(metavar="CRATE", help="A zip file, or what was unpacked from it.", show_default=False)
    ],
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where it goes; a new folder where runs go by default.")
    ] = None,
    signers: Signers = None,
    as_json: Json = False,
) -> None:
    """Check the crate of another site, and take it in as a run, or a sweep, among ours.

    Args:
        source: A zip file, or what was unpacked from it.
        folder: Where it goes; None for a folder of its name where runs go.
        signers: A file of allowed signers.
        as_json: Whether to print JSON: "folder", "runs", "left", and what imported.json says.

    Raises:
        Refused: if the folder is there already, the crate is damaged, a run in it was changed or has not ended, or a
            signature is not good. Nothing is written then.
        RecordFailed: if the folder cannot be written.
    """
    from hybrid.runs.crate.take_in import take_in as take
    from hybrid.terminal.console import console

    taken = take(source, folder, signers=signers)
    if as_json:
        print(json.dumps(taken.to_dict()))
        return
    out = console()

    def put(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True, markup=False)

    put(f"{taken.folder}: {', '.join(taken.runs)}, checked and as it was written")
    for name in taken.left:
        put(f"left in the crate: {name}")


def rerun(
    source: Annotated[Path, typer.Argument(metavar="CRATE", help="The crate, or a run's folder.", show_default=False)],
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the new run goes.")] = Path("again"),
    as_json: Json = False,
) -> None:
    """Repeat the run of a crate, or each of its runs, and say how the values compare.

    Args:
        source: A zip file, what was unpacked from it, or a run's folder.
        folder: Of the new run, or of all of them.
        as_json: Whether to print JSON: "runs", each with "verdict" and "reason".

    Raises:
        Refused: if the crate holds no run, or one that was changed; if the folder holds a run already.
        FailedJob: if a backend fails.
        RecordFailed: if the new record cannot be written.
        typer.Exit: with the code 3 if a run came to something else.
    """
    from hybrid.cli.exit_codes import DONE, NOT_CONVERGED
    from hybrid.loop.rerun import rerun as repeat
    from hybrid.terminal.console import console

    out, told = console(quiet=as_json), []
    for one in repeat(source, folder):
        told.append(one)
        out.print(str(one), highlight=False, soft_wrap=True, markup=False)
    if as_json:
        print(json.dumps({"runs": [one.to_dict() for one in told]}, allow_nan=False))
    raise typer.Exit(NOT_CONVERGED if any(one.verdict == "different" for one in told) else DONE)
