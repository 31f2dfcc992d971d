"""Whether data with a label may go somewhere: what the policies in force say, and a log of every decision.

A policy is a file of TOML, see `hybrid.routing.policy_file`; what no approval in it allows is refused. There may be one
for the whole machine and one of the user's: then both must allow it. Without any, open data may go to every vendor, and
all data to every site. Restricted data go to a vendor, or into a file for others, only after two persons have approved
it, neither of them the one who asks.
"""

import grp
import json
import os
import pwd
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import platformdirs

from backends.base import Backend
from backends.providers.device import Device
from circuits.errors import PolicyViolation, RecordFailed, unknown
from hybrid.routing.policy_file import (
    LABELS,
    PERSONS,
    Approval,
    Export,
    Kind,
    Numbered,
    Policy,
    content_of,
    parse,
    person,
)
from hybrid.runs.budget import Budget, spending_of

VARIABLE = "HYBRID_POLICY"

STATE = "HYBRID_STATE"

SITE_WIDE = Path("/etc/hybrid/policy.toml")
"""The policy of the whole machine, which its administrator writes."""

DECISIONS = "decisions.jsonl"
"""Name of the log, in the run's folder and in the user's state folder: one JSON object on each line."""

OBJECT = "object"
"""Stands for the family in the name of a backend that was made around an object."""


@dataclass(frozen=True)
class Requester:
    """The one who asks, as the operating system knows them.

    Attributes:
        login: Login name.
        name: Full name; empty if none is kept.
        groups: Names of the groups of the process.
    """

    login: str
    name: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """Whether data may go somewhere, and why.

    Attributes:
        allowed: Whether they may.
        why: In one sentence.
        rule: What decided: file, line and number of the table; empty where no rule of a file did.
        needed: What would be needed; empty where they may, and where nothing helps but another policy.
        approvals: All that count, each as "PERSON until DATE (where it stands)".
        policies: The files that were asked, and the SHA-256 of each as it was read.
    """

    allowed: bool
    why: str
    rule: str = ""
    needed: str = ""
    approvals: tuple[str, ...] = ()
    policies: tuple[tuple[str, str], ...] = ()


def check_may_go(
    label: str, place: str, *, kind: Kind = "vendor", purpose: str = "send", folder: str | Path | None = None
) -> None:
    """Refuse what the policy does not allow, and log the decision; to be called before anything is sent.

    Args:
        label: Of the data.
        place: Name of the backend, as `place_of` gives it, or of the site.
        kind: Which of the two; "export" for a form in which a record is handed on.
        purpose: What is about to happen, for the log: "plan", "send", "submit" or "export". Limits of money and shots
            are left to the sending, when the run's budget is known.
        folder: Of the run, where the log is kept, too; None before there is one.

    Raises:
        PolicyViolation: if it is not allowed, or a policy file cannot be understood.
        RecordFailed: if the decision cannot be logged.
    """
    budget = None if purpose == "plan" else Budget() if folder is None else spending_of(Path(folder)).granted
    decision = decide(label, place, kind=kind, budget=budget)
    entry = {
        "when_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "who": requester().login,
        "purpose": purpose,
        "label": label,
        kind: place,
        "allowed": decision.allowed,
        "why": decision.why,
        "rule": decision.rule,
        "approvals": list(decision.approvals),
        "policies": [{"file": file, "sha256": sha256} for file, sha256 in decision.policies],
    }
    if folder is not None and Path(folder).is_dir():
        _log(Path(folder) / DECISIONS, entry)
    _log(state_folder() / DECISIONS, entry)
    if not decision.allowed:
        raise refusal(label, place, kind, decision)


def refusal(label: str, place: str, kind: Kind, decision: Decision) -> PolicyViolation:
    """The error that says why data may not go somewhere, and what would be needed.

    Args:
        label: Of the data.
        place: As for `check_may_go`.
        kind: As for `check_may_go`.
        decision: The refusal.
    """
    needed = f"; needed: {decision.needed}" if decision.needed else ""
    what = f"be exported as '{place}'" if kind == "export" else f"leave this machine for {kind} '{place}'"
    return PolicyViolation(f"data labelled '{label}' may not {what}: {decision.why}{needed}")


def decide(
    label: str,
    place: str,
    *,
    kind: Kind = "vendor",
    today: date | None = None,
    budget: Budget | None = None,
    who: Requester | None = None,
) -> Decision:
    """What the policies in force say; nothing is logged.

    Args:
        label: Of the data.
        place: As for `check_may_go`.
        kind: As for `check_may_go`.
        today: The day that counts; by default this one.
        budget: What the run may spend at vendors; None before that is known, when limits are not looked at.
        who: The one who asks; by default the user of this process.
    """
    today, who = today or date.today(), who or requester()
    if label not in LABELS:
        return Decision(False, str(unknown("label", label, LABELS)))
    policies: list[Policy] = []
    try:
        for file in files():
            policies.append(parse(file, content_of(file)))
    except PolicyViolation as err:
        return Decision(False, f"{err}; until it is mended, nothing leaves this machine", policies=_digests(policies))
    if not policies:
        if kind == "site":
            return Decision(True, "there is no policy file, and then every site is allowed")
        if kind == "export" and label != "restricted":
            return Decision(True, "there is no policy file, and then only restricted data are not exported")
        why = f"without a policy file only open data may go to vendors; it would be {path()}"
        if kind == "export":
            why = f"without a policy file restricted data are not exported; it would be {path()}"
        return Decision(label == "open", why, needed="" if label == "open" else _wanted(path(), label, place, kind))
    decisions = [_decided(policy, label, place, kind, today, budget, who) for policy in policies]
    found = next((one for one in decisions if not one.allowed), decisions[-1])
    if not found.allowed:
        return _with(found, policies, found.rule, found.approvals)
    rules = "; ".join(one.rule for one in decisions)
    return _with(found, policies, rules, tuple(line for one in decisions for line in one.approvals))


def export_rules() -> Export:
    """What the policies in force say of records that are handed on, taken together.

    Raises:
        PolicyViolation: if a policy file cannot be understood.
    """
    said = [read(file).export for file in files()]
    return Export(
        withhold=sorted({kind for one in said for kind in one.withhold}),
        words=sorted({word for one in said for word in one.words}),
        note=" ".join(one.note for one in said if one.note),
    )


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
    """The policy files in force: the machine's, then the user's; also those that are there and cannot be read."""
    found = [SITE_WIDE] if _is_there(SITE_WIDE) else []
    return [*found, path()] if os.environ.get(VARIABLE) or _is_there(path()) else found


def path() -> Path:
    """The user's policy: $HYBRID_POLICY, or ``policy.toml`` in the configuration folder (``~/.config/hybrid``)."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_config_path("hybrid") / "policy.toml")


def state_folder() -> Path:
    """Where the log of all decisions is: $HYBRID_STATE, or the user's state folder (``~/.local/state/hybrid``)."""
    return Path(os.environ.get(STATE) or platformdirs.user_state_path("hybrid"))


def read(file: Path) -> Policy:
    """What a policy file says.

    Raises:
        PolicyViolation: if it cannot be read, or says anything that is not understood.
    """
    return parse(file, content_of(file))


def requester() -> Requester:
    """The user of this process, by the operating system and not by what the environment says."""
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:  # in a container whose user has no name
        return Requester(f"user {os.getuid()}", groups=_groups())
    return Requester(entry.pw_name, entry.pw_gecos.partition(",")[0], _groups())


def _groups() -> frozenset[str]:
    names = set()
    for number in {os.getgid(), *os.getgroups()}:
        try:
            names.add(grp.getgrgid(number).gr_name)
        except KeyError:  # a group without a name is named by no policy
            continue
    return frozenset(names)


def _is_there(file: Path) -> bool:
    """Whether there is something of this name, such as a link to nothing or what may not be looked at."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _with(found: Decision, policies: Sequence[Policy], rule: str, approvals: tuple[str, ...]) -> Decision:
    return Decision(found.allowed, found.why, rule, found.needed, approvals, _digests(policies))


def _digests(policies: Sequence[Policy]) -> tuple[tuple[str, str], ...]:
    return tuple((str(policy.file), policy.sha256) for policy in policies)


def _decided(
    policy: Policy, label: str, place: str, kind: Kind, today: date, budget: Budget | None, who: Requester
) -> Decision:
    file = policy.file
    for where, refused in policy.refusals:
        if refused.covers(label, place, kind) and refused.concerns(who.login, who.groups) and refused.holds(today):
            reason = f": {refused.reason}" if refused.reason else ""
            return Decision(False, f"it is refused by {file}, {where}{reason}", f"{file}, {where}")
    if kind == "export" and label != "restricted":
        return Decision(True, f"{file} does not refuse it, and only restricted data need an approval to be exported")
    n_persons = 1 if kind == "site" else policy.persons[label]
    needed = _wanted(file, label, place, kind, n_persons)
    covering = [(where, one) for where, one in policy.approvals if one.covers(label, place, kind)]
    if not covering:
        return Decision(False, f"no approval in {file} names this label and this {kind}", needed=needed)
    reasons = [_why_not(one, kind, today, budget, who, several=n_persons > 1) for _, one in covering]
    good = [(where, one) for (where, one), reason in zip(covering, reasons, strict=True) if not reason]
    latest: dict[str, tuple[Numbered, Approval]] = {}
    for where, one in sorted(good, key=lambda entry: entry[1].until):
        latest[one.person] = (where, one)
    counted = sorted(latest.values(), key=lambda entry: entry[1].until, reverse=True)
    approvals = tuple(f"{one.approved_by} until {one.until.isoformat()} ({file}, {where})" for where, one in counted)
    if len(counted) >= n_persons:
        used = counted[:n_persons]
        last = min(one.until for _, one in used)
        names = " and ".join(one.approved_by for _, one in used)
        reason = "".join(f": {one.reason}" for _, one in used if one.reason)
        rule = f"{file}, {' and '.join(str(where) for where, _ in used)}"
        return Decision(True, f"approved by {names} until {last.isoformat()} ({file}){reason}", rule, "", approvals)
    failed = [(where, one, reason) for (where, one), reason in zip(covering, reasons, strict=True) if reason]
    if not counted:
        where, _, why = max(failed, key=lambda entry: entry[1].until)
        return Decision(False, f"{why} ({file})", f"{file}, {where}", needed)
    so_far = " and ".join(one.approved_by for _, one in counted)
    why = f"{n_persons} different persons must approve it, and so far only {so_far} did ({file})"
    others = "".join(f"; {reason}" for _, _, reason in failed)
    return Decision(False, why + others, f"{file}, {counted[0][0]}", needed, approvals)


def _why_not(one: Approval, kind: Kind, today: date, budget: Budget | None, who: Requester, *, several: bool) -> str:
    """Why an approval that names label and place does not count; empty if it does."""
    by = f"the approval by {one.approved_by}"
    if one.until < today:
        return f"{by} ended on {one.until.isoformat()}"
    if not one.holds(today):
        return f"{by} begins on {one.since}"
    if not one.concerns(who.login, who.groups):
        return f"{by} is for other users than {who.login}"
    if several and one.person in {person(who.login), person(who.name)}:
        return f"{by} does not count, since {who.login} asks and cannot approve it, too"
    if kind == "vendor" and budget is not None:
        for what, most, granted in (("usd", one.max_usd, budget.usd), ("shots", one.max_shots, budget.shots)):
            if most is not None and (granted is None or granted > most):
                has = "has no such limit" if granted is None else f"may spend {granted:g}"
                return f"{by} is for runs with a budget of at most {what} = {most:g}, and this one {has}"
    return ""


def _wanted(file: Path, label: str, place: str, kind: Kind, n_persons: int | None = None) -> str:
    """What a policy file would have to say."""
    number = n_persons or (1 if kind == "site" else PERSONS[label])
    entry = f'labels = ["{label}"] and {kind}s = ["{place}"]'
    if number == 1:
        return f"an [[approval]] that holds in {file}, with {entry}"
    return (
        f"[[approval]] tables that hold in {file}, with {entry}, by {number} different persons other than the one "
        "who asks"
    )


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
