"""The lineage of runs in PROV-JSON (https://www.w3.org/submissions/prov-json/), which many programs read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hybrid.runs.crate.describe import identifier
from hybrid.runs.crate.lineage import Edge, Kind, Node, Relation, lineage
from hybrid.runs.crate.prov import CONTEXT
from hybrid.runs.crate.told import Told
from hybrid.runs.crate.write import UNRESTRICTED, check_labels, runs_in
from hybrid.runs.export import check_new
from hybrid.runs.files import to_json, write

ROLES: dict[Relation, tuple[str, str]] = {
    "used": ("activity", "entity"),
    "wasGeneratedBy": ("entity", "activity"),
    "wasDerivedFrom": ("generatedEntity", "usedEntity"),
    "wasAssociatedWith": ("activity", "agent"),
    "actedOnBehalfOf": ("delegate", "responsible"),
}
"""What subject and object of each relation are called."""

KINDS: tuple[Kind, ...] = ("entity", "activity", "agent")


def export_prov(
    folder: Path,
    output: Path,
    *,
    agent: str = "",
    labels: Sequence[str] = UNRESTRICTED,
    overwrite: bool = False,
) -> Path:
    """Write the lineage of a run, or of all runs of a sweep or an algorithm, as PROV-JSON.

    Args:
        folder: Of the run, the sweep or the algorithm.
        output: The file.
        agent: Who ran it: an address, or a name; empty to say nothing.
        labels: Of the data that may be handed on, as a policy allows.
        overwrite: Whether to replace a file that is there already.

    Returns:
        The output.

    Raises:
        Refused: if there is no run, one has not ended or was changed since, or the file is there already.
        PolicyViolation: for data with another label.
        RecordFailed: if the file cannot be written.
    """
    check_new(output, overwrite=overwrite)
    runs = runs_in(folder)
    check_labels(runs, labels)
    write(output, to_json(document(runs, identifier("Person", agent))))
    return output


def document(runs: Sequence[Told], agent: str = "") -> dict[str, Any]:
    """The lineage of runs as PROV-JSON.

    Args:
        runs: All of them.
        agent: Identifier of the person or organization that ran them; empty where nobody says.
    """
    found = lineage(runs, agent)
    where = agent.rpartition("/")[0] + "/" if "://" in agent else ""
    prefixes = {name: address for name, address in CONTEXT.items() if name not in ("prov", "xsd", "rdfs")}
    content: dict[str, Any] = {"prefix": prefixes | {"run": "urn:hybrid-run:"} | ({"who": where} if where else {})}
    for kind in KINDS:
        content[kind] = {_name(node.id, where): _attributes(node) for node in found.nodes if node.kind == kind}
    for number, edge in enumerate(found.edges):
        if edge.relation in ROLES:
            content.setdefault(edge.relation, {})[f"_:{edge.relation}{number}"] = _roles(edge, where)
        else:
            part = content["activity"][_name(edge.subject, where)]
            part["dcterms:isPartOf"] = {"$": _name(edge.object, where), "type": "prov:QUALIFIED_NAME"}
    return content


def _attributes(node: Node) -> dict[str, Any]:
    said: dict[str, Any] = {"prov:label": node.label}
    if node.type:
        said["prov:type"] = {"$": f"prov:{node.type}", "type": "prov:QUALIFIED_NAME"}
    if node.sha256:
        said["schema:sha256"] = node.sha256
    for key, moment in (("prov:startTime", node.started), ("prov:endTime", node.ended)):
        if moment:
            said[key] = moment
    return said | {f"hybrid:{name}": value for name, value in node.facts.items()}


def _roles(edge: Edge, where: str) -> dict[str, str]:
    subject, object_ = ROLES[edge.relation]
    plan = {"prov:plan": _name(edge.plan, where)} if edge.plan else {}
    return {f"prov:{subject}": _name(edge.subject, where), f"prov:{object_}": _name(edge.object, where)} | plan


def _name(identifier: str, where: str) -> str:
    """A qualified name for what has an identifier in the crate."""
    if where and identifier.startswith(where):
        return f"who:{identifier.removeprefix(where)}"
    return f"run:{identifier.removeprefix('#')}"
