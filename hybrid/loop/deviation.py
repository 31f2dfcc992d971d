"""How far the state that a run ends with is from an eigenstate, and whether a lower one is seen from elsewhere."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from circuits.errors import Refused
from circuits.problems.exact import as_product
from hybrid.runs import prepared
from hybrid.workload.beside import has_deviation
from hybrid.workload.workload import Workload

PRODUCTS = 20
"""Of the Hamiltonian with a vector, in the search for a lower energy."""


class Deviation(NamedTuple):
    """What the Hamiltonian says of a state besides its energy.

    Attributes:
        width: Standard deviation of the energy in the state, ||(H - <H>) psi||, in the problem's unit.
        seen: Energy of some other state, which the ground state's cannot exceed; None where nobody searched.
    """

    width: float
    seen: float | None


def deviation_of(work: Workload, theta: np.ndarray) -> Deviation | None:
    """The energy's standard deviation in the final state, without noise, and a search for a lower energy elsewhere.

    An eigenvalue lies within the deviation of <H> (Weinstein). The lowest one does if the state has at least half its
    weight p on the ground state: by Cantelli's inequality E - E0 <= sigma sqrt((1 - p) / p). Whether a much lower
    energy is there is seen by a few Lanczos steps from a random state; not for molecules, of whose number of electrons
    a random state knows nothing.

    Args:
        work: The workload.
        theta: The parameters, shape (params,), radians.

    Returns:
        None where state or Hamiltonian are too large to tell in some seconds.

    References:
        Weinstein, Proc. Natl. Acad. Sci. 20, 529 (1934).
    """
    if not has_deviation(work):
        return None
    try:
        psi = np.asarray(prepared.state(work.circuit, theta), dtype=complex)
        product = as_product(work.problem.hamiltonian)
    except Refused:
        return None  # a gate that the simulator does not know, or no memory; the interval says that it is not known
    image = product(psi)
    width = _norm(image - _overlap(psi, image) * psi)
    searched = work.problem.source.get("kind") != "molecule"
    return Deviation(width, _lower(product, len(psi)) if searched else None)


def _lower(product: Callable[[np.ndarray], np.ndarray], size: int) -> float:
    """The lowest energy in the space of some products with a random vector, by Lanczos; no eigenvalue is above it."""
    from scipy.linalg import eigh_tridiagonal

    v = np.random.default_rng(0).standard_normal(size).astype(complex)
    v /= _norm(v)
    before, beta, diagonal, beside = np.zeros_like(v), 0.0, list[float](), list[float]()
    for _ in range(min(PRODUCTS, size)):
        w = product(v) - beta * before
        diagonal.append(_overlap(v, w))
        w -= diagonal[-1] * v
        beta = _norm(w)
        if beta < 1e-8 * abs(diagonal[0]) + 1e-12:
            break
        beside.append(beta)
        before, v = v, w / beta
    found = eigh_tridiagonal(diagonal, beside[: len(diagonal) - 1], select="i", select_range=(0, 0))[0]
    return float(found[0])


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Real part of <a|b>, without BLAS, whose sums depend on its threads."""
    return float(np.einsum("i,i->", a.view(np.float64), b.view(np.float64)))


def _norm(a: np.ndarray) -> float:
    return math.sqrt(_overlap(a, a))
