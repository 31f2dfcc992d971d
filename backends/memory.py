"""Memory: what a state takes and what this machine can still give."""

import psutil

from circuits.errors import Refused

HEADROOM = 0.9
"""Share of the free memory that one computation may take."""


def free_bytes() -> int:
    """Bytes that this process may still allocate without swapping."""
    return int(psutil.virtual_memory().available * HEADROOM)


def total_bytes() -> int:
    """Bytes that this machine has; the same at any moment and for any number of processes."""
    return psutil.virtual_memory().total


def check(memory_bytes: int, *, what: str) -> None:
    """Refuse work that does not fit into the free memory, with both numbers.

    >>> check(10**30, what="40 qubits")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    circuits.errors.Refused: ...
    """
    free = free_bytes()
    if memory_bytes > free:
        raise Refused(
            f"{what} needs {memory_bytes} bytes ({readable(memory_bytes)}) of memory, "
            f"but {readable(free)} are free here; use fewer qubits, or a backend that keeps no full state"
        )


def readable(n_bytes: float) -> str:
    """Bytes in binary units.

    >>> readable(17592186044416)
    '16.0 TiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if n_bytes < 1024 or unit == "PiB":
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    raise AssertionError
