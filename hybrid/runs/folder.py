"""A run's folder: everything that repeats the run, and what came of it.

spec.json           what was asked: optimizer, accuracy, seed, backend, plan, versions, machine
circuit.qpy         the ansatz
hamiltonian.json    the terms, with every bit of their coefficients
journal.sqlite      every evaluation and every job at a vendor; bound to the three files above by their digest
budget.sqlite       what may be spent at vendors, and what is; for the points of a sweep it lies in the folder above
calibrations.json   what was measured of the device when the run was resumed after a change; absent if it never was
result.json         what came out; absent until the run has ended
redaction.json      what was withheld of the record before it was handed on; absent from a run that is as it was made
imported.json       from where the run was taken in; absent from a run of our own
registry.json       what became of it in the registry of trained parameters; absent unless it began with that
lock                held by the one process that works on the run
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits.errors import RecordFailed, Refused
from circuits.interop.qpy import as_qpy, circuit_of
from hybrid.runs import index, journal, redaction
from hybrid.runs.files import parsed, read_bytes, read_json, to_json, write
from hybrid.runs.lock import Lock
from hybrid.runs.redaction import Redaction
from hybrid.runs.spec import RunSpec, spec_of

SPEC, CIRCUIT, HAMILTONIAN = "spec.json", "circuit.qpy", "hamiltonian.json"
JOURNAL = "journal.sqlite"
RESULT = "result.json"
ALGORITHM = "algorithm.json"
BENCHMARK = "bench.json"
STAGES = "stages.sqlite"
"""The chain of the stages of an algorithm or a benchmark; see `hybrid.runs.stages`."""
SURVEY = "survey.json"
JOBS = "jobs.sqlite"
"""The journal of the jobs that an algorithm's stages sent, besides those of its runs."""


@dataclass(frozen=True, eq=False)
class Record:
    """A run's folder that has been read.

    Attributes:
        path: Of the folder.
        spec: What was asked.
        circuit: The ansatz.
        hamiltonian: Of the problem.
        digest: SHA-256 of the files that say what was asked; the journal is bound to it. None for a run of version
            0.1, whose journal is bound to nothing.
    """

    path: Path
    spec: RunSpec
    circuit: QuantumCircuit
    hamiltonian: SparsePauliOp
    digest: str | None

    @property
    def journal(self) -> Path:
        """Path of its journal."""
        return self.path / JOURNAL


def is_run(path: Path) -> bool:
    """Whether the folder holds a run."""
    return (path / "spec.json").is_file()


def is_algorithm(path: Path) -> bool:
    """Whether the folder holds an algorithm of several stages; see `hybrid.runs.algorithm`."""
    return (path / ALGORITHM).is_file()


def is_benchmark(path: Path) -> bool:
    """Whether the folder holds a benchmark; see `hybrid.runs.benchmark.folder`."""
    return (path / BENCHMARK).is_file()


def is_survey(path: Path) -> bool:
    """Whether the folder holds a survey, whose runs are in folders below it; see `hybrid.survey.record`."""
    return (path / SURVEY).is_file()


def check_run(path: Path) -> None:
    """Refuse a folder that holds no run.

    Raises:
        Refused: if it holds none; for the folder of a sweep or of an algorithm the message names a run below it, for
            that of a benchmark the commands that take it.
    """
    if not path.is_dir():
        raise Refused(f"{path} is a file; give the folder of a run" if path.exists() else f"{path}: no such folder")
    if is_benchmark(path):
        raise Refused(
            f"{path} holds a benchmark, not a run; `hybrid show`, `hybrid report` and `hybrid export` take it, "
            f"`hybrid bench --folder {path}` goes on with it"
        )
    point = next(iter(sorted(path.glob("*/spec.json"))), None)
    if is_algorithm(path):
        raise Refused(
            f"{path} holds an algorithm of several runs; to continue it, call it again with the same arguments and "
            f"folder='{path}'" + (f"; one of its runs is {point.parent}" if point else "")
        )
    if not is_run(path) and point is not None:
        raise Refused(f"{path} holds a sweep; name one of its points, such as {point.parent}")
    if not is_run(path):
        raise Refused(f"{path} holds no run: it has no spec.json")


def check_free(path: Path) -> None:
    """Refuse a path where no new run can be written; it need not exist.

    Raises:
        Refused: if it holds a run, a benchmark, or a journal with evaluations, already, or is no folder.
    """
    if is_run(path):
        raise Refused(f"{path} holds a run already; resume it, or choose another folder")
    if is_benchmark(path):
        raise Refused(f"{path} holds a benchmark already; choose another folder")
    if path.exists() and not path.is_dir():
        raise Refused(f"{path} is a file; a run needs a folder")
    if (path / JOURNAL).exists() and journal.read(path / JOURNAL).evaluations:
        raise Refused(f"{path} holds the journal of a run whose {SPEC} is gone; choose another folder")


def create(path: Path, spec: RunSpec, circuit: QuantumCircuit, hamiltonian: SparsePauliOp) -> Record:
    """Write a new run's folder; the spec comes last, so that half a folder is never taken for a run.

    Args:
        path: Of the folder, which is made where it is missing.
        spec: What is asked.
        circuit: The ansatz.
        hamiltonian: Of the problem; its coefficients must be real.

    Raises:
        Refused: if the folder holds a run already, or cannot be written.
    """
    check_free(path)
    files = {
        SPEC: to_json(spec.to_dict()),
        CIRCUIT: as_qpy(circuit),
        HAMILTONIAN: to_json({"n_qubits": hamiltonian.num_qubits, "terms": _terms(hamiltonian)}),
    }
    digest = _digest(files)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with Lock(path):
            check_free(path)  # again, now that nobody else can be writing the same folder
            for name in (CIRCUIT, HAMILTONIAN):
                write(path / name, files[name])
            (path / JOURNAL).unlink(missing_ok=True)  # an empty one, of a run that never began
            journal.create(path / JOURNAL, digest, files)
            write(path / SPEC, files[SPEC])
            index.add(path)
    except (OSError, RecordFailed) as err:
        raise Refused(f"the run folder {path} cannot be written: {err}") from err
    return Record(path, spec, circuit, hamiltonian, digest)


def read(path: Path) -> Record:
    """What a run's folder says was asked.

    Raises:
        Refused: if the folder holds no run, or a damaged one; the journal is not looked at.
    """
    check_run(path)
    files = {name: read_bytes(path / name) for name in (SPEC, CIRCUIT, HAMILTONIAN)}
    spec = spec_of(parsed(path / SPEC, files[SPEC]), path / SPEC)
    digest = None if spec.format == 1 else _digest(files, redaction.read(path))
    return Record(path, spec, _circuit(path, files), _hamiltonian(path, files), digest)


def read_spec(path: Path) -> RunSpec:
    """What a run's spec.json says, without reading circuit and Hamiltonian.

    Raises:
        Refused: if the folder holds no run, or its spec is damaged.
    """
    check_run(path)
    return spec_of(read_json(path / SPEC), path / SPEC)


def _circuit(path: Path, files: Mapping[str, bytes]) -> QuantumCircuit:
    try:
        return circuit_of(files[CIRCUIT])
    except Refused as err:
        raise Refused(f"{path / CIRCUIT} {err}") from err


def _hamiltonian(path: Path, files: Mapping[str, bytes]) -> SparsePauliOp:
    content = parsed(path / HAMILTONIAN, files[HAMILTONIAN])
    try:
        terms = [(str(label), float(coefficient)) for label, coefficient in content["terms"]]
        return SparsePauliOp.from_list(terms, num_qubits=content["n_qubits"])
    except Exception as err:  # Qiskit raises whatever the damage leads it to
        raise Refused(f"{path / HAMILTONIAN} is damaged ({type(err).__name__}: {err})") from err


def _terms(hamiltonian: SparsePauliOp) -> list[list[Any]]:
    return [[label, coefficient.real] for label, coefficient in hamiltonian.to_list()]


def _digest(files: Mapping[str, bytes], redacted: Redaction | None = None) -> str:
    digests = [hashlib.sha256(files[name]).hexdigest() for name in (SPEC, CIRCUIT, HAMILTONIAN)]
    if redacted:
        digests[0] = redacted.written(SPEC, digests[0])
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()
