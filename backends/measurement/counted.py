"""Running measured circuits on a Qiskit device or simulator: in portions that it can take, with seeds of their own."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

from backends.border import border, says_too_large, too_large
from backends.measurement.outcomes import Outcomes, counts_bytes, from_counts
from backends.memory import check, free_bytes
from backends.seeds import child_seed, folded
from circuits.errors import FailedJob, Refused

MOST_CIRCUITS = 1000
"""Circuits in one call where the device names no limit of its own."""

SEED_BITS = 63
"""Of the seeds that simulators take behind this interface."""

MOST_SAMPLE_BYTES = 2**28
"""What the single shots of one circuit may take inside a simulator, before they are counted."""


def counted(
    device: BackendV2,
    circuits: Sequence[QuantumCircuit],
    *,
    shots: int,
    seed: int | None,
    name: str,
    at_once: int | None = None,
    here: bool = True,
) -> list[Outcomes]:
    """Run measured circuits and count.

    Args:
        device: With ``run`` of its own.
        circuits: In the device's gates, measured.
        shots: Of each circuit.
        seed: Root of the random numbers, for a device that takes seeds; None for fresh ones.
        name: For messages.
        at_once: Circuits that one call may have; None where the device names no limit.
        here: Whether it is a simulator in this process, which gets many shots in portions that fit into the memory.

    Returns:
        Outcomes of each circuit; the columns of their bits are the circuit's classical bits.

    Raises:
        Refused: if the simulator cannot do a circuit.
        BudgetExceeded: if the memory does not suffice.
        FailedJob: if the device could not run the circuits.
    """
    outcomes: list[Outcomes] = []
    size = at_once or MOST_CIRCUITS
    for number, first in enumerate(range(0, len(circuits), size)):
        part = list(circuits[first : first + size])
        tallies = [Counter() for _ in part]
        width = max(circuit.num_clbits for circuit in part)
        for k, portion in enumerate(_portions(shots, width) if here else [shots]):
            options: dict[str, Any] = {"shots": portion}
            if hasattr(device.options, "seed_simulator"):
                options["seed_simulator"] = folded(child_seed(seed, number, *((k,) if k else ())), SEED_BITS)
            result = result_of(device, part, options, name)
            for tally, position in zip(tallies, range(len(part)), strict=True):
                tally.update(result.get_counts(position))
            check(counts_bytes(sum(map(len, tallies)), width), what=f"what {shots} shots on {name} gave so far")
        outcomes += [from_counts(tally) for tally in tallies]
    return outcomes


def _portions(shots: int, width: int) -> Iterator[int]:
    most = max(1, MOST_SAMPLE_BYTES // (8 * (width + 8)))
    while shots > 0:
        yield min(shots, most)
        shots -= most


def result_of(device: BackendV2, circuits: Any, options: dict[str, Any], name: str) -> Any:
    """Run circuits and wait for Qiskit's result, or translate the failure.

    Args:
        device: With ``run`` of its own.
        circuits: One or a list, in the device's gates.
        options: Of the run.
        name: For messages.

    Raises:
        Refused: if the simulator cannot do a circuit.
        BudgetExceeded: if its memory does not suffice.
        FailedJob: for any other failure of the device.
    """
    run: Any = device
    with border(name):
        result = run.run(circuits, **options).result()
    if getattr(result, "success", True):
        return result
    failures = {one.status for one in result.results if not one.success} or {result.status}
    reason = "; ".join(sorted(str(status) for status in failures))
    if says_too_large(reason):
        raise too_large(name, reason, free_bytes())
    if "invalid instructions" in reason or "invalid parameters" in reason:
        raise Refused(f"{name} cannot do this circuit or noise with its method ({reason}); use another method")
    raise FailedJob(f"{name} could not run the circuits: {reason}")
