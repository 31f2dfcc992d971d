"""What libraries take of memory by being loaded, beyond the toolkit and Qiskit, which every process has.

Measured in fresh processes that do the least work with each: its import, what that imports in turn, and the buffers and
threads that the first work makes. Where Python finds no bytecode of a library it compiles the source, which takes up to
twice as much. The bytes are kept in `libraries.json`; `benchmarks/memory.py --libraries` makes it.
"""

import json
import sys
from functools import cache
from importlib.util import cache_from_source, find_spec
from pathlib import Path

NONE = ""
"""No library: modules of the toolkit's own that are imported on first use."""


def loaded_bytes(library: str) -> int:
    """Bytes that a fresh process takes for a library.

    Args:
        library: Name of its module, or `NONE`.
    """
    return _measured()[library]["compiled" if has_bytecode(library) else "source"]


def missing_bytes(library: str) -> int:
    """The same, of what this process has not loaded yet."""
    return 0 if library in sys.modules else loaded_bytes(library)


@cache
def has_bytecode(library: str) -> bool:
    """Whether Python finds a library compiled, as it was when this process first asked.

    Args:
        library: Name of its module, or `NONE`.
    """
    package = find_spec(library.partition(".")[0] or __name__.partition(".")[0])
    return package is not None and package.origin is not None and Path(cache_from_source(package.origin)).is_file()


@cache
def _measured() -> dict[str, dict[str, int]]:
    return json.loads(Path(__file__).with_name("libraries.json").read_text())["bytes"]
