"""A circuit's steps as matrices on the Pauli expectation values of two qubits, from its angles and a device's noise."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from backends.density.program import Program
from backends.devices import channels
from backends.devices.crosstalk import kept
from backends.devices.device import Device
from backends.devices.schedule import waits

Noise = Mapping[str, Any]
"""Noise parameters of a device by name: a number for all places, or one for each qubit or edge."""


class Errors(NamedTuple):
    """The channels of a circuit on a device, as the numbers that `backends.devices.channels` tells them by.

    Attributes:
        one: Behind the gates on each of its qubits, and then while each waits, shape (qubits + waits, 3).
        two: Behind gates on two qubits, shape (channels, 7).
        told: Measurement of each of its qubits, shape (qubits, 2).
    """

    one: Any
    two: Any
    told: Any


class Products(NamedTuple):
    """Matrices on the way to a circuit's steps, as in `Program`; the last of each is the identity."""

    items: Any
    chains: Any
    gates: Any
    behind: Any
    segments: Any


def errors_of(program: Program, noise: Noise, device: Device, xp: Any = np) -> Errors:
    """The channels that a device's noise puts into a circuit.

    Args:
        program: The circuit.
        noise: All noise parameters.
        device: For how many qubits and edges they are.
        xp: Array module.
    """
    qubits = np.array(program.qubits, dtype=np.int32)
    edge, low, high, n_disturbing = program.edges.T
    n, n_edges = device.n_qubits, len(device.edges)

    def of(name: str, index: np.ndarray, size: int) -> Any:
        return xp.broadcast_to(xp.asarray(noise[name]), (size,))[index]

    def relaxed(index: np.ndarray, seconds: Any) -> Any:
        return channels.relaxation(of("t1", index, n), of("t2", index, n), seconds, xp)

    one = channels.with_error(relaxed(qubits, of("one_qubit_s", qubits, n)), of("one_qubit_error", qubits, n), xp)
    seconds = of("two_qubit_s", edge, n_edges)
    if device.idle and len(edge):
        durations = xp.concatenate([of("one_qubit_s", qubits, n), seconds])
        waited = waits(program.timeline, durations, program.n_qubits, xp).reshape(-1)
        waiting = program.timeline[program.timeline[:, 0] != program.timeline[:, 1], :2].reshape(-1)
        one = xp.concatenate([one, relaxed(qubits[waiting], waited)])
    upper, lower = relaxed(high, seconds), relaxed(low, seconds)
    process = channels.process(upper) * channels.process(lower)
    left = kept(of("crosstalk", edge, n_edges), of("leakage", edge, n_edges), n_disturbing, xp)
    left = left * (1 - channels.depolarizing(process, of("two_qubit_error", edge, n_edges), 4, xp))
    two = xp.concatenate([upper, lower, left[:, None]], -1)
    told = channels.readout(of("readout_error", qubits, n), of("readout_bias", qubits, n), xp)
    return Errors(one, two, told)


def inputs_of(alpha: Any, errors: Errors, xp: Any = np) -> Any:
    """The angles and all numbers of the channels, one after the other: what the kernels take, flat."""
    return xp.concatenate([alpha, *(numbers.reshape(-1) for numbers in errors)])


def parts_of(program: Program, inputs: Any) -> tuple[Any, Errors]:
    """The angles and the channels from all their numbers; see `inputs_of`."""
    ends = np.cumsum([program.angles.n_angles, 3 * program.n_channels, 7 * len(program.edges)])
    alpha, one, two, told = (inputs[a:b] for a, b in zip((0, *ends), (*ends, None), strict=True))
    return alpha, Errors(one.reshape(-1, 3), two.reshape(-1, 7), told.reshape(-1, 2))


def superoperators(program: Program, alpha: Any, errors: Errors, xp: Any = np) -> tuple[Any, Products]:
    """The channel of each step.

    Args:
        program: The circuit.
        alpha: Angles, shape (angles,).
        errors: Its channels.
        xp: Array module.

    Returns:
        Shape (steps, 16, 16), and what they were made of.
    """
    one, two = xp.eye(4, dtype=alpha.dtype)[None], xp.eye(16, dtype=alpha.dtype)[None]
    items = items_of(program, alpha, errors, xp)
    chains = product(items[program.chains], xp)
    measured = xp.concatenate([told_letters(program, items, errors, xp), one])
    lower, upper, gate, channel, first, second = program.segments.T
    gates = xp.concatenate([_at(program.twos, alpha[program.twos_angle], xp), two])
    noise = xp.concatenate([channels.on_two(errors.two, xp), two])
    behind = channels.pair(measured[second], measured[first], xp) @ noise[channel]
    segments = xp.concatenate([behind @ gates[gate] @ channels.pair(chains[upper], chains[lower], xp), two])
    return product(segments[program.blocks], xp), Products(items, chains, gates, behind, segments)


def items_of(program: Program, alpha: Any, errors: Errors, xp: Any = np) -> Any:
    """What the chains of a program are made of, the identity last: shape (items, 4, 4); as for `superoperators`."""
    one = xp.eye(4, dtype=alpha.dtype)[None]
    gates = _at(program.ones, alpha[program.ones_angle], xp)
    return xp.concatenate([gates, channels.on_one(errors.one, xp), one])


def told_letters(program: Program, items: Any, errors: Errors, xp: Any = np) -> Any:
    """What measuring each letter tells, as sums of the letters' expectation values.

    Args:
        program: The circuit.
        items: See `items_of`.
        errors: Its channels.
        xp: Array module.

    Returns:
        Shape (qubits, 4, 4): of each of the program's qubits, for I, X, Y and Z, the coefficients of I, X, Y and Z.
    """
    chains = product(items[program.chains[program.bases.reshape(-1)]], xp).reshape(-1, 3, 4, 4)
    added, left = errors.told[:, 0, None, None], errors.told[:, 1, None, None]
    turned = added * chains[:, :, 0] + left * chains[:, :, 3]
    identity = xp.broadcast_to(xp.eye(4, dtype=turned.dtype)[None, :1], (len(program.qubits), 1, 4))
    return xp.concatenate([identity, turned], 1)


def slopes_by_angles(program: Program, alpha: np.ndarray, made: Products, slopes: np.ndarray) -> np.ndarray:
    """Derivatives by the angles from those by the steps, backwards through `superoperators`.

    Args:
        program: The circuit.
        alpha: Angles, shape (angles,).
        made: As `superoperators` gave it.
        slopes: By the steps, shape (steps, 16, 16).

    Returns:
        Shape (angles,).
    """
    lower, upper, gate, *_ = program.segments.T
    by_segment = _gathered(product_slopes(made.segments[program.blocks], slopes), program.blocks, len(made.segments))
    before = channels.pair(made.chains[upper], made.chains[lower])
    by_rest = np.swapaxes(made.behind, 1, 2) @ by_segment[:-1]
    by_gate = _gathered(by_rest @ np.swapaxes(before, 1, 2), gate, len(made.gates))[:-1]
    by_pair = (np.swapaxes(made.gates[gate], 1, 2) @ by_rest).reshape(-1, 4, 4, 4, 4)
    by_upper = np.einsum("sacbd,scd->sab", by_pair, made.chains[lower])
    by_lower = np.einsum("sacbd,sab->scd", by_pair, made.chains[upper])
    by_chain = _gathered(by_upper, upper, len(made.chains)) + _gathered(by_lower, lower, len(made.chains))
    by_item = _gathered(product_slopes(made.items[program.chains], by_chain), program.chains, len(made.items))
    found = np.zeros(len(alpha))
    for parts, angle, by in (
        (program.ones, program.ones_angle, by_item[: len(program.ones_angle)]),
        (program.twos, program.twos_angle, by_gate),
    ):
        cosine, sine = (np.einsum("gij,gij->g", by, part) for part in parts[1:])
        np.add.at(found, angle, np.cos(alpha[angle]) * sine - np.sin(alpha[angle]) * cosine)
    return found


def product(matrices: Any, xp: Any = np) -> Any:
    """Products of rows of matrices, the first to act first: (rows, length, d, d) -> (rows, d, d)."""
    if xp is np:
        found = matrices[:, 0]
        for k in range(1, matrices.shape[1]):
            found = matrices[:, k] @ found
        return found
    import jax

    first, rest = matrices[:, 0], xp.moveaxis(matrices[:, 1:], 1, 0)
    return jax.lax.scan(lambda product, one: (one @ product, None), first, rest)[0]


def product_slopes(matrices: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Derivatives by the matrices of `product` from those by the products: (rows, length, d, d), (rows, d, d)."""
    length = matrices.shape[1]
    before = [np.broadcast_to(np.eye(matrices.shape[-1]), slopes.shape)]
    for k in range(length - 1):
        before.append(matrices[:, k] @ before[-1])
    found = np.empty(matrices.shape)
    for k in reversed(range(length)):
        found[:, k] = slopes @ np.swapaxes(before[k], 1, 2)
        slopes = np.swapaxes(matrices[:, k], 1, 2) @ slopes
    return found


def _gathered(slopes: np.ndarray, places: np.ndarray, size: int) -> np.ndarray:
    """Sums over the places that each stands at: (*places.shape, d, d) -> (size, d, d)."""
    found = np.zeros((size, *slopes.shape[-2:]))
    np.add.at(found, places, slopes)
    return found


def _at(parts: np.ndarray, alpha: Any, xp: Any) -> Any:
    """Gates at their angles: (3, gates, d, d), (gates,) -> (gates, d, d)."""
    a, b, c = (xp.asarray(part, alpha.dtype) for part in parts)
    return a + xp.cos(alpha)[:, None, None] * b + xp.sin(alpha)[:, None, None] * c
