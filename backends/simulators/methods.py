"""What each of Aer's methods keeps in memory, and what gates, terms and shots cost it."""

from dataclasses import dataclass
from typing import Literal

from qiskit import QuantumCircuit

from backends.cost import Speed
from backends.machine import threads
from backends.memory import RETURNED_BYTES
from backends.simulators.bonds import bonds
from circuits.errors import BudgetExceeded

Method = Literal["statevector", "density_matrix", "matrix_product_state", "stabilizer"]

TABLEAU_SAMPLE = 12
"""Work of one bit string on the stabilizer method in n^2, as measured; of a Pauli string it is 1."""

COPIES = 3
"""Of a matrix-product state: itself, one to contract terms with, one that a swap is made in."""

DRAWN = 1 / 16
"""Of a state, what drawing bit strings takes beside; a state whose memory stays with the process is held twice."""

WORKSPACE = 6
"""Matrices of a decomposition: what is decomposed, its factors, and copies of both."""

TYPICAL: dict[str, Speed] = {
    "matrix_product_state": Speed(call=0.03, step=2e-5, amplitude=2e-8, first=0.05, first_step=5e-5, load=2.0),
    "stabilizer": Speed(call=0.03, step=2e-5, amplitude=1e-9, first=0.05, first_step=1e-4, load=2.0),
}
"""Of the methods that no probe for statevectors can measure, on a present-day processor."""


CONCEIVABLE = 50
"""Axes of the largest state, 2^50 numbers of 16 bytes, that is counted at all."""

TERMS_OF_A_STEP = 2
"""Pauli strings that take as long as a gate, on a state that is so small that its size does not count."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a method, whatever it is.

    Attributes:
        terms: Pauli strings, where expectation values are computed exactly.
        circuits: Circuits that are run, one for each measured group; 1 where values are exact.
        shots: Bit strings drawn from each circuit; 0 where none are.
        noise: Whether gates have errors: then, except for density matrices, each shot is a run of its own.
        merged: Whether gates on one qubit that follow each other become one.
    """

    terms: int = 0
    circuits: int = 1
    shots: int = 0
    noise: bool = False
    merged: bool = False


@dataclass(frozen=True)
class Amount:
    """What that amounts to.

    Attributes:
        passes: Gates, swaps, terms and samples, each a sweep.
        amplitudes: Numbers that a sweep touches, on average.
        memory_bytes: At once.
        steps: Gates, terms and circuits, whatever the state.
    """

    passes: float
    amplitudes: float
    memory_bytes: int
    steps: float


def check_conceivable(method: Method, n_qubits: int) -> None:
    """Refuse a state that no machine holds, before its gates are counted."""
    axes = {"statevector": 1, "density_matrix": 2}.get(method, 0) * n_qubits
    if axes > CONCEIVABLE:
        raise BudgetExceeded(
            f"{n_qubits} qubits take about 2^{axes + 4} bytes by Aer's method '{method}'; take "
            "method='matrix_product_state'"
        )


def amount(
    method: Method, circuit: QuantumCircuit, asked: Asked, *, limit: int | None = None, number_bytes: int = 16
) -> Amount:
    """Count passes, numbers and bytes.

    Args:
        method: Of Aer.
        circuit: Down to standard gates.
        asked: Of it.
        limit: The dimension at which the bonds of matrix-product states are cut.
        number_bytes: Of one amplitude.
    """
    n = circuit.num_qubits
    gates = float(_merged(circuit) if asked.merged else circuit.size())
    if method == "matrix_product_state":
        chain = bonds(circuit, limit, noise=asked.noise)
        run, term, sample = (chain.passes, chain.work), chain.term, chain.sample
        memory = 16 * (COPIES * chain.numbers + WORKSPACE * (2 * chain.widest) ** 2)
    elif method == "stabilizer":
        run, term, sample = (gates, gates * n), (1.0, float(n**2)), (1.0, TABLEAU_SAMPLE * float(n**2))
        memory = 12 * n * (2 * n + 1)  # of the tableau as Aer makes it and of the strings, as measured
    else:
        size = 4.0**n if method == "density_matrix" else 2.0**n
        run, term, sample = (gates, gates * size), (1.0, size), (0.0, 0.0)
        state = number_bytes * size
        alone = asked.noise and method == "statevector"  # each thread runs shots of its own
        sampled = (2.0 if state < RETURNED_BYTES else 1 + DRAWN) * (min(threads(), asked.shots) if alone else 1)
        memory = state * (sampled if asked.shots else 1)
    runs = asked.circuits * (asked.shots if asked.noise and asked.shots and method != "density_matrix" else 1)
    drawn = asked.circuits * asked.shots
    passes, work = (
        runs * of_run + asked.terms * of_term + drawn * of_sample
        for of_run, of_term, of_sample in zip(run, term, sample, strict=True)
    )
    passes = max(passes, 1.0)
    steps = runs * gates + asked.terms / TERMS_OF_A_STEP
    return Amount(passes, max(work / passes, 1.0), int(memory), steps)


def _merged(circuit: QuantumCircuit) -> int:
    """Gates, those on one qubit that follow each other counted as one."""
    found, turned = 0, set()
    for instruction in circuit.data:
        qubits = instruction.qubits
        if len(qubits) == 1 and not instruction.clbits:
            found += qubits[0] not in turned
            turned.update(qubits)
        else:
            found += 1
            turned.difference_update(qubits)
    return found
