"""A run, or a sweep, as one Workflow Run RO-Crate: a zip file that archives and other tools can read.

The crate holds the folders as they are, so that `hybrid verify`, `hybrid resume` and `hybrid rerun` work on what comes
out of it, and says in ro-crate-metadata.json what they are in the words of RO-Crate 1.1 and of the profiles Process Run
Crate, Workflow Run Crate (https://w3id.org/ro/wfrun) and Workflow RO-Crate. Its workflow is a program of a few lines
that repeats the runs. provenance.jsonld says the same in W3C's PROV-O. Nothing is made up: who ran it, and under which
license it may be used, stand there only if they were given.
"""

import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from circuits.errors import PolicyViolation, RecordFailed, Refused
from hybrid.runs import folder as folders
from hybrid.runs.crate.describe import SITES, TERMS, describe, fill, rocrate
from hybrid.runs.crate.redact import Ledger, Redacted
from hybrid.runs.crate.told import Told, told
from hybrid.runs.crate.words import Words
from hybrid.runs.files import to_json

WITHHELD = ".withheld.json"
"""Behind the name of a crate, that of the file with the words that were withheld from it, which its owner keeps."""

UNRESTRICTED = ("open", "internal")
"""Labels of data that are handed on where no policy says otherwise."""


def write(
    folder: Path,
    output: Path,
    *,
    agent: str = "",
    terms: str = "",
    usage: str = "",
    redact: Words | None = None,
    key: Path | None = None,
    sites: Mapping[str, Any] | None = None,
    labels: Collection[str] = UNRESTRICTED,
    overwrite: bool = False,
) -> Path:
    """Write a run, or all runs of a sweep or an algorithm, into one crate.

    Args:
        folder: Of the run, the sweep or the algorithm.
        output: Of the zip file.
        agent: Who ran it: an ORCID or another address (a web address), or a name; empty to say nothing.
        terms: Under which it may be used: the address of a license, or a sentence; empty to say nothing.
        usage: What else whoever uses it must know, such as a note on export control; empty to say nothing.
        redact: What is withheld. The words go, with their salts, into a file beside the output that its owner keeps:
            its name with ``.withheld.json`` behind. None to hand the record on as it is.
        key: An SSH key with which what is left is signed, as `hybrid.runs.signature.sign` does; None not to sign.
        sites: For the name of each point of a sweep (empty for a single run) where it was submitted to, and as which
            job; see `hybrid.sites.origins`.
        labels: Of the data that may be handed on, as a policy allows.
        overwrite: Whether to replace a file that is there already.

    Returns:
        The output.

    Raises:
        Refused: if the folder holds no run, one of its runs has not ended or was changed since, the file is there
            already, a record cannot be redacted or signed, or the package rocrate is not installed.
        PolicyViolation: for data with another label.
        RecordFailed: if the file cannot be written.
    """
    kept_back = output.with_name(f"{output.name}{WITHHELD}")
    for file in (output, *([kept_back] if redact else [])):
        if file.exists() and not overwrite:
            raise Refused(f"{file} is there already; choose another file, or replace it with --force")
    runs, package = runs_in(folder), rocrate()
    check_labels(runs, labels)
    scratch = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory() as made:
            told_of, name, ledger = dict(sites or {}), folder.resolve().name, Ledger()
            if redact is not None:
                copy = Redacted(redact, ledger, folder, Path(made, "redacted"))
                folder, told_of, name = copy.write(runs, key), copy.text(told_of, SITES), copy.text(name, "its name")
                runs = runs_in(folder)
            elif key is not None:
                raise Refused("a key is for a redacted record; sign the run itself with hybrid sign")
            crate = package.ROCrate(version="1.1")
            crate.metadata.extra_terms |= TERMS
            describe(crate, name, runs, agent=agent, terms=terms, usage=usage)
            fill(crate, folder, runs, told_of, Path(made))
            crate.write_zip(scratch)
        if redact is not None:
            _keep(kept_back, ledger.kept())
        scratch.replace(output)
    except OSError as err:
        scratch.unlink(missing_ok=True)
        raise RecordFailed(f"{output} cannot be written: {err.strerror or err}") from err
    return output


def check_labels(runs: Sequence[Told], labels: Collection[str]) -> None:
    """Refuse to hand on runs whose data may not be.

    Args:
        runs: All of them.
        labels: Of data that may be handed on.

    Raises:
        PolicyViolation: if a run has another label.
    """
    for run in runs:
        if run.label not in labels:
            raise PolicyViolation(
                f"{run.path}: data labelled '{run.label}' are not handed on unless a policy allows it: "
                "hybrid policy show says which policies hold"
            )


def _keep(file: Path, content: Mapping[str, Any]) -> None:
    """Write what only its owner may read."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(to_json(content))


def runs_in(folder: Path) -> list[Told]:
    """The run of a folder, or all runs in the folders below it.

    Raises:
        Refused: if there is none, or one that has not ended or was changed since.
        RecordFailed: if a file cannot be read.
    """
    if folders.is_run(folder):
        return [told(folder)]
    found = sorted(spec.parent for spec in folder.glob(f"*/{folders.SPEC}"))
    if not found:
        folders.check_run(folder)
    return [told(path, path.name) for path in found]
