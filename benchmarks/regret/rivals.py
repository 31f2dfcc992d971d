"""Other people's routers as backends, so that they are asked as all others are."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit, qasm2, transpile
from qiskit.circuit.library import get_standard_gate_name_mapping

from backends.base import Backend, Capabilities
from backends.batch import Evaluate, Expectations
from backends.checks import as_observables, as_rows
from backends.cost import Footprint, Work
from circuits.errors import Refused

QISKIT = set(get_standard_gate_name_mapping())


class _Exact(Backend):
    """What computes exact values of bound circuits, one after the other; gradients by parameter shift."""

    name = ""

    def capabilities(self) -> Capabilities:
        """Exact values of any size."""
        return Capabilities(self.name, self.name, None, exact=True, noise=False, gradient="parameter-shift")

    def footprint(self, work: Work) -> Footprint:
        """Nothing is known of it: the other side decides how it computes."""
        if work.shots is not None:
            raise Refused(f"{self.name} is asked for exact values only")
        return Footprint(1.0, 1.0, 0)

    @abstractmethod
    def values(self, circuit: QuantumCircuit, observables: Any) -> Callable[[QuantumCircuit], list[float]]:
        """A function from a bound circuit to the values of the observables."""

    def prepare(self, circuit: QuantumCircuit, observables: Any) -> Evaluate:
        """Transpile once; see `Backend.prepare`."""
        observables = as_observables(observables, circuit.num_qubits)
        prepared = self.transpiled(circuit)
        compute = self.values(prepared, observables)

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            if shots is not None:
                raise Refused(f"{self.name} is asked for exact values only")
            rows = as_rows(parameters, circuit)
            bound = (prepared.assign_parameters(dict(zip(circuit.parameters, row, strict=True))) for row in rows)
            values = np.array([compute(each) for each in bound])
            return Expectations(values, np.zeros_like(values))

        return evaluate

    @abstractmethod
    def transpiled(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """In gates that the other side knows."""


class AerAutomatic(_Exact):
    """Qiskit Aer with method "automatic", as its own simulator decides."""

    name = "Aer's automatic"

    def __init__(self):
        from qiskit_aer import AerSimulator

        self._simulator = AerSimulator(method="automatic")

    def transpiled(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """In gates that the other side knows."""
        gates = sorted(QISKIT.intersection(self._simulator.operation_names))  # not its target, which ends at 30 qubits
        return transpile(circuit, basis_gates=gates, optimization_level=0)

    def values(self, circuit: QuantumCircuit, observables: Any) -> Callable[[QuantumCircuit], list[float]]:
        """See `_Exact.values`."""

        def compute(bound: QuantumCircuit) -> list[float]:
            saved = bound.copy()
            for k, observable in enumerate(observables):
                saved.save_expectation_value(observable, range(saved.num_qubits), label=str(k))  # pyright: ignore[reportAttributeAccessIssue]
            result = self._simulator.run(saved).result()
            if not result.success:
                raise Refused(f"Aer: {result.status}")
            return [float(np.real(result.data()[str(k)])) for k in range(len(observables))]

        return compute


class Maestro(_Exact):
    """Qoro's Maestro: its estimate, which cuts to light cones and clusters, and reduces what is Clifford."""

    name = "Maestro"
    GATES = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx", "rx", "ry", "rz", "cx", "cz", "swap", "u3")

    def __init__(self):
        import maestro  # pyright: ignore[reportMissingImports]

        self._maestro = maestro

    def transpiled(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """In gates that the other side knows."""
        return transpile(circuit, basis_gates=list(self.GATES), optimization_level=0)

    def values(self, circuit: QuantumCircuit, observables: Any) -> Callable[[QuantumCircuit], list[float]]:
        """See `_Exact.values`."""
        labels = [[label[::-1] for label in observable.paulis.to_labels()] for observable in observables]
        coefficients = [np.real(observable.coeffs) for observable in observables]

        def compute(bound: QuantumCircuit) -> list[float]:
            program = qasm2.dumps(bound)
            estimates = (self._maestro.simple_estimate(program, each)["expectation_values"] for each in labels)
            return [float(np.dot(c, values)) for c, values in zip(coefficients, estimates, strict=True)]

        return compute
