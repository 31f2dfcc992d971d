"""Noise for Aer: a noise model alone, or a device with its noise, gates and couplings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

from backends.devices.crosstalk import disturbing, kept
from backends.memory import in_bytes
from backends.simulators.cropping import can_crop, cropped, cropped_model, in_use, instructions, of_instructions
from backends.simulators.readout import Readout, readout
from circuits.errors import Refused

if TYPE_CHECKING:
    from backends.devices.device import Device

KEPT = 16
"""Noise models of parts of a device that are kept, for circuits in different places of it."""


@dataclass(frozen=True, eq=False)
class Noise:
    """What `as_noise` makes of a ``noise_model`` option.

    Attributes:
        model: Aer's NoiseModel of some of the qubits, the k-th of them as qubit k; of all, as they are, for None.
        measuring: Aer's NoiseModel of all qubits, or at least its errors of measurement.
        device: The device it belongs to, for whose qubits and gates circuits are transpiled; None for a bare model.
        name: For tables.
        crops: Whether the noise of some qubits can be told; else the model of all of them is used.
        beside: Puts what waiting qubits and gates beside each other suffer into a circuit on some of the qubits; None
            where they suffer nothing.
    """

    model: Callable[[tuple[int, ...] | None], Any]
    measuring: Any
    device: BackendV2 | None
    name: str
    crops: bool
    beside: Callable[[QuantumCircuit, tuple[int, ...]], QuantumCircuit] | None = None

    @property
    def n_qubits(self) -> int | None:
        """Qubits of the device, None for a bare model."""
        return None if self.device is None else self.device.num_qubits

    def check(self, n_qubits: int) -> None:
        """Refuse a circuit that is larger than the device."""
        if self.n_qubits is not None and n_qubits > self.n_qubits:
            raise Refused(
                f"the circuit has {n_qubits} qubits, but {self.name}, whose noise is asked for, has {self.n_qubits} "
                f"(a state of {n_qubits} qubits alone would take {in_bytes(16 * 2**n_qubits)})"
            )

    @cached_property
    def readout(self) -> Readout:
        """The errors of measurement."""
        return readout(self.measuring)

    def applied(self, circuits: Sequence[QuantumCircuit]) -> tuple[Any, list[QuantumCircuit]]:
        """Aer's NoiseModel of the qubits and gates that the circuits have, and the circuits on these qubits alone.

        The same model, not only an equal one, for the same qubits and gates.
        """
        if not self.crops:
            return self.model(None), list(circuits)
        qubits = in_use(circuits)
        small = [cropped(circuit, qubits) for circuit in circuits]
        model = self._part(qubits, instructions(small))
        return model, small if self.beside is None else [self.beside(circuit, qubits) for circuit in small]

    @cached_property
    def _part(self) -> Callable[[tuple[int, ...], Any], Any]:
        return lru_cache(maxsize=KEPT)(lambda qubits, asked: of_instructions(self.model(qubits), asked))


def as_noise(noise: Any) -> Noise:
    """Read the option ``noise``: Aer's NoiseModel, a BackendV2, a modelled device, or the name of a device snapshot.

    Raises:
        Refused: for anything else, and for a model without any noise.
    """
    from qiskit_aer.noise import NoiseModel

    from backends.devices.device import Device

    if isinstance(noise, Mapping):
        noise = Device.of(noise)
    if isinstance(noise, Device):
        if noise.is_perfect:
            raise Refused(f"{noise.name} has no noise in it; leave it out for a noiseless simulation")
        return noise.noise
    if isinstance(noise, NoiseModel):
        _check_noisy(noise, "the noise model")
        return of_model(noise, None, "a given noise model")
    if isinstance(noise, str):
        from backends.providers.ibm import snapshot

        noise = snapshot(noise.removeprefix("ibm:"))
    if not isinstance(noise, BackendV2):
        raise Refused(
            "noise must be a qiskit_aer NoiseModel, a Qiskit BackendV2, a hybrid.Device, or the name of a device "
            f"snapshot such as 'fake_manila', not {noise!r}"
        )
    own = own_noise(noise)
    if own is None:
        model = NoiseModel.from_backend(noise)
        _check_noisy(model, str(noise.name))
        return of_model(model, noise, str(noise.name))
    _check_noisy(own.measuring if own.crops else own.model(None), str(noise.name))
    return own


def of_model(model: Any, device: BackendV2 | None, name: str) -> Noise:
    """Noise of a model that is there already.

    Args:
        model: Aer's NoiseModel.
        device: That it belongs to, if any.
        name: For tables.
    """

    @lru_cache(maxsize=KEPT)
    def part(qubits: tuple[int, ...] | None) -> Any:
        return model if qubits is None else cropped_model(model, qubits)

    return Noise(part, model, device, name, can_crop(model))


def noise_of_device(device: "Device") -> Noise:
    """The noise of a modelled device, of any of its qubits alone; as Aer reads its target, but for measurements.

    Aer takes one readout error for both bits, a device has one for each.

    Args:
        device: The device.
    """
    from qiskit_aer.noise import NoiseModel
    from qiskit_aer.noise.device import basic_device_gate_errors

    error, bias = device.per_place("readout_error"), device.per_place("readout_bias")

    @lru_cache(maxsize=KEPT)
    def model(qubits: tuple[int, ...] | None) -> Any:
        kept = tuple(range(device.n_qubits)) if qubits is None else qubits
        found = NoiseModel(basis_gates=[*device.gates, "delay", "reset"])
        target = device.target(kept)
        for name, on, channel in basic_device_gate_errors(target=target):
            if name in device.gates:
                found.add_quantum_error(channel, name, on, warnings=False)
        for k, q in enumerate(kept):
            one, zero = error[q] * (1 - bias[q]), error[q] * (1 + bias[q])
            if one or zero:
                found.add_readout_error([[1 - one, one], [zero, 1 - zero]], [k])
        return found

    beside = partial(with_beside, device) if device.has_beside else None
    measuring = NoiseModel()
    for q in range(device.n_qubits):
        one, zero = error[q] * (1 - bias[q]), error[q] * (1 + bias[q])
        if one or zero:
            measuring.add_readout_error([[1 - one, one], [zero, 1 - zero]], [q])
    return Noise(model, measuring, device.fake(), device.name, crops=True, beside=beside)


def with_beside(device: "Device", circuit: QuantumCircuit, qubits: tuple[int, ...]) -> QuantumCircuit:
    """A circuit with the relaxation of qubits that wait, crosstalk and leakage, as instructions of Aer's.

    Args:
        device: Whose durations and times count.
        circuit: On some of its qubits, in its gates.
        qubits: Which of the device's they are.

    Raises:
        Refused: for a circuit that branches or loops, whose gates have no time of their own.
    """
    from qiskit.circuit import ControlFlowOp
    from qiskit_aer.noise import depolarizing_error, thermal_relaxation_error

    one, two, t1, t2 = (device.per_place(name) for name in ("one_qubit_s", "two_qubit_s", "t1", "t2"))
    edge_of = device.edge_numbers()
    crosstalk, leakage = device.per_place("crosstalk"), device.per_place("leakage")
    free = dict.fromkeys(circuit.qubits, 0.0)
    name_of = {bit: qubits[k] for k, bit in enumerate(circuit.qubits)}
    on_two = [one_of.qubits for one_of in circuit.data if one_of.operation.name == device.two_qubit_gate]
    disturbed = iter(disturbing([(name_of[a], name_of[b]) for a, b in on_two], device))
    made = circuit.copy_empty_like()
    append: Any = made._append  # without the checks, which the circuit has passed
    for one_of in circuit.data:
        operation, on = one_of.operation, one_of.qubits
        if isinstance(operation, ControlFlowOp):
            raise Refused(
                f"{device.name} has {'idle = true' if device.idle else 'crosstalk or leakage'}, and the circuit "
                f"branches or loops ('{operation.name}'): when its gates begin is not known before it runs; leave "
                "idle, crosstalk and leakage out"
            )
        if operation.name == device.two_qubit_gate:
            begin = max(free[q] for q in on)
            for q in on:
                place, waited = name_of[q], begin - free[q]
                if device.idle and waited > 0 and np.isfinite(min(t1[place], t2[place])):
                    made.append(thermal_relaxation_error(t1[place], t2[place], waited).to_instruction(), [q])
            edge = edge_of[name_of[on[0]], name_of[on[1]]]
            left = float(kept(crosstalk[edge], leakage[edge], next(disturbed)))
            if left < 1:  # depolarizing noise on both qubits may stand before or behind the gate
                made.append(depolarizing_error(1 - left, 2).to_instruction(), on)
            for q in on:
                free[q] = begin + float(two[edge])
        elif operation.name in device.gates and operation.name not in device.virtual:
            free[on[0]] += float(one[name_of[on[0]]])
        append(one_of)
    return made


def simulated(noise: Noise, circuits: Sequence[QuantumCircuit], options: Mapping[str, Any]) -> Any:
    """A job of Aer's that runs circuits with noise, on the qubits in use alone.

    Args:
        noise: Of a device.
        circuits: On its qubits.
        options: As Aer's simulator takes them.
    """
    from qiskit_aer import AerSimulator

    model, small = noise.applied(circuits)
    return AerSimulator(noise_model=model).run(small, **options)


def own_noise(device: BackendV2) -> Noise | None:
    """The noise that a simulator or fake in this process puts on what it runs, as its own runs apply it.

    Aer's reading of a target differs: it takes one readout error for both outcomes, a fake of IBM's one for each.

    Args:
        device: Of any vendor.

    Returns:
        None where there is no noise, or none that Aer has a model of.
    """
    model = getattr(getattr(device, "options", None), "noise_model", None)
    if model is None and is_fake(device):
        from backends.providers.ibm import noise_of

        if hasattr(device, "_get_noise_model_from_backend_v2"):
            return noise_of(device)
        # A fake makes its noise model at its first run. That has to end: two threads that read one model, as Aer's own
        # and this one, may wait for each other inside Qiskit.
        first: Any = device.run(QuantumCircuit(1), shots=1)
        first.result()
        model = getattr(device.options, "noise_model", None)
    if model is None or model.is_ideal():
        return None
    return of_model(model, device, str(device.name))


def is_fake(device: Any) -> bool:
    """Whether a device is a fake of Qiskit's or IBM's, which makes its noise model at its first run."""
    return any("fake_provider" in kind.__module__ for kind in type(device).__mro__)


def _check_noisy(model: Any, name: str) -> None:
    if model.is_ideal():
        raise Refused(f"{name} has no noise in it; leave it out for a noiseless simulation")
