"""A circuit under noise, and observables, as the C++ kernels take them."""

import numpy as np

from backends.density.evolution import every
from backends.density.program import Program
from backends.statevector import native

Strings = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of all terms the places of their expectation values, their coefficients, and their observables."""


def kernel_of(program: Program, strings: Strings, n_observables: int) -> native.NoisyProgram:
    """The program of the kernels; its inputs are those of `backends.density.steps.inputs_of`.

    Args:
        program: The circuit.
        strings: The terms of the observables.
        n_observables: How many there are.
    """
    place, coefficient, owner = strings
    return native.NoisyProgram(
        n_qubits=program.n_qubits,
        n_alpha=program.angles.n_angles,
        n_channels=program.n_channels,
        n_edges=len(program.edges),
        ones=program.ones.reshape(-1),
        ones_angle=program.ones_angle,
        twos=program.twos.reshape(-1),
        twos_angle=program.twos_angle,
        chains=program.chains,
        bases=program.bases,
        segments=program.segments,
        blocks=program.blocks,
        pairs=program.pairs_array,
        place=place,
        coefficient=coefficient,
        owner=owner,
        n_observables=n_observables,
        every=every(len(program.pairs), program.n_qubits),
    )
