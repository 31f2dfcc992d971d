"""The phases of a run and the time of each: all that will really run, as the plan splits its cost."""

import math
from collections.abc import Iterator

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import backends
from backends.base import Backend
from backends.cost import Cost
from circuits.errors import Refused
from hybrid import optimizers
from hybrid.runs.prediction import Phase
from hybrid.workload.beside import (
    DESCENT_STEPS,
    has_exact_energy,
    in_double,
    is_descended,
    is_rounded,
    is_sampled,
    is_validated,
)
from hybrid.workload.expected import Expected, comparisons, expected
from hybrid.workload.workload import Workload

OWN_SPREAD = 3.0
"""Times by which the optimizer's own time may be off: it was measured on one machine."""

RECORD_S, RECORD_STEP_S, RECORD_SPREAD = 0.1, 2e-4, 3.0
"""Of the record: once, for each row, and the times by which both may be off."""

EXACT_ENERGY_S, EXACT_ENERGY_SHARE, EXACT_ENERGY_SPREAD = 3e-3, 0.5, 4.0
"""Of an exact energy: what the smallest takes; the share of `Problem.exact_energy_seconds` that large ones took (0.2 to
1, so that this is on the safe side); and the times by which both may be off."""

BESIDE_SPREAD = 3.0
"""The same of a few rows on a simulator beside the run."""

DESCENT_ACCURACY = 1e-7
"""Where the descents of an error budget end, relative to energies of the order of one."""


def phases(work: Workload, backend: Backend, cost: Cost, rows: Expected) -> tuple[Phase, ...]:
    """What a run does, in its order, with the predicted time of each part.

    Args:
        work: The workload.
        backend: Where it runs.
        cost: Predicted for it there.
        rows: Expected until the optimizer ends.
    """
    return tuple(_phases(work, backend, cost, rows))


def final_rows(work: Workload, backend: Backend) -> int:
    """Rows that the conclusion evaluates."""
    return work.n_final if is_sampled(backend.capabilities(), work.shots) else 1


def seconds_a_row(work: Workload, cost: Cost) -> float:
    """Predicted seconds of one row, with its gradient where that is asked for.

    Args:
        work: The workload.
        cost: Predicted for it.
    """
    return (cost.seconds - cost.compile_s) / (work.n_evaluations + (work.n_final if cost.standard_error else 0))


def _phases(work: Workload, backend: Backend, cost: Cost, rows: Expected) -> Iterator[Phase]:
    if has_exact_energy(work.problem):
        seconds = EXACT_ENERGY_S + EXACT_ENERGY_SHARE * work.problem.exact_energy_seconds()
        yield _about("exact energy", seconds, EXACT_ENERGY_SPREAD)
    spread, row_s, n_params = cost.spread, seconds_a_row(work, cost), len(work.theta)
    yield _about("compile", cost.compile_s, spread)
    yield _rows("evaluate", row_s, rows.rows, rows.low, rows.high, spread)
    if compared := comparisons(work.optimizer, n_params, rows.rows):
        per_row = compared / rows.rows
        yield _rows("geometry", row_s * per_row, rows.rows, rows.low, rows.high, spread)
    yield _rows("optimize", rows.own_s, rows.rows, rows.low, rows.high, OWN_SPREAD)
    final = final_rows(work, backend)
    yield _rows("conclude", row_s, final, final, final, spread)
    yield _about("record", RECORD_S + RECORD_STEP_S * rows.rows, RECORD_SPREAD)
    if is_rounded(work, backend):
        yield _about("double precision", _exact_s(work, in_double(backend), rows=1), BESIDE_SPREAD)
    if is_validated(work, backend.capabilities()):
        simulator = backends.get("statevector")
        yield _about("validate", _exact_s(work, simulator, rows=1), BESIDE_SPREAD)
        if is_descended(work) and has_exact_energy(work.problem):
            descent = expected(optimizers.get("lbfgs"), n_params, accuracy=DESCENT_ACCURACY, max_steps=DESCENT_STEPS)
            two = [2 * number for number in (descent.rows, descent.low, descent.high)]
            once = _exact_s(work, simulator, rows=1, derivative=True)
            each = _exact_s(work, simulator, rows=2, derivative=True) - once
            yield Phase("error budget", *(once + each * n for n in two))


class _Part:
    """Work of a few rows on the workload's circuit.

    Args:
        work: The workload.
        rows: How many.
        derivative: Whether with gradients.
    """

    n_rows, n_final, precision, shots = 1, 0, None, None

    def __init__(self, work: Workload, rows: int, derivative: bool):
        self.circuit: QuantumCircuit = work.circuit
        self.observables: tuple[SparsePauliOp, ...] = work.observables
        self.n_evaluations, self.derivative = rows, derivative


def _exact_s(work: Workload, backend: Backend, *, rows: int, derivative: bool = False) -> float:
    """Seconds of exact rows on a simulator here; NaN where it cannot do them, or was not measured."""
    try:
        return backend.predict(_Part(work, rows, derivative)).seconds
    except Refused:
        return math.nan


def _rows(name: str, row_s: float, rows: int, low: int, high: int, spread: float) -> Phase:
    """A number of rows and a speed, each with its interval, whose errors are independent."""
    below, above = _together(spread, rows / low), _together(spread, high / rows)
    return Phase(name, row_s * rows, row_s * rows / below, row_s * rows * above)


def _about(name: str, seconds: float, factor: float) -> Phase:
    return Phase(name, seconds, seconds / factor, seconds * factor)


def _together(*factors: float) -> float:
    return float(np.exp(np.hypot(*np.log(factors))))
