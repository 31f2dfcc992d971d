"""What a device's errors do to a state: channels as real matrices on Pauli expectation values.

A state of one qubit is r = (1, <X>, <Y>, <Z>), one of two qubits the 16 values <P1 P0> at 4 P1 + P0, and a channel is
the matrix R that turns r into R r, its Pauli transfer matrix. A few numbers tell each of them, and `on_one` and
`on_two` make them matrices. Every function takes the array module to compute with, so that NumPy's values and JAX's
derivatives come from the same formulas.

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
        What is left of X and Y, what is left of Z, and what Z gains, shape (..., 3); see `on_one`.
    """
    left = xp.exp(-seconds / t1)
    return xp.stack([xp.exp(-seconds / t2), left, 1 - left], -1)


def with_error(relaxed: Any, error: Any, xp: Any = np) -> Any:
    """What happens after a gate on one qubit: a depolarizing channel, then relaxation, of the stated error together.

    Args:
        relaxed: The relaxation, shape (..., 3).
        error: Average error of the gate, shape (...).
        xp: Array module.

    Returns:
        Shape (..., 3), as of `relaxation`.
    """
    left = 1 - depolarizing(process(relaxed), error, 2, xp)
    return relaxed * xp.stack([left, left, xp.ones_like(left)], -1)


def process(relaxed: Any) -> Any:
    """Process fidelity of a relaxation, the trace of its matrix over 4: (..., 3) -> (...)."""
    return (1 + 2 * relaxed[..., 0] + relaxed[..., 1]) / 4


def depolarizing(process: Any, error: Any, d: int, xp: Any = np) -> Any:
    """The probability p of the depolarizing channel that makes a gate's average error the stated one.

    With d = 2^k dimensions and the average fidelity F of the relaxation, a depolarizing channel of probability
    p = d (e - (1 - F)) / (d F - 1) makes the average error e. Where relaxation alone is worse than e, p is 0 and the
    error is larger than stated; an error above d / (d + 1), which no channel of this kind has, is taken as that. This
    is how Qiskit Aer reads a device, too.

    Args:
        process: Process fidelity of the relaxation of all qubits of the gate, shape (...).
        error: Average error of the gate, shape (...).
        d: Dimensions, 2 or 4.
        xp: Array module.

    Returns:
        Shape (...); with p, all Pauli strings are as likely.
    """
    fidelity = (d * process + 1) / (d + 1)
    lacking = xp.minimum(error, d / (d + 1)) - (1 - fidelity)
    return xp.clip(d * lacking / (d * fidelity - 1), 0, d * d / (d * d - 1))


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


def on_one(numbers: Any, xp: Any = np) -> Any:
    """The matrix that leaves so much of X and Y and of Z, and adds to Z: (..., 3) -> (..., 4, 4)."""
    shares = np.zeros((4, 4, 4))
    shares[0, 0, 0] = shares[1, 1, 1] = shares[1, 2, 2] = shares[2, 3, 3] = shares[3, 3, 0] = 1
    numbers = xp.concatenate([xp.ones_like(numbers[..., :1]), numbers], -1)
    return xp.tensordot(numbers, xp.asarray(shares, numbers.dtype), 1)


def on_two(numbers: Any, xp: Any = np) -> Any:
    """Depolarizing noise on two qubits, then what happens to each.

    Args:
        numbers: Of the upper and the lower qubit, as of `on_one`, and what the noise leaves of every Pauli string but
            the identity; shape (..., 7).
        xp: Array module.

    Returns:
        Shape (..., 16, 16).
    """
    left = xp.repeat(numbers[..., 6:], 15, -1)
    kept = xp.concatenate([xp.ones_like(left[..., :1]), left], -1)
    both = pair(on_one(numbers[..., :3], xp), on_one(numbers[..., 3:6], xp), xp)
    return both * kept[..., None, :]


def readout(error: Any, bias: Any, xp: Any = np) -> Any:
    """Measurement that tells the wrong bit.

    With the probabilities e (1 - b) of 1 for |0> and e (1 + b) of 0 for |1>, the mean of what is told is
    2 e b + (1 - 2 e) <Z>; each letter is measured in its own basis, so X and Y fare alike.

    Args:
        error: Mean probability e of the wrong bit, shape (...).
        bias: b, from -1 to 1, shape (...).
        xp: Array module.

    Returns:
        What is added, and what is left of the letter, shape (..., 2).
    """
    return xp.stack([2 * error * bias, 1 - 2 * error], -1)


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
