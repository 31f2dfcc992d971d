"""Memory: what a state takes and what may still be taken here."""

from circuits import memory
from circuits.errors import OutOfMemory

HEADROOM = 0.9
"""Share of the free memory that one computation may take."""

RETURNED_BYTES = 2**25
"""Size from which on glibc gives an array back to the system when it is freed; what is smaller mostly stays with the
process, and with the thread that had it, in pieces that need not fit what is wanted next (see mallopt(3),
M_MMAP_THRESHOLD)."""


def free_bytes() -> int:
    """Bytes that this process may still allocate, within every limit on it; see `circuits.memory`."""
    return int(memory.free_bytes() * HEADROOM)


def total_bytes() -> int:
    """Bytes that this process could have if it were alone here; the same at any moment."""
    return memory.total_bytes()


def check(memory_bytes: int, *, what: str) -> None:
    """Refuse work that does not fit into the free memory, with both numbers.

    Args:
        memory_bytes: What the work takes at once.
        what: The work, as the beginning of the message.

    Raises:
        OutOfMemory: naming the limit where it is not the machine's own memory.

    >>> check(10**30, what="40 qubits")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    circuits.errors.OutOfMemory: 40 qubits needs ...
    """
    limit = memory.tightest()
    free = int(limit.free_bytes * HEADROOM)
    if memory_bytes > free:
        by = "" if limit.name == "the machine" else f" (limited by {limit.name} to {readable(limit.total_bytes)})"
        raise OutOfMemory(
            f"{what} needs {in_bytes(memory_bytes)} ({readable(memory_bytes)}) of memory, "
            f"but {readable(free)} are free here{by}; use fewer qubits, or a backend that keeps no full state"
        )


def readable(n_bytes: float) -> str:
    """Bytes in binary units.

    >>> readable(17592186044416)
    '16.0 TiB'
    """
    if n_bytes >= 2**100:
        return in_bytes(int(n_bytes))
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if n_bytes < 1024 or unit == "PiB":
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    raise AssertionError


def in_bytes(n_bytes: int) -> str:
    """Bytes to the last one, or as a power of two where nobody would read all digits.

    >>> in_bytes(2**34), in_bytes(5 * 2**9999)
    ('17179869184 bytes', 'about 2^10001 bytes')
    """
    return f"{n_bytes} bytes" if n_bytes.bit_length() < 100 else f"about 2^{n_bytes.bit_length() - 1} bytes"
