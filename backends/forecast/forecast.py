"""The forecast of work on a device."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Forecast:
    """What a whole piece of work is expected to take on a device; every number is an estimate, None where not known.

    Attributes:
        device: Name of the device that is meant: of a snapshot, what the device itself would take.
        circuits: Measured circuits that are run.
        shots: Of all circuits together.
        jobs: In which they are sent.
        depth: Of one measured circuit, as Qiskit's ``depth()`` counts it, after transpilation.
        two_qubit_gates: In one circuit, after transpilation.
        circuit_s: Duration of one circuit, measurement included, in seconds.
        fidelity: Chance that nothing goes wrong in one run of one circuit; see `backends.forecast.circuit`.
        qpu_s: Time on the device, by its vendor's rule, in seconds.
        money_usd: By the price table, in US dollars.
        queue: Jobs that wait at the device now.
        notes: What the numbers rest on, and what they leave out.
    """

    device: str
    circuits: int
    shots: int
    jobs: int
    depth: int | None = None
    two_qubit_gates: int | None = None
    circuit_s: float | None = None
    fidelity: float | None = None
    qpu_s: float | None = None
    money_usd: float | None = None
    queue: int | None = None
    notes: tuple[str, ...] = ()
