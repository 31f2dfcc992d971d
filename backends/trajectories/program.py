"""A circuit on a device as gates on pure states and places where errors are drawn, for any angles and errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction

from backends.angles import Angles, compile_angles
from backends.density.gates import string, turns
from backends.density.program import Program as Pairs
from backends.density.program import program_of
from backends.density.steps import errors_of, items_of, told_letters
from backends.devices import channels
from backends.devices.crosstalk import disturbing, kept
from backends.devices.device import Device
from backends.devices.schedule import waits
from backends.instructions import flatten, matrix_of
from backends.measurement.targets import OptimizationLevel, transpiled

GATE, PAIR_GATE, ERROR, PAIR_ERROR, RELAXATION = range(5)
"""Kinds of events, as the kernels know them."""


@dataclass(frozen=True, eq=False)
class Program:
    """A circuit ready for any angles and noise.

    Attributes:
        pairs: The same circuit as the simulator of density matrices has it: its qubits, and how they are measured.
        angles: Of the gates, as functions of the circuit's parameters.
        gates: A and B of each gate A cos(angle/2) + B sin(angle/2), 2 x 2 or 4 x 4.
        gates_angle: Angle of each, shape (gates,).
        events: Kind, two qubits of the state, and the gate, or else the place; shape (events, 4).
        places: For each place where something is drawn which error of `Weights` it is, shape (places,).
    """

    pairs: Pairs
    angles: Angles
    gates: tuple[np.ndarray, ...]
    gates_angle: np.ndarray
    events: np.ndarray
    places: np.ndarray

    @property
    def n_qubits(self) -> int:
        """Qubits of the state."""
        return self.pairs.n_qubits

    @property
    def sweeps(self) -> int:
        """Gates on two qubits: each is one pass over the state."""
        return int(np.count_nonzero(self.events[:, 0] == PAIR_GATE))

    def matrices(self, row: np.ndarray) -> np.ndarray:
        """All gates at a row of parameters, one after the other by rows, flat."""
        alpha = self.angles.values(row[None])[0][self.gates_angle] / 2
        turned = [
            parts[0] * np.cos(angle) + parts[1] * np.sin(angle) for parts, angle in zip(self.gates, alpha, strict=True)
        ]
        return np.concatenate([np.zeros(0, complex), *(one.reshape(-1) for one in turned)])


class Weights(NamedTuple):
    """What is drawn at a place, for each different error: behind gates on one qubit, on two, and while qubits wait.

    Attributes:
        first: Weight of any error but the identity, or of a phase flip, which may be negative.
        reset: Weight of a reset to |0>, 0 where there is none.
    """

    first: Any
    reset: Any


def prepared(circuit: QuantumCircuit, device: Device, level: OptimizationLevel) -> Program:
    """A circuit on the device, ready for any angles and noise.

    Raises:
        Refused: if it cannot be brought there.
    """
    moved, layout = transpiled(circuit, device.fake(), level=level)
    pairs = program_of(moved, layout, circuit.parameters, device)
    state = {q: k for k, q in enumerate(pairs.qubits)}
    channel = {tuple(edge): k for k, edge in enumerate(pairs.edges.tolist())}
    edge_of = device.edge_numbers()
    n, n_two = len(pairs.qubits), len(pairs.edges)
    gates: list[tuple[np.ndarray, Any]] = []
    events: list[tuple[int, int, int, int]] = []
    places: list[int] = []
    n_waits = 0

    def draw(kind: int, first: int, second: int, error: int) -> None:
        events.append((kind, first, second, len(places)))
        places.append(error)

    flat = list(flatten(moved, lambda gate: gate.name in device.gates))
    disturbed = iter(disturbing([(on[0], on[1]) for _, on in flat if len(on) == 2], device))
    for gate, on in flat:
        if not on:
            continue
        where = [state[q] for q in on]
        if len(where) == 2 and device.idle:
            for q in where:
                draw(RELAXATION, q, q, 2 * n + 3 * n_two + n_waits)
                n_waits += 1
        for parts, angle in unitaries(gate):
            events.append((GATE if len(where) == 1 else PAIR_GATE, where[0], where[-1], len(gates)))
            gates.append((parts, angle))
        if len(where) == 1 and gate.name not in device.virtual:
            draw(ERROR, where[0], where[0], where[0])
            draw(RELAXATION, where[0], where[0], n + where[0])
        elif len(where) == 2:
            low, high = sorted(on)
            k = channel[edge_of[on[0], on[1]], low, high, next(disturbed)]
            draw(PAIR_ERROR, where[0], where[1], 2 * n + k)
            for q, number in ((state[low], n_two), (state[high], 2 * n_two)):
                draw(RELAXATION, q, q, 2 * n + number + k)
    none = [angle for _, angle in gates if angle is not None]
    numbers = iter(range(len(none)))
    return Program(
        pairs,
        compile_angles([*none, 0.0], circuit.parameters),
        tuple(parts for parts, _ in gates),
        np.array([len(none) if angle is None else next(numbers) for _, angle in gates], dtype=np.int32),
        np.array(events, dtype=np.int32).reshape(-1, 4),
        np.array(places, dtype=np.int64),
    )


def weights_of(program: Program, noise: Mapping[str, Any], device: Device, xp: Any = np) -> Weights:
    """The weights of all errors of a circuit, in the order in which `Program.places` counts them."""
    pairs = program.pairs
    qubits = np.array(pairs.qubits, dtype=np.int32)
    edge, low, high, n_disturbing = pairs.edges.T
    n, n_edges = device.n_qubits, len(device.edges)

    def of(name: str, index: np.ndarray, size: int) -> Any:
        return xp.broadcast_to(xp.asarray(noise[name]), (size,))[index]

    def relaxing(index: np.ndarray, seconds: Any) -> tuple[Any, Any]:
        return channels.relaxation_choices(of("t1", index, n), of("t2", index, n), seconds, xp)

    def relaxed(index: np.ndarray, seconds: Any) -> Any:
        return channels.relaxation(of("t1", index, n), of("t2", index, n), seconds, xp)

    one_s, two_s = of("one_qubit_s", qubits, n), of("two_qubit_s", edge, n_edges)
    alone = channels.process(relaxed(qubits, one_s))
    one = channels.depolarizing(alone, of("one_qubit_error", qubits, n), 2, xp) * (3 / 4)
    both = channels.process(relaxed(high, two_s)) * channels.process(relaxed(low, two_s))
    left = kept(of("crosstalk", edge, n_edges), of("leakage", edge, n_edges), n_disturbing, xp)
    two = (1 - left * (1 - channels.depolarizing(both, of("two_qubit_error", edge, n_edges), 4, xp))) * (15 / 16)
    resting = [relaxing(qubits, one_s), relaxing(low, two_s), relaxing(high, two_s)]
    if device.idle and len(edge):
        waited = waits(pairs.timeline, xp.concatenate([one_s, two_s]), pairs.n_qubits, xp).reshape(-1)
        waiting = pairs.timeline[pairs.timeline[:, 0] != pairs.timeline[:, 1], :2].reshape(-1)
        resting.append(relaxing(qubits[waiting], waited))
    flips, resets = ([pair[k] for pair in resting] for k in (0, 1))
    return Weights(
        xp.concatenate([one, flips[0], two, *flips[1:]]),
        xp.concatenate([xp.zeros_like(one), resets[0], xp.zeros_like(two), *resets[1:]]),
    )


def letters_of(program: Program, row: np.ndarray, noise: Mapping[str, Any], device: Device, xp: Any = np) -> Any:
    """What measuring I, X, Y and Z on each qubit of the state tells; see `told_letters`."""
    alpha = xp.asarray(program.pairs.angles.values(row[None])[0])
    errors = errors_of(program.pairs, noise, device, xp)
    return told_letters(program.pairs, items_of(program.pairs, alpha, errors, xp), errors, xp)


def unitaries(gate: Instruction) -> list[tuple[np.ndarray, Any]]:
    """A gate as A cos(angle/2) + B sin(angle/2) of one angle each, the first to act first; None for a fixed one."""
    found = turns(gate)
    if found is None:
        fixed = matrix_of(gate)
        return [(np.stack([fixed, np.zeros_like(fixed)]), None)]
    return [(np.stack([np.eye(2 ** len(letters)), -1j * string(letters)]), angle) for letters, angle in found]


def begins(gates: Sequence[np.ndarray]) -> np.ndarray:
    """Where each gate begins among the numbers of `Program.matrices`."""
    sizes = [parts[0].size for parts in gates]
    return np.concatenate([[0], np.cumsum(sizes)])[: len(gates)].astype(np.int64)
