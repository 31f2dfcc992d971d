"""All circuits of one evaluation, mitigation included, and the values that follow from what they measured.

For each row of parameters there are points: the asked circuit, or copies of it with amplified noise, or training
circuits beside it. Each point is measured in every group's basis, each of these circuits perhaps in many twirled copies
that share its shots. What comes back is combined the same way backwards; the variance of a value is that of its points,
each with the weight that it has in the value, and that of the correction of measurements, which all points share.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import PassManager, Target

from backends.measurement.circuits import MeasuredCircuits, Tail, followed, measure
from backends.measurement.groups import Group
from backends.measurement.outcomes import Outcomes
from backends.measurement.targets import target_of
from backends.mitigation.decoupling import decoupled, decoupling
from backends.mitigation.extrapolation import Corrected, amplification, extrapolated
from backends.mitigation.folding import folded, is_folded
from backends.mitigation.readout import Correction, calibration_circuits
from backends.mitigation.regression import check_trainable, exact_values, regressed, training_circuit
from backends.mitigation.twirling import Twirl, split
from backends.mitigation.words import Mitigation
from backends.seeds import child_seed
from circuits.errors import Refused

TRAINING, TWIRLING = 1, 2
"""Branches of an evaluation's tree of seeds, beside those of its shots."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A measured circuit and how often it is to be run."""

    circuit: QuantumCircuit
    shots: int


@dataclass(frozen=True, eq=False)
class Mean:
    """What the shots of one circuit, or of several together, say.

    Attributes:
        value: Mean of the weighted sum of terms, shape (observables,).
        variance: Of that mean, same shape.
        slopes: Its derivatives by the errors of measurement, shape (observables, qubits, 2); 0 if none are corrected.
    """

    value: np.ndarray
    variance: np.ndarray
    slopes: np.ndarray | float


@dataclass(frozen=True, eq=False)
class Prepared:
    """A circuit made ready for evaluations with mitigation; made by `prepared`.

    Attributes:
        programs: The measured circuits for each factor of amplification; a single one where nothing is amplified.
        factors: By how much each has more gates on several qubits.
        mitigation: What is asked for.
        observables: As asked, on the original circuit's qubits.
        target: In whose gates the circuits are.
        waits: What fills waits; None for nothing.
        name: Of the device, for messages.
    """

    programs: tuple[MeasuredCircuits, ...]
    factors: tuple[float, ...]
    mitigation: Mitigation
    observables: tuple[SparsePauliOp, ...]
    target: BackendV2 | Target
    waits: PassManager | None
    name: str

    @property
    def groups(self) -> tuple[Group, ...]:
        """What is measured together."""
        return self.programs[0].plan.groups

    @cached_property
    def twirl(self) -> Twirl:
        """What draws twirled copies."""
        return Twirl(self.target, self.programs[0].circuit.num_qubits)

    @cached_property
    def calibration(self) -> tuple[list[QuantumCircuit], list[int]]:
        """Circuits that measure the errors of measurement, and the qubits that they read; empty if not asked for."""
        program = self.programs[0]
        if self.mitigation.readout is None or not program.tails:
            return [], []
        qubits = sorted({q for tail in program.tails for q in tail.layout})
        circuits = calibration_circuits(qubits, program.circuit.num_qubits, self.target)
        return [self.finished(one) for one in circuits], qubits

    def finished(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """A measured circuit as it is sent."""
        return circuit if self.waits is None else decoupled(circuit, self.waits, self.name)


def prepared(
    program: MeasuredCircuits,
    mitigation: Mitigation,
    observables: tuple[SparsePauliOp, ...],
    target: BackendV2 | Target,
    name: str,
) -> Prepared:
    """Make mitigation ready, once for all evaluations.

    Args:
        program: The measured circuits without it.
        mitigation: What is asked for.
        observables: As asked, on the original circuit's qubits.
        target: In whose gates the circuits are.
        name: Of the device, for messages.

    Raises:
        Refused: for what the device or the circuit does not allow, by name.
    """
    gates = target_of(target)
    if mitigation.readout is not None and program.together:
        raise Refused(
            f"mitigation 'readout' takes each qubit's errors for independent, and {name} has one measurement error for "
            f"qubits {list(program.together[0])} together; leave 'readout' out"
        )
    if mitigation.cdr is not None:
        check_trainable(program.circuit, name=name)
    waits = None if mitigation.dd is None else decoupling(mitigation.dd, target, name)
    programs, factors = (program,), (1.0,)
    if mitigation.zne is not None:
        programs, factors = _amplified(program, mitigation.zne.factors, gates)
    return Prepared(programs, factors, mitigation, observables, target, waits, name)


def _amplified(
    program: MeasuredCircuits, factors: Sequence[float], gates: Target
) -> tuple[tuple[MeasuredCircuits, ...], tuple[float, ...]]:
    if not any(map(is_folded, program.circuit.data)):
        raise Refused(
            "mitigation 'zne' amplifies the noise of gates on several qubits, and the circuit has none; leave 'zne' out"
        )
    programs, reached = [], []
    for factor in factors:
        circuit, real = folded(program.circuit, factor, gates)
        tails = tuple(Tail(folded(tail.circuit, factor, gates)[0], tail.layout) for tail in program.tails)
        programs.append(
            MeasuredCircuits(circuit, program.parameters, program.layout, tails, program.plan, program.together)
        )
        reached.append(real)
    if len(set(reached)) < len(reached):
        raise Refused(
            f"zne: factors {list(factors)} are not told apart by a circuit of so few gates on several qubits; its "
            f"noise would be amplified by {reached}: give factors further apart, such as 1, 3, 5"
        )
    return tuple(programs), tuple(reached)


def points_of(mitigation: Mitigation) -> int:
    """How many circuits stand for one row of parameters, in each group's basis."""
    if mitigation.zne is not None:
        return len(mitigation.zne.factors)
    return 1 if mitigation.cdr is None else 1 + mitigation.cdr.training


def widening(mitigation: Mitigation) -> float:
    """By how much extrapolation multiplies the variance of a value, as far as it is known beforehand."""
    return 1.0 if mitigation.zne is None else amplification(mitigation.zne.factors, mitigation.zne.extrapolation)


@dataclass(eq=False)
class Experiment:
    """One evaluation: what must be run in each round, and the values in the end.

    Args:
        ready: The circuit.
        rows: Of parameters, shape (rows, params), radians.
        seed: Root of the random circuits; None for fresh ones.
    """

    ready: Prepared
    rows: np.ndarray
    seed: int | None
    _seen: list[list[Outcomes]] = field(default_factory=list)
    _rounds: int = 0
    _sizes: list[int] = field(default_factory=list)

    def __post_init__(self):
        self._points = list(self._made_points())
        self._seen = [[] for _ in range(len(self._points) * len(self.ready.groups))]

    def _made_points(self) -> Iterator[tuple[MeasuredCircuits, QuantumCircuit]]:
        cdr = self.ready.mitigation.cdr
        for r, row in enumerate(self.rows):
            for program in self.ready.programs:
                asked = program.bound(row)
                yield program, asked
            if cdr is not None:
                for k in range(cdr.training):
                    rng = np.random.default_rng(child_seed(self.seed, TRAINING, r, k))
                    yield program, training_circuit(asked, cdr.kept, rng)

    def asked(self, shots: np.ndarray) -> list[Asked]:
        """The circuits of a round.

        Args:
            shots: Of each group, for every point; 0 for none of it in this round.
        """
        circuits: list[Asked] = []
        self._sizes = []
        twirling = self.ready.mitigation.twirling
        for p, (program, circuit) in enumerate(self._points):
            for g, (tail, n) in enumerate(zip(program.tails, shots.tolist(), strict=True)):
                full = followed(circuit, tail) if n else circuit
                if not n:
                    self._sizes.append(0)
                    continue
                if twirling is None:
                    copies = [Asked(full, n)]
                else:
                    rng = np.random.default_rng(child_seed(self.seed, TWIRLING, self._rounds, p, g))
                    copies = [Asked(self.ready.twirl(full, rng), part) for part in split(n, twirling.randomizations)]
                self._sizes.append(len(copies))
                circuits += [
                    Asked(self.ready.finished(measure(one.circuit, tail.layout, program.together)), one.shots)
                    for one in copies
                ]
        self._rounds += 1
        return circuits

    def told(self, outcomes: Sequence[Outcomes]) -> None:
        """Take what the circuits of the last round measured."""
        rest = iter(outcomes)
        for seen, size in zip(self._seen, self._sizes, strict=True):
            seen += [next(rest) for _ in range(size)]

    def deviations(self) -> np.ndarray:
        """Observed standard deviation of one shot of each group, over all points and observables, shape (groups,).

        An observation of few shots is drawn towards the one that is typical for the coefficients, by the weight of one
        shot: a group whose shots were all alike so far is not left alone.
        """
        groups = self.ready.groups
        squares = np.zeros(len(groups))
        for k, seen in enumerate(self._seen):
            group, outcomes = groups[k % len(groups)], merged(seen)
            n = outcomes.counts.sum()
            _, variance = group.moments(outcomes)
            squares[k % len(groups)] += (variance.sum() * (n - 1) + group.typical**2) / n
        return np.sqrt(squares / max(len(self._points), 1))

    def _copies(self, k: int) -> list[Outcomes]:
        """What each twirled copy of a circuit measured; without twirling all its shots are alike."""
        seen = self._seen[k]
        return [merged(seen)] if self.ready.mitigation.twirling is None else seen

    def values(self, errors: Correction | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values, standard errors and biases, shape (rows, observables) each.

        Args:
            errors: Of measurement, if they are to be corrected.
        """
        n_points, n_groups = points_of(self.ready.mitigation), len(self.ready.groups)
        constants = self.ready.programs[0].plan.constants
        found = np.zeros((3, len(self.rows), len(constants)))
        for r in range(len(self.rows)):
            means = []
            left = np.zeros((2, len(constants)))
            for p in range(r * n_points, (r + 1) * n_points):
                tails = self._points[p][0].tails
                parts = [
                    mean_of(group, self._copies(p * n_groups + g), tails[g].layout, errors)
                    for g, group in enumerate(self.ready.groups)
                ]
                means.append(
                    Mean(
                        constants + sum(part.value for part in parts),
                        sum((part.variance for part in parts), np.zeros_like(constants)),
                        sum(part.slopes for part in parts),
                    )
                )
            if errors is not None:
                layouts = [tail.layout for tail in self._points[r * n_points][0].tails]
                left = sum((errors.misfit(g, where) for g, where in zip(self.ready.groups, layouts, strict=True)), left)
            for o, corrected in enumerate(self._combined(r, means, constants)):
                slopes = corrected.slopes
                used = means[: len(slopes)]
                variance = corrected.variance + slopes**2 @ np.array([mean.variance[o] for mean in used])
                if errors is not None:
                    common = sum(s * mean.slopes[o] for s, mean in zip(slopes, used, strict=True))
                    variance += float(np.sum(common**2 * errors.variances))
                bias = corrected.bias + float(np.abs(left[:, o]).max())
                found[:, r, o] = corrected.value, np.sqrt(variance), bias
        return found[0], found[1], found[2]

    def _combined(self, row: int, means: list[Mean], constants: np.ndarray) -> Iterator[Corrected]:
        zne, cdr = self.ready.mitigation.zne, self.ready.mitigation.cdr
        values = np.array([mean.value for mean in means])
        if cdr is not None:
            first = row * len(means) + 1
            exact = np.array(
                [
                    exact_values(circuit, program.layout, self.ready.observables)
                    for program, circuit in self._points[first : first + cdr.training]
                ]
            )
        for o, constant in enumerate(constants):
            if zne is not None:
                bound = float(sum(group.bound[o] for group in self.ready.groups))
                yield extrapolated(
                    self.ready.factors, values[:, o], limit=float(constant), bound=bound, kind=zne.extrapolation
                )
            elif cdr is not None:
                if not any(np.any(group.weights[o]) for group in self.ready.groups):
                    yield Corrected(float(constant), np.zeros(1), 0.0, 0.0)
                    continue
                spread = np.array([mean.variance[o] for mean in means[1:]])
                yield regressed(values[0, o], values[1:, o], exact[:, o], spread)
            else:
                yield Corrected(float(values[0, o]), np.ones(1), 0.0, 0.0)


def merged(seen: Sequence[Outcomes]) -> Outcomes:
    """Outcomes of circuits that measure the same, as of one."""
    if len(seen) == 1:
        return seen[0]
    return Outcomes(np.concatenate([one.bits for one in seen]), np.concatenate([one.counts for one in seen]))


def mean_of(group: Group, seen: Sequence[Outcomes], layout: Sequence[int], errors: Correction | None) -> Mean:
    """The mean of a group's weighted sum over the shots of one circuit or of its twirled copies, and its variance.

    Twirled copies differ by more than their shots: the variance of the mean is that between copies,
    R / (R - 1) sum_r (n_r / n)^2 (m_r - m)^2, times the square of Student's quantile for R - 1 over that of a normal
    distribution, so that 1.96 standard errors hold 95 % of all results for few copies, too.

    Args:
        group: The terms.
        seen: Outcomes of each copy.
        layout: The target's qubit that is read into each bit.
        errors: Of measurement, if they are to be corrected.
    """

    def sums(bits: np.ndarray) -> np.ndarray:
        return group.sums(bits) if errors is None else errors.sums(group, bits, layout)

    whole = merged(seen)
    slopes = 0.0 if errors is None else errors.slopes(group, whole, layout)
    n = whole.counts.sum()
    if len(seen) == 1:
        per_shot = sums(whole.bits)
        mean = whole.counts @ per_shot / n
        variance = group.bound**2 if n == 1 else whole.counts @ (per_shot - mean) ** 2 / (n - 1)
        return Mean(mean, variance / n, slopes)
    means = np.array([one.counts @ sums(one.bits) / one.counts.sum() for one in seen])
    shares = np.array([one.counts.sum() for one in seen]) / n
    mean = shares @ means
    from scipy.special import stdtrit  # Student's quantile; scipy.stats has it, too, and takes a second to import

    wide = float(stdtrit(len(seen) - 1, 0.975)) / 1.96
    variance = shares**2 @ (means - mean) ** 2 * len(seen) / (len(seen) - 1)
    return Mean(mean, wide**2 * variance, slopes)
