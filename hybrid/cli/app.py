"""All commands together, and what becomes of errors that none of them handles."""

import inspect
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from circuits.errors import ToolkitError
from circuits.secrets import redacted
from hybrid.cli import (
    batch,
    bench,
    codesign,
    compare,
    crate,
    environment,
    export,
    jobs,
    machine,
    plan,
    policy,
    record,
    registry,
    report,
    run,
    sbom,
    sign,
    status,
)
from hybrid.cli.exit_codes import HELP, UNRECORDED, of_error

SUMMARY = "Variational quantum workloads: written once, run where they fit, with a record that can be checked."

app = typer.Typer(
    help=SUMMARY,
    epilog=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


DISTRIBUTION = "hybrid-codesign"


def _summary(command: Callable[..., None]) -> str:
    """The first paragraph of a docstring, which a command's help shows; the rest is for readers of the code."""
    return (inspect.getdoc(command) or "").partition("\n\n")[0]


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"hybrid {version(DISTRIBUTION)}")
        raise typer.Exit


COMMANDS: tuple[Callable[..., None], ...] = (
    run.run,
    compare.compare,
    plan.plan,
    plan.backends,
    plan.new,
    policy.policy,
    record.runs,
    record.show,
    record.verify,
    sign.sign,
    sbom.sbom,
    report.report,
    export.export,
    batch.submit,
    batch.fetch,
    status.status,
    batch.cancel,
    environment.sites,
    registry.registry,
    crate.take_in,
    crate.rerun,
    jobs.jobs,
    bench.bench,
    codesign.codesign,
    machine.machine,
    environment.completion,
)
"""In the order in which help lists them."""

NAMED: dict[Callable[..., None], str] = {crate.take_in: "import"}
"""Commands whose names Python keeps for itself."""

for command in COMMANDS:
    app.command(NAMED.get(command), help=_summary(command))(command)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """The options before any command."""


def main() -> None:
    """Run the command line and end the process; every error becomes one message and an exit code."""
    _prepare_streams()
    try:
        code = _call()
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout.fileno())  # the reader has gone, as in `hybrid runs | head`
        code = 0
    except OSError as err:
        print(f"hybrid: standard output cannot be written: {err.strerror}", file=sys.stderr)
        _silence(sys.stdout.fileno())
        code = UNRECORDED
    sys.exit(code)


def _call() -> int:
    try:
        app()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except ToolkitError as err:
        print(f"hybrid: {redacted(str(err))}", file=sys.stderr)
        return of_error(err)
    except OSError:
        raise
    except Exception as err:  # noqa: BLE001 - the last resort: a fault of this software, of which the user gets one line
        print(f"hybrid: {_fault(err)}", file=sys.stderr)
        return UNRECORDED
    return 0


def _fault(err: Exception) -> str:
    """One line on an error that should not happen, and where its trace was written."""
    message = redacted(str(err)).splitlines()[0][:200] if str(err) else "no more is known"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="hybrid-", suffix=".txt", delete=False) as file:
            file.write(redacted("".join(traceback.format_exception(err))))
        where = f"its full trace is in {Path(file.name)}"
    except OSError:
        where = "its trace could not be written"
    return f"a fault of this software, {type(err).__name__} ({message}); {where}. What was committed before is kept"


def _prepare_streams() -> None:
    """Streams that can be written to, whatever was closed, and names that no encoding knows."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            _silence(descriptor)
            stream = open(descriptor, "w", closefd=False)  # noqa: SIM115 - it lives as long as the process
            setattr(sys, name, stream)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _silence(descriptor: int) -> None:
    """What is written there from here on goes nowhere."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    if nothing != descriptor:
        os.dup2(nothing, descriptor)
        os.close(nothing)
