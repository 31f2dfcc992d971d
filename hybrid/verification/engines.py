"""Engines on which a claimed energy can be computed again, other than those that it came from."""

from collections.abc import Iterable, Iterator

import backends
from backends.base import Backend, Jobs
from circuits.errors import Refused
from hybrid.runs.replay import Replay

ENGINES: tuple[tuple[str, dict[str, str]], ...] = (
    ("lightning", {}),
    ("statevector", {}),
    ("aer", {"method": "statevector"}),
    ("reference", {}),
    ("aer", {"method": "stabilizer"}),
    ("aer", {"method": "matrix_product_state"}),
)
"""Names and options of exact engines; those for many qubits last."""

LIBRARIES = (
    ("pennylane_lightning", "lightning"),
    ("qiskit_aer", "aer"),
    ("qiskit_ibm_runtime.fake_provider", "aer"),
    ("qiskit.providers.fake_provider", "aer"),
    ("backends.statevector", "statevector"),
)
"""Modules of the devices of other libraries, and the engine that computes in them."""


def other_engines(used: Iterable[Backend]) -> Iterator[Backend]:
    """The engines of `ENGINES` that are installed and did not take part in a run.

    Args:
        used: The run's backends.
    """
    own = frozenset[str]().union(*map(own_engines, used))
    for name, options in ENGINES:
        if own.isdisjoint({name, _word(name, options.get("method", ""))}):
            try:
                yield backends.get(name, **options)
            except (ImportError, Refused):
                continue  # it is not installed here; others are


def own_engines(backend: Backend) -> frozenset[str]:
    """The engines that computed what a backend says, as far as they are known.

    Args:
        backend: By name, or around another library's device; Aer with another method is another engine.

    Returns:
        Names as in `ENGINES`, Aer's with its method. Of a noisy device also the simulator whose energy without noise
        stands in the record.
    """
    if isinstance(backend, Replay):
        recorded = backend.recorded
        return _named(recorded.name or recorded.title, str(recorded.options.get("method", "")))
    if backend.around is not None:
        return own_engines(backend.around)
    can = backend.capabilities()
    validated = {"statevector"} if can.noise else set()
    if backend.origin is not None:
        method = str(backend.origin.options.get("method", ""))
        return _named(backend.origin.name, method) | _inside(backend) | validated
    return _inside(backend) | validated


def _named(name: str, method: str) -> frozenset[str]:
    family = name.partition(":")[0]
    if family.startswith("lightning"):
        return frozenset({"lightning"})  # on a card it is the same library
    return frozenset({_word(family, method)})


def _inside(backend: Backend) -> frozenset[str]:
    """The engine inside another library's device, whatever attribute of its hardware holds that device."""
    devices = list(vars(backend.hardware).values()) if isinstance(backend, Jobs) else []
    found = set()
    for device in devices:
        modules = [kind.__module__ for kind in type(device).__mro__]
        method = str(getattr(getattr(device, "options", None), "method", None) or "")
        for library, engine in LIBRARIES:
            if any(module == library or module.startswith(f"{library}.") for module in modules):
                found.add(_word(engine, method))
    return frozenset(found)


def _word(engine: str, method: str) -> str:
    if engine != "aer":
        return engine
    return f"aer {'statevector' if method in ('', 'automatic') else method}"
