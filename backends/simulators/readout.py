"""Errors of measurement in an Aer noise model.

Aer applies an error of several qubits only to one measurement of exactly these qubits, in their order; where each is
measured alone, as circuits do it, it would be left out without a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backends.measurement.circuits import measured_at_once
from backends.simulators.cropping import measuring
from circuits.errors import Refused


@dataclass(frozen=True, eq=False)
class Readout:
    """What a noise model does to measurements; made by `readout`.

    Attributes:
        everywhere: Confusion matrix of each qubit that has none of its own, shape (2, 2), or None: row by the true bit,
            column by the bit that is told.
        of: The same for single qubits, and for sets of them, shape (2^k, 2^k): bit j of an index belongs to the j-th.
        together: The sets of qubits that must be measured at once for their errors to apply.
        quantum: Whether there are quantum errors before measurements, too.
    """

    everywhere: np.ndarray | None
    of: dict[tuple[int, ...], np.ndarray]
    together: tuple[tuple[int, ...], ...]
    quantum: bool

    def check_exact(self) -> None:
        """Refuse exact noisy values where confusion matrices are not all there is."""
        if self.quantum:
            raise Refused(
                "the noise model has quantum errors before measurements, which exact noisy values do not cover: "
                "give a number of shots"
            )

    def confused(self, p: np.ndarray, layout: Sequence[int]) -> np.ndarray:
        """Probabilities of what is told from those of what is true.

        Args:
            p: Shape (2^n,); bit q of an index is the circuit's qubit q.
            layout: Physical qubit that is read into each bit.

        Returns:
            Shape (2^n,).
        """
        n = len(layout)
        p = p.reshape((2,) * n)
        for group in measured_at_once(layout, self.together):
            axes = [n - 1 - layout.index(physical) for physical in reversed(group)]
            matrix = self.of.get(group, self.everywhere if len(group) == 1 else None)
            if matrix is not None:
                k = len(group)
                turned = np.tensordot(matrix.T.reshape((2,) * (2 * k)), p, axes=(range(k, 2 * k), axes))
                p = np.moveaxis(turned, range(k), axes)
        return p.reshape(-1)


def readout(model: Any) -> Readout:
    """The errors of measurement in a noise model.

    Args:
        model: A qiskit_aer NoiseModel.

    Raises:
        Refused: if it does not say what happens, since two of its errors belong to the same qubit.
    """
    everywhere, of, sets, quantum = None, {}, set(), False
    for error in measuring(model).to_dict()["errors"]:
        if "measure" not in error["operations"]:
            continue
        groups = [tuple(group) for group in error.get("gate_qubits") or ()]
        sets.update(groups)
        if error["type"] != "roerror":
            quantum = True
            if not groups and any(len(step["qubits"]) > 1 for way in error["instructions"] for step in way):
                raise Refused("the noise model has a measurement error of several qubits that names none")
        elif groups:
            of |= dict.fromkeys(groups, np.asarray(error["probabilities"]))
        else:
            everywhere = np.asarray(error["probabilities"])
    together = tuple(sorted(group for group in sets if len(group) > 1))
    for group in together:
        for other in sets - {group}:
            if not set(group).isdisjoint(other):
                raise Refused(
                    f"the noise model has measurement errors of qubits {list(group)} and of {list(other)}: "
                    "it does not say which applies to the qubits in both"
                )
    return Readout(everywhere, of, together, quantum)
