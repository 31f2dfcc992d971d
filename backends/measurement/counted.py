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
) -> list[Outcomes]:
    """Run measured circuits on a simulator in this process and count; many shots go in portions that fit its memory.

    Args:
        device: With ``run`` of its own.
        circuits: In the device's gates, measured.
        shots: Of each circuit.
        seed: Root of the random numbers, for a device that takes seeds; None for fresh ones.
        name: For messages.
        at_once: Circuits that one call may have; None where the device names no limit.

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
        for k, portion in enumerate(_portions(shots, width)):
            options: dict[str, Any] = {"shots": portion}
            if hasattr(device.options, "seed_simulator"):
                options["seed_simulator"] = folded(child_seed(seed, number, *((k,) if k else ())), SEED_BITS)
            result = result_of(device, part, options, name)
            for tally, position in zip(tallies, range(len(part)), strict=True):
                tally.update(result.get_counts(position))
            check(counts_bytes(sum(map(len, tallies)), width), what=f"what {shots} shots on {name} gave so far")
        outcomes += [from_counts(tally) for tally in tallies]
    return outcomes


def outcomes_of(result: Any, circuits: Sequence[QuantumCircuit], shots: int, name: str) -> list[Outcomes]:
    """What a job of a device has measured, from Qiskit's result.

    Args:
        result: Of Qiskit, for all circuits in order.
        circuits: That were sent.
        shots: Of each circuit.
        name: For messages.

    Raises:
        FailedJob: if it says that the job failed, or does not hold as many circuits, bits and shots as were sent.
    """
    check_success(result, name)
    counts = [result.get_counts(k) for k in range(len(circuits))] if len(result.results) == len(circuits) else []
    outcomes = [from_counts(one) for one in counts]
    for circuit, one in zip(circuits, outcomes, strict=bool(outcomes)):
        if one.bits.shape[1] != circuit.num_clbits or int(one.counts.sum()) != shots:
            raise FailedJob(
                f"{name} gave {one.counts.sum()} shots of {one.bits.shape[1]} bits, where {shots} of "
                f"{circuit.num_clbits} were asked for"
            )
    if len(outcomes) != len(circuits):
        raise FailedJob(f"{name} gave results of {len(result.results)} circuits, where {len(circuits)} were sent")
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
    check_success(result, name)
    return result


def check_success(result: Any, name: str) -> None:
    """Translate a result of Qiskit's that says the circuits failed.

    Args:
        result: Of Qiskit.
        name: For messages.

    Raises:
        Refused: if the simulator cannot do a circuit.
        BudgetExceeded: if its memory did not suffice.
        FailedJob: for any other failure.
    """
    if getattr(result, "success", True):
        return
    failures = {one.status for one in result.results if not one.success} or {result.status}
    reason = "; ".join(sorted(str(status) for status in failures))
    if says_too_large(reason):
        raise too_large(name, reason, free_bytes())
    if "invalid instructions" in reason or "invalid parameters" in reason:
        raise Refused(f"{name} cannot do this circuit or noise with its method ({reason}); use another method")
    raise FailedJob(f"{name} could not run the circuits: {reason}")
