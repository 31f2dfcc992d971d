"""IBM's machines; today their snapshots, which run here with the noise that was once measured on the real ones."""

from typing import Annotated, Any

from qiskit.providers import BackendV2

from backends.measurement.allocation import ALLOCATIONS, Allocation
from backends.measurement.groups import GROUPINGS, Grouping
from backends.measurement.targets import LEVELS, OptimizationLevel
from backends.mitigation.words import WORDS
from backends.providers.family import Family
from backends.providers.qiskit import QiskitDevice
from circuits.errors import Refused, unknown

PREFIX = "fake_"


def device(
    name: str,
    *,
    optimization_level: Annotated[OptimizationLevel, LEVELS] = 0,
    mitigation: Annotated[Any, WORDS] = None,
    grouping: Annotated[Grouping, GROUPINGS] = "auto",
    allocation: Annotated[Allocation, ALLOCATIONS] = "weights",
) -> QiskitDevice:
    """A snapshot of an IBM device by name, such as ``fake_manila``, with its couplings, gates and all its noise.

    Args:
        name: Starts with ``fake_``.
        optimization_level: As for `QiskitDevice`.
        mitigation: As for `QiskitDevice`.
        grouping: As for `QiskitDevice`.
        allocation: As for `QiskitDevice`.

    Raises:
        Refused: for an unknown snapshot, for a real device (not reachable yet), or without the extra ``ibm``.
    """
    if not name.startswith(PREFIX):
        raise Refused(
            f"'ibm:{name}' would be a real device, and those are not reachable yet; "
            "a snapshot of a device is, as in 'ibm:fake_manila'"
        )
    return QiskitDevice(
        snapshot(name),
        name=f"ibm:{name}",
        optimization_level=optimization_level,
        mitigation=mitigation,
        grouping=grouping,
        allocation=allocation,
    )


def snapshot(name: str) -> BackendV2:
    """The BackendV2 of a snapshot by its name.

    Raises:
        Refused: for an unknown snapshot, with the nearest right word, or without the extra ``ibm``.
    """
    try:
        from qiskit_ibm_runtime import fake_provider
    except ImportError as err:
        raise Refused(f"'ibm:{name}' needs qiskit-ibm-runtime: pip install 'hybrid-codesign[ibm]'") from err
    from qiskit_ibm_runtime.fake_provider.fake_backend import FakeBackendV2

    kinds = {
        kind.backend_name: kind
        for kind in vars(fake_provider).values()
        if isinstance(kind, type) and issubclass(kind, FakeBackendV2) and getattr(kind, "backend_name", None)
    }
    if name not in kinds:
        raise unknown("IBM device snapshot", name, kinds)
    return kinds[name]()


IBM = Family(device, "snapshots of IBM devices, with noise and shots", example="fake_manila")
