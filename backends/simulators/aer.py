"""Qiskit Aer: its statevector, density-matrix, matrix-product-state and stabilizer methods, with noise that is applied.

Without noise and without shots, values are exact, unless bonds are cut. With a noise model, what is computed is what a
device with this noise would report: the circuits are the measured ones, the changes of basis and the readout are noisy
too. The density-matrix method gives the limit of infinitely many shots, every other method counts.
"""

import math
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from backends.base import Backend, Capabilities, Counted, Precision, Samples
from backends.batch import Evaluate, Expectations
from backends.checks import ObservablesLike, as_observables, as_rows, check_request, check_unitary
from backends.cost import Cost, Footprint, Work, cost
from backends.gpu import Held, OnCard, first_card
from backends.gradients.shift_rule import n_shifted
from backends.instructions import is_standard, is_unitary, written_out
from backends.machine import threads
from backends.measurement.allocation import ALLOCATIONS, Allocation
from backends.measurement.circuits import MeasuredCircuits, check_alone, measure, measured_circuits, with_partners
from backends.measurement.counted import counted
from backends.measurement.groups import GROUPINGS, Grouping, Measurements, measurements
from backends.measurement.outcomes import Outcomes
from backends.measurement.sampled import Sampling, sampling
from backends.measurement.targets import LEVELS, OptimizationLevel, gates_of, transpiled
from backends.mitigation.words import WORDS, as_mitigation
from backends.providers.device import Device as Measuring
from backends.providers.hardware import Here
from backends.simulators.aer_values import SavedValues, noisy_values, saved_values
from backends.simulators.bonds import bonds
from backends.simulators.clifford import check_clifford, check_rows
from backends.simulators.methods import TYPICAL, Asked, Method, amount, check_conceivable
from backends.simulators.noise import Noise, as_noise
from circuits.errors import Refused
from circuits.problems.checks import whole

if TYPE_CHECKING:
    from qiskit_aer import AerSimulator

Choice = Literal["automatic"] | Method

Device = Literal["cpu", "gpu"]

ON_CARDS = ("automatic", "statevector", "density_matrix")
"""Methods that Aer has kernels of CUDA for."""

ON_GPU = "aer with device='gpu'"

DEFAULT_SHOTS = 1024
"""Trajectories of each measured circuit, where noise makes them necessary and nothing else was asked."""

MAX_DENSITY_QUBITS = 10
"""Largest circuit for which "automatic" turns a noise model into a density matrix rather than trajectories."""


class Aer(Backend, Samples):
    """Qiskit Aer on this machine's processor, or on its NVIDIA card.

    Matrix-product states drop Schmidt coefficients below about 1e-8, whatever is asked: values are exact to that.

    Args:
        method: ``"automatic"`` means a statevector, or, with noise, a density matrix up to 10 qubits, and beyond those
            trajectories, which are counted.
        noise: A qiskit_aer ``NoiseModel``; or a device, as a Qiskit BackendV2 or by the name of a snapshot such as
            ``"fake_manila"``, whose noise, gates and couplings are then all used.
        noise_model: Another word for ``noise``.
        precision: Of the amplitudes.
        max_bond_dimension: Where the matrix-product state is cut; None keeps it exact.
        optimization_level: For the one transpilation of each circuit. 0 runs every gate that was written, 1 to 3 are
            Qiskit's own levels, which shorten circuits (and cancel what was folded to amplify noise). None means 0
            with noise, and 1 without, where no value depends on it.
        mitigation: What is done about the noise, as on a device; values are then counted.
        grouping: With mitigation, which terms are measured together.
        allocation: With mitigation, how shots are shared among the groups.
        device: Where states are kept and computed: on the processor, or on an NVIDIA card, which takes the package
            qiskit-aer-gpu and one of the methods that keep amplitudes.
    """

    library = "qiskit_aer"

    def __init__(
        self,
        *,
        method: Annotated[Choice, f"automatic, or one of {', '.join(get_args(Method))}"] = "automatic",
        noise: Annotated[Any, 'a device whose noise Aer imitates, such as "fake_manila"'] = None,
        noise_model: Annotated[Any, "as noise"] = None,
        precision: Annotated[Precision, '"double" or "single"'] = "double",
        max_bond_dimension: Annotated[int | None, "the largest bond of a matrix-product state, from 1"] = None,
        optimization_level: Annotated[OptimizationLevel | None, LEVELS] = None,
        device: Annotated[Device, '"cpu" or "gpu": the processor or an NVIDIA card'] = "cpu",
        mitigation: Annotated[Any, WORDS] = None,
        grouping: Annotated[Grouping | None, GROUPINGS] = None,
        allocation: Annotated[Allocation | None, ALLOCATIONS] = None,
    ):
        if noise is not None and noise_model is not None:
            raise Refused("noise and noise_model of aer are two words for one thing; give one of them")
        noise = noise_model if noise is None else noise
        if max_bond_dimension is not None and method != "matrix_product_state":
            raise Refused(f"max_bond_dimension has no effect on method '{method}'; use method='matrix_product_state'")
        if max_bond_dimension is not None:
            whole(max_bond_dimension, "max_bond_dimension of aer", at_least=1, at_most=2**31 - 1)
        if precision == "single" and method == "stabilizer":
            raise Refused("precision has no effect on method 'stabilizer'")
        if device == "gpu":
            check_card(method)
        self._device: Device = device
        self._method: Choice = method
        self._noise: Noise | None = None if noise is None else as_noise(noise)
        self._precision: Precision = precision
        self._max_bond = max_bond_dimension
        unasked: OptimizationLevel = 1 if noise is None else 0
        self._level: OptimizationLevel = unasked if optimization_level is None else optimization_level
        self._mitigation = as_mitigation(mitigation)
        self._grouping: Grouping = grouping or "auto"
        self._allocation: Allocation = allocation or "softened"
        words = self._mitigation.words
        if words and self._noise is None:
            raise Refused(f"aer without noise has nothing for mitigation '{words[0]}' to correct; leave it out")
        for name, given in (("grouping", grouping), ("allocation", allocation)):
            if given is not None and not words:
                raise Refused(f"{name} has no effect on aer without mitigation, which counts nothing")
        if words and self._max_bond is not None:
            raise Refused("mitigation corrects a device's noise, and max_bond_dimension of aer adds another; give one")

    def capabilities(self) -> Capabilities:
        """What Aer does with these options."""
        counts = self._noise is not None and self._method not in ("automatic", "density_matrix")
        noise = "" if self._noise is None else f" with the noise of {self._noise.name}"
        cut = "" if self._max_bond is None else f", bonds up to {self._max_bond}"
        where = "" if self._device == "cpu" else f", on {first_card(ON_GPU).name}"
        if self._mitigation.words:
            counts, noise = True, f"{noise}, mitigation {', '.join(self._mitigation.words)}"
        return Capabilities(
            name="aer",
            summary=f"Qiskit Aer, method {self._method}{cut}{noise}{where}",
            max_qubits=None if self._noise is None else self._noise.n_qubits,
            exact=not counts and self._max_bond is None,
            noise=self._noise is not None,
            gradient="parameter-shift",
            precision=self._precision,
            default_shots=DEFAULT_SHOTS if counts else None,
        )

    def _measuring(self, n_qubits: int) -> "Measuring":
        """The simulator as hardware that only counts, for what mitigation does with counts."""
        return Measuring(
            _Counting(self, n_qubits),
            optimization_level=self._level,
            mitigation=self._mitigation,
            default_shots=DEFAULT_SHOTS,
            grouping=self._grouping,
            allocation=self._allocation,
        )

    def footprint(self, work: Work) -> Footprint:
        """Gates, terms and shots, as the method counts them; one state, in the form that the method keeps it.

        Raises:
            Refused: for a gate that Aer or the method cannot do, or more qubits than the noise model's device has.
        """
        n_qubits = work.circuit.num_qubits
        method = self._resolve(n_qubits, sampled=work.shots is not None or work.precision is not None)
        check_conceivable(method, n_qubits)
        circuit = self._readable(work.circuit)
        if self._mitigation.words:
            return self._measuring(n_qubits).footprint(work)
        plan = measurements(work.observables)
        shots = self._shots(plan, method, work.precision, work.shots)
        saved = self._noise is None and shots is None
        terms = sum(map(len, work.observables)) if saved else 0
        groups = 1 if saved else max(1, len(plan.groups))
        asked = Asked(terms, groups, shots or 0, noise=self._noise is not None, merged=self._level > 0)
        amounts = [
            amount(method, circuit, asked, limit=limit, number_bytes=self._number_bytes)
            for limit in self._limits(circuit)
        ]
        passes = sum(one.passes for one in amounts)
        held = self._held(max(one.memory_bytes for one in amounts))
        return Footprint(
            passes=passes,
            amplitudes=sum(one.passes * one.amplitudes for one in amounts) / passes,
            memory_bytes=held.memory_bytes,
            on_card=held.on_card,
            values=1 + n_shifted(work.circuit) if work.derivative else 1,
            standard_error=0.0 if shots is None else plan.standard_error(shots),
            circuits=len(plan.groups) if shots else 0,
            shots=len(plan.groups) * (shots or 0),
            kind=self._kind(method, held, counted=shots is not None),
            steps=sum(one.steps for one in amounts),
            library="qiskit_aer",
        )

    def predict(self, work: Work) -> Cost:
        """See `Backend.predict`; of methods whose speed was never measured, at a typical one."""
        found = super().predict(work)
        if math.isnan(found.seconds) and self._method in TYPICAL:
            return cost(work, self.footprint(work), TYPICAL[self._method])
        return found

    def _kind(self, method: Method, held: Held, *, counted: bool) -> str:
        """Under which its speed is kept."""
        noise = "" if self._noise is None else " with noise"
        where = "" if held.on_card is None else f" on {held.on_card.card.name}"
        return f"{method}{noise}{', counted' if counted else ''}{where}"

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """Transpile once; see `Backend.prepare`.

        Where bonds are cut, the `bias` of a value is its difference from the one with bonds of half the size (of 2, for
        bonds of 1), and 0 if no bond can become so large that it is cut. The error falls as bonds grow, so this errs on
        the safe side; but it is an estimate, no bound.
        """
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_memory(self._readable(circuit), self._resolve(circuit.num_qubits, sampled=True))
        if self._mitigation.words:
            return self._measuring(circuit.num_qubits).prepare(circuit, observables)
        plan = measurements(observables)
        parameters = tuple(circuit.parameters)

        @cache
        def moved() -> tuple[QuantumCircuit, tuple[int, ...]]:
            return self._transpiled(circuit)

        @cache
        def limits() -> list[int | None]:
            return self._limits(moved()[0])

        @cache
        def saved() -> SavedValues:
            return saved_values(*moved(), parameters, observables)

        @cache
        def measured() -> MeasuredCircuits:
            target = self._target(circuit.num_qubits)
            return measured_circuits(*moved(), plan, target, parameters=parameters, together=self._together)

        def values(
            method: Method, limit: int | None, rows: np.ndarray, shots: int | None, seed: int | None
        ) -> tuple[np.ndarray, np.ndarray]:
            if shots is not None:
                simulator, placed = self._placed(method, limit, measured().measured(rows))
                outcomes = counted(simulator, placed, shots=shots, seed=seed, name="aer")
                return measured().estimate(outcomes, len(rows))
            if self._noise is None:
                exact = saved().values(self._simulator(method, limit), rows)
            else:
                place = partial(self._placed, method, limit)
                exact = noisy_values(place, measured(), self._noise.readout, rows)
            return exact, np.zeros_like(exact)

        def bias(
            method: Method, found: np.ndarray, rows: np.ndarray, shots: int | None, seed: int | None
        ) -> np.ndarray:
            if len(limits()) == 1:
                return np.zeros_like(found)
            if self._noise is None and shots is not None:  # without what the shots add
                found, shots = values(method, limits()[0], rows, None, seed)[0], None
            return np.abs(found - values(method, limits()[1], rows, shots, seed)[0])

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            method = self._resolve(circuit.num_qubits, sampled=shots is not None or precision is not None)
            if method == "stabilizer":
                check_rows(circuit, rows)
            start = time.perf_counter()
            shots = self._shots(plan, method, precision, shots)
            _ = saved() if self._noise is None and shots is None else measured()
            compile_s = time.perf_counter() - start
            start = time.perf_counter()
            found, errors = values(method, self._max_bond, rows, shots, seed)
            uncertain = bias(method, found, rows, shots, seed)
            seconds = {"compile": compile_s, "execute": time.perf_counter() - start}
            return Expectations(found, errors, shots if shots and plan.groups else 0, seconds, uncertain)

        return evaluate

    def sample(
        self, circuit: QuantumCircuit, parameters: Any = (), *, shots: int = 1024, seed: int | None = None
    ) -> dict[str, int]:
        """Counts of bit strings, also of circuits that measure on the way; see `Samples`."""
        placed, written, simulator = self._sampled(sampling(circuit, parameters, shots=shots, seed=seed))
        (outcomes,) = counted(simulator, placed, shots=shots, seed=seed, name="aer")
        return written(outcomes)

    def sample_circuits(
        self, circuits: Sequence[QuantumCircuit], *, shots: int, seeds: Sequence[int | None]
    ) -> Counted:
        """Counts of each circuit, one after the other; see `Samples`."""
        counts, seconds = [], {"transpile": 0.0, "execute": 0.0}
        for circuit, seed in zip(circuits, seeds, strict=True):
            start = time.perf_counter()
            placed, written, simulator = self._sampled(sampling(circuit, (), shots=shots, seed=seed))
            ready = time.perf_counter()
            (outcomes,) = counted(simulator, placed, shots=shots, seed=seed, name="aer")
            counts.append(written(outcomes))
            seconds["transpile"] += ready - start
            seconds["execute"] += time.perf_counter() - ready
        return Counted(counts, seconds)

    def _sampled(
        self, request: Sampling
    ) -> "tuple[list[QuantumCircuit], Callable[[Outcomes], dict[str, int]], AerSimulator]":
        """The measured circuit of a request for counts, how what it measured is written, and what runs it."""
        circuit = request.circuit.assign_parameters(request.row)
        method = self._resolve(circuit.num_qubits, sampled=True)
        self._check_memory(self._readable(circuit), method)
        moved, layout = self._transpiled(circuit)
        if request.middle:
            check_alone(self._together)
        else:
            read = with_partners([layout[q] for q in request.qubits], layout, self._together)
            moved = measure(moved, read, self._together)
        simulator, placed = self._placed(method, self._max_bond, [moved])
        if request.middle:
            return placed, lambda outcomes: outcomes.to_counts(request.registers), simulator
        return placed, request.of_qubits, simulator

    def _resolve(self, n_qubits: int, *, sampled: bool) -> Method:
        """The method for so many qubits, and for counts or exact values."""
        if self._method != "automatic":
            return self._method
        if self._noise is None:
            return "statevector"
        if n_qubits > MAX_DENSITY_QUBITS and not sampled:
            raise Refused(
                f"{n_qubits} qubits with noise are too many for exact values, which take a density matrix of "
                f'4^{n_qubits} numbers: ask for shots, or for method = "statevector", which counts {DEFAULT_SHOTS}'
            )
        return "statevector" if n_qubits > MAX_DENSITY_QUBITS else "density_matrix"

    def _shots(self, plan: Measurements, method: Method, precision: float | None, shots: int | None) -> int | None:
        """Shots of each circuit; None where values come without."""
        if shots is None and self._noise is not None and method != "density_matrix":
            return plan.shots(precision, None, DEFAULT_SHOTS)
        return shots

    def _readable(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """The circuit down to standard gates, if the method and the noise can do it."""
        if self._noise is not None:
            self._noise.check(circuit.num_qubits)
        if self._method == "stabilizer":
            check_clifford(circuit)
        if all(instruction.is_standard_gate() for instruction in circuit.data):
            return circuit
        return written_out(circuit, lambda operation: is_standard(operation) or not is_unitary(operation))

    @property
    def _number_bytes(self) -> int:
        return 16 if self._precision == "double" else 8

    def _check_memory(self, circuit: QuantumCircuit, method: Method) -> None:
        asked = Asked(noise=self._noise is not None)
        need = amount(method, circuit, asked, limit=self._max_bond, number_bytes=self._number_bytes)
        self._held(need.memory_bytes).check(what=f"{circuit.num_qubits} qubits on aer ({self._method})")

    def _held(self, memory_bytes: int) -> Held:
        """The state, in this machine's memory or in the card's."""
        return Held(memory_bytes) if self._device == "cpu" else Held(0, OnCard(first_card(ON_GPU), memory_bytes))

    def _limits(self, circuit: QuantumCircuit) -> list[int | None]:
        """The dimension at which bonds are cut and, where one can become larger, another to compare with."""
        chi = self._max_bond
        if chi is None or bonds(circuit, None, noise=self._noise is not None).largest <= chi:
            return [chi]
        return [chi, chi // 2 if chi > 1 else 2]

    def _placed(
        self, method: Method, limit: int | None, circuits: list[QuantumCircuit]
    ) -> "tuple[AerSimulator, list[QuantumCircuit]]":
        """A simulator, and the circuits for it: with noise, on the qubits in use alone."""
        if self._noise is None:
            return self._simulator(method, limit), circuits
        model, placed = self._noise.applied(circuits)
        return self._simulator(method, limit, model), placed

    def _simulator(self, method: Method, limit: int | None, noise_model: Any = None) -> "AerSimulator":
        from qiskit_aer import AerSimulator

        options: dict[str, Any] = {"method": method, "precision": self._precision, "max_parallel_threads": threads()}
        if self._device == "gpu":
            options["device"] = "GPU"
        if noise_model is not None:
            options["noise_model"] = noise_model
        if limit is not None:
            options["matrix_product_state_max_bond_dimension"] = limit
        return AerSimulator(**options)

    @property
    def _together(self) -> tuple[tuple[int, ...], ...]:
        """Sets of qubits that one measurement must read for their noise to apply."""
        return () if self._noise is None else self._noise.readout.together

    def _target(self, n_qubits: int) -> BackendV2 | Target:
        """What to transpile for: the device whose noise is asked for, or Aer's own gates."""
        device = None if self._noise is None else self._noise.device
        method = "statevector" if self._method == "automatic" else self._method
        model = None if self._noise is None else self._noise.measuring
        return gates_of(self._simulator(method, None, model), n_qubits) if device is None else device

    def _transpiled(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
        return transpiled(circuit, self._target(circuit.num_qubits), level=self._level)


class _Counting(Here):
    """Aer with noise as hardware that measures circuits."""

    def __init__(self, aer: Aer, n_qubits: int):
        method = aer._resolve(n_qubits, sampled=True)
        self.name = "aer"
        self.summary = aer.capabilities().summary
        self.target = aer._target(n_qubits)
        self.n_qubits = self.target.num_qubits
        self._simulator = aer._simulator(method, None)
        self._together = aer._together

    def run(self, circuits: Sequence[QuantumCircuit], shots: int, seed: int | None) -> list[Outcomes]:
        """See `Here.run`."""
        return counted(self._simulator, circuits, shots=shots, seed=seed, name=self.name)

    def together(self) -> tuple[tuple[int, ...], ...]:
        """Of the noise model."""
        return self._together


def check_card(method: Choice) -> None:
    """Refuse a method that Aer has no kernels of CUDA for, and a machine without a card or Aer's build for one."""
    if method not in ON_CARDS:
        raise Refused(f"method '{method}' of aer runs on the processor only; leave device='gpu' out")
    first_card(ON_GPU)
    from qiskit_aer import AerSimulator

    if "GPU" not in (AerSimulator().available_devices() or ()):
        raise Refused(
            f"{ON_GPU} needs a build of Aer for CUDA, and the one that is installed has none or cannot use the card; "
            "install the package qiskit-aer-gpu in place of qiskit-aer"
        )


def simulator_like(device: Any, noise_model: Any) -> BackendV2:
    """A simulator with the options of a simulator of Aer's, or of a fake that has one inside, and given noise.

    Args:
        device: Whose options are taken.
        noise_model: In the place of its own; for circuits that need neither its couplings nor its gates any more.
    """
    from qiskit_aer import AerSimulator

    kind = type(device) if type(device).__module__.startswith("qiskit_aer.") else AerSimulator
    usual = vars(kind._default_options())
    given = {name: value for name, value in vars(device.options).items() if usual.get(name) != value}
    return kind(**{**given, "noise_model": noise_model})
