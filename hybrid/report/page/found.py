"""What each kind of algorithm found: its head line, its facts, and its pictures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hybrid.report.page.axes import linear, logarithmic
from hybrid.report.page.html import Html, section, table, tag
from hybrid.report.page.picture import Series, picture
from hybrid.runs.account import Account, AlgorithmAccount
from hybrid.terminal.words import axis, counted, measured, slope_unit, with_unit

FLOOR = 1e-14
"""Smallest size that a logarithmic scale shows, in its unit."""

Pairs = Iterator[tuple[str, Any]]


@dataclass(frozen=True)
class Found:
    """How a kind of algorithm tells what it found.

    Attributes:
        head: The line in large letters.
        facts: Names with what belongs to them.
        drawn: The pictures, each a section.
    """

    head: Callable[[AlgorithmAccount], str]
    facts: Callable[[AlgorithmAccount], Pairs]
    drawn: Callable[[AlgorithmAccount], Iterator[Html]]


def pictures(found: AlgorithmAccount) -> Iterator[Html]:
    """The pictures of an algorithm, as sections; none before its end, but the losses of a classifier at work."""
    if found.spec.kind in FOUND and (found.outcome is not None or found.losses):
        yield from FOUND[found.spec.kind].drawn(found)


def _energy(found: AlgorithmAccount) -> str:
    outcome = found.outcome
    if outcome is None or outcome.energy is None:
        return "no energy"
    return measured(outcome.energy, outcome.standard_error or 0.0, found.unit)


def _from_exact(found: AlgorithmAccount) -> Pairs:
    outcome = found.outcome
    if outcome is not None and outcome.energy is not None and outcome.exact_energy is not None:
        width = outcome.standard_error or 0.0
        yield "Exact energy", measured(outcome.exact_energy, width, found.unit, plain=True)
        error = f"{outcome.energy - outcome.exact_energy:+.2e}" + (f" ± {width:.0e}" if width else "")
        yield "Distance", with_unit(error, found.unit)


def _runs(found: AlgorithmAccount) -> list[Account]:
    return [run for run in found.runs if isinstance(run, Account) and run.entry["energy"] is not None]


def _errors(found: AlgorithmAccount) -> list[float]:
    return [float(run.entry["standard_error"] or 0.0) for run in _runs(found)]


# QAOA


def _cut(found: AlgorithmAccount) -> str:
    own = found.own
    return f"A cut of {own['cut']:g}: {own['bits']}" if own.get("cut") is not None else _sampled(found)


def _sampled(found: AlgorithmAccount) -> str:
    return f"{with_unit(format(found.own['value'], 'g'), found.unit)} at {found.own['bits']}"


def _of_qaoa(found: AlgorithmAccount) -> Pairs:
    own = found.own
    yield (
        "Best bit string",
        f"{own['bits']}, qubit 0 rightmost; {own['hits']:,} of {own['samples']:,} samples are as good",
    )
    yield "Its energy", with_unit(format(own["value"], "g"), found.unit)
    yield "Expected energy", _energy(found)
    if own.get("ratio"):
        yield "Approximation ratio", f"{own['ratio'][-1]:.4f} with {counted(_layers(found)[-1], 'layers')}"
    yield from _from_exact(found)


def _layers(found: AlgorithmAccount) -> list[int]:
    return [run.record.circuit.num_parameters // 2 for run in _runs(found)]


def _draw_qaoa(found: AlgorithmAccount) -> Iterator[Html]:
    layers, ratio = _layers(found), found.own.get("ratio")
    values, name = (ratio, "approximation ratio") if ratio else (found.own["energies"], axis("energy", found.unit))
    if len(values) != len(layers):
        return
    errors = [] if ratio else _errors(found)
    series = [Series(name, layers, values, "first", line=True, errors=errors if any(errors) else ())]
    says = f"{name} over {len(layers)} depths, {values[-1]:.6g} at the last"
    drawn = picture(series, linear(layers, "layers", whole=True), linear(values, name), says=says)
    rows = [
        (str(p), f"{value:.6g}", str(run.entry["status"]))
        for p, value, run in zip(layers, values, _runs(found), strict=True)
    ]
    told = table(("Layers", name.capitalize(), "Status"), rows, caption="Depths", numbers=(name.capitalize(),))
    yield section("From depth to depth", drawn, told)


# VQD


def _levels(found: AlgorithmAccount) -> str:
    n = len(found.own["energies"])
    return f"{counted(n, 'levels')} from {_energy(found)}"


def _of_vqd(found: AlgorithmAccount) -> Pairs:
    energies = found.own["energies"]
    if len(energies) > 1:
        yield "Gap", with_unit(f"{energies[1] - energies[0]:.8g}", found.unit)
    yield from _from_exact(found)


def _draw_vqd(found: AlgorithmAccount) -> Iterator[Html]:
    own, unit = found.own, found.unit
    energies, exact = own["energies"], own.get("exact") or []
    errors = own.get("standard_errors") or []
    numbers = list(range(len(energies)))
    series = [Series("found", numbers, energies, "first", errors=errors if any(errors) else ())]
    if exact:
        series.insert(0, Series("exact", numbers[: len(exact)], exact[: len(numbers)], "exact"))
    up = linear([*energies, *exact[: len(numbers)]], axis("energy", unit))
    says = f"Energies of {len(energies)} levels, from {energies[0]:.6g} to {energies[-1]:.6g}"
    drawn = picture(series, linear(numbers, "level", whole=True), up, says=says)
    rows = []
    overlaps = own.get("overlaps") or [[] for _ in energies]
    for k, energy in enumerate(energies):
        width = errors[k] if k < len(errors) else 0.0
        away = f"{energy - exact[k]:+.1e}" if k < len(exact) else "–"
        most = f"{max(overlaps[k]):.1e}" if overlaps[k] else "–"
        rows.append((f"{k}", measured(energy, width, "").rstrip(), away, most))
    columns = ("Level", "Energy", "Distance", "Largest overlap below")
    told = table(columns, rows, caption="Levels", numbers=columns[1:])
    yield section("Levels", drawn, told)


# ADAPT-VQE


def _of_adapt(found: AlgorithmAccount) -> Pairs:
    names, norms = found.own["operators"], found.own["gradient_norms"]
    yield "Operators", f"{len(names)}: {'; '.join(names)}" if names else "none: the reference state is as good"
    yield "Gradient of the pool", with_unit(f"{norms[-1]:.2g}", slope_unit(found.unit)) + " at the end"
    yield from _from_exact(found)


def _draw_adapt(found: AlgorithmAccount) -> Iterator[Html]:
    own, unit = found.own, found.unit
    energies, norms, exact = own["energies"], own["gradient_norms"], found.entry["exact_energy"]
    numbers = list(range(len(energies)))
    across = linear(numbers, "operators", whole=True)
    if exact is None or any(_errors(found)):
        errors = _errors(found)
        fitting = errors if len(errors) == len(energies) and any(errors) else []
        up = linear(energies, axis("energy", unit))
        series = [Series("energy", numbers, energies, "first", line=True, errors=fitting)]
    else:
        away = [max(abs(energy - exact), FLOOR) for energy in energies]
        up = logarithmic(away, axis("distance from the exact energy", unit))
        series = [Series("distance", numbers, away, "first", line=True)]
    drawn = [picture(series, across, up, says=f"Energy with 0 to {numbers[-1]} operators")]
    slopes = [max(norm, FLOOR) for norm in norms]
    if len(slopes) == len(numbers):
        up = logarithmic(slopes, f"gradient of the pool ({slope_unit(found.unit)})")
        says = f"Norm of the pool's gradients, {slopes[-1]:.2g} at the end"
        drawn.append(picture([Series("gradient", numbers, slopes, "second", line=True)], across, up, says=says))
    rows = [
        (str(k), own["operators"][k - 1] if k else "reference", f"{energies[k]:.10f}", f"{norms[k]:.1e}")
        for k in numbers
    ]
    columns = ("Operators", "The last one", "Energy", "Gradient of the pool")
    told = table(columns, rows, caption="How the ansatz grew", numbers=("Energy", "Gradient of the pool"))
    yield section("How the ansatz grew", drawn, told)


# Classifier


def _held_out(found: AlgorithmAccount) -> str:
    return f"{found.own['accuracy']:.1%} of the rows held out are right"


def _of_classifier(found: AlgorithmAccount) -> Pairs:
    own = found.own
    rows = own["rows"]
    yield "Rows held out", f"{own['accuracy']:.1%} of {rows['held_out']:,} right"
    yield "Rows for training", f"{own['train_accuracy']:.1%} of {rows['training']:,} right"
    yield "Logistic regression", f"{own['baseline']:.1%} of the rows held out, on the same features"
    yield (
        "Chance",
        f"{own['chance']:.1%}, the most frequent of {len(own['classes'])} classes: {', '.join(own['classes'])}",
    )
    yield "Loss", f"{own['loss']:.4f} nats, the mean of the last ten batches"


def _draw_classifier(found: AlgorithmAccount) -> Iterator[Html]:
    losses = np.array([one.told.values[0] for one in found.losses])
    if not len(losses):
        return
    steps = list(range(1, len(losses) + 1))
    means = [float(np.mean(losses[max(0, k - 10) : k])) for k in steps]
    series = [
        Series("batch", steps, losses.tolist(), "quiet"),
        Series("mean of the last ten", steps, means, "first", line=True, dots=False),
    ]
    up = linear(losses.tolist(), "cross entropy (nats)")
    says = f"Cross entropy over {len(losses)} steps, {means[-1]:.3g} nats at the end"
    yield section("Training", picture(series, linear(steps, "steps", whole=True), up, says=says))


# Time evolution


def _of_real(found: AlgorithmAccount) -> Pairs:
    own = found.own
    yield from _of_evolution(found)
    yield "Drift of the energy", with_unit(f"{own['drift']:.1e}", found.unit) + " at most; the exact one conserves it"
    yield "Distance", f"about {own['distance_bound']:.1e} from the exact state, as the residuals add up"


def _of_imaginary(found: AlgorithmAccount) -> Pairs:
    yield from _of_evolution(found)
    yield from _from_exact(found)


def _of_evolution(found: AlgorithmAccount) -> Pairs:
    own = found.own
    yield "Time", f"{_time(own['times'][-1], found.unit)} in {counted(len(own['times']) - 1, 'steps')}"
    yield "Energy at the start", measured(own["energies"][0], 0.0, found.unit)
    if own.get("fidelities"):
        text = f"{own['fidelities'][-1]:.8f} at the end, {min(own['fidelities']):.8f} at worst"
        yield "Fidelity", f"{text}, with the exact evolution"


def _time(time: float, unit: str) -> str:
    return f"{time:g}" if unit in ("", "1") else f"{time:g} / {unit}"


def _draw_evolution(found: AlgorithmAccount) -> Iterator[Html]:
    own, unit = found.own, found.unit
    times, energies, exact = own["times"], own["energies"], found.entry["exact_energy"]
    across = linear(times, "time" if unit in ("", "1") else f"time (1/{unit})")
    series = [Series("ansatz", times, energies, "first", line=True, dots=False)]
    if exact is not None:
        series.append(Series("lowest energy", [times[0], times[-1]], [exact, exact], "exact", line=True, dots=False))
    up = linear([*energies, *(() if exact is None else (exact,))], axis("energy", unit))
    says = f"Energy over time, from {energies[0]:.6g} to {energies[-1]:.6g}"
    drawn = [picture(series, across, up, says=says)]
    if own.get("fidelities"):
        lost: Sequence[float] = [max(abs(1 - one), FLOOR) for one in own["fidelities"]]
        drawn.append(_logarithmic(times, lost, across, "1 - fidelity with the exact state"))
    drawn.append(_logarithmic(times, [max(one, FLOOR) for one in own["residuals"]], across, axis("residual", unit)))
    note = "The residual is what the ansatz cannot follow, per unit of time."
    yield section("Over time", drawn, tag("p", note, class_="note"))


def _logarithmic(times: Sequence[float], values: Sequence[float], across: Any, name: str) -> Html:
    line = Series(name, times, values, "second", line=True, dots=False)
    return picture([line], across, logarithmic(values, name), says=f"{name} over time, {max(values):.2g} at most")


FOUND = {
    "qaoa": Found(_cut, _of_qaoa, _draw_qaoa),
    "vqd": Found(_levels, _of_vqd, _draw_vqd),
    "adapt": Found(_energy, _of_adapt, _draw_adapt),
    "classifier": Found(_held_out, _of_classifier, _draw_classifier),
    "real-time": Found(_energy, _of_real, _draw_evolution),
    "imaginary-time": Found(_energy, _of_imaginary, _draw_evolution),
}
"""By kind; a reader of a kind that this version does not know sees its energy."""
