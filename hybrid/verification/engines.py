"""Engines on which a claimed energy can be computed again, other than the one that claims it."""

from collections.abc import Iterator

import backends
from backends.base import Backend
from circuits.errors import Refused

ENGINES: tuple[tuple[str, dict[str, str]], ...] = (
    ("lightning", {}),
    ("statevector", {}),
    ("aer", {"method": "statevector"}),
    ("reference", {}),
    ("aer", {"method": "stabilizer"}),
    ("aer", {"method": "matrix_product_state"}),
)
"""Names and options of exact engines; those for many qubits last."""


def other_engines(used: Backend) -> Iterator[Backend]:
    """The engines of `ENGINES` that are installed and are not the one that a run used.

    Args:
        used: The run's backend; Aer with another method is another engine.
    """
    name = used.capabilities().name
    method = "statevector"
    if used.origin is not None and used.origin.options.get("method", "automatic") != "automatic":
        method = str(used.origin.options["method"])
    for engine, options in ENGINES:
        if engine != name or (options and options["method"] != method):
            try:
                yield backends.get(engine, **options)
            except (ImportError, Refused):
                continue  # it is not installed here; others are
