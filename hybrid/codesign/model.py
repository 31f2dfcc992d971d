"""An analytic model of noise for circuits of any size: each term of the observable shrinks by its own fidelity.

For H = c_0 + sum_t c_t P_t and the noiseless values <P_t> of the circuit,

    E = c_0 + sum_t c_t F_t <P_t>,   F_t = mean over paths of prod_gates (1 - d e / (d - 1)) prod_measured (1 - 2 r_q).

Seen backwards, a gate turns a Pauli string P into sum_Q R_PQ Q. A path goes from P_t to the beginning of the circuit,
and takes each Q with the probability R_PQ^2; its product runs over those gates alone on whose qubits it is not the
identity, for there depolarizing noise of the average error e, d = 2 or 4, shrinks it by 1 - d e / (d - 1). Only paths
that end without X and Y count, as the others vanish on |0...0>. In Clifford circuits there is one path, and the model
is exact for depolarizing noise and readout without bias; elsewhere it takes the mean over paths by their squared
amplitudes in place of their amplitudes. Where every gate touches every path, F_t = F, and the error is
(1 - F) (E_ideal - tr(H) / 2^n): the state is drawn to the maximally mixed one.

Where relaxation during a gate is worse than its stated error, that takes the place of e. The model leaves out that
relaxation draws to |0> rather than to the mixed state, and the bias of readout. Qubits that wait do not decay, as in
`hybrid.Device`.

References:
    D. Aharonov, X. Gao, Z. Landau, Y. Liu, U. Vazirani, "A polynomial-time classical algorithm for noisy random circuit
    sampling", arXiv:2211.03999, for Pauli paths under depolarizing noise. A. M. Dalzell, N. Hunter-Jones, F. G. S. L.
    Brandao, "Random quantum circuits transform local noise into global white noise", arXiv:2111.14907, for when errors
    act like a loss of the whole signal.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp

from backends.devices.channels import transfer
from backends.devices.crosstalk import disturbing
from backends.devices.device import PER_EDGE, Device
from backends.instructions import flatten, terms
from backends.measurement.targets import translated
from circuits.errors import Refused
from hybrid.codesign.engines import Engine, Noise

ROWS = 20_000
"""Paths of all terms together that are drawn at once."""

EACH = (20, 400)
"""Paths of a term that are drawn at once, at least and at most."""

ENDED = 20
"""Paths of each term that must have ended without X and Y; until then more are drawn."""

ROUNDS = 40
"""How often paths are drawn at most; a term that no path has reached then takes the paths that have ended elsewhere."""

SURE = 1e-12
"""Below it, the chance of another Pauli string is rounding."""

LEAST = 1e-12
"""What is left of a path at least."""

SMALL = 1e-12
"""Terms whose share of the energy is smaller, beside the largest, are left out."""


@dataclass(frozen=True, eq=False)
class Paths:
    """Which gates the terms of an observable feel.

    Attributes:
        weights: c_t <P_t> of each term, shape (terms,).
        rest: The energy less the sum of the weights: tr(H) / 2^n.
        owners: Term of each path, ascending, shape (paths,).
        ones: Gates on one qubit that a path feels, shape (paths, qubits of the device).
        twos: Gates on two qubits, shape (paths, used edges).
        disturbed: The same, each as often as other gates disturb it; see `backends.devices.crosstalk`.
        told: Whether each qubit is measured, shape (paths, qubits of the device).
        edges: Edges of the device that have gates, shape (used edges,).
        pairs: Their qubits, shape (used edges, 2).
    """

    weights: np.ndarray
    rest: float
    owners: np.ndarray
    ones: np.ndarray
    twos: np.ndarray
    disturbed: np.ndarray
    told: np.ndarray
    edges: np.ndarray
    pairs: np.ndarray


@dataclass(frozen=True, eq=False)
class _Gate:
    """A gate, seen backwards.

    Attributes:
        qubits: One or two of the device.
        bounds: Cumulated probabilities of the letters that each letter, or pair 4 b + a, becomes, shape (4^k, 4^k); or
            those letters themselves where there is no choice, as in Clifford gates, shape (4^k,).
        feels: Column in `Paths.ones` or `Paths.twos` of its errors; None for a virtual gate.
        disturbing: How many gates disturb it.
    """

    qubits: tuple[int, ...]
    bounds: np.ndarray
    feels: int | None
    disturbing: int = 0


def paths(
    moved: QuantumCircuit,
    layout: tuple[int, ...],
    H: SparsePauliOp,
    ideal: dict[str, float],
    device: Device,
    *,
    seed: int = 0,
) -> Paths:
    """Draw paths of all terms.

    Args:
        moved: The circuit on the device's qubits and in its gates, without free parameters.
        layout: The device's qubit that holds each of the circuit's qubits at the end.
        H: The observable, on the circuit's qubits.
        ideal: The noiseless value of each of its terms but the identity, by its label.
        device: The device.
        seed: Of the draws.

    Raises:
        Refused: for a circuit with something else than gates on one or two qubits.
    """
    rest = float(sum(np.real(c) for label, c in terms(H) if set(label) == {"I"}))
    found = [(label, float(np.real(c)) * ideal[label]) for label, c in terms(H) if set(label) != {"I"}]
    least = SMALL * max((abs(weight) for _, weight in found), default=0.0)
    found = [(label, weight) for label, weight in found if abs(weight) > least]
    used, gates = _gates(moved, device)
    begin = np.zeros((len(found), device.n_qubits), np.uint8)
    for t, (label, _) in enumerate(found):
        for k, letter in enumerate(reversed(label)):
            begin[t, layout[k]] = "IXYZ".index(letter)
    changed = [_changes(letter, device) for letter in "IXYZ"]
    kept: list[tuple[np.ndarray, ...]] = []
    counts, missing = np.zeros(len(found), int), np.arange(len(found))
    each = int(np.clip(ROWS // max(len(found), 1), *EACH))
    rng = np.random.default_rng(seed)
    for _ in range(ROUNDS):
        if not len(missing):
            break
        owners = np.repeat(missing, each)
        ended, ones, twos, disturbed = _drawn(begin[owners], gates, len(used), rng)
        ones += np.array(changed)[begin[owners]]
        last = owners, ones, twos, disturbed
        kept.append(tuple(part[ended] for part in last))
        counts += np.bincount(owners[ended], minlength=len(found))
        missing = np.flatnonzero(counts < ENDED)
    for t in np.flatnonzero(counts == 0):
        own = last[0] == t
        kept.append(tuple(part[own] for part in last))
    owners, ones, twos, disturbed = (
        (np.concatenate(parts) for parts in zip(*kept, strict=True))
        if kept
        else (np.zeros(0, int), np.zeros((0, device.n_qubits)), *2 * [np.zeros((0, len(used)))])
    )
    order = np.argsort(owners, kind="stable")
    return Paths(
        weights=np.array([weight for _, weight in found]),
        rest=rest,
        owners=owners[order],
        ones=ones[order],
        twos=twos[order],
        disturbed=disturbed[order],
        told=(begin[owners[order]] > 0).astype(float),
        edges=np.array(used, dtype=int),
        pairs=np.array([device.edges[edge] for edge in used], dtype=int).reshape(-1, 2),
    )


def _gates(moved: QuantumCircuit, device: Device) -> tuple[list[int], list[_Gate]]:
    """The used edges, and all gates from the last to the first."""
    at: dict[tuple[int, ...], int] = {}
    for k, (a, b) in enumerate(np.array(device.edges, dtype=int).reshape(-1, 2).tolist()):
        at.setdefault((b, a), k)
        at[a, b] = k
    told = list(flatten(moved, lambda gate: gate.name in device.gates))
    used = sorted({at[tuple(on)] for _, on in told if len(on) == 2})
    column = {edge: k for k, edge in enumerate(used)}
    beside = disturbing([(on[0], on[1]) for _, on in told if len(on) == 2], device)
    tables: dict[tuple[Any, ...], np.ndarray] = {}
    gates = []
    for gate, on in reversed(told):
        if not on:
            continue
        if len(on) > 2:
            raise Refused(f"the model needs gates on one or two qubits, and {gate.name} is on {len(on)}")
        key = (gate.name, *(float(angle) for angle in gate.params))
        if key not in tables:
            squares = transfer(np.asarray(Operator(gate).data)) ** 2
            sure = np.all(squares.max(1) > 1 - SURE)
            tables[key] = squares.argmax(1) if sure else np.cumsum(squares / squares.sum(1, keepdims=True), 1)
        feels = on[0] if len(on) == 1 else column[at[tuple(on)]]
        number = beside.pop() if len(on) == 2 else 0
        gates.append(_Gate(tuple(on), tables[key], None if gate.name in device.virtual else feels, number))
    return used, gates


def _drawn(
    letters: np.ndarray, gates: list[_Gate], n_edges: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Paths from the end of a circuit to its beginning.

    Returns:
        Whether each has ended without X and Y, shape (paths,), and the gates that it felt, as in `Paths`.
    """
    n_paths, n = letters.shape
    ones, twos, disturbed = np.zeros((n_paths, n)), np.zeros((n_paths, n_edges)), np.zeros((n_paths, n_edges))
    for gate in gates:
        if len(gate.qubits) == 1:
            (q,) = gate.qubits
            index = letters[:, q]
        else:
            low, q = gate.qubits
            index = 4 * letters[:, q] + letters[:, low]
        hit = np.flatnonzero(index)
        if not len(hit):
            continue
        if gate.feels is not None:
            (ones if len(gate.qubits) == 1 else twos)[hit, gate.feels] += 1
            if gate.disturbing:
                disturbed[hit, gate.feels] += gate.disturbing
        bounds = gate.bounds[index[hit]]
        if bounds.ndim == 1:
            new = bounds.astype(np.uint8)
        else:
            new = np.minimum((rng.random(len(hit))[:, None] >= bounds).sum(1), bounds.shape[1] - 1).astype(np.uint8)
        if len(gate.qubits) == 1:
            letters[hit, q] = new
        else:
            letters[hit, q], letters[hit, low] = new // 4, new % 4
    return ~np.any((letters == 1) | (letters == 2), axis=1), ones, twos, disturbed


def model(felt: Paths, device: Device) -> Engine:
    """The model as an engine.

    Args:
        felt: The paths of all terms.
        device: The device.
    """
    share = felt.weights[felt.owners] / np.bincount(felt.owners, minlength=len(felt.weights))[felt.owners]
    counts = felt.ones, felt.twos, felt.disturbed, felt.told

    def shares(noise: Noise) -> np.ndarray:
        """What each path adds to the energy."""
        logs = [log for log, _ in _logarithms(felt, noise, device)]
        return share * np.exp(sum(count @ log for count, log in zip(counts, logs, strict=True)))

    def gradient(noise: Noise) -> dict[str, np.ndarray]:
        left = shares(noise)
        found = {name: np.zeros(len(device.edges) if name in PER_EDGE else device.n_qubits) for name in noise}
        for count, (_, parts) in zip(counts, _logarithms(felt, noise, device), strict=True):
            by_log = left @ count
            for name, places, slope in parts:
                np.add.at(found[name], places, by_log * slope)
        return {name: slope if np.ndim(noise[name]) else np.asarray(slope.sum()) for name, slope in found.items()}

    return Engine("model", lambda noise: felt.rest + float(np.sum(shares(noise))), gradient)


Slope = tuple[str, np.ndarray, np.ndarray]
"""A parameter, its places, and the derivatives by it there."""


def _logarithms(felt: Paths, noise: Noise, device: Device) -> list[tuple[np.ndarray, list[Slope]]]:
    """The logarithms of what is left behind a gate on one qubit, on two, a disturbing gate, and a measurement.

    Returns:
        One for each column of `Paths.ones`, `twos`, `disturbed` and `told`, with its derivatives.
    """
    n, edges = device.n_qubits, felt.edges
    every, (first, second) = np.arange(n), felt.pairs.T

    def of(name: str) -> np.ndarray:
        return np.broadcast_to(np.asarray(noise[name], float), (len(device.edges) if name in PER_EDGE else n,))

    def kept(name: str, places: np.ndarray, qubits: np.ndarray) -> tuple[np.ndarray, list[Slope]]:
        """Entanglement fidelity of relaxation."""
        s, t1, t2 = of(name)[places], of("t1")[qubits], of("t2")[qubits]
        a, b = np.exp(-s / t1), np.exp(-s / t2)
        slopes = [
            (name, places, -(a / t1 + 2 * b / t2) / 4),
            ("t1", qubits, a * s / t1**2 / 4),
            ("t2", qubits, b * s / t2**2 / 2),
        ]
        return (1 + a + 2 * b) / 4, slopes

    def gate(name: str, places: np.ndarray, d: int, kept: np.ndarray, slopes: list[Slope]) -> Any:
        """Depolarizing noise of the stated average error, or of relaxation's where it is worse."""
        error, relaxed = of(name)[places], 1 - (d * kept + 1) / (d + 1)
        log, by = _left(np.maximum(error, relaxed), d / (d - 1))
        worse, by_kept = relaxed > error, by * -d / (d + 1)
        return log, [
            (name, places, np.where(worse, 0, by)),
            *((one, at, worse * by_kept * df) for one, at, df in slopes),
        ]

    one = gate("one_qubit_error", every, 2, *kept("one_qubit_s", every, every))
    (f, by_first), (g, by_second) = kept("two_qubit_s", edges, first), kept("two_qubit_s", edges, second)
    relaxing = [(name, at, df * g) for name, at, df in by_first] + [(name, at, f * dg) for name, at, dg in by_second]
    two, by_two = gate("two_qubit_error", edges, 4, f * g, relaxing)
    leaked, by_leakage = _left(of("leakage")[edges], 1.0)
    beside, by_crosstalk = _left(of("crosstalk")[edges], 4 / 3)
    read, by_readout = _left(of("readout_error"), 2.0)
    return [
        one,
        (two + leaked, [*by_two, ("leakage", edges, by_leakage)]),
        (beside, [("crosstalk", edges, by_crosstalk)]),
        (read, [("readout_error", every, by_readout)]),
    ]


def _left(error: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """log(1 - factor error), never of less than 1e-12, and its derivative."""
    left = 1 - factor * error
    return np.log(np.maximum(left, LEAST)), np.where(left > LEAST, -factor / np.maximum(left, LEAST), 0.0)


def _changes(letter: str, device: Device) -> int:
    """Gates that err among those that turn a letter to Z."""
    if letter in "IZ":
        return 0
    change = QuantumCircuit(1)
    if letter == "Y":
        change.sdg(0)
    change.h(0)
    data = translated(change, device.target((0,))).data
    return sum(item.operation.name not in device.virtual for item in data)
