"""Taking the crate of another site in: after everything in it was checked, it is a run or a sweep among ours.

What the crate's own description says of its files must hold, every run's chain, and each signature. Only the files
that make up runs are taken; its programs and whatever else lies in it are left. Nothing is overwritten, and
imported.json says from where the runs came.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from circuits.errors import RecordFailed, Refused
from hybrid.runs import folder as folders
from hybrid.runs import index
from hybrid.runs.crate import prov
from hybrid.runs.crate.describe import METADATA, WORKFLOW, is_beside
from hybrid.runs.crate.told import BESIDE, INPUTS, MOMENT, OUTPUTS, Told
from hybrid.runs.crate.unpack import check_folder, unpacked
from hybrid.runs.crate.write import runs_in
from hybrid.runs.files import digest_of, read_json, write_json
from hybrid.runs.imported import FILE, Imported
from hybrid.runs.places import home
from hybrid.runs.signature import signatures

OWN = (METADATA, prov.FILE, WORKFLOW)
"""Files of the crate itself."""

ENDINGS = (".zip", ".crate")
"""Of the names of crates, which the folders of their runs do not have."""


@dataclass(frozen=True)
class Taken:
    """A crate that was taken in.

    Attributes:
        folder: Of the run, or of the sweep.
        runs: Names of the points of a sweep; of a single run its problem.
        notes: From where it came, as imported.json says it.
        left: Files in the crate that are part neither of its runs nor of its description.
    """

    folder: Path
    runs: tuple[str, ...]
    notes: Imported
    left: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"folder": str(self.folder), "runs": list(self.runs), "left": list(self.left), **asdict(self.notes)}


def take_in(crate: Path, folder: Path | None = None, *, signers: Path | None = None) -> Taken:
    """Take a crate in as a run, or as a sweep or an algorithm of several, after it was checked.

    Args:
        crate: A zip file that `hybrid export --crate` has written anywhere, or what was unpacked from it.
        folder: Where it goes, which must not be there; by default a folder of the crate's name where runs go.
        signers: A file of those of whom one must have signed each run, in OpenSSH's format; None to ask only that
            signatures that are there are of these records.

    Returns:
        What was taken, and what was left.

    Raises:
        Refused: if there is something in the folder already, the crate is damaged or holds what no crate needs, a file
            is not the one that the crate describes, a run was changed or has not ended, or a signature is not good.
        RecordFailed: if the folder cannot be written.
    """
    place = home() / _name(crate) if folder is None else folder
    if place.exists() or place.is_symlink():
        raise Refused(f"{place} is there already, and nothing is overwritten: choose another folder with --folder")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".import-", dir=place.parent) as scratch:
            source, made = Path(scratch, "crate"), Path(scratch, "runs")
            source.mkdir()
            taken = _taken(crate, unpacked(crate, source), made, signers)
            os.rename(made, place)
    except OSError as err:
        raise RecordFailed(f"{place} cannot be written: {err.strerror or err}") from err
    index.add(place)
    return Taken(place, *taken)


def _taken(
    crate: Path, source: Path, made: Path, signers: Path | None
) -> tuple[tuple[str, ...], Imported, tuple[str, ...]]:
    check_folder(source)
    described = dict(_described(crate, source))
    inside = sorted(str(path.relative_to(source)) for path in source.rglob("*") if path.is_file())
    algorithm = folders.is_algorithm(source)
    ours = [name for name in inside if name in described and _is_part(PurePosixPath(name), algorithm=algorithm)]
    for name in ours:
        target = made / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
    if not made.is_dir():
        raise Refused(f"{crate} holds no run: it has no {folders.SPEC}")
    try:
        runs = runs_in(made)
        _check_signatures(runs, signers)
    except Refused as err:
        raise Refused(str(err).replace(str(made), str(crate))) from err
    root = _root(source)
    notes = Imported(
        crate=crate.name,
        place=str(crate.absolute()),
        sha256=digest_of(crate if crate.is_file() else source / METADATA),
        imported_utc=time.strftime(MOMENT, time.gmtime()),
        heads={run.name or run.problem: run.head for run in runs},
        signatures={run.name or run.problem: list(run.signatures) for run in runs if run.signatures},
        author=_named(root.get("author")),
        license=_named(root.get("license")),
    )
    for run in runs:
        write_json(run.path / FILE, asdict(notes))
    if not folders.is_run(made):
        write_json(made / FILE, asdict(notes))
    return (
        tuple(run.name or run.problem for run in runs),
        notes,
        tuple(name for name in inside if name not in (*ours, *OWN)),
    )


def _described(crate: Path, source: Path) -> Iterator[tuple[str, str]]:
    """Path and digest of each file that the crate describes, every one of them compared with what lies there."""
    known = _digests(source)
    for node in _graph(source):
        kinds = node.get("@type", ())
        name = unquote(str(node.get("@id", "")))
        if "File" not in ([kinds] if isinstance(kinds, str) else kinds) or "://" in name:
            continue
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not (source / path).is_file():
            raise Refused(f"{crate} describes {name!r}, which is not in it")
        digest = str(node.get("sha256") or known.get(name, ""))
        if digest and digest_of(source / path) != digest:
            raise Refused(f"{crate}: {name} is not the file that the crate describes: its SHA-256 is another")
        yield str(path), digest


def _digests(source: Path) -> dict[str, str]:
    """What provenance.jsonld says of files: crates of earlier versions have their digests there alone."""
    file = source / prov.FILE
    if not file.is_file():
        return {}
    nodes = read_json(file).get("@graph", ())
    return {unquote(str(node.get("@id"))): str(node["schema:sha256"]) for node in nodes if "schema:sha256" in node}


def _graph(source: Path) -> list[dict[str, Any]]:
    file = source / METADATA
    if not file.is_file():
        raise Refused(f"{source} is no crate: it has no {METADATA}")
    found = read_json(file).get("@graph")
    if not isinstance(found, list) or not all(isinstance(node, dict) for node in found):
        raise Refused(f"{file} is damaged: it has no list of what it describes")
    return found


def _root(source: Path) -> Mapping[str, Any]:
    nodes = {node.get("@id"): node for node in _graph(source)}
    return nodes.get("./", {})


def _named(value: Any) -> str:
    """What an author or a license is called."""
    return str(value.get("@id", "")) if isinstance(value, Mapping) else str(value or "")


def _is_part(path: PurePosixPath, *, algorithm: bool) -> bool:
    """Whether a file is part of a run, or of a folder of several."""
    runs = {**INPUTS, **OUTPUTS, **BESIDE}
    if path.name in runs or (path.name.startswith("signature-") and path.suffix == ".sig"):
        return len(path.parts) <= 2
    return len(path.parts) == 1 and is_beside(path.name, algorithm=algorithm)


def _check_signatures(runs: list[Told], signers: Path | None) -> None:
    for run in runs:
        found = signatures(run.path, signers)
        if bad := next((one for one in found if one.row is None), None):
            raise Refused(f"{run.name or run.problem}: {bad.file} {bad.reason}: the crate is not taken")
        if signers is not None and not any(one.signer for one in found):
            why = "; ".join(one.reason for one in found) or "nobody has signed it"
            raise Refused(f"{run.name or run.problem} is signed by none of {signers.name}: {why}")


def _name(crate: Path) -> str:
    name = crate.absolute().name
    while name.endswith(ENDINGS):
        name = name.rpartition(".")[0]
    return name or "imported"
