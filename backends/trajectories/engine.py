"""Quantum trajectories of a device with noise, behind the seam of all backends."""

import time
from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit

from backends import memory
from backends.base import Backend, Capabilities
from backends.batch import Evaluate, Expectations
from backends.checks import ObservableLike, ObservablesLike, as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.devices.device import PARAMETERS, Device
from backends.gradients.shift_rule import n_shifted
from backends.measurement.groups import measurements
from backends.measurement.targets import LEVELS, OptimizationLevel
from backends.seeds import child_seed
from backends.statevector import native
from backends.trajectories.drawn import NoiseSlopes, Trajectories
from backends.trajectories.program import Program, prepared
from circuits.errors import Refused, unknown

MAX_QUBITS = 26
"""In use on the device; each worker's trajectory takes 2 GiB there."""

DEFAULT_TRAJECTORIES = 1024
"""Where neither shots nor a precision is asked for."""


class QuantumTrajectories(Backend):
    """Values of a device with noise as means over pure states whose errors are drawn: for more qubits than density's.

    Each trajectory gives the exact mean of every observable in its state, so that as many trajectories as shots have
    smaller standard errors than these. Depolarizing errors are drawn as Pauli strings, relaxation as phase flips and
    resets; where T2 is above T1, flips count negatively, and the standard errors say what that costs.

    Args:
        device: A `Device`, the name of a snapshot such as "ibm:fake_torino", or the keys of a device's section.
        optimization_level: For the one transpilation of each circuit; 0 runs every gate that was written.

    References:
        J. Dalibard, Y. Castin, K. Mølmer, Phys. Rev. Lett. 68, 580 (1992).
    """

    automatic = False

    def __init__(
        self,
        *,
        device: Annotated[Any, 'a device, such as "ibm:fake_manila", or its numbers'] = None,
        optimization_level: Annotated[OptimizationLevel, LEVELS] = 0,
    ):
        if device is None:
            raise Refused(
                'trajectories draw the errors of a device: give one, as in device="ibm:fake_manila"; without noise '
                "take statevector"
            )
        if not native.available():
            raise Refused(f"trajectories need the C++ kernels: {native.why_not()}")
        self.device = Device.of(device)
        self._level: OptimizationLevel = optimization_level

    def capabilities(self) -> Capabilities:
        """Values with standard errors, with noise; gradients by parameter shift."""
        return Capabilities(
            name="trajectories",
            summary=f"quantum trajectories, with the noise of {self.device.name}",
            max_qubits=min(MAX_QUBITS, self.device.n_qubits),
            exact=False,
            noise=True,
            gradient="parameter-shift",
            default_shots=DEFAULT_TRAJECTORIES,
            steady=True,
        )

    def footprint(self, work: Work) -> Footprint:
        """For each trajectory one pass for each gate on two qubits and for each letter of a term.

        Raises:
            Refused: for a circuit that cannot be brought to the device, or takes too many of its qubits.
        """
        program = self._program(work.circuit, check_memory=False)
        plan = measurements(work.observables)
        count = plan.shots(work.precision, work.shots, DEFAULT_TRAJECTORIES) or DEFAULT_TRAJECTORIES
        letters = sum(int(np.count_nonzero(one.paulis.x | one.paulis.z)) for one in work.observables)
        terms = sum(map(len, work.observables))
        passes = program.sweeps + 0.5 * (program.n_qubits + letters + 2 * terms)
        return Footprint(
            passes=passes * count,
            amplitudes=2.0**program.n_qubits,
            memory_bytes=_bytes(program, count, terms),
            values=1 + n_shifted(work.circuit) if work.derivative else 1,
            standard_error=plan.standard_error(count),
            circuits=1,
            shots=count,
            kind="trajectories",
            steps=float(len(program.events) + terms) * count,
            prepared=float(len(program.events)),
        )

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """Transpile once; see `Backend.prepare`. Shots are trajectories."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        program, plan = self._program(circuit), measurements(observables)

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            count = plan.shots(precision, shots, DEFAULT_TRAJECTORIES) or DEFAULT_TRAJECTORIES
            start = time.perf_counter()
            found = [
                Trajectories(program, self.device, observables, row).values(count, child_seed(seed, k))
                for k, row in enumerate(rows)
            ]
            shape = (len(rows), len(observables))
            values, errors = (np.reshape([one[k] for one in found], shape) for k in (0, 1))
            return Expectations(values, errors, count, {"execute": time.perf_counter() - start})

        return evaluate

    def noise_slopes(
        self,
        circuit: QuantumCircuit,
        observable: ObservableLike,
        parameters: ArrayLike = (),
        *,
        names: Iterable[str] = PARAMETERS,
        shots: int = DEFAULT_TRAJECTORIES,
        seed: int | None = None,
    ) -> NoiseSlopes:
        """The value and its derivatives by the device's noise parameters, unbiased, with standard errors.

        Args:
            circuit: Without measurements.
            observable: On its qubits.
            parameters: One row, radians, in ``circuit.parameters`` order.
            names: By which of `Device.parameters`.
            shots: Trajectories.
            seed: The same seed gives the same bits.

        Raises:
            Refused: where a parameter changes an error that has the probability 0, since it is never drawn.
        """
        check_unitary(circuit)
        check_request(None, shots, seed)
        names = tuple(names)
        for name in names:
            if name not in PARAMETERS:
                raise unknown("noise parameter:", name, PARAMETERS)
        (row,) = as_rows(parameters, circuit)
        observables = as_observables(observable, circuit.num_qubits)
        drawn = Trajectories(self._program(circuit), self.device, observables, row)
        return drawn.slopes(shots, child_seed(seed, 0), names)

    def _program(self, circuit: QuantumCircuit, *, check_memory: bool = True) -> Program:
        if circuit.num_qubits > self.device.n_qubits:
            raise Refused(
                f"the circuit has {circuit.num_qubits} qubits, but {self.device.name} has {self.device.n_qubits}"
            )
        program = prepared(circuit, self.device, self._level)
        if program.n_qubits > MAX_QUBITS:
            raise Refused(
                f"the circuit takes {program.n_qubits} qubits of the device, and the backend 'trajectories' takes "
                f"{MAX_QUBITS}, since each trajectory is a state of all of them"
            )
        if check_memory:
            what = f"{program.n_qubits} qubits on trajectories"
            memory.check(_bytes(program, DEFAULT_TRAJECTORIES, 1), what=what)
        return program


def _bytes(program: Program, count: int, products: int) -> int:
    """Two states of each worker, and what is kept of each trajectory."""
    states = native.default_workers() * 2 * 16 * 2**program.n_qubits
    return states + count * (8 * (2 * products + 2) + len(program.places))
