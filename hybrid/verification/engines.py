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
"""Exact ones; those for many qubits last."""


def others(used: Backend) -> Iterator[Backend]:
    """The engines that a run did not use."""
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
