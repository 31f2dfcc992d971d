"""The result of a run, read from its folder."""

from pathlib import Path
from typing import cast

import numpy as np

from circuits.errors import Refused
from hybrid.runs import folder as folders
from hybrid.runs import journal
from hybrid.runs.entries import ChainEntry, FailoverEntry
from hybrid.runs.error_budget import ErrorBudget
from hybrid.runs.files import checked, parsed, read_bytes
from hybrid.runs.history import History
from hybrid.runs.journal import Content
from hybrid.runs.result import Result, StoredResult


def load(folder: str | Path) -> Result:
    """The result of a run that has ended; nothing is computed, and neither backend nor optimizer is needed.

    Args:
        folder: Of the run. One that was stopped is read as it stands, with the status "stopped".

    Returns:
        What `minimize` returned, but without the plan.

    Raises:
        Refused: if the folder holds no run, one that has no result yet, or one that was changed after its end.

    Examples:
        >>> import tempfile, hybrid
        >>> from circuits import tfim, hardware_efficient
        >>> r = hybrid.minimize(hardware_efficient(2), tfim(2), backend="reference", folder=tempfile.mkdtemp())
        >>> load(r.folder).energy == r.energy
        True
    """
    path = Path(folder)
    record, file = folders.read(path), path / folders.RESULT
    if not file.exists():
        raise Refused(f"{path} has no result yet: continue it with hybrid.resume('{path}')")
    written = read_bytes(file)
    stored = checked(StoredResult, parsed(file, written), file)
    content = journal.read(record.journal)
    if record.spec.format > 1 and stored.status != "stopped":
        check_sealed(path, written, content)
    return Result(
        energy=np.nan if stored.energy is None else stored.energy,
        standard_error=np.nan if stored.standard_error is None else stored.standard_error,
        theta=np.array(stored.theta),
        status=stored.status,
        message=stored.message,
        history=History.from_evaluations(content.evaluations, record.circuit.num_parameters),
        plan=None,
        folder=path,
        exact_energy=stored.exact_energy,
        unit=stored.unit,
        problem=stored.problem,
        backend=stored.backend,
        steps=stored.steps,
        evaluations=stored.evaluations,
        seconds=dict(stored.seconds),
        ranks=stored.ranks,
        rounding=stored.rounding,
        validated=stored.validated,
        bias=stored.bias,
        error_budget=None if stored.error_budget is None else ErrorBudget.of_dict(stored.error_budget),
        uncertainty=stored.uncertainty,
        failovers=cast("tuple[FailoverEntry, ...]", tuple(stored.failovers)),
        prediction=stored.prediction,
        chain=cast("ChainEntry | None", stored.chain),
        start=record.spec.start,
    )


def check_sealed(path: Path, result: bytes, content: Content) -> None:
    """Refuse a finished run whose journal or result was changed since.

    Args:
        path: Of its folder.
        result: What its result.json holds.
        content: What its journal holds.

    Raises:
        Refused: if the two do not belong together.
    """
    if not content.sealed(result):
        raise Refused(
            f"{path}: result.json or the journal was changed after the run had ended: it is not read as what "
            "the run came to. Restore the folder from a copy; `hybrid verify` says more"
        )
