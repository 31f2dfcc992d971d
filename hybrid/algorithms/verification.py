"""Verifying what a folder holds: a run, or an algorithm with each of its stages."""

from collections.abc import Iterator
from pathlib import Path

from circuits.errors import FailedJob, Refused
from hybrid.algorithms.kinds import kind_of
from hybrid.algorithms.loading import check_inputs, differing, read
from hybrid.algorithms.reading import Reading
from hybrid.algorithms.summary import Summary
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import read_outcome, read_spec, runs_of
from hybrid.runs.chain import told
from hybrid.runs.evidence import examine
from hybrid.runs.places import folder_of
from hybrid.verification import benchmark as of_benchmark
from hybrid.verification import verification as of_run
from hybrid.verification.checks import chained, signed
from hybrid.verification.finding import Outcome
from hybrid.verification.verification import Check, Verification, written
from hybrid.workload.arguments import BackendLike, OptimizerLike

OUTCOMES: dict[str, Outcome] = {"passed": "passed", "failed": "failed", "incomplete": "unchecked"}
"""From the verdict on a run to the outcome of the check that it is of its algorithm."""


def verify(
    folder: str | Path,
    *,
    backend: BackendLike | None = None,
    optimizer: OptimizerLike | None = None,
    signers: str | Path | None = None,
) -> Verification:
    """Check a run, an algorithm or a benchmark: that its record is whole, leads to its result, and is right.

    Of a run see `hybrid.verification.verification.verify`. Each run of an algorithm is checked like any other, and what
    the algorithm says must be what its stages came to. Where no runs stand behind it, its numbers are computed again: a
    classifier's losses and predictions, a trajectory's energies, motion and exact path. Of a benchmark see
    `hybrid.verification.benchmark.verify`.

    Args:
        folder: Of a run, of an algorithm or of a benchmark.
        backend: Needed only if a backend object, or secret options, were used: no folder holds those.
        optimizer: Needed only if an object of Optax's was used; without it, the loop is not replayed.
        signers: A file of those who may have signed it, in OpenSSH's format; then one of them must have.

    Returns:
        The `Verification`; it is written to ``verification.json`` in the folder, too, if that can be written.

    Raises:
        Refused: if the folder holds none of them, or files so damaged that nothing can be checked; what was changed is
            named.
    """
    path = folder_of(folder)
    allowed = None if signers is None else Path(signers)
    if folders.is_benchmark(path):
        return of_benchmark.verify(path, signers=allowed)
    if not folders.is_algorithm(path):
        return of_run.verify(path, backend=backend, optimizer=optimizer, signers=signers)
    found = examine(path)
    try:
        ended = _ended(path)
    except Refused as err:
        if found.faults:
            raise Refused(f"{path} was changed after it was written: {told(found.faults)}. {err}") from err
        raise
    chain = Check("chain", *chained(found, ended=(path / folders.RESULT).exists()))
    signature = Check("signature", *signed(path, found, allowed)) if found.chained else None
    signers = None if found.chained else signers  # the head of the whole is signed, and not each run
    runs = [_run(path, run, backend, optimizer, signers) for run in runs_of(path)]
    marks = (chain,) if signature is None else (chain, signature)
    return written(Verification(path, (ended, *marks, *_stages(path, backend), *runs)))


def _run(
    path: Path,
    run: Path,
    backend: BackendLike | None,
    optimizer: OptimizerLike | None,
    signers: str | Path | None,
) -> Check:
    """The checks of one run, as one check of the algorithm."""
    name = f"run {run.name}"
    try:
        around = kind_of(read_spec(path).kind, path).backend_of_run
        device = (around and around(path, run, backend)) or backend
        found = of_run.verify(run, backend=device, optimizer=optimizer, signers=signers)
    except Refused as err:
        return Check(name, "unchecked", str(err))
    decisive = [check for check in found.checks if check.outcome == OUTCOMES[found.verdict]]
    text = f"{decisive[0].name}: {decisive[0].finding}"
    if found.passed:
        text = f"{len(found.checks)} checks passed, or do not apply"
    return Check(name, OUTCOMES[found.verdict], text)


def _ended(path: Path) -> Check:
    outcome = read_outcome(path)
    if outcome is None:
        return Check("status", "failed", "it has not ended: resume it")
    good = outcome.status in ("converged", "finished")
    return Check("status", "passed" if good else "failed", outcome.status)


def _stages(path: Path, backend: BackendLike | None) -> Iterator[Check]:
    """Whether what was given is what it was, what the algorithm says is what its stages came to, and that is right."""
    spec, outcome = read_spec(path), read_outcome(path)
    if not spec.inputs:
        said = "begun by an earlier version, which kept too little to check it: carry it out again, and compare"
        yield Check("record", "unchecked", said)
        return
    try:
        check_inputs(path, spec)
    except Refused as err:
        yield Check("record", "failed", str(err))
        return
    yield Check("record", "passed", f"what was given is unchanged: {', '.join(spec.inputs)}")
    if outcome is None:
        yield Check("result", "unchecked", "there is none yet")
        return
    try:
        summary, reading = read(path, backend=backend)
    except Refused as err:
        yield Check("result", "failed", str(err))
        return
    if wrong := differing(outcome, summary, reading):
        yield Check("result", "failed", f"{', '.join(wrong)} in result.json differ from what the stages say")
    else:
        yield Check("result", "passed", f"{', '.join(summary.content())} are those of the stages")
    yield from _numbers(summary, reading)


def _numbers(summary: Summary, reading: Reading) -> Iterator[Check]:
    """The checks of numbers behind which no run stands."""
    if summary.unchecked:
        yield Check("numbers", "unchecked", summary.unchecked)
    checks = kind_of(reading.spec.kind, reading.folder).checked
    try:
        yield from () if checks is None else checks(summary, reading)
    except Refused as err:
        yield Check("numbers", "unchecked", str(err))
    except FailedJob as err:
        yield Check("numbers", "failed", str(err))
