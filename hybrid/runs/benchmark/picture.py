"""The picture of a record of the suite."""

from typing import TYPE_CHECKING

from circuits.errors import Refused
from hybrid.report.benchmark import Part, Scored, benchmark
from hybrid.runs.benchmark.record import BenchRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def picture(record: BenchRecord) -> "Figure":
    """All units that were done, an application a panel; see `hybrid.report.benchmark.benchmark`.

    Args:
        record: What was measured.

    Raises:
        Refused: if nothing was.
    """
    parts: dict[str, Part] = {}
    for unit in record.units:
        if unit.score is None:
            continue
        part = parts.setdefault(unit.application, Part(unit.title, unit.unit, {}))
        part.scores.setdefault(record.backends[unit.backend].label, []).append(
            Scored(unit.n_qubits, unit.depth, unit.score.value, unit.score.standard_error, unit.reference)
        )
    if not parts:
        raise Refused("no unit of this benchmark was done, so that there is nothing to draw")
    return benchmark(list(parts.values()), title=f"Benchmark {record.suite}, seed {record.seed}")
