"""A run's folder: everything that repeats the run, and what came of it.

spec.json           what was asked: optimizer, accuracy, seed, backend, plan, versions, machine
circuit.qpy         the ansatz
hamiltonian.json    the terms, with every bit of their coefficients
journal.sqlite      every evaluation
result.json         what came out; absent until the run has ended
lock                held by the one process that works on the run
"""

import json
import os
import re
import secrets
import time
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, qpy
from qiskit.quantum_info import SparsePauliOp

from circuits import Problem
from circuits.errors import RecordFailed, Refused
from hybrid.runs.lock import Lock

FORMAT = 1
JOURNAL = "journal.sqlite"
ALGORITHM = "algorithm.json"

WORD_BYTES = 200
"""Longest part of a new folder's name that comes from the run's, in bytes; file systems take 255 for the whole."""


def home() -> Path:
    """Where runs without a folder of their own go: $HYBRID_RUNS, or ./runs."""
    return Path(os.environ.get("HYBRID_RUNS", "runs"))


def fresh(name: str) -> Path:
    """A path in `home` that nothing has yet, from the name, the time, and chance: others may start this second, too."""
    while True:
        path = home() / f"{_word(name)}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        if not path.exists():
            return path


def latest(name: str) -> Path | None:
    """The newest run in `home` that was named so, or None."""
    form = re.compile(re.escape(_word(name)) + r"-\d{8}-\d{6}(-\w+)?")
    found = [path for path in home().glob("*") if form.fullmatch(path.name) and path.is_dir()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _word(name: str) -> str:
    """The name as a part of a file name."""
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in str(name)).strip("-.")
    return safe.encode()[:WORD_BYTES].decode(errors="ignore") or "run"


def is_run(path: Path) -> bool:
    """Whether the folder holds a run."""
    return (path / "spec.json").is_file()


def check_run(path: Path) -> None:
    """Refuse a folder that holds no run; that of a sweep names one of its points."""
    point = next(iter(sorted(path.glob("*/spec.json"))), None)
    if (path / ALGORITHM).is_file():
        raise Refused(
            f"{path} holds an algorithm of several runs; to continue it, call it again with the same arguments and "
            f"folder='{path}'" + (f"; one of its runs is {point.parent}" if point else "")
        )
    if not is_run(path) and point is not None:
        raise Refused(f"{path} holds a sweep; name one of its points, such as {point.parent}")
    if not is_run(path):
        raise Refused(f"{path} holds no run: it has no spec.json")


def check_free(path: Path) -> None:
    """Refuse a folder that holds a run already, or is no folder."""
    if is_run(path):
        raise Refused(f"{path} holds a run already; resume it, or choose another folder")
    if (path / JOURNAL).exists():
        raise Refused(f"{path} holds the journal of a run whose spec.json is gone; choose another folder")
    if path.exists() and not path.is_dir():
        raise Refused(f"{path} is a file; a run needs a folder")


def create(path: Path, spec: dict[str, Any], circuit: QuantumCircuit, hamiltonian: SparsePauliOp) -> None:
    """Write a new run's folder; the spec comes last, so that half a folder is never taken for a run.

    Raises:
        Refused: if the folder holds a run already or cannot be written.
    """
    check_free(path)
    terms = [[label, c.real] for label, c in hamiltonian.to_list()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        with Lock(path):
            check_free(path)  # again, now that nobody else can be writing the same folder
            with (path / "circuit.qpy").open("wb") as file:
                qpy.dump(circuit, file)
            write_json(path / "hamiltonian.json", {"n_qubits": hamiltonian.num_qubits, "terms": terms})
            write_json(path / "spec.json", {"format": FORMAT} | spec)
    except (OSError, RecordFailed) as err:
        raise Refused(f"the run folder {path} cannot be written: {err}") from err


def read(path: Path) -> tuple[dict[str, Any], QuantumCircuit, Problem]:
    """The spec, the circuit and the problem of a run.

    Raises:
        Refused: if the folder holds no run, or a damaged one.
    """
    check_run(path)
    spec = read_json(path / "spec.json")
    if spec.get("format") != FORMAT:
        raise Refused(f"{path / 'spec.json'}: format {spec.get('format')}; this version reads format {FORMAT}")
    if missing := {"problem", "workload", "backend", "provenance"} - set(spec):
        raise Refused(f"{path / 'spec.json'} is damaged: it has no {', '.join(sorted(missing))}")
    try:
        with (path / "circuit.qpy").open("rb") as file:
            (circuit,) = qpy.load(file)
        content = read_json(path / "hamiltonian.json")
        hamiltonian = SparsePauliOp.from_list(
            [(label, c) for label, c in content["terms"]], num_qubits=content["n_qubits"]
        )
        known = spec["problem"]
        problem = Problem(
            known["name"],
            hamiltonian,
            known["unit"],
            known["source"],
            solve=None if known["exact_energy"] is None else lambda: known["exact_energy"],
        )
    except Exception as err:  # QPY's reader raises whatever the damage leads it to
        if isinstance(err, Refused):
            raise
        reason = str(err).splitlines()[0] if str(err) else "no more is known"
        raise Refused(f"{path}: the run's files are damaged ({type(err).__name__}: {reason})") from err
    return spec, circuit, problem


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file whole or not at all.

    Raises:
        RecordFailed: if it cannot be written.
    """
    text = json.dumps(content, indent=1, allow_nan=False, default=_plain) + "\n"
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_text(text)
        scratch.replace(path)
    except OSError as err:
        scratch.unlink(missing_ok=True)
        raise RecordFailed(f"{path} cannot be written: {err.strerror}") from err


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        Refused: if the file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as err:  # among them: not UTF-8, and whole numbers without end
        raise Refused(f"{path} cannot be read: {err}") from err
    if not isinstance(content, dict):
        raise Refused(f"{path} is damaged: it holds no JSON object")
    return content


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
