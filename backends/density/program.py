"""A circuit on a device as a short list of channels on pairs of qubits, whatever its angles and errors are.

All gates on one qubit, and the noise after each gate, are multiplied into the gates on two qubits beside them: as
stacks of small matrices, so that what must be traced and compiled does not grow with the circuit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction

from backends.angles import Angles, compile_angles
from backends.density.gates import exchanged, factors
from backends.devices.crosstalk import disturbing
from backends.devices.device import Device
from backends.instructions import flatten
from backends.measurement.targets import OptimizationLevel, translated, transpiled
from backends.memory import in_bytes
from backends.simulators.cropping import in_use
from circuits.errors import Refused

MAX_QUBITS = 12
"""In use on the device; a state of so many takes 128 MiB, and a gradient holds some of them, see `evolution`."""

BASES = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""Gates before a measurement of each letter."""


@dataclass(frozen=True, eq=False)
class Program:
    """A circuit ready for any angles and noise.

    Attributes:
        angles: Of the gates, as functions of the circuit's parameters; the last is 0, for gates without one.
        qubits: The device's qubit that each qubit of the state is.
        place: Qubit of the state that holds each of the circuit's qubits at the end.
        ones: Gates on one qubit, their parts as in `gates`, shape (3, ones, 4, 4).
        ones_angle: Angle of each, shape (ones,).
        twos: Gates on two qubits, shape (3, twos, 16, 16).
        twos_angle: Angle of each, shape (twos,).
        edges: Channels behind gates on two qubits: edge of the device, its qubits, lower one of the pair first, and how
            many gates disturb this one; shape (channels, 4).
        timeline: The gates that take time, in order: their qubits of the state, one of them twice for a gate on one,
            and a place among the durations of gates on each of `qubits` and then of the channels; shape (gates, 3).
        chains: Products on one qubit, the first to act first, shape (chains, length): places in the list of `ones`,
            then for each of `qubits` the channel behind its gates, then what each of the qubits of each gate on two
            suffers while it waits for the other, if the device says so, then the identity.
        n_channels: How many channels there are on one qubit, the chains' items behind `ones` but for the identity.
        bases: Chain that changes the basis of each of `qubits` for X, Y and Z, shape (qubits, 3).
        segments: Chains of the lower and the upper qubit, then a place in `twos`, then one in `edges`, and then the
            qubits of the state whose measurement is told; shape (segments, 6). The place behind the last of each is
            the identity.
        blocks: Segments of each step, the first to act first, shape (steps, length); behind the last is the identity.
        pairs: Qubits of the state that each step acts on, lower one of the pair first.
    """

    angles: Angles
    qubits: tuple[int, ...]
    place: tuple[int, ...]
    ones: np.ndarray
    ones_angle: np.ndarray
    twos: np.ndarray
    twos_angle: np.ndarray
    edges: np.ndarray
    timeline: np.ndarray
    chains: np.ndarray
    n_channels: int
    bases: np.ndarray
    segments: np.ndarray
    blocks: np.ndarray
    pairs: tuple[tuple[int, int], ...]

    @property
    def n_qubits(self) -> int:
        """Qubits of the state, two at least."""
        return max(2, len(self.qubits))

    @property
    def pairs_array(self) -> np.ndarray:
        """The same as `pairs`, shape (steps, 2)."""
        return np.array(self.pairs, dtype=np.int32).reshape(-1, 2)


@dataclass
class _Growing:
    """The lists of a program while it grows; `chains` are of places of gates, ("noise", qubit), ("wait", number)."""

    ones: list[tuple[np.ndarray, Any]] = field(default_factory=list)
    twos: list[tuple[np.ndarray, Any]] = field(default_factory=list)
    edges: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    timeline: list[tuple[int, int, tuple[str, int]]] = field(default_factory=list)
    chains: list[list[Any]] = field(default_factory=list)
    segments: list[list[Any]] = field(default_factory=list)
    blocks: list[tuple[tuple[int, int], list[int]]] = field(default_factory=list)

    def chain(self, items: list[Any]) -> int:
        """Keep a chain, and return its place."""
        self.chains.append(items)
        return len(self.chains) - 1

    def on_one(self, gate: Instruction, k: int, device: Device) -> list[Any]:
        """A gate on qubit k of the state as items of a chain."""
        items: list[Any] = []
        for factor in factors(gate):
            self.ones.append(factor)
            items.append(len(self.ones) - 1)
        return items if gate.name in device.virtual else [*items, ("noise", k)]


def prepared(circuit: QuantumCircuit, device: Device, level: OptimizationLevel) -> Program:
    """A circuit on the device, ready for any angles and noise.

    Raises:
        Refused: if it cannot be brought there, or takes too many qubits.
    """
    check_width(circuit.num_qubits, device)
    moved, layout = transpiled(circuit, device.fake(), level=level)
    program = program_of(moved, layout, circuit.parameters, device)
    check_width(program.n_qubits, None)
    return program


def check_width(n_qubits: int, device: Device | None) -> None:
    """Refuse more qubits than the device has, or than a density matrix can have."""
    if device is not None and n_qubits > device.n_qubits:
        raise Refused(
            f"the circuit has {n_qubits} qubits, but {device.name} has {device.n_qubits} (a density matrix of so many "
            f"would take {in_bytes(8 * 4**n_qubits)})"
        )
    if n_qubits > MAX_QUBITS:
        raise Refused(
            f"the circuit takes {n_qubits} qubits of the device, whose density matrix would take "
            f"{in_bytes(8 * 4**n_qubits)}, and the backend 'density' takes {MAX_QUBITS}: ask the backend "
            "'trajectories' for values with standard errors, or 'device' for shots"
        )


def program_of(moved: QuantumCircuit, layout: Sequence[int], parameters: Iterable[Any], device: Device) -> Program:
    """Make a circuit ready.

    Args:
        moved: On the device's qubits and in its gates, parameters free.
        layout: The device's qubit that holds each of the original qubits at the end.
        parameters: Of the original circuit, in order.
        device: The device.
    """
    used = in_use([moved]) if moved.data else ()
    qubits = tuple(sorted({*used, *layout}))
    n = max(2, len(qubits))
    state = {q: k for k, q in enumerate(qubits)}
    edge_of = device.edge_numbers()
    made = _Growing()
    waiting: list[list[Any]] = [[] for _ in range(n)]
    last: list[int | None] = [None] * n
    n_waits = 0
    gates = list(flatten(moved, lambda gate: gate.name in device.gates))
    disturbed = iter(disturbing([(on[0], on[1]) for _, on in gates if len(on) == 2], device))
    for gate, on in gates:
        where = [state[q] for q in on]
        if len(where) == 1:
            waiting[where[0]] += made.on_one(gate, where[0], device)
            if gate.name not in device.virtual:
                made.timeline.append((where[0], where[0], ("one", where[0])))
        elif len(where) == 2:
            low, high = sorted(where)
            channel = (edge_of[on[0], on[1]], qubits[low], qubits[high], next(disturbed))
            noise = made.edges.setdefault(channel, len(made.edges))
            if device.idle:
                for q in where:
                    waiting[q].append(("wait", n_waits))
                    n_waits += 1
            made.timeline.append((where[0], where[1], ("two", noise)))
            parts = factors(gate)
            for number, (part, angle) in enumerate(parts):
                made.twos.append((part if where[0] == low else exchanged(part), angle))
                behind = noise if number == len(parts) - 1 else None
                _put(made, (low, high), waiting, last, [len(made.twos) - 1, behind, None, None])
    _finish(made, waiting, last, [state[q] for q in layout])
    bases = _bases(made, qubits, device)
    return _packed(made, parameters, qubits, tuple(state[q] for q in layout), bases, n_waits)


def _put(made: _Growing, pair: tuple[int, int], waiting: list, last: list, rest: list[Any]) -> None:
    """A segment on a pair, with what waits on its qubits: behind the last step if that has both, or as a new one."""
    chains = [made.chain(waiting[q]) for q in pair]
    made.segments.append([*chains, *rest])
    if last[pair[0]] is None or last[pair[0]] != last[pair[1]]:
        made.blocks.append((pair, []))
        for q in pair:
            last[q] = len(made.blocks) - 1
    made.blocks[last[pair[0]]][1].append(len(made.segments) - 1)
    for q in pair:
        waiting[q] = []


def _finish(made: _Growing, waiting: list, last: list, told: list[int]) -> None:
    """What waits behind the last gate of each qubit, and the measurement, on pairs that have a step in common."""
    left = list(range(len(waiting)))
    while left:
        q = left.pop(0)
        partner = next((p for p in left if last[p] == last[q]), None)
        if partner is not None:
            left.remove(partner)
            both = [k if k in told else None for k in (q, partner)]
            _put(made, (q, partner), waiting, last, [None, None, *both])
        elif last[q] is None:
            other = 0 if q else 1
            pair, only = (min(q, other), max(q, other)), q if q in told else None
            _put(made, pair, waiting, last, [None, None, *(only if k == q else None for k in pair)])
        else:
            block = last[q]
            pair = made.blocks[block][0]
            chains = [made.chain(waiting[q] if k == q else []) for k in pair]
            made.segments.append([*chains, None, None, *(q if k == q and q in told else None for k in pair)])
            made.blocks[block][1].append(len(made.segments) - 1)
            waiting[q] = []


def _bases(made: _Growing, qubits: tuple[int, ...], device: Device) -> np.ndarray:
    """Chains of the gates, with their noise, that turn each letter to Z on each of some of the device's qubits."""
    found = np.empty((len(qubits), len(BASES)), dtype=np.int32)
    for column, names in enumerate(BASES.values()):
        items: dict[int, list[Any]] = {q: [] for q in qubits}
        if names:
            change = QuantumCircuit(device.n_qubits)
            for q in qubits:
                for name in names:
                    getattr(change, name)(q)
            for gate, on in flatten(translated(change, device.fake()), lambda gate: gate.name in device.gates):
                if on:
                    items[on[0]] += made.on_one(gate, qubits.index(on[0]), device)
        found[:, column] = [made.chain(items[q]) for q in qubits]
    return found


def _packed(
    made: _Growing,
    parameters: Iterable[Any],
    qubits: tuple[int, ...],
    place: tuple[int, ...],
    bases: np.ndarray,
    n_waits: int,
) -> Program:
    expressions = [angle for _, angle in (*made.ones, *made.twos) if angle is not None]
    none, count = len(expressions), iter(range(len(expressions)))
    ones_angle = np.array([none if angle is None else next(count) for _, angle in made.ones], dtype=np.int32)
    twos_angle = np.array([none if angle is None else next(count) for _, angle in made.twos], dtype=np.int32)
    n_ones, n_two, n_edges = len(made.ones), len(made.twos), len(made.edges)
    begins = {"noise": n_ones, "wait": n_ones + len(qubits)}
    identity = n_ones + len(qubits) + n_waits
    chains = [
        [begins[item[0]] + item[1] if isinstance(item, tuple) else item for item in chain] for chain in made.chains
    ]
    durations = {"one": 0, "two": len(qubits)}
    timeline = [(a, b, durations[kind] + number) for a, b, (kind, number) in made.timeline]
    ends = (0, 0, n_two, n_edges, len(qubits), len(qubits))
    segments = [[end if item is None else item for item, end in zip(one, ends, strict=True)] for one in made.segments]
    return Program(
        angles=compile_angles([*expressions, 0.0], parameters),
        qubits=qubits,
        place=place,
        ones=_stacked([part for part, _ in made.ones], 4),
        ones_angle=ones_angle,
        twos=_stacked([part for part, _ in made.twos], 16),
        twos_angle=twos_angle,
        edges=np.array(list(made.edges), dtype=np.int32).reshape(-1, 4),
        timeline=np.array(timeline, dtype=np.int32).reshape(-1, 3),
        chains=_filled(chains, identity),
        n_channels=len(qubits) + n_waits,
        bases=bases,
        segments=np.array(segments, dtype=np.int32),
        blocks=_filled([inside for _, inside in made.blocks], len(segments)),
        pairs=tuple(pair for pair, _ in made.blocks),
    )


def _stacked(parts: list[np.ndarray], size: int) -> np.ndarray:
    return np.stack(parts, 1) if parts else np.zeros((3, 0, size, size))


def _filled(rows: list[list[int]], value: int) -> np.ndarray:
    length = max(1, *(len(row) for row in rows)) if rows else 1
    return np.array([row + [value] * (length - len(row)) for row in rows], dtype=np.int32).reshape(-1, length)
