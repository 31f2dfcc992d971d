"""Circuits in files as an application: how close a device's outcomes are to the exact ones."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector

from backends.base import Backend
from circuits.errors import Refused
from circuits.interop.openqasm import from_qasm
from circuits.interop.qpy import load_circuit
from hybrid.codesign.suite.benchmark import Answer, Benchmark, Estimate, Score, Size, SuiteName, Task
from hybrid.codesign.suite.fidelity import hellinger, normalized
from hybrid.codesign.suite.figures_of_merit import predicted
from hybrid.runs.files import read_bytes

MAX_QUBITS = 20
"""Most qubits in use whose exact outcomes are computed."""


class CircuitFiles(Benchmark):
    """Hellinger fidelity of the outcomes of circuits in files with their exact distribution.

    Qubits that no gate touches are left out, so that a circuit for a large device runs anywhere; classical bits are
    read in the file's order.

    Args:
        name: For commands and records.
        title: For tables and pictures.
        files: Number of qubits to the file of that size, OpenQASM 2 or 3 or QPY.
    """

    least: ClassVar[int] = 1
    shots = 4000  # more than outcomes, where that can be; see `hellinger`

    def __init__(self, name: str, title: str, files: Mapping[int, Path]):
        found = tuple(Size(n) for n in files)
        self.name, self.title, self._files = name, title, files  # pyright: ignore[reportAttributeAccessIssue]
        self.sizes: Mapping[SuiteName, tuple[Size, ...]] = {"quick": found, "small": found, "full": found}  # pyright: ignore

    def check(self, size: Size) -> None:
        """There must be a file of the size; see `Benchmark.check`.

        Raises:
            Refused: if there is none.
        """
        if size.depth is not None or size.n_qubits not in self._files:
            raise Refused(f"{self.name} has files of {', '.join(map(str, self._files))} qubits, not of {size}")

    def digests(self) -> dict[str, str]:
        """SHA-256 of each file, by name and size as text."""
        return {f"{self.name} {n}": hashlib.sha256(read_bytes(file)).hexdigest() for n, file in self._files.items()}

    def circuit(self, n_qubits: int) -> QuantumCircuit:
        """The circuit in the file of a size, without qubits that no gate touches, all of it measured.

        Args:
            n_qubits: As the file's name says.

        Raises:
            Refused: if the file cannot be read, or has parameters without values.
        """
        file = self._files[n_qubits]
        read = load_circuit(file) if file.suffix.lower() == ".qpy" else from_qasm(file)[0]
        if read.parameters:
            raise Refused(
                f"{file} has parameters without values, such as {next(iter(read.parameters)).name}; bind them"
            )
        return in_use(read)

    def circuits(self, size: Size, *, shots: int, seed: int) -> Sequence[Task]:
        """The circuit; see `Benchmark.circuits`.

        Raises:
            Refused: if its exact outcomes cannot be computed.
        """
        del seed
        circuit = self.circuit(size.n_qubits)
        return [Task(circuit, shots=shots, facts={"exact": outcomes(circuit, self._files[size.n_qubits].name)})]

    def predicted(self, size: Size, backend: Backend) -> dict[str, Estimate]:
        """Figures of merit on a backend that is a device; see `hybrid.codesign.suite.figures_of_merit.predicted`.

        Args:
            size: Of the circuit.
            backend: Any.
        """
        return predicted(self.circuit(size.n_qubits), backend)

    def reference(self, size: Size, *, seed: int) -> float:
        """The exact outcomes, for very many shots."""
        del size, seed
        return 1.0

    def score(self, size: Size, tasks: Sequence[Task], answers: Sequence[Answer]) -> Score:
        """The fidelity, also above guessing; see `Benchmark.score`."""
        del size
        ideal = tasks[0].facts["exact"]
        found = hellinger(answers[0].counts, ideal)
        return Score(found.value, found.standard_error, {"above_guessing": normalized(found, ideal)})


def in_use(circuit: QuantumCircuit) -> QuantumCircuit:
    """A circuit on the qubits that its gates touch, in order, with one register of classical bits.

    Args:
        circuit: Where it measures nothing, all qubits in use are measured.
    """
    used = {qubit for one in circuit.data if one.operation.name != "barrier" for qubit in one.qubits}
    kept = [qubit for qubit in circuit.qubits if qubit in used] or circuit.qubits[:1]
    place = {qubit: k for k, qubit in enumerate(kept)}
    bits = {bit: k for k, bit in enumerate(circuit.clbits)}
    measures = any(one.operation.name == "measure" for one in circuit.data)
    small = QuantumCircuit(len(kept), len(bits) if measures else 0, global_phase=circuit.global_phase)
    for one in circuit.data:
        on = [place[qubit] for qubit in one.qubits if qubit in place]
        if one.operation.name == "barrier":
            small.barrier(on)
        else:
            small.append(one.operation, on, [bits[bit] for bit in one.clbits])
    if not measures:
        small.measure_all()
    return small


def outcomes(circuit: QuantumCircuit, name: str) -> np.ndarray:
    """Probabilities of the classical bits of a circuit that measures at its end alone, shape (2**bits,).

    Args:
        circuit: The circuit.
        name: Of it, for messages.

    Raises:
        Refused: if it measures or resets qubits that are used again, or has more than `MAX_QUBITS`.
    """
    if circuit.num_qubits > MAX_QUBITS or circuit.num_clbits > MAX_QUBITS:
        raise Refused(
            f"{name} uses {circuit.num_qubits} qubits; exact outcomes, which its score compares with, are computed up "
            f"to {MAX_QUBITS}"
        )
    gates = circuit.copy_empty_like()
    source: dict[int, int] = {}
    done: set[int] = set()
    for one in circuit.data:
        on = [circuit.find_bit(qubit).index for qubit in one.qubits]
        if one.operation.name == "measure":
            source[circuit.find_bit(one.clbits[0]).index] = on[0]
            done.update(on)
        elif one.operation.name != "barrier":
            if one.clbits or one.operation.name == "reset" or done.intersection(on) or hasattr(one.operation, "blocks"):
                raise Refused(f"{name} measures or resets qubits in its midst; its exact outcomes are not computed")
            gates.append(one)
    read = sorted(source)
    p = Statevector(gates).probabilities([source[bit] for bit in read])
    full = np.zeros(1 << circuit.num_clbits)
    index = np.zeros(p.size, dtype=int)
    for k, bit in enumerate(read):
        index |= ((np.arange(p.size) >> k) & 1) << bit
    full[index] = p
    return full
