"""What all other backends are checked against: slow, obvious, exact.

A dense state in numpy; each gate is the matrix that Qiskit gives for it, each observable is evaluated term by term.
Nothing here is clever, so that a disagreement is the other backend's fault until shown otherwise.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction
from qiskit.circuit.library import PauliEvolutionGate

from backends import dense
from backends.base import Backend, Capabilities, Samples, States
from backends.batch import Evaluate, Expectations
from backends.border import border
from backends.checks import ObservablesLike, as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.gradients.shift_rule import n_shifted
from backends.instructions import exponents, flatten, has_matrix, matrix_of
from backends.libraries import NONE
from backends.measurement.groups import measurements
from backends.measurement.sampled import sampling
from backends.memory import check, in_bytes
from circuits.errors import Refused

MAX_QUBITS = 20
MAX_GATE_QUBITS = 6


class Reference(Backend, Samples, States):
    """Dense statevector in numpy, gate by gate, in double precision; at most 20 qubits.

    A `PauliEvolutionGate` whose strings all commute is applied exactly, string by string; any other means its
    ``definition``, the Trotter synthesis that hardware would run.
    """

    automatic = False

    def capabilities(self) -> Capabilities:
        """What this backend can do."""
        return Capabilities(
            name="reference",
            summary="plain NumPy statevector, which checks the others",
            max_qubits=MAX_QUBITS,
            exact=True,
            noise=False,
            gradient="parameter-shift",
            steady=True,
        )

    def footprint(self, work: Work) -> Footprint:
        """Gates, strings of evolutions and terms, each a pass; some states are held.

        Raises:
            Refused: above 20 qubits, or for a gate without matrix and definition.
        """
        n_qubits = work.circuit.num_qubits
        self._check_size(n_qubits)
        gates = sum(_passes(gate) for gate, _ in flatten(work.circuit, _keep))
        passes = gates + sum(len(observable) for observable in work.observables)
        values = 1 + n_shifted(work.circuit) if work.derivative else 1
        error = 0.0 if work.shots is None else measurements(work.observables).standard_error(work.shots)
        library = "scipy.sparse" if work.derivative else NONE  # for the shifted angles
        return Footprint(passes, 2.0**n_qubits, _memory_bytes(n_qubits), values, error, library=library)

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """Check everything; there is nothing to compile. See `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_size(circuit.num_qubits)
        check(_memory_bytes(circuit.num_qubits), what=f"{circuit.num_qubits} qubits on reference")

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            start = time.perf_counter()
            plan = None if shots is None else measurements(observables)
            streams = np.random.SeedSequence(seed).spawn(len(rows))
            values = np.empty((len(rows), len(observables)))
            errors = np.zeros_like(values)
            for k, row in enumerate(rows):
                psi = state(circuit.assign_parameters(row))
                if plan is None or shots is None:
                    values[k] = [dense.expectation(psi, observable) for observable in observables]
                else:
                    values[k], errors[k] = dense.estimate(psi, plan, shots, streams[k])
            return Expectations(values, errors, shots or 0, {"execute": time.perf_counter() - start})

        return evaluate

    def states(self, circuit: QuantumCircuit) -> Callable[[np.ndarray], np.ndarray]:
        """The final states, global phase included; see `States`."""
        check_unitary(circuit)
        self._check_size(circuit.num_qubits)
        check(_memory_bytes(circuit.num_qubits), what=f"{circuit.num_qubits} qubits on reference")
        return lambda row: state(circuit.assign_parameters(row)).reshape(-1)

    def _check_size(self, n_qubits: int) -> None:
        if n_qubits > MAX_QUBITS:
            raise Refused(
                f"{n_qubits} qubits are too many for 'reference', which takes {MAX_QUBITS} at most "
                f"(its states would take {in_bytes(_memory_bytes(n_qubits))}); use 'statevector' or 'lightning'"
            )

    def sample(
        self, circuit: QuantumCircuit, parameters: Any = (), *, shots: int = 1024, seed: int | None = None
    ) -> dict[str, int]:
        """Counts of bit strings, of circuits that measure at their end at most; see `Samples`."""
        request = sampling(circuit, parameters, shots=shots, seed=seed)
        circuit, row = request.at_end("reference"), request.row
        self._check_size(circuit.num_qubits)
        check(_memory_bytes(circuit.num_qubits), what=f"{circuit.num_qubits} qubits on reference")
        psi = state(circuit.assign_parameters(row))
        return request.of_all(dense.draw(dense.probabilities(psi), shots, np.random.default_rng(seed)))


def _memory_bytes(n_qubits: int) -> int:
    """Of a state, the one that a gate makes of it, and what NumPy and a draw make on the way: five states in all."""
    return 5 * 16 * 2**n_qubits


@border("reference")
def state(circuit: QuantumCircuit) -> np.ndarray:
    """The state that a circuit without free parameters prepares from |0...0>, global phase included.

    Returns:
        Shape (2,) * n; flattened, the index is Qiskit's (qubit 0 is the least significant bit).
    """
    psi = dense.zero_state(circuit.num_qubits)
    for gate, qubits in flatten(circuit, _keep):
        if gate.name == "global_phase":
            psi = np.exp(1j * float(gate.params[0])) * psi
        elif isinstance(gate, PauliEvolutionGate):
            for label, angle in exponents(gate) or ():
                psi = np.cos(float(angle) / 2) * psi - 1j * np.sin(float(angle) / 2) * dense.apply_pauli(
                    psi, label, qubits
                )
        else:
            psi = dense.apply_matrix(psi, matrix_of(gate), qubits)
    return psi


def _keep(gate: Instruction) -> bool:
    if isinstance(gate, PauliEvolutionGate):
        return exponents(gate) is not None
    return has_matrix(gate, MAX_GATE_QUBITS)


def _passes(gate: Instruction) -> int:
    return len(exponents(gate) or ()) if isinstance(gate, PauliEvolutionGate) else 1
