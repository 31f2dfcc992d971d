"""Expectation values behind Qiskit's interface of estimators."""

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

import numpy as np
from qiskit.primitives import BaseEstimatorV2, DataBin, PrimitiveResult, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from backends.base import Backend
from backends.batch import Evaluate, Expectations
from backends.checks import as_observables, as_rows, check_request
from backends.seeds import child_seed
from circuits.errors import Refused
from circuits.fingerprint import fingerprint
from hybrid.primitives.asked import ASKED, AskedValues, checked_backend, checked_label, place
from hybrid.primitives.broadcast import Pairs, Portion, pairs
from hybrid.primitives.job import Job
from hybrid.primitives.metadata import Metadata
from hybrid.primitives.observables import PubLike, with_known_observables
from hybrid.primitives.resets import without_resets
from hybrid.primitives.seed import Seed, checked_seed, root
from hybrid.primitives.turns import MACHINE, answers, check
from hybrid.workload.arguments import BackendLike

KEPT = 8
"""Questions that an estimator keeps ready: an optimizer asks the same circuit again and again."""

NOBODY = ("none", "there is nothing to compute")
"""Who computes, and why, a result without elements."""


class Estimator(BaseEstimatorV2):
    """Expectation values from any backend of the toolkit, as Qiskit's EstimatorV2.

    With "auto" each pub goes where the plan of `hybrid.plan` would send it. Exact backends give exact values whatever
    precision is asked, with standard errors of 0; no noise is added to them. Everything else takes as many shots as
    keep every standard error within the precision.

    Args:
        backend: "auto", a name that `backends.get` knows, a `Backend`, or a Qiskit BackendV2.
        default_precision: Wanted standard error of each value, in the observable's unit, where neither the pub nor
            `run` says one. 0 asks for exact values, and is refused where there are none; None for exact values where
            there are, and else for the backend's own number of shots.
        seed: Root of the random numbers; see `Seed`.
        label: Classification of the data: "open", "internal" or "restricted".

    Raises:
        Refused: for an unknown backend or label, or a precision or seed that means nothing.

    Examples:
        >>> from qiskit import QuantumCircuit
        >>> bell = QuantumCircuit(2)
        >>> _ = bell.h(0), bell.cx(0, 1)
        >>> result = Estimator("statevector").run([(bell, ["ZZ", "ZI"])]).result()
        >>> result[0].data.evs.round(12).tolist(), result[0].data.stds.tolist(), result[0].metadata.backend
        ([1.0, 0.0], [0.0, 0.0], 'statevector')
    """

    def __init__(
        self,
        backend: BackendLike = "auto",
        *,
        default_precision: float | None = None,
        seed: Seed = None,
        label: str = "open",
    ):
        check_request(default_precision or None, None, None)
        self._backend = checked_backend(backend)
        self._default_precision = default_precision
        self._seed = checked_seed(seed)
        self._label = checked_label(label)
        self._ready: OrderedDict[tuple, _Ready] = OrderedDict()

    @property
    def backend(self) -> BackendLike:
        """Where pubs go; "auto" if each has a plan of its own."""
        return self._backend

    @property
    def default_precision(self) -> float | None:
        """Wanted standard error where nothing else is said."""
        return self._default_precision

    @property
    def seed(self) -> Seed:
        """Root of the random numbers."""
        return self._seed

    def run(self, pubs: Iterable[PubLike], *, precision: float | None = None) -> Job:
        """Start to estimate; see `qiskit.primitives.BaseEstimatorV2.run`.

        Args:
            pubs: Each ``(circuit, observables, parameter values, precision)``, the last two where they are needed.
                Parameters in radians; their shape, without the last axis, and the observables' are broadcast. An
                observable may be a `circuits.Problem` or an operator of PennyLane's as well.
            precision: Where a pub has none of its own.

        Returns:
            A job. Each pub's result has ``data.evs`` and ``data.stds`` of the pub's shape, in the observable's unit:
            values, and their standard errors; ``data.bias`` beside them only where a truncation or a mitigation may
            have moved values, estimated. Its metadata are ``target_precision``, None where the backend's own shots
            were taken; ``shots`` of each measured circuit, where any were; and ``circuit_metadata``.

        Raises:
            ValueError: for what is no pub, and as `Refused` for circuits that have no expectation value.
            TypeError: for a circuit or precision of a wrong type.
        """
        default = self._default_precision if precision is None else precision
        questions = [self._question(EstimatorPub.coerce(with_known_observables(pub), default)) for pub in pubs]
        return Job(partial(self._compute, questions))

    def _question(self, pub: EstimatorPub) -> "_Question":
        precision = pub.precision or None
        check_request(precision, None, None)
        elements = pairs(pub)
        as_rows(elements.rows, pub.circuit)
        circuit, observables = without_resets(pub.circuit.copy(), elements.observables)
        if observables:
            as_observables(observables, circuit.num_qubits)
        asked = AskedValues(
            circuit,
            observables,
            rows=elements.rows,
            precision=precision,
            shots=None,
            accuracy=precision or (0.0 if self._backend == "auto" else math.inf),
            label=self._label,
            exactly=pub.precision == 0,
        )
        return _Question(pub, elements, asked)

    def _compute(self, questions: list["_Question"], given_up: Event) -> PrimitiveResult[PubResult]:
        base, tasks, parts = root(self._seed), [], []
        for question in questions:
            check(given_up)
            portions = list(question.pairs.portions())
            with MACHINE:
                ready = self._made_ready(question.asked) if portions else None
            parts.append((question, ready, portions))
            for portion in portions:
                assert ready is not None
                seed = child_seed(base, len(tasks))
                tasks.append((ready.backend, partial(ready.evaluate, question, portion, seed)))
        found = iter(answers(tasks, given_up))
        results = [
            _result(question, ready, [(portion, next(found)) for portion in portions])
            for question, ready, portions in parts
        ]
        return PrimitiveResult(results, metadata={"version": 2})

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_ready": OrderedDict()}  # what is compiled is for this process and this estimator

    def _made_ready(self, asked: AskedValues) -> "_Ready":
        """The backend for a question, and what it has prepared for the same one before."""
        try:
            key = (
                fingerprint(asked.circuit),
                tuple(parameter.name for parameter in asked.circuit.parameters),
                tuple(fingerprint(observable) for observable in asked.observables),
                (asked.n_rows, asked.precision, asked.exactly),
            )
        except Refused:  # whatever has no fingerprint cannot be recognized; a backend may still do it
            return _Ready(asked, *place(asked, self._backend))
        ready = self._ready.pop(key, None)
        if ready is None or not ready.serves(asked):
            ready = _Ready(asked, *place(asked, self._backend))
        self._ready[key] = ready
        if len(self._ready) > KEPT:
            self._ready.popitem(last=False)
        return ready


@dataclass(frozen=True, eq=False)
class _Question:
    pub: EstimatorPub
    pairs: Pairs
    asked: AskedValues


class _Ready:
    """A question on the backend that answers it, with what is compiled once."""

    def __init__(self, asked: AskedValues, backend: Backend, why: str):
        self.backend, self.why = backend, why
        self._asked = asked
        self._prepared: dict[tuple[int, ...], Evaluate] = {}

    def serves(self, asked: AskedValues) -> bool:
        """Whether a plan would choose the same backend: a method that it chose may do only the rows that it was for."""
        chosen = self.why != ASKED and self.backend.origin is not None and self.backend.origin.options
        return not chosen or np.array_equal(asked.rows, self._asked.rows)

    def evaluate(self, question: _Question, portion: Portion, seed: int) -> Expectations:
        """Every row of a portion against every observable of it."""
        if portion.observables not in self._prepared:
            observables = [self._asked.observables[k] for k in portion.observables]
            self._prepared[portion.observables] = self.backend.prepare(self._asked.circuit, observables)
        evaluate = self._prepared[portion.observables]
        return evaluate(question.pairs.rows[portion.rows], self._asked.precision, None, seed)


def _result(question: _Question, ready: _Ready | None, found: list[tuple[Portion, Expectations]]) -> PubResult:
    """What a pub's portions gave, in the pub's shape."""
    pub = question.pub
    values, errors, bias = (_gathered(found, name, pub.shape) for name in ("values", "standard_errors", "bias"))
    uncertain = {"bias": bias} if np.any(bias) else {}
    can = None if ready is None else ready.backend.capabilities()
    target = 0.0 if pub.precision is None and (can is None or can.exact) else pub.precision
    shots = max((expectations.shots for _, expectations in found), default=0)
    keys = {"target_precision": target, **({"shots": shots} if shots else {}), "circuit_metadata": pub.circuit.metadata}
    name, why = NOBODY if ready is None or can is None else (can.name, ready.why)
    return PubResult(
        DataBin(evs=values, stds=errors, **uncertain, shape=pub.shape), Metadata(keys, backend=name, why=why)
    )


def _gathered(found: list[tuple[Portion, Expectations]], name: str, shape: tuple[int, ...]) -> np.ndarray:
    flat = np.zeros(math.prod(shape))
    for portion, expectations in found:
        flat[portion.elements] = getattr(expectations, name)[portion.row, portion.observable]
    return flat.reshape(shape)
