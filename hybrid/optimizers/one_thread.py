"""BLAS and LAPACK on one thread, for the same bits on any number of threads.

Both cut sums by their number of threads, and round differently with each. An optimizer must ask for the same points
wherever its run is repeated, so every product and factorization of an optimizer is made inside `one_thread`.

What was measured (NumPy 2.4 and SciPy 1.17 with OpenBLAS 0.3.31, AVX-512; matrices of 1 to 900 rows, products with
1 to 2000 columns, Cholesky, triangular and symmetric eigensolvers, scalar products of up to 10^6 numbers; processes
with 1, 2, 4 and all threads, each twice):

- inside the limit, all 388 results had the same bits in all processes;
- without it, Cholesky factors, eigenvectors and triangular inverses differed from 150 rows on, solutions and products
  A A^T from 100, other products from 150, A v from 900, scalar products beyond 10,000 numbers;
- entering and leaving takes 15 to 30 microseconds.

Another processor makes OpenBLAS take other kernels (OPENBLAS_CORETYPE), and half of the results have other last bits:
as with a plain ``a @ b``, the bits are those of one kind of machine.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from circuits.errors import Refused

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

_lock = threading.RLock()
"""The limit is one for the whole process: whoever left it first would lift it for all others."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS and LAPACK to one thread; in a ``with`` statement, or as a decorator, ``@one_thread()``.

    It holds for the libraries that are there. SciPy brings one of its own: what computes with it imports it before.

    Raises:
        Refused: if another thread of Python holds a limit of its own, which this one cannot lift.

    >>> import numpy as np
    >>> with one_thread():
    ...     L = np.linalg.cholesky(4.0 * np.eye(2))
    >>> L.tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    libraries = _libraries()
    with _lock, libraries.limit(limits=1, user_api="blas"):
        if any((library.num_threads or 1) > 1 for library in libraries.lib_controllers):
            raise Refused(
                "BLAS must take one thread here, for the same bits everywhere, but another thread of this program "
                "holds it to more by threadpoolctl.threadpool_limits; let that end first, or call from that thread"
            )
        yield


def _libraries() -> "ThreadpoolController":
    """The BLAS libraries in this process: NumPy's, and SciPy's once that is loaded."""
    return _found("scipy.linalg._fblas" in sys.modules)


@cache
def _found(_with_scipy: bool) -> "ThreadpoolController":
    """They, looked for once, since that takes milliseconds."""
    import numpy as np  # noqa: F401 - it brings one, which must be there to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
