"""What the parts around one part amount to: matrices over the bonds at its boundaries.

With psi = sum over all bonds of the products of the parts' states, the left environment of a string that is known as a
at a boundary (see `operators`) is

    L_a[b, c] = sum over the parts on the left of <those with c| what the string has done |those with b>,

and the right one R_a likewise, of all that is left to do for a. The energy is L of what is done at the right end. For
one part, with the share W,

    lambda = H_eff psi = sum_ab L_a R_b W[a, b] psi,    d<H> = 2 Re <lambda| d psi>.

States of parts have the shape (right bonds, own, left bonds).
"""

from collections.abc import Iterator

import numpy as np

from backends.statevector.parts.operators import Step


def left_environments(states: list[np.ndarray], steps: tuple[Step, ...]) -> list[np.ndarray]:
    """L at all boundaries, from the left end to the right one, each of shape (strings, bonds, bonds)."""
    found = [np.ones((1, 1, 1), states[0].dtype)]
    for psi, step in zip(states, steps, strict=True):
        found.append(_further_left(psi, step, found[-1]))
    return found


def energy(environments: list[np.ndarray]) -> float:
    """<H>, from the left environments."""
    return float(environments[-1][0, 0, 0].real)


def cotangents(
    states: list[np.ndarray], steps: tuple[Step, ...], environments: list[np.ndarray]
) -> Iterator[np.ndarray]:
    """lambda of all parts, from the right to the left.

    Args:
        states: Of the parts.
        steps: Of the observable.
        environments: The left ones.
    """
    right = np.ones((1, 1, 1), states[0].dtype)
    for psi, step, left in reversed(list(zip(states, steps, environments[:-1], strict=True))):
        lam, right = _further_right(psi, step, left, right)
        yield lam


def _further_left(psi: np.ndarray, step: Step, left: np.ndarray) -> np.ndarray:
    """L at the right boundary of a part from that at its left one."""
    x = np.matmul(psi.reshape(-1, psi.shape[2]), left).reshape(-1, *psi.shape)
    y = np.zeros((step.n_after, *psi.shape), psi.dtype)
    for before, after, share in step.shares:
        share.add(x[before], y[after])
    return np.matmul(y.reshape(step.n_after, len(psi), -1), psi.reshape(len(psi), -1).conj().T)


def _further_right(psi: np.ndarray, step: Step, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """lambda of a part, and R at its left boundary, from L there and R at its right one."""
    z = np.matmul(right.swapaxes(1, 2), psi.reshape(len(psi), -1)).reshape(-1, *psi.shape)
    v = np.zeros((step.n_before, *psi.shape), psi.dtype)
    for before, after, share in step.shares:
        share.add(z[after], v[before])
    v = v.reshape(step.n_before, -1, psi.shape[2])
    lam = np.matmul(v, left).sum(axis=0).reshape(psi.shape)
    return lam, np.matmul(v.swapaxes(1, 2), psi.reshape(-1, psi.shape[2]).conj())


def joined(states: list[np.ndarray]) -> np.ndarray:
    """The whole state, shape (2^n,), bits in the order of the line."""
    psi = np.ones((1, 1), states[0].dtype)  # (right bonds, own of all so far)
    for part in states:
        right, _, left = part.shape
        psi = np.matmul(part.reshape(-1, left), psi).reshape(right, -1)
    return psi[0]
