"""Values and slopes under a device's noise, without anything to compile."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from backends.density.evolution import evolved, pulled_back
from backends.density.kernels import Strings, kernel_of
from backends.density.program import Program
from backends.density.steps import Errors, errors_of, inputs_of, slopes_by_angles, superoperators
from backends.devices.device import Device
from backends.instructions import terms
from backends.statevector import native


@dataclass(frozen=True)
class Values:
    """A circuit and observables on a device, ready for any angles.

    Attributes:
        program: The circuit.
        device: Its noise.
        observables: On the circuit's qubits.
    """

    program: Program
    device: Device
    observables: tuple[SparsePauliOp, ...] = ()

    def __call__(self, row: np.ndarray) -> np.ndarray:
        """Values of the observables at a row of parameters, shape (observables,)."""
        if native.available():
            return self._kernel.energies(self._inputs(row))[0]
        places, coefficients, owners = self._strings
        return np.bincount(owners, self.told(row)[places] * coefficients, len(self.observables))

    def and_slopes(self, row: np.ndarray) -> tuple[float, np.ndarray]:
        """The value of the first observable and its derivatives by the parameters, shape (params,)."""
        program = self.program
        if native.available():
            values, slopes = self._kernel.energies_and_slopes(self._inputs(row))
            value, by_alpha = float(values[0, 0]), slopes[0, 0, : program.angles.n_angles]
        else:
            alpha = program.angles.values(row[None])[0]
            steps, made = superoperators(program, alpha, self._errors)
            places, coefficients, _ = self._strings
            lam = np.bincount(places, coefficients, 4**program.n_qubits)
            by_steps = pulled_back(steps, program.pairs_array, program.n_qubits, lam)
            value = float(np.sum(by_steps[-1] * steps[-1]))  # which is linear in each step
            by_alpha = slopes_by_angles(program, alpha, made, by_steps)
        return value, program.angles.pulled(row[None], by_alpha[None])[0]

    def told(self, row: np.ndarray) -> np.ndarray:
        """Told expectation values of all strings, shape (4^n,); see `evolved`."""
        alpha = self.program.angles.values(row[None])[0]
        steps, _ = superoperators(self.program, alpha, self._errors)
        return evolved(steps, self.program.pairs_array, self.program.n_qubits)

    def _inputs(self, row: np.ndarray) -> np.ndarray:
        return inputs_of(self.program.angles.values(row[None])[0], self._errors)[None]

    @cached_property
    def _kernel(self) -> native.NoisyProgram:
        return kernel_of(self.program, self._strings, len(self.observables))

    @cached_property
    def _errors(self) -> Errors:
        return errors_of(self.program, self.device.values(), self.device)

    @cached_property
    def _strings(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return strings_of(self.program, self.observables)


def strings_of(program: Program, observables: tuple[SparsePauliOp, ...]) -> Strings:
    """All terms of the observables, whose coefficients are real."""
    places, coefficients, owners = [], [], []
    for owner, observable in enumerate(observables):
        for label, coefficient in terms(observable):
            digits = zip(program.place, reversed(label), strict=True)
            places.append(sum("IXYZ".index(letter) * 4**k for k, letter in digits))
            coefficients.append(coefficient)
            owners.append(owner)
    return np.array(places, dtype=np.int32), np.array(coefficients, dtype=float), np.array(owners, dtype=np.int32)
