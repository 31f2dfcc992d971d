"""Wall time by phase."""

import time
from collections.abc import Mapping


class Clock:
    """Adds up wall time by phase, in seconds.

    Args:
        before: Phases that have ended already, to the seconds that they took.

    Attributes:
        seconds: Wall time of each phase so far.
    """

    def __init__(self, before: Mapping[str, float] | None = None):
        self.seconds: dict[str, float] = dict(before or {})
        self._start = time.perf_counter() - sum(self.seconds.values())

    def phase(self, name: str) -> "_Phase":
        """A context whose duration is added to the phase of this name."""
        return _Phase(self, name)

    def add(self, name: str, seconds: float) -> None:
        """Add time to a phase.

        Args:
            name: Of the phase.
            seconds: Wall time; negative to move time from one phase to another.
        """
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def report(self) -> dict[str, float]:
        """Seconds by phase so far; "other" is the time outside of all phases, "total" the sum."""
        total = time.perf_counter() - self._start
        return self.seconds | {"other": max(total - sum(self.seconds.values()), 0.0), "total": total}


class _Phase:
    def __init__(self, clock: Clock, name: str):
        self._clock, self._name = clock, name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._clock.add(self._name, time.perf_counter() - self._start)
