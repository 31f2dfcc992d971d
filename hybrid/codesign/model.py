"""An analytic model of noise for circuits of any size: each term of the observable shrinks by its own fidelity.

For H = c_0 + sum_t c_t P_t and the noiseless values <P_t> of the circuit,

    E = c_0 + sum_t c_t F_t <P_t>,   F_t = prod_gates (1 - e (d + 1) / d) prod_measured (1 - 2 r_q),

where the products run over the gates that the term can see (its light cone in the transpiled circuit) and the qubits
that it measures, d = 2 or 4, and e is a gate's stated error, or what relaxation during the gate makes of it where that
is worse. F_t is the chance that no error strikes what the term sees, and the model takes the term as lost where one
does. Where every term sees every gate, F_t = F and the error is (1 - F) (E_ideal - tr(H) / 2^n): the state is drawn to
the maximally mixed one.

It holds where gates spread each Pauli string over its light cone. It sees too much noise where they do not: at small
angles, for instance, most of a string never reaches the rim of its cone. It leaves out that relaxation draws to |0>
rather than to the mixed state, and the bias of readout. Qubits that wait do not decay, as in `hybrid.Device`.

References:
    A. M. Dalzell, N. Hunter-Jones, F. G. S. L. Brandao, "Random quantum circuits transform local noise into global
    white noise", arXiv:2111.14907, for when errors act like a loss of the whole signal.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.devices.device import Device
from backends.instructions import terms
from backends.measurement.targets import translated
from hybrid.codesign.engines import Engine, Noise


@dataclass(frozen=True, eq=False)
class Cones:
    """What the terms of an observable can see of a circuit on a device.

    Attributes:
        labels: The terms, on the circuit's qubits.
        coefficients: Shape (terms,).
        constant: Coefficient of the identity, tr(H) / 2^n.
        ones: Gates on one qubit that err, in each term's light cone, shape (terms, qubits of the device).
        twos: Gates on two qubits, shape (terms, used edges).
        told: Whether each qubit is measured for the term, shape (terms, qubits of the device).
        edges: Edges of the device that have gates, shape (used edges,).
        pairs: Their qubits, shape (used edges, 2).
    """

    labels: tuple[str, ...]
    coefficients: np.ndarray
    constant: float
    ones: np.ndarray
    twos: np.ndarray
    told: np.ndarray
    edges: np.ndarray
    pairs: np.ndarray


def cones(moved: QuantumCircuit, layout: tuple[int, ...], H: SparsePauliOp, device: Device) -> Cones:
    """Walk back from each term through the circuit, and count the gates that it can see.

    Args:
        moved: The circuit on the device's qubits and in its gates.
        layout: The device's qubit that holds each of the circuit's qubits at the end.
        H: The observable, on the circuit's qubits.
        device: The device.
    """
    at = {pair: k for k, (a, b) in enumerate(device.edges) for pair in ((a, b), (b, a))}
    where = {bit: k for k, bit in enumerate(moved.qubits)}
    gates = [
        [where[bit] for bit in item.qubits]
        for item in moved.data
        if item.operation.name in device.gates and item.operation.name not in device.virtual
    ]
    used = sorted({at[gate[0], gate[1]] for gate in gates if len(gate) == 2})
    column = {edge: k for k, edge in enumerate(used)}
    changes = {"Z": 0, **{letter: _changes(letter, device) for letter in "XY"}}
    found = [(label, coefficient) for label, coefficient in terms(H) if set(label) != {"I"}]
    constant = sum(coefficient for label, coefficient in terms(H) if set(label) == {"I"})
    ones = np.zeros((len(found), device.n_qubits))
    twos = np.zeros((len(found), len(used)))
    told = np.zeros((len(found), device.n_qubits))
    for t, (label, _) in enumerate(found):
        seen = set()
        for k, letter in enumerate(reversed(label)):
            if letter != "I":
                seen.add(layout[k])
                told[t, layout[k]] = 1
                ones[t, layout[k]] += changes[letter]
        for gate in reversed(gates):
            if len(gate) == 1:
                if gate[0] in seen:
                    ones[t, gate[0]] += 1
            elif gate[0] in seen or gate[1] in seen:
                seen.update(gate)
                twos[t, column[at[gate[0], gate[1]]]] += 1
    return Cones(
        tuple(label for label, _ in found),
        np.array([coefficient for _, coefficient in found], float),
        float(np.real(constant)),
        ones,
        twos,
        told,
        np.array(used, dtype=int),
        np.array([device.edges[edge] for edge in used], dtype=int).reshape(-1, 2),
    )


def fidelities(seen: Cones, noise: Noise, device: Device, xp: Any = np) -> Any:
    """The factor by which each term shrinks.

    Args:
        seen: What the terms see.
        noise: All noise parameters.
        device: For how many qubits and edges they are.
        xp: Array module.

    Returns:
        Shape (terms,).
    """
    n, n_edges = device.n_qubits, len(device.edges)

    def of(name: str, size: int) -> Any:
        return xp.broadcast_to(noise[name], (size,))

    t1, t2 = of("t1", n), of("t2", n)

    def kept(seconds: Any, qubits: Any) -> Any:
        """Entanglement fidelity of relaxation."""
        return (1 + xp.exp(-seconds / t1[qubits]) + 2 * xp.exp(-seconds / t2[qubits])) / 4

    def lost(error: Any, fidelity: Any, d: int) -> Any:
        """Chance of an error: from the stated average error, or from that of relaxation where it is worse."""
        worst = xp.maximum(error, 1 - (d * fidelity + 1) / (d + 1))
        return xp.minimum(worst * (d + 1) / d, 1 - 1e-12)

    every = np.arange(n)
    one = lost(of("one_qubit_error", n), kept(of("one_qubit_s", n), every), 2)
    seconds = of("two_qubit_s", n_edges)[seen.edges]
    pair = kept(seconds, seen.pairs[:, 0]) * kept(seconds, seen.pairs[:, 1])
    two = lost(of("two_qubit_error", n_edges)[seen.edges], pair, 4)
    read = xp.maximum(1 - 2 * of("readout_error", n), 1e-12)
    return xp.exp(seen.ones @ xp.log1p(-one) + seen.twos @ xp.log1p(-two) + seen.told @ xp.log(read))


def model(seen: Cones, ideal: np.ndarray, device: Device) -> Engine:
    """The model as an engine.

    Args:
        seen: What the terms see.
        ideal: Noiseless value of each term, shape (terms,).
        device: The device.
    """
    import jax
    import jax.numpy as jnp

    weights = seen.coefficients * ideal

    def energy(noise: Noise, xp: Any = np) -> Any:
        return seen.constant + xp.sum(weights * fidelities(seen, noise, device, xp))

    with jax.enable_x64(True):
        slope = jax.jit(jax.grad(lambda noise: energy(noise, jnp)))

    def gradient(noise: Noise) -> dict[str, np.ndarray]:
        with jax.enable_x64(True):
            found = slope({name: np.asarray(value, float) for name, value in noise.items()})
        return {name: np.asarray(value) for name, value in found.items()}

    return Engine("model", lambda noise: float(energy(noise)), gradient)


def _changes(letter: str, device: Device) -> int:
    """Gates that err among those that turn a letter to Z."""
    change = QuantumCircuit(1)
    if letter == "Y":
        change.sdg(0)
    change.h(0)
    data = translated(change, device.target((0,))).data
    return sum(item.operation.name not in device.virtual for item in data)
