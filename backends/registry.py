"""From a name to a backend."""

import inspect
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from backends.base import Backend, Origin
from circuits.errors import Refused, unknown

BUILT_IN = {
    "reference": "backends.simulators.reference:Reference",
    "statevector": "backends.statevector:Statevector",
    "aer": "backends.simulators.aer:Aer",
    "lightning": "backends.simulators.lightning:Lightning",
    "ibm": "backends.providers.ibm:device",
}
"""Name to ``module:factory``. A name before a colon (``ibm:fake_manila``) passes what follows it to the factory."""

GROUP = "hybrid.backends"


def names() -> list[str]:
    """All names that `get` knows, built in and registered by other packages."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def get(backend: Any, **options: Any) -> Backend:
    """A backend by name, or around a device object of another library.

    Args:
        backend: A name such as ``"statevector"``, ``"aer"``, ``"lightning"``, ``"reference"`` or
            ``"ibm:fake_manila"``; a Qiskit BackendV2; or a `Backend`, which is returned as it is.
        options: Passed to the backend's constructor, such as ``precision="single"``.

    Returns:
        A `Backend`.

    Raises:
        Refused: for an unknown name or option, with the nearest right word.
    """
    if isinstance(backend, Backend):
        if options:
            raise Refused(f"options {sorted(options)} have no effect on a backend that is made already")
        return backend
    if not isinstance(backend, str):
        from backends.providers.qiskit import QiskitDevice

        return _call(QiskitDevice, type(backend).__name__, (backend,), options)
    family, _, device = backend.partition(":")
    made = _call(_factory(family), backend, (device,) if device else (), options)
    made.origin = Origin(backend, options)
    return made


def _factory(name: str) -> Callable[..., Backend]:
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)
    for point in entry_points(group=GROUP):
        if point.name == name:
            return point.load()
    raise unknown("backend", name, names())


def _call(factory: Callable[..., Backend], name: str, arguments: tuple, options: dict) -> Backend:
    signature = inspect.signature(factory)
    known = [p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            raise unknown(f"option of backend {name}:", option, known)
    try:
        signature.bind(*arguments, **options)
    except TypeError as err:
        raise Refused(f"backend '{name}': {err}; its form is NAME or FAMILY:DEVICE, as in ibm:fake_manila") from err
    return factory(*arguments, **options)
