"""IBM's machines, and their snapshots, which run here with the noise that was once measured on the real ones."""

import copy
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.providers.calibration import Calibration, from_properties
from backends.providers.family import of_hardware
from backends.providers.hardware import Hardware
from backends.providers.ibm_connection import Connection
from backends.providers.ibm_device import Decoupling, IBMDevice, Mode, Twirling
from backends.providers.qiskit import QiskitHere
from backends.simulators.noise import KEPT, Noise
from circuits.errors import NotInstalled, Refused, unknown

PREFIX = "fake_"

ZNE = {"zne": {"factors": (1, 3, 5), "extrapolation": "exponential"}}

RESILIENCE: dict[int, tuple[Any, ...]] = {0: (), 1: ("readout",), 2: ("readout", ZNE)}
"""What each resilience level of IBM's Estimator is in the words of `backends.mitigation.words`, beside twirling.

Its TREX is calibrated by the shots of twirled measurements, as "readout" is where the vendor twirls them; its
zero-noise extrapolation folds gates by the same factors and tries an exponential first. Its answers are not taken
themselves, since they hold values without counts, and at level 2 the error of one fit, which can be far too small.
"""

TWIRLED: dict[int, Twirling | None] = {0: None, 1: "measurements", 2: "both"}
"""What the vendor twirls at each level; on a snapshot, which has no vendor, gates are twirled here."""


def device(
    name: str,
    *,
    resilience_level: Annotated[
        Literal[0, 1, 2] | None, "0 (nothing), 1 (errors of measurement) or 2 (those of gates, too)"
    ] = None,
    mode: Annotated[Mode, '"job", "batch" or "session"'] = "job",
    twirling: Annotated[Twirling | None, '"gates", "measurements" or "both", which the vendor twirls'] = None,
    dynamical_decoupling: Annotated[Decoupling | None, '"XX", "XpXm" or "XY4", where qubits wait'] = None,
    max_execution_time_s: Annotated[int | None, Field(ge=1), "whole seconds on the machine, from 1"] = None,
    account: Annotated[str | None, "the name of a saved account"] = None,
    instance: Annotated[str | None, "the CRN or name of an instance of the account"] = None,
    deadline_s: Annotated[float, Field(gt=0), "seconds for which an answer of the service is waited for"] = 60.0,
) -> Hardware:
    """An IBM device by name; with ``fake_`` before it the snapshot of one, which is simulated with all its noise.

    A snapshot is simulated by this toolkit rather than by the local mode of IBM's Sampler, which carries all qubits of
    the device along, and neither decouples nor takes a deadline: so it has none of the options of a real device.

    Args:
        name: As IBM knows it, such as ``ibm_torino`` or ``fake_torino``.
        resilience_level: IBM's own name for what is done about noise, here `RESILIENCE` and `TWIRLED`. It stands
            instead of ``mitigation`` and ``twirling``.
        mode: As for `IBMDevice`.
        twirling: As for `IBMDevice`.
        dynamical_decoupling: As for `IBMDevice`.
        max_execution_time_s: As for `IBMDevice`.
        account: As for `Connection`; API keys are taken from there or from the environment, and are no option.
        instance: As for `Connection`.
        deadline_s: As for `Connection`.

    Raises:
        Refused: for an unknown name, for an option of real devices on a snapshot, for two options that say what is
            twirled, or without the extra ``ibm``.
        ProviderUnreachable: if IBM's service does not answer.
    """
    title = f"ibm:{name}"
    real = {
        "mode": mode != "job",
        "twirling": twirling is not None,
        "dynamical_decoupling": dynamical_decoupling is not None,
        "max_execution_time_s": max_execution_time_s is not None,
        "account": account is not None,
        "instance": instance is not None,
        "deadline_s": deadline_s != 60.0,
    }
    if name.startswith(PREFIX):
        if given := [option for option, is_given in real.items() if is_given]:
            raise Refused(f"{given[0]} has no effect on the snapshot {title}; it is an option of a real device")
        return Snapshot(snapshot(name), title)
    if resilience_level is not None and twirling is not None:
        raise Refused(
            f"resilience_level={resilience_level} says what is twirled at {title} "
            f"({TWIRLED[resilience_level] or 'nothing'}), and so does twirling; give one of them"
        )
    _import(title)
    connection = Connection(title, account=account, instance=instance, deadline_s=deadline_s)
    return IBMDevice(
        connection.device(name),
        connection,
        name=title,
        mode=mode,
        twirling=twirling if resilience_level is None else TWIRLED[resilience_level],
        dynamical_decoupling=dynamical_decoupling,
        max_execution_time_s=max_execution_time_s,
        is_free=connection.is_free(),
    )


class Snapshot(QiskitHere):
    """A snapshot of a device in this process."""

    def calibration(self) -> Calibration | None:
        """See `Hardware.calibration`: as the snapshot holds it."""
        device: Any = self.target
        return from_properties(self.name, device.properties())


def snapshot(name: str) -> BackendV2:
    """The BackendV2 of a snapshot by its name.

    Raises:
        Refused: for an unknown snapshot, with the nearest right word, or without the extra ``ibm``.
    """
    _import(f"ibm:{name}")
    from qiskit_ibm_runtime import fake_provider
    from qiskit_ibm_runtime.fake_provider.fake_backend import FakeBackendV2

    kinds = {
        kind.backend_name: kind
        for kind in vars(fake_provider).values()
        if isinstance(kind, type) and issubclass(kind, FakeBackendV2) and getattr(kind, "backend_name", None)
    }
    if name not in kinds:
        raise unknown("IBM device snapshot", name, kinds)
    return kinds[name]()


def _import(title: str) -> None:
    try:
        import qiskit_ibm_runtime  # noqa: F401
    except ImportError as err:
        raise NotInstalled(f"'{title}' needs qiskit-ibm-runtime: pip install 'hybrid-codesign[ibm]'") from err


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


def _implied(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The mitigation that a resilience level is."""
    level = options.get("resilience_level")
    if level is None:
        return {}
    here = ["twirling"] if level == 2 and name.startswith(PREFIX) else []
    words = [*RESILIENCE[level], *here]
    if options.get("mitigation") is not None:
        raise Refused(
            "resilience_level and mitigation both say what is done about noise; give one of them "
            f"(resilience_level={level} is mitigation={words!r})"
        )
    return {"mitigation": words}


IBM = of_hardware(
    device, "IBM devices, and snapshots of them with noise and shots", example="fake_manila", implied=_implied
)
