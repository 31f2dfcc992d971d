"""The commands that show runs and check them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybrid.cli.arguments import Json, RunFolder, Signers

if TYPE_CHECKING:
    from hybrid.runs.entries import RunEntry
    from hybrid.survey.result import Survey

NAMES = {"seconds": "time", "created_utc": "begun"}
"""What a table calls the keys that JSON, where no unit stands beside a value, needs another word for."""


def runs(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Where to look; by default runs/ and all that was begun elsewhere."),
    ] = None,
    status: Annotated[str | None, typer.Option(metavar="WORD", help="Only those that are converged, say.")] = None,
    problem: Annotated[str | None, typer.Option(metavar="TEXT", help="Only problems with this in their names.")] = None,
    backend: Annotated[str | None, typer.Option(metavar="TEXT", help="Only backends with this in their names.")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what was begun since 2026-03-01, or in the last 12h, 7d, 2w."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the runs that were begun, oldest first.

    Args:
        folder: Where to look; None for where runs without a folder of their own go, and all that the index knows.
        status: As for `hybrid.runs.listing.selected`, as problem, backend and since.
        problem: See status.
        backend: See status.
        since: See status.
        as_json: Whether to print JSON: "runs" with one object for each.

    Raises:
        Refused: if the folder does not exist, or for an unknown status or time.
    """
    from hybrid.runs.listing import listing, selected
    from hybrid.terminal.console import console
    from hybrid.terminal.rows import put
    from hybrid.terminal.words import energy

    entries = selected(listing(folder), status=status, problem=problem, backend=backend, since=since)
    if as_json:
        print(json.dumps({"runs": entries}, allow_nan=False))
        return
    rows = [
        {
            "run": entry.get("name", entry["folder"]),
            "begun": _minute(entry),
            **{key: str(entry[key]) for key in ("problem", "backend", "status")},
            "energy": energy(entry),
        }
        for entry in entries
    ]
    filtered = any(word is not None for word in (status, problem, backend, since))
    put(console(), rows, nothing="no such runs" if filtered else "no runs here")


def _minute(entry: "RunEntry") -> str:
    """When a run was begun (UTC)."""
    return str(entry.get("created_utc", ""))[:16].replace("T", " ")


def show(folder: RunFolder, as_json: Json = False) -> None:
    """Show a run, an algorithm or a benchmark: what was asked, where it ran, what came out.

    Args:
        folder: Of a run, of an algorithm, whose runs are listed below, of a sweep or a survey, whose points are listed,
            or of a benchmark, whose scores are.
        as_json: Whether to print JSON: the run, or "points" with one object for each point of a sweep; of an algorithm
            also "runs"; of a survey also "survey"; of a benchmark its record.

    Raises:
        Refused: if the folder holds none of these, or a damaged one.
    """
    from hybrid.runs.folder import is_algorithm, is_benchmark, is_survey
    from hybrid.runs.listing import entry_of, stages_of, sweep_of
    from hybrid.terminal.console import console

    if is_benchmark(folder):
        _show_benchmark(folder, as_json=as_json)
        return

    points = sweep_of(folder)
    survey = _survey(folder) if is_survey(folder) else None
    stages = stages_of(folder) if is_algorithm(folder) else []
    if as_json:
        entry = {"points": points or []} if points is not None or survey is not None else entry_of(folder)
        more = {"runs": stages} if is_algorithm(folder) else {}
        more |= {"survey": survey.to_dict()} if survey is not None else {} if points is not None else _known(folder)
        print(json.dumps(entry | more, allow_nan=False))
        return
    if survey is not None:
        console().print(str(survey), highlight=False, markup=False, soft_wrap=True)
    if points is None and survey is None:
        entry = entry_of(folder)
        (_print_codesign if entry.get("algorithm") == "codesign" and entry.get("tables") else _print_run)(entry)
        _print_known(folder)
        if stages:
            _print_points(stages, "run")
    elif points is not None:
        _print_points(points)


def _known(folder: Path) -> dict[str, Any]:
    """The intervals of a run's energy and the checks of its last verification, as JSON-able values."""
    from hybrid.runs.folder import is_algorithm
    from hybrid.runs.known import checks_in, uncertainty_in

    stated = None if is_algorithm(folder) else uncertainty_in(folder)
    return {"uncertainty": None if stated is None else stated.to_dict(), "checks": checks_in(folder)}


def _print_known(folder: Path) -> None:
    from hybrid.runs.folder import is_algorithm
    from hybrid.runs.known import checks_in, uncertainty_in
    from hybrid.terminal.console import console
    from hybrid.terminal.rows import put

    if not is_algorithm(folder) and (stated := uncertainty_in(folder)) is not None:
        put(console(), [{"uncertainty": name, "how": text} for name, text in stated.rows()])
    if found := checks_in(folder):
        rows = [
            {
                "check": one["name"],
                "outcome": one["outcome"],
                "detects": f"{one['detects']} Cannot detect: {one['misses'][:1].lower()}{one['misses'][1:]}",
            }
            for one in found
            if one["outcome"] != "none"
        ]
        put(console(), rows)


def _survey(folder: Path) -> "Survey":
    from hybrid.survey.result import load

    return load(folder)


def _show_benchmark(folder: Path, *, as_json: bool) -> None:
    from hybrid.codesign.suite.result import Bench
    from hybrid.terminal.console import console
    from hybrid.terminal.rows import put

    found = Bench.load(folder)
    if as_json:
        print(json.dumps(found.to_dict(), allow_nan=False))
        return
    out = console()
    out.print(found.title, highlight=False, soft_wrap=True, markup=False)
    put(out, found.rows(), nothing="no unit was done")
    for line in found.troubles():
        out.print(line, highlight=False, soft_wrap=True, markup=False)


def _print_run(entry: "RunEntry") -> None:
    from hybrid.runs.failovers import described
    from hybrid.terminal.console import console, table
    from hybrid.terminal.words import energy

    rows = table("what", "value")
    for key, value in entry.items():
        if key == "energy":
            rows.add_row(key, energy(entry))
        elif key == "failovers":
            for failover in entry["failovers"]:
                rows.add_row("failover", described(failover))
        elif not _is_absent(key, value):
            rows.add_row(NAMES.get(key, key.replace("_", " ")), _text(key, value, entry["unit"]))
    console().print(rows)


def _is_absent(key: str, value: Any) -> bool:
    """Whether there is nothing to say: no message, no run at the start, no calibration, no error of exact values."""
    return value is None or value in ("", []) or (key in ("standard_error", "bias") and value == 0)


def _text(key: str, value: Any, unit: str) -> str:
    from hybrid.runs.prediction import Prediction
    from hybrid.terminal.words import measured, value_text, with_unit

    if key == "prediction":
        return Prediction.model_validate(value).text()
    if key == "exact_energy":
        return measured(value, 0.0, unit)
    if key == "start" and value.get("energy") is not None:
        value = value | {"energy": measured(value["energy"], 0.0, unit)}
    if key in ("standard_error", "bias", "accuracy"):
        return with_unit(f"{value:.2g}", unit)
    return value_text(key, value)


def _print_codesign(entry: "RunEntry") -> None:
    from hybrid.cli.codesign import put_answer
    from hybrid.terminal.console import console

    content: dict[str, Any] = {**entry}
    n_devices = len(content["points"])
    where = content["points"][0]["name"] if n_devices == 1 else f"{n_devices} devices"
    put_answer(console(), f"{entry['problem']} on {where}", content | {"record": entry["folder"]})
    console().print()


def _print_points(points: "list[RunEntry]", what: str = "point") -> None:
    from hybrid.terminal.console import console
    from hybrid.terminal.rows import put
    from hybrid.terminal.words import energy

    rows = [{what: point["folder"], "status": point["status"], "energy": energy(point)} for point in points]
    put(console(), rows)


def verify(
    folder: RunFolder,
    signers: Signers = None,
    as_json: Json = False,
) -> None:
    """Check a record: that nothing in it was changed, and what it says, by replay and on other engines.

    Args:
        folder: Of a run, a benchmark, or a sweep or an algorithm, each of whose points or runs is checked.
        signers: A file of allowed signers.
        as_json: Whether to print the verification as JSON.

    Raises:
        Refused: if the folder holds none, or files so damaged that nothing can be checked.
        typer.Exit: always, with the code 0 if everything was checked and holds, and 3 otherwise, as for a run that has
            not ended or not converged.
    """
    from hybrid.algorithms.verification import verify as check
    from hybrid.cli.exit_codes import DONE, NOT_CONVERGED
    from hybrid.runs.listing import sweep_of
    from hybrid.studies.verification import names, problem_of, verify_sweep
    from hybrid.terminal.console import console
    from hybrid.terminal.progress import Progress
    from hybrid.terminal.rows import put

    out = console(quiet=as_json)
    if sweep_of(folder) is None:
        verification = check(folder, signers=signers)
        out.print(verification)
        sentence = f"{folder}: {problem_of(verification) or 'passed'}"
    else:
        done = 0
        with Progress("verifying points", len(names(folder))) as progress:

            def told(name: str) -> None:
                nonlocal done
                progress.update(done, name)
                done += 1

            verification = verify_sweep(folder, on_point=told, signers=signers)
        put(out, verification.rows())
        sentence = verification.sentence()
    if as_json:
        print(json.dumps(verification.to_dict(), allow_nan=False))
    out.print(sentence, highlight=False, soft_wrap=True)
    raise typer.Exit(DONE if verification.passed else NOT_CONVERGED)
