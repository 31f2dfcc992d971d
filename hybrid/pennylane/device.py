"""PennyLane devices ``hybrid.statevector`` and ``hybrid.auto``: any QNode runs through the toolkit."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pennylane as qml
from jax.core import Tracer
from pennylane.devices import Device, ExecutionConfig, MCMConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.devices.preprocess import decompose, no_sampling, validate_device_wires
from pennylane.devices.qubit import measure
from pennylane.exceptions import DeviceError
from pennylane.math import Interface, requires_grad
from pennylane.measurements import StateMP
from pennylane.ops import Adjoint
from pennylane.transforms import broadcast_expand, defer_measurements
from pennylane.transforms.core import CompilePipeline, Transform
from pennylane.wires import Wires

from circuits.interop.pennylane_gates import is_known, paulis
from hybrid.pennylane.evolutions import keep_generators, written_out
from hybrid.pennylane.measurements import (
    SHADOWS,
    can_be_shifted,
    check_measurements,
    for_shots,
    is_sum,
    no_postselection,
    partials,
)
from hybrid.pennylane.observables import named, operators, weighed
from hybrid.pennylane.prepared import ENGINE, Prepared, Structure
from hybrid.pennylane.rows import for_each_row, in_full_precision, is_written_out, rows_apart, turns_by_angles
from hybrid.pennylane.structure import Turns, turns

DIFFERENCES = {"approx_order": 4, "strategy": "center", "h": 1e-3}
"""Of fourth order: in double precision they miss a derivative by about 1e-12."""

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
    if operation.batch_size is not None and (isinstance(operation, Adjoint) or turns_by_angles(operation)):
        return not isinstance(operation, Adjoint)
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
        self._prepared = lru_cache(MOST_PREPARED)(Prepared)
        self._in_steps: set[Any] = set()  # functions whose kernels are called by what JAX compiled with them

    def supports_derivatives(self, execution_config: ExecutionConfig | None = None, circuit: Any = None) -> bool:
        """Whether the device says itself how a circuit is differentiated.

        Derivatives of exact expectation values of Pauli words are its own, or JAX's. Of states, entropies
        and the like, which no parameter shift is right for, "best" takes differences.
        """
        if execution_config is None:
            return True
        method = execution_config.gradient_method
        own = method in {"adjoint", "device", "best"}
        if circuit is None:
            return own  # of "backprop" no: PennyLane would take it for all interfaces and measurements
        if self._is_in_jax(execution_config, circuit):
            return True
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
        if circuit is not None and self._is_in_jax(config, circuit):
            return replace(
                config,
                mcm_config=_deferred(measuring),
                gradient_method="backprop",
                use_device_gradient=True,
                use_device_jacobian_product=False,
                grad_on_execution=False,
                convert_to_numpy=False,
                derivative_order=1,
            )
        if circuit is not None and config.gradient_method == "best" and config.interface == Interface.NUMPY:
            config = replace(config, gradient_method=None)
        again = circuit is not None and _again(config, circuit)
        in_jax = config.interface in {Interface.JAX, Interface.JAX_JIT}
        own = config.gradient_method in {"adjoint", "device"}
        best = config.gradient_method == "best" and not again and (circuit is None or is_sum(circuit))
        found: dict[str, Any] = {
            "mcm_config": _deferred(measuring),
            "convert_to_numpy": True,
        }
        if own or best:
            found |= {"gradient_method": "adjoint", "use_device_gradient": True}
            found |= {"grad_on_execution": True} if config.grad_on_execution is None else {}
        elif config.gradient_method == "best" and circuit is not None:
            found |= {"gradient_method": qml.gradients.finite_diff, "gradient_keyword_arguments": DIFFERENCES}
        if isinstance(config.gradient_method, Transform):
            found |= {"gradient_method": for_each_row(config.gradient_method, again=again and in_jax)}
        if again:
            found |= {"derivative_order": max(2, config.derivative_order)}
        found |= {"use_device_jacobian_product": False}
        if config.interface == Interface.JAX and circuit is not None and any(map(_is_batched, circuit.data)):
            found |= {"interface": Interface.JAX_JIT}  # a callback, which jax.vmap calls for each row
        return replace(config, **found)

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> CompilePipeline:
        """What PennyLane does to a circuit before it comes here."""
        config = execution_config or ExecutionConfig()
        in_one = execution_config is not None and _needs_no_slopes(execution_config)
        pipeline = CompilePipeline()
        pipeline.add_transform(validate_device_wires, self.wires, name=self.name)
        pipeline.add_transform(check_measurements, name=self.name)
        pipeline.add_transform(no_postselection, name=self.name)
        pipeline.add_transform(defer_measurements, allow_postselect=False)
        pipeline.add_transform(rows_apart, together=is_written_out if in_one else None)
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
        pipeline.add_transform(rows_apart, together=turns_by_angles if in_one else None)  # of what is decomposed
        if not in_one:
            pipeline.add_transform(broadcast_expand)  # does nothing: where it stands, jax.vmap calls back row by row
        if config.gradient_method == "adjoint":
            pipeline.add_transform(no_sampling, name=f"adjoint derivatives on {self.name}")
        return pipeline

    def execute(self, circuits: Sequence[Any], execution_config: ExecutionConfig | None = None) -> tuple[Any, ...]:
        """The results of circuits; those that differ in their angles only are evaluated together."""
        if execution_config is not None and execution_config.gradient_method == "backprop":
            return self._in_jax(circuits)
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
            rows = np.concatenate([one.rows() for _, one in members])
            values = self._held(found).values(operators(circuits[first], found.wires), rows)
            for k, part in _shared(members, values):
                answers[k] = _result([part[..., m].astype(float)[()] for m in range(part.shape[-1])])
        return tuple(answers)

    def _in_jax(self, tapes: Sequence[Any]) -> tuple[Any, ...]:
        """Expectation values as functions of the numbers in circuits, for JAX to compile, map and differentiate."""
        answers: list[Any] = [None] * len(tapes)
        groups: dict[Hashable, list[tuple[int, Turns]]] = {}
        measured = []
        for k, tape in enumerate(tapes):
            if not is_sum(tape):
                raise DeviceError(
                    f"{self.name} gives JAX expectation values of Pauli words, and {tape.measurements[0]} is measured "
                    "beside them: give the QNode diff_method='parameter-shift'"
                )
            found = self._turns(tape)
            measured.append(weighed(tape, found.wires))
            groups.setdefault((found.key, named(measured[k].operators)), []).append((k, found))
        for members in groups.values():
            first, found = members[0]
            f = self._held(found).function(measured[first].operators)
            rows = jax.numpy.concatenate([one.traced_rows() for _, one in members])
            if isinstance(rows, Tracer):
                self._in_steps.add(f)
            for k, part in _shared(members, f(rows)):
                answers[k] = _result(measured[k].sums(part))
        return tuple(answers)

    def _is_in_jax(self, config: ExecutionConfig, circuit: Any) -> bool:
        """Whether JAX itself differentiates: exact expectation values of Pauli words that the engine computes."""
        if config.gradient_method not in {"best", "backprop"} or not is_sum(circuit):
            return False
        if config.interface not in {Interface.JAX, Interface.JAX_JIT}:
            return False
        if self._backend != "auto":
            return self._backend == ENGINE
        in_jax = replace(config, gradient_method="backprop")
        (tape, *others), _ = self.preprocess_transforms(in_jax)((circuit,))
        found = self._turns(tape)
        return self._held(found).is_for_jax(weighed(tape, found.wires).operators, (found.n_rows or 1) + len(others))

    def compute_derivatives(self, circuits: Sequence[Any], execution_config: ExecutionConfig | None = None):
        """The derivatives of expectation values by the trainable parameters."""
        return self.execute_and_compute_derivatives(circuits, execution_config)[1]

    def execute_and_compute_derivatives(self, circuits: Sequence[Any], execution_config: ExecutionConfig | None = None):
        """Expectation values, and their derivatives by the trainable parameters."""
        results, jacobians = [], []
        for tape in circuits:
            found = self._turns(tape)
            values, by_angles = self._held(found).gradients(operators(tape, found.wires), found.rows()[0])
            slopes = np.hstack([by_angles[:, found.slots()], self._by_coefficients(tape, found)])
            results.append(_result(list(values)))
            rows = [_result([row[p] for p in tape.trainable_params]) for row in slopes]
            jacobians.append(_result(rows))
        return tuple(results), tuple(jacobians)

    def _by_coefficients(self, tape: Any, found: Turns) -> np.ndarray:
        """Derivatives by the numbers in observables, shape (observables, numbers); left out where none is trainable."""
        n_measured = len(tape.measurements)
        of_angles = sum(one.num_params for one in tape.operations)
        if all(p < of_angles for p in tape.trainable_params):
            return np.zeros((n_measured, 0))
        parts = [[paulis(one, found.wires[::-1]) for one in partials(m.obs)] for m in tape.measurements]
        (values,) = self._held(found).values(tuple(one for part in parts for one in part), found.rows())
        owner = np.repeat(np.arange(n_measured), list(map(len, parts)))
        return np.where(owner == np.arange(n_measured)[:, None], values, 0.0)

    def _turns(self, tape: Any) -> Turns:
        return turns(tape, tape.wires if self.wires is None else [*self.wires, *(tape.wires - self.wires)])

    def _held(self, found: Turns) -> Prepared:
        return self._prepared(Structure(found, self._backend))

    def _of_state(self, tape: Any, found: Turns) -> Any:
        held = self._held(found)
        state = held.state(found.rows()[0])
        if any(type(one) is StateMP for one in tape.measurements):
            state = state * held.phase(found.rows()[0], state)
        state = state.reshape((2,) * len(found.wires))
        number = {wire: k for k, wire in enumerate(found.wires)}
        results: tuple[Any, ...] = tuple(measure(one.map_wires(number), state) for one in tape.measurements)
        return results if len(results) != 1 else results[0]

    def _shadow(self, tape: Any, found: Turns) -> Any:
        (measurement,) = tape.measurements
        state, wires = self._held(found).state(found.rows()[0]).reshape((2,) * len(found.wires)), Wires(found.wires)
        parts = tuple(measurement.process_state_with_shots(state, wires, n, rng=self._rng) for n in tape.shots)
        return parts if tape.shots.has_partitioned_shots else parts[0]

    def _sampled(self, tape: Any, found: Turns) -> Any:
        samples = self._held(found).samples(found.rows()[0], tape.shots.total_shots, self._rng)
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


def _needs_no_slopes(config: ExecutionConfig) -> bool:
    """Whether nobody asks for derivatives but JAX, so that rows may stay one circuit."""
    method = config.gradient_method
    return method == "backprop" or (method is None and config.interface == Interface.NUMPY)


def _deferred(asked: MCMConfig) -> MCMConfig:
    return MCMConfig(mcm_method="deferred", postselect_mode=asked.postselect_mode)


def _measured(tape: Any) -> Hashable:
    return tuple(m.hash for m in tape.measurements)


def _shared(members: Sequence[tuple[int, Turns]], values: Any) -> Iterator[tuple[int, Any]]:
    """Values of rows, shape (rows, observables), shared out to tapes: shape (observables,) to those without rows."""
    start = 0
    for k, found in members:
        end = start + (found.n_rows or 1)
        yield k, values[start] if found.n_rows is None else values[start:end]
        start = end


def _result(parts: Sequence[Any]) -> Any:
    """As PennyLane has it: a tuple, or the one that there is."""
    return tuple(parts) if len(parts) != 1 else parts[0]
