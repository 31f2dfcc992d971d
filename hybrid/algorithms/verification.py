"""Verifying what a folder holds: a run, or an algorithm with each of its stages."""

from collections.abc import Iterator
from pathlib import Path

from circuits.errors import FailedJob, RecordFailed, Refused
from hybrid.algorithms import vqd
from hybrid.algorithms.classifier import Classifier
from hybrid.algorithms.evolution import Evolution
from hybrid.algorithms.loading import check_inputs, differing, read
from hybrid.algorithms.reading import Reading
from hybrid.algorithms.summary import Summary
from hybrid.algorithms.verification_of_classifier import of_classifier
from hybrid.algorithms.verification_of_evolution import of_evolution
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import read_outcome, read_spec, runs_of
from hybrid.runs.files import write_json
from hybrid.verification import verification as of_run
from hybrid.verification.finding import Outcome
from hybrid.verification.verification import FILE, Check, Verification
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
    """Check a run, or an algorithm: that its record is whole and leads to its result, and that its numbers are right.

    Of a run see `hybrid.verification.verification.verify`. Each run of an algorithm is checked like any other, and what
    the algorithm says must be what its stages came to. Where no runs stand behind it, its numbers are computed again: a
    classifier's losses and predictions, a trajectory's energies, motion and exact path.

    Args:
        folder: Of a run or of an algorithm.
        backend: Needed only if a backend object, or secret options, were used: no folder holds those.
        optimizer: Needed only if an object of Optax's was used; without it, the loop is not replayed.
        signers: A file of those who may have signed a run, in OpenSSH's format; then one of them must
            have.

    Returns:
        The `Verification`; it is written to ``verification.json`` in the folder, too, if that can be written.

    Raises:
        Refused: if the folder holds neither, or files so damaged that nothing can be checked.
    """
    path = Path(folder)
    if not folders.is_algorithm(path):
        return of_run.verify(path, backend=backend, optimizer=optimizer, signers=signers)
    runs = [_run(path, run, backend, optimizer, signers) for run in runs_of(path)]
    verification = Verification(path, (_ended(path), *_stages(path, backend), *runs))
    try:
        write_json(path / FILE, verification.to_dict())
    except RecordFailed as err:
        return Verification(path, verification.checks, unwritten=str(err))
    return verification


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
        device = vqd.penalized_backend(path, run, backend) or backend
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
    found: Iterator[Check] = iter(())
    if summary.unchecked:
        found = iter([Check("numbers", "unchecked", summary.unchecked)])
    if isinstance(summary, Classifier):
        found = of_classifier(summary, reading)
    elif isinstance(summary, Evolution):
        found = of_evolution(summary, reading)
    try:
        yield from found
    except Refused as err:
        yield Check("numbers", "unchecked", str(err))
    except FailedJob as err:
        yield Check("numbers", "failed", str(err))
