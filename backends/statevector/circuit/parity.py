"""Diagonals that are sums of Pauli strings of I and Z."""

import numpy as np


def diagonal(z: np.ndarray, weight: np.ndarray, n_bits: int) -> np.ndarray:
    """sum_k weight_k (-1)^parity(i & z_k) for all i.

    A sign of i is one of its upper half times one of its lower half, so the sum is one product of two small matrices.

    Args:
        z: Masks, shape (strings,).
        weight: Real, shape (..., strings); its type is the result's.
        n_bits: Of i.

    Returns:
        Shape (..., 2^n_bits).
    """
    low = n_bits // 2
    upper = signs(z >> low, np.arange(2 ** (n_bits - low))).astype(weight.dtype)
    lower = signs(z & ((1 << low) - 1), np.arange(2**low)).astype(weight.dtype)
    return ((weight[..., None, :] * upper.T) @ lower).reshape(*weight.shape[:-1], 2**n_bits)


def signs(z: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(-1)^parity(i & z_k) for the given i, shape (strings, len(index))."""
    return 1 - 2.0 * (np.bitwise_count(index.astype(np.uint32) & z.astype(np.uint32)[:, None]) & 1)
