"""Errors of measurement: measured on each qubit, and undone in expectation values.

With e0 = P(1 told | 0) and e1 = P(0 told | 1) of a qubit, its sign z = +-1 that is told has the mean
(e1 - e0) + (1 - e0 - e1) <Z>, so that f = (z - e1 + e0) / (1 - e0 - e1) has the mean <Z>; and for errors that are
independent from qubit to qubit, the product of f over the qubits of a term has the mean of the term. Two circuits, all
qubits in 0 and all in 1, tell e0 and e1; what they do not know of them is carried on into the standard error.

References:
    Bravyi et al., Phys. Rev. A 103, 042605 (2021), for tensored errors of measurement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.measurement.circuits import measure
from backends.measurement.groups import Group
from backends.measurement.outcomes import Outcomes
from backends.measurement.targets import translated
from circuits.errors import FailedJob


def calibration_circuits(qubits: Sequence[int], n_qubits: int, target: BackendV2 | Target) -> list[QuantumCircuit]:
    """Two circuits that measure the errors of measurement: all qubits in 0, and all in 1.

    Args:
        qubits: The target's that are measured.
        n_qubits: Of the target's circuits.
        target: In whose gates they are written.
    """
    ones = QuantumCircuit(n_qubits)
    ones.x(list(qubits))
    return [measure(QuantumCircuit(n_qubits), qubits), measure(translated(ones, target), qubits)]


@dataclass(frozen=True, eq=False)
class Correction:
    """The errors of measurement of some qubits; made by `correction`.

    Attributes:
        qubits: The target's, in the order of the calibration's bits.
        errors: P(1 told | 0) and P(0 told | 1), shape (qubits, 2).
        variances: Of these, same shape.
        seen: What the two circuits measured.
    """

    qubits: tuple[int, ...]
    errors: np.ndarray
    variances: np.ndarray
    seen: tuple[Outcomes, Outcomes]

    def sums(self, group: Group, bits: np.ndarray, layout: Sequence[int]) -> np.ndarray:
        """A group's weighted sum for each bit string, corrected: (strings, qubits) -> (strings, observables)."""
        return self._products(group, bits, layout) @ group.weights.T

    def slopes(self, group: Group, outcomes: Outcomes, layout: Sequence[int]) -> np.ndarray:
        """How the corrected mean of a group changes with the errors: shape (observables, qubits, 2)."""
        products = self._products(group, outcomes.bits, layout)
        share = outcomes.counts / outcomes.counts.sum()
        slopes = np.zeros((len(group.weights), *self.errors.shape))
        for q, physical in enumerate(layout):
            k = self.qubits.index(physical)
            f, slope = self._factors(k)
            for e, sign in enumerate((1.0, -1.0)):  # df/de0 = (f + 1) / slope, df/de1 = (f - 1) / slope
                ratio = ((f + sign) / (slope * f))[outcomes.bits[:, q]]
                slopes[:, k, e] = group.weights @ (((share * ratio) @ products) * group.support[:, q])
        return slopes

    def misfit(self, group: Group, layout: Sequence[int]) -> np.ndarray:
        """What correcting the calibration itself leaves, where errors are not independent: shape (2, observables)."""
        columns = [self.qubits.index(physical) for physical in layout]
        left = np.empty((2, len(group.weights)))
        for k, seen in enumerate(self.seen):
            corrected = seen.counts @ self.sums(group, seen.bits[:, columns], layout) / seen.counts.sum()
            left[k] = corrected - group.sums(np.full((1, len(columns)), k, dtype=np.uint8))[0]
        return left

    def _factors(self, k: int) -> tuple[np.ndarray, float]:
        e0, e1 = self.errors[k]
        slope = 1.0 - e0 - e1
        return (np.array([1.0, -1.0]) - e1 + e0) / slope, slope

    def _products(self, group: Group, bits: np.ndarray, layout: Sequence[int]) -> np.ndarray:
        products = np.ones((len(bits), len(group.support)))
        for q, physical in enumerate(layout):
            f, _ = self._factors(self.qubits.index(physical))
            products *= np.where(group.support[:, q], f[bits[:, q]][:, None], 1.0)
        return products


def correction(qubits: Sequence[int], zeros: Outcomes, ones: Outcomes, name: str) -> Correction:
    """The errors of measurement from what the two circuits of `calibration_circuits` measured.

    Args:
        qubits: In the order of their bits.
        zeros: Of the circuit whose qubits are all in 0.
        ones: Of the one whose qubits are all in 1.
        name: Of the device, for messages.

    Raises:
        FailedJob: if a qubit tells nothing at all.
    """
    shots = np.array([zeros.counts.sum(), ones.counts.sum()])
    wrong = np.column_stack([zeros.counts @ zeros.bits, ones.counts @ (1 - ones.bits.astype(int))])
    errors = wrong / shots
    dead = np.flatnonzero(errors.sum(axis=1) > 0.9)
    if len(dead):
        raise FailedJob(
            f"{name} reads its qubit {qubits[dead[0]]} wrong so often that nothing can be corrected: 0 as 1 in "
            f"{errors[dead[0], 0]:.0%} and 1 as 0 in {errors[dead[0], 1]:.0%} of the shots; use other qubits"
        )
    smoothed = (wrong + 0.5) / (shots + 1)  # a qubit that was never wrong in n shots is wrong in about one in n
    return Correction(tuple(qubits), errors, smoothed * (1 - smoothed) / shots, (zeros, ones))
