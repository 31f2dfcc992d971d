"""Where a run may go on if its backend fails: the next of its plan, or those that the user names."""

from collections.abc import Sequence
from dataclasses import replace

import backends
from backends.base import Backend, Capabilities
from circuits.errors import Refused
from hybrid.routing.plan import Plan, Way, candidates, rank
from hybrid.routing.routed import Routed
from hybrid.workload.arguments import BackendLike
from hybrid.workload.spec import BackendSpec, backend_spec

Failing = bool | Sequence[str]
"""Whether a run may fail over: True, to the other ways of the plan for "auto"; or names, in order; or False."""


def with_spares(work: Routed, plan: Plan, asked: BackendLike, allowed: Failing) -> tuple[Plan, tuple[Backend, ...]]:
    """The plan of a workload with the backends at which it may go on, and these.

    Args:
        work: The workload.
        plan: Of it, for the backend that was asked for.
        asked: That backend, or "auto".
        allowed: True for the simulators of this machine among which "auto" chooses: those whose values are of the same
            kind. Names also allow what costs money, or sends data elsewhere, as far as policy and budget do.

    Returns:
        The plan, in which each spare is a way behind the chosen one, and the spares, in order.

    Raises:
        Refused: if a backend that is named cannot do the work, or its values are of another kind; or if there is none.
    """
    if allowed is False:
        return plan, ()
    first = plan.chosen
    if allowed is True:
        auto = isinstance(asked, str) and asked == "auto"
        others = plan.ways[1:] if auto else rank(work, candidates("auto")).ways
        ways = [way for way in others if not _same(way.backend, first.backend)]
        reasons = [why_not(first.backend, way.backend, work.shots) for way in ways]
        kept = [way for way, reason in zip(ways, reasons, strict=True) if not reason]
        if not kept:
            said = "; ".join(filter(None, reasons)) or "no other simulator here can do it"
            raise Refused(
                f"failover: there is nowhere to go on from {first.name}: {said}. Name places, or leave it out"
            )
    else:
        kept = [_named(work, first, name) for name in _names(allowed)]
    spares = [replace(way, reason=f"taken if {first.name} fails; {way.reason}") for way in kept]
    rest = [way for way in plan.ways[1:] if not any(_same(way.backend, spare.backend) for spare in spares)]
    return replace(plan, ways=(first, *spares, *rest)), tuple(way.backend for way in spares)


def spares_now(work: Routed, here: Backend, allowed: Failing) -> list[BackendSpec]:
    """Where a run that was begun already may go on, in order; nowhere, if none is left.

    Args:
        work: The workload.
        here: Where the run is.
        allowed: As for `with_spares`; the place where the run is may be among the names.

    Raises:
        Refused: for an unknown name, or one whose values are of another kind.
    """
    if allowed is False:
        return []
    if allowed is True:
        ways = rank(work, candidates("auto")).ways
        return [backend_spec(way.backend) for way in ways if not why_not(here, way.backend, work.shots)]
    spares = [backends.get(name) for name in _names(allowed)]
    for spare in spares:
        if reason := why_not(here, spare, work.shots):
            raise Refused(f"failover: the run cannot go on: {reason}")
    return [backend_spec(spare) for spare in spares]


def why_not(one: Backend, other: Backend, shots: int | None) -> str:
    """Why a run that was begun on one backend cannot go on at another; empty if it can.

    Values of both stand in one history and steer one descent, so they must be of one kind: with or without noise,
    statistical errors, truncation, and not in lower precision.

    Args:
        one: Where it was begun.
        other: Where it would go on.
        shots: Shots for each measured circuit; None for exact values, or a device's default.
    """
    a, b = one.capabilities(), other.capabilities()
    kinds = (
        ("noise", a.noise, b.noise),
        ("statistical errors", (shots or a.default_shots) is not None, (shots or b.default_shots) is not None),
        ("truncation", _truncates(a), _truncates(b)),
    )
    for what, before, after in kinds:
        if before != after:
            with_, without = (b.name, a.name) if after else (a.name, b.name)
            return f"values of {with_} have {what}, those of {without} have none"
    if (a.precision, b.precision) == ("double", "single"):
        return f"values of {b.name} are in single precision, those of {a.name} in double"
    return ""


def _truncates(can: Capabilities) -> bool:
    """Whether values are neither exact nor measured: what counts shots by default drops nothing."""
    return not (can.exact or can.noise or can.default_shots is not None)


def _names(allowed: Sequence[str]) -> Sequence[str]:
    if not isinstance(allowed, list | tuple) or not all(isinstance(name, str) for name in allowed):
        raise Refused(f"failover must be True, False or a list of names of backends, not {allowed!r}")
    if not allowed:
        raise Refused("failover: the list of backends is empty; name at least one, or leave it out")
    return allowed


def _named(work: Routed, first: Way, name: BackendLike) -> Way:
    way = rank(work, [name]).chosen
    if _same(way.backend, first.backend):
        raise Refused(f"failover: {name!r} is where the run begins; name others")
    if reason := why_not(first.backend, way.backend, work.shots):
        raise Refused(f"failover: a run on {first.name} cannot go on at {name!r}: {reason}")
    return way


def _same(one: Backend, other: Backend) -> bool:
    return one is other or backend_spec(one) == backend_spec(other)
