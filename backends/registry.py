"""From a name to a backend."""

import os
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeGuard, get_args

from pydantic import SecretStr
from qiskit.providers import BackendV2

from backends.base import Backend, Origin
from backends.providers.family import Family
from circuits.errors import Refused, unknown
from circuits.options import Option, check, options_of
from circuits.secrets import kept, plain


class PennyLaneDevice(Protocol):
    """A device of PennyLane's, as ``qml.device("default.mixed")``."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def wires(self) -> Iterable[Hashable] | None:
        """Its wires, where it names them."""
        ...


if TYPE_CHECKING:
    from backends.devices.device import Device

BackendLike = str | Backend | BackendV2 | PennyLaneDevice
"""A backend's name, a `Backend`, or a device object of Qiskit's or PennyLane's."""

BUILT_IN = {
    "statevector": "backends.statevector:Statevector",
    "lightning": "backends.simulators.lightning:Lightning",
    "lightning.gpu": "backends.simulators.lightning_gpu:LightningGPU",
    "aer": "backends.simulators.aer:Aer",
    "reference": "backends.simulators.reference:Reference",
    "pauli": "backends.simulators.pauli:PauliPropagation",
    "density": "backends.density.engine:Density",
    "trajectories": "backends.trajectories.engine:QuantumTrajectories",
    "device": "backends.devices.hardware:ModelledDevice",
    "ibm": "backends.providers.ibm:IBM",
    "iqm": "backends.providers.worker.families:IQM",
    "aqt": "backends.providers.worker.families:AQT",
    "qrmi": "backends.providers.worker.families:QRMI",
    "braket": "backends.providers.braket:BRAKET",
    "ionq": "backends.providers.ionq:IONQ",
}
"""Name to ``module:class``, or to a `Family` of devices."""

AUTOMATIC = ("statevector", "lightning", "lightning.gpu", "aer")
"""Those that "auto" may take, named here so that no other is imported; of equally fast ones it takes the first."""

ON_CARDS: tuple[tuple[str, dict[str, Any]], ...] = (("aer", {"device": "gpu"}),)
"""Names with options by which other hardware computes: "auto" may take them where that is there."""


@dataclass(frozen=True)
class Method:
    """A method for circuits of one kind, of any number of qubits.

    Attributes:
        name: Of the backend.
        options: With which it takes the method.
        circuits: Of which kind: "clifford", of Clifford gates alone; "local", whose observables stay sums of few Pauli
            strings; "chain", of little entanglement along a line.
    """

    name: str
    options: Mapping[str, Any]
    circuits: Literal["clifford", "local", "chain"]

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])


METHODS = (
    Method("aer", {"method": "stabilizer"}, "clifford"),
    Method("pauli", {}, "local"),
    Method("aer", {"method": "matrix_product_state"}, "chain"),
)
"""What "auto" may take where the backends for every circuit are slow, or cannot do so many qubits."""

GROUP = "hybrid.backends"
"""Group of entry points under which other packages register theirs."""


def _registered() -> tuple[EntryPoint, ...]:
    """What other packages register; the folders of packages are read again only when one has changed."""
    return _registered_in(tuple((folder, _changed(folder)) for folder in sys.path))


@lru_cache(maxsize=1)
def _registered_in(folders: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    del folders
    return tuple(entry_points(group=GROUP))


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


def names() -> list[str]:
    """All names that `get` knows, built in and registered by other packages; families of devices among them."""
    return sorted({*BUILT_IN, *(point.name for point in _registered())})


def automatic() -> list[str]:
    """The backends among which ``backend="auto"`` may choose, in the order in which ties are decided.

    A backend of another package that cannot be loaded is among them: whoever tries it is told why.
    """
    theirs = sorted({point.name for point in _registered()} - set(BUILT_IN))
    return [*AUTOMATIC] + [name for name in theirs if not _loads(name) or _may_be_chosen(load(name))]


def automatic_on_cards() -> list[Backend]:
    """The backends of `ON_CARDS` that can be used here, for ``backend="auto"``."""
    found = []
    for name, chosen in ON_CARDS:
        try:
            found.append(get(name, **chosen))
        except (Refused, ImportError):
            continue  # no card, or no build of the library for one: `hybrid backends` says which
    return found


def options(name: str) -> dict[str, Option]:
    """The options of a backend by its name, with or without a device; see `circuits.options`."""
    return _options(load(name.partition(":")[0]))


def get(backend: BackendLike, **options: object) -> Backend:
    """A backend by name, or around a device object of another library.

    Args:
        backend: A name such as ``"statevector"``, ``"aer"``, ``"lightning"``, ``"reference"`` or
            ``"ibm:fake_manila"``; a `Device`; a Qiskit BackendV2; a PennyLane device; or a `Backend`, which is returned
            as it is.
        options: Of that backend, such as ``precision="single"``. A secret may be given as a pydantic ``SecretStr``, or
            as a reference, ``{"from": "environment", "name": "IONQ_API_KEY"}``, which is all that is recorded of it.

    Returns:
        A `Backend`.

    Raises:
        Refused: for an unknown name or option, with the nearest right word, or a value of the wrong type.
    """
    if _is_modelled(backend):
        return get("device", **backend.options(), **options)
    if isinstance(backend, Backend):
        if options:
            raise Refused(f"options {sorted(options)} have no effect on a backend that is made already")
        return backend
    if not isinstance(backend, str):
        make = _around(backend)
        return make(backend, **_checked(options, options_of(make, after=1), type(backend).__name__))
    made = _named(backend, options)
    told = {name: value.options() if _is_modelled(value) else value for name, value in options.items()}
    made.origin = Origin(backend, {name: kept(name, value) for name, value in told.items()})
    return made


def _is_modelled(device: object) -> "TypeGuard[Device]":
    """Whether it is a `Device`, whose module is loaded where there is one."""
    devices = sys.modules.get("backends.devices.device")
    return devices is not None and isinstance(device, devices.Device)


def _around(device: Any) -> Callable[..., Backend]:
    """What makes a backend of another library's device; PennyLane's is known only where PennyLane is imported."""
    qml = sys.modules.get("pennylane")
    if qml is not None and isinstance(device, (qml.devices.Device, qml.devices.LegacyDevice)):
        from backends.providers.pennylane import PennyLaneDevice

        return PennyLaneDevice
    from backends.providers.qiskit import QiskitDevice

    return QiskitDevice


def _named(name: str, options: Mapping[str, Any]) -> Backend:
    family, colon, device = name.partition(":")
    make = load(family)
    if isinstance(make, Family):
        if not device:
            example = make.example or "DEVICE"
            raise Refused(f"'{family}' is a family of devices: its form is FAMILY:DEVICE, as in {family}:{example}")
        return make.make(device, **_checked(options, _options(make), f"backend {name}"))
    if colon:
        raise Refused(f"backend '{family}' has no devices to choose from: its name alone is enough")
    known = _options(make)
    if "mitigation" in options and "mitigation" not in known:
        raise Refused(
            f"backend '{name}' computes without noise, so mitigation has nothing to correct there; leave it out, "
            'or use a device, its snapshot as in "ibm:fake_manila", or backend "aer" with noise'
        )
    return make(**_checked(options, known, f"backend {name}"))


def _checked(options: Mapping[str, Any], known: Mapping[str, Option], owner: str) -> dict[str, Any]:
    """Options as their maker takes them, with the secrets that references name."""
    found = {}
    for name, value in options.items():
        try:
            found[name] = plain(value)
        except KeyError as err:
            raise Refused(
                f"option {name} of {owner} is to come from the variable {err.args[0]} of the environment, which is not "
                "set: set it, and start again"
            ) from None
        hides = name in known and SecretStr in (known[name].type, *get_args(known[name].type))
        if hides and isinstance(found[name], str):
            found[name] = SecretStr(found[name])
    check(found, known, owner)
    return found


@cache
def load(name: str) -> Callable[..., Backend] | Family:
    """What makes the backends of a name: a class, a function, or a `Family`.

    Raises:
        Refused: for a name that nobody has, with the nearest right word; or if another package's cannot be loaded.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)
    for point in _registered():
        if point.name == name:
            try:
                return point.load()
            except Exception as err:
                raise Refused(
                    f"backend '{name}' of package '{point.dist.name if point.dist else '?'}' cannot be loaded: "
                    f"{type(err).__name__}: {err}"
                ) from err
    raise unknown("backend", name, names())


def _options(made: Callable[..., Backend] | Family) -> dict[str, Option]:
    return options_of(made.make, after=1) if isinstance(made, Family) else options_of(made)


def _may_be_chosen(made: Callable[..., Backend] | Family) -> bool:
    return not isinstance(made, Family) and getattr(made, "automatic", True)


def _loads(name: str) -> bool:
    try:
        load(name)
    except Refused:
        return False
    return True
