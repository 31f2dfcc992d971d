"""All Pauli expectation values of a state through a circuit's steps, and backwards: by the C++ kernels, or NumPy."""

import math

import numpy as np

from backends.statevector import native

KEPT_BYTES = 2**28
"""States before every step are kept for a derivative where they take no more than this together."""


def evolved(steps: np.ndarray, pairs: np.ndarray, n_qubits: int) -> np.ndarray:
    """All Pauli expectation values after the steps, from |0...0>.

    Args:
        steps: Shape (steps, 16, 16).
        pairs: Qubits that each acts on, the lower one first, shape (steps, 2).
        n_qubits: Of the state.

    Returns:
        Shape (4^n,); digit q of an index, to the base 4, is the letter of qubit q among I, X, Y, Z.
    """
    if native.available():
        return native.evolve(steps, pairs, n_qubits)
    r = start(n_qubits)
    for step, pair in zip(steps, pairs, strict=True):
        r = _applied(step, r, pair, n_qubits)
    return r


def pulled_back(steps: np.ndarray, pairs: np.ndarray, n_qubits: int, slopes: np.ndarray) -> np.ndarray:
    """Derivatives by the steps of what has the slopes by the values at the end.

    States are kept before every k-th step, and those between them computed again; see `kept_states`.

    Args:
        steps: As for `evolved`.
        pairs: As for `evolved`.
        n_qubits: Of the state.
        slopes: Shape (4^n,).

    Returns:
        Shape (steps, 16, 16).
    """
    if native.available():
        return native.pull_back(steps, pairs, n_qubits, slopes, every(len(steps), n_qubits))
    before = [start(n_qubits)]
    for step, pair in zip(steps[:-1], pairs[:-1], strict=True):
        before.append(_applied(step, before[-1], pair, n_qubits))
    found = np.empty(steps.shape)
    for k in reversed(range(len(steps))):
        left, right = (_grouped(one, pairs[k], n_qubits).reshape(16, -1) for one in (slopes, before[k]))
        found[k] = left @ right.T
        slopes = _applied(steps[k].T, slopes, pairs[k], n_qubits)
    return found


def every(n_steps: int, n_qubits: int) -> int:
    """After how many steps a state is kept: of all, or so that those kept and those between them are as many."""
    fits = n_steps * 8 * 4**n_qubits <= KEPT_BYTES
    return max(1, n_steps if fits else math.isqrt(n_steps - 1) + 1)


def kept_states(n_steps: int, n_qubits: int) -> int:
    """States that a derivative holds beside its own two."""
    if not native.available():
        return n_steps
    spacing = every(n_steps, n_qubits)
    return min(n_steps, spacing + -(-n_steps // spacing) - 1)


def start(n_qubits: int) -> np.ndarray:
    """The values of |0...0>, shape (4^n,): 1 for strings of I and Z."""
    r = np.ones(1)
    for _ in range(n_qubits):
        r = np.kron(r, [1.0, 0.0, 0.0, 1.0])
    return r


def _grouped(r: np.ndarray, pair: np.ndarray, n_qubits: int) -> np.ndarray:
    """The axes of a pair in front, the upper one first: shape (4, 4, 4, ...)."""
    low, high = (n_qubits - 1 - int(q) for q in pair)
    return np.moveaxis(r.reshape((4,) * n_qubits), (high, low), (0, 1))


def _applied(step: np.ndarray, r: np.ndarray, pair: np.ndarray, n_qubits: int) -> np.ndarray:
    low, high = (n_qubits - 1 - int(q) for q in pair)
    grouped = _grouped(r, pair, n_qubits)
    done = (step @ grouped.reshape(16, -1)).reshape(grouped.shape)
    return np.moveaxis(done, (0, 1), (high, low)).reshape(-1)
