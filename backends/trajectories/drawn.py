"""Values from quantum trajectories, and their derivatives by the device's noise, with standard errors."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.devices.device import PARAMETERS, Device
from backends.instructions import terms
from backends.statevector import native
from backends.trajectories.program import Program, begins, letters_of, weights_of
from circuits.errors import Refused


@dataclass(frozen=True, eq=False)
class NoiseSlopes:
    """A value under noise, and its derivatives by noise parameters, estimated from the same trajectories.

    Attributes:
        value: Of the observable.
        standard_error: Of the value.
        slopes: Name to derivatives, a number or one for each qubit or edge, as the device has the parameter; in the
            observable's unit for each unit of the parameter.
        standard_errors: Of the slopes, of the same shapes.
        trajectories: How many there were.
    """

    value: float
    standard_error: float
    slopes: dict[str, np.ndarray]
    standard_errors: dict[str, np.ndarray]
    trajectories: int


@dataclass(frozen=True, eq=False)
class Trajectories:
    """A circuit and observables on a device at one row of parameters, ready to be drawn.

    Attributes:
        program: The circuit.
        device: Its noise.
        observables: On the circuit's qubits.
        row: Parameters, shape (params,).
    """

    program: Program
    device: Device
    observables: tuple[SparsePauliOp, ...]
    row: np.ndarray

    def values(self, count: int, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Values and standard errors of the observables, shape (observables,) each.

        Args:
            count: How many trajectories.
            seed: The same seed gives the same bits.
        """
        letters = letters_of(self.program, self.row, self.device.values(), self.device)
        products, coefficients, owners = self._terms()
        found, weights, _ = self._drawn([self._factors(label, letters) for label in products], count, seed)
        sums = np.zeros((count, len(self.observables)))
        np.add.at(sums.T, owners, (found * coefficients).T)
        return mean(balanced(sums, weights))

    def slopes(self, count: int, seed: int | None, names: Iterable[str] = PARAMETERS) -> NoiseSlopes:
        """The first observable's derivatives by noise parameters.

        With the value the mean of w f over trajectories of choices s, drawn with probabilities |q_s| / C_s each and
        weighted with w = prod C_s sign q_s, the derivative is the mean of w (f - b) sum_s d log |q_s| (the score
        function; b, the mean of the others, does not change the mean) and of w df by what measurements tell.

        Args:
            count: How many trajectories, 2 at least.
            seed: The same seed gives the same bits.
            names: Of the parameters.

        Raises:
            Refused: where an error that never happens would have to be drawn.

        References:
            R. Y. Rubinstein, Math. Oper. Res. 14, 830 (1989) (the score function method).
        """
        import jax

        names = tuple(names)
        if count < 2:
            raise Refused(f"derivatives with standard errors take 2 trajectories at least, not {count}")
        device, program = self.device, self.program
        noise = {name: np.asarray(value) for name, value in device.values().items()}
        some = {name: noise[name] for name in names}
        with jax.enable_x64(True):

            def told(one: dict[str, np.ndarray]) -> tuple[Any, Any]:
                both = noise | one
                return (
                    weights_of(program, both, device, jax.numpy),
                    letters_of(program, self.row, both, device, jax.numpy),
                )

            by_weights, by_letters = jax.jit(jax.jacfwd(told))(some)
        letters = letters_of(program, self.row, noise, device)
        depends = {name: np.asarray(by).reshape(*letters.shape, -1) for name, by in by_letters.items()}
        moved = np.zeros(letters.shape, dtype=bool)
        for by in depends.values():
            moved |= (by != 0).any(-1)
        products, coefficients, _ = self._terms(1)
        plain = [self._factors(label, letters) for label in products]
        changed = list(self._changed(products, letters, moved))
        found, weights, choices = self._drawn([*plain, *(one for _, _, one in changed)], count, seed)
        f = found[:, : len(plain)] @ coefficients
        others = (np.sum(weights * f) - weights * f) / (count - 1)
        centred = weights * (f - others)
        scores = self._scores(choices, by_weights, names)
        by_letter = np.zeros((count, *letters.shape))
        for k, (term, place, _) in enumerate(changed):
            by_letter[:, *place] += weights * coefficients[term] * found[:, len(plain) + k]
        slopes, errors = {}, {}
        for name in names:
            parts = centred[:, None] * scores[name]
            parts = parts + by_letter.reshape(count, -1) @ depends[name].reshape(letters.size, -1)
            center, error = mean(parts)
            slopes[name], errors[name] = (np.reshape(one, noise[name].shape) for one in (center, error))
        value, error = mean(balanced(f[:, None], weights))
        return NoiseSlopes(float(value[0]), float(error[0]), slopes, errors, count)

    def _terms(self, observables: int | None = None) -> tuple[list[str], np.ndarray, np.ndarray]:
        found = [
            (label, coefficient, owner)
            for owner, one in enumerate(self.observables[:observables])
            for label, coefficient in terms(one)
        ]
        labels, coefficients, owners = zip(*found, strict=True) if found else ((), (), ())
        return list(labels), np.array(coefficients, dtype=float), np.array(owners, dtype=np.intp)

    def _factors(self, label: str, letters: np.ndarray) -> dict[int, np.ndarray]:
        """A string as what its measurement tells of each qubit of the state."""
        placed = zip(self.program.pairs.place, reversed(label), strict=True)
        return {k: letters[k, "IXYZ".index(letter)] for k, letter in placed if letter != "I"}

    def _changed(self, products: list[str], letters: np.ndarray, moved: np.ndarray):
        """For each term and coefficient of what is told in it: the term, the coefficient's place, and the product."""
        for term, label in enumerate(products):
            factors = self._factors(label, letters)
            for k, letter in zip(self.program.pairs.place, reversed(label), strict=True):
                row = "IXYZ".index(letter)
                for column in np.flatnonzero(moved[k, row]) if row else ():
                    yield term, (k, row, column), factors | {k: np.eye(4)[column]}

    def _drawn(self, products: list[dict[int, np.ndarray]], count: int, seed: int | None):
        """Values of products of operators in each trajectory, weights, and what was drawn at each place."""
        weights = weights_of(self.program, self.device.values(), self.device)
        first, reset = (np.ascontiguousarray(one[self.program.places], dtype=float) for one in weights)
        qubits = [q for one in products for q in one]
        return native.trajectories(
            self.program.n_qubits,
            self.program.events,
            np.ascontiguousarray(self.program.matrices(self.row), dtype=complex),
            begins(self.program.gates),
            first,
            reset,
            np.cumsum([len(one) for one in products], dtype=np.int64),
            np.array(qubits, dtype=np.int32),
            np.array([by for one in products for by in one.values()], dtype=float).reshape(-1, 4),
            int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]),
            0,
            count,
        )

    def _scores(self, choices: np.ndarray, by_weights: tuple, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """sum_s d log |q_s| by each parameter, shape (trajectories, places of the parameter)."""
        first, reset = weights_of(self.program, self.device.values(), self.device)
        n, places = len(first), self.program.places
        drawn = np.zeros((3, len(choices), n))
        for kind in range(3):
            np.add.at(drawn[kind].T, places, (choices == kind).T)
        met = np.bincount(places, minlength=n) > 0
        found = {}
        for name in names:
            by_first, by_reset = (np.asarray(one[name]).reshape(n, -1) for one in by_weights)
            impossible = met & (((first == 0) & by_first.any(1)) | ((reset == 0) & by_reset.any(1)))
            if impossible.any():
                raise Refused(
                    f"the derivative by {name} cannot be estimated from trajectories where an error that it changes "
                    'has the probability 0, since it is never drawn: ask the backend "density" (up to 12 qubits), or '
                    "leave the name out"
                )
            nothing = (by_first + by_reset) / (first + reset - 1)[:, None]
            erred = np.divide(by_first, first[:, None], out=np.zeros_like(by_first), where=first[:, None] != 0)
            was_reset = np.divide(by_reset, reset[:, None], out=np.zeros_like(by_reset), where=reset[:, None] != 0)
            found[name] = drawn[0] @ nothing + drawn[1] @ erred + drawn[2] @ was_reset
        return found


def balanced(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """w f - (w - 1) b with b the mean of the others' w f: as many, with the same mean, since that of w is 1."""
    weighted = weights[:, None] * sums
    others = (weighted.sum(0) - weighted) / max(1, len(weights) - 1)
    return weighted - (weights[:, None] - 1) * others


def mean(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard errors over the first axis; of one alone the error is not known, and infinite."""
    count = len(parts)
    if count == 1:
        return parts[0], np.full(parts.shape[1:], np.inf)
    return parts.mean(0), parts.std(0, ddof=1) / np.sqrt(count)
