"""What is the same in tapes that differ in their angles only: prepared once, evaluated for many rows."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from circuits.interop.pennylane import convert
from circuits.interop.pennylane_gates import NAMED, generator, is_known, plainly_held


@dataclass(frozen=True, eq=False)
class Turns:
    """A tape's operations, and which of their parameters are free angles.

    Attributes:
        operations: PennyLane's, each known.
        wires: All wires; the first is the most significant bit of a state's index.
        places: Operation and parameter number of each free angle.
        row: The angles, radians, shape (angles,).
        key: Equal for tapes that differ in the row only.
    """

    operations: Sequence[Any]
    wires: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]
    row: np.ndarray
    key: Hashable

    def circuit(self) -> QuantumCircuit:
        """With a parameter theta[k] for the k-th angle; the last wire is qubit 0."""
        theta = ParameterVector("theta", len(self.places))
        free = dict(zip(self.places, theta, strict=True))
        given = [[free.get((k, j), x) for j, x in enumerate(one.data)] for k, one in enumerate(self.operations)]
        return convert(self.operations, self.wires[::-1], given)

    def slots(self, tape: Any) -> list[int]:
        """Of each trainable parameter of the tape the number of its angle.

        Raises:
            KeyError: for one that is none.
        """
        all_places = [(k, j) for k, one in enumerate(self.operations) for j in range(one.num_params)]
        number = {place: k for k, place in enumerate(self.places)}
        return [number[all_places[p]] for p in tape.trainable_params]


def turns(tape: Any, wires: Sequence[Any]) -> Turns:
    """The angles of a tape and what is left without them.

    Args:
        tape: Of operations that are all known, with numbers in them.
        wires: All wires, in order.
    """
    places, row, key = [], [], []
    for k, one in enumerate(tape.operations):
        if one.num_params > 0 and all(np.ndim(x) == 0 for x in one.data) and is_known(one, free=True):
            places += [(k, j) for j in range(one.num_params)]
            row += [float(x) for x in one.data]
        key.append((one.name, tuple(one.wires), _beside_angles(one)))
    return Turns(tape.operations, tuple(wires), tuple(places), np.array(row), (tuple(wires), tuple(key)))


def _beside_angles(operation: Any) -> Hashable:
    """What decides an operation's meaning beside its name, wires and free angles."""
    if operation.name in NAMED:
        return None
    if operation.num_params and (found := generator(operation)) is not None:
        held = plainly_held(operation)
        return held if held is not None else (tuple(found.paulis.to_labels()), np.asarray(found.coeffs).tobytes())
    return np.asarray(operation.matrix()).tobytes()
