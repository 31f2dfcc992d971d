"""Noise for Aer: a noise model alone, or a device with its noise, gates and couplings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

from backends.memory import in_bytes
from backends.simulators.readout import Readout, readout
from circuits.errors import Refused


@dataclass(frozen=True, eq=False)
class Noise:
    """What `as_noise` makes of a ``noise_model`` option.

    Attributes:
        model: Aer's NoiseModel.
        device: The device it belongs to, for whose qubits and gates circuits are transpiled; None for a bare model.
        name: For tables.
    """

    model: Any
    device: BackendV2 | None
    name: str

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
        return readout(self.model)


def as_noise(noise: Any) -> Noise:
    """Read the option ``noise``: Aer's NoiseModel, a BackendV2, or the name of a device snapshot.

    Raises:
        Refused: for anything else, and for a model without any noise.
    """
    from qiskit_aer.noise import NoiseModel

    if isinstance(noise, NoiseModel):
        _check_noisy(noise, "the noise model")
        return Noise(noise, None, "a given noise model")
    if isinstance(noise, str):
        from backends.providers.ibm import snapshot

        noise = snapshot(noise.removeprefix("ibm:"))
    if not isinstance(noise, BackendV2):
        raise Refused(
            "noise must be a qiskit_aer NoiseModel, a Qiskit BackendV2, or the name of a device snapshot such as "
            f"'fake_manila', not {noise!r}"
        )
    model = _model_of(noise)
    _check_noisy(model, str(noise.name))
    return Noise(model, noise, str(noise.name))


def _model_of(device: BackendV2) -> Any:
    """A fake's own reading of its snapshot, as its runs apply it; Aer's reading of the target for any other device.

    The two differ: Aer's takes one readout error for both outcomes, a fake of IBM's takes one for each.
    """
    from qiskit_aer.noise import NoiseModel

    from backends.providers.qiskit import is_local

    if is_local(device):
        # A fake makes its noise model at its first run. That has to end: two threads that read one model, as Aer's own
        # and this one, may wait for each other inside Qiskit.
        first: Any = device.run(QuantumCircuit(1), shots=1)
        first.result()
        model = getattr(device.options, "noise_model", None)
        if model is not None:
            return model
    return NoiseModel.from_backend(device)


def _check_noisy(model: Any, name: str) -> None:
    if model.is_ideal():
        raise Refused(f"{name} has no noise in it; leave it out for a noiseless simulation")
