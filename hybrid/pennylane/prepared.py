"""A circuit with free angles, and what was made ready of it."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from qiskit.quantum_info import SparsePauliOp, Statevector

import backends
from backends.base import Samples, States
from hybrid.pennylane.observables import named
from hybrid.pennylane.structure import Turns

ENGINE = "statevector"
"""The backend that is a function of JAX's."""

SMALL = 16
"""Wires of a circuit whose state fits every machine, so that the engine by name need not be asked whether it does."""


@dataclass(frozen=True, eq=False)
class Structure:
    """What `Prepared` is made from; alike where the key and the backend are."""

    turns: Turns
    backend: Any

    def __hash__(self) -> int:
        return hash(self.turns.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self.turns.key == other.turns.key and self.backend is other.backend


class Prepared:
    """A circuit with free angles, made ready for what is asked of it when that is first asked."""

    def __init__(self, structure: Structure):
        self._circuit = structure.turns.circuit()
        self._backend = structure.backend
        self._ready: dict[Hashable, Any] = {}

    def values(self, observables: tuple[SparsePauliOp, ...], rows: np.ndarray) -> np.ndarray:
        """Shape (rows, observables)."""
        f = self._once(("values", *named(observables)), lambda: self._prepare(observables, rows))
        return f(rows).values

    def gradients(self, observables: tuple[SparsePauliOp, ...], row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values, shape (observables,), and slopes, shape (observables, angles)."""
        parts = []
        for observable in observables:
            f = self._once(("gradient", *named((observable,))), lambda o=observable: self._differentiate(o, row))
            parts.append(f(row))
        return np.array([value for value, _ in parts]), np.array([slopes for _, slopes in parts])

    def function(self, observables: tuple[SparsePauliOp, ...]) -> Callable[[jax.Array], jax.Array]:
        """Of JAX's: (rows, angles) -> (rows, observables); what was compiled with it must not outlive it."""
        return self._once(("function", *named(observables)), lambda: self._of_rows(observables))

    def is_for_jax(self, observables: tuple[SparsePauliOp, ...], n_rows: int) -> bool:
        """Whether the engine computes values and derivatives, so that there is a function of JAX's."""
        if self._backend != "auto":
            return self._backend == ENGINE
        rows = np.ones((n_rows, self._circuit.num_parameters))  # those of the tape may not be known yet
        key = ("for jax", n_rows, *named(observables))
        return self._once(key, lambda: self._place("derivatives", observables, rows).capabilities().name) == ENGINE

    def state(self, row: np.ndarray) -> np.ndarray:
        """Shape (2^wires,), up to a global phase; the first wire is the most significant bit of the index."""
        f = self._once("state", lambda: self._states(row))
        return np.asarray(f(row))

    def phase(self, row: np.ndarray, state: np.ndarray) -> complex:
        """What the state must be multiplied by to have the phase of the gates' product, which backends leave open."""
        exact = Statevector(self._circuit.assign_parameters(row)).data
        largest = int(np.argmax(np.abs(state)))
        turned = exact[largest] / state[largest]
        return complex(turned / abs(turned))

    def samples(self, row: np.ndarray, shots: int, rng: np.random.Generator) -> np.ndarray:
        """Bits, shape (shots, wires)."""
        draw = self._once("samples", lambda: self._drawing(row, shots))
        counts = draw(row, shots, int(rng.integers(2**31)))
        bits = np.array([[int(bit) for bit in word] for word in counts], dtype=np.int64)
        return rng.permutation(np.repeat(bits, list(counts.values()), axis=0))

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self._ready:
            self._ready[key] = make()
        return self._ready[key]

    def _prepare(self, observables: tuple[SparsePauliOp, ...], rows: np.ndarray) -> Any:
        return self._place("values", observables, rows).prepare(self._circuit, observables)

    def _differentiate(self, observable: SparsePauliOp, row: np.ndarray) -> Any:
        return self._place("derivatives", (observable,), row[None]).value_and_grad(self._circuit, observable)

    def _of_rows(self, observables: tuple[SparsePauliOp, ...]) -> Callable[[jax.Array], jax.Array]:
        engine: Any = backends.get(ENGINE)
        return jax.jit(jax.vmap(engine.function(self._circuit, observables)))

    def _states(self, row: np.ndarray) -> Any:
        backend = self._place("states", self._everything(), row[None])
        assert isinstance(backend, States)
        return backend.states(self._circuit)

    def _drawing(self, row: np.ndarray, shots: int) -> Any:
        backend = self._place("counts", self._everything(), row[None], shots)
        assert isinstance(backend, Samples)
        return backend.prepare_samples(self._circuit)

    def _everything(self) -> tuple[SparsePauliOp, ...]:
        return (SparsePauliOp("Z" * self._circuit.num_qubits),)

    def _place(self, what: str, observables: tuple[SparsePauliOp, ...], rows: np.ndarray, shots: int | None = None):
        if self._backend == ENGINE and self._circuit.num_qubits <= SMALL:
            return backends.get(ENGINE)
        from hybrid.pennylane.placed import placed  # half a second, for what compares backends and predicts memory

        return placed(what, self._circuit, observables, rows, backend=self._backend, shots=shots)
