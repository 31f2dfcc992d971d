"""What a piece of work amounts to, and what it would take at a known speed.

One row of parameters costs  t = call + steps * step + passes * amplitudes * a,  where a pass is one sweep over the
state (a gate, or a group of terms of the observable), a step is what is gone through one by one whatever the size of
the state, and a is the time of an amplitude: one in the cache, another beyond it. Each backend counts its own.
"""

import math
from dataclasses import dataclass
from typing import Protocol

from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.forecast.forecast import Forecast
from backends.gpu import OnCard
from backends.libraries import NONE, loaded_bytes, missing_bytes


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
        memory_bytes: Peak memory of this machine, beyond a process that has loaded the toolkit and the library.
        values: Values computed for each row: 1, or 1 and all the shifted ones for a parameter-shift gradient.
        standard_error: Statistical error of one value, 0 where values are exact.
        money_usd: What a provider would charge.
        on_card: Memory of a graphics card that it takes beside it; None for work on the processor.
        circuits: Measured circuits for one value, with those that mitigation adds; 0 where nothing is measured.
        shots: Of all these circuits together.
        kind: The way in which the backend does it, such as its method; each way has a speed of its own. Empty for a
            backend with one way.
        steps: What each row goes through one by one, whatever the size of the state; None: as many as passes.
        prepared: The same for what is made ready once; None: as many as steps.
        library: Whose loading takes memory beside it; see `backends.libraries`.
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
    kind: str = ""
    steps: float | None = None
    prepared: float | None = None
    library: str = NONE

    @property
    def total_bytes(self) -> int:
        """Memory of the work and of its library."""
        return self.memory_bytes + loaded_bytes(self.library)

    @property
    def n_steps(self) -> float:
        """What each row goes through one by one."""
        return self.passes if self.steps is None else self.steps

    @property
    def n_prepared(self) -> float:
        """What is made ready once."""
        return self.n_steps if self.prepared is None else self.prepared


@dataclass(frozen=True)
class Cost:
    """What a piece of work is predicted to take.

    Attributes:
        seconds: Wall time, compilation included; NaN while the backend's speed is not measured on this machine.
        compile_s: The part of it that is spent once, before the first value: importing, compiling.
        memory_bytes: Peak resident memory beyond that of a process that has imported the toolkit and run nothing: of
            the work and of loading its library, which stays in memory. It is an upper end: where a library takes now
            more and now less, the most that was seen.
        money_usd: What a provider would charge; None where its price is not known.
        standard_error: Statistical error of one value, in the observable's unit; 0 where values are exact.
        on_card: Memory of a graphics card that it takes beside it; None for work on the processor.
        hardware: What it would take on the device, or on the one that a snapshot was taken of; None for a simulator of
            no device, and before a plan has asked for it.
        circuits: Measured circuits for one value, with those that mitigation adds; 0 where nothing is measured.
        shots: Of all these circuits together.
        spread: In nine of ten cases the true time is at most so many times longer or shorter than `seconds`.
        speed: Name of the speed that was taken, for `backends.speed.correct`; empty where none was.
        values: Values computed for each row, as in `Footprint`; 0 where that is not known.
        amplitudes: Numbers that a sweep touches, as in `Footprint`; 0 where that is not known.
        library: Whose loading is part of the memory; see `backends.libraries`.
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
    spread: float = 1.0
    speed: str = ""
    values: int = 0
    amplitudes: float = 0.0
    library: str = NONE

    @property
    def missing_bytes(self) -> int:
        """The part of its memory that this process has not taken yet, as it has where the library is loaded."""
        return self.memory_bytes - loaded_bytes(self.library) + missing_bytes(self.library)

    @property
    def seconds_low(self) -> float:
        """What it takes at least, in nine of ten cases; 0 where nothing is known."""
        return 0.0 if math.isnan(self.seconds) else self.seconds / self.spread

    @property
    def seconds_high(self) -> float:
        """What it takes at most, in nine of ten cases; infinite where nothing is known."""
        return math.inf if math.isnan(self.seconds) else self.seconds * self.spread


CACHED, BEYOND = 2.0**16, 2.0**18
"""Amplitudes up to which a state is in a core's cache, and from which on it is not."""


@dataclass(frozen=True)
class Speed:
    """Times of one backend on one machine, in seconds.

    Attributes:
        call: For each row of parameters, whatever its circuit.
        step: For each step, whatever the size of the state.
        amplitude: For each pass and amplitude, in the cache.
        first: Beyond all that, once for each new circuit (compilation).
        first_step: The same for each step.
        load: Once for each process, to import the backend's library.
        far: For each pass and amplitude of a state beyond the cache; None: as in the cache.
        spread: In nine of ten cases the true time is at most so many times longer or shorter than what this predicts.
    """

    call: float
    step: float
    amplitude: float
    first: float
    first_step: float
    load: float
    far: float | None = None
    spread: float = 2.0

    def row_s(self, footprint: Footprint) -> float:
        """Predicted seconds for one row."""
        work = footprint.passes * footprint.amplitudes
        return self.call + footprint.n_steps * self.step + work * self._amplitude_s(footprint.amplitudes)

    def compile_s(self, footprint: Footprint) -> float:
        """Predicted seconds before the first row, in a fresh process."""
        return self.load + self.first + footprint.n_prepared * self.first_step

    def times(self, *, overhead: float, cached: float, beyond: float) -> "Speed":
        """On a machine that takes so many times longer.

        Args:
            overhead: For what does not depend on the size of the state.
            cached: For numbers in the cache.
            beyond: For numbers in memory.
        """
        return Speed(
            call=self.call * overhead,
            step=self.step * overhead,
            amplitude=self.amplitude * cached,
            first=self.first * overhead,
            first_step=self.first_step * overhead,
            load=self.load * overhead,
            far=None if self.far is None else self.far * beyond,
            spread=self.spread,
        )

    def _amplitude_s(self, amplitudes: float) -> float:
        """Of a state of so many amplitudes; between the cache and beyond, the share of the way in powers of two."""
        if self.far is None or amplitudes <= CACHED:
            return self.amplitude
        share = min(math.log(amplitudes / CACHED) / math.log(BEYOND / CACHED), 1.0)
        return self.amplitude ** (1 - share) * self.far**share if self.amplitude else share * self.far


def cost(work: Work, footprint: Footprint, speed: Speed | None, *, name: str = "") -> Cost:
    """What a fresh process would take for the work; seconds are NaN where the speed is not known.

    Args:
        work: What is to be done.
        footprint: What it amounts to.
        speed: Of the backend here, if it is known.
        name: Of that speed.
    """
    compile_s = math.nan if speed is None else speed.compile_s(footprint)
    row_s = math.nan if speed is None else speed.row_s(footprint)
    rows = work.n_evaluations * work.n_rows * footprint.values + (work.n_final if footprint.standard_error else 0)
    return Cost(
        seconds=compile_s + rows * row_s,
        compile_s=compile_s,
        memory_bytes=footprint.total_bytes,
        money_usd=footprint.money_usd,
        standard_error=footprint.standard_error,
        on_card=footprint.on_card,
        circuits=footprint.circuits,
        shots=footprint.shots,
        spread=math.inf if speed is None else speed.spread,
        speed=name,
        values=footprint.values,
        amplitudes=footprint.amplitudes,
        library=footprint.library,
    )
