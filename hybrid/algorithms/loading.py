"""What a folder came to, read back: the result of a run, or of an algorithm."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np

from circuits.errors import Refused
from hybrid.algorithms.kinds import kind_of
from hybrid.algorithms.reading import Reading
from hybrid.algorithms.summary import Summary
from hybrid.runs import folder as folders
from hybrid.runs import loading
from hybrid.runs.algorithm import AlgorithmSpec, StoredOutcome, read_outcome, read_spec
from hybrid.runs.chain import told
from hybrid.runs.evidence import examine
from hybrid.runs.files import read_bytes
from hybrid.runs.places import folder_of
from hybrid.runs.result import Result
from hybrid.workload.arguments import BackendLike

ROUNDING = 1e-9
"""Difference that another processor may cause between a number in result.json and the same computed from the stages,
relative to its size, and at least in the number's own unit."""

S = TypeVar("S", bound=Summary)


@overload
def load(folder: str | Path) -> Result: ...
@overload
def load(folder: str | Path, kind: type[S]) -> S: ...
def load(folder: str | Path, kind: type[Summary] | None = None) -> Result | Summary:
    """The result of a run or an algorithm that has ended; nothing is run, and neither backend nor optimizer is needed.

    Args:
        folder: Of the run or the algorithm. A run that was stopped is read as it stands, with the status "stopped".
        kind: Class of the result, such as `hybrid.algorithms.qaoa.QAOA`; for type checkers, which otherwise take the
            folder for that of a run. It is checked.

    Returns:
        What `minimize`, or the algorithm's function, returned, but without the plan.

    Raises:
        Refused: if the folder holds neither, one that has no result yet or another one than asked for, or one that was
            changed after its end.

    Examples:
        >>> import tempfile, hybrid
        >>> from hybrid.algorithms import qaoa
        >>> from circuits import maxcut, tfim, hardware_efficient
        >>> r = hybrid.minimize(hardware_efficient(2), tfim(2), backend="reference", folder=tempfile.mkdtemp())
        >>> load(r.folder).energy == r.energy
        True
        >>> cut = hybrid.qaoa(maxcut([(0, 1), (1, 2)]), layers=1, backend="statevector", folder=tempfile.mkdtemp())
        >>> load(cut.folder, qaoa.QAOA).bits == cut.bits
        True
    """
    path = folder_of(folder)
    found = _algorithm(path) if folders.is_algorithm(path) else loading.load(path)
    if kind is not None and not isinstance(found, kind):
        raise Refused(f"{path} holds a {type(found).__name__}, not a {kind.__name__}; leave kind out, or give its own")
    return found


def _algorithm(path: Path) -> Summary:
    spec, outcome = read_spec(path), read_outcome(path)
    if outcome is None:
        raise Refused(f"{path} has no result yet: {cure(path, spec)}")
    check_inputs(path, spec)
    summary, reading = read(path)
    if changed := differing(outcome, summary, reading):
        raise Refused(
            f"{path}: result.json or a stage was changed after the {spec.kind} had ended: {', '.join(changed)} differ. "
            "It is not read as what the algorithm came to. Restore the folder from a copy; `hybrid verify` says more"
        )
    if faults := examine(path).faults:
        raise Refused(
            f"{path} was changed after it was written: {told(faults)}. It is not read as what the {spec.kind} came to: "
            "restore the folder from a copy; `hybrid verify` says more"
        )
    return summary


def cure(path: Path, spec: AlgorithmSpec) -> str:
    """How an algorithm in a folder goes on, in words."""
    if "study" in spec.notes:
        return f"continue it with hybrid run STUDY.toml --folder '{path}' --resume"
    return f"call the function of {spec.kind} again with the same arguments and folder='{path}'"


def check_inputs(path: Path, spec: AlgorithmSpec) -> None:
    """Refuse a folder whose files of what was given are not those that were written.

    Args:
        path: Of the folder.
        spec: What was asked.

    Raises:
        Refused: if one is missing or was changed, or the folder is of a version that kept none.
    """
    if not spec.inputs:
        raise Refused(
            f"{path} was begun by an earlier version, which kept too little to read it back: {cure(path, spec)}, "
            "which reads the stages that are there"
        )
    for name, digest in spec.inputs.items():
        if hashlib.sha256(read_bytes(path / name)).hexdigest() != digest:
            raise Refused(f"{path / name} was changed since the {spec.kind} was begun; restore it from a copy")


def read(path: Path, *, backend: BackendLike | None = None) -> tuple[Summary, Reading]:
    """What the stages of an algorithm came to, whatever its result.json says.

    Args:
        path: Of its folder.
        backend: Needed for `Reading.backend` where the folder does not hold all of it.

    Raises:
        Refused: if a stage is missing or damaged.
    """
    spec = read_spec(path)
    try:
        work, carried_out = kind_of(spec.kind, path).reader(path, spec.asked)
    except KeyError as err:
        raise Refused(f"{path / folders.ALGORITHM} is damaged: it does not say {err} of what was asked") from err
    reading = Reading(path, spec, work, backend)
    return carried_out(reading), reading


def differing(outcome: StoredOutcome, summary: Summary, reading: Reading) -> list[str]:
    """The keys in which result.json says otherwise than the stages.

    Args:
        outcome: What result.json holds.
        summary: What the stages came to.
        reading: Their reading.
    """
    tally = reading.tally
    right = {"steps": tally.steps, "evaluations": tally.evaluations, "message": tally.message, **summary.content()}
    told = outcome.model_dump()
    bounds = {key: ROUNDING if key in summary.computed else 0.0 for key in right}
    return [key for key, value in right.items() if not _same(told.get(key), value, bounds[key])]


def _same(told: Any, right: Any, bound: float) -> bool:
    """Whether two JSON-able values agree, numbers up to a bound relative to their size."""
    if isinstance(right, np.ndarray):
        right = right.tolist()
    if isinstance(right, list | tuple):
        if not isinstance(told, list | tuple) or len(told) != len(right):
            return False
        return all(_same(one, other, bound) for one, other in zip(told, right, strict=True))
    if isinstance(right, Mapping):
        alike = isinstance(told, Mapping) and told.keys() == right.keys()
        return alike and all(_same(told[key], right[key], bound) for key in right)
    if isinstance(right, float) and isinstance(told, int | float):
        return abs(told - right) <= bound * max(1.0, abs(right))
    return bool(told == right)
