"""Verifying what a folder holds: a run, or an algorithm with each of its runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from circuits.errors import RecordFailed, Refused
from hybrid.algorithms import vqd
from hybrid.algorithms.evolution import TrajectoryPoint
from hybrid.runs import folder as folders
from hybrid.runs.algorithm import StoredOutcome, read_outcome, read_spec, runs_of
from hybrid.runs.files import checked, parsed, read_bytes, read_json, write_json
from hybrid.runs.result import StoredResult
from hybrid.verification import verification as of_run
from hybrid.verification.checks import Outcome
from hybrid.verification.verification import FILE, Check, Verification
from hybrid.workload.arguments import BackendLike, OptimizerLike

OUTCOMES: dict[str, Outcome] = {"passed": "passed", "failed": "failed", "incomplete": "unchecked"}
"""From the verdict on a run to the outcome of the check that it is of its algorithm."""

WITHOUT_RUNS = Check(
    "numbers", "unchecked", "no run stands behind them that could be repeated: carry it out elsewhere, and compare"
)


def verify(
    folder: str | Path,
    *,
    backend: BackendLike | None = None,
    optimizer: OptimizerLike | None = None,
    signers: str | Path | None = None,
) -> Verification:
    """Check a run, or an algorithm: that its record is whole and leads to its result, and that its numbers are right.

    Of a run see `hybrid.verification.verification.verify`. Each run of an algorithm is checked like any other, and what
    the algorithm says must be what its stages came to.

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
    verification = Verification(path, (_ended(path), _result(path), *(runs or [WITHOUT_RUNS])))
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


def _result(path: Path) -> Check:
    """Whether what the algorithm says is what its stages came to, to the last bit."""
    kind, outcome = read_spec(path).kind, read_outcome(path)
    stages = _STAGES.get(kind)
    if outcome is None:
        return Check("result", "unchecked", "there is none yet")
    if stages is None:
        return Check("result", "unchecked", "the data that it was trained on are not in the folder")
    own, found = outcome.model_extra or {}, stages(path)
    claimed = {key: np.asarray(own.get(key), dtype=float) for key in found}
    wrong = [key for key, value in found.items() if claimed[key].tobytes() != np.asarray(value, float).tobytes()]
    if wrong or not _is_one_of(outcome, claimed["energies"]):
        what = ", ".join(wrong) or "energy"
        return Check("result", "failed", f"{what} in result.json differ from what the stages say")
    return Check("result", "passed", f"{', '.join(found)} are those of the stages, to the last bit")


def _is_one_of(outcome: StoredOutcome, energies: np.ndarray) -> bool:
    return outcome.energy in (energies[0], energies[-1])


def _of_runs(path: Path) -> dict[str, Any]:
    """The energies of runs whose names end in a number, in its order, and the last one's angles."""
    files = [run / folders.RESULT for run in sorted(runs_of(path), key=lambda run: int(run.name.rpartition("-")[2]))]
    results = [checked(StoredResult, read_json(file), file) for file in files]
    return {"energies": [result.energy for result in results], "theta": results[-1].theta}


def _of_levels(path: Path) -> dict[str, Any]:
    files = [path / f"level-{k}.json" for k in range(len(list(path.glob("level-*.json"))))]
    return {"energies": [checked(vqd.StoredLevel, read_json(file), file).energy for file in files]}


def _of_trajectory(path: Path) -> dict[str, Any]:
    file = path / "trajectory.jsonl"
    points = [checked(TrajectoryPoint, parsed(file, line), file) for line in read_bytes(file).splitlines()]
    return {"energies": [point.energy for point in points], "theta": points[-1].theta}


_STAGES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "qaoa": _of_runs,
    "adapt": _of_runs,
    "vqd": _of_levels,
    "real-time": _of_trajectory,
    "imaginary-time": _of_trajectory,
}
