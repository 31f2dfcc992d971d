"""PennyLane devices ``hybrid.statevector`` and ``hybrid.auto``: any QNode runs through the toolkit."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pennylane as qml
from pennylane.devices import Device, ExecutionConfig, MCMConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.devices.preprocess import decompose, no_sampling, validate_device_wires
from pennylane.devices.qubit import measure
from pennylane.exceptions import DeviceError
from pennylane.math import Interface, requires_grad
from pennylane.measurements import StateMP
from pennylane.transforms import broadcast_expand, defer_measurements
from pennylane.transforms.core import CompilePipeline, Transform
from pennylane.wires import Wires
from qiskit.quantum_info import SparsePauliOp, Statevector

import backends
from backends.base import Samples, States
from circuits.interop.pennylane_gates import is_known, paulis
from hybrid.pennylane.evolutions import keep_generators, written_out
from hybrid.pennylane.measurements import (
    SHADOWS,
    can_be_shifted,
    check_measurements,
    for_shots,
    is_sum,
    no_postselection,
)
from hybrid.pennylane.rows import for_each_row, in_full_precision, rows_apart
from hybrid.pennylane.structure import Turns, turns

DIFFERENCES = {"approx_order": 4, "strategy": "center", "h": 1e-3}
"""Of fourth order: in double precision they miss a derivative by about 1e-12."""

SMALL = 16
"""Wires of a circuit whose state fits every machine, so that the engine by name need not be asked whether it does."""

MOST_PREPARED = 64
"""Structures of circuits that a device keeps ready."""


def _is_batched(value: Any) -> bool:
    """Whether jax.vmap is at work on a number, perhaps inside of derivatives."""
    while hasattr(value, "primal"):
        value = value.primal
    return type(value).__name__ == "BatchTracer"


def _is_nested(value: Any) -> bool:
    """Whether JAX differentiates a number twice or more: derivatives that are numbers alone would have none."""
    levels = 0
    while hasattr(value, "primal"):
        value, levels = value.primal, levels + 1
    return levels > 1


def _again(config: ExecutionConfig, circuit: Any) -> bool:
    """Whether derivatives are differentiated again."""
    return config.derivative_order > 1 or any(map(_is_nested, circuit.data))


def _takes(operation: Any) -> bool:
    return is_known(operation, free=any(requires_grad(x) for x in operation.data))


@simulator_tracking
@single_tape_support
class ToolkitDevice(Device):
    """A PennyLane device around a backend of the toolkit.

    Args:
        wires: Number of wires, or their names; None to take those of each circuit.
        shots: Default number of shots; PennyLane would rather have it set on the QNode.
        seed: Of what is drawn; None for a new one each time.
        backend: As for `hybrid.Estimator`: "auto", a name or an object.
    """

    config_filepath = str(Path(__file__).with_name("capabilities.toml"))
    _requested: Any = "auto"

    def __init__(self, wires=None, shots=None, seed: int | None = None, backend: Any = None):
        super().__init__(wires=wires, shots=shots)
        self._rng = np.random.default_rng(seed)
        self._backend = self._requested if backend is None else backend
        self._prepared = lru_cache(MOST_PREPARED)(_Held)

    def supports_derivatives(self, execution_config: ExecutionConfig | None = None, circuit: Any = None) -> bool:
        """Whether the device says itself how a circuit is differentiated.

        Derivatives of exact expectation values of Pauli words are its own. Of states, entropies and the like, which no
        parameter shift is right for, "best" takes differences.
        """
        if execution_config is None:
            return True
        method = execution_config.gradient_method
        own = method in {"adjoint", "device", "best"}
        if circuit is None:
            return own
        if method == "best" and not circuit.shots and not all(map(can_be_shifted, circuit.measurements)):
            return True
        return own and is_sum(circuit) and not _again(execution_config, circuit)

    def setup_execution_config(self, config: ExecutionConfig | None = None, circuit: Any = None) -> ExecutionConfig:
        """Fill in what was left open: adjoint derivatives, measurements on the way moved to the end."""
        config = config or ExecutionConfig()
        measuring = config.mcm_config
        assert isinstance(measuring, MCMConfig)
        if measuring.mcm_method not in {None, "deferred"}:
            raise DeviceError(
                f"{self.name} moves measurements to the end: use mcm_method='deferred', not '{measuring.mcm_method}'"
            )
        again = circuit is not None and _again(config, circuit)
        own = config.gradient_method in {"adjoint", "device"}
        best = config.gradient_method == "best" and not again and (circuit is None or is_sum(circuit))
        found: dict[str, Any] = {
            "mcm_config": MCMConfig(mcm_method="deferred", postselect_mode=measuring.postselect_mode),
            "convert_to_numpy": True,
        }
        if own or best:
            found |= {"gradient_method": "adjoint", "use_device_gradient": True}
            found |= {"grad_on_execution": True} if config.grad_on_execution is None else {}
        elif config.gradient_method == "best" and circuit is not None:
            found |= {"gradient_method": qml.gradients.finite_diff, "gradient_keyword_arguments": DIFFERENCES}
        if isinstance(config.gradient_method, Transform):
            found |= {"gradient_method": for_each_row(config.gradient_method, again=again)}
        if again:
            found |= {"derivative_order": max(2, config.derivative_order)}
        found |= {"use_device_jacobian_product": False}
        if config.interface == Interface.JAX and circuit is not None and any(map(_is_batched, circuit.data)):
            found |= {"interface": Interface.JAX_JIT}  # a callback, which jax.vmap calls for each row
        return replace(config, **found)

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> CompilePipeline:
        """What PennyLane does to a circuit before it comes here."""
        config = execution_config or ExecutionConfig()
        pipeline = CompilePipeline()
        pipeline.add_transform(validate_device_wires, self.wires, name=self.name)
        pipeline.add_transform(check_measurements, name=self.name)
        pipeline.add_transform(no_postselection, name=self.name)
        pipeline.add_transform(defer_measurements, allow_postselect=False)
        pipeline.add_transform(rows_apart)  # at first: what turns by rows of angles need not be decomposed
        pipeline.add_transform(keep_generators)
        pipeline.add_transform(in_full_precision)
        pipeline.add_transform(for_shots)
        pipeline.add_transform(
            decompose,
            stopping_condition=_takes,
            decomposer=written_out,
            skip_initial_state_prep=False,
            name=self.name,
        )
        pipeline.add_transform(rows_apart)  # decompositions of templates can have rows that these do not tell
        pipeline.add_transform(broadcast_expand)  # does nothing any more: where it stands, jax.vmap calls row by row
        if config.gradient_method == "adjoint":
            pipeline.add_transform(no_sampling, name=f"adjoint derivatives on {self.name}")
        return pipeline

    def execute(self, circuits: Sequence[Any], execution_config: ExecutionConfig | None = None) -> tuple[Any, ...]:
        """The results of circuits; those that differ in their angles only are evaluated together."""
        answers: list[Any] = [None] * len(circuits)
        groups: dict[Hashable, list[tuple[int, Turns]]] = {}
        for k, tape in enumerate(circuits):
            found = self._turns(tape)
            if is_sum(tape):
                groups.setdefault((found.key, _measured(tape)), []).append((k, found))
            elif tape.shots and isinstance(tape.measurements[0], SHADOWS):
                answers[k] = self._shadow(tape, found)
            elif tape.shots:
                answers[k] = self._sampled(tape, found)
            else:
                answers[k] = self._of_state(tape, found)
        for members in groups.values():
            first, found = members[0]
            held = self._held(found)
            values = held.values(_observables(circuits[first], found), np.stack([one.row for _, one in members]))
            for (k, _), row in zip(members, values, strict=True):
                answers[k] = tuple(map(np.float64, row)) if len(row) > 1 else np.float64(row[0])
        return tuple(answers)

    def compute_derivatives(self, circuits: Sequence[Any], execution_config: ExecutionConfig | None = None):
        """The derivatives of expectation values by the trainable parameters."""
        return self.execute_and_compute_derivatives(circuits, execution_config)[1]

    def execute_and_compute_derivatives(self, circuits: Sequence[Any], execution_config: ExecutionConfig | None = None):
        """Expectation values, and their derivatives by the trainable parameters."""
        results, jacobians = [], []
        for tape in circuits:
            found = self._turns(tape)
            slots = found.slots(tape)
            values, slopes = self._held(found).gradients(_observables(tape, found), found.row)
            results.append(tuple(map(np.float64, values)) if len(values) > 1 else np.float64(values[0]))
            rows = [tuple(np.float64(row[slot]) for slot in slots) for row in slopes]
            rows = [row[0] if len(row) == 1 else row for row in rows]
            jacobians.append(tuple(rows) if len(rows) > 1 else rows[0])
        return tuple(results), tuple(jacobians)

    def _turns(self, tape: Any) -> Turns:
        return turns(tape, tape.wires if self.wires is None else [*self.wires, *(tape.wires - self.wires)])

    def _held(self, found: Turns) -> "_Held":
        return self._prepared(_Structure(found, self._backend))

    def _of_state(self, tape: Any, found: Turns) -> Any:
        held = self._held(found)
        state = held.state(found.row)
        if any(type(one) is StateMP for one in tape.measurements):
            state = state * held.phase(found.row, state)
        state = state.reshape((2,) * len(found.wires))
        number = {wire: k for k, wire in enumerate(found.wires)}
        results: tuple[Any, ...] = tuple(measure(one.map_wires(number), state) for one in tape.measurements)
        return results if len(results) != 1 else results[0]

    def _shadow(self, tape: Any, found: Turns) -> Any:
        (measurement,) = tape.measurements
        state, wires = self._held(found).state(found.row).reshape((2,) * len(found.wires)), Wires(found.wires)
        parts = tuple(measurement.process_state_with_shots(state, wires, n, rng=self._rng) for n in tape.shots)
        return parts if tape.shots.has_partitioned_shots else parts[0]

    def _sampled(self, tape: Any, found: Turns) -> Any:
        samples = self._held(found).samples(found.row, tape.shots.total_shots, self._rng)
        wires = Wires(found.wires)
        results: list[Any] = []
        for low, high in tape.shots.bins():
            part: tuple[Any, ...] = tuple(m.process_samples(samples[low:high], wires) for m in tape.measurements)
            results.append(part if len(part) != 1 else part[0])
        return tuple(results) if tape.shots.has_partitioned_shots else results[0]


class StatevectorDevice(ToolkitDevice):
    """``qml.device("hybrid.statevector")``: the toolkit's own engine, with adjoint derivatives."""

    name = "hybrid.statevector"
    _requested = "statevector"


class AutoDevice(ToolkitDevice):
    """``qml.device("hybrid.auto")``: each circuit runs where the plan says."""

    name = "hybrid.auto"
    _requested = "auto"


@dataclass(frozen=True, eq=False)
class _Structure:
    """What `_Held` is made from; alike where the key and the backend are."""

    turns: Turns
    backend: Any

    def __hash__(self) -> int:
        return hash(self.turns.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Structure) and self.turns.key == other.turns.key and self.backend is other.backend


class _Held:
    """A circuit with free angles, and what was made ready of it."""

    def __init__(self, structure: _Structure):
        self._circuit = structure.turns.circuit()
        self._backend = structure.backend
        self._ready: dict[Hashable, Any] = {}

    def values(self, observables: tuple[SparsePauliOp, ...], rows: np.ndarray) -> np.ndarray:
        """Shape (rows, observables)."""
        f = self._once(("values", *_named(observables)), lambda: self._prepare(observables, rows))
        return f(rows).values

    def gradients(self, observables: tuple[SparsePauliOp, ...], row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values, shape (observables,), and slopes, shape (observables, angles)."""
        parts = []
        for observable in observables:
            f = self._once(("gradient", *_named((observable,))), lambda o=observable: self._differentiate(o, row))
            parts.append(f(row))
        return np.array([value for value, _ in parts]), np.array([slopes for _, slopes in parts])

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
        if self._backend == "statevector" and self._circuit.num_qubits <= SMALL:
            return backends.get("statevector")
        from hybrid.pennylane.placed import placed  # half a second, for what compares backends and predicts memory

        return placed(what, self._circuit, observables, rows, backend=self._backend, shots=shots)


def _observables(tape: Any, found: Turns) -> tuple[SparsePauliOp, ...]:
    return tuple(paulis(m.obs.pauli_rep, found.wires[::-1]) for m in tape.measurements)


def _measured(tape: Any) -> Hashable:
    return tuple(m.hash for m in tape.measurements)


def _named(observables: Sequence[SparsePauliOp]) -> tuple[Hashable, ...]:
    return tuple((tuple(one.paulis.to_labels()), np.asarray(one.coeffs).tobytes()) for one in observables)
