"""Who is asked: every simulator of the toolkit that may be chosen, its other methods, and other people's routers."""

from dataclasses import dataclass
from typing import Any

import backends
from backends import registry
from backends.base import Backend
from regret.workloads import Workload


@dataclass(frozen=True)
class Contestant:
    """One way to run a workload.

    Attributes:
        name: In the table: of a backend, then its options.
        backend: Its name, for `backends.get`; of a rival, a key of `RIVALS`.
        options: For `backends.get`.
    """

    name: str
    backend: str
    options: dict[str, Any]

    @property
    def library(self) -> str:
        """Whose imports it has in common with others of the same backend."""
        return f"{self.backend} with noise" if "noise" in self.options else self.backend

    def make(self) -> Backend:
        """The backend; its library is imported now or on first use.

        Raises:
            ImportError: if the library is not here.
            Refused: if it cannot be made.
        """
        if self.backend in RIVALS:
            from regret import rivals

            return getattr(rivals, RIVALS[self.backend])()
        return backends.get(self.backend, **self.options)


RIVALS = {"Aer's automatic": "AerAutomatic", "Maestro": "Maestro"}
"""Other routers, each with its class in `regret.rivals`; they are compared with, and never chosen."""

METHODS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("aer", {"method": "matrix_product_state"}),
    ("aer", {"method": "stabilizer"}),
    ("pauli", {"threshold": 0.0}),
    ("reference", {}),
)
"""What could be asked for by name, beside what "auto" tries."""

CHECKING = ("reference",)
"""What is there to check the others by, and never what "auto" takes: its times are shown, and it is never the best."""

NOISY = (None, "density_matrix", "statevector", "matrix_product_state")
"""Methods of Aer that a noise model can be given to; None: its own choice."""


def title(backend: str, options: dict[str, Any]) -> str:
    """Name and options, as in ``aer method=stabilizer``."""
    return " ".join([backend, *(f"{key}={value}" for key, value in sorted(options.items()))])


def of_backend(backend: Backend) -> str:
    """The title of a backend that `backends.get` made."""
    assert backend.origin is not None
    return title(backend.origin.name, backend.origin.options)


def contestants(workload: Workload) -> list[Contestant]:
    """All that the workload can be asked of, those that the router chooses among first."""
    rivals = [] if workload.noise else [Contestant(name, name, {}) for name in RIVALS]
    pairs = [*candidates(workload), *([] if workload.noise else METHODS)]
    unique = {title(name, options): (name, options) for name, options in pairs}
    return [Contestant(key, *pair) for key, pair in unique.items()] + rivals


def candidates(workload: Workload) -> list[tuple[str, dict[str, Any]]]:
    """Among which the router chooses: what "auto" tries, and for noise the methods of the one that imitates it."""
    if workload.noise:
        noise = {"noise": workload.noise}
        return [("aer", noise | ({} if method is None else {"method": method})) for method in NOISY]
    return [(name, {}) for name in registry.automatic()]
