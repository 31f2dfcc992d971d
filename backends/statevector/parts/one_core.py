"""Products of matrices on one core: how a library shares them out would change the last bits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside: list[Any] = []
"""What sets the number of cores back when the last one leaves, once for each that is inside."""


@contextmanager
def one_core() -> Iterator[None]:
    """Let NumPy's products run on one core meanwhile, in all threads."""
    with _lock:
        _inside.append(_inside[0] if _inside else _controller().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            limiter = _inside.pop()
            if not _inside:
                limiter.restore_original_limits()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
