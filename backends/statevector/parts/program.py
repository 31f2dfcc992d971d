"""A circuit in parts, made ready for the native kernels."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.statevector import native
from backends.statevector.native.program import LEAST_QUBITS, work
from backends.statevector.native.rotations import Absorb, gates, rotations
from backends.statevector.parts.bonds import ONE, Part, cut
from backends.statevector.parts.boundaries import Parts
from backends.statevector.parts.environments import cotangents, energy, joined, left_environments
from backends.statevector.parts.line import moved
from backends.statevector.parts.one_core import one_core
from backends.statevector.parts.operators import Step, steps
from backends.statevector.representation import Program

INDEX = 8
"""Bytes of an index."""


@dataclass(frozen=True, eq=False)
class PartsProgram(Program):
    """A circuit in parts.

    Attributes:
        parts: They.
    """

    in_xla: ClassVar[bool] = False

    parts: Parts

    def terms(self, observable: SparsePauliOp) -> tuple[Step, ...]:
        """See `Program.terms`."""
        return steps(self.parts.strings(observable), self.parts.edges, self.real)

    def energies(self, terms: tuple[tuple[Step, ...], ...]) -> Callable[[np.ndarray], np.ndarray]:
        """See `Program.energies`."""

        def one(angles: np.ndarray) -> list[float]:
            states = [kernel.state(angles) for kernel in self._kernels]
            return [energy(left_environments(states, own)) for own in terms]

        def run(rows: np.ndarray) -> np.ndarray:
            with one_core():
                return np.array([one(angles) for angles in self._rows(rows)])

        return run

    def energies_and_slopes(self, terms: tuple[tuple[Step, ...], ...]) -> Callable[[np.ndarray], tuple]:
        """See `Program.energies_and_slopes`."""

        def one(angles: np.ndarray) -> tuple[list[float], np.ndarray]:
            states = [kernel.state(angles) for kernel in self._kernels]
            values, slopes = [], np.zeros((len(terms), len(angles)))
            for own, slope in zip(terms, slopes, strict=True):
                environments = left_environments(states, own)
                values.append(energy(environments))
                lams = cotangents(states, own, environments)
                for kernel, psi, lam in zip(self._kernels[::-1], states[::-1], lams, strict=True):
                    slope[kernel.angle] += kernel.slopes(angles, psi, lam)
            return values, slopes[:, :ONE]

        def run(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            with one_core():
                found = [one(angles) for angles in self._rows(rows)]
            return np.array([values for values, _ in found]), np.array([slopes for _, slopes in found])

        return run

    def state(self, row: np.ndarray) -> np.ndarray:
        """See `Program.state`."""
        (angles,) = self._rows(row[None])
        with one_core():
            psi = joined([kernel.state(angles) for kernel in self._whole])
        order, n = self.parts.order, len(self.parts.order)
        axes = [n - 1 - order.index(q) for q in reversed(range(n))]
        return psi.reshape((2,) * n).transpose(axes).reshape(-1)

    def memory_bytes(self, observables: tuple[SparsePauliOp, ...], *, derivative: bool) -> tuple[int, int]:
        """States that are held at once, at most, and tables; without observables, the whole state is made.

        Of each part its state is held. Of one at a time the kernels have four more on the way back, and the products
        with environments two for each string that is told apart at its left boundary, one for each at its right, and
        eight between these.
        """
        amplitude = 2 * self.real.itemsize
        sizes = [2**part.n_qubits for part in self.parts.parts]
        padded = [max(size, 2**LEAST_QUBITS) for size in sizes]
        copies = 4 if derivative else 1
        held = amplitude * (sum(sizes) + max(size + copies * own for size, own in zip(sizes, padded, strict=True)))
        tables = (INDEX + amplitude) * sum(sizes)
        kept = 0
        for observable in observables:
            terms = self.terms(observable)
            told = [2 * step.n_before + step.n_after for step in terms]
            bonds = [4**part.n_left * step.n_before for part, step in zip(self.parts.parts, terms, strict=True)]
            kept = max(kept, sum(bonds) + max(size * (count + 8) for size, count in zip(sizes, told, strict=True)))
            tables += sum(share.bytes for step in terms for *_, share in step.shares)
        whole = 0 if observables else 3 * 2**self.factors.n_qubits
        return held + amplitude * (kept + whole), tables

    def work(self, terms: tuple[Step, ...]) -> dict[str, float]:
        """Operations and bytes of states of one value with its gradient, as `roofline` counts them.

        Those of the rotations, and of the products with environments.
        """
        total = {"flops": 0.0, "bytes": 0.0}
        for kernel, part, step in zip(self._kernels, self.parts.parts, terms, strict=True):
            own, size = work(kernel.program, part.n_qubits, self.real), 2.0**part.n_qubits
            products = 3 * step.n_before * 2**part.n_left + 2 * step.n_after * 2**part.n_right
            total["flops"] += own["flops"] + 8 * size * products
            total["bytes"] += own["bytes"] + 2 * self.real.itemsize * size * (5 * step.n_before + 4 * step.n_after)
        return total

    @cached_property
    def _kernels(self) -> list["Kernel"]:
        return [Kernel.of(part, self.real) for part in self.parts.parts]

    @cached_property
    def _whole(self) -> list["Kernel"]:
        """With the Clifford gates at the end."""
        order, edges = self.parts.order, self.parts.edges
        parts = cut(moved(gates(self.factors), order), len(order), edges[1:-1])
        return [Kernel.of(part, self.real) for part in parts]

    def _rows(self, rows: np.ndarray) -> np.ndarray:
        angles = self.angles.values(rows)
        return np.concatenate([angles, np.ones((len(angles), 1))], axis=1)


@dataclass(frozen=True, eq=False)
class Kernel:
    """A part made ready: rotations, and a Clifford that takes basis states to basis states.

    Attributes:
        part: It.
        angle: Which of all angles it takes, shape (angles,).
        program: The rotations.
        source: Where the Clifford takes amplitudes from, shape (2^n,).
        phase: Which phase it gives them, times the norm, shape (2^n,).
    """

    part: Part
    angle: np.ndarray
    program: "native.ProgramDouble | native.ProgramSingle"
    source: np.ndarray
    phase: np.ndarray

    @classmethod
    def of(cls, part: Part, real: np.dtype) -> "Kernel":
        """Prepare a part."""
        made = rotations(part.gates, part.n_qubits, Absorb.PERMUTATIONS)
        angle, own = np.unique(made.angle, return_inverse=True)
        kind = native.ProgramDouble if real == np.float64 else native.ProgramSingle
        program = kind(part.n_qubits, made.x, made.z, own.astype(np.int32), made.weight, len(angle), [])
        source, power = made.frame.permutation(part.n_qubits)
        phases = np.array([1, 1j, -1, -1j]) * 2 ** (part.n_read / 2)
        phases = phases if np.any(power % 2) else phases.real
        kept = np.result_type(real, np.complex64) if np.iscomplexobj(phases) else real
        return cls(part, angle, program, source, phases.astype(kept)[power])

    def state(self, angles: np.ndarray) -> np.ndarray:
        """Shape (right bonds, own, left bonds)."""
        psi = self.program.state(angles[self.angle]).take(self.source)
        psi *= self.phase
        return psi.reshape(2**self.part.n_right, 2**self.part.n_own, 2**self.part.n_left)

    def slopes(self, angles: np.ndarray, psi: np.ndarray, lam: np.ndarray) -> np.ndarray:
        """2 Re <lambda| d psi> by each of its angles."""
        given = []
        for state, phase in ((psi, 1 / self.phase), (lam, self.phase.conj())):
            back = np.empty(self.source.shape, state.dtype)
            back[self.source] = state.reshape(-1) * phase
            given.append(back)
        return self.program.slopes(angles[self.angle], *given)
