"""What a piece of work amounts to, and what it would take at a measured speed.

One row of parameters costs  t = call + passes (step + amplitudes * amplitude),  where a pass is one sweep over the
state: a gate, or a group of terms of the observable. Each backend counts its own.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.forecast.forecast import Forecast
from backends.gpu import OnCard


class Work(Protocol):
    """What must be known of a piece of work to count it; a `Batch` and a workload of the loop are such work."""

    @property
    def circuit(self) -> QuantumCircuit:
        """With or without free parameters."""
        ...

    @property
    def observables(self) -> tuple[SparsePauliOp, ...]:
        """On the circuit's qubits."""
        ...

    @property
    def n_rows(self) -> int:
        """Parameter rows in one evaluation."""
        ...

    @property
    def n_evaluations(self) -> int:
        """How often the rows are evaluated."""
        ...

    @property
    def n_final(self) -> int:
        """Rows whose values alone are asked for in the end, beside these, where values have statistical errors."""
        ...

    @property
    def derivative(self) -> bool:
        """Whether each evaluation asks for the gradient, too."""
        ...

    @property
    def precision(self) -> float | None:
        """Wanted standard error of each value, in the observables' unit."""
        ...

    @property
    def shots(self) -> int | None:
        """Shots for each measured circuit."""
        ...


@dataclass(frozen=True)
class Footprint:
    """What a piece of work amounts to, whatever the speed of the machine.

    Attributes:
        passes: Sweeps over the state for one value: gates, as this backend counts them, and terms of the observables.
        amplitudes: Numbers in the state: 2^n, or 4^n for a density matrix.
        memory_bytes: Peak memory of this machine.
        values: Values computed for each row: 1, or 1 and all the shifted ones for a parameter-shift gradient.
        standard_error: Statistical error of one value, 0 where values are exact.
        money_usd: What a provider would charge.
        on_card: Memory of a graphics card that it takes beside it; None for work on the processor.
        circuits: Measured circuits for one value, with those that mitigation adds; 0 where nothing is measured.
        shots: Of all these circuits together.
    """

    passes: float
    amplitudes: float
    memory_bytes: int
    values: int = 1
    standard_error: float = 0.0
    money_usd: float = 0.0
    on_card: OnCard | None = None
    circuits: int = 0
    shots: int = 0


@dataclass(frozen=True)
class Cost:
    """What a piece of work is predicted to take.

    Attributes:
        seconds: Wall time, compilation included; NaN while the backend's speed is not measured on this machine.
        compile_s: The part of it that is spent once, before the first value: importing, compiling.
        memory_bytes: Peak memory beyond the interpreter's own.
        money_usd: What a provider would charge; None where its price is not known.
        standard_error: Statistical error of one value, in the observable's unit; 0 where values are exact.
        on_card: Memory of a graphics card that it takes beside it; None for work on the processor.
        hardware: What it would take on the device, or on the one that a snapshot was taken of; None for a simulator of
            no device, and before a plan has asked for it.
        circuits: Measured circuits for one value, with those that mitigation adds; 0 where nothing is measured.
        shots: Of all these circuits together.
    """

    seconds: float
    compile_s: float
    memory_bytes: int
    money_usd: float | None = 0.0
    standard_error: float = 0.0
    on_card: OnCard | None = None
    hardware: Forecast | None = None
    circuits: int = 0
    shots: int = 0


@dataclass(frozen=True)
class Speed:
    """Measured times of one backend on one machine, in seconds.

    Attributes:
        call: For each row of parameters, whatever its circuit.
        step: For each pass, whatever the size of the state.
        amplitude: For each pass and amplitude.
        first: Beyond all that, once for each new circuit (compilation).
        first_step: The same for each pass.
        load: Once for each process, to import the backend's library.
    """

    call: float
    step: float
    amplitude: float
    first: float
    first_step: float
    load: float

    def row_s(self, passes: float, amplitudes: float) -> float:
        """Predicted seconds for one row."""
        return self.call + passes * (self.step + amplitudes * self.amplitude)

    def compile_s(self, passes: float) -> float:
        """Predicted seconds before the first row, in a fresh process."""
        return self.load + self.first + passes * self.first_step


def cost(work: Work, footprint: Footprint, speed: Speed | None) -> Cost:
    """What a fresh process would take for the work; seconds are NaN where the speed is not known."""
    compile_s = math.nan if speed is None else speed.compile_s(footprint.passes)
    row_s = math.nan if speed is None else speed.row_s(footprint.passes, footprint.amplitudes)
    rows = work.n_evaluations * work.n_rows * footprint.values + (work.n_final if footprint.standard_error else 0)
    return Cost(
        seconds=compile_s + rows * row_s,
        compile_s=compile_s,
        memory_bytes=footprint.memory_bytes,
        money_usd=footprint.money_usd,
        standard_error=footprint.standard_error,
        on_card=footprint.on_card,
        circuits=footprint.circuits,
        shots=footprint.shots,
    )
