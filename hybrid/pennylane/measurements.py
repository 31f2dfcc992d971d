"""What is measured: refused where it has no meaning, and with shots in circuits of its own where it must be."""

from collections.abc import Callable, Sequence
from typing import Any

import pennylane as qml
from pennylane.exceptions import DeviceError
from pennylane.measurements import (
    ClassicalShadowMP,
    ExpectationMP,
    ProbabilityMP,
    SampleMeasurement,
    ShadowExpvalMP,
    StateMeasurement,
    VarianceMP,
)
from pennylane.ops import MidMeasure, Prod, SparseHamiltonian, SProd, Sum
from pennylane.pauli import PauliSentence, PauliWord
from pennylane.transforms import split_non_commuting

from circuits.interop.pennylane_gates import TOLERANCE

SHADOWS = (ClassicalShadowMP, ShadowExpvalMP)
"""Measurements in random bases, another one for each shot."""


def is_sum(tape: Any) -> bool:
    """Whether a tape asks for exact expectation values of sums of Pauli words alone."""
    return not tape.shots and all(
        isinstance(m, ExpectationMP) and getattr(m.obs, "pauli_rep", None) is not None for m in tape.measurements
    )


def can_be_shifted(measurement: Any) -> bool:
    """Whether PennyLane's parameter shift is right for an exact measurement; of some others it says nothing."""
    if isinstance(measurement, VarianceMP):
        sentence = getattr(measurement.obs, "pauli_rep", None)
        return sentence is not None and len(sentence) == 1 and abs(abs(next(iter(sentence.values()))) - 1) < TOLERANCE
    return isinstance(measurement, ExpectationMP | ProbabilityMP)


def partials(observable: Any) -> list[Any]:
    """The derivatives of a sum of Pauli words by each number in it, as sentences, in the order of its ``data``."""
    if isinstance(observable, SProd):
        inner = partials(observable.base)
        return [observable.base.pauli_rep, *(complex(observable.scalar) * one for one in inner)]
    if isinstance(observable, Sum):
        return [one for part in observable.operands for one in partials(part)]
    if isinstance(observable, Prod):
        found = []
        for k, part in enumerate(observable.operands):
            for one in partials(part):
                product = PauliSentence({PauliWord({}): 1.0})
                for j, other in enumerate(observable.operands):
                    product = product @ (one if j == k else other.pauli_rep)
                found.append(product)
        return found
    return []


@qml.transform
def no_postselection(tape: Any, name: str) -> tuple[Sequence[Any], Callable[[Any], Any]]:
    """Refuse what throws shots away.

    Raises:
        DeviceError: for a measurement with ``postselect=``.
    """
    if any(isinstance(one, MidMeasure) and one.postselect is not None for one in tape.operations):
        raise DeviceError(
            f"{name} keeps every outcome, so that postselect= is refused: return qml.sample of the measured value and "
            "take the shots that are wanted, or run the circuit on default.qubit"
        )
    return (tape,), lambda results: results[0]


@qml.transform
def check_measurements(tape: Any, name: str) -> tuple[Sequence[Any], Callable[[Any], Any]]:
    """Refuse measurements that need shots where there are none, and those that shots cannot give.

    Raises:
        DeviceError: by name, with what would be right.
    """
    for one in tape.measurements:
        if isinstance(one, VarianceMP) and isinstance(one.obs, SparseHamiltonian):
            raise DeviceError(
                f"Measurement {type(one).__name__} of a SparseHamiltonian not accepted on {name}: write the operator "
                "as a sum of Pauli words, by qml.pauli_decompose"
            )
        if tape.shots and isinstance(one.obs, SparseHamiltonian):
            raise DeviceError(
                f"Measurement of a SparseHamiltonian not accepted with finite shots on {name}: write the operator as "
                "a sum of Pauli words, by qml.pauli_decompose"
            )
        if tape.shots and not isinstance(one, SampleMeasurement | ClassicalShadowMP | ShadowExpvalMP):
            raise DeviceError(
                f"Measurement {one} not accepted with finite shots on {name}: it is of the state itself; take the "
                "shots away, by qml.set_shots(None)"
            )
        if not tape.shots and not isinstance(one, StateMeasurement):
            raise DeviceError(
                f"Measurement {one} not accepted for analytic simulation on {name}: give a number of shots, by "
                "qml.set_shots"
            )
    return (tape,), lambda results: results[0]


@qml.transform
def for_shots(tape: Any) -> tuple[Sequence[Any], Callable[[Any], Any]]:
    """With shots: what does not commute is measured apart, each in the basis of its observables.

    Expectation values of sums are sums of those of their terms. Variances and samples of sums, and shadows, are
    measured each in a circuit of its own.
    """
    if not tape.shots:
        return (tape,), lambda results: results[0]
    alone = [k for k, one in enumerate(tape.measurements) if _stands_alone(one)]
    rest = [k for k in range(len(tape.measurements)) if k not in alone]
    parts = [[k] for k in alone] + [rest] * bool(rest)
    tapes, finishes = [], []
    for part in parts:
        split: Any = split_non_commuting
        measured = [tape.measurements[k] for k in part]
        found, finish = (
            ([tape.copy(measurements=measured)], _first)
            if part is not rest
            else split(tape.copy(measurements=measured))
        )
        tapes.append([one.copy(operations=[*one.operations, *_turned(one)]) for one in found])
        finishes.append(finish)

    def together(results: Any) -> Any:
        results, found = list(results), {}
        for part, members, finish in zip(parts, tapes, finishes, strict=True):
            values = finish(tuple(results[: len(members)]))
            del results[: len(members)]
            for number, k in enumerate(part):
                found[k] = values if len(part) == 1 else _picked(values, number, tape)
        ordered = [found[k] for k in range(len(tape.measurements))]
        if len(ordered) == 1:
            return ordered[0]
        return tuple(zip(*ordered, strict=True)) if tape.shots.has_partitioned_shots else tuple(ordered)

    return [one for members in tapes for one in members], together


def _first(results: Any) -> Any:
    return results[0]


def _picked(values: Any, number: int, tape: Any) -> Any:
    """The values of one measurement: one for each part of the shots, where these come in parts."""
    return tuple(part[number] for part in values) if tape.shots.has_partitioned_shots else values[number]


def _turned(tape: Any) -> list[Any]:
    return [] if isinstance(tape.measurements[0], SHADOWS) else tape.diagonalizing_gates


def _stands_alone(measurement: Any) -> bool:
    if isinstance(measurement, SHADOWS):
        return True
    observable = measurement.obs
    if isinstance(measurement, ExpectationMP) or not isinstance(observable, Sum | Prod | SProd):
        return False
    return isinstance(observable.simplify(), Sum)
