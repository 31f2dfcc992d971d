"""What the statevector engine reaches on this machine, by kind of kernel."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp

from backends.base import Precision
from backends.statevector.circuit.lower import lower
from backends.statevector.native.program import NativeProgram, work_of_energy, work_of_slopes
from hybrid.codesign.machine.repeated import Repeated, repeated

LAYERS = 4
"""Of the circuits that are timed."""

WEIGHT = 4
"""Letters of the strings that are not on one or two qubits."""

MOST_S = 0.5
"""No kernel is timed for longer, but once at least."""


@dataclass(frozen=True)
class Kernel:
    """One kind of work of the engine, as it was timed.

    Attributes:
        kind: What the circuit was made of.
        n_qubits: Its width.
        precision: Of the amplitudes.
        cores: That computed.
        flops: Additions and multiplications, as the engine counts them.
        bytes: Of states, read and written, as the engine counts them.
        seconds: Of one evaluation.
    """

    kind: str
    n_qubits: int
    precision: Precision
    cores: int
    flops: float
    bytes: float
    seconds: Repeated

    @property
    def intensity(self) -> float:
        """Operations for each byte."""
        return self.flops / self.bytes

    @property
    def flops_per_s(self) -> float:
        """Of the fastest repetition: what else runs on the machine only adds."""
        return self.flops / self.seconds.low

    @property
    def bytes_per_s(self) -> float:
        """Of the fastest repetition."""
        return self.bytes / self.seconds.low

    @property
    def state_bytes(self) -> int:
        """Of one state."""
        return state_bytes(self.n_qubits, self.precision)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        kept = ("kind", "n_qubits", "precision", "cores", "flops", "bytes", "intensity", "flops_per_s", "bytes_per_s")
        return {key: getattr(self, key) for key in kept} | {"seconds": self.seconds.to_dict()}


def state_bytes(n_qubits: int, precision: Precision) -> int:
    """Size of one state.

    Args:
        n_qubits: Of it.
        precision: Of its amplitudes.
    """
    return 2**n_qubits * (16 if precision == "double" else 8)


def measure_kernels(n_qubits: int, precision: Precision, cores: int, repeats: int) -> Iterator[Kernel]:
    """Time every kind of kernel at one size.

    Args:
        n_qubits: Of the states.
        precision: Of the amplitudes.
        cores: That compute.
        repeats: Repetitions of each, after one that warms up; fewer where they take long.
    """
    one = SparsePauliOp.from_sparse_list([("Z", [0], 1.0)], n_qubits)
    rng = np.random.default_rng(n_qubits)
    layers = {
        "one-qubit rotations": _one_qubit,
        "diagonal gates": _diagonals,
        "Pauli rotations": lambda circuit, k: _strings(circuit, k, np.random.default_rng(k)),
        "two-qubit blocks": _two_qubit,
    }
    for kind, layer in layers.items():
        yield _timed(kind, _circuit(n_qubits, layer), one, precision, cores, repeats, slopes=False)
    many = SparsePauliOp.from_sparse_list([(*_string(rng, n_qubits), 1.0) for _ in range(8 * n_qubits)], n_qubits)
    yield _timed("expectation", _circuit(n_qubits, _one_qubit, 1), many, precision, cores, repeats, slopes=False)
    brickwork = _circuit(n_qubits, lambda circuit, k: (_one_qubit(circuit, k), _two_qubit(circuit, k)))
    yield _timed("value and gradient (adjoint)", brickwork, one, precision, cores, repeats, slopes=True)


def _timed(
    kind: str,
    circuit: QuantumCircuit,
    observable: SparsePauliOp,
    precision: Precision,
    cores: int,
    repeats: int,
    *,
    slopes: bool,
) -> Kernel:
    n, real = circuit.num_qubits, np.dtype(np.float64 if precision == "double" else np.float32)
    program = NativeProgram(lower(circuit), real)
    kernel = program.kernel((observable,), undone=slopes)
    angles = program.angles.values(np.linspace(0.1, 1.0, circuit.num_parameters)[None])
    call = kernel.energies_and_slopes if slopes else kernel.energies
    work = work_of_energy(kernel, n, real)
    if slopes:
        back = work_of_slopes(kernel, n, real)
        work = {what: work[what] + back[what] for what in work}
    seconds = repeated(_times(lambda: call(angles, cores), repeats))
    return Kernel(kind, n, precision, cores, work["flops"], work["bytes"], seconds)


def _times(job: Callable[[], object], repeats: int) -> Iterator[float]:
    job()
    begun = time.perf_counter()
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        yield time.perf_counter() - start
        if time.perf_counter() - begun > MOST_S:
            return


def _circuit(n_qubits: int, layer: Callable[[QuantumCircuit, int], object], layers: int = LAYERS) -> QuantumCircuit:
    circuit = QuantumCircuit(n_qubits)
    for k in range(layers):
        layer(circuit, k)
    return circuit


def _one_qubit(circuit: QuantumCircuit, k: int) -> None:
    for qubit in range(circuit.num_qubits):
        (circuit.ry if k % 2 else circuit.rx)(_free(circuit), qubit)


def _diagonals(circuit: QuantumCircuit, k: int) -> None:
    n = circuit.num_qubits
    for qubit in range(n):
        circuit.rzz(_free(circuit), qubit, (qubit + 1 + k) % n)
    circuit.rx(_free(circuit), k % n)  # or all layers would be one


def _two_qubit(circuit: QuantumCircuit, k: int) -> None:
    for qubit in range(k % 2, circuit.num_qubits - 1, 2):
        for gate in (circuit.rxx, circuit.ryy, circuit.rzz):
            gate(_free(circuit), qubit, qubit + 1)


def _strings(circuit: QuantumCircuit, k: int, rng: np.random.Generator) -> None:
    for _ in range(circuit.num_qubits):
        letters, qubits = _string(rng, circuit.num_qubits)
        circuit.append(PauliEvolutionGate(SparsePauliOp(letters[::-1]), _free(circuit)), qubits)


def _string(rng: np.random.Generator, n_qubits: int) -> tuple[str, list[int]]:
    """Letters, and the qubits that they act on."""
    qubits = rng.choice(n_qubits, min(WEIGHT, n_qubits), replace=False)
    return "".join(rng.choice(list("XYZ"), len(qubits))), [int(qubit) for qubit in qubits]


def _free(circuit: QuantumCircuit):
    return Parameter(f"t{len(circuit.data)}")
