"""The lineage of runs in W3C's PROV-O, as JSON-LD (https://www.w3.org/TR/prov-o/)."""

from collections.abc import Sequence
from typing import Any

from hybrid.runs.crate.lineage import Edge, Kind, Node, lineage
from hybrid.runs.crate.told import Told

FILE = "provenance.jsonld"

CONTEXT = {
    "prov": "http://www.w3.org/ns/prov#",
    "dcterms": "http://purl.org/dc/terms/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "http://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "hybrid": "https://pypi.org/project/hybrid-codesign/#",
}

CLASSES: dict[Kind, str] = {"entity": "prov:Entity", "activity": "prov:Activity", "agent": "prov:Agent"}


def document(runs: Sequence[Told], agent: str = "") -> dict[str, Any]:
    """Entities, activities and agents of runs, as PROV-O calls them.

    Args:
        runs: All of them.
        agent: Identifier of the person or organization that ran them; empty where nobody says.
    """
    found = lineage(runs, agent)
    nodes = {node.id: _node(node) for node in found.nodes}
    for edge in found.edges:
        _add(nodes[edge.subject], edge)
    return {"@context": CONTEXT, "@graph": list(nodes.values())}


def _node(node: Node) -> dict[str, Any]:
    kinds = [CLASSES[node.kind], *([f"prov:{node.type}"] if node.type else [])]
    said: dict[str, Any] = {"@id": node.id, "@type": kinds if len(kinds) > 1 else kinds[0], "rdfs:label": node.label}
    if node.sha256:
        said["schema:sha256"] = node.sha256
    for key, moment in (("prov:startedAtTime", node.started), ("prov:endedAtTime", node.ended)):
        if moment:
            said[key] = {"@value": moment, "@type": "xsd:dateTime"}
    return said | {f"hybrid:{name}": value for name, value in node.facts.items()}


def _add(subject: dict[str, Any], edge: Edge) -> None:
    key = f"dcterms:{edge.relation}" if edge.relation == "isPartOf" else f"prov:{edge.relation}"
    subject.setdefault(key, []).append({"@id": edge.object})
    if edge.plan:
        how = {"@type": "prov:Association", "prov:agent": {"@id": edge.object}, "prov:hadPlan": {"@id": edge.plan}}
        subject.setdefault("prov:qualifiedAssociation", []).append(how)
