"""Amazon Braket's simulators in this process."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Instruction

from backends.border import border
from backends.dense import apply_matrix, zero_state
from backends.measurement.outcomes import Outcomes, all_bits
from backends.measurement.sampled import Sampling, sampling
from backends.memory import check
from backends.providers.braket_circuits import gates, in_brakets_words
from backends.providers.hardware import Here
from backends.seeds import child_seed
from circuits.errors import Refused

RATES = {"one_qubit_error": 0.001, "two_qubit_error": 0.01, "readout_error": 0.02}
"""Of ``braket:local-noise`` where nothing else is asked for: about those of machines of 2025."""

MOST_KNOWN = 4096
"""Gates, with their angles and qubits, that a simulator remembers."""


class BraketHere(Here):
    """A simulator of Braket's in this process.

    It computes the probabilities of all bit strings, noise of measurements included, and shots are drawn from them.
    What each gate and each of its noise channels is, Braket says; the state goes through them here, since Braket's own
    simulator takes circuits as text alone, and reading that takes far longer than following the state.

    Args:
        name: After ``braket:``.
        noise: A NoiseModel of Braket's, with which a density matrix is computed; None for a statevector.
    """

    def __init__(self, name: str, noise: Any):
        self.name = f"braket:{name}"
        self.summary = "Amazon Braket's local simulator, " + ("with noise" if noise is not None else "without noise")
        self.target = gates()
        self.n_qubits = None
        self.noisy = noise is not None
        self._noise = _ByPlace(noise) if noise is not None else None
        self._known: dict[Hashable, list[Step]] = {}

    def run(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """See `Here.run`."""
        outcomes = []
        for number, circuit in enumerate(circuits):
            n_qubits = circuit.num_qubits
            check(3 * 16 * 2 ** (2 * n_qubits if self.noisy else n_qubits), what=f"{n_qubits} qubits on {self.name}")
            request = sampling(circuit, (), shots=shots)
            p = self.probabilities(request)
            drawn = np.random.default_rng(child_seed(seed, number)).multinomial(shots, p)
            seen = np.flatnonzero(drawn)
            outcomes.append(request.classical(Outcomes(all_bits(len(p))[seen], drawn[seen])))
        return outcomes

    def probabilities(self, request: Sampling) -> np.ndarray:
        """Of all strings of the measured qubits, shape (2^k,); bit j of an index belongs to the j-th of them."""
        circuit = request.at_end(self.name)
        acted = [
            (one.operation, tuple(circuit.find_bit(qubit).index for qubit in one.qubits))
            for one in circuit.data
            if one.operation.name != "barrier"
        ]
        used = sorted({*request.qubits, *(qubit for _, qubits in acted for qubit in qubits)})
        with border(self.name):
            steps = [step for operation, qubits in acted for step in self._steps(operation, qubits)]
            if self._noise is not None:
                steps = [*self._noise.at_start(used), *steps, *self._noise.at_end(request.qubits)]
        n, place = len(used), {qubit: k for k, qubit in enumerate(used)}
        state = zero_state(2 * n if self.noisy else n)
        for step in steps:
            columns = tuple(place[qubit] for qubit in step.qubits)
            rows = tuple(n + k for k in columns) if self.noisy else ()
            state = apply_matrix(state, step.matrix, columns + rows)
        p = np.real(state.reshape(2**n, 2**n).diagonal()) if self.noisy else np.abs(state) ** 2
        others = tuple(n - 1 - place[qubit] for qubit in used if qubit not in request.qubits)
        p = p.reshape((2,) * n).sum(axis=others).reshape(-1).clip(0)
        return p / p.sum()

    def _steps(self, operation: Instruction, qubits: tuple[int, ...]) -> list["Step"]:
        """A gate and the noise after it; kept, since most gates of a circuit come again."""
        key = type(operation), operation.name, tuple(map(float, operation.params)), qubits
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            gate = QuantumCircuit(max(qubits) + 1)
            gate.append(operation, qubits)
            written = in_brakets_words(gate, self.name)
            noisy = written if self._noise is None else self._noise.after(written)
            self._known[key] = [_step(one, self.noisy) for one in noisy.instructions]
        return self._known[key]


@dataclass(frozen=True, eq=False)
class Step:
    """What happens to a state at some of its qubits.

    Attributes:
        matrix: Of a gate, shape (2^k, 2^k), or of a channel on vec(rho), row index first, shape (4^k, 4^k).
        qubits: Bit j of an index, of a row as of a column of rho, belongs to the j-th of them.
    """

    matrix: np.ndarray
    qubits: tuple[int, ...]


class _ByPlace:
    """A noise model of Braket's by where in a circuit its parts apply; later changes of the model change nothing."""

    def __init__(self, model: Any):
        from braket.circuits.noise_model import NoiseModel

        parts = model.get_instructions_by_type()
        self._start = NoiseModel(list(parts.initialization_noise))
        self._gates = NoiseModel(list(parts.gate_noise))
        self._end = NoiseModel(list(parts.readout_noise))

    def at_start(self, qubits: Sequence[int]) -> list[Step]:
        """Of qubits that are used."""
        from braket.circuits import Circuit

        circuit: Any = Circuit()
        return _noise_of(self._start.apply(circuit.i(qubits)))

    def after(self, gate: Any) -> Any:
        """A circuit of one gate, with the noise after it."""
        return self._gates.apply(gate)

    def at_end(self, qubits: Sequence[int]) -> list[Step]:
        """Of qubits that are measured."""
        from braket.circuits import Circuit

        return _noise_of(self._end.apply(Circuit().measure(qubits)))


def _noise_of(circuit: Any) -> list[Step]:
    from braket.circuits import Noise

    return [_step(one, True) for one in circuit.instructions if isinstance(one.operator, Noise)]


def _step(instruction: Any, noisy: bool) -> Step:
    """Of a gate or channel of Braket's, whose first qubit has the most significant bit."""
    if instruction.control or instruction.power != 1:
        raise Refused(f"{instruction.operator.name} with controls or a power is no gate of Braket's simulators here")
    told = instruction.operator.to_matrix()
    qubits = tuple(int(qubit) for qubit in reversed(instruction.target))
    if not noisy:
        return Step(np.asarray(told), qubits)
    kraus = [told] if isinstance(told, np.ndarray) else told
    return Step(np.sum([np.kron(K, np.conj(K)) for K in kraus], axis=0), qubits)


def noise_model(one_qubit_error: float, two_qubit_error: float, readout_error: float) -> Any:
    """Braket's NoiseModel of depolarizing noise after gates and of bits told wrong; arguments as of `braket.device`."""
    from braket.circuits import gates
    from braket.circuits.noise_model import GateCriteria, MeasureCriteria, NoiseModel
    from braket.circuits.noises import BitFlip, Depolarizing, TwoQubitDepolarizing

    for name, rate, most in (
        ("one_qubit_error", one_qubit_error, 0.75),
        ("two_qubit_error", two_qubit_error, 0.9375),
        ("readout_error", readout_error, 0.5),
    ):
        if rate > most:
            raise Refused(f"{name} must be from 0 to {most}, where nothing is left of the state; it is {rate}")
    ones = [gates.H, gates.X, gates.Y, gates.Z, gates.S, gates.Si, gates.T, gates.Ti, gates.V, gates.Vi]
    ones += [gates.Rx, gates.Ry, gates.Rz, gates.PhaseShift, gates.U]
    twos = [gates.CNot, gates.CY, gates.CZ, gates.CPhaseShift, gates.Swap, gates.ISwap, gates.ECR]
    twos += [gates.XX, gates.YY, gates.ZZ]
    model = NoiseModel()
    model.add_noise(Depolarizing(float(one_qubit_error)), GateCriteria(ones))
    model.add_noise(TwoQubitDepolarizing(float(two_qubit_error)), GateCriteria(twos))
    model.add_noise(BitFlip(float(readout_error)), MeasureCriteria())
    return model


def checked(noise: Any) -> Any:
    """A noise model of Braket's, all of which applies where bits are measured.

    Raises:
        Refused: for anything else.
    """
    from braket.circuits.noise_model import MeasureCriteria, NoiseModel

    if not isinstance(noise, NoiseModel):
        raise Refused(f"noise must be a NoiseModel of braket.circuits.noise_model; it is a {type(noise).__name__}")
    for item in noise.get_instructions_by_type().readout_noise:
        if not isinstance(item.criteria, MeasureCriteria):
            raise Refused(
                f"the noise model has noise of measurements by {type(item.criteria).__name__}, which Braket leaves out "
                "where bits are measured; write it with MeasureCriteria()"
            )
    return noise
