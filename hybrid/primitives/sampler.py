"""Measured bit strings behind Qiskit's interface of samplers."""

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from threading import Event

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2, BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub, SamplerPubLike
from qiskit.quantum_info import SparsePauliOp

from backends import memory
from backends.base import Draw, Samples
from backends.checks import as_rows, check_request
from backends.instructions import hides, written_out
from backends.measurement.outcomes import from_counts
from backends.measurement.sampled import measures, sampling
from backends.seeds import child_seed
from circuits.problems.checks import whole
from hybrid.primitives.asked import AskedCounts, checked_backend, checked_label, place
from hybrid.primitives.bits import n_bytes, order, packed, registers
from hybrid.primitives.job import Job
from hybrid.primitives.metadata import Metadata
from hybrid.primitives.seed import Seed, checked_seed, root
from hybrid.primitives.turns import MACHINE, answers, check
from hybrid.workload.arguments import BackendLike

NOBODY = ("none", "nothing is measured")
"""Who computes, and why, where every bit is 0."""


class Sampler(BaseSamplerV2):
    """Measured bit strings from any backend of the toolkit, as Qiskit's SamplerV2.

    With "auto" each pub goes where a plan sends it; circuits that measure, reset or decide on the way go to backends
    that can do so.

    Args:
        backend: "auto", a name that `backends.get` knows, a `Backend`, or a Qiskit BackendV2.
        default_shots: Of each row of parameters, where neither the pub nor `run` says how many.
        seed: Root of the random numbers; see `Seed`.
        label: Classification of the data: "open", "internal" or "restricted".

    Raises:
        Refused: for an unknown backend or label, or shots or a seed that mean nothing.

    Examples:
        >>> from qiskit import QuantumCircuit
        >>> bell = QuantumCircuit(2)
        >>> _ = bell.h(0), bell.cx(0, 1), bell.measure_all()
        >>> result = Sampler("statevector", seed=0).run([bell], shots=1000).result()
        >>> sorted(result[0].data.meas.get_counts()), result[0].data.meas.num_shots
        (['00', '11'], 1000)
    """

    def __init__(
        self, backend: BackendLike = "auto", *, default_shots: int = 1024, seed: Seed = None, label: str = "open"
    ):
        self._backend = checked_backend(backend)
        self._default_shots = whole(default_shots, "default_shots", at_least=1)
        self._seed = checked_seed(seed)
        self._label = checked_label(label)

    @property
    def backend(self) -> BackendLike:
        """Where pubs go; "auto" if each has a plan of its own."""
        return self._backend

    @property
    def default_shots(self) -> int:
        """Shots where nothing else is said."""
        return self._default_shots

    @property
    def seed(self) -> Seed:
        """Root of the random numbers."""
        return self._seed

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> Job:
        """Start to sample; see `qiskit.primitives.BaseSamplerV2.run`.

        Args:
            pubs: Each a circuit, or ``(circuit, parameter values, shots)``, the last two where they are needed.
                Parameters in radians; the last axis is the circuit's parameters.
            shots: Where a pub has none of its own.

        Returns:
            A job. Each pub's result has a `BitArray` for each classical register, by its name, of the shape of the
            parameter values without the last axis; bits that nothing is measured into are 0. The same shot of two
            registers is the same run of the circuit; the order of the shots is random. Its metadata are ``shots`` and
            ``circuit_metadata``.

        Raises:
            ValueError: for what is no pub, and as `Refused` for circuits and parameters that mean nothing.
            TypeError: for a circuit or shots of a wrong type.
        """
        default = self._default_shots if shots is None else shots
        coerced = [SamplerPub.coerce(pub, default) for pub in pubs]
        if any(not pub.circuit.cregs for pub in coerced):
            warnings.warn(
                "a circuit has no classical registers, so its result is empty; add measurements to it",
                stacklevel=2,
            )
        drawings = [self._drawing(pub) for pub in coerced]
        return Job(partial(self._compute, drawings))

    def _drawing(self, pub: SamplerPub) -> "_Drawing":
        assert pub.shots is not None
        check_request(None, pub.shots, None)
        circuit, values = pub.circuit.copy(), pub.parameter_values
        rows = values.as_array(circuit.parameters).reshape(values.size, circuit.num_parameters)
        as_rows(rows, circuit)
        bits = registers(circuit)
        if not len(rows) or not measures(written_out(circuit, lambda operation: not hides(operation))):
            return _Drawing(pub, circuit, rows, bits, None)
        request = sampling(circuit, rows[0], shots=pub.shots)
        gates = request.circuit
        if request.middle and self._backend != "auto":
            gates = QuantumCircuit(circuit.num_qubits)  # a backend that is named says itself what it cannot do
        asked = AskedCounts(
            gates,
            (SparsePauliOp("Z" * circuit.num_qubits),),
            rows=rows,
            precision=None,
            shots=pub.shots,
            accuracy=math.inf,
            label=self._label,
        )
        return _Drawing(pub, circuit, rows, bits, asked)

    def _compute(self, drawings: list["_Drawing"], given_up: Event) -> PrimitiveResult[SamplerPubResult]:
        base, tasks, parts = root(self._seed), [], []
        for drawing in drawings:
            check(given_up)
            arrays, (name, why) = drawing.zeros(), NOBODY
            if drawing.asked is not None:
                with MACHINE:
                    backend, why = place(drawing.asked, self._backend)
                    assert isinstance(backend, Samples)
                    draw = backend.prepare_samples(drawing.circuit)
                name = backend.capabilities().name
                for row in range(len(drawing.rows)):
                    seed = child_seed(base, len(tasks))
                    tasks.append((backend, partial(drawing.drawn, draw, name, arrays, row, seed)))
            parts.append((drawing, arrays, name, why))
        answers(tasks, given_up)
        results = [drawing.result(arrays, name, why) for drawing, arrays, name, why in parts]
        return PrimitiveResult(results, metadata={"version": 2})


@dataclass(frozen=True, eq=False)
class _Drawing:
    """A pub to sample.

    Attributes:
        pub: As it was given.
        circuit: That nobody changes any more.
        rows: Parameters, shape (rows, params).
        registers: For each classical register the places of its bits.
        asked: The work; None where nothing is measured, so that all bits are 0.
    """

    pub: SamplerPub
    circuit: QuantumCircuit
    rows: np.ndarray
    registers: dict[str, list[int]]
    asked: AskedCounts | None

    @property
    def shots(self) -> int:
        """Of each row."""
        assert self.pub.shots is not None
        return self.pub.shots

    def zeros(self) -> dict[str, np.ndarray]:
        """Packed bits for each register, shape (rows, shots, bytes).

        Raises:
            BudgetExceeded: if they do not fit into the memory.
        """
        widths = {name: n_bytes(len(places)) for name, places in self.registers.items()}
        size = len(self.rows) * self.shots
        memory.check(size * sum(widths.values()), what=f"{size} shots of {self.circuit.num_clbits} bits")
        return {name: np.zeros((len(self.rows), self.shots, width), dtype=np.uint8) for name, width in widths.items()}

    def drawn(self, draw: Draw, who: str, arrays: dict[str, np.ndarray], row: int, seed: int) -> None:
        """Sample a row into its place in the arrays."""
        outcomes = from_counts(draw(self.rows[row], self.shots, seed))
        shot = order(outcomes, self.shots, child_seed(seed), who)
        for name, places in self.registers.items():
            arrays[name][row] = packed(outcomes.bits[:, places])[shot]

    def result(self, arrays: dict[str, np.ndarray], backend: str, why: str) -> SamplerPubResult:
        """The bits in the pub's shape."""
        shape = self.pub.shape
        bits = {
            name: BitArray(array.reshape(*shape, *array.shape[1:]), len(self.registers[name]))
            for name, array in arrays.items()
        }
        keys = {"shots": self.shots, "circuit_metadata": self.pub.circuit.metadata}
        return SamplerPubResult(DataBin(**bits, shape=shape), Metadata(keys, backend=backend, why=why))
