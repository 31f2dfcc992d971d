"""Which backends are here, what they can do, and how fast they were measured to be."""

import math
from dataclasses import dataclass
from typing import Any

import backends
from backends import registry
from backends.base import Backend
from backends.calibration import Probe, measure, probe
from backends.memory import readable
from backends.providers.family import Family
from backends.providers.worker import environment
from backends.providers.worker.recipes import recipe
from circuits.errors import Refused
from hybrid.terminal.progress import Progress
from hybrid.terminal.words import duration

WORK = (12, 4)
"""Qubits and layers of the circuit whose time is shown."""


@dataclass(frozen=True)
class Entry:
    """One backend, or why it cannot be used.

    Attributes:
        name: For `backends.get`, with the options that make another device compute.
        summary: What it is; for one that cannot be used, why.
        works: Whether it can be used here.
        gradient: How it differentiates; empty for one that cannot be used.
        value_s: Time of one value of 4 layers on 12 qubits, seconds; None where that is not known or cannot be done.
        gradient_s: The same for a value with its gradient; None also where that takes several values.
        options: Names of the options that it takes, in Python and in study files.
        size_bytes: Of the environment that its packages have for themselves; None where they live beside ours.
    """

    name: str
    summary: str
    works: bool
    gradient: str = ""
    value_s: float | None = None
    gradient_s: float | None = None
    options: tuple[str, ...] = ()
    size_bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return dict(vars(self))

    def cells(self) -> tuple[str, ...]:
        """Name, time of a value, time of a gradient, description and options as text, for a row of a table."""
        times = ("-" if s is None else duration(s, digits=2) for s in (self.value_s, self.gradient_s))
        what = f"{self.summary}; gradients by {self.gradient}" if self.works else f"not here: {self.summary}"
        return (self.name, *times, what, ", ".join(self.options))

    def line(self) -> str:
        """The same where there is no room for a table."""
        name, value, gradient, what, options = self.cells()
        times = [f"{word} {time}" for word, time in (("value", value), ("gradient", gradient)) if time != "-"]
        facts = [what, *([", ".join(times)] if times else []), *([f"options {options}"] if options else [])]
        return f"{name}: {'; '.join(facts)}"


def survey(*, calibrate: bool) -> list[Entry]:
    """What every backend that has a name can do here, and how fast it is.

    Args:
        calibrate: Whether to measure the speeds again, which takes some seconds each, and keep them; otherwise those
            that were measured before are shown.

    Raises:
        Refused: if a backend cannot be measured.
    """
    names = backends.names()
    with Progress("measuring backends", len(names)) as progress:
        entries = []
        for done, name in enumerate(names):
            progress.update(done, name)
            entries.append(_entry(name, {}, calibrate))
    entries += [_entry(name, options, calibrate) for name, options in registry.ON_CARDS]
    return sorted(entries, key=lambda entry: entry.name)


def _entry(name: str, chosen: dict[str, Any], calibrate: bool) -> Entry:
    title = " ".join([name, *(f"{key}={value}" for key, value in chosen.items())])
    try:
        made = registry.load(name)
        if isinstance(made, Family):
            return _family(name, made)
        backend = backends.get(name, **chosen)
    except ImportError as err:
        return Entry(title, f"{err.name} is not installed", works=False)
    except Refused as err:
        return Entry(title, str(err), works=False)
    can = backend.capabilities()
    native = can.gradient != "parameter-shift"
    value_s = _row_s(backend, calibrate, derivative=False)
    gradient_s = _row_s(backend, calibrate, derivative=True) if native else None
    options = tuple(registry.options(name))
    return Entry(title, can.summary, True, can.gradient, value_s, gradient_s, options)


def _family(name: str, made: Family) -> Entry:
    options, summary, works, size_bytes = tuple(registry.options(name)), made.summary, True, None
    if made.environment is not None:
        found = environment.installed(recipe(made.environment))
        works, size_bytes = found is not None, found.size_bytes if found else None
        summary += f" [{readable(found.size_bytes)} of its own]" if found else ""
        summary = summary if works else f"hybrid backends --install {made.environment} brings {summary}"
    return Entry(
        f"{name}:*", summary, works, "parameter-shift" if works else "", options=options, size_bytes=size_bytes
    )


def _row_s(backend: Backend, calibrate: bool, *, derivative: bool) -> float | None:
    """Of `WORK`; None where no speed is known."""
    if calibrate:
        measure(backend, derivative=derivative)
    circuit, observable = probe(*WORK)
    try:
        cost = backend.predict(Probe(circuit, (observable,), derivative))
    except Refused:  # of fewer qubits, or of other gates
        return None
    return None if math.isnan(cost.seconds) else cost.seconds - cost.compile_s
