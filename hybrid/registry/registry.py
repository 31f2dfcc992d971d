"""The registry: add runs that have ended, list them, and find the one to start from."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from circuits import tables
from circuits.errors import Refused
from circuits.fingerprint import fingerprint
from hybrid.registry.address import Address, address_of
from hybrid.registry.database import opened
from hybrid.registry.entry import COLUMNS, Entry, entry_from, entry_of
from hybrid.registry.family import distance, family, features
from hybrid.routing.policy import check_may_go
from hybrid.workload.workload import Workload

TABLE = ("entry", "problem", "parameters", "energy", "evaluations", "label", "run")

MOST_ROWS = 100
"""Of more entries, the oldest and the newest are shown."""

SELECT = f"SELECT {', '.join(COLUMNS)} FROM registry_entry"


@dataclass(frozen=True, eq=False)
class Match:
    """An entry to start from.

    Attributes:
        entry: The entry.
        kind: "exact" for the same Hamiltonian and circuit, "nearest" for a neighbour of the same family.
        distance: Between the two problems' features, as `hybrid.registry.family.distance` says it; 0 for "exact".
    """

    entry: Entry
    kind: Literal["exact", "nearest"]
    distance: float


class Registry:
    """A registry of trained parameters; it shows itself as a table.

    Attributes:
        address: Where it lies.
    """

    def __init__(self, address: Address):
        self.address = address

    def add(self, run: str | Path) -> Entry:
        """Add a run that has ended; one that is there already is left as it is.

        Args:
            run: Its folder.

        Returns:
            The entry.

        Raises:
            Refused: if the run has not ended, was changed, or lies below the exact energy; if the registry cannot be
                written.
            PolicyViolation: if data with the run's label may not go to the registry's server.
        """
        entry = entry_from(Path(run))
        self._check_may_go(entry.label)
        places = ", ".join("?" * len(COLUMNS))
        with opened(self.address, writing=True) as execute:
            assert execute is not None
            execute(
                f"INSERT INTO registry_entry ({', '.join(COLUMNS)}) VALUES ({places}) ON CONFLICT DO NOTHING",
                *entry.row(),
            )
        return entry

    def entries(self) -> list[Entry]:
        """All entries, oldest first.

        Raises:
            Refused: if the registry cannot be read.
        """
        return self._selected("ORDER BY created_utc, result_sha256")

    def entry(self, name: str) -> Entry:
        """The entry of a name.

        Args:
            name: The digest of its result, or the beginning of it.

        Raises:
            Refused: if there is none, or several begin so.
        """
        if not name or set(name) - set("0123456789abcdef"):
            raise Refused(f"{name!r} names no entry: give the digits of the first column of `hybrid registry list`")
        found = self._selected("WHERE result_sha256 LIKE ?", f"{name}%")
        if len(found) != 1:
            raise Refused(
                f"{len(found) or 'no'} entries of the registry {self.address.text} begin with '{name}': give the "
                "digits of the first column of `hybrid registry list`"
            )
        return found[0]

    def match(self, work: Workload) -> Match | None:
        """The entry to start a workload from.

        The best of the same Hamiltonian and circuit, by the energy with its errors added; else the nearest of the same
        family, and of equally near ones that with the smallest error of its energy. Data with another label are not
        looked at.

        Args:
            work: The workload.

        Returns:
            The match; None where there is none.

        Raises:
            Refused: if the registry cannot be read.
            PolicyViolation: if data with the workload's label may not go to the registry's server.
        """
        self._check_may_go(work.label)
        same = self._selected(
            "WHERE hamiltonian = ? AND circuit = ? AND label = ?",
            fingerprint(work.problem.hamiltonian),
            fingerprint(work.circuit),
            work.label,
        )
        same = [entry for entry in same if len(entry.theta) == len(work.theta)]
        if same:
            return Match(min(same, key=lambda entry: (entry.upper, entry.result_sha256)), "exact", 0.0)
        kind = family(work.problem, work.circuit)
        if kind is None:
            return None
        ours = features(work.problem)
        near = [
            (distance(ours, entry.features), entry.error, entry.result_sha256, entry)
            for entry in self._selected("WHERE family = ? AND label = ?", kind, work.label)
        ]
        apart, _, _, entry = min(near, default=(math.inf, 0.0, "", None))
        return None if entry is None or math.isinf(apart) else Match(entry, "nearest", apart)

    def rows(self) -> list[tuple[str, ...]]:
        """The table's cells, oldest entry first: name, problem, number of parameters, energy, evaluations, label, run.

        Raises:
            Refused: if the registry cannot be read.
        """
        return [
            (e.name, e.problem, str(len(e.theta)), e.measured(), str(e.evaluations), e.label, e.folder)
            for e in self.entries()
        ]

    def __str__(self) -> str:
        rows = self.rows()
        shown: list[Sequence[str]] = tables.ends(len(rows), lambda k: rows[k], MOST_ROWS)
        return tables.text(shown, columns=TABLE) if rows else "the registry is empty"

    def __repr__(self) -> str:
        return f"Registry({self.address.text!r})"

    def _repr_html_(self) -> str:
        rows = self.rows()
        shown: list[Sequence[str]] = tables.ends(len(rows), lambda k: rows[k], MOST_ROWS)
        return tables.html(shown, columns=TABLE) if rows else "<p>the registry is empty</p>"

    def _selected(self, which: str, *values: str) -> list[Entry]:
        with opened(self.address, writing=False) as execute:
            return [] if execute is None else [entry_of(row) for row in execute(f"{SELECT} {which}", *values)]

    def _check_may_go(self, label: str) -> None:
        if self.address.host is not None:
            check_may_go(label, self.address.host, kind="site", purpose="send")


def registry(address: str | os.PathLike[str] | None = None) -> Registry:
    """The registry of trained parameters.

    Args:
        address: Path of a file, or ``postgresql://USER@HOST/DATABASE`` for one that a group shares; by default
            ``$HYBRID_REGISTRY``, or ``registry.sqlite`` in the user's data folder. It is made by the first run that is
            added.

    Returns:
        The `Registry`; printed, it is a table.

    Raises:
        Refused: for an address of another kind, and for one with a password in it.

    Examples:
        >>> import tempfile
        >>> print(registry(tempfile.mkdtemp() + "/registry.sqlite"))
        the registry is empty
    """
    return Registry(address_of(address))
