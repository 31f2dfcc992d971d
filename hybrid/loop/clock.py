"""Wall time by phase."""

import time
from collections.abc import Mapping


class Clock:
    """Adds up wall time by phase, in seconds.

    Args:
        before: Phases that have ended already, and what they took.
    """

    def __init__(self, before: Mapping[str, float] | None = None):
        self.seconds: dict[str, float] = dict(before or {})
        self._start = time.perf_counter() - sum(self.seconds.values())

    def phase(self, name: str) -> "_Phase":
        """A context whose duration is added to the phase."""
        return _Phase(self, name)

    def add(self, name: str, seconds: float) -> None:
        """Add to a phase."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def report(self) -> dict[str, float]:
        """Seconds by phase; "other" is what no phase claims, "total" the sum."""
        total = time.perf_counter() - self._start
        return self.seconds | {"other": max(total - sum(self.seconds.values()), 0.0), "total": total}


class _Phase:
    def __init__(self, clock: Clock, name: str):
        self._clock, self._name = clock, name

    def __enter__(self):
        self._start = time.perf_counter()

    def __exit__(self, *_):
        self._clock.add(self._name, time.perf_counter() - self._start)
