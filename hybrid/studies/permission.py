"""Whether a study may run where it asks to, by the policies in force; nothing is planned, sent or logged."""

from collections.abc import Iterator
from dataclasses import dataclass

import backends
from backends import registry
from backends.providers.family import Family
from circuits.errors import NotInstalled, Refused
from hybrid.routing.policy import Decision, decide, place_of
from hybrid.routing.policy_file import Kind
from hybrid.runs.budget import Budget
from hybrid.studies.study import Point, Study

HERE = Decision(True, "data stay on this machine, which no policy is asked about")


@dataclass(frozen=True)
class Permission:
    """What the policies say of one label and one place.

    Attributes:
        label: Of the data.
        kind: "vendor" or "site"; None for a backend of this machine.
        place: Name of the backend, or of the site.
        decision: Allowed or refused, and why.
    """

    label: str
    kind: Kind | None
    place: str
    decision: Decision


def permissions(study: Study, site: str | None = None) -> list[Permission]:
    """What the policies say of every label and every place that a study names, those of a failover among them.

    Args:
        study: The study.
        site: Where it would be submitted to; None or "local" for nowhere.

    Returns:
        One for each pair of a label and a place, in the order of the study.

    Raises:
        Refused: for a backend that nobody knows.
    """
    asked: dict[tuple[str, Kind | None, str], None] = {}
    for point in study.points():
        label = point.spec.run.label
        if site is not None and site != "local":
            asked[label, "site", site] = None
        for kind, place in _places(point):
            asked[label, kind, place] = None
    budget = study.budget or Budget()
    return [
        Permission(label, kind, place, HERE if kind is None else decide(label, place, kind=kind, budget=budget))
        for label, kind, place in asked
    ]


def _places(point: Point) -> Iterator[tuple[Kind | None, str]]:
    asked = point.spec.backend
    yield _place(asked.name, asked.options)
    spares = point.spec.run.failover
    for name in [] if isinstance(spares, bool) else spares:
        yield _place(name, {})


def _place(name: str, options: dict) -> tuple[Kind | None, str]:
    if name == "auto":  # which chooses among the simulators of this machine alone
        return None, name
    try:
        backend = backends.get(name, **options)
    except (Refused, ImportError) as err:
        if isinstance(err, NotInstalled | ImportError) or isinstance(registry.load(name.partition(":")[0]), Family):
            return "vendor", name  # one that nobody is logged in to
        raise
    return (None, name) if backend.capabilities().place == "here" else ("vendor", place_of(backend))
