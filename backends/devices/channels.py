"""What a device's errors do to a state: channels as real matrices on Pauli expectation values.

A state of one qubit is r = (1, <X>, <Y>, <Z>), one of two qubits the 16 values <P1 P0> at 4 P1 + P0, and a channel is
the matrix R that turns r into R r, its Pauli transfer matrix. Every function takes the array module to compute with,
so that NumPy's values and JAX's derivatives come from the same formulas.

References:
    D. Greenbaum, "Introduction to quantum gate set tomography", arXiv:1509.02921 (Pauli transfer matrices),
    M. A. Nielsen, Phys. Lett. A 303, 249 (2002) (average fidelity from process fidelity).
"""

from typing import Any

import numpy as np

PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def relaxation(t1: Any, t2: Any, seconds: Any, xp: Any = np) -> Any:
    """Energy loss and dephasing for some time, towards |0>: X and Y shrink by e^(-t/T2), 1 - Z by e^(-t/T1).

    Args:
        t1: Relaxation time, seconds, of any shape.
        t2: Dephasing time, seconds, at most 2 T1; of the same shape.
        seconds: How long; of the same shape.
        xp: Array module.

    Returns:
        Shape (..., 4, 4).
    """
    lost, dephased = xp.exp(-seconds / t1), xp.exp(-seconds / t2)
    one, none = xp.ones_like(lost), xp.zeros_like(lost)
    rows = ((one, none, none, none), (none, dephased, none, none), (none, none, dephased, none))
    return xp.stack([xp.stack(row, -1) for row in (*rows, (1 - lost, none, none, lost))], -2)


def with_error(relaxed: Any, error: Any, xp: Any = np) -> Any:
    """What happens after a gate: a depolarizing channel, then relaxation, with the stated average error together.

    With d = 2^k dimensions and the average fidelity F of the relaxation, a depolarizing channel of probability
    p = d (e - (1 - F)) / (d F - 1) makes the average error e. Where relaxation alone is worse than e, p is 0 and the
    error is larger than stated; an error above d / (d + 1), which no channel of this kind has, is taken as that. This
    is how Qiskit Aer reads a device, too.

    Args:
        relaxed: The relaxation of all qubits of the gate, shape (..., 4^k, 4^k).
        error: Average error of the gate, shape (...).
        xp: Array module.

    Returns:
        Shape (..., 4^k, 4^k).
    """
    return shrinking(relaxed, 1 - depolarizing(relaxed, error, xp), xp)


def shrinking(channel: Any, left: Any, xp: Any = np) -> Any:
    """Depolarizing noise, then a channel.

    Args:
        channel: Shape (..., 4^k, 4^k).
        left: What the noise leaves of every Pauli string but the identity, shape (...).
        xp: Array module.

    Returns:
        Shape (..., 4^k, 4^k).
    """
    keeps = xp.concatenate([xp.ones((*left.shape, 1)), xp.repeat(left[..., None], channel.shape[-1] - 1, -1)], -1)
    return channel * keeps[..., None, :]


def depolarizing(relaxed: Any, error: Any, xp: Any = np) -> Any:
    """The probability p of the depolarizing channel of `with_error`: with p, all Pauli strings are as likely.

    Args:
        relaxed: As there.
        error: As there.
        xp: Array module.

    Returns:
        Shape (...).
    """
    size = relaxed.shape[-1]
    d = round(size**0.5)
    process = xp.trace(relaxed, axis1=-2, axis2=-1) / size
    fidelity = (d * process + 1) / (d + 1)
    lacking = xp.minimum(error, d / (d + 1)) - (1 - fidelity)
    return xp.clip(d * lacking / (d * fidelity - 1), 0, size / (size - 1))


def relaxation_choices(t1: Any, t2: Any, seconds: Any, xp: Any = np) -> tuple[Any, Any]:
    """`relaxation` as a sum of a phase flip, a reset to |0>, and nothing, with these weights and what is left to 1.

    The weight of the phase flip is negative where T2 is above T1.

    Args:
        t1: As there.
        t2: As there.
        seconds: As there.
        xp: Array module.

    Returns:
        The weights of the phase flip and the reset.

    References:
        M. Otten, S. K. Gray, npj Quantum Inf. 5, 11 (2019) (relaxation as a mixture of flips and resets).
    """
    kept = xp.exp(-seconds / t1)
    return kept * (1 - xp.exp(-seconds * (1 / t2 - 1 / t1))) / 2, 1 - kept


def readout(error: Any, bias: Any, xp: Any = np) -> Any:
    """Measurement that tells the wrong bit, on the letter that is measured.

    With the probabilities e (1 - b) of 1 for |0> and e (1 + b) of 0 for |1>, the mean of what is told is
    (1 - 2 e) <Z> + 2 e b; each letter is measured in its own basis, so X and Y fare alike.

    Args:
        error: Mean probability e of the wrong bit, shape (...).
        bias: b, from -1 to 1, shape (...).
        xp: Array module.

    Returns:
        Shape (..., 4, 4).
    """
    kept, added = 1 - 2 * error, 2 * error * bias
    one, none = xp.ones_like(kept), xp.zeros_like(kept)
    rows = ((one, none, none, none), (added, kept, none, none), (added, none, kept, none), (added, none, none, kept))
    return xp.stack([xp.stack(row, -1) for row in rows], -2)


def pair(second: Any, first: Any, xp: Any = np) -> Any:
    """Two channels side by side: (..., 4, 4) each -> (..., 16, 16), the first on the lower qubit."""
    product = second[..., :, None, :, None] * first[..., None, :, None, :]
    return xp.reshape(product, (*product.shape[:-4], 16, 16))


def transfer(matrix: np.ndarray) -> np.ndarray:
    """The Pauli transfer matrix of a gate's matrix on one or two qubits, Qiskit's order: (2^k, 2^k) -> (4^k, 4^k)."""
    strings = (
        PAULIS if len(matrix) == 2 else np.array([np.kron(second, first) for second in PAULIS for first in PAULIS])
    )
    turned = matrix @ strings @ matrix.conj().T
    return np.einsum("aij,bji->ab", strings, turned).real / len(matrix)
