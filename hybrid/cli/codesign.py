"""The command that asks which number of a device limits an application."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybrid.cli.arguments import Json, StudyFile

if TYPE_CHECKING:
    from rich.console import Console

    from hybrid.codesign.result import Codesign


def codesign(
    file: StudyFile,
    devices: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Devices and topologies, instead of the study's.")
    ] = None,
    vary: Annotated[
        list[str] | None, typer.Option(metavar="NAME=V,V,...", help="A number of the device, and its values.")
    ] = None,
    target: Annotated[float | None, typer.Option(metavar="ERROR", help="Wanted error, in the problem's unit.")] = None,
    method: Annotated[
        str | None, typer.Option(metavar="auto|density|trajectories|model", help="How noisy energies are found.")
    ] = None,
    reoptimize: Annotated[
        bool | None, typer.Option("--reoptimize/--keep-angles", help="Optimize angles anew under each noise.")
    ] = None,
    mitigation: Annotated[
        str | None, typer.Option(metavar="WORD,...", help="Energies with mitigation, too: readout, zne, ...")
    ] = None,
    shots: Annotated[int | None, typer.Option(metavar="N", help="Of each circuit, not as the target needs.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the record goes, or is continued (a new one in runs/).")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the newest of the study's records.")] = False,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the pictures there, PDF and SVG, with captions.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which parameter of a device limits a study, what a better one buys, and what a target needs.

    Args:
        file: The study file, with a section [device], and [codesign] for what to vary.
        devices: Names of snapshots such as ibm:fake_manila, and of topologies, with commas between them.
        vary: Numbers of the device with their values, as in two_qubit_error=0.001,0.01.
        target: Wanted error.
        method: How energies under noise are found.
        reoptimize: Whether angles are optimized anew.
        mitigation: Words, with commas between them.
        shots: Of each measured circuit.
        folder: Where the record goes; one that was begun is continued.
        resume: Whether to continue the newest record of the study's name.
        figures: Folder of the pictures.
        as_json: Whether to print all numbers as JSON: those of the one application, or "applications" of a sweep.

    Raises:
        Refused: for a wrong study, an unknown number of the device, or impossible values.
        typer.Exit: with code 75 if a signal stopped it; what was done is kept.
    """
    from hybrid.cli.exit_codes import STOPPED
    from hybrid.cli.outputs import check_folder
    from hybrid.codesign.figures import save
    from hybrid.codesign.study import Asked, applications, run
    from hybrid.loop.stop import Stop, Stopped
    from hybrid.loop.walltime import end_time
    from hybrid.runs import index
    from hybrid.runs.places import fresh, latest
    from hybrid.studies.study import read
    from hybrid.terminal.console import console

    for option, place in (("--folder", folder), ("--figures", figures)):
        if place is not None:
            check_folder(place, option)
    study = read(file)
    asked = Asked(
        devices=_words(devices),
        vary=dict(_varied(one) for one in vary or ()),
        target=target,
        method=method,
        reoptimize=reoptimize,
        mitigation=_words(mitigation),
        shots=shots,
    )
    found = applications(study, asked)
    name = f"codesign-{study.points()[0].spec.run.name or file.stem}"
    place = folder or (latest(name) if resume else None) or fresh(name)
    out = console(quiet=as_json)

    def told(which: str, answer: "Codesign") -> None:
        if which:
            out.print(which, style="bold")
        put_answer(out, answer.title(), answer.content() | {"record": str(answer.folder)})
        for path in save([answer.folder], figures / which if which else figures) if figures is not None else ():
            out.print(f"picture: {path}", highlight=False, markup=False, soft_wrap=True)

    with Stop(end_time()) as stop:
        try:
            answers = run(found, place, should_stop=stop, told=told)
        except Stopped as err:
            print(f"hybrid: {err}", file=sys.stderr)
            raise typer.Exit(STOPPED) from err
        finally:
            if place.exists():
                index.add(place)
    if as_json:
        content = [({"application": which} if which else {}) | answer.to_dict() for which, answer in answers]
        print(json.dumps(content[0] if len(content) == 1 else {"applications": content}, allow_nan=False, default=str))


def put_answer(out: "Console", title: str, content: Mapping[str, Any]) -> None:
    """Print what was found: the sentence, and the tables, as wide as the terminal is.

    Args:
        out: The console.
        title: What was asked, and of which device.
        content: As the record keeps it, and "record", its folder.
    """
    from hybrid.terminal.rows import put_facts, put_table, put_text

    found = content["tables"]
    put_text(out, content["sentence"])
    out.print()
    put_facts(out, [*found["answer"][1:], ("record", content["record"])], title=title)
    for name in ("sensitivities", "devices") if len(found["devices"]["rows"]) > 1 else ("sensitivities",):
        out.print()
        put_table(out, found[name]["columns"], found[name]["rows"])
    out.print()
    for note in content["notes"]:
        put_text(out, note)


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _varied(text: str) -> tuple[str, list[Any]]:
    """A number of the device and its values."""
    from circuits.errors import Refused

    name, equals, values = text.partition("=")
    if not equals or not values.strip():
        raise Refused(f"--vary {text}: must be a name with values, as in two_qubit_error=0.001,0.01")
    return name.strip(), [_value(one.strip()) for one in values.split(",")]


def _value(text: str) -> float | int | str | bool:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
