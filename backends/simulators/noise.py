"""Noise for Aer: a noise model alone, or a device with its noise, gates and couplings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2

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
                f"(a state of {n_qubits} qubits alone would take {16 * 2**n_qubits} bytes)"
            )

    def confusion(self, layout: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
        """What readout errors do to exact probabilities of bit strings.

        Args:
            layout: Physical qubit that is read into each bit.

        Returns:
            A function on arrays of shape (2^n,).

        Raises:
            Refused: for errors of measurement other than independent flips of each bit.
        """
        default, local = None, {}
        for error in self.model.to_dict()["errors"]:
            if "measure" not in error["operations"]:
                continue
            qubits = error.get("gate_qubits")
            if error["type"] != "roerror" or (qubits and any(len(group) != 1 for group in qubits)):
                raise Refused(
                    "the noise model has a measurement error that is not an independent flip of each bit; exact noisy "
                    "values do not cover it: give shots, or use method='statevector'"
                )
            matrix = np.asarray(error["probabilities"])
            if not qubits:
                default = matrix
            for group in qubits or ():
                local[group[0]] = matrix

        def apply(p):
            p = p.reshape((2,) * len(layout))
            for bit, physical in enumerate(layout):
                matrix = local.get(physical, default)
                if matrix is not None:
                    axis = len(layout) - 1 - bit
                    p = np.moveaxis(np.tensordot(matrix.T, p, axes=(1, axis)), 0, axis)
            return p.reshape(-1)

        return apply


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


def _model_of(device: BackendV2):
    """A fake's own reading of its snapshot, as its runs apply it; Aer's reading of the target for any other device.

    The two differ: Aer's takes one readout error for both outcomes, a fake of IBM's takes one for each.
    """
    from qiskit_aer.noise import NoiseModel

    from backends.providers.qiskit import is_local

    if is_local(device):
        device.run(QuantumCircuit(1), shots=1)  # a fake makes its noise model at its first run
        model = getattr(device.options, "noise_model", None)
        if model is not None:
            return model
    return NoiseModel.from_backend(device)


def _check_noisy(model, name: str) -> None:
    if model.is_ideal():
        raise Refused(f"{name} has no noise in it; leave it out for a noiseless simulation")
