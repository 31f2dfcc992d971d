"""The price table: dated entries of TOML, shipped with the package and overridden by the user's own."""

import os
import tomllib
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from circuits.errors import Refused, unknown

VARIABLE = "HYBRID_PRICES"

SHIPPED = Path(__file__).with_name("prices.toml")

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Price(BaseModel):
    """One entry of the table; ``prices.toml`` beside this file says what each key means."""

    model_config = STRICT

    devices: list[str] = Field(min_length=1)
    date: date
    source: str = Field(min_length=1)
    usd_per_qpu_s: float | None = Field(default=None, ge=0)
    usd_per_task: float | None = Field(default=None, ge=0)
    usd_per_shot: float | None = Field(default=None, ge=0)
    usd_per_1q_gate_shot: float | None = Field(default=None, ge=0)
    usd_per_2q_gate_shot: float | None = Field(default=None, ge=0)
    usd_at_least: float = Field(default=0.0, ge=0)
    job_s: float | None = Field(default=None, ge=0)
    rep_delay_s: float | None = Field(default=None, ge=0)
    n_qubits: int | None = Field(default=None, ge=1)
    all_to_all: bool = False

    @property
    def by_gates(self) -> bool:
        """Whether the price depends on the numbers of gates."""
        return self.usd_per_1q_gate_shot is not None or self.usd_per_2q_gate_shot is not None

    @property
    def words(self) -> str:
        """Where the price comes from."""
        return f"price of {self.date.isoformat()} from {self.source}"

    def qpu_s(self, *, jobs: int, executions: int, circuit_s: float | None) -> float | None:
        """Time on the device by the vendor's rule, in seconds; None where the table has no rule.

        Args:
            jobs: That are sent.
            executions: Circuits, each counted as often as it is repeated.
            circuit_s: Duration of one, in seconds; taken as 0 where it is not known.
        """
        if self.job_s is None or self.rep_delay_s is None:
            return None
        return jobs * self.job_s + executions * (self.rep_delay_s + (circuit_s or 0.0))

    def usd(
        self, *, circuits: int, shots: float, qpu_s: float | None, one_qubit: int | None, two_qubit: int | None
    ) -> float | None:
        """Money for some circuits, in US dollars; None where the table, or what is known, does not suffice.

        Args:
            circuits: That are sent.
            shots: Of each, on average.
            qpu_s: Time of them all on the device, in seconds.
            one_qubit: Gates on one qubit in each circuit.
            two_qubit: Gates on two qubits in each circuit.
        """
        rates = (
            (self.usd_per_task, 1.0),
            (self.usd_per_shot, shots),
            (self.usd_per_1q_gate_shot, None if one_qubit is None else one_qubit * shots),
            (self.usd_per_2q_gate_shot, None if two_qubit is None else two_qubit * shots),
        )
        asked = [(rate, amount) for rate, amount in rates if rate is not None]
        if (not asked and self.usd_per_qpu_s is None) or (self.usd_per_qpu_s is not None and qpu_s is None):
            return None
        if any(amount is None for _, amount in asked):
            return None
        each = max(sum(rate * amount for rate, amount in asked if amount is not None), self.usd_at_least)
        return circuits * each + (self.usd_per_qpu_s or 0.0) * (qpu_s or 0.0)


def price_of(device: str) -> Price | None:
    """The entry for a device, the user's own before the shipped ones; None: its price is not known.

    Args:
        device: Its name, such as ``ibm:ibm_fez``.

    Raises:
        Refused: if the user's table says anything that is not understood.
    """
    entries = (*own(), *_read(SHIPPED))
    return next((entry for entry in entries if _fits(entry, device)), None)


def path() -> Path:
    """The user's table: $HYBRID_PRICES, or ``prices.toml`` in the configuration folder (``~/.config/hybrid``)."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_config_path("hybrid") / "prices.toml")


def own() -> tuple[Price, ...]:
    """The user's own entries; none where there is no such file, unless a variable names it.

    Raises:
        Refused: if it cannot be read, or says anything that is not understood.
    """
    file = path()
    if not file.exists():
        if os.environ.get(VARIABLE):
            raise Refused(f"{file}: no such file, but {VARIABLE} names it")
        return ()
    return _parsed(file)


@cache
def _read(file: Path) -> tuple[Price, ...]:
    return _parsed(file)


def _parsed(file: Path) -> tuple[Price, ...]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as err:
        raise Refused(f"{file}: cannot be read as a price table in TOML: {err}") from err
    wrong = next((key for key in content if key != "price"), None)
    if wrong is not None:
        raise Refused(f"{file}: {unknown('key', wrong, ['price'])}; entries are tables [[price]]")
    entries = content.get("price", [])
    if not isinstance(entries, list):
        raise Refused(f"{file}: price must be a list of tables, each beginning with [[price]]")
    return tuple(_checked(file, number, entry) for number, entry in enumerate(entries, start=1))


def _checked(file: Path, number: int, entry: object) -> Price:
    try:
        return Price.model_validate(entry)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "entry"
        if first["type"] == "extra_forbidden":
            raise Refused(f"{file}: [[price]] number {number}: {unknown('key', key, Price.model_fields)}") from err
        raise Refused(
            f"{file}: [[price]] number {number}: {key}: {first['msg'].lower()}; the form stands in {SHIPPED}"
        ) from err


def _fits(entry: Price, device: str) -> bool:
    return any(fnmatchcase(device.lower(), pattern.lower()) for pattern in entry.devices)
