"""The policy: where data with a label may go, who approved it, and until when; and a log of every decision.

A policy is a file of TOML, ``[[approval]]`` after ``[[approval]]``; what none of them allows is refused. There may be
one for the whole machine and one of the user's: then both must allow it. Without any, open data may go to every vendor,
and all data to every site.
"""

import getpass
import json
import os
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backends.base import Backend
from backends.providers.device import Device
from circuits.errors import PolicyViolation, RecordFailed, unknown

VARIABLE = "HYBRID_POLICY"

STATE = "HYBRID_STATE"

SITE_WIDE = Path("/etc/hybrid/policy.toml")
"""The policy of the whole machine, which its administrator writes."""

DECISIONS = "decisions.jsonl"
"""Name of the log, in the run's folder and in the user's state folder: one JSON object on each line."""

OBJECT = "object"
"""Stands for the family in the name of a backend that was made around an object."""

Label = Literal["open", "internal", "restricted"]
Kind = Literal["vendor", "site"]


class Approval(BaseModel):
    """One approval of a policy.

    Attributes:
        labels: Of the data that may go.
        vendors: Where to: families such as "ibm", devices such as "ibm:ibm_fez", or "*" for all.
        sites: Names of sites in the site file where it may be submitted to, or "*" for all.
        approved_by: Who has said so.
        until: The last day on which it holds.
        reason: Why, if that is to be kept.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    labels: list[Label] = Field(min_length=1)
    vendors: list[str] = []
    sites: list[str] = []
    approved_by: str = Field(min_length=1)
    until: date
    reason: str = ""

    def covers(self, label: str, place: str, kind: Kind) -> bool:
        """Whether it names the label and the place, whatever the day."""
        named = self.vendors if kind == "vendor" else self.sites
        return label in self.labels and any(_fits(name, place, kind) for name in named)


@dataclass(frozen=True)
class Decision:
    """Whether data may go somewhere, and why."""

    allowed: bool
    why: str


def check_may_go(
    label: str, place: str, *, kind: Kind = "vendor", purpose: str = "send", folder: str | Path | None = None
) -> None:
    """Refuse what the policy does not allow, and log the decision; to be called before anything is sent.

    Args:
        label: Of the data.
        place: Name of the backend, as `place_of` gives it, or of the site.
        kind: Which of the two.
        purpose: What is about to happen, for the log: "plan", "send" or "submit".
        folder: Of the run, where the log is kept, too; None before there is one.

    Raises:
        PolicyViolation: if it is not allowed, or a policy file cannot be understood.
        RecordFailed: if the decision cannot be logged.
    """
    decision = decide(label, place, kind=kind)
    entry = {
        "when_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "who": _user(),
        "purpose": purpose,
        "label": label,
        kind: place,
        "allowed": decision.allowed,
        "why": decision.why,
    }
    if folder is not None and Path(folder).is_dir():
        _log(Path(folder) / DECISIONS, entry)
    _log(state_folder() / DECISIONS, entry)
    if not decision.allowed:
        raise PolicyViolation(
            f"data labelled '{label}' may not leave this machine for {kind} '{place}': {decision.why}"
        )


def decide(label: str, place: str, *, kind: Kind = "vendor", today: date | None = None) -> Decision:
    """What the policies in force say; nothing is logged.

    Args:
        label: Of the data.
        place: As for `check_may_go`.
        kind: As for `check_may_go`.
        today: The day that counts; by default this one.
    """
    today = today or date.today()
    try:
        policies = [(file, read(file)) for file in files()]
    except PolicyViolation as err:
        return Decision(False, f"{err}; until it is mended, nothing leaves this machine")
    if not policies:
        if kind == "site":
            return Decision(True, "there is no policy file, and then every site is allowed")
        return Decision(
            label == "open", f"without a policy file only open data may go to vendors; it would be {path()}"
        )
    decisions = [_decided(file, approvals, label, place, kind, today) for file, approvals in policies]
    return next((one for one in decisions if not one.allowed), decisions[-1])


def guarded(backend: Backend, label: str, folder: str | Path | None = None) -> Backend:
    """The backend, such that nothing is sent from it that the policy does not allow at that moment.

    Args:
        backend: Where data will go.
        label: Of the data.
        folder: As for `check_may_go`.

    Returns:
        One that computes here as it is; a device with the check before each of its jobs.

    Raises:
        PolicyViolation: for a provider's backend that is no `Device`, here and now, if it is not allowed.
    """
    if backend.capabilities().place == "here":
        return backend
    check = partial(check_may_go, label, place_of(backend), folder=folder)
    if isinstance(backend, Device):
        return backend.permitted(check)
    check()
    return backend


def place_of(backend: Backend) -> str:
    """The name of a backend for the policy: ``FAMILY:DEVICE``, or ``object:NAME`` for one made around an object."""
    while backend.around is not None:
        backend = backend.around
    return f"{OBJECT}:{backend.capabilities().name}" if backend.origin is None else backend.origin.name


def files() -> list[Path]:
    """The policy files in force: the machine's, then the user's."""
    found = [SITE_WIDE] if SITE_WIDE.exists() else []
    return [*found, path()] if path().exists() or os.environ.get(VARIABLE) else found


def path() -> Path:
    """The user's policy: $HYBRID_POLICY, or ``policy.toml`` in the configuration folder (``~/.config/hybrid``)."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_config_path("hybrid") / "policy.toml")


def state_folder() -> Path:
    """Where the log of all decisions is: $HYBRID_STATE, or the user's state folder (``~/.local/state/hybrid``)."""
    return Path(os.environ.get(STATE) or platformdirs.user_state_path("hybrid"))


def read(file: Path) -> tuple[Approval, ...]:
    """The approvals of a policy file.

    Raises:
        PolicyViolation: if it cannot be read, or says anything that is not understood.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as err:
        raise PolicyViolation(f"{file}: the policy cannot be read: {err.strerror}") from err
    except (ValueError, RecursionError) as err:
        raise PolicyViolation(f"{file}: the policy is not TOML: {err}") from err
    if wrong := next((key for key in content if key != "approval"), None):
        raise PolicyViolation(f"{file}: {unknown('key', wrong, ['approval'])}; a policy is made of [[approval]] tables")
    entries = content.get("approval", [])
    if not isinstance(entries, list):
        raise PolicyViolation(f"{file}: approval must be a list of tables, each beginning with [[approval]]")
    return tuple(_checked(file, number, entry) for number, entry in enumerate(entries, start=1))


def _checked(file: Path, number: int, entry: Any) -> Approval:
    try:
        return Approval.model_validate(entry)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"])) or "approval"
        if first["type"] == "extra_forbidden":
            why = str(unknown("key", key, Approval.model_fields))
        elif first["type"] == "missing":
            why = f"{key} is missing"
        else:
            why = f"{key}: {first['msg'].lower()}"
        raise PolicyViolation(f"{file}: [[approval]] number {number}: {why}") from err


def _decided(file: Path, approvals: Sequence[Approval], label: str, place: str, kind: Kind, today: date) -> Decision:
    covering = [approval for approval in approvals if approval.covers(label, place, kind)]
    if not covering:
        return Decision(False, f"no approval in {file} names this label and this {kind}")
    last = max(covering, key=lambda approval: approval.until)
    if last.until < today:
        return Decision(False, f"the approval by {last.approved_by} ended on {last.until.isoformat()} ({file})")
    reason = f": {last.reason}" if last.reason else ""
    return Decision(True, f"approved by {last.approved_by} until {last.until.isoformat()} ({file}){reason}")


def _fits(name: str, place: str, kind: Kind) -> bool:
    if name == "*" or name.lower() == place.lower():
        return True
    return kind == "vendor" and name.lower() == place.partition(":")[0].lower()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container whose user has no name
        return f"user {os.getuid()}"


def _log(file: Path, entry: dict[str, Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as log:
            log.write(json.dumps(entry) + "\n")
    except OSError as err:
        raise RecordFailed(
            f"{file}: the decision whether data may leave this machine cannot be logged ({err.strerror}), so nothing "
            f"is sent; set {STATE} to a folder that can be written"
        ) from err
