"""Minimizing a function of parameters that is no energy, with a journal of its own."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from circuits.errors import Refused
from hybrid.optimizers.optimizer import Points, Told
from hybrid.progress import Progress
from hybrid.runs.journal import Evaluation, Journal
from hybrid.workload import Workload


def descend(
    path: Path, work: Workload, theta: np.ndarray, evaluate: Callable[[Points, int], Told]
) -> tuple[np.ndarray, np.ndarray]:
    """Ask, evaluate, write down, tell; what the journal holds already is not evaluated again.

    Args:
        path: Of the journal.
        work: Whose optimizer, accuracy, steps and seed are taken.
        theta: Starting point, shape (params,).
        evaluate: From points and the number of the step to what they are worth.

    Returns:
        The best parameters, and the first value of every step.

    Raises:
        Refused: if the journal tells another story.
    """
    optimizer, values = work.optimizer, []
    state = optimizer.init(theta, accuracy=work.accuracy, seed=work.seed)
    journal = Journal(path)
    try:
        known = list(journal.read())
        with Progress(work.problem.name, work.max_steps) as progress:
            for step in range(work.max_steps):
                if optimizer.converged(state) or optimizer.stalled(state):
                    break
                points = optimizer.ask(state)
                if step < len(known):
                    evaluation = known[step]
                    if evaluation.theta.tobytes() != points.rows.tobytes():
                        raise Refused(f"{path}: evaluation {step} was made at other parameters; choose another folder")
                else:
                    start = time.perf_counter()
                    told = evaluate(points, step)
                    evaluation = Evaluation(step, step, points.rows, told, time.perf_counter() - start)
                    journal.append(evaluation)
                state = optimizer.tell(state, evaluation.told)
                values.append(float(evaluation.told.values[0]))
                progress.update(step + 1, f"value {values[-1]:.6f}")
    finally:
        journal.close()
    return optimizer.best(state), np.array(values)
