"""A modelled device as a Qiskit backend."""

from typing import TYPE_CHECKING, Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

if TYPE_CHECKING:
    from backends.devices.device import Device


class ModelledBackend(BackendV2):
    """A device's target, and runs on Aer with its noise, on the qubits in use alone.

    Args:
        device: The device.
    """

    def __init__(self, device: "Device"):
        super().__init__(name=device.name, description=_told(device))
        self.device = device
        self.default_rep_delay = device.repetition_delay_s
        self._target = device.target()

    @property
    def target(self) -> Target:
        """Gates, couplings, errors and durations."""
        return self._target

    @property
    def max_circuits(self) -> None:
        """As many in a job as there are."""
        return

    @classmethod
    def _default_options(cls) -> Options:
        return Options(shots=1024)

    def run(self, run_input: QuantumCircuit | list[QuantumCircuit], **options: Any) -> Any:
        """Run circuits that stand on the device's qubits and in its gates.

        Args:
            run_input: Measured circuits.
            options: Those of Aer's, such as ``shots`` and ``seed_simulator``.

        Returns:
            A job of Aer's.
        """
        from backends.simulators.noise import simulated

        circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        return simulated(self.device.noise, circuits, dict(vars(self.options)) | options)


def _told(device: "Device") -> str:
    called = "" if device.name == "device" else f"{device.name}, "
    return f"modelled device, {called}{device.n_qubits} qubits"
