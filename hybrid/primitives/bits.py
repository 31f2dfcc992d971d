"""Counts of bit strings as Qiskit packs them, for each classical register and shot."""

import numpy as np
from qiskit import QuantumCircuit

from backends.measurement.outcomes import Outcomes
from circuits.errors import FailedJob


def registers(circuit: QuantumCircuit) -> dict[str, list[int]]:
    """The classical registers by name: for each the places of its bits among the circuit's, bit 0 first."""
    return {register.name: [circuit.find_bit(bit).index for bit in register] for register in circuit.cregs}


def n_bytes(n_bits: int) -> int:
    """Bytes that a bit array takes for one shot."""
    return (n_bits + 7) // 8


def order(outcomes: Outcomes, shots: int, seed: int, who: str) -> np.ndarray:
    """For each shot the number of its bit string, shape (shots,), in a random order.

    Backends count, and do not say in which order; so any part of the shots is a fair sample.

    Args:
        outcomes: Counted.
        shots: That were asked for.
        seed: Of the order.
        who: Counted them, for a message.

    Raises:
        FailedJob: if there are more or fewer.
    """
    if int(outcomes.counts.sum()) != shots:
        raise FailedJob(f"'{who}' gave {outcomes.counts.sum()} shots, where {shots} were asked for")
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(outcomes.counts)), outcomes.counts))


def packed(bits: np.ndarray) -> np.ndarray:
    """Bits of shape (strings, bits), bit 0 first, as Qiskit packs them: (strings, bytes), bit 0 at the very end.

    >>> packed(np.array([[1, 0, 0, 0, 0, 0, 0, 0, 1]], dtype=np.uint8))
    array([[1, 1]], dtype=uint8)
    """
    return np.packbits(bits, axis=1, bitorder="little")[:, ::-1]
