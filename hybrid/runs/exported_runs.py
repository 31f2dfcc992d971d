"""Runs, and stages of algorithms that are no runs, with every row of parameters, as an export has them."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, FiniteFloat

from circuits.errors import Refused
from hybrid.runs.account import Account, AlgorithmAccount, Unread
from hybrid.runs.algorithm import TRAINING, TRAJECTORY
from hybrid.runs.document import Row, Run, Summary
from hybrid.runs.evaluation import Evaluation
from hybrid.runs.files import checked, parsed, read_bytes
from hybrid.runs.sbom import without_packages


def stages_of(found: AlgorithmAccount) -> list[Run]:
    """The stages of an algorithm that have rows of parameters, each under the values of its point and its own name.

    Args:
        found: The algorithm's account.

    Raises:
        Refused: if a stage is damaged.
    """
    stages = []
    for run in found.runs:
        if isinstance(run, Unread):
            raise Refused(f"{found.path}: the stage {run.name} cannot be read: {run.reason}")
        stages.append(run_of(run).model_copy(update={"values": found.values | run.values}))
    if found.losses:
        rows = list(_rows(found.losses, lambda number: found.entry["backend"]))
        stages.append(_stage(found, Path(TRAINING).stem, rows, unit="nat"))
    if (found.path / TRAJECTORY).exists():
        stages.append(_stage(found, Path(TRAJECTORY).stem, _trajectory(found), unit=found.unit))
    return stages


class _Point(BaseModel):
    """What an export takes of a point of a trajectory."""

    theta: list[FiniteFloat]
    energy: FiniteFloat


def _trajectory(found: AlgorithmAccount) -> list[Row]:
    file = found.path / TRAJECTORY
    lines = read_bytes(file)
    kept = lines[: lines.rfind(b"\n") + 1].splitlines()  # a line that a kill left unfinished is no point
    took = (found.entry["seconds"] or {}).get("stages", 0.0)
    return [
        Row(
            row=number,
            evaluation=number,
            step=number,
            energy=point.energy,
            standard_error=0.0,
            bias=None,
            gradient_norm=None,
            gradient_max=None,
            seconds=took / len(kept),
            backend=found.entry["backend"],
            finished_utc=None,
            theta=point.theta,
        )
        for number, point in enumerate(checked(_Point, parsed(file, line), file) for line in kept)
    ]


def _stage(found: AlgorithmAccount, name: str, rows: list[Row], *, unit: str) -> Run:
    """A stage that is no run, with as much of a summary as there is."""
    asked, entry, ended = found.spec.asked, found.entry, bool(rows) and found.outcome is not None
    summary = Summary(
        problem=entry["problem"],
        source={},
        unit=unit,
        n_qubits=None,
        parameters=[f"theta[{k}]" for k in range(max((len(row.theta) for row in rows), default=0))],
        optimizer=asked.get("optimizer") or {},
        accuracy=asked.get("accuracy"),
        seed=asked["seed"],
        shots=asked.get("shots"),
        label=asked["label"],
        backend=entry["backend"],
        status=entry["status"],
        message=entry["message"] or "",
        energy=rows[-1].energy if ended else None,
        standard_error=rows[-1].standard_error if ended else None,
        bias=0.0,
        exact_energy=entry["exact_energy"],
        theta=found.own.get("theta"),
        steps=entry["steps"],
        evaluations=len(rows),
        seconds=entry["seconds"],
        ranks=None if found.outcome is None else found.outcome.ranks,
        jobs=0,
        money_usd=None,
        failovers=[dict(one) for one in entry["failovers"]],
        prediction=None,
        provenance=without_packages(found.spec.provenance),
    )
    return Run(folder=name, values={**found.values, "stage": name}, summary=summary, rows=rows)


def run_of(run: Account) -> Run:
    """A run with all its rows."""
    return Run(
        folder=run.path.resolve().name,
        values=run.values,
        summary=_summary(run),
        rows=list(_rows(run.content.evaluations, run.backend_of)),
    )


def _summary(run: Account) -> Summary:
    spec, entry, result = run.record.spec, run.entry, run.result
    charge = run.charge
    return Summary(
        problem=spec.problem.name,
        source=spec.problem.source,
        unit=spec.problem.unit,
        n_qubits=run.record.circuit.num_qubits,
        parameters=[parameter.name for parameter in run.record.circuit.parameters],
        optimizer=spec.workload.optimizer,
        accuracy=spec.workload.accuracy,
        seed=spec.workload.seed,
        shots=spec.workload.shots,
        label=spec.workload.label,
        backend=entry["backend"],
        status=entry["status"],
        message=entry["message"] or "",
        energy=entry["energy"],
        standard_error=entry["standard_error"],
        bias=entry["bias"] or 0.0,
        exact_energy=spec.problem.exact_energy,
        theta=None if result is None else result.theta,
        steps=entry["steps"],
        evaluations=sum(len(evaluation.theta) for evaluation in run.content.evaluations),
        seconds=entry["seconds"],
        ranks=None if result is None else result.ranks,
        jobs=sum(job.counts for job in run.content.jobs),
        money_usd=0.0 if charge is None else charge.usd if charge.priced else None,
        failovers=[dict(one) for one in entry["failovers"]],
        prediction=None if entry["prediction"] is None else dict(entry["prediction"]),
        uncertainty=None if result is None or result.uncertainty is None else result.uncertainty.to_dict(),
        provenance=without_packages(spec.provenance),
    )


def _rows(evaluations: Sequence[Evaluation], backend_of: Callable[[int], str]) -> Iterator[Row]:
    number = 0
    for evaluation in evaluations:
        told, n_rows = evaluation.told, len(evaluation.theta)
        backend, finished = backend_of(evaluation.number), _utc(evaluation.finished_at)
        norms = largest = biases = [None] * n_rows
        if told.gradients is not None and told.gradients.size:
            norms = np.linalg.norm(told.gradients, axis=1).tolist()
            largest = np.abs(told.gradients).max(axis=1).tolist()
        if told.biases is not None:
            biases = told.biases.tolist()
        energies, errors, thetas = told.values.tolist(), told.standard_errors.tolist(), evaluation.theta.tolist()
        for k in range(n_rows):
            yield Row.model_construct(  # as they come from a checked journal; checking each number again takes long
                row=number,
                evaluation=evaluation.number,
                step=evaluation.step,
                energy=energies[k],
                standard_error=errors[k],
                bias=biases[k],
                gradient_norm=norms[k],
                gradient_max=largest[k],
                seconds=evaluation.seconds / n_rows,
                backend=backend,
                finished_utc=finished,
                theta=thetas[k],
            )
            number += 1


def _utc(moment: float | None) -> str | None:
    if moment is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1e6):06d}Z"
