"""IBM's machines; today their snapshots, which run here with the noise that was once measured on the real ones."""

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.measurement.targets import LEVELS, OptimizationLevel
from backends.providers.family import Family
from backends.providers.qiskit import QiskitDevice
from backends.simulators.noise import KEPT, Noise
from circuits.errors import Refused, unknown

PREFIX = "fake_"


def device(name: str, *, optimization_level: Annotated[OptimizationLevel, LEVELS] = 0) -> QiskitDevice:
    """A snapshot of an IBM device by name, such as ``fake_manila``, with its couplings, gates and all its noise.

    Args:
        name: Starts with ``fake_``.
        optimization_level: As for `QiskitDevice`.

    Raises:
        Refused: for an unknown snapshot, for a real device (not reachable yet), or without the extra ``ibm``.
    """
    if not name.startswith(PREFIX):
        raise Refused(
            f"'ibm:{name}' would be a real device, and those are not reachable yet; "
            "a snapshot of a device is, as in 'ibm:fake_manila'"
        )
    return QiskitDevice(snapshot(name), name=f"ibm:{name}", optimization_level=optimization_level)


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


def noise_of(device: Any) -> Noise:
    """The noise of a snapshot, of any of its qubits alone: to read all of a large one takes many seconds.

    Args:
        device: A snapshot, whose own reading of what was measured is taken, as its runs apply it.
    """
    device.properties()  # reads the file

    @lru_cache(maxsize=KEPT)
    def model(qubits: tuple[int, ...] | None) -> Any:
        part = copy.copy(device)
        if qubits is not None:
            part._props_dict = _properties_of(device._props_dict, qubits)
            part._target = Target(num_qubits=len(qubits), dt=device.dt)
        return part._get_noise_model_from_backend_v2()

    measuring = copy.copy(device)
    measuring._props_dict = {**device._props_dict, "gates": []}
    readout_errors = measuring._get_noise_model_from_backend_v2(gate_error=False, thermal_relaxation=False)
    return Noise(model, readout_errors, device, str(device.name), crops=True)


def _properties_of(properties: dict[str, Any], qubits: Sequence[int]) -> dict[str, Any]:
    """What was measured of some qubits and of the gates between them, the k-th qubit as qubit k."""
    place = {qubit: k for k, qubit in enumerate(qubits)}
    gates = [
        {**gate, "qubits": [place[q] for q in gate["qubits"]]}
        for gate in properties["gates"]
        if place.keys() >= set(gate["qubits"])
    ]
    return {**properties, "qubits": [properties["qubits"][q] for q in qubits], "gates": gates}


IBM = Family(device, "snapshots of IBM devices, with noise and shots", example="fake_manila")
