"""A policy as its file says it, in tables of TOML.

Each key of an [[approval]] or a [[refusal]] narrows it; [export] is about records that are handed on.
What is not understood, whole or in part, is refused by name and line: nothing may be allowed by half a policy.
"""

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from circuits.errors import PolicyViolation, unknown

FORMAT = 1
"""Of policy files. A file of a later one is refused; a file that names none is of the first."""

Label = Literal["open", "internal", "restricted"]
Kind = Literal["vendor", "site", "export"]

LABELS: tuple[str, ...] = get_args(Label)

PERSONS: dict[str, int] = {"open": 1, "internal": 1, "restricted": 2}
"""Different persons who must have approved that data go to a vendor, by label; a policy may ask for more."""

KEYS = ("format", "persons", "approval", "refusal", "export")

Withheld = Literal["host", "user", "path", "job", "account", "site", "price"]


class Rule(BaseModel):
    """What an approval and a refusal have in common.

    Attributes:
        labels: Of the data.
        vendors: Where to: families such as "ibm", devices such as "ibm:ibm_fez" or "ibm:ibm_*", or "*" for all.
        sites: Names of sites in the site file where it may be submitted to, or "*" for all.
        exports: Forms in which records may be handed on, such as "crate" or "csv", or "*" for all.
        users: Login names of those whom it concerns; with neither users nor groups, everybody.
        groups: Groups of this machine whose members it concerns.
        since: The first day on which it holds; None for always.
        until: The last day on which it holds; None for always.
        reason: Why, if that is to be kept.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    labels: list[Label] = Field(min_length=1)
    vendors: list[str] = []
    sites: list[str] = []
    exports: list[str] = []
    users: list[str] = []
    groups: list[str] = []
    since: date | None = None
    until: date | None = None
    reason: str = ""

    def covers(self, label: str, place: str, kind: Kind) -> bool:
        """Whether it names the label and the place, whatever the day and the user."""
        named = {"vendor": self.vendors, "site": self.sites, "export": self.exports}[kind]
        return label in self.labels and any(_fits(name, place, kind) for name in named)

    def concerns(self, user: str, groups: Iterable[str]) -> bool:
        """Whether it is about a user.

        Args:
            user: Login name.
            groups: Those of the user.
        """
        return not (self.users or self.groups) or user in self.users or not set(groups).isdisjoint(self.groups)

    def holds(self, day: date) -> bool:
        """Whether the day is within its dates."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class Approval(Rule):
    """One approval of a policy, by one person.

    Attributes:
        approved_by: Who has said so; what comes after a comma, such as an office, does not make another person.
        until: The last day on which it holds.
        max_usd: Money that a run may be granted at vendors, in US dollars; None without a limit.
        max_shots: Shots that a run may be granted at vendors.
    """

    approved_by: str = Field(min_length=1)
    until: date  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues] - it must be given
    max_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_shots: int | None = Field(default=None, ge=0)

    @property
    def person(self) -> str:
        """The one who approved, in a form that is the same however the name is written."""
        return person(self.approved_by)


class Refusal(Rule):
    """A refusal, which goes before every approval."""


class Export(BaseModel):
    """What a policy says of records that are handed on.

    Attributes:
        withhold: What goes out of every crate, whether its writer asks for it or not: kinds of words.
        words: Further words that do, such as the name of a project.
        note: What stands in every crate on its use, such as a note on export control.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    withhold: list[Withheld] = []
    words: list[str] = []
    note: str = ""


R = TypeVar("R", bound=Rule)


@dataclass(frozen=True)
class Numbered:
    """Where a rule stands.

    Attributes:
        table: "approval" or "refusal".
        number: Among those of its kind, from 1.
        line: Of its head in the file; None if that cannot be told.
    """

    table: str
    number: int
    line: int | None

    def __str__(self) -> str:
        at = "" if self.line is None else f"line {self.line}, "
        return f"{at}[[{self.table}]] number {self.number}"


@dataclass(frozen=True)
class Policy:
    """What a policy file says.

    Attributes:
        file: The file.
        sha256: Of its bytes, in hexadecimal.
        approvals: With where each stands.
        refusals: With where each stands.
        persons: How many must have approved that data go to a vendor, or are handed on, by label.
        export: What it says of records that are handed on.
    """

    file: Path
    sha256: str
    approvals: tuple[tuple[Numbered, Approval], ...]
    refusals: tuple[tuple[Numbered, Refusal], ...]
    persons: dict[str, int]
    export: Export


def content_of(file: Path) -> bytes:
    """The bytes of a policy file.

    Raises:
        PolicyViolation: if it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as err:
        raise PolicyViolation(f"{file}: the policy cannot be read: {err.strerror}") from err


def parse(file: Path, content: bytes) -> Policy:
    """What the bytes of a policy file say.

    Args:
        file: Where they come from, for messages.
        content: The bytes.

    Raises:
        PolicyViolation: if they say anything that is not understood.
    """
    try:
        text = content.decode("utf-8-sig")
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as err:
        raise PolicyViolation(f"{file}: the policy is not TOML: {err}") from err
    version = tables.get("format", FORMAT)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise PolicyViolation(f"{file}: format must be a whole number from 1, not {version!r}")
    if version > FORMAT:
        raise PolicyViolation(f"{file}: format {version} is of a later version; this one reads up to {FORMAT}")
    if wrong := next((key for key in tables if key not in KEYS), None):
        raise PolicyViolation(
            f"{file}: {unknown('key', wrong, KEYS)}; a policy is made of [[approval]] and [[refusal]] tables"
        )
    return Policy(
        file,
        hashlib.sha256(content).hexdigest(),
        _rules(file, text, "approval", tables.get("approval", []), Approval),
        _rules(file, text, "refusal", tables.get("refusal", []), Refusal),
        _persons(file, tables.get("persons", {})),
        _export(file, tables.get("export", {})),
    )


def person(name: str) -> str:
    """A name in a form that is the same however it is written, without an office or an address behind it.

    >>> person("Anna  Person, data protection") == person("anna person <anna@example.org>")
    True
    """
    bare = re.sub(r"<[^>]*>|\([^)]*\)", " ", name).partition(",")[0]
    return " ".join(unicodedata.normalize("NFKC", bare).casefold().split())


def _rules(file: Path, text: str, table: str, entries: Any, model: type[R]) -> tuple[tuple[Numbered, R], ...]:
    if not isinstance(entries, list):
        raise PolicyViolation(f"{file}: {table} must be a list of tables, each beginning with [[{table}]]")
    head = re.compile(rf"\s*\[\[\s*[\"']?{table}[\"']?\s*\]\]")
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if head.match(line)]
    known = lines if len(lines) == len(entries) else [None] * len(entries)
    places = [Numbered(table, number, line) for number, line in enumerate(known, start=1)]
    return tuple((place, _checked(file, place, entry, model)) for place, entry in zip(places, entries, strict=True))


def _checked(file: Path, place: Numbered, entry: Any, model: type[R]) -> R:
    try:
        found = model.model_validate(entry)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or place.table
        if first["type"] == "extra_forbidden":
            why = str(unknown("key", key, model.model_fields))
        elif first["type"] == "missing":
            why = f"{key} is missing"
        else:
            why = f"{key}: {first['msg'].lower()}"
        raise PolicyViolation(f"{file}: {place}: {why}") from err
    if isinstance(found, Approval) and not found.person:
        raise PolicyViolation(f"{file}: {place}: approved_by must name a person, not {found.approved_by!r}")
    return found


def _export(file: Path, given: Any) -> Export:
    if not isinstance(given, dict):
        raise PolicyViolation(f"{file}: export must be a table, [export]")
    try:
        return Export.model_validate(given)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        why = str(unknown("key", key, Export.model_fields)) if first["type"] == "extra_forbidden" else first["msg"]
        raise PolicyViolation(f"{file}: [export]: {key}: {why}") from err


def _persons(file: Path, given: Any) -> dict[str, int]:
    if not isinstance(given, dict):
        raise PolicyViolation(f"{file}: persons must be a table, [persons], of labels and numbers")
    for label, number in given.items():
        if label not in PERSONS:
            raise PolicyViolation(f"{file}: [persons]: {unknown('label', label, PERSONS)}")
        if not isinstance(number, int) or isinstance(number, bool) or number < PERSONS[label]:
            raise PolicyViolation(
                f"{file}: [persons]: {label} must be a whole number from {PERSONS[label]}, not {number!r}"
            )
    return PERSONS | given


def _fits(name: str, place: str, kind: Kind) -> bool:
    asked, place = name.lower(), place.lower()
    if re.fullmatch(".*".join(map(re.escape, asked.split("*"))), place, re.DOTALL):
        return True
    return kind == "vendor" and asked == place.partition(":")[0]
