"""What stands in ro-crate-metadata.json: runs, their files, software, machine and people, in the words of RO-Crate."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from circuits.errors import Refused
from hybrid.runs import folder as folders
from hybrid.runs.crate import prov
from hybrid.runs.crate.lineage import software_id
from hybrid.runs.crate.told import BESIDE, INPUTS, OUTPUTS, Told
from hybrid.runs.files import digest_of, to_json

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}

UNLICENSED = "No license was given with this crate: its owner decides who may use it, and how."

WORKFLOW = "rerun.py"

SITES = "sites.json"
"""Where the points of a sweep were submitted to, and as which job."""

METADATA = "ro-crate-metadata.json"

TERMS = {"sha256": "http://schema.org/sha256", "usageInfo": "http://schema.org/usageInfo"}
"""Properties that the vocabulary of RO-Crate 1.1 does not have yet."""

PROGRAM = '''"""Repeat the runs of this crate with the toolkit that made them (hybrid-codesign on PyPI), and compare."""

import sys
from pathlib import Path

from hybrid.loop.rerun import rerun

for repeated in rerun(Path(__file__).parent, Path(sys.argv[1] if len(sys.argv) > 1 else "again")):
    print(repeated)
'''

BESIDE_RUNS = ("sweep.json", "survey.json", "surrogate.json", "verification.json", SITES)
"""Files of a sweep or an algorithm that go along with its runs."""

STAGES = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".npz": "application/octet-stream",
    ".qpy": "application/octet-stream",
    ".sqlite": "application/vnd.sqlite3",
}
"""Files of an algorithm that hold what was given to its stages, and what came out."""

KEPT_BACK = ("budget.sqlite", "registry.json", "decisions.jsonl", "imported.json")
"""Files that say something of this site alone."""


def rocrate() -> Any:
    """The package that writes crates: its ROCrate and its ComputerLanguage.

    Raises:
        Refused: if it is not installed.
    """
    try:
        from rocrate.model import computerlanguage
        from rocrate.rocrate import ROCrate
    except ImportError as err:
        raise Refused("a crate needs the package rocrate: pip install 'hybrid-codesign[crate]'") from err
    return SimpleNamespace(ROCrate=ROCrate, ComputerLanguage=computerlanguage.ComputerLanguage)


def is_beside(name: str, *, algorithm: bool) -> bool:
    """Whether a file goes along with the runs of its folder.

    Args:
        name: Of the file.
        algorithm: Whether the runs are stages of an algorithm, which has further files.
    """
    stage = algorithm and Path(name).suffix in STAGES and not name.startswith(".")
    return name not in KEPT_BACK and (name in BESIDE_RUNS or stage)


def identifier(kind: str, given: str) -> str:
    """The identifier of a person or a license that somebody has named.

    Args:
        kind: "Person" or "CreativeWork".
        given: An address, or a name or a sentence.

    Returns:
        The address, or a name that begins with #; empty if nobody has named any.
    """
    if given.startswith(("https://", "http://")) or not given:
        return given
    return f"#{kind.lower()}-{''.join(c if c.isalnum() else '-' for c in given)[:60]}"


def describe(crate: Any, name: str, runs: Sequence[Told], *, agent: str, terms: str, usage: str) -> None:
    """Say of a crate as a whole what it is, who made it, and how it may be used.

    Args:
        crate: To which this is added.
        name: Of the folder.
        runs: In it.
        agent: As for `hybrid.runs.crate.write.write`.
        terms: The same.
        usage: The same.
    """
    root: dict[str, Any] = {
        "name": f"{'Run' if runs[0].name == '' else 'Runs'} {name}",
        "description": "; ".join(f"{run.name or run.problem} on {run.backend}: {run.status}" for run in runs),
        "datePublished": _moment(max(run.ended for run in runs)),
        "conformsTo": [{"@id": url} for url in PROFILES],
    }
    for url, title in PROFILES.items():
        crate.add_jsonld({"@id": url, "@type": "CreativeWork", "name": title, "version": url.rpartition("/")[2]})
    who, licence = _given(crate, "Person", agent), _given(crate, "CreativeWork", terms)
    if who:
        root["author"] = {"@id": who}
    root["license"] = {"@id": licence} if licence else UNLICENSED
    if usage:
        crate.add_jsonld({"@id": "#usage", "@type": "CreativeWork", "name": "Terms of use", "text": usage})
        root["usageInfo"] = {"@id": "#usage"}
    if redacted := [f"{run.name or run.problem}: {run.redacted}" for run in runs if run.redacted]:
        root["description"] += f". {'; '.join(redacted)}"
    crate.root_dataset.properties().update(root)


def _given(crate: Any, kind: str, given: str) -> str:
    """Describe a person or a license that somebody has named; the identifier, empty if nobody has."""
    if not (found := identifier(kind, given)):
        return ""
    name = given if found != given else given.rstrip("/").rpartition("/")[2]
    crate.add_jsonld(
        {"@id": found, "@type": kind, "name": name} | ({"description": given} if kind == "CreativeWork" else {})
    )
    return found


def fill(crate: Any, folder: Path, runs: Sequence[Told], sites: Mapping[str, Any], made: Path) -> None:
    """Put the files of all runs into a crate, and say what made them.

    Args:
        crate: That says already who ran them.
        folder: In which the runs lie.
        runs: All of them.
        sites: As for `hybrid.runs.crate.write.write`.
        made: A folder for the files that are made for the crate.
    """
    who = (crate.root_dataset.get("author") or {}).get("@id", "")
    (made / WORKFLOW).write_text(PROGRAM)
    (made / prov.FILE).write_text(json.dumps(prov.document(runs, who), indent=1) + "\n")
    spoken = {"name": "Python", "url": "https://www.python.org/", "version": runs[0].provenance.get("python", "")}
    language = crate.add(rocrate().ComputerLanguage(crate, "https://www.python.org/", properties=spoken))
    workflow = crate.add_workflow(made / WORKFLOW, WORKFLOW, main=True, lang=language, properties={
        "name": "Repeat the runs of this crate",
        "description": "Starts each run anew from its spec, circuit and Hamiltonian, and compares what comes out.",
        "encodingFormat": "text/x-python",
        "sha256": digest_of(made / WORKFLOW),
        "url": "https://pypi.org/project/hybrid-codesign/",
        "version": runs[0].provenance.get("packages", {}).get("hybrid-codesign", "unknown"),
    })  # fmt: skip
    parameters = {name: _parameter(crate, name, what) for name, what in (INPUTS | OUTPUTS).items()}
    workflow["input"] = [parameters[name] for name in INPUTS]
    workflow["output"] = [parameters[name] for name in OUTPUTS]
    _file(crate, made / prov.FILE, prov.FILE, "The same provenance in W3C's PROV-O", "application/ld+json")
    if runs[0].name:
        algorithm = folders.is_algorithm(folder)
        for file in sorted(folder.iterdir()):
            if file.is_file() and is_beside(file.name, algorithm=algorithm) and not (sites and file.name == SITES):
                _file(crate, file, file.name, f"{file.name} of the folder", STAGES[file.suffix])
    if sites:
        (made / SITES).write_bytes(to_json(sites))
        _file(crate, made / SITES, SITES, "Where each run was submitted to, and as which job", "application/json")
    for run in runs:
        _add(crate, run, workflow, parameters, who, sites.get(run.name, {}))


def _parameter(crate: Any, name: str, what: tuple[str, str]) -> Any:
    return crate.add_formal_parameter(
        name, "File", f"#parameter-{name}", what[0], True, properties={"encodingFormat": what[1]}
    )


def _add(
    crate: Any, run: Told, workflow: Any, parameters: Mapping[str, Any], who: str, site: Mapping[str, Any]
) -> None:
    """A run: its files, and the action that made them."""
    inputs = [_file(crate, *one, parameters[one[0].name]) for one in run.files(INPUTS)]
    outputs = [_file(crate, *one, parameters[one[0].name]) for one in run.files(OUTPUTS)]
    for one in run.files(BESIDE):
        _file(crate, *one)
    for name in run.signatures:
        _file(crate, run.path / name, run.inside(name), "A signature of the head of the chain", "text/plain")
    software = _software(crate, run)
    workflow["softwareRequirements"] = software
    head = f"; head of its chain: {run.head}" if run.head else ""
    properties: dict[str, Any] = {
        "name": f"{run.problem} on {run.backend}",
        "description": f"{run.status}: {run.energy}{head}{_submitted(site)}",
        "startTime": _moment(run.begun),
        "endTime": _moment(run.ended),
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "location": _machine(crate, run),
    }
    if who:
        properties["agent"] = {"@id": who}
    action = crate.add_action(
        workflow,
        f"#run-{quote(run.name)}" if run.name else "#run",
        object=inputs,
        result=outputs,
        properties=properties,
    )
    crate.root_dataset.append_to("mentions", action)


def _submitted(site: Mapping[str, Any]) -> str:
    """Where a run was submitted to, for a sentence; empty if it was not."""
    if not site:
        return ""
    job = f", job {site['job']}" if site.get("job") else ""
    return f"; submitted to {site['site']} ({site['kind']}{job})"


def _moment(text: str) -> str:
    """ISO 8601 with the offset in digits, as the profiles want it."""
    return text.replace("Z", "+00:00")


def _file(crate: Any, path: Path, inside: str, what: str, kind: str, parameter: Any = None) -> Any:
    properties: dict[str, Any] = {
        "name": inside,
        "description": what,
        "encodingFormat": kind,
        "sha256": digest_of(path),
    }
    if parameter is not None:
        properties["exampleOfWork"] = {"@id": parameter.id}
    return crate.add_file(path, inside, properties=properties, record_size=True)


def _software(crate: Any, run: Told) -> Any:
    """The toolkit in its version, with the versions of what it stands on."""
    packages: Mapping[str, str] = run.provenance.get("packages", {})
    needs = [
        crate.add_jsonld(
            {
                "@id": f"https://pypi.org/project/{name}/{version}/",
                "@type": "SoftwareApplication",
                "name": name,
                "softwareVersion": version,
                "url": f"https://pypi.org/project/{name}/",
            }
        )
        for name, version in packages.items()
        if name != "hybrid-codesign" and crate.get(f"https://pypi.org/project/{name}/{version}/") is None
    ]
    found = software_id(run)
    if (known := crate.get(found)) is not None:
        return known
    return crate.add_jsonld(
        {
            "@id": found,
            "@type": "SoftwareApplication",
            "name": "hybrid-codesign",
            "softwareVersion": packages.get("hybrid-codesign", "unknown"),
            "url": "https://pypi.org/project/hybrid-codesign/",
            "softwareRequirements": [{"@id": one.id} for one in needs],
        }
    )


def _machine(crate: Any, run: Told) -> Any:
    """Where it ran, as far as the record says: the processor, no name of a host or a user."""
    found = run.provenance
    values = {"system": found.get("system"), "python": found.get("python"), "kernels": found.get("kernels")}
    values |= {"threads": run.threads, "processes": run.ranks}
    text = ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)
    name = str(found.get("machine", "a machine of which nothing is known"))
    place = f"#machine-{''.join(c if c.isalnum() else '-' for c in f'{name} {text}')[:80]}"
    known = crate.get(place)
    if known is not None:
        return known
    return crate.add_jsonld({"@id": place, "@type": "Place", "name": name, "description": text})
