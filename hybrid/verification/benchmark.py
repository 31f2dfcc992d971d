"""Verifying a benchmark: that its record is whole, as it was written, and what its units say."""

from pathlib import Path

from circuits.errors import Refused
from hybrid.runs.benchmark.folder import RESULT, read_record, read_spec, record_of, units
from hybrid.runs.chain import told
from hybrid.runs.evidence import examine
from hybrid.verification.checks import chained, signed
from hybrid.verification.verification import Check, Verification, written


def verify(folder: Path, *, signers: Path | None = None) -> Verification:
    """Check a benchmark: its chain, its signatures, its result against its units; no score is measured anew.

    Args:
        folder: Of the benchmark.
        signers: A file of those who may have signed it, in OpenSSH's format; then one of them must have.

    Returns:
        The `Verification`; it is written to ``verification.json`` in the folder, too, if that can be written.

    Raises:
        Refused: if the folder holds no benchmark, or files so damaged that nothing can be checked; what was changed is
            named.
    """
    found = examine(folder)
    try:
        record = record_of(read_spec(folder), units(folder))
        stored = read_record(folder / RESULT) if (folder / RESULT).exists() else None
    except Refused as err:
        if not found.faults:
            raise
        raise Refused(
            f"{folder} was changed after it was written: {told(found.faults)}. Nothing can be checked: {err}"
        ) from err
    checks = [_status(folder, record.n_units, stored is not None), Check("chain", *chained(found, ended=bool(stored)))]
    if found.chained:
        checks.append(Check("signature", *signed(folder, found, signers)))
    if stored is None:
        checks.append(Check("result", "unchecked", "there is none yet"))
    elif stored != record:
        checks.append(Check("result", "failed", "result.json says otherwise than bench.json and units.jsonl"))
    else:
        checks.append(Check("result", "passed", f"its {len(record.units)} units are those of units.jsonl"))
    again = "no score is measured anew: measure again in another folder, and compare with `hybrid compare`"
    return written(Verification(folder, (*checks, Check("numbers", "unchecked", again))))


def _status(folder: Path, asked: int, ended: bool) -> Check:
    if not ended:
        return Check("status", "failed", "it has not ended: resume it")
    failed = sum(unit.status == "failed" for unit in units(folder))
    if failed:
        return Check("status", "failed", f"{failed} of {asked} units failed: the same command tries them again")
    return Check("status", "passed", "finished")
