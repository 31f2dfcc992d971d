"""The command about the policies in force: what they say, and what they say of a study."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from circuits.errors import Refused, unknown
from hybrid.cli.arguments import Json

ASKED = ("show", "check")


def policy(
    what: Annotated[str, typer.Argument(metavar="show|check", help="The rules, or a study.", show_default=False)],
    file: Annotated[
        Path | None, typer.Argument(metavar="STUDY.toml", help="The study to check.", show_default=False)
    ] = None,
    backend: Annotated[str | None, typer.Option(metavar="NAME", help="Instead of the study's backend.")] = None,
    site: Annotated[str | None, typer.Option(metavar="NAME", help="A site that it would be submitted to.")] = None,
    as_json: Json = False,
) -> None:
    """Show the policies in force, or check whether a study may run where it asks to, and what would be needed.

    Args:
        what: "show" or "check".
        file: The study, to check.
        backend: Name of a backend to use instead of the study's.
        site: Name of a site in the site file.
        as_json: Whether to print JSON: "files" of the policies, or "allowed" and "decisions".

    Raises:
        Refused: for another word, or a study that is wrong.
        PolicyViolation: if the study may not run so, or a policy file cannot be understood.
    """
    if what not in ASKED:
        raise unknown("word", what, ASKED)
    if what == "show":
        if file is not None:
            raise Refused(f"hybrid policy show takes no study; to ask about {file}: hybrid policy check {file}")
        _show(as_json=as_json)
    elif file is None:
        raise Refused("hybrid policy check needs a study: hybrid policy check STUDY.toml")
    else:
        _check(file, backend, site, as_json=as_json)


def _show(*, as_json: bool) -> None:
    from hybrid.routing import policy as policies
    from hybrid.terminal.console import console

    found = [policies.read(file) for file in policies.files()]
    if as_json:
        content = [
            {
                "file": str(one.file),
                "sha256": one.sha256,
                "persons": one.persons,
                "approvals": [_rule(where, rule) for where, rule in one.approvals],
                "refusals": [_rule(where, rule) for where, rule in one.refusals],
                "export": one.export.model_dump(mode="json"),
            }
            for one in found
        ]
        print(json.dumps({"files": content}))
        return
    out = console()

    def put(line: str) -> None:
        out.print(line, highlight=False, soft_wrap=True, markup=False)

    if not found:
        put(f"there is no policy file; it would be {policies.path()}")
        put("open data may go to every vendor, all data to every site; internal and restricted data to no vendor")
    for one in found:
        put(f"{one.file} (SHA-256 {one.sha256})")
        for where, rule in (*one.refusals, *one.approvals):
            put(
                f"  {where}: " + "; ".join(f"{key} {_text(value)}" for key, value in _rule(where, rule)["rule"].items())
            )
        if not one.approvals:
            put("  no approval: nothing leaves this machine")
        several = [f"{label} {number}" for label, number in one.persons.items() if number > 1]
        put(f"  different persons who must approve before data go to a vendor: {', '.join(several)}")
        for key, value in one.export.model_dump(mode="json", exclude_defaults=True).items():
            put(f"  in what is exported: {key} {_text(value)}")
    if len(found) > 1:
        put("both must allow it")


def _rule(where: Any, rule: Any) -> dict[str, Any]:
    said = rule.model_dump(mode="json", exclude_defaults=True)
    return {"number": where.number, "line": where.line, "rule": said}


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _check(file: Path, backend: str | None, site: str | None, *, as_json: bool) -> None:
    from hybrid.routing.policy import refusal
    from hybrid.sites.file import site as known_site
    from hybrid.studies.permission import permissions
    from hybrid.studies.study import read
    from hybrid.terminal.console import console

    if site is not None:
        known_site(site)
    found = permissions(read(file, backend=backend), site)
    refused = [one for one in found if not one.decision.allowed]
    if as_json:
        entries = [
            {"label": one.label, "kind": one.kind, "place": one.place}
            | asdict(one.decision)
            | {"policies": [{"file": name, "sha256": sha256} for name, sha256 in one.decision.policies]}
            for one in found
        ]
        print(json.dumps({"allowed": not refused, "decisions": entries}))
    else:
        out = console()
        for one in found:
            word = "allowed" if one.decision.allowed else "refused"
            lines = [
                f"{word}: {one.label} data, {one.kind or 'here'} {one.place}",
                f"  why: {one.decision.why}",
                *([f"  rule: {one.decision.rule}"] if one.decision.rule else []),
                *(f"  approved by {line}" for line in one.decision.approvals),
                *([f"  needed: {one.decision.needed}"] if one.decision.needed else []),
                *(f"  policy: {name}, SHA-256 {sha256}" for name, sha256 in one.decision.policies),
            ]
            for line in lines:
                out.print(line, highlight=False, soft_wrap=True, markup=False)
    if refused:
        first = refused[0]
        assert first.kind is not None
        raise refusal(first.label, first.place, first.kind, first.decision)
