"""The value of a workload on a device as a function of the device's numbers: exact, by trajectories, or by a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.devices.device import Device
from backends.measurement.targets import OptimizationLevel
from circuits.errors import Refused, unknown

Method = Literal["auto", "density", "trajectories", "model"]

DENSITY_QUBITS = 10
"""Largest circuit whose density matrix is differentiated unasked."""

TRAJECTORY_QUBITS = 20
"""Largest circuit whose trajectories are drawn."""

Noise = Mapping[str, Any]
"""All of a device's noise parameters, each a number or one for each place; see `Device.values`."""


@dataclass(frozen=True, eq=False)
class Engine:
    """What a circuit at given angles gives on a device.

    Attributes:
        method: "density" or "model".
        value: From all noise parameters to the value, in the observable's unit.
        gradient: From the same to the derivatives by each of them, in the unit per SI unit, of the same shapes.
    """

    method: str
    value: Callable[[Noise], float]
    gradient: Callable[[Noise], dict[str, np.ndarray]]


def chosen(method: Method, n_qubits: int) -> str:
    """The method that "auto" means.

    Args:
        method: That is asked for.
        n_qubits: Of the circuit.

    Raises:
        Refused: for an unknown method, or one that the circuit is too large for.
    """
    if method not in get_args(Method):
        raise unknown("method:", method, get_args(Method))
    if method == "auto":
        return "density" if n_qubits <= DENSITY_QUBITS else "model"
    if method == "trajectories" and n_qubits > TRAJECTORY_QUBITS:
        raise Refused(
            f"method = trajectories: the circuit has {n_qubits} qubits, and trajectories keep 2^n amplitudes; up to "
            f'{TRAJECTORY_QUBITS} qubits can be drawn, beyond them method = "model" answers'
        )
    return method


class Density:
    """Values and derivatives from density matrices; compiled once for a circuit on a device.

    Args:
        circuit: With or without parameters.
        H: The observable.
        device: The device.
        level: Of the transpilation.

    Raises:
        Refused: as `backends.noisy_value`.
    """

    def __init__(self, circuit: QuantumCircuit, H: SparsePauliOp, device: Device, level: OptimizationLevel):
        import jax

        import backends

        with jax.enable_x64(True):
            f = backends.noisy_value(circuit, H, device, optimization_level=level)
            self._value = jax.jit(f)
            self._by_angles = jax.jit(jax.value_and_grad(f, argnums=0))
            self._by_noise = jax.jit(jax.grad(f, argnums=1))

    def value(self, theta: np.ndarray, noise: Noise) -> float:
        """The value at some angles, shape (params,), under some noise."""
        import jax

        with jax.enable_x64(True):
            return float(self._value(np.asarray(theta, float), _arrays(noise)))

    def by_angles(self, theta: np.ndarray, noise: Noise) -> tuple[float, np.ndarray]:
        """The value and its derivatives by the angles, shape (params,)."""
        import jax

        with jax.enable_x64(True):
            value, slope = self._by_angles(np.asarray(theta, float), _arrays(noise))
        return float(value), np.asarray(slope)

    def by_noise(self, theta: np.ndarray, noise: Noise) -> dict[str, np.ndarray]:
        """The derivatives by all noise parameters, each of the shape that it has in `noise`."""
        import jax

        with jax.enable_x64(True):
            found = self._by_noise(np.asarray(theta, float), _arrays(noise))
        return {name: np.asarray(slope) for name, slope in found.items()}

    def at(self, theta: np.ndarray) -> Engine:
        """The engine at fixed angles."""
        return Engine("density", lambda n: self.value(theta, n), lambda n: self.by_noise(theta, n))


def trajectories(
    circuit: QuantumCircuit,
    H: SparsePauliOp,
    device: Device,
    theta: np.ndarray,
    *,
    level: OptimizationLevel,
    shots: int,
    seed: int,
    mitigation: Any = None,
) -> tuple[float, float, float]:
    """The value from shots on the simulated device: Aer's density matrices up to 10 qubits, its trajectories beyond.

    On a perfect device, shots are drawn without noise, and there is nothing to mitigate.

    Args:
        circuit: With or without parameters.
        H: The observable.
        device: The device.
        theta: Angles, shape (params,), radians.
        level: Of the transpilation.
        shots: Of each measured circuit.
        seed: Of the draws.
        mitigation: What is done about the noise, as `backends.get` takes it; None for nothing.

    Returns:
        The value, its standard error, and the estimate of its remaining bias.
    """
    import backends

    options = {} if mitigation is None else {"mitigation": mitigation}
    noisy = {} if device.is_perfect else {"noise": device, **options}
    aer = backends.get("aer", optimization_level=level, **noisy)
    told = aer.prepare(circuit, H)(np.asarray(theta, float)[None], shots=shots, seed=seed)
    bias = np.abs(np.asarray(getattr(told, "bias", 0.0), float)).max(initial=0.0)
    return float(told.values[0, 0]), float(told.standard_errors[0, 0]), float(bias)


def _arrays(noise: Noise) -> dict[str, np.ndarray]:
    return {name: np.asarray(value, float) for name, value in noise.items()}
