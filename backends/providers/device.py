"""Expectation values and samples from whatever measures circuits: a vendor's device, a simulator, a snapshot."""

import copy
import inspect
import math
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend, Calibrated, Capabilities, Counted, Jobs, Samples
from backends.batch import Evaluate, Expectations
from backends.checks import ObservablesLike, as_observables, as_rows, check_request, check_unitary
from backends.cost import Footprint, Work
from backends.forecast.forecast import Forecast
from backends.forecast.work import forecast
from backends.gradients.shift_rule import n_shifted
from backends.libraries import NONE
from backends.measurement.allocation import ALLOCATIONS, PILOT, Allocation, allocate
from backends.measurement.choice import predicted_error, two_qubit_error
from backends.measurement.circuits import MeasuredCircuits, check_alone, measure, measured_circuits, with_partners
from backends.measurement.groups import GROUPINGS, Group, Grouping, Measurements, measurements
from backends.measurement.outcomes import Outcomes
from backends.measurement.sampled import Sampling, sampling
from backends.measurement.targets import LEVELS, OptimizationLevel, target_of, transpiled
from backends.memory import check, in_bytes
from backends.mitigation.experiment import Asked, Experiment, points_of, prepared, widening
from backends.mitigation.readout import correction
from backends.mitigation.words import WORDS, as_mitigation
from backends.providers.calibration import Calibration
from backends.providers.counting import counting
from backends.providers.dispatch import Direct, Dispatch
from backends.providers.hardware import Elsewhere, Hardware, Here, JobRequest
from backends.seeds import child_seed
from backends.simulators.cropping import in_use
from circuits.errors import Refused
from circuits.fingerprint import fingerprint

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_SHOTS = 4096
"""Of each measured circuit, where neither shots nor a precision is asked for."""

LEAST = 30
"""Shots of a group, where they are shared: enough that its variance is known."""

LEAST_PILOT = 20
"""Shots of a group that variances are observed with; with fewer, shots are shared by weights."""

RULER = 10**6
"""Shots of each group for which shares are computed."""

MOST_TERMS = 5000
"""Terms whose commuting groups are looked for unasked: it takes seconds beyond."""


class Device(Backend, Samples, Jobs, Calibrated):
    """Expectation values from counts on hardware, whatever noise it has.

    Terms are measured in groups; all rows and groups go out in one job, or in as few as the hardware and the number of
    different shots allow.

    Args:
        hardware: What measures.
        optimization_level: For the one transpilation of each circuit; 0 runs every gate that was written, 1 to 3 are
            Qiskit's own levels, which shorten circuits (and cancel what the circuit itself folds to amplify noise).
        mitigation: What is done about noise; see `backends.mitigation.words`. Its gates come after the transpilation,
            so that nothing cancels them.
        grouping: Which terms are measured together.
        allocation: How the shots of all circuits are shared among the groups.
        default_shots: Of each measured circuit, where neither shots nor a precision is asked for.
    """

    def __init__(
        self,
        hardware: Hardware,
        *,
        optimization_level: Annotated[OptimizationLevel, LEVELS] = 0,
        mitigation: Annotated[Any, WORDS] = None,
        grouping: Annotated[Grouping, GROUPINGS] = "auto",
        allocation: Annotated[Allocation, ALLOCATIONS] = "softened",
        default_shots: Annotated[int, Field(ge=1), "a number of shots from 1"] = DEFAULT_SHOTS,
    ):
        self.hardware = hardware
        self.mitigation = as_mitigation(mitigation)
        self._level: OptimizationLevel = optimization_level
        self._grouping: Grouping = grouping
        self._allocation: Allocation = allocation
        self._default_shots = default_shots
        self._dispatch: Dispatch = Direct()
        self._permit: Callable[[], None] = lambda: None
        self._last: dict[Any, tuple[QuantumCircuit, tuple[int, ...]]] = {}
        if self.mitigation.words and not hardware.noisy:
            raise Refused(
                f"{hardware.name} has no noise, so mitigation '{self.mitigation.words[0]}' has nothing to correct; "
                "leave mitigation out"
            )
        if self.mitigation.zne is not None and not hardware.verbatim:
            raise Refused(
                f"{hardware.name} compiles what it is sent, and would cancel the gates that mitigation 'zne' folds; "
                "leave 'zne' out"
            )

    def through(self, dispatch: Dispatch) -> "Device":
        """The same device, whose jobs are sent by a given `Dispatch`, such as one that keeps a journal."""
        other = copy.copy(self)
        other._dispatch = dispatch
        return other

    def permitted(self, check: Callable[[], None]) -> "Device":
        """The same device, which sends nothing before the check has been asked; what it raises stops the sending.

        Args:
            check: Called before each job is sent.
        """
        other = copy.copy(self)
        other._permit = check
        return other

    def capabilities(self) -> Capabilities:
        """What the device can do."""
        words = self.mitigation.words
        return Capabilities(
            name=self.hardware.name,
            summary=self.hardware.summary + (f", mitigation {', '.join(words)}" if words else ""),
            max_qubits=self.hardware.n_qubits,
            exact=False,
            noise=self.hardware.noisy,
            gradient="parameter-shift",
            place="here" if isinstance(self.hardware, Here) else "provider",
            default_shots=self._default_shots,
        )

    def footprint(self, work: Work) -> Footprint:
        """Gates times groups; with noise on this machine, those of the circuit on the device, see `counting`.

        Terms are taken to be grouped letter by letter, which has the most groups. The standard error is that with
        extrapolation, but without what the correction of measurements adds.

        Raises:
            Refused: if the circuit has more qubits than the device.
        """
        n_qubits = work.circuit.num_qubits
        self._check_size(n_qubits)
        plan = measurements(work.observables)
        shares = self._shares(plan)
        shots = self._shots(plan, shares, work.precision, work.shots)
        points, groups = points_of(self.mitigation), len(plan.groups)
        copies = min(shots, self.mitigation.twirling.randomizations) if self.mitigation.twirling else 1
        circuits = points * groups * copies
        total = points * groups * shots
        if self.mitigation.readout is not None and groups:
            circuits += 2
            total += 2 * (self.mitigation.readout.shots or shots)
        common: dict[str, Any] = {
            "values": 1 + n_shifted(work.circuit) if work.derivative else 1,
            "standard_error": plan.standard_error(shots, shares) * math.sqrt(widening(self.mitigation)),
            "circuits": circuits,
            "shots": total,
        }
        hardware = self.hardware
        if isinstance(hardware, Here) and hardware.noisy:
            moved, layout = self._transpiled(work.circuit)
            target = target_of(hardware.target)
            of = counting(
                moved, layout, target, circuits=circuits, shots=max(1, shots // copies), beside=hardware.beside
            )
            return Footprint(
                of.passes,
                of.amplitudes,
                of.memory_bytes,
                kind=of.kind,
                steps=of.steps,
                prepared=of.prepared,
                library="qiskit_aer",
                **common,
            )
        library = "qiskit_aer" if isinstance(hardware, Here) else NONE
        passes = (len(work.circuit.data) + 1) * max(1, circuits)
        return Footprint(passes, 2.0**n_qubits, self._memory_bytes(n_qubits), library=library, **common)

    def prepare(self, circuit: QuantumCircuit, observables: ObservablesLike) -> Evaluate:
        """Transpile once; see `Backend.prepare`.

        Shots are those of each measured circuit on average over the groups, for every point that mitigation adds.
        """
        check_unitary(circuit)
        observables = as_observables(observables, circuit.num_qubits)
        self._check_room(circuit.num_qubits)
        start = time.perf_counter()
        moved, layout = self._transpiled(circuit)
        programs = {
            grouping: measured_circuits(
                moved,
                layout,
                measurements(observables, grouping),
                self.hardware.target,
                parameters=tuple(circuit.parameters),
                together=self.hardware.together(),
            )
            for grouping in self._groupings(observables)
        }
        ready = {
            grouping: prepared(program, self.mitigation, observables, self.hardware.target, self.hardware.name)
            for grouping, program in programs.items()
        }
        compile_s = time.perf_counter() - start

        def evaluate(
            parameters: ArrayLike, precision: float | None = None, shots: int | None = None, seed: int | None = None
        ) -> Expectations:
            nonlocal compile_s
            check_request(precision, shots, seed)
            rows = as_rows(parameters, circuit)
            start = time.perf_counter()
            most = max(programs.values(), key=lambda program: len(program.tails))
            each = self._shots(most.plan, self._shares(most.plan), precision, shots)
            chosen = self._chosen(programs, each)
            plan = programs[chosen].plan
            taken = self._shots(plan, self._shares(plan), precision, shots)
            values, errors, biases = self._evaluated(Experiment(ready[chosen], rows, seed), taken, seed)
            seconds = {"compile": compile_s, "execute": time.perf_counter() - start}
            compile_s = 0.0
            return Expectations(values, errors, taken if len(rows) and plan.groups else 0, seconds, biases)

        return evaluate

    def _evaluated(
        self, experiment: Experiment, shots: int, seed: int | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Run an experiment with so many shots of each group on average, in one round or in two."""
        groups, readout = experiment.ready.groups, self.mitigation.readout
        total = shots * len(groups)
        calibration, qubits = experiment.ready.calibration if len(experiment.rows) else ([], [])
        also = [Asked(one, (readout and readout.shots) or shots) for one in calibration]
        if self._allocation == "variance" and len(groups) > 1 and shots >= PILOT * LEAST_PILOT:
            pilot = np.full(len(groups), shots // PILOT)
            outcomes = self._told(experiment, pilot, also, child_seed(seed, 0))
            wanted = allocate(experiment.deviations(), total, at_least=shots // PILOT)
            self._told(experiment, wanted - pilot, [], child_seed(seed, 1))
        else:
            outcomes = self._told(experiment, self._allocated(groups, total), also, seed)
        errors = correction(qubits, outcomes[0], outcomes[1], self.hardware.name) if outcomes else None
        return experiment.values(errors)

    def _told(self, experiment: Experiment, shots: np.ndarray, also: list[Asked], seed: int | None) -> list[Outcomes]:
        """Run a round of an experiment, and what the circuits beside it measured."""
        asked = experiment.asked(shots)
        outcomes = self._counted([*asked, *also], seed)
        experiment.told(outcomes[: len(asked)])
        return outcomes[len(asked) :]

    def _allocated(self, groups: Sequence[Group], total: int) -> np.ndarray:
        """Shots of each group by its coefficients, or the same for all."""
        if self._allocation == "uniform":
            return np.full(len(groups), total // max(len(groups), 1))
        weights = np.array([group.typical for group in groups])
        shares = np.sqrt(weights) if self._allocation == "softened" else weights
        return allocate(shares, total, at_least=min(LEAST, total // max(len(groups), 1)))

    def _shares(self, plan: Measurements) -> np.ndarray:
        """Shots of each group in units of their average, for predictions and for a wanted precision."""
        return self._allocated(plan.groups, RULER * len(plan.groups)) / RULER

    def _shots(self, plan: Measurements, shares: np.ndarray, precision: float | None, shots: int | None) -> int:
        """Shots of each measured circuit on average."""
        if shots is not None or precision is None:
            return shots or self._default_shots
        return plan.shots_for(precision / math.sqrt(widening(self.mitigation)), shares)

    def _groupings(self, observables: tuple[SparsePauliOp, ...]) -> tuple[Literal["qubit-wise", "commuting"], ...]:
        """Those to be compared."""
        if self._grouping != "auto":
            return (self._grouping,)
        if self.hardware.noisy and two_qubit_error(self.hardware.target) is None:
            return ("qubit-wise",)  # what more gates would do is not known
        few = sum(map(len, observables)) <= MOST_TERMS
        return ("qubit-wise", "commuting") if few and not self.hardware.together() else ("qubit-wise",)

    def _chosen(self, programs: dict[Any, MeasuredCircuits], shots: int) -> Any:
        """The grouping whose predicted error is smaller at the same number of shots in all."""
        if len(programs) == 1:
            return next(iter(programs))
        total = shots * len(programs["qubit-wise"].tails)
        error = two_qubit_error(self.hardware.target) or 0.0 if self.hardware.noisy else 0.0
        return min(programs, key=lambda one: predicted_error(programs[one], total, error))

    def sample(
        self, circuit: QuantumCircuit, parameters: Any = (), *, shots: int = 1024, seed: int | None = None
    ) -> dict[str, int]:
        """Counts of bit strings, also of circuits that measure on the way; see `Samples`."""
        measured, written = self._sampled(sampling(circuit, parameters, shots=shots, seed=seed))
        return written(self._counted([Asked(measured, shots)], seed)[0])

    def sample_rows(
        self, circuit: QuantumCircuit, rows: np.ndarray, *, shots: int, seeds: Sequence[int | None]
    ) -> list[dict[str, int]]:
        """Counts for each row, all of whose jobs are sent before any is waited for; see `Samples`."""
        if isinstance(self.hardware, Here):
            return super().sample_rows(circuit, rows, shots=shots, seeds=seeds)
        ready = [self._sampled(sampling(circuit, row, shots=shots, seed=None)) for row in rows]
        outcomes = self._counted([Asked(measured, shots) for measured, _ in ready], None)
        return [written(one) for (_, written), one in zip(ready, outcomes, strict=True)]

    def sample_circuits(
        self, circuits: Sequence[QuantumCircuit], *, shots: int, seeds: Sequence[int | None]
    ) -> Counted:
        """Counts of each circuit: at a provider all are sent before any is waited for; see `Samples`."""
        start = time.perf_counter()
        ready = [self._sampled(sampling(circuit, (), shots=shots, seed=None)) for circuit in circuits]
        sent = time.perf_counter()
        outcomes = self._counted([Asked(measured, shots) for measured, _ in ready], next(iter(seeds), None))
        counts = [written(one) for (_, written), one in zip(ready, outcomes, strict=True)]
        running = "execute" if isinstance(self.hardware, Here) else "jobs"
        return Counted(counts, {"transpile": sent - start, running: time.perf_counter() - sent})

    def _sampled(self, request: Sampling) -> tuple[QuantumCircuit, Callable[[Outcomes], dict[str, int]]]:
        """The measured circuit of a request for counts, and how what it measured is written."""
        circuit = request.circuit.assign_parameters(request.row)
        self._check_room(circuit.num_qubits)
        moved, layout = self._transpiled(circuit)
        together = self.hardware.together()
        if request.middle:
            check_alone(together)
            return moved, lambda outcomes: outcomes.to_counts(request.registers)
        read = with_partners([layout[q] for q in request.qubits], layout, together)
        return measure(moved, read, together), request.of_qubits

    def forecast(self, work: Work) -> Forecast | None:
        """See `Backend.forecast`; a circuit that is run later is not transpiled again."""
        self._check_size(work.circuit.num_qubits)
        asked = self.footprint(work)
        return forecast(self.hardware, work, self._transpiled, circuits=asked.circuits, shots=asked.shots)

    def calibration(self, circuit: QuantumCircuit) -> Calibration | None:
        """Of the device's qubits that the circuit is brought to; see `Calibrated`.

        Args:
            circuit: As it would be run.
        """
        known = self.hardware.calibration()
        return None if known is None else known.of(in_use([self._transpiled(circuit)[0]]))

    def _transpiled(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
        """The last one is kept, so that what was planned is not transpiled again to be run."""
        try:
            key = (fingerprint(circuit), *circuit.parameters)
        except Refused:  # a gate without a certain meaning, which transpiling names
            key = None
        if key is None or key not in self._last:
            self._last = {key: transpiled(circuit, self.hardware.target, level=self._level)}
        return self._last[key]

    def _counted(self, asked: Sequence[Asked], seed: int | None) -> list[Outcomes]:
        """What circuits measured, here or in as few jobs as the hardware allows: one for each number of shots."""
        hardware = self.hardware
        numbers = sorted({one.shots for one in asked}, reverse=True)
        places = [[k for k, one in enumerate(asked) if one.shots == shots] for shots in numbers]
        if isinstance(hardware, Here):
            seeds = [seed] if len(numbers) == 1 else [child_seed(seed, 0, k) for k in range(len(numbers))]
            answers = [
                hardware.run([asked[k].circuit for k in place], shots, root)
                for place, shots, root in zip(places, numbers, seeds, strict=True)
            ]
        else:
            assert isinstance(hardware, Elsewhere)
            if hardware.most_shots is not None and numbers and numbers[0] > hardware.most_shots:
                raise Refused(
                    f"{hardware.name} takes at most {hardware.most_shots} shots of a circuit, and {numbers[0]} are "
                    "asked for; ask for fewer, or for a larger standard error"
                )
            requests, sent = [], []
            for place, shots in zip(places, numbers, strict=True):
                size = hardware.most_circuits or len(place)
                for first in range(0, len(place), size):
                    part = place[first : first + size]
                    requests.append(JobRequest(tuple(asked[k].circuit for k in part), shots))
                    sent.append(part)
            self._permit()
            places, answers = sent, self._dispatch(hardware, requests)
        found: dict[int, Outcomes] = {}
        for place, answer in zip(places, answers, strict=True):
            found.update(zip(place, answer, strict=True))
        return [found[k] for k in range(len(asked))]

    def _check_room(self, n_qubits: int) -> None:
        self._check_size(n_qubits)
        check(self._memory_bytes(n_qubits), what=f"{n_qubits} qubits on {self.hardware.name}")

    def _check_size(self, n_qubits: int) -> None:
        size = self.hardware.n_qubits
        if size is not None and n_qubits > size:
            raise Refused(
                f"the circuit has {n_qubits} qubits, but {self.hardware.name} has {size} "
                f"(a state of {n_qubits} qubits on a simulator would take {in_bytes(16 * 2**n_qubits)})"
            )

    def _memory_bytes(self, n_qubits: int) -> int:
        return 16 * 2**n_qubits if isinstance(self.hardware, Here) else 0


def with_device_options(make: F, like: Callable[..., Any] | None = None) -> F:
    """Declare the options of `Device` on something that passes them on; a decorator for what takes ``**options``.

    Args:
        make: Takes its own arguments, and all others by keyword.
        like: Declares the own arguments; `make` itself if None.
    """
    like = like or make
    own = [p for p in inspect.signature(like).parameters.values() if p.kind is not p.VAR_KEYWORD]
    shared = list(inspect.signature(Device).parameters.values())[1:]
    hints = get_type_hints(like, include_extras=True), get_type_hints(Device.__init__, include_extras=True)
    declared = {
        p.name: found[p.name] for found, ps in zip(hints, (own, shared), strict=True) for p in ps if p.name in found
    }
    made: Any = make
    made.__signature__, made.__annotations__ = inspect.Signature([*own, *shared]), declared
    return make
