"""The kinds of sites: those of this package, and those that other packages register.

Another package registers a kind under its name, as a subclass of `hybrid.sites.site.Site`:

    [project.entry-points."hybrid.sites"]
    flux = "their_package.flux:Flux"
"""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from circuits.errors import Refused, unknown
from hybrid.sites.site import Site

GROUP = "hybrid.sites"
"""Of entry points, under which other packages register theirs."""

BUILT_IN = {
    "local": "hybrid.sites.local:Local",
    "slurm": "hybrid.sites.slurm:Slurm",
    "facility": "hybrid.sites.facility.facility:Facility",
}
"""Kind to ``module:class``."""


def names() -> list[str]:
    """The kinds that there are, this package's first."""
    return [*BUILT_IN, *sorted({point.name for point in entry_points(group=GROUP)} - set(BUILT_IN))]


@cache
def load(kind: str) -> type[Site]:
    """The class of a kind.

    Args:
        kind: One of `names`.

    Raises:
        Refused: for a kind that nobody has, with the nearest right word; or if another package's cannot be used.
    """
    if kind in BUILT_IN:
        module, _, attribute = BUILT_IN[kind].partition(":")
        return getattr(import_module(module), attribute)
    point = next((point for point in entry_points(group=GROUP) if point.name == kind), None)
    if point is None:
        raise unknown("kind of site", kind, names())
    try:
        found = point.load()
    except Exception as err:
        raise Refused(f"the kind of site '{kind}' cannot be loaded: {type(err).__name__}: {err}") from err
    if not (isinstance(found, type) and issubclass(found, Site)):
        raise Refused(f"the kind of site '{kind}': {point.value} is no subclass of hybrid.sites.site.Site")
    return found
