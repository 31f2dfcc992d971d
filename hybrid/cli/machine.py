"""The command that says what this machine reaches, where the time of a run goes, and what faster parts would change."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybrid.cli.arguments import Json

if TYPE_CHECKING:
    from hybrid.codesign.machine.model import MachineModel
    from hybrid.codesign.machine.roofline import Machine
    from hybrid.codesign.machine.work import Gpu
    from hybrid.ranks.mpi import Ranks


def machine(
    of: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN | STUDY.toml", help="A run, or a study to plan; without one, this machine.", show_default=False
        ),
    ] = None,
    simulator: Annotated[float, typer.Option(metavar="K", help="With simulators K times as fast.")] = 1.0,
    optimizer: Annotated[float, typer.Option(metavar="K", help="With an optimizer K times as fast.")] = 1.0,
    interconnect: Annotated[float, typer.Option(metavar="K", help="With messages K times as fast.")] = 1.0,
    repetition_rate: Annotated[float, typer.Option(metavar="K", help="With K times the shots a second.")] = 1.0,
    compilation: Annotated[float, typer.Option(metavar="K", help="With a compiler K times as fast.")] = 1.0,
    record: Annotated[float, typer.Option(metavar="K", help="With records written K times as fast.")] = 1.0,
    queue_s: Annotated[float | None, typer.Option(metavar="S", help="With S seconds for each wait for jobs.")] = None,
    ranks: Annotated[int | None, typer.Option(metavar="N", help="With N ranks instead of one.")] = None,
    gpu: Annotated[str, typer.Option(metavar="F,B", help="On a card of F GFLOP/s and B GB/s.")] = "",
    qubits: Annotated[str, typer.Option(metavar="N,M", help="Sizes of the states that are timed.")] = "",
    repeats: Annotated[int, typer.Option(metavar="N", help="Measurements of each number.")] = 3,
    picture: Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Draw it into this file.")] = None,
    as_json: Json = False,
) -> None:
    """Measure what this machine reaches; or show where the time of a run goes, and what faster parts would change.

    Under a launcher with two ranks or more, messages between them are measured instead, and kept for --ranks.

    Args:
        of: A run's folder or name, for what was measured; a study file, for what its plan predicts.
        simulator: As for `hybrid.codesign.machine.model.MachineModel.with_`.
        optimizer: As there.
        interconnect: As there.
        repetition_rate: As there.
        compilation: As there.
        record: As there.
        queue_s: As there.
        ranks: As there.
        gpu: As there, its two numbers with a comma between.
        qubits: As for `hybrid.machine`, with commas between; empty for its default.
        repeats: As there.
        picture: Of the roofline, or of the time against how many times faster each part is.
        as_json: Whether to print JSON.

    Raises:
        Refused: if there is no such run, it has not ended, or a number makes no sense.
    """
    from circuits.errors import Refused
    from hybrid.cli.outputs import check_picture

    if picture is not None:
        check_picture(picture, "--plot")
    changes = {
        "simulator": simulator,
        "optimizer": optimizer,
        "interconnect": interconnect,
        "repetition_rate": repetition_rate,
        "compilation": compilation,
        "record": record,
    }
    card = _gpu(gpu)
    changed = queue_s is not None or ranks is not None or card is not None or any(f != 1.0 for f in changes.values())
    if of is not None:
        model = _model(of)
        _show(
            model.with_(**changes, queue_s=queue_s, ranks=ranks, gpu=card) if changed else model, of, picture, as_json
        )
        return
    if changed:
        raise Refused("what faster parts would change is asked of a run or a study: name its folder or its file")
    _measure(_sizes(qubits), repeats, picture, as_json)


def _measure(qubits: list[int] | None, repeats: int, picture: Path | None, as_json: bool) -> None:
    from hybrid.cli import exit_codes
    from hybrid.codesign.machine.roofline import machine as measure
    from hybrid.ranks import mpi

    with mpi.started(exit_codes.of_error) as team:
        if team.size > 1:
            _measure_messages(team, as_json)
            return
    _put(measure(qubits=qubits, repeats=repeats), picture, as_json)


def _measure_messages(team: "Ranks", as_json: bool) -> None:
    from hybrid.codesign.machine.messages import keep, measure_messages

    found = measure_messages(team)
    if not team.leads:
        return
    if team.size == 2:
        keep(found)
    if as_json:
        print(json.dumps({"ranks": team.size, **vars(found)}), flush=True)
        return
    latency, bandwidth = found.latency_s * 1e6, found.bandwidth_bytes_s / 1e9
    print(
        f"question and answer among {team.size} ranks: {latency:.3g} us, and {bandwidth:.3g} GB/s of what is answered"
    )


def _model(of: Path) -> "MachineModel":
    from hybrid.codesign.machine.model import machine_model

    if of.suffix != ".toml":
        return machine_model(of)
    from circuits.errors import Refused
    from hybrid.studies.preparation import plan_of
    from hybrid.studies.study import read

    first, *others = read(of).points()
    if others:
        raise Refused(f"{of} is a sweep of {len(others) + 1} points; ask of a study with one, or of a run's folder")
    return machine_model(plan_of(first))


def _show(model: "MachineModel", of: Path, picture: Path | None, as_json: bool) -> None:
    from hybrid.codesign.machine.work import loop_work
    from hybrid.runs.account import account
    from hybrid.terminal.console import console
    from hybrid.terminal.rows import put_facts

    work = None if model.run is None else loop_work(account(model.run))
    if as_json:
        content = model.to_dict() | ({} if work is None else {"work": work.to_dict()})
        print(json.dumps(content, allow_nan=False), flush=True)
    _put(model, picture, as_json=False, quiet=as_json)
    if work is not None and not as_json:
        put_facts(console(), work.table_rows(), title=work.title)


def _put(found: "Machine | MachineModel", picture: Path | None, as_json: bool, *, quiet: bool = False) -> None:
    from circuits.errors import RecordFailed
    from hybrid.cli.show import save

    if as_json:
        print(json.dumps(found.to_dict(), allow_nan=False), flush=True)
    elif not quiet:
        _print(found)
    if picture is not None and save(found.plot(), picture) is None:
        raise RecordFailed(f"{picture}: the picture was not written")


def _print(found: "Machine | MachineModel") -> None:
    from hybrid.terminal.console import console
    from hybrid.terminal.rows import put_table, put_text

    out = console()
    for title, columns, rows in found.tables():
        put_table(out, columns, rows, title=title)
    for note in found.notes if isinstance(found.notes, tuple) else found.notes():
        put_text(out, note)


def _gpu(text: str) -> "Gpu | None":
    from circuits.errors import Refused
    from hybrid.codesign.machine.work import Gpu

    if not text:
        return None
    try:
        operations, moved = (float(word) for word in text.split(","))
    except ValueError:
        raise Refused(
            f"--gpu must be GFLOP/s and GB/s with a comma between, such as 30000,1500; it is {text!r}"
        ) from None
    return Gpu(operations, moved)


def _sizes(text: str) -> list[int] | None:
    from circuits.errors import Refused

    if not text:
        return None
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise Refused(f"--qubits must be whole numbers with commas between, such as 16,22; it is {text!r}") from None
