"""A circuit made ready for the native kernels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from operator import is_
from typing import ClassVar

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector import native
from backends.statevector.native.rotations import Absorb, Rotations, gates, rotations
from backends.statevector.representation import Program

LEAST_QUBITS = 8
"""Smaller states are padded to as many, at most, so that they fill vectors and registers."""

PASS = 8
"""Rotations on a tile that take as long as reading and writing it."""

BACK = 2.5
"""Time of a way back, which undoes rotations on two states and takes their overlaps, in ways there."""

NATIVE_PASS = 0.3
"""Time of a pass of the native kernels, in passes of XLA's."""


@dataclass(frozen=True, eq=False)
class NativeProgram(Program):
    """A circuit on its whole state, in native code."""

    in_xla: ClassVar[bool] = False

    _plans: list = field(default_factory=list, init=False, repr=False)

    def terms(self, observable: SparsePauliOp) -> SparsePauliOp:
        """See `Program.terms`."""
        return observable

    def memory_bytes(self, *, n_observables: int, derivative: bool) -> int:
        """Of the states that are held at once: psi, lambda, and a copy of psi for further observables."""
        held = 1 if not derivative else 2 if n_observables <= 1 else 3
        result = n_observables == 0
        return (held + result) * 2 * self.real.itemsize * 2 ** max(self.factors.n_qubits, LEAST_QUBITS)

    def undone_passes(self, observables: tuple[SparsePauliOp, ...]) -> float:
        """Time of a value with its gradient, in passes over the state."""
        return _cost(*self.kernel(observables, undone=True).counts(True)) / PASS

    def passes(self, observables: tuple[SparsePauliOp, ...], *, derivative: bool) -> float:
        """Passes over the state for one row: there, for the observables and, with a derivative, back on two states."""
        kernel = self.kernel(observables, undone=derivative)
        there, observed = _cost(*kernel.counts(False)), _cost(*kernel.observed())
        return (there + observed + (BACK * _cost(*kernel.counts(True)) if derivative else 0.0)) / PASS

    def work(self, observables: tuple[SparsePauliOp, ...]) -> dict[str, float]:
        """Operations and bytes of states of one value with its gradient, as `roofline` counts them.

        Returns:
            ``flops`` and ``bytes``.
        """
        return work(self.kernel(observables, undone=True), self.factors.n_qubits, self.real)

    def energies(self, terms: tuple[SparsePauliOp, ...]) -> Callable[[np.ndarray], np.ndarray]:
        """See `Program.energies`."""
        kernel = self.kernel(terms, undone=False)
        return lambda rows: kernel.energies(self.angles.values(rows))

    def energies_and_slopes(self, terms: tuple[SparsePauliOp, ...]) -> Callable[[np.ndarray], tuple]:
        """See `Program.energies_and_slopes`."""
        kernel = self.kernel(terms, undone=True)
        return lambda rows: kernel.energies_and_slopes(self.angles.values(rows))

    def state(self, row: np.ndarray) -> np.ndarray:
        """See `Program.state`."""
        return self._stateful.state(self.angles.values(row[None])[0])

    @cached_property
    def _stateful(self):
        return self._planned(rotations(gates(self.factors), self.factors.n_qubits, Absorb.NONE), ())

    def kernel(self, terms: tuple[SparsePauliOp, ...], *, undone: bool):
        """The cheapest kernel; plans of the terms that were asked for last are kept.

        Args:
            terms: Observables.
            undone: Whether for derivatives, too.
        """
        same = self._plans and len(self._plans[0]) == len(terms) and all(map(is_, self._plans[0], terms))
        if not same:
            self._plans[:] = terms, [self._planned(way, terms) for way in self._ways]
        return min(self._plans[1], key=lambda kernel: _cost(*kernel.counts(undone)))

    @cached_property
    def _ways(self) -> list[Rotations]:
        found = list(gates(self.factors))
        ways = [rotations(found, self.factors.n_qubits, absorb) for absorb in (Absorb.PERMUTATIONS, Absorb.ALL)]
        return ways if len(ways[0].x) > len(ways[1].x) else ways[:1]

    def _planned(self, chosen: Rotations, terms: tuple[SparsePauliOp, ...]):
        kind = native.ProgramDouble if self.real == np.float64 else native.ProgramSingle
        observables = [native.Observable(*chosen.observed(one)) for one in terms]
        return kind(chosen.n_qubits, chosen.x, chosen.z, chosen.angle, chosen.weight, self.angles.n_angles, observables)


def work(kernel: "native.ProgramDouble | native.ProgramSingle", n_qubits: int, real: np.dtype) -> dict[str, float]:
    """Operations of a program's rotations there and back and of its observables, and bytes of its states.

    A rotation takes four operations an amplitude forward, and eight to undo it on two states with four for its
    overlap; a string of an observable four, and each pass of these four for the value. A diagonal layer takes six for
    its phase and six for the product with each state, and five for the sums of a gradient; its sines are left out, as
    tables mostly hold them. A pass reads and writes each state once, but psi is only read by an observable.

    Args:
        kernel: The program.
        n_qubits: Of it.
        real: Type of real numbers.

    Returns:
        ``flops`` and ``bytes``.
    """
    there, back = work_of_energy(kernel, n_qubits, real), work_of_slopes(kernel, n_qubits, real)
    return {what: there[what] + back[what] for what in there}


def work_of_energy(
    kernel: "native.ProgramDouble | native.ProgramSingle", n_qubits: int, real: np.dtype
) -> dict[str, float]:
    """The part of `work` that a value alone takes: the rotations forward, and the observables.

    Args:
        kernel: The program.
        n_qubits: Of it.
        real: Type of real numbers.

    Returns:
        ``flops`` and ``bytes``.
    """
    passes, _, layers, steps, _ = kernel.counts(False)
    observe_passes, _, observe_layers, terms, _ = kernel.observed()
    flops = 4 * steps + 12 * layers + 4 * (terms + observe_layers + observe_passes)
    moves = 2 * (passes + observe_passes) + max(0, observe_passes - kernel.n_observables)
    return _amount(flops, moves, n_qubits, real)


def work_of_slopes(
    kernel: "native.ProgramDouble | native.ProgramSingle", n_qubits: int, real: np.dtype
) -> dict[str, float]:
    """The part of `work` that the gradient adds: the way back on two states.

    Args:
        kernel: The program.
        n_qubits: Of it.
        real: Type of real numbers.

    Returns:
        ``flops`` and ``bytes``.
    """
    passes, _, layers, steps, _ = kernel.counts(True)
    return _amount(12 * steps + 23 * layers, 4 * passes, n_qubits, real)


def _amount(flops: float, moves: float, n_qubits: int, real: np.dtype) -> dict[str, float]:
    """From operations, and states read or written, of each amplitude."""
    amplitudes = 2.0**n_qubits
    return {"flops": flops * amplitudes, "bytes": moves * 2 * real.itemsize * amplitudes}


def _cost(passes: int, sweeps: int, layers: int, steps: int, diagonals: int) -> float:
    """Time of a state's way through a plan, about in units of one rotation on a tile."""
    return PASS * passes + 2 * sweeps + 4 * layers + steps + diagonals / 8
