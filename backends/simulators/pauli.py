"""Pauli propagation: observables taken backwards through circuits as sums of Pauli strings, without the small ones.

A string P is followed to U+ P U through the circuit's rotations, the last first. A rotation exp(-i theta/2 G) leaves
the strings that commute with G, and takes each other one to cos(theta) P + sin(theta) i G P; Clifford gates take one
string to one. In the end <0...0| P |0...0> is 1 for the strings of I and Z, 0 for all others. The number of qubits
hardly matters; that of strings grows with the light cone, with the gates in it that are no Cliffords, and with how far
their angles are from multiples of pi/2.

References:
    Begusic, Gray and Chan, Sci. Adv. 10, eadk4321 (2024).
    Rudolph, Jones, Teng, Angrisani and Holmes, arXiv:2505.21606 (2025).
    Angrisani, Schmidhuber, Rudolph, Cerezo, Holmes and Huang, arXiv:2409.01706 (2024).
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends import memory
from backends.base import Backend, Capabilities
from backends.batch import Evaluate, Expectations
from backends.checks import ObservableLike, ObservablesLike, as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.gradients.value_and_gradient import as_function
from backends.simulators.pauli_rotations import PauliRotations, pauli_rotations, strings
from backends.statevector import native
from circuits.errors import BudgetExceeded, Refused
from circuits.problems.checks import finite, whole

MAX_QUBITS = 10_000

COARSER = 4.0
"""How much larger the threshold of the second propagation is, from which the error is estimated."""

SPREAD = 0.6
"""Share of the root sum of squares of what was dropped that the estimate of the error is at least, as measured."""

FLOOR = 1e-16
"""Threshold, in units of the largest coefficient, of a propagation that drops nothing but rounding."""

MOST_TERMS = 2**29

LOOKED_AT = 2**10
"""Strings that the propagation that predicts another one holds where it cannot hold them all."""

LEAST_LOOKED_AT = 2**8
"""The same for circuits and observables so many that each may take only a moment."""

VISITS = 4e8
"""Strings that it may look at where it can, over all rotations and observables: some seconds, and mostly far less."""

SMALL_BYTES = 2**20
"""Of the circuit as rotations, and of all else that is small, as measured."""

RECORD_BYTES = 8
"""Of two strings that a rotation mixes."""

KIND = "propagation"
"""Under which speeds are kept: thresholds change the number of strings, not the time of one."""


@dataclass(frozen=True)
class Estimate:
    """An expectation value.

    Attributes:
        value: In the observable's unit.
        bias: Estimate of its error, in the same unit; 0 where nothing was dropped.
        slopes: Derivatives by the angles of the rotations; empty where they were not asked for.
        visits: Strings looked at, over all rotations.
        capped: Whether strings were dropped because there were too many.
        bytes: Held at once, at most.
    """

    value: float
    bias: float
    slopes: np.ndarray
    visits: float
    capped: bool
    bytes: int


class PauliPropagation(Backend):
    """Pauli propagation in double precision, for wide circuits and local observables.

    Args:
        threshold: Strings whose coefficient is smaller than this times the observable's largest are dropped; for 0
            nothing is, and values are exact.
        max_weight: Strings that act on more qubits are dropped; None: any are kept.
        max_terms: Strings that are held at once. Beyond them the smallest are dropped, or, where values are to be
            exact, the work is refused.
    """

    automatic = False  # "auto" takes it as a method, with a threshold that suits the work

    def __init__(
        self,
        *,
        threshold: Annotated[float, "the smallest coefficient kept, in units of the largest; 0: exact"] = 1e-5,
        max_weight: Annotated[int | None, "the most qubits that a kept Pauli string acts on, from 1"] = None,
        max_terms: Annotated[int, "the most Pauli strings held at once"] = 2**20,
    ):
        self._threshold = finite(threshold, "threshold of pauli")
        if not 0 <= self._threshold < 1:
            raise Refused(f"threshold of pauli must be at least 0 and less than 1, not {threshold}")
        self._max_weight = None if max_weight is None else whole(max_weight, "max_weight of pauli", at_least=1)
        self._max_terms = whole(max_terms, "max_terms of pauli", at_least=1, at_most=MOST_TERMS)

    @property
    def _exact(self) -> bool:
        return self._threshold == 0 and self._max_weight is None

    def capabilities(self) -> Capabilities:
        """Values with an estimate of what truncation did to them, and gradients of its own."""
        cut = "nothing dropped" if self._exact else f"threshold {self._threshold:g}"
        cut += "" if self._max_weight is None else f", weights up to {self._max_weight}"
        return Capabilities(
            name="pauli",
            summary=f"Pauli propagation, {cut}, up to {self._max_terms:,} strings",
            max_qubits=MAX_QUBITS,
            exact=self._exact,
            noise=False,
            gradient="backprop",
            steady=True,
        )

    def footprint(self, work: Work) -> Footprint:
        """Rotations, and the strings that each looks at, from a short propagation.

        It is made at the work's own first parameters where it has any, and at random ones. What goes beyond what it may
        look at is taken to hold as many strings as are allowed.

        Raises:
            Refused: for shots; for a gate without a rule or a definition; and for a work with an accuracy that the
                estimated error exceeds.
        """
        self._check_shots(work.shots)
        self._check_kernels()
        self._check_width(work.circuit)
        rotations = pauli_rotations(work.circuit)
        each = VISITS / max(1, len(rotations) * len(work.observables))
        most = min(self._max_terms, max(LEAST_LOOKED_AT, int(each)))
        visits, held = 0.0, [0]
        for row in _likely(work) if work.observables else ():
            angles = rotations.at(row[None])[0]
            found = [self._looked(rotations, angles, one, most) for one in work.observables]
            self._check_accuracy(work, max(one.bias for one in found))
            all_of_them = float(self._max_terms) * len(rotations)
            visits = max(visits, sum(all_of_them if one.capped else one.visits for one in found))
            if work.derivative:  # keeps a record, and more strings
                found = [self._looked(rotations, angles, one, most, derivative=True) for one in work.observables]
            held += [self._most_bytes(work, len(rotations)) if one.capped else one.bytes for one in found]
        passes = max(1, len(rotations))
        return Footprint(passes, max(visits / passes, 1.0), max(held) + SMALL_BYTES, kind=KIND)

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """Write the circuit as rotations once; see `Backend.prepare`.

        The `bias` of a value is the larger of its difference from the one with a threshold 4 times as large (and
        strings of one qubit less, where weights are limited) and 0.6 times the root sum of squares of all coefficients
        that were dropped; at most their sum, which bounds the error. It is 0 where none was.
        """
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        rotations = self._rotations(circuit)

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            check_request(precision, shots, seed)
            self._check_shots(shots)
            rows = as_rows(parameters, circuit)
            start = time.perf_counter()
            found = [[self._estimate(rotations, row, one) for one in observables] for row in rotations.at(rows)]
            values, bias = (
                np.array([[getattr(one, name) for one in row] for row in found], float).reshape(
                    len(rows), len(observables)
                )
                for name in ("value", "bias")
            )
            seconds = {"execute": time.perf_counter() - start}
            return Expectations(values, np.zeros_like(values), seconds=seconds, bias=bias)

        return evaluate

    def value_and_grad(
        self,
        circuit: QuantumCircuit,
        observable: ObservableLike,
        *,
        precision: float | None = None,
        shots: int | None = None,
        seed: int | None = None,
    ):
        """Reverse mode through the propagation; see `Backend.value_and_grad`.

        A string is kept here if its coefficient or one of its derivatives is large enough: at an angle of 0 a rotation
        makes strings of coefficient 0, which are all that the derivative by the angle consists of.
        """
        check_unitary(circuit)
        check_request(precision, shots, seed)
        self._check_shots(shots)
        (one,) = as_observables(observable, circuit.num_qubits)
        rotations = self._rotations(circuit)

        def evaluate(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
            del seed  # nothing is random
            found = [self._estimate(rotations, row, one, derivative=True) for row in rotations.at(rows)]
            slopes = [rotations.pulled(row, each.slopes) for row, each in zip(rows, found, strict=True)]
            return np.array([each.value for each in found]), np.reshape(slopes, rows.shape)

        return as_function(circuit, evaluate, seed)

    def _looked(
        self,
        rotations: PauliRotations,
        angles: np.ndarray,
        observable: SparsePauliOp,
        max_terms: int,
        *,
        derivative: bool = False,
    ) -> Estimate:
        """One value, by no more strings than that; where it takes more, what a few of them give."""
        with suppress(BudgetExceeded):
            return self._estimate(rotations, angles, observable, max_terms=max_terms, cut=False, derivative=derivative)
        few = min(max_terms, LOOKED_AT)
        return self._estimate(rotations, angles, observable, max_terms=few, cut=True, derivative=derivative)

    def _rotations(self, circuit: QuantumCircuit) -> PauliRotations:
        self._check_kernels()
        self._check_width(circuit)
        memory.check(self._strings_bytes(circuit.num_qubits), what=f"{self._max_terms} Pauli strings on 'pauli'")
        return pauli_rotations(circuit)

    def _estimate(
        self,
        rotations: PauliRotations,
        angles: np.ndarray,
        observable: SparsePauliOp,
        *,
        derivative: bool = False,
        max_terms: int | None = None,
        cut: bool | None = None,
    ) -> Estimate:
        """One value; with derivatives, without an estimate of its error.

        Args:
            rotations: The circuit.
            angles: Of the rotations, shape (rotations,).
            observable: On its qubits.
            derivative: Whether its derivatives are asked for.
            max_terms: In place of the backend's own.
            cut: Whether strings beyond them are dropped; None: unless values are to be exact.
        """
        terms = strings(observable)
        largest = float(np.max(np.abs(terms[2]), initial=0.0))
        most = self._max_terms if max_terms is None else max_terms
        cut = not self._exact if cut is None else cut

        def run(coarser: float, weight: int, most: int) -> native.Propagation:
            return native.propagate(
                rotations.x,
                rotations.z,
                np.ascontiguousarray(angles),
                rotations.free,
                *terms,
                threshold=max(coarser * self._threshold, FLOOR) * largest,
                max_weight=weight,
                max_terms=most,
                cut=cut,
                derivative=derivative,
                tape_bytes=memory.free_bytes() // 4,
            )

        weight = self._max_weight or 0
        fine = run(1.0, weight, most)
        if fine.too_many_terms:
            raise BudgetExceeded(
                f"the observable becomes a sum of more than {most} Pauli strings, which 'pauli' with threshold=0 must "
                "keep: raise max_terms, or give a threshold below which strings are dropped"
            )
        if fine.tape_too_long:
            raise BudgetExceeded(
                "a gradient on 'pauli' keeps a record of every rotation of a string, and that grew beyond a quarter of "
                f"the {memory.readable(memory.free_bytes())} that are free here: raise threshold or lower max_terms"
            )
        bias, visits = 0.0, fine.visits
        if not derivative and not self._exact and fine.dropped > len(rotations) * FLOOR * largest:
            coarse = run(COARSER, max(1, weight - 1) if weight else 0, max(1, most // 4) if fine.capped else most)
            visits += coarse.visits
            bias = min(fine.dropped, max(abs(fine.value - coarse.value), SPREAD * fine.dropped_squares**0.5))
        return Estimate(fine.value, bias, np.array(fine.slopes), visits, fine.capped, fine.bytes)

    def _strings_bytes(self, n_qubits: int, *, derivative: bool = False) -> int:
        """Of twice the allowed strings, which one rotation may make of them, each in lists and in a table.

        The list of masks is copied as it grows.
        """
        n_words = -(-n_qubits // 64)
        terms = 2 * self._max_terms if n_qubits > 31 else min(2 * self._max_terms, 4**n_qubits)
        return terms * (2 * 16 * n_words + 34 + 12 * derivative)

    def _most_bytes(self, work: Work, n_rotations: int) -> int:
        """The same, and for a gradient with a record of each string at each rotation, copied as it grows."""
        held = self._strings_bytes(work.circuit.num_qubits, derivative=work.derivative)
        record = min(2 * RECORD_BYTES * self._max_terms * n_rotations, memory.free_bytes() // 4)
        return held + (record if work.derivative else 0)

    def _check_width(self, circuit: QuantumCircuit) -> None:
        if circuit.num_qubits > MAX_QUBITS:
            raise Refused(f"{circuit.num_qubits} qubits are too many for 'pauli', which takes {MAX_QUBITS} at most")

    def _check_kernels(self) -> None:
        if native.why_not():
            raise Refused(f"'pauli' computes in C++ kernels: {native.why_not()}")

    def _check_accuracy(self, work: Work, bias: float) -> None:
        accuracy = getattr(work, "accuracy", None)  # None or 0: none was named
        if accuracy and not self._exact and bias > accuracy:
            raise Refused(
                f"'pauli' drops strings: the error of a value is estimated as up to {bias:.1e}, more than the "
                f"accuracy of {accuracy:g}; lower its threshold, or ask for less accuracy"
            )

    def _check_shots(self, shots: int | None) -> None:
        if shots is not None:
            raise Refused(
                "'pauli' computes expectation values and draws no samples: leave shots out, or use 'statevector' or "
                "'aer'"
            )


def _likely(work: Work) -> list[np.ndarray]:
    """Rows of parameters to predict by: the work's own first, and random ones, where many strings come up."""
    n = work.circuit.num_parameters
    if not n:
        return [np.empty(0)]
    given = getattr(work, "parameters", getattr(work, "rows", None))
    if given is not None and len(given):
        return [np.asarray(given)[0]]
    anywhere = np.random.default_rng(0).uniform(-np.pi, np.pi, n)
    start = getattr(work, "theta", None)
    return [anywhere] if start is None else [np.asarray(start), anywhere]
