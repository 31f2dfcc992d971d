"""What counting bit strings of a noisy device amounts to on this machine, as Aer does it.

Where 2^m of the m qubits in use is less than the shots, Aer evolves a density matrix once, and draws all shots from it;
else it runs each shot on a pure state, whose errors are drawn. The weights here are of CPU times of 30 circuits on
seven devices, of 2 to 14 qubits in use.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.transpiler import Target

from backends.simulators.cropping import in_use

DENSITY_MATRIX, TRAJECTORIES = "counted here with noise", "counted here with noise, by trajectories"
"""Ways of all devices that this machine imitates: they share two speeds."""

FREE = ("rz", "p", "u1", "id", "barrier", "delay")
"""Gates that only turn the frame of what follows: their errors are none, and Aer merges them into others."""

ON_TWO = 8
"""Noisy gates on one qubit that take as long as one on two, whose errors have many more operators."""

DRAWN = 1200
"""Amplitudes that take as long as to draw one error."""

EDGE, BESIDE = 100, 65
"""Gates to be handed to Aer that take as long as an edge's errors, or as those of waiting and crosstalk at one gate."""

EDGE_ONCE = 1000
"""The same for the making of an edge's errors, once."""


@dataclass(frozen=True)
class Counting:
    """Numbers of `backends.cost.Footprint`.

    Attributes:
        kind: `DENSITY_MATRIX` or `TRAJECTORIES`.
        passes: Noisy gates, in those on one qubit, of all circuits, and of all shots where each is run.
        amplitudes: Numbers that each touches.
        steps: Gates that are handed over.
        prepared: The same, once.
        memory_bytes: Of the state.
    """

    kind: str
    passes: float
    amplitudes: float
    steps: float
    prepared: float
    memory_bytes: int


def counting(
    moved: QuantumCircuit,
    layout: Sequence[int],
    target: Target | None,
    *,
    circuits: int,
    shots: int,
    beside: bool,
) -> Counting:
    """Count the work of measured circuits for one row of parameters.

    Args:
        moved: The circuit on the device's qubits and in its gates.
        layout: The device's qubit that holds each of the original ones at the end.
        target: Of the device that is imitated, if it has one.
        circuits: How many are measured.
        shots: Of each.
        beside: Whether each gate on two qubits also takes errors that depend on the circuit around it.
    """
    used = {*(in_use([moved]) if moved.data else ()), *layout}
    noisy = [one for one in moved.data if one.operation.name not in FREE]
    two = sum(len(one.qubits) > 1 for one in noisy)
    coupled = None if target is None else target.build_coupling_map()
    edges = 0 if coupled is None else len({frozenset(pair) for pair in coupled.get_edges() if used.issuperset(pair)})
    dense = 2 ** len(used) < shots
    given = circuits * (len(moved.data) + (BESIDE * two if beside else 0))
    return Counting(
        kind=DENSITY_MATRIX if dense else TRAJECTORIES,
        passes=float(max(1, circuits) * (1 if dense else shots) * (1 + len(noisy) + (ON_TWO - 1) * two)),
        amplitudes=4.0 ** len(used) if dense else 2.0 ** len(used) + DRAWN,
        steps=float(given + EDGE * edges),
        prepared=float(given + EDGE_ONCE * edges),
        memory_bytes=16 * 2 ** (2 * len(used) if dense else len(used)),
    )
