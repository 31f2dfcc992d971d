"""PennyLane Lightning: its C++ statevector with adjoint gradients, behind a gate map of our own.

`LightningDevice` is what its devices have in common, `Lightning` the one on the processor.

Qubit q is Lightning's wire n-1-q, so that its amplitudes come in Qiskit's order.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp

from backends import dense, memory
from backends.angles import Angles, compile_angles
from backends.base import Backend, Capabilities, Precision, Samples
from backends.batch import Evaluate, Expectations
from backends.border import border
from backends.checks import ObservableLike, ObservablesLike, as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.gpu import Held
from backends.gradients.parameter_shift import ValueAndGradient
from backends.gradients.shift_rule import n_shifted
from backends.gradients.value_and_gradient import as_function
from backends.instructions import exponents, flatten, has_matrix, is_free, matrix_of, terms
from backends.machine import threads
from backends.measurement.groups import measurements
from backends.measurement.sampled import sampling

Kind = Literal["value", "samples", "gradient"]

MAX_GATE_QUBITS = 6
STATES: dict[Kind, int] = {"value": 5, "samples": 6, "gradient": 7}
"""States that one thread holds at once, as measured: an observable of several terms is applied to copies of the state.

A gradient holds the final state, lambda and a copy of each for derivatives beside those.
"""

THREAD_STATES = 2
"""More for each other thread: it applies terms to a copy of its own, and adds them up in another."""

STAYING, THREAD_STAYING = 2, 11
"""Smaller states (see `backends.memory.RETURNED_BYTES`) that are held in the end, and those of each thread, as measured
over up to 64 values."""

FEW = 2
"""Values after which nothing has stayed yet."""

FIXED = {
    "x": "PauliX", "y": "PauliY", "z": "PauliZ", "h": "Hadamard", "s": "S", "t": "T", "sx": "SX",
    "cx": "CNOT", "cy": "CY", "cz": "CZ", "swap": "SWAP", "cswap": "CSWAP", "ccx": "Toffoli",
}  # fmt: skip
TURNING = {
    "rx": "RX", "ry": "RY", "rz": "RZ", "p": "PhaseShift", "u1": "PhaseShift", "crx": "CRX", "cry": "CRY", "crz": "CRZ",
    "cp": "ControlledPhaseShift", "cu1": "ControlledPhaseShift", "rxx": "IsingXX", "ryy": "IsingYY", "rzz": "IsingZZ",
}  # fmt: skip
"""Gates with one angle that mean the same in both libraries, and that Lightning differentiates itself."""


class LightningDevice(Backend, Samples):
    """A statevector simulator of Lightning's, with adjoint gradients.

    Args:
        precision: Of the amplitudes: "double" (complex128) or "single" (complex64).
    """

    name: ClassVar[str]
    """Of the backend."""

    device: ClassVar[str]
    """PennyLane's name of it."""

    def __init__(self, *, precision: Annotated[Precision, '"double" or "single"'] = "double"):
        self._precision: Precision = precision
        self._dtype = {"double": np.complex128, "single": np.complex64}[precision]

    @abstractmethod
    def summary(self) -> str:
        """One line for a table."""

    @abstractmethod
    def held(self, n_qubits: int, what: Kind, n_calls: int = 1) -> Held:
        """The memory that so many values, samples or gradients take at once, one after another."""

    @abstractmethod
    def free_bytes(self) -> int:
        """What the memory that holds the states may still give."""

    def capabilities(self) -> Capabilities:
        """Exact, without noise, with gradients of its own."""
        return Capabilities(
            name=self.name,
            summary=self.summary(),
            max_qubits=None,
            exact=True,
            noise=False,
            gradient="adjoint",
            precision=self._precision,
        )

    def footprint(self, work: Work) -> Footprint:
        """Operations as Lightning gets them, and letters of terms; the states that its threads hold."""
        n_qubits = work.circuit.num_qubits
        gates = sum(_passes(gate) for gate, _ in flatten(work.circuit, _keep))
        n_terms = sum(map(len, work.observables))
        letters = sum(
            int(np.count_nonzero(observable.paulis.x | observable.paulis.z)) for observable in work.observables
        )
        sampled = work.shots is not None
        error = measurements(work.observables).standard_error(work.shots) if work.shots is not None else 0.0
        kind: Kind = "samples" if sampled else "gradient" if work.derivative else "value"
        held = self.held(n_qubits, kind, work.n_evaluations * work.n_rows)
        where = "" if held.on_card is None else f" on {held.on_card.card.name}"
        return Footprint(
            passes=gates + n_terms + letters,
            amplitudes=2.0**n_qubits,
            memory_bytes=held.memory_bytes,
            on_card=held.on_card,
            values=1 + n_shifted(work.circuit) if work.derivative and sampled else 1,
            standard_error=error,
            steps=gates + n_terms / 2,
            library="pennylane",
            kind=self.device + (", counted" if sampled else "") + where,
        )

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """Convert the circuit and the observables once; see `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_memory(circuit.num_qubits, "value")
        start = time.perf_counter()
        program = self._program(circuit, observables)
        seconds = {"compile": time.perf_counter() - start}

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            start = time.perf_counter()
            if shots is None:
                values = np.array([program.values(angles) for angles in program.angles.values(rows)])
                values = values.reshape(len(rows), len(observables))
                errors = np.zeros_like(values)
            else:
                self._check_memory(circuit.num_qubits, "samples")
                plan = measurements(observables)
                streams = np.random.SeedSequence(seed).spawn(len(rows))
                estimates = [
                    dense.estimate(program.state(angles), plan, shots, stream)
                    for angles, stream in zip(program.angles.values(rows), streams, strict=True)
                ]
                both = np.array(estimates).reshape(len(rows), 2, len(observables))
                values, errors = both[:, 0], both[:, 1]
            spent = {**seconds, "execute": time.perf_counter() - start}
            seconds["compile"] = 0.0
            return Expectations(values, errors, shots or 0, spent)

        return evaluate

    def value_and_grad(
        self,
        circuit: QuantumCircuit,
        observable: ObservableLike,
        *,
        precision: float | None = None,
        shots: int | None = None,
        seed: int | None = None,
    ) -> ValueAndGradient:
        """Adjoint gradients; with shots, parameter shift on samples; see `Backend.value_and_grad`."""
        check_request(precision, shots, seed)
        if shots is not None:
            return super().value_and_grad(circuit, observable, precision=precision, shots=shots, seed=seed)
        check_unitary(circuit)
        (observable,) = as_observables(observable, circuit.num_qubits)
        self._check_memory(circuit.num_qubits, "gradient")
        program = self._program(circuit, (observable,))

        def evaluate(rows: np.ndarray, seed: int | None) -> tuple[np.ndarray, np.ndarray]:
            values, gradients = np.empty(len(rows)), np.empty(rows.shape)
            for k, (row, angles) in enumerate(zip(rows, program.angles.values(rows), strict=True)):
                values[k], slopes = program.value_and_slopes(angles)
                gradients[k] = program.angles.jacobian(row).T @ slopes
            return values, gradients

        return as_function(circuit, evaluate, seed)

    def sample(
        self, circuit: QuantumCircuit, parameters: Any = (), *, shots: int = 1024, seed: int | None = None
    ) -> dict[str, int]:
        """Counts of bit strings, of circuits that measure at their end at most; see `Samples`."""
        request = sampling(circuit, parameters, shots=shots, seed=seed)
        circuit, row = request.at_end(self.name), request.row
        self._check_memory(circuit.num_qubits, "samples")
        program = self._program(circuit, ())
        psi = program.state(program.angles.values(row[None])[0])
        return request.of_all(dense.draw(dense.probabilities(psi), shots, np.random.default_rng(seed)))

    def _program(self, circuit: QuantumCircuit, observables: Sequence[SparsePauliOp]) -> "Program":
        import pennylane as qml
        from pennylane.tape import QuantumScript

        device = qml.device(self.device, wires=circuit.num_qubits, c_dtype=self._dtype)
        operations, places, angles = convert(circuit)
        measured = [qml.expval(_observable(observable)) for observable in observables]
        tape = QuantumScript(operations, measured, trainable_params=places)
        return Program(device, tape, compile_angles(angles, circuit.parameters), self.name, self.free_bytes)

    def _check_memory(self, n_qubits: int, what: Kind) -> None:
        self.held(n_qubits, what).check(what=f"{n_qubits} qubits on {self.name}")


class Lightning(LightningDevice):
    """Lightning on the processor: ``lightning.qubit``; see `LightningDevice`."""

    library = "pennylane_lightning.lightning_qubit"
    name = "lightning"
    device = "lightning.qubit"

    def summary(self) -> str:
        """One line for a table."""
        return "PennyLane Lightning statevector"

    def held(self, n_qubits: int, what: Kind, n_calls: int = 1) -> Held:
        """All of it is this machine's."""
        single = self._precision == "single" and what != "samples"  # samples are drawn in double precision
        state = (8 if single else 16) * 2**n_qubits
        n_states = STATES[what]
        if what != "samples":
            stays = state < memory.RETURNED_BYTES and (what == "gradient" or n_calls > FEW)
            n_states += THREAD_STATES * (threads() - 1)
            n_states = max(n_states, STAYING + THREAD_STAYING * threads()) if stays else n_states
        return Held(n_states * state)

    def free_bytes(self) -> int:
        """What this process may still allocate."""
        return memory.free_bytes()


@dataclass(frozen=True, eq=False)
class Program:
    """A circuit and its observables as Lightning takes them.

    Attributes:
        device: The Lightning device.
        tape: PennyLane's circuit; its trainable parameters are the free angles, in their order.
        angles: The free angles as functions of the circuit's parameters.
        name: Of the backend.
        free_bytes: What its memory may still give.
    """

    device: Any
    tape: Any
    angles: Angles
    name: str
    free_bytes: Callable[[], int]

    def values(self, angles: np.ndarray) -> np.ndarray:
        """Expectation values, shape (observables,)."""
        with border(self.name, free_bytes=self.free_bytes):
            return np.array(self.device.execute([self._bind(angles)])[0], dtype=np.float64).reshape(-1)

    def value_and_slopes(self, angles: np.ndarray) -> tuple[float, np.ndarray]:
        """Expectation value of the only observable, and its derivatives by the angles."""
        from pennylane.devices import ExecutionConfig

        if not len(angles):
            return float(self.values(angles)[0]), np.zeros(0)
        config = ExecutionConfig(gradient_method="adjoint")
        with border(self.name, free_bytes=self.free_bytes):
            values, slopes = self.device.execute_and_compute_derivatives([self._bind(angles)], config)
        return float(values[0]), np.array(slopes[0], dtype=np.float64).reshape(-1)

    def state(self, angles: np.ndarray) -> np.ndarray:
        """The final state, shape (2,) * n, as in `backends.dense`; up to a global phase."""
        import pennylane as qml
        from pennylane.tape import QuantumScript

        tape = QuantumScript(self._bind(angles).operations, [qml.state()])
        with border(self.name, free_bytes=self.free_bytes):
            psi = np.asarray(self.device.execute([tape])[0], dtype=np.complex128)
        return psi.reshape((2,) * len(self.device.wires))

    def _bind(self, angles: np.ndarray) -> Any:
        places = self.tape.trainable_params
        return self.tape.bind_new_parameters(list(angles), places) if places else self.tape


def convert(circuit: QuantumCircuit) -> tuple[list, list[int], list]:
    """A circuit as PennyLane operations, up to its global phase.

    Returns:
        The operations; where among all their parameters each free angle stands; the free angles.
    """
    import pennylane as qml

    operations: list = []
    places: list[int] = []
    angles: list = []
    count = 0
    for name, wires, angle in _convert(circuit):
        if isinstance(name, np.ndarray):
            operations.append(qml.QubitUnitary(name, wires))
        elif angle is None:
            operations.append(getattr(qml, name)(wires=wires))
        elif isinstance(angle, float):
            operations.append(getattr(qml, name)(angle, wires=wires))
        else:
            operations.append(getattr(qml, name)(0.0, wires=wires))
            places.append(count)
            angles.append(angle)
        count += operations[-1].num_params
    return operations, places, angles


def _convert(circuit: QuantumCircuit) -> Iterator[tuple[Any, list[int], Any]]:
    """Yield (name or matrix, wires, angle or None), free angles as expressions."""
    last = circuit.num_qubits - 1
    for gate, qubits in flatten(circuit, _keep):
        wires = [last - q for q in qubits]
        if gate.name == "global_phase":
            continue
        if gate.name in FIXED:
            yield FIXED[gate.name], wires, None
        elif gate.name in TURNING:
            yield TURNING[gate.name], wires, _number(gate.params[0])
        elif gate.name in ("u", "u3") and is_free(gate):
            theta, phi, lam = (_number(angle) for angle in gate.params)
            yield from (("RZ", wires, lam), ("RY", wires, theta), ("RZ", wires, phi))
        elif isinstance(gate, PauliEvolutionGate):
            for label, angle in exponents(gate) or ():
                yield from _pauli_rotation(label, wires, _number(angle))
        else:
            yield matrix_of(gate), wires[::-1], None


def _pauli_rotation(label: str, wires: list[int], angle: Any) -> Iterator[tuple[str, list[int], Any]]:
    """exp(-i angle/2 P) as a Z rotation between changes of basis: Lightning's adjoint is wrong for its own PauliRot."""
    acting = [(letter, wire) for letter, wire in zip(reversed(label), wires, strict=True) if letter != "I"]
    if not acting:
        return
    for letter, wire in acting:
        if letter != "Z":
            yield ("Hadamard", [wire], None) if letter == "X" else ("RX", [wire], np.pi / 2)
    yield "MultiRZ", [wire for _, wire in acting], angle
    for letter, wire in acting:
        if letter != "Z":
            yield ("Hadamard", [wire], None) if letter == "X" else ("RX", [wire], -np.pi / 2)


def _number(angle: Any) -> Any:
    return angle if getattr(angle, "parameters", None) else float(angle)


def _keep(gate: Instruction) -> bool:
    if gate.name in FIXED or gate.name in TURNING or gate.name in ("u", "u3"):
        return True
    if isinstance(gate, PauliEvolutionGate):
        return exponents(gate) is not None
    return not is_free(gate) and has_matrix(gate, MAX_GATE_QUBITS)


def _passes(gate: Instruction) -> int:
    """How many operations a gate becomes; see `_pauli_rotation`."""
    if not isinstance(gate, PauliEvolutionGate):
        return 1
    return sum(1 + 2 * sum(letter in "XY" for letter in label) for label, _ in exponents(gate) or ())


def _observable(observable: SparsePauliOp) -> Any:
    from pennylane.pauli import PauliSentence, PauliWord

    sentence = PauliSentence()
    for label, coefficient in terms(observable):  # a label's first letter acts on the last qubit, which is wire 0
        sentence[PauliWord({wire: letter for wire, letter in enumerate(label) if letter != "I"})] += coefficient
    return sentence.operation(wire_order=range(len(label)))
