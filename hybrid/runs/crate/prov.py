"""The provenance of runs in W3C's PROV-O, as JSON-LD."""

import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from hybrid.runs.crate.told import INPUTS, MOMENT, OUTPUTS, Told
from hybrid.runs.files import digest_of
from hybrid.runs.jobs import JobRow

FILE = "provenance.jsonld"

CONTEXT = {
    "prov": "http://www.w3.org/ns/prov#",
    "dcterms": "http://purl.org/dc/terms/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "http://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def document(runs: Sequence[Told], agent: str = "") -> dict[str, Any]:
    """Entities, activities and agents of runs, as PROV-O calls them.

    Args:
        runs: All of them.
        agent: Identifier of the person or organization that ran them; empty where nobody says.
    """
    graph: list[dict[str, Any]] = []
    for run in runs:
        graph += _of_run(run, agent)
    return {"@context": CONTEXT, "@graph": list({node["@id"]: node for node in graph}.values())}


def _of_run(run: Told, agent: str) -> Iterator[dict[str, Any]]:
    activity, software = f"#run-{quote(run.name)}" if run.name else "#run", software_id(run)
    who = [{"@id": software}, *([{"@id": agent}] if agent else [])]
    yield {"@id": software, "@type": ["prov:Agent", "prov:SoftwareAgent"], "rdfs:label": software.removeprefix("#")}
    if agent:
        yield {"@id": agent, "@type": "prov:Agent"}
    inputs = [quote(inside) for _, inside, _, _ in run.files(INPUTS)]
    for path, inside, what, _ in run.files(INPUTS):
        yield _entity(quote(inside), what, digest_of(path))
    for path, inside, what, _ in run.files(OUTPUTS):
        made = {"prov:wasGeneratedBy": {"@id": activity}, "prov:wasDerivedFrom": [{"@id": name} for name in inputs]}
        yield _entity(quote(inside), what, digest_of(path)) | made
    yield {
        "@id": activity,
        "@type": "prov:Activity",
        "rdfs:label": f"{run.problem} on {run.backend}: {run.status}",
        "prov:startedAtTime": _moment(run.begun),
        "prov:endedAtTime": _moment(run.ended),
        "prov:used": [{"@id": name} for name in inputs],
        "prov:wasAssociatedWith": who,
    }
    for row in run.jobs:
        yield from _of_job(run, row, activity)


def _of_job(run: Told, row: JobRow, activity: str) -> Iterator[dict[str, Any]]:
    device = f"#device-{quote(row.hardware)}"
    yield {"@id": device, "@type": "prov:Agent", "rdfs:label": row.hardware}
    what = f"job {row.id or 'without an id'} of {row.circuits} circuits, {row.shots} shots each: {row.status}"
    node: dict[str, Any] = {
        "@id": f"{activity}-job-{quote(str(row.place))}-{row.attempt}",
        "@type": "prov:Activity",
        "rdfs:label": what,
        "dcterms:isPartOf": {"@id": activity},
        "prov:wasAssociatedWith": {"@id": device},
    }
    if row.sent_at is not None:
        node["prov:startedAtTime"] = _moment(time.strftime(MOMENT, time.gmtime(row.sent_at)))
    if row.measured is not None:
        node["prov:generated"] = {"@id": quote(run.inside("journal.sqlite"))}
    yield node


def software_id(run: Told) -> str:
    """The identifier of the toolkit in the version that made a run."""
    return f"#hybrid-codesign-{run.provenance.get('packages', {}).get('hybrid-codesign', 'of-unknown-version')}"


def _entity(inside: str, what: str, digest: str) -> dict[str, Any]:
    return {"@id": inside, "@type": "prov:Entity", "rdfs:label": what, "schema:sha256": digest}


def _moment(text: str) -> dict[str, str]:
    return {"@value": text, "@type": "xsd:dateTime"}
