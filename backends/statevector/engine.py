"""The statevector engine behind the seam of all backends."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import PositiveInt
from qiskit import QuantumCircuit

from backends import dense, memory
from backends.base import Backend, Capabilities, Draw, Precision, Samples, Tangents
from backends.batch import Expectations
from backends.border import border
from backends.checks import (
    ObservableLike,
    ObservablesLike,
    as_observables,
    as_rows,
    check_request,
    check_unitary,
    is_single,
)
from backends.cost import Footprint, Work
from backends.gpu import Card, Held, OnCard
from backends.gradients.value_and_gradient import as_function
from backends.libraries import NONE
from backends.measurement.groups import measurements
from backends.measurement.sampled import sampling
from backends.statevector import native
from backends.statevector.accelerator import COPIES_ON_CARD, default_card
from backends.statevector.choose import choose
from backends.statevector.circuit.lower import lower
from backends.statevector.footprint import Memory
from backends.statevector.representation import WHOLE, Amount, Executor, Program, Question, Representation
from circuits.errors import Refused

if TYPE_CHECKING:
    import jax

COUNTED = "whole state, counted"

COPIES_TO_DRAW = 5
"""States in double precision that are held here while bit strings are drawn: turned ones, probabilities and counts."""

DRAWING = 4
"""Turns of a qubit that take as long as drawing bit strings from a state."""

"""The way of samples, under which their speed is kept."""


class Statevector(Backend, Samples, Tangents):
    """Exact expectation values and adjoint gradients, by native kernels on processors and by XLA on accelerators.

    A circuit that few bonds join runs in parts (see `parts`), on any number of qubits; whole states have at most 31.

    Args:
        precision: Of the amplitudes: "double" (complex128) or "single" (complex64).
        executor: What computes: "native" kernels, "xla" (compiled once for each shape of circuit), or "auto": the
            native ones where they are there and JAX would compute on the processor. The two round differently.
        memory: Of XLA: "keep" keeps the state before each step of a gradient from 17 qubits on, "lean" never holds more
            than four states and takes about a third longer, "auto" keeps where that takes at most a quarter of this
            machine's memory. The two round differently. Native kernels never keep any, and hold two states.
        devices: Over how many of JAX's devices the state is divided, a power of two; None for one device and its
            faster ways. See `shard`.
    """

    def __init__(
        self,
        *,
        precision: Annotated[Precision, '"double" or "single"'] = "double",
        executor: Annotated[
            Executor, '"auto", "native" or "xla": kernels of this machine or what JAX compiles'
        ] = "auto",
        memory: Annotated[
            Literal["auto", "keep", "lean"],
            '"auto", "keep" or "lean": whether gradients of 17 qubits or more keep states, in XLA',
        ] = "auto",
        devices: Annotated[PositiveInt | None, "the number of JAX's devices that share the state, from 1"] = None,
    ):
        if executor == "native" and native.why_not():
            raise Refused(f'executor="native": {native.why_not()}')
        self._devices = devices
        self._executor: Executor = executor
        self._keep = {"auto": None, "keep": True, "lean": False}[memory]
        self._precision: Precision = precision
        self._real = np.dtype({"double": np.float64, "single": np.float32}[precision])
        self._complex = np.result_type(self._real, np.complex64)

    def capabilities(self) -> Capabilities:
        """Exact, without noise, with gradients of its own."""
        return Capabilities(
            name="statevector",
            summary=self._summary(),
            max_qubits=None if native.available() and self._executor != "xla" and not self._devices else WHOLE,
            exact=True,
            noise=False,
            gradient="adjoint",
            precision=self._precision,
            steady=True,
        )

    def _summary(self) -> str:
        card = default_card()
        if card is not None and self._executor != "native" and self._devices is None:
            return f"statevector in XLA on {card.name}"
        if self._executor == "xla" or self._devices is not None:
            return "statevector in XLA"
        if (why := native.why_not()) is not None:
            return f"statevector, slow: {why}"
        return f"statevector in native kernels ({native.instruction_set()})"

    def footprint(self, work: Work) -> Footprint:
        """One pass for each block, wide factor and X mask of the observables; gradients hold the same states."""
        if work.shots is not None:
            self._check_width(work.circuit)
        chosen = self._chosen(work.circuit, work.observables)
        held = chosen.memory(derivative=work.derivative, keep=self._keep)
        amount, card = chosen.amount(derivative=work.derivative), _card_of(chosen)
        here = held.total_bytes if card is None else held.total_bytes // (self._devices or 1)
        where = _held(here, card, held.copies_on_card)
        beside = _rows_bytes(work, chosen.question.lowered.angles.n_angles)
        beside += chosen.beside_bytes(derivative=work.derivative, n_rows=work.n_rows) if card is None else 0
        where = Held(where.memory_bytes + beside, where.on_card)
        error = 0.0
        if work.shots is not None:
            plan = measurements(work.observables)
            error = plan.standard_error(work.shots)
            n_groups = float(max(len(plan.groups), 1))  # each turns, qubit by qubit, and draws from the whole state
            turned = sum(len(group.basis) - group.basis.count("I") - group.basis.count("Z") for group in plan.groups)
            where = Held(where.memory_bytes + COPIES_TO_DRAW * 16 * 2**work.circuit.num_qubits, where.on_card)
            amount = Amount(DRAWING * n_groups + turned, 2.0**work.circuit.num_qubits, n_groups, amount.prepared)
        return Footprint(
            standard_error=error,
            passes=amount.passes,
            amplitudes=amount.amplitudes,
            steps=amount.steps,
            prepared=amount.prepared,
            kind=self._kind(chosen) if work.shots is None else COUNTED + (" from XLA" if chosen.in_xla else ""),
            memory_bytes=where.memory_bytes,
            on_card=where.on_card,
            library=self._library(chosen, work),
        )

    def _library(self, chosen: Representation, work: Work) -> str:
        """That is loaded: XLA's, or SciPy's sparse matrices to turn many rows into angles."""
        if chosen.in_xla or self._devices is not None:
            return "jax"
        return "scipy.sparse" if work.n_rows > 1 else NONE

    def _kind(self, chosen: Representation) -> str:
        """Under which its speed is kept: that on a card, or on several devices, is another."""
        card = _card_of(chosen)
        where = "" if card is None else f" on {card.name}"
        return chosen.kind + where + ("" if self._devices is None else f", {self._devices} devices")

    def memory(self, circuit: QuantumCircuit, observables: ObservablesLike, *, derivative: bool = True) -> Memory:
        """What a value, or one with its gradient, will hold; `str` of it says whether states are kept, and why.

        Args:
            circuit: Without measurements.
            observables: As in a `Batch`.
            derivative: Whether a gradient is wanted beside each value.

        Raises:
            Refused: if the circuit cannot be lowered.
        """
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        return self._chosen(circuit, observables).memory(derivative=derivative, keep=self._keep)

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike):
        """Lower the circuit and the observables once. See `Backend.prepare`."""
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        program = self._program(circuit, observables, derivative=False)
        with self._arithmetic(program.in_xla):
            energies = program.energies(tuple(program.terms(observable) for observable in observables))

        def evaluate(parameters, precision=None, shots=None, seed=None) -> Expectations:
            check_request(precision, shots, seed)
            if shots is not None:
                self._check_width(circuit)
                return self._sampled(program, observables, as_rows(parameters, circuit), shots, seed)
            start = time.perf_counter()
            rows = as_rows(parameters, circuit)
            with self._arithmetic(program.in_xla):
                values = energies(rows).astype(np.float64)
            return Expectations(values, np.zeros_like(values), seconds={"execute": time.perf_counter() - start})

        return evaluate

    def value_and_grad(self, circuit, observable, *, precision=None, shots=None, seed=None):
        """Adjoint gradients; with shots, parameter shift on samples. See `Backend.value_and_grad`."""
        check_request(precision, shots, seed)
        if shots is not None:
            return super().value_and_grad(circuit, observable, precision=precision, shots=shots, seed=seed)
        (observable,) = as_observables(observable, circuit.num_qubits)
        jacobian = self.values_and_jacobian(circuit, observable)

        def evaluate(rows, seed):
            values, slopes = jacobian(rows)
            return values[:, 0], slopes[:, 0]

        return as_function(circuit, evaluate, seed)

    def values_and_jacobian(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Callable[[Any], tuple]:
        """Several expectation values and the gradients of all, for one evolution.

        Args:
            circuit: With parameters; no measurements.
            observables: As in a `Batch`.

        Returns:
            ``f(theta) -> (values, jacobian)`` of shapes (rows, observables) and (rows, observables, params), for theta
            of shape (rows, params) or (params,), radians, in ``circuit.parameters`` order.

        Raises:
            Refused: if the circuit cannot be run.
        """
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        program = self._program(circuit, observables, derivative=True)
        with self._arithmetic(program.in_xla):
            run = program.energies_and_slopes(tuple(program.terms(observable) for observable in observables))

        def evaluate(theta):
            rows = as_rows(theta, circuit)
            with self._arithmetic(program.in_xla):
                values, slopes = run(rows)
            slopes = slopes.astype(np.float64)
            pulled = [program.angles.pulled(rows, slopes[:, k]) for k in range(len(observables))]
            return values.astype(np.float64), np.stack(pulled, axis=1)

        return evaluate

    def function(self, circuit: QuantumCircuit, observable: ObservablesLike) -> "Callable[[Any], jax.Array]":
        """Expectation values as a pure function of JAX's: for `jax.jit`, `grad`, `vmap`, `hessian`, `lax.scan`.

        Values and gradients are the engine's; the adjoint method gives the gradient for about twice the time of a
        value. Second and higher derivatives run in XLA, through a program that holds all states of one evolution. The
        types of numbers are the caller's: with JAX's x64 off, what is returned has 32 bits, though native kernels
        compute in the engine's precision.

        Args:
            circuit: With parameters; no measurements.
            observable: A Hermitian operator on its qubits, or a `circuits.Problem`; or a sequence of such, whose values
                come from one evolution.

        Returns:
            ``f(theta) -> value`` for theta of shape (params,), radians, in circuit.parameters order; a scalar of
            theta's type, and for a sequence an array of shape (observables,). Rows go by ``jax.vmap(f)``. A compiled
            step must not outlive the function.

        Raises:
            Refused: if the circuit cannot be run, or, when it is called, if theta has another shape. Where an angle is
                not affine in the parameters, JAX itself refuses third derivatives.

        Examples:
            >>> import jax
            >>> from circuits import tfim, hardware_efficient
            >>> p = tfim(3)
            >>> f = Statevector().function(hardware_efficient(3, layers=1), p.hamiltonian)
            >>> jax.jit(jax.grad(f))(jax.numpy.zeros(6)).shape, jax.hessian(f)(jax.numpy.zeros(6)).shape
            ((6,), (6, 6))
        """
        from backends.statevector.function import function_of

        self._on_one_device("a function of JAX's")
        check_unitary(circuit)
        observables = as_observables(observable, circuit.num_qubits)

        def traced(real: np.dtype) -> Any:
            self._check_width(circuit)
            chosen = choose(Question(lower(circuit), min(real, self._real), observables, self._executor, True))
            self._check_fits(chosen.memory(derivative=True, keep=True), circuit.num_qubits, _card_of(chosen))
            return chosen.program()

        shape = () if is_single(observable) else (len(observables),)
        return function_of(self._program(circuit, observables, derivative=True), observables, traced, shape)

    def hessian(self, circuit: QuantumCircuit, observable: ObservableLike) -> Callable[[Any], np.ndarray]:
        """Second derivatives of an expectation value as a function of the parameters.

        Args:
            circuit: With parameters; no measurements.
            observable: A Hermitian operator on its qubits.

        Returns:
            ``f(theta) -> hessian``: theta of shape (params,), radians, in ``circuit.parameters`` order; the Hessian of
            shape (params, params), symmetric.

        Raises:
            Refused: if the circuit cannot be run, or is too wide for a state.
        """
        from backends.statevector.derivatives import hessian

        self._on_one_device("a Hessian")
        check_unitary(circuit)
        self._check_width(circuit)
        (observable,) = as_observables(observable, circuit.num_qubits)
        program = self._program(circuit, (observable,), derivative=True, traced=True)
        with self._arithmetic(in_xla=True):
            return self._for_a_row(circuit, hessian(program, program.terms(observable)))

    def metric(self, circuit: QuantumCircuit) -> Callable[[Any], np.ndarray]:
        """The Fubini-Study metric, for natural gradients, as a function: theta (params,) -> (params, params)."""
        from backends.statevector.derivatives import metric

        return self._for_a_row(circuit, metric(self._held(circuit, "the metric", 1)))

    def tangents(self, circuit: QuantumCircuit) -> Callable[[Any], tuple[np.ndarray, np.ndarray]]:
        """The state and its derivatives by the parameters as a function: theta (params,) -> (2^n,), (params, 2^n).

        The global phase is any smooth function of theta; what depends on it, such as <psi|d_j psi>, means nothing.

        Raises:
            Refused: if the circuit has no parameters, or the derivatives do not fit into the free memory.
        """
        from backends.statevector.derivatives import tangents

        if not circuit.num_parameters:
            raise Refused("the circuit has no parameters to differentiate its state by")
        return self._for_a_row(circuit, tangents(self._held(circuit, "the derivatives of the state", 2)))

    def _held(self, circuit: QuantumCircuit, what: str, states: int) -> Any:
        """The circuit made ready, if so many states for each parameter fit into the free memory."""
        self._on_one_device(what)
        check_unitary(circuit)
        self._check_width(circuit)
        held = (states * circuit.num_parameters + 8) * 2 * self._real.itemsize * 2**circuit.num_qubits
        _held(held, default_card()).check(what=f"{what} of {circuit.num_parameters} parameters")
        return self._program(circuit, (), derivative=False, traced=True)

    def reduced_density_matrix(self, circuit: QuantumCircuit, parameters: Any = (), *, qubits: Any) -> np.ndarray:
        """The state of some qubits, shape (2^k, 2^k); bit j of the index belongs to ``qubits[j]``.

        Args:
            circuit: Without measurements.
            parameters: Shape (params,), radians, in ``circuit.parameters`` order.
            qubits: k different ones of the circuit's, by their numbers.

        Raises:
            Refused: if a qubit is none of the circuit's, or named twice.
        """
        chosen = tuple(qubits)
        if len(set(chosen)) != len(chosen) or not all(q in range(circuit.num_qubits) for q in chosen):
            raise Refused(f"qubits must be different ones of 0 to {circuit.num_qubits - 1}, not {list(chosen)}")
        psi = self.state(circuit, parameters).reshape((2,) * circuit.num_qubits)
        return dense.reduced_density_matrix(psi, chosen)

    def _for_a_row(self, circuit: QuantumCircuit, function: Callable) -> Callable[[Any], Any]:
        def evaluate(theta):
            (row,) = as_rows(theta, circuit)
            with self._arithmetic(in_xla=True):
                return function(row)

        return evaluate

    def _sampled(self, program: Program, observables, rows: np.ndarray, shots: int, seed: int | None) -> Expectations:
        start = time.perf_counter()
        plan = measurements(observables)
        streams = np.random.SeedSequence(seed).spawn(len(rows))
        values = np.empty((len(rows), len(observables)))
        errors = np.empty_like(values)
        for k, (row, stream) in enumerate(zip(rows, streams, strict=True)):
            psi = self._state(program, row).reshape((2,) * observables[0].num_qubits)
            values[k], errors[k] = dense.estimate(psi, plan, shots, stream)
        return Expectations(values, errors, shots, {"execute": time.perf_counter() - start})

    def sample(self, circuit: QuantumCircuit, parameters=(), *, shots=1024, seed=None) -> dict[str, int]:
        """Counts drawn from the final state's probabilities."""
        sampling(circuit, parameters, shots=shots, seed=seed)
        return self.prepare_samples(circuit)(parameters, shots, seed)

    def prepare_samples(self, circuit: QuantumCircuit) -> Draw:
        """Lower the circuit once; see `Samples.prepare_samples`."""
        request = sampling(circuit, np.zeros(circuit.num_parameters), shots=1)
        circuit = request.at_end("statevector")
        self._check_width(circuit)
        held = COPIES_TO_DRAW * 16 * 2**circuit.num_qubits
        memory.check(held, what=f"counts of {circuit.num_qubits} qubits on 'statevector'")
        states = self.states(circuit)

        def draw(row, shots, seed):
            check_request(None, shots, seed)
            (row,) = as_rows(row, circuit)
            p = dense.probabilities(states(row))
            return request.of_all(dense.draw(p, shots, np.random.default_rng(seed)))

        return draw

    def state(self, circuit: QuantumCircuit, parameters: Any = ()) -> np.ndarray:
        """The final state up to a global phase, shape (2^n,); bit q of the index is qubit q.

        Args:
            circuit: Without measurements.
            parameters: Shape (params,), radians, in ``circuit.parameters`` order.

        Raises:
            Refused: if the circuit cannot be run, or is too wide for a state.
        """
        states = self.states(circuit)
        (row,) = as_rows(parameters, circuit)
        return states(row)

    def states(self, circuit: QuantumCircuit) -> Callable[[np.ndarray], np.ndarray]:
        """The final states; see `States`."""
        check_unitary(circuit)
        self._check_width(circuit)
        program = self._program(circuit, (), derivative=False)
        return lambda row: self._state(program, row)

    def _state(self, program: Program, row: np.ndarray) -> np.ndarray:
        with self._arithmetic(program.in_xla):
            return program.state(row).astype(self._complex)

    @contextmanager
    def _arithmetic(self, in_xla: bool) -> Iterator[None]:
        """All that is computed for this backend, by XLA in its precision; XLA tells of an error when a result is read.

        Native kernels go without JAX, which takes longer to be imported than small circuits take in all.
        """
        free_bytes = _free_bytes if in_xla else memory.free_bytes
        with border("'statevector'", free_bytes=free_bytes), _precision(self._precision) if in_xla else nullcontext():
            yield

    def _sharded(self, circuit: QuantumCircuit, devices: int) -> Any:
        import jax

        from backends.statevector.sharded.shard import compile_sharded

        there = jax.devices()
        if devices > len(there):
            raise Refused(f"devices must be at most the {len(there)} that JAX sees here, not {devices}")
        return compile_sharded(circuit, self._real, there[:devices])

    def _on_one_device(self, what: str) -> None:
        if self._devices is not None:
            raise Refused(f"{what} is computed on one device; leave devices={self._devices} out")

    def _check_fits(self, held: Memory, n_qubits: int, card: Card | None) -> None:
        free = memory.free_bytes() if card is None else card.free_bytes
        lean, whole = (
            _taken(size, card, held.copies_on_card) for size in (held.lean_bytes + held.tables_bytes, held.total_bytes)
        )
        if self._keep is None and lean <= free < whole:
            raise Refused(
                f"{n_qubits} qubits on 'statevector' need {whole} bytes with the states kept to save time,"
                f" but {memory.readable(free)} are free {'here' if card is None else f'on {card.name}'};"
                f' memory="lean" needs {memory.readable(lean)}'
            )
        _held(held.total_bytes, card, held.copies_on_card).check(what=f"{n_qubits} qubits on 'statevector'")

    def _check_width(self, circuit: QuantumCircuit) -> None:
        """Refuse a whole state that is too wide."""
        n = circuit.num_qubits
        if self._devices is None and n > WHOLE:
            raise Refused(
                f"the circuit has {n} qubits, but 'statevector' makes whole states, samples and second derivatives "
                f"of at most {WHOLE} (one of {n} qubits alone needs {memory.in_bytes(self._complex.itemsize * 2**n)})"
            )

    def _chosen(self, circuit: QuantumCircuit, observables: tuple, *, traced: bool = False) -> Representation:
        """How the circuit will be run, if it can be."""
        return choose(Question(lower(circuit), self._real, observables, self._executor, traced))

    def _program(self, circuit: QuantumCircuit, observables: tuple, *, derivative: bool, traced: bool = False) -> Any:
        """The circuit made ready, as `choose` says or `Sharded`, if its states fit into the free memory."""
        if self._devices is not None:
            return self._sharded(circuit, self._devices)
        chosen = self._chosen(circuit, observables, traced=traced)
        with self._arithmetic(chosen.in_xla):
            held = chosen.memory(derivative=derivative, keep=self._keep)
            self._check_fits(held, circuit.num_qubits, _card_of(chosen))
            return chosen.program(keep=held.keep)


def _precision(precision: Precision) -> AbstractContextManager:
    import jax

    return jax.enable_x64(precision == "double")


def _card_of(chosen: Representation) -> Card | None:
    """Where the states will be: on this card, or, for None, in this machine's memory."""
    return default_card() if chosen.in_xla else None


def _held(n_bytes: int, card: Card | None, copies: int = COPIES_ON_CARD) -> Held:
    """In this machine's memory, or on a card."""
    return Held(n_bytes) if card is None else Held(0, OnCard(card, _taken(n_bytes, card, copies)))


def _rows_bytes(work: Work, n_angles: int) -> int:
    """Of what is kept for each row: parameters, angles and, with a derivative, slopes, each with the copies on the way.

    Slopes are turned to double precision, then into derivatives by the parameters for one observable at a time.
    """
    n_params, n_observables = work.circuit.num_parameters, len(work.observables)
    numbers = n_params + 2 * n_angles + 3 * n_observables
    if work.derivative:
        numbers += n_observables * (n_angles + 2 * n_params) + n_angles
    return 8 * work.n_rows * numbers


def _taken(n_bytes: int, card: Card | None, copies: int) -> int:
    """What states of so many bytes take there, copies included."""
    return n_bytes if card is None else copies * n_bytes


def _free_bytes() -> int:
    """What XLA may still take: of an accelerator's memory, else of this process's."""
    card = default_card()
    return memory.free_bytes() if card is None else card.free_bytes
