"""What came of the question which number of a device limits an application."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from circuits import Problem, tables
from circuits.errors import RecordFailed, Refused, unknown
from hybrid.algorithms.summary import Summary
from hybrid.codesign import words
from hybrid.codesign.pareto import front
from hybrid.codesign.point import PERFECT, DevicePoint
from hybrid.codesign.sensitivity import GROUPS, Sensitivity
from hybrid.runs.error_budget import Share
from hybrid.terminal.words import duration, rounded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["tornado", "map", "pareto"]

Cost = Literal["two_qubit_gates", "time", "money"]

COSTS = {"two_qubit_gates": "gates on two qubits", "time": "device time of an optimization (s)", "money": "price (US$)"}

SENSITIVITIES = ("parameter", "now", "10 % better buys", "per decade", "halved or doubled", "perfect", "for the target")

DEVICES = ("2q gates", "depth", "success", "error", "limit", "for the target", "time", "price")

APART = (
    "T1, T2 and gate times by themselves leave the stated errors of gates as they are, so that other errors take the "
    "place of relaxation; coherence and gate times together take their part of the gates' errors with them."
)

ENVELOPE = (
    "The angles are optimized anew under noise: there the energy's derivative by them vanishes, so that the "
    "sensitivities are those of the re-optimized energy, too (envelope theorem)."
)

KEPT = (
    "The angles are those without noise: to optimize them anew changes the error at second order in the noise alone "
    "(envelope theorem); reoptimize shows by how much."
)


@dataclass(frozen=True, eq=False, repr=False)
class Codesign(Summary):
    """One application on some devices.

    Attributes:
        problem: The application's problem.
        points: What is known of each device, in the order of the grid.
        folder: Where the record lies.
    """

    unchecked: ClassVar[str] = (
        "what each device gives is not computed anew: ask again with another --folder, and compare"
    )

    problem: Problem
    points: tuple[DevicePoint, ...]
    folder: Path

    @property
    def best(self) -> DevicePoint:
        """The device with the smallest error."""
        return min(self.points, key=lambda point: abs(point.error))

    def title(self) -> str:
        """What was looked at."""
        first, *others = self.points
        return f"{self.problem.name} on {f'{len(self.points)} devices' if others else first.name}"

    def sentence(self) -> str:
        """What limits the application on the first device, in one or two sentences."""
        return words.sentence(self.points[0])

    def front(self, cost: Cost = "time") -> list[DevicePoint]:
        """The devices that no other beats in both error and cost, the cheapest first.

        Args:
            cost: "two_qubit_gates", "time" (of a whole optimization on the device) or "money".

        Raises:
            Refused: for another word, and for money where a device has no price.
        """
        costs = self._costs(cost)
        kept = front([(costs[k], abs(point.error)) for k, point in enumerate(self.points)])
        return [self.points[k] for k in sorted(kept, key=lambda k: costs[k])]

    def _costs(self, cost: Cost) -> list[float]:
        if cost not in COSTS:
            raise unknown("cost:", cost, COSTS)
        if cost == "two_qubit_gates":
            return [float(point.size.two_qubit_gates) for point in self.points]
        if cost == "time":
            return [point.size.solution_s for point in self.points]
        prices = [point.size.solution_usd for point in self.points]
        if any(price is None for price in prices):
            raise Refused("cost: no price is known for some devices; give usd_per_shot or usd_per_qpu_s in [device]")
        return [price for price in prices if price is not None]

    def kinds(self) -> tuple[Kind, ...]:
        """The pictures that there are; a Pareto front where the devices' costs differ."""
        found: list[Kind] = ["map"] if self._axes() else []
        return (*found, *(["pareto"] if self._differing() else []), "tornado")

    def plot(self, kind: Kind | None = None, *, cost: Cost | None = None) -> "Figure":
        """A picture, which can be saved with ``savefig``.

        Args:
            kind: "tornado", the sensitivities on the first device; "map", the error over two varied numbers; "pareto",
                errors against costs. By default the first of `kinds`.
            cost: As for `front`; by default the first in which the devices differ.

        Raises:
            Refused: for a kind that these devices do not give.
        """
        from hybrid.report.codesign import DRAW

        kind = kind or self.kinds()[0]
        return DRAW[kind](self.picture(kind, cost=cost))

    def picture(self, kind: Kind, *, cost: Cost | None = None) -> dict[str, Any]:
        """What a picture shows, as JSON-able values.

        Args:
            kind: As for `plot`.
            cost: As for `plot`.

        Raises:
            Refused: as for `plot`.
        """
        if kind not in get_args(Kind):
            raise unknown("kind of picture:", kind, get_args(Kind))
        if kind not in self.kinds():
            needs = "devices that differ in what they cost"
            needs = needs if kind == "pareto" else "two varied numbers and every combination of them"
            raise Refused(f'plot: "{kind}" needs {needs}; there is {", ".join(self.kinds())}')
        if kind == "pareto":
            return self._pareto(cost or self._differing()[0])
        return self._tornado() if kind == "tornado" else self._map()

    def _differing(self) -> list[Cost]:
        """The costs in which the devices differ."""
        return [cost for cost in ("time", "two_qubit_gates") if len(set(self._costs(cost))) > 1]

    def save(self, folder: str | Path, formats: Sequence[str] = ("pdf", "svg")) -> list[Path]:
        """Write all pictures.

        Args:
            folder: Where to; it is made where it is missing.
            formats: That Matplotlib knows.

        Returns:
            The files.

        Raises:
            RecordFailed: if they cannot be written.
        """
        place = Path(folder)
        files = []
        try:
            place.mkdir(parents=True, exist_ok=True)
            for kind in self.kinds():
                figure = self.plot(kind)
                for ending in formats:
                    files.append(place / f"{kind}.{ending}")
                    figure.savefig(files[-1])
        except OSError as err:
            raise RecordFailed(f"{place}: the pictures cannot be written: {err.strerror}") from err
        return files

    def _tornado(self) -> dict[str, Any]:
        point = self.points[0]
        scale, unit = _scale(point.unit)
        steps = [(words.WORDS[one.parameter], one.ten_percent * scale) for one in shown(point.sensitivities)]
        bars = [(name, -step, step) for name, step in steps]
        return {"bars": bars, "unit": unit, "title": f"{self.problem.name}\non {point.name}", "step": "10 %"}

    def _axes(self) -> tuple[str, str] | None:
        """Two varied numbers of which every combination is there; None where there are not."""
        values, names = [point.values for point in self.points], self._varied()
        every = len({tuple(value[name] for name in names) for value in values}) == len(values)
        if (
            len(names) != 2
            or not every
            or any(isinstance(value[name], str | bool) for value in values for name in names)
        ):
            return None
        return names[0], names[1]

    def _map(self) -> dict[str, Any]:
        axes = self._axes()
        assert axes is not None
        y_name, x_name = axes
        scale, unit = _scale(self.points[0].unit)
        x, y = (sorted({float(point.values[name]) for point in self.points}) for name in (x_name, y_name))
        error = np.zeros((len(y), len(x)))
        for point in self.points:
            error[y.index(float(point.values[y_name])), x.index(float(point.values[x_name]))] = point.error * scale
        return {
            "x": x,
            "y": y,
            "values": error.tolist(),
            "x_label": words.WORDS.get(x_name, x_name),
            "y_label": words.WORDS.get(y_name, y_name),
            "unit": unit,
            "title": self.problem.name,
            "target": self.points[0].target * scale,
        }

    def _pareto(self, cost: Cost) -> dict[str, Any]:
        scale, unit = _scale(self.points[0].unit)
        costs, best = self._costs(cost), self.front(cost)
        choices = [
            (point.name, costs[k], point.error * scale, point.interval * scale, point in best)
            for k, point in enumerate(self.points)
        ]
        target = self.points[0].target * scale
        return {"choices": choices, "cost": COSTS[cost], "unit": unit, "title": self.problem.name, "target": target}

    def rows(self) -> list[tuple[str, str]]:
        """The results as pairs of a name and a text."""
        first = self.points[0]
        size, unit = first.size, first.unit
        rows = [("limit", self.sentence())]
        rows += [(share.cause, _share(share, unit)) for share in first.budget().shares]
        gates = f"{size.two_qubit_gates} on two qubits, depth {size.depth}"
        success = "" if size.success is None else f"; chance that nothing goes wrong {size.success:.2g}"
        leaked = f"; population that leaks {size.leaked:.2g}" if size.leaked else ""
        rows.append(("gates", gates + success + leaked))
        rows.append(("one energy", f"{size.circuits} × {size.shots:,} shots, {_cost(size.energy_s, size.energy_usd)}"))
        whole = f"{size.energies:,} energies, {_cost(size.solution_s, size.solution_usd)}"
        rows.append(("optimization", whole))
        if first.method != "model":
            rows.append(("model", _of_model(first)))
        if first.mitigated is not None:
            rows.append(("mitigated", mitigated(first)))
        rows.append(("target", words.energy(first.target, unit)))
        return [*rows, ("record", str(self.folder))]

    def notes(self) -> list[str]:
        """Sentences on how to read the tables."""
        first = self.points[0]
        adapted = first.unadapted != first.noisy or first.noiseless != first.optimum
        found = [ENVELOPE if adapted else KEPT, APART]
        if first.method != "density":
            found.append("Sensitivities are those of the analytic model; see docs/codesign.md for where it holds.")
        return found

    def table(self) -> list[tuple[str, ...]]:
        """What each device comes to, one for each row; see `columns`."""
        return [(*self._telling(point), *device_row(point)) for point in self.points]

    def columns(self) -> tuple[str, ...]:
        """Names of the columns of `table`: what tells devices apart, what they come to, mitigation if asked for."""
        told = [words.WORDS.get(name, name) for name in self._varied()] or ["device"]
        mitigation = () if self.points[0].mitigated is None else ("mitigated",)
        return (*told, *DEVICES, *mitigation)

    def _varied(self) -> list[str]:
        """Names of the values in which the devices differ; "device" is the name of one."""
        names = dict.fromkeys(name for point in self.points for name in point.values)
        return [name for name in names if len({str(point.values.get(name)) for point in self.points}) > 1]

    def _telling(self, point: DevicePoint) -> list[str]:
        """What tells a device from the others, as cells."""
        return [words.number(name, point.values.get(name, "")) for name in self._varied()] or [point.name]

    def sensitivities(self) -> list[tuple[str, ...]]:
        """What each parameter of the first device does: cells as in `SENSITIVITIES`."""
        return [sensitivity_row(one, self.points[0]) for one in shown(self.points[0].sensitivities)]

    def content(self) -> dict[str, Any]:
        """See `Summary.content`."""
        first = self.points[0]
        return {
            "status": "finished",
            "energy": first.noisy,
            "standard_error": first.standard_error,
            "exact_energy": first.exact,
            "sentence": self.sentence(),
            "notes": self.notes(),
            "points": [point.to_dict() for point in self.points],
            "tables": {
                "answer": self.rows()[:-1],
                "sensitivities": {"columns": SENSITIVITIES, "rows": self.sensitivities()},
                "devices": {"columns": self.columns(), "rows": self.table()},
            },
            "pictures": {kind: self.picture(kind) for kind in self.kinds()},
            "fronts": {cost: [point.name for point in self.front(cost)] for cost in self._priced()},
        }

    def _priced(self) -> Iterable[Cost]:
        known = all(point.size.energy_usd is not None for point in self.points)
        return get_args(Cost) if known else ("two_qubit_gates", "time")

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form: the sentence, and all numbers of every device."""
        kept = {key: value for key, value in self.content().items() if key not in ("tables", "pictures")}
        return {"problem": self.problem.name, "unit": self.problem.unit, "folder": str(self.folder), **kept}

    def __str__(self) -> str:
        parts = [self.sentence(), tables.text(self.rows()[1:], title=self.title())]
        parts.append(tables.text(self.sensitivities(), columns=SENSITIVITIES))
        if len(self.points) > 1:
            parts.append(tables.text(self.table(), columns=self.columns()))
        return "\n\n".join([*parts, "\n".join(self.notes())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = [tables.html(self.rows(), title=self.title())]
        parts.append(tables.html(self.sensitivities(), columns=SENSITIVITIES, notes=self.notes()))
        if len(self.points) > 1:
            parts.append(tables.html(self.table(), columns=self.columns()))
        return "".join(parts)


def shown(found: Sequence[Sensitivity]) -> list[Sensitivity]:
    """Those that do anything, the groups last."""
    kept = [one for one in found if one.elasticity or one.perfect]
    return sorted(kept, key=lambda one: (one.parameter in GROUPS, -abs(one.elasticity)))


def sensitivity_row(one: Sensitivity, point: DevicePoint) -> tuple[str, ...]:
    """One parameter as cells; see `SENSITIVITIES`."""
    unit = point.unit
    return (
        words.WORDS[one.parameter],
        words.number(one.parameter, one.value),
        words.energy(one.ten_percent, unit, sign=True),
        words.energy(abs(one.decade), unit),
        words.energy(one.halved, unit, sign=True),
        words.energy(one.perfect, unit, sign=True),
        words.requirement(one),
    )


def device_row(point: DevicePoint) -> tuple[str, ...]:
    """One device as cells; see `DEVICES`."""
    size, every = point.size, point.of("all")
    cells = (
        str(size.two_qubit_gates),
        str(size.depth),
        "" if size.success is None else f"{size.success:.2g}",
        words.with_interval(point.error, point.interval, point.unit),
        words.limit(point),
        f"all {words.requirement(every)}" if every.reach == "needed" else words.requirement(every),
        duration(size.solution_s, digits=2),
        "" if size.solution_usd is None else f"${rounded(size.solution_usd)}",
    )
    return cells if point.mitigated is None else (*cells, mitigated(point))


def mitigated(point: DevicePoint) -> str:
    """The error with mitigation, and what was done."""
    found = point.mitigated
    assert found is not None
    error = words.with_interval(found.value - point.reference, 1.96 * found.standard_error, point.unit)
    return f"{error} with {', '.join(found.words)}"


def _share(share: Share, unit: str) -> str:
    """What one cause adds, in the units of the sentence; what is rounding is 0."""
    size = 0.0 if abs(share.size) < PERFECT else share.size
    if share.interval:
        return f"{words.with_interval(size, share.interval, unit)} (95 %), {share.note}"
    return f"{words.energy(size, unit, sign=True)}, {share.note}"


def _of_model(point: DevicePoint) -> str:
    """How far the analytic model is from what was found."""
    left = point.modelled - point.noiseless
    share = f", it finds {100 * left / point.noise:.3g} % of the noise" if abs(point.noise) > 0 else ""
    drawn = f" ± {words.energy(1.96 * point.standard_error, point.unit)}" if point.standard_error else ""
    return f"off by {words.energy(point.model_error, point.unit, sign=True)}{drawn}{share}"


def _cost(seconds: float, usd: float | None) -> str:
    price = "" if usd is None else f", ${rounded(usd)}"
    return f"{duration(seconds, digits=2)} on the device{price}"


def _scale(unit: str) -> tuple[float, str]:
    return (1e3, "mHa") if unit == "hartree" else (1.0, unit)
