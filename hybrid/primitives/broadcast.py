"""Which rows of parameters meet which observables in a pub, by NumPy's rules of broadcasting."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp


@dataclass(frozen=True, eq=False)
class Pairs:
    """The elements of a pub's result, each a row of parameters and an observable.

    Attributes:
        rows: Parameters of each set, shape (rows, params), radians, in ``circuit.parameters`` order.
        observables: The different ones.
        row_of: For each element the row, shape of the pub.
        observable_of: For each element the observable, shape of the pub.
    """

    rows: np.ndarray
    observables: tuple[SparsePauliOp, ...]
    row_of: np.ndarray
    observable_of: np.ndarray

    def portions(self) -> Iterator["Portion"]:
        """The elements in portions of rows that meet the same observables, so that nothing else is evaluated."""
        members: dict[int, list[int]] = {}
        observable_of = self.observable_of.ravel()
        for element, row in enumerate(self.row_of.ravel().tolist()):
            members.setdefault(row, []).append(element)
        alike: dict[tuple[int, ...], list[int]] = {}
        for row, elements in members.items():
            alike.setdefault(tuple(np.unique(observable_of[elements]).tolist()), []).append(row)
        for observables, rows in alike.items():
            elements = np.concatenate([members[row] for row in rows])
            row = np.repeat(np.arange(len(rows)), [len(members[row]) for row in rows])
            yield Portion(rows, observables, elements, row, np.searchsorted(observables, observable_of[elements]))


@dataclass(frozen=True, eq=False)
class Portion:
    """Every one of some rows against every one of some observables.

    Attributes:
        rows: Numbers of the rows.
        observables: Numbers of the observables, ascending.
        elements: Flat indices of the elements that are computed with them.
        row: For each of these elements the place of its row in `rows`.
        observable: For each the place of its observable in `observables`.
    """

    rows: list[int]
    observables: tuple[int, ...]
    elements: np.ndarray
    row: np.ndarray
    observable: np.ndarray


def pairs(pub: EstimatorPub) -> Pairs:
    """The elements of a pub; equal observables are one.

    Raises:
        ValueError: if the parameters that were given are not the circuit's.
    """
    values, observables = pub.parameter_values, pub.observables.ravel()
    rows = values.as_array(pub.circuit.parameters).reshape(values.size, pub.circuit.num_parameters)
    known: dict[tuple, int] = {}
    different: list[SparsePauliOp] = []
    number = np.empty(observables.size, dtype=int)
    for k in range(observables.size):
        key = tuple(sorted(observables[k].items()))
        if key not in known:
            known[key] = len(different)
            different.append(SparsePauliOp.from_sparse_observable(observables.slice(k)).simplify())
        number[k] = known[key]
    return Pairs(
        rows,
        tuple(different),
        np.broadcast_to(np.arange(values.size).reshape(values.shape), pub.shape),
        np.broadcast_to(number.reshape(pub.observables.shape), pub.shape),
    )
