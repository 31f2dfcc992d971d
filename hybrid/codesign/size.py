"""What a workload takes on a device: gates, depth, chance of success, shots, time and money."""

import math
from dataclasses import dataclass

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.devices.crosstalk import disturbing
from backends.devices.device import CHANGED, Device
from backends.devices.hardware import Modelled
from backends.forecast.circuit import size_of
from backends.forecast.prices import price_of
from backends.instructions import flatten
from backends.measurement.groups import measurements
from hybrid.workload.spec import RecordModel

NORMAL = 1.96
"""Standard errors on either side that hold 95 of 100 values of a normal distribution."""


class Size(RecordModel):
    """One energy on a device.

    Attributes:
        two_qubit_gates: After transpilation.
        one_qubit_gates: After transpilation, virtual ones included.
        depth: As Qiskit's ``depth()`` counts it, measurement included.
        circuit_s: Duration of one execution, seconds; None where the device has no durations.
        success: Chance that nothing goes wrong in one execution (ESP), in gates, readout, and while qubits wait.
        leaked: Chance that population leaves the qubits in one execution; 0 where the device has no leakage.
        circuits: That are measured for one energy.
        shots: Of each.
        standard_error: That they are expected to leave, in the unit of the energy.
        energy_s: Device time of one energy, pauses between executions included, seconds.
        energy_usd: Price of one energy, US dollars; None where it is not known.
        energies: Energies of a whole optimization.
    """

    two_qubit_gates: int
    one_qubit_gates: int
    depth: int
    circuit_s: float | None
    success: float | None
    circuits: int
    shots: int
    standard_error: float
    energy_s: float
    energy_usd: float | None
    energies: int
    leaked: float = 0.0

    @property
    def solution_s(self) -> float:
        """Device time of the whole optimization, seconds."""
        return self.energies * self.energy_s

    @property
    def solution_usd(self) -> float | None:
        """Price of the whole optimization, US dollars."""
        return None if self.energy_usd is None else self.energies * self.energy_usd


@dataclass(frozen=True)
class Wanted:
    """How well one energy is measured, and how many are.

    Attributes:
        target: Half width of its 95 % interval, in its unit.
        shots: Of each circuit, in place of those that the target needs.
        energies: Of a whole optimization.
    """

    target: float
    shots: int | None
    energies: int


def size(moved: QuantumCircuit, layout: tuple[int, ...], H: SparsePauliOp, device: Device, wanted: Wanted) -> Size:
    """The size of an energy on a device.

    Args:
        moved: The circuit on the device's qubits and in its gates.
        layout: The device's qubit that holds each of the circuit's qubits at the end.
        H: The observable.
        device: The device.
        wanted: How well it is measured.
    """
    measured, bits = moved.copy(), ClassicalRegister(len(layout), "told")
    measured.add_register(bits)
    measured.measure(list(layout), bits)
    found = size_of(measured, device.target())
    plan = measurements((H,))
    one_shot = plan.standard_error(1)
    shots = wanted.shots or max(1, math.ceil((NORMAL * one_shot / wanted.target) ** 2))
    executions = shots * len(plan.groups)
    price = Modelled(device).price or price_of(device.name.removesuffix(CHANGED))
    seconds = executions * ((found.seconds or 0.0) + device.repetition_delay_s)
    usd = None
    if price is not None:
        qpu_s = price.qpu_s(jobs=1, executions=executions, circuit_s=found.seconds)
        gates = {"one_qubit": found.one_qubit_gates, "two_qubit": found.two_qubit_gates}
        usd = price.usd(circuits=len(plan.groups), shots=shots, qpu_s=qpu_s, **gates)
    beside, left = _undisturbed(moved, device)
    return Size(
        two_qubit_gates=found.two_qubit_gates,
        one_qubit_gates=found.one_qubit_gates,
        depth=found.depth,
        circuit_s=found.seconds,
        success=None if found.fidelity is None else found.fidelity * beside * left,
        circuits=len(plan.groups),
        shots=shots,
        standard_error=one_shot / math.sqrt(shots),
        energy_s=seconds,
        energy_usd=usd,
        energies=wanted.energies,
        leaked=1 - left,
    )


def _undisturbed(moved: QuantumCircuit, device: Device) -> tuple[float, float]:
    """Chances that no gate is disturbed by those beside it, and that no population leaves the qubits."""
    crosstalk, leakage, edge_of = device.per_place("crosstalk"), device.per_place("leakage"), device.edge_numbers()
    if not (np.any(crosstalk) or np.any(leakage)):
        return 1.0, 1.0
    gates = [(on[0], on[1]) for _, on in flatten(moved, lambda gate: gate.name in device.gates) if len(on) == 2]
    places = np.array([edge_of[pair] for pair in gates], dtype=int)
    n_disturbing = np.array(disturbing(gates, device))
    return float(np.prod((1 - crosstalk[places]) ** n_disturbing)), float(np.prod(1 - leakage[places]))
