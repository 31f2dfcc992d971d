"""What a run, a sweep or an algorithm may spend at vendors, and what it has spent: one file, in the topmost folder.

Every job reserves what it costs at most before it is sent. Points of a sweep that run at the same time, in one process
or in many, reserve in the same file, one after the other, so that together they never spend more than was granted.
What is reserved stays spent, also for a job that failed, unless the vendor says what it has really cost.
"""

import math
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from backends.providers.hardware import Charge
from circuits.errors import BudgetExceeded, RecordFailed, Refused, unknown

FILE = "budget.sqlite"

SCHEMA = """
CREATE TABLE IF NOT EXISTS budget (granted_at REAL NOT NULL, usd REAL, qpu_s REAL, shots REAL);
CREATE TABLE IF NOT EXISTS charge (
    tag TEXT PRIMARY KEY, usd REAL NOT NULL, qpu_s REAL NOT NULL, shots INTEGER NOT NULL
) WITHOUT ROWID;
"""

BUSY_S = 60.0
"""For so long a process waits for another that reserves in the same file."""

ROUNDING = 1e-9
"""Of sums of numbers that are not binary fractions, such as 0.1 US dollars; far below a cent."""


@dataclass(frozen=True)
class Budget:
    """What may be spent at vendors; None where there is no limit.

    Attributes:
        usd: Money, in US dollars.
        qpu_s: Time on devices, in seconds.
        shots: Circuits that are run, each counted as often as it is repeated.
    """

    usd: float | None = None
    qpu_s: float | None = None
    shots: float | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            if value is not None and not (number and value >= 0):
                raise Refused(f"budget: {name} must be a number of 0 or more, not {value!r}")


def budget_of(given: Budget | Mapping[str, Any]) -> Budget:
    """A budget from what a user gave.

    Args:
        given: A `Budget`, or some of its attributes by name.

    Raises:
        Refused: for another name, with the nearest right word, or a value that is no number of 0 or more.
    """
    if isinstance(given, Budget):
        return given
    if not isinstance(given, Mapping):
        raise Refused(f"budget must be given by names, as in {{'usd': 20}}, not as {given!r}")
    known = [field.name for field in fields(Budget)]
    for name in given:
        if name not in known:
            raise unknown("part of a budget", str(name), known)
    return Budget(**given)


class Spending:
    """The file that holds a budget and all charges against it; every method is one transaction.

    Args:
        path: Of the file, which is made when something is first written.
    """

    def __init__(self, path: Path):
        self.path = path

    def grant(self, budget: Budget) -> None:
        """Set the budget; it takes the place of the one before, and what was spent stays spent."""
        with self._writing() as database:
            if _granted(database) != budget:
                values = (time.time(), budget.usd, budget.qpu_s, budget.shots)
                database.execute("INSERT INTO budget VALUES (?, ?, ?, ?)", values)

    @property
    def granted(self) -> Budget:
        """The budget; without limits where none was granted."""
        with self._reading() as database:
            return Budget() if database is None else _granted(database)

    @property
    def spent(self) -> Charge:
        """The sum of all charges, reserved ones included."""
        with self._reading() as database:
            return Charge() if database is None else _spent(database)

    def reserve(self, charges: Mapping[str, Charge], what: str) -> None:
        """Set aside what jobs cost at most, all of it or nothing; what is set aside for a tag counts once.

        Args:
            charges: By the tags of the jobs.
            what: The jobs, as the beginning of a message.

        Raises:
            BudgetExceeded: if the budget does not hold it; nothing is set aside.
        """
        with self._writing() as database:
            tags = {tag for (tag,) in database.execute("SELECT tag FROM charge")}
            fresh = {tag: charge for tag, charge in charges.items() if tag not in tags}
            budget, spent, cost = _granted(database), _spent(database), sum(fresh.values(), Charge())
            for name, limit in asdict(budget).items():
                before, more = getattr(spent, name), getattr(cost, name)
                if limit is not None and more > 0 and before + more > limit + ROUNDING:
                    raise BudgetExceeded(
                        f"{what}: up to {_amount(name, more)} more, but of the budget of {_amount(name, limit)} "
                        f"{_amount(name, before)} are spent and {_amount(name, max(0.0, limit - before))} are left "
                        f"({self.path}); nothing was sent. Resume with a larger budget"
                    )
            _put(database, fresh)

    def record(self, charges: Mapping[str, Charge]) -> None:
        """Write down what jobs have cost, whatever the budget, in place of what was set aside for them."""
        with self._writing() as database:
            _put(database, charges)

    def release(self, tags: Iterable[str]) -> None:
        """Give back what was set aside for jobs that were surely not taken."""
        with self._writing() as database:
            database.executemany("DELETE FROM charge WHERE tag = ?", [(tag,) for tag in tags])

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with (
            _translated(self.path),
            closing(sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)) as database,
        ):
            database.execute("PRAGMA synchronous=FULL")
            database.execute("BEGIN IMMEDIATE")  # nobody else reads a sum that is about to change
            try:
                for statement in SCHEMA.split(";"):
                    database.execute(statement)
                yield database
            except BaseException:
                database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        if not self.path.exists():
            yield None
            return
        address = f"{self.path.absolute().as_uri()}?mode=rw"  # not "ro": what another process broke off is undone
        with _translated(self.path), closing(sqlite3.connect(address, uri=True, timeout=BUSY_S)) as database:
            begun = database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone() != (0,)
            yield database if begun else None


def spending_of(folder: Path) -> Spending:
    """The spending that a run is charged to: that of the sweep or algorithm it belongs to, else its own.

    Args:
        folder: Of the run, or of the algorithm.
    """
    above = folder.absolute().parent
    if (above / "algorithm.json").is_file():
        return spending_of(above)
    shared = (above / FILE).is_file() and not (above / "spec.json").exists()
    return Spending((above if shared else folder) / FILE)


def described(budget: Budget, spent: Charge) -> list[str]:
    """Each limit of a budget with what is spent of it, as text; what was spent alone where there is no limit."""
    lines = []
    for name, limit in asdict(budget).items():
        amount = getattr(spent, name)
        if limit is not None:
            left = max(0.0, limit - amount)
            lines.append(f"{_amount(name, amount)} of {_amount(name, limit)} spent, {_amount(name, left)} left")
        elif amount:
            lines.append(f"{_amount(name, amount)} spent")
    return lines


def _amount(name: str, value: float) -> str:
    """A part of a budget as text.

    >>> _amount("usd", 0.30000000000000004), _amount("qpu_s", 12.5), _amount("shots", 1e6)
    ('0.30 USD', '12.5 s on the device', '1000000 shots')
    """
    if name == "usd":
        return f"{value:.2f} USD" if round(value, 2) == round(value, 9) else f"{round(value, 9):.9g} USD"
    return f"{value:.9g} s on the device" if name == "qpu_s" else f"{value:.0f} shots"


def _granted(database: sqlite3.Connection) -> Budget:
    row = database.execute("SELECT usd, qpu_s, shots FROM budget ORDER BY rowid DESC LIMIT 1").fetchone()
    return Budget() if row is None else Budget(*row)


def _spent(database: sqlite3.Connection) -> Charge:
    """The sum of all charges, rounded correctly: it does not depend on their order."""
    usd, qpu_s, shots = ([*column] for column in zip(*_charges(database), strict=True))
    return Charge(math.fsum(usd), math.fsum(qpu_s), sum(shots))


def _charges(database: sqlite3.Connection) -> list[tuple[float, float, int]]:
    return [(0.0, 0.0, 0), *database.execute("SELECT usd, qpu_s, shots FROM charge")]


def _put(database: sqlite3.Connection, charges: Mapping[str, Charge]) -> None:
    rows = [(tag, charge.usd, charge.qpu_s, charge.shots) for tag, charge in charges.items()]
    database.executemany("INSERT OR REPLACE INTO charge VALUES (?, ?, ?, ?)", rows)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as err:
        raise RecordFailed(
            f"{path}: the budget cannot be read or written ({err}), so nothing may be spent. Make room, or, if the "
            "file is damaged, remove it: what was spent is put together again from the journals"
        ) from err
