"""The record of a run: its folder, journal, history and provenance. Called, ``hybrid.runs()``, it lists runs."""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """A package that can be called as `hybrid.runs.overview.runs`."""

    def __call__(self, folder: Any = None) -> Any:
        """The runs in a folder; see `hybrid.runs.overview.runs`."""
        from hybrid.runs.overview import runs

        return runs(folder)


sys.modules[__name__].__class__ = _Room
