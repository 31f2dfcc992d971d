"""Expectation values from measured bit strings, with their standard errors.

Terms that agree letter by letter where both act are measured together, or all that commute, after a Clifford circuit.
For each group and each shot the whole weighted sum of the group's terms has a value; its sample mean and variance give
the estimate and its error, all covariances within the group included. Groups are measured apart, so their variances
add:

    SE^2 = sum_g var_g / n_g    for n_g shots of group g.

References:
    Kandala et al., Nature 549, 242 (2017), for measuring in shared bases;
    Crawford et al., Quantum 5, 385 (2021), for sorted insertion, the grouping used here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.checks import MOST_SHOTS
from backends.instructions import terms
from backends.measurement.commuting import commuting_sets, diagonalized
from backends.measurement.outcomes import Outcomes, all_bits
from circuits.errors import Refused

Grouping = Literal["auto", "qubit-wise", "commuting"]

GROUPINGS = (
    '"qubit-wise": terms that agree letter by letter, "commuting": all that commute, after gates on pairs of qubits, '
    'or "auto": whichever is predicted to have the smaller error'
)
"""What the option must be."""


@dataclass(frozen=True, eq=False)
class Group:
    """Terms measured together.

    Attributes:
        basis: Letter for each qubit, rightmost first; I where nothing is to be measured. Empty for terms that commute
            as wholes only.
        support: Where each term acts after the change of basis, shape (terms, qubits); column q belongs to qubit q.
        weights: Coefficient of each term in each observable, with the sign that the change of basis gives the term,
            shape (observables, terms).
        clifford: The change of basis of terms that commute as wholes only; None for one by letters.
    """

    basis: str
    support: np.ndarray
    weights: np.ndarray
    clifford: QuantumCircuit | None = None

    @property
    def change(self) -> QuantumCircuit:
        """Circuit after which measuring Z on every qubit measures the terms."""
        return basis_change(self.basis) if self.clifford is None else self.clifford

    @property
    def bound(self) -> np.ndarray:
        """Largest standard deviation of one shot in any state, sum |c|, shape (observables,)."""
        return np.abs(self.weights).sum(axis=1)

    @property
    def typical(self) -> float:
        """Standard deviation of one shot in an average state, the root of sum c^2, of all observables together."""
        return math.sqrt(float((self.weights**2).sum()))

    def sums(self, bits: np.ndarray) -> np.ndarray:
        """The group's weighted sum for each bit string: (strings, qubits) -> (strings, observables)."""
        parity = (bits.astype(np.float32) @ self.support.T.astype(np.float32)) % 2
        return (1.0 - 2.0 * parity).astype(np.float64) @ self.weights.T

    def moments(self, outcomes: Outcomes) -> tuple[np.ndarray, np.ndarray]:
        """Sample mean and variance of the group's weighted sum for one shot, shape (observables,) each.

        One shot alone says nothing about the variance; then its largest possible value, (sum |c|)^2, is given.
        """
        shots = outcomes.counts.sum()
        per_shot = self.sums(outcomes.bits)
        mean = outcomes.counts @ per_shot / shots
        if shots == 1:
            return mean, self.bound**2
        return mean, outcomes.counts @ (per_shot - mean) ** 2 / (shots - 1)


@dataclass(frozen=True, eq=False)
class Measurements:
    """All that must be measured to know a set of observables.

    Attributes:
        constants: What the identity adds to each observable, shape (observables,).
        groups: What is measured together; empty if all observables are multiples of the identity.
    """

    constants: np.ndarray
    groups: tuple[Group, ...]

    def estimate(self, outcomes: Sequence[Outcomes]) -> tuple[np.ndarray, np.ndarray]:
        """Values and standard errors, shape (observables,) each, from one set of outcomes for each group."""
        values, variances = self.constants.copy(), np.zeros_like(self.constants)
        for group, seen in zip(self.groups, outcomes, strict=True):
            mean, variance = group.moments(seen)
            values += mean
            variances += variance / seen.counts.sum()
        return values, np.sqrt(variances)

    def expectations(self, probabilities: Sequence[np.ndarray]) -> np.ndarray:
        """Values, shape (observables,), from the probabilities of all bit strings, shape (2^n,), for each group."""
        values = self.constants.copy()
        for group, p in zip(self.groups, probabilities, strict=True):
            values += p @ group.sums(all_bits(len(p)))
        return values

    def shots_for(self, precision: float, shares: Sequence[float] | np.ndarray | None = None) -> int:
        """Shots of each circuit, on average, that keep every standard error within the precision, whatever the state.

        From var_g <= (sum_{i in g} |c_i|)^2, so that shots = sum_g (sum_{i in g} |c_i|)^2 / (f_g precision^2).

        Args:
            precision: Wanted standard error, in the observables' unit.
            shares: Shots f_g of each group, in units of the average; by default all are 1.

        Raises:
            Refused: above a billion shots.
        """
        f = np.ones(len(self.groups)) if shares is None else np.asarray(shares)
        bound = sum(
            (group.bound**2 / share for group, share in zip(self.groups, f, strict=True)), np.zeros(len(self.constants))
        )
        shots = float(bound.max(initial=0.0)) / precision**2
        if shots > MOST_SHOTS:
            raise Refused(
                f"a precision of {precision} needs {shots:.3g} shots of each circuit, more than {MOST_SHOTS:.0e}; "
                "ask for a coarser precision, or use an exact simulator"
            )
        return max(1, math.ceil(shots))

    def standard_error(self, shots: int, shares: Sequence[float] | np.ndarray | None = None) -> float:
        """Standard error to be expected: the mean over all states, where terms are uncorrelated, of the largest one.

        Args:
            shots: Of each circuit, on average.
            shares: As for `shots_for`.
        """
        f = np.ones(len(self.groups)) if shares is None else np.asarray(shares)
        variance = sum(
            ((group.weights**2).sum(axis=1) / share for group, share in zip(self.groups, f, strict=True)),
            np.zeros(len(self.constants)),
        )
        return math.sqrt(float(variance.max(initial=0.0)) / shots)

    def shots(self, precision: float | None, shots: int | None, default: int | None = None) -> int | None:
        """Shots of each circuit that a request asks for, by number or by precision; else the default."""
        if shots is not None:
            return shots
        return default if precision is None else self.shots_for(precision)


def measurements(
    observables: Sequence[SparsePauliOp], grouping: Literal["qubit-wise", "commuting"] = "qubit-wise"
) -> Measurements:
    """Group the terms of all observables by the basis they are measured in.

    Sorted insertion: the heaviest term opens a group, each later one joins the first group it fits.

    Args:
        observables: On the same qubits.
        grouping: Which terms fit each other: those that agree letter by letter, or all that commute.
    """
    letters: dict[str, np.ndarray] = {}
    for k, observable in enumerate(observables):
        for label, coefficient in terms(observable):
            row = letters.setdefault(label, np.zeros(len(observables)))
            row[k] += coefficient
    n_qubits = len(next(iter(letters)))
    constants = letters.pop("I" * n_qubits, np.zeros(len(observables)))
    labels = sorted((s for s in letters if np.any(letters[s])), key=lambda s: (-np.abs(letters[s]).sum(), s))
    if grouping == "commuting" and labels:
        sets = commuting_sets(labels)
        return Measurements(constants, tuple(_commuting([labels[k] for k in one], letters) for one in sets))
    bases = np.full((len(labels), n_qubits), ord("I"), dtype=np.uint8)
    members: list[list[str]] = []
    for label in labels:
        term = np.frombuffer(label.encode(), dtype=np.uint8)
        opened = bases[: len(members) + 1]  # one more, still empty: it fits every term
        fits = np.all((opened == term) | (opened == ord("I")) | (term == ord("I")), axis=1)
        place = int(np.argmax(fits))
        np.copyto(bases[place], term, where=term != ord("I"))
        if place == len(members):
            members.append([])
        members[place].append(label)
    groups = tuple(_group(bytes(basis).decode(), group, letters) for basis, group in zip(bases, members, strict=False))
    return Measurements(constants, groups)


def _group(basis: str, labels: list[str], coefficients: Mapping[str, np.ndarray]) -> Group:
    support = np.array([[letter != "I" for letter in reversed(label)] for label in labels])
    return Group(basis, support, np.array([coefficients[label] for label in labels]).T)


def _commuting(labels: list[str], coefficients: Mapping[str, np.ndarray]) -> Group:
    circuit, support, signs = diagonalized(labels)
    return Group("", support, np.array([coefficients[label] for label in labels]).T * signs, circuit)


def basis_change(basis: str) -> QuantumCircuit:
    """Circuit after which measuring Z on every qubit measures each in its letter's basis."""
    circuit = QuantumCircuit(len(basis))
    for q, letter in enumerate(reversed(basis)):
        if letter == "Y":
            circuit.sdg(q)
        if letter in "XY":
            circuit.h(q)
    return circuit
