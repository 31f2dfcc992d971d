"""The checks of a classifier: its rows, losses, predictions and baseline, computed again."""

from collections.abc import Iterator

import numpy as np

from backends.base import Backend
from circuits.errors import FailedJob, Refused
from hybrid.algorithms.classifier import Classifier, Predictions, digest, predictions
from hybrid.algorithms.cross_entropy import Loss
from hybrid.algorithms.dataset import baseline
from hybrid.algorithms.reading import Reading
from hybrid.loop.conclusion import AGREEMENT
from hybrid.loop.ledger import Evaluate
from hybrid.optimizers.optimizer import Points
from hybrid.runs import journal
from hybrid.runs.evaluation import Evaluation
from hybrid.verification.engines import other_engines
from hybrid.verification.verification import Check

SPREAD = 5
"""Steps of the training that are computed again: the first, the last and some between."""

LOSS = 100 * AGREEMENT
"""Difference between two losses that rounding explains, in nats: scores are five times an expectation value."""

STEP = 1e-4
"""Of the differences that a gradient is checked by, radians."""

SLOPE = 1e-6
"""Difference between a gradient and differences of losses that the step and rounding explain, in nats per radian."""

TIES = 0.005
"""Share of rows whose two best scores may be equal up to rounding, so that another engine names the other class."""


def of_classifier(found: Classifier, reading: Reading) -> Iterator[Check]:
    """The checks of a classifier.

    Args:
        found: What its stages came to.
        reading: Their reading.
    """
    same = digest(found.data) == reading.spec.asked["data"]
    told = f"{len(found.data.train)} rows for training and {len(found.data.test)} held out"
    yield Check("data", "passed" if same else "failed", f"{told}, {'' if same else 'not '}those that were asked for")
    backend, how = _judge(reading)
    if isinstance(backend, str):
        yield Check("losses", "unchecked", backend)
        yield Check("predictions", "unchecked", backend)
    else:
        yield from _again(found, reading, backend, how)
    yield _baseline(found)


def _judge(reading: Reading) -> tuple[Backend | str, str]:
    """The backend that the numbers are computed on again, with what it is; or why there is none.

    Counts are drawn again by the backend itself, from the same seeds; exact numbers come from another engine.
    """
    own = reading.backend
    can = own.capabilities()
    if can.place == "provider":
        return f"asking {can.name} again would be paid for again", ""
    if reading.work.shots or can.default_shots or can.noise or not can.exact:
        return own, f"{can.name}, with the same random numbers"
    work = reading.work
    for engine in other_engines([own]):
        try:
            engine.prepare(work.circuit, work.problem.hamiltonian)(work.theta[None])
        except (Refused, FailedJob):
            continue  # too large for this one; others follow
        return engine, engine.capabilities().name
    return f"no other engine here can do it: it came from {can.name}, which would only say the same again", ""


def _again(found: Classifier, reading: Reading, backend: Backend, how: str) -> Iterator[Check]:
    batch_size = int(reading.spec.asked["batch_size"])
    evaluate = Loss(reading.work, found.data, batch_size, backend)
    recorded = journal.read(found.folder / "training.sqlite").evaluations
    chosen = sorted({round(k) for k in np.linspace(0, len(recorded) - 1, min(SPREAD, len(recorded)))})
    apart, sampled = 0.0, backend is reading.backend
    for one in (recorded[k] for k in chosen):
        slopes = sampled and one.told.gradients is not None  # which are drawn together with the values
        told = evaluate(Points(one.theta, gradient=slopes), one.number)
        apart = max(apart, float(np.max(np.abs(told.values - one.told.values))))
    if not sampled and recorded[0].told.gradients is not None:
        yield _gradient(recorded[0], evaluate, recorded[0].told.gradients[0])
    said = f"{len(chosen)} of {len(recorded)} on {how}, {apart:.1e} nats apart (bound {LOSS:.1e})"
    yield Check("losses", "passed" if apart <= LOSS else "failed", said)
    stored = reading.compute_once("predictions", Predictions, _never)
    rows = predictions(reading, found.data, found.theta, backend)
    wrong = sum(int(np.sum(np.array(one) != two)) for one, two in zip(rows, (stored.train, stored.test), strict=True))
    total = len(stored.train) + len(stored.test)
    said = f"{total - wrong} of {total} rows get the same class on {how}"
    yield Check("predictions", "passed" if wrong <= TIES * total else "failed", said)


def _gradient(one: Evaluation, evaluate: Evaluate, gradient: np.ndarray) -> Check:
    """Whether the gradient of the first step's loss agrees with differences along a random direction."""
    direction = np.random.default_rng(0).normal(size=one.theta.shape[1])
    direction /= np.linalg.norm(direction)
    rows = one.theta[0] + STEP * np.outer([1.0, -1.0], direction)
    up, down = evaluate(Points(rows, gradient=False), one.number).values
    slope, difference = float(gradient @ direction), float(up - down) / (2 * STEP)
    told = f"{slope:.9g} against {difference:.9g} along a random direction (bound {SLOPE:.1e})"
    return Check("gradient", "passed" if abs(slope - difference) <= SLOPE else "failed", told)


def _never(backend: Backend) -> Predictions:
    raise AssertionError("a reading computes nothing")


def _baseline(found: Classifier) -> Check:
    """Whether logistic regression gets as many rows right again, up to two on the border."""
    try:
        again = baseline(found.data)
    except Refused as err:
        return Check("baseline", "unchecked", str(err))
    rows = round(abs(again - found.baseline) * len(found.data.test))
    said = f"{again:.1%} of the rows held out, {rows} rows apart"
    return Check("baseline", "passed" if rows <= 2 else "failed", said)
