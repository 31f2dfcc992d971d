"""A modelled device as a backend: counts on this machine, with its noise, gates and couplings."""

from dataclasses import fields
from datetime import date
from typing import Annotated, Any

from backends.devices.device import Device
from backends.devices.topology import Topology
from backends.forecast.prices import Price
from backends.providers.calibration import Calibration
from backends.providers.device import Device as Measuring
from backends.providers.device import with_device_options
from backends.providers.qiskit import QiskitHere
from backends.simulators.noise import Noise

Some = float | list[float]

PLACES = "a number, or a list of them, one for each qubit"
EDGES = "a number, or a list of them, one for each edge"


class OwnPrice(Price):
    """A price that the device itself names."""

    @property
    def words(self) -> str:
        """Where the price comes from."""
        return "price as the device names it"


class Modelled(QiskitHere):
    """A modelled device in this process.

    Args:
        device: The device.
    """

    def __init__(self, device: Device):
        super().__init__(device.fake(), "device")
        self.device = device
        self.noisy = not device.is_perfect
        self.beside = device.has_beside
        self.price = _price(device)

    def calibration(self) -> Calibration | None:
        """See `Hardware.calibration`: a model has no date, so it has none."""
        return None

    def _noise(self) -> Noise | None:
        return self.device.noise


def _price(device: Device) -> Price | None:
    """What the device says of its price; None where it says nothing."""
    told = {name: getattr(device, name) for name in ("usd_per_shot", "usd_per_task", "usd_per_qpu_s")}
    if all(value is None for value in told.values()):
        return None
    return OwnPrice(
        devices=[device.name],
        date=date.today(),
        source="the device",
        job_s=0.0,
        rep_delay_s=device.repetition_delay_s,
        **told,
    )


class ModelledDevice(Measuring):
    """Values and samples from counts on a modelled device, whose numbers are the options; see `Device`."""

    automatic = False

    @with_device_options
    def __init__(
        self,
        *,
        of: Annotated[Any, 'a device to change, such as "ibm:fake_torino"'] = None,
        n_qubits: Annotated[int | None, "the number of qubits, from 1"] = None,
        topology: Annotated[Topology | None, '"line", "ring", "grid", "heavy-hex" or "all-to-all"'] = None,
        edges: Annotated[Any, "a topology's name, or a list of pairs of qubits"] = None,
        one_qubit_error: Annotated[Some | None, PLACES] = None,
        two_qubit_error: Annotated[Some | None, EDGES] = None,
        readout_error: Annotated[Some | None, PLACES] = None,
        readout_bias: Annotated[Some | None, PLACES] = None,
        t1: Annotated[Some | None, PLACES] = None,
        t2: Annotated[Some | None, PLACES] = None,
        one_qubit_s: Annotated[Some | None, PLACES] = None,
        two_qubit_s: Annotated[Some | None, EDGES] = None,
        readout_s: Annotated[Some | None, PLACES] = None,
        gates: Annotated[list[str] | None, "a list of Qiskit's names of gates, one of them on two qubits"] = None,
        virtual: Annotated[list[str] | None, "a list of gates without duration and error"] = None,
        crosstalk: Annotated[Some | None, EDGES] = None,
        leakage: Annotated[Some | None, EDGES] = None,
        idle: Annotated[bool | None, "true or false: whether qubits relax while they wait"] = None,
        directed: Annotated[bool | None, "true or false: whether gates run one way along an edge"] = None,
        repetition_delay_s: Annotated[float | None, "a number of seconds, from 0"] = None,
        usd_per_shot: Annotated[float | None, "a number of US dollars, from 0"] = None,
        usd_per_task: Annotated[float | None, "a number of US dollars, from 0"] = None,
        usd_per_qpu_s: Annotated[float | None, "a number of US dollars, from 0"] = None,
        name: Annotated[str | None, "how it shall appear in tables and records"] = None,
        **options: Any,
    ):
        given = locals()
        names = ("of", "topology", *(field.name for field in fields(Device)))
        made = Device.of({key: given[key] for key in names if given[key] is not None})
        super().__init__(Modelled(made), **options)
