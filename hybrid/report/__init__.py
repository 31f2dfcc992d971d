"""Pages and pictures. Called, ``hybrid.report(runs, path)``, it writes a page on runs.

Args:
    runs: Results or folders, one or several.
    path: Of the page; by default ``report.html`` in the folder.

Returns:
    The page's path.
"""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    """A package that can be called as `hybrid.report.page.page.report`."""

    def __call__(self, runs: Any, path: str | Path | None = None) -> Path:
        """Write a page on runs; see `hybrid.report.page.page.report`.

        Args:
            runs: Results or folders, one or several.
            path: Of the page; by default ``report.html`` in the folder.
        """
        from hybrid.report.page.page import report

        return report(runs, path)


sys.modules[__name__].__class__ = _Room
