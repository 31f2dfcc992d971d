"""The border to other libraries: their errors become this toolkit's, in one place and whatever library it was."""

import errno
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qiskit.exceptions import QiskitError

from backends import memory
from circuits.errors import FailedJob, OutOfMemory, ProviderUnreachable, ToolkitError

OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "std::bad_alloc", "out of memory", "Insufficient memory")
"""Words by which XLA, C++, CUDA and Aer say that memory did not suffice, in errors of many types."""


@contextmanager
def border(what: str, *, free_bytes: Callable[[], int | None] = memory.free_bytes) -> Iterator[None]:
    """Run what another library does; as a ``with`` block, or as a decorator.

    Args:
        what: Who does it, as the beginning of a message.
        free_bytes: What its memory may still give, asked for when it did not suffice; None where that is not known.

    Raises:
        OutOfMemory: if memory did not suffice, with what was asked for and what is free.
        ProviderUnreachable: if nobody answered at the other end of a connection.
        FailedJob: for errors of the system, of the library and of pickling, with their own words.

    >>> with border("the engine"):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
    ...
    circuits.errors.FailedJob: the engine could not do the work: [Errno 28] No space left on device
    """
    try:
        yield
    except ToolkitError:
        raise
    except MemoryError as err:
        raise too_large(what, str(err), free_bytes()) from err
    except (ConnectionError, TimeoutError) as err:
        raise ProviderUnreachable(f"{what} did not answer: {err}") from err
    except OSError as err:
        if err.errno == errno.ENOMEM:
            raise too_large(what, str(err), free_bytes()) from err
        raise FailedJob(f"{what} could not do the work: {err}") from err
    except (QiskitError, pickle.PickleError) as err:
        raise FailedJob(f"{what} could not do the work: {getattr(err, 'message', err)}") from err
    except RuntimeError as err:  # of XLA (JaxRuntimeError), of C++ behind Python
        if says_too_large(str(err)):
            raise too_large(what, str(err), free_bytes()) from err
        if type(err).__name__ == "JaxRuntimeError":
            raise FailedJob(f"{what} could not do the work: {err}") from err
        raise  # a fault of ours is shown with all it says


def says_too_large(reason: str) -> bool:
    """Whether a library's words mean that memory did not suffice."""
    return any(words.lower() in reason.lower() for words in OUT_OF_MEMORY)


def too_large(what: str, reason: str, free_bytes: int | None) -> OutOfMemory:
    """The error for work that memory did not suffice for.

    Args:
        what: Who did it.
        reason: The library's own words, which name what was asked for; may be empty.
        free_bytes: What is free; None where that is not known.
    """
    said = f" ({reason.strip().splitlines()[0]})" if reason.strip() else ""
    left = "" if free_bytes is None else f": {memory.readable(free_bytes)} are free here"
    return OutOfMemory(
        f"{what} needs more memory than it can get{said}{left}; use fewer qubits, fewer rows at once, or a backend "
        "that keeps no full state"
    )
