"""What is the same in tapes that differ in their angles only: prepared once, evaluated for many rows."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector

from circuits.interop.pennylane import convert
from circuits.interop.pennylane_gates import NAMED, generator, is_known, plainly_held
from hybrid.pennylane.rows import with_any_angles


@dataclass(frozen=True, eq=False)
class Turns:
    """A tape's operations, and which of their parameters are free angles.

    Attributes:
        operations: PennyLane's, each known; of those with rows of angles one row.
        wires: All wires; the first is the most significant bit of a state's index.
        places: Operation and parameter number of each free angle.
        angles: Radians: of each free angle a number, or an array of shape (rows,).
        n_rows: How many rows there are; None where each angle is a number.
        key: Equal for tapes that differ in the angles only.
    """

    operations: Sequence[Any]
    wires: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]
    angles: tuple[Any, ...]
    n_rows: int | None
    key: Hashable

    def rows(self) -> np.ndarray:
        """The angles, shape (rows, angles), with one row where there are no rows."""
        found = np.empty((self.n_rows or 1, len(self.angles)))
        for k, x in enumerate(self.angles):
            found[:, k] = x
        return found

    def traced_rows(self) -> jax.Array:
        """The same as JAX's numbers, so that it can be differentiated."""
        angles, n_rows = [jnp.asarray(x, dtype=float) for x in self.angles], self.n_rows or 1
        alike = [k for k, x in enumerate(angles) if not x.ndim]  # in all rows: repeated together, which XLA compiles
        others = [k for k, x in enumerate(angles) if x.ndim]  # in half the time
        found = jnp.zeros((n_rows, 0))
        if alike:
            found = jnp.broadcast_to(jnp.stack([angles[k] for k in alike]), (n_rows, len(alike)))
        if others:
            found = jnp.hstack([found, jnp.stack([angles[k] for k in others], axis=-1)])[:, np.argsort(alike + others)]
        return found

    def circuit(self) -> QuantumCircuit:
        """With a parameter theta[k] for the k-th angle; the last wire is qubit 0."""
        theta = ParameterVector("theta", len(self.places))
        free = dict(zip(self.places, theta, strict=True))
        given = [[free.get((k, j), x) for j, x in enumerate(one.data)] for k, one in enumerate(self.operations)]
        return convert(self.operations, self.wires[::-1], given)

    def slots(self) -> list[int]:
        """Of each parameter of the operations the number of its angle; -1 for one that is none."""
        number = {place: k for k, place in enumerate(self.places)}
        return [number.get((k, j), -1) for k, one in enumerate(self.operations) for j in range(one.num_params)]


def turns(tape: Any, wires: Sequence[Any]) -> Turns:
    """The angles of a tape and what is left without them.

    Args:
        tape: Of operations that are all known; those with rows of angles turn by these alone.
        wires: All wires, in order.
    """
    places, angles, key = [], [], []
    operations = [one if one.batch_size is None else with_any_angles(one) for one in tape.operations]
    for k, one in enumerate(operations):
        if one.num_params > 0 and all(np.ndim(x) == 0 for x in one.data) and is_known(one, free=True):
            places += [(k, j) for j in range(one.num_params)]
            angles += tape.operations[k].data
        key.append((one.name, tuple(one.wires), _beside_angles(one)))
    return Turns(operations, tuple(wires), tuple(places), tuple(angles), tape.batch_size, (tuple(wires), tuple(key)))


def _beside_angles(operation: Any) -> Hashable:
    """What decides an operation's meaning beside its name, wires and free angles."""
    if operation.name in NAMED:
        return None
    if operation.num_params and (found := generator(operation)) is not None:
        held = plainly_held(operation)
        return held if held is not None else (tuple(found.paulis.to_labels()), np.asarray(found.coeffs).tobytes())
    return np.asarray(operation.matrix()).tobytes()
