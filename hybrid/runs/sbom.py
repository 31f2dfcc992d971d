"""The software bill of materials of an environment: every package, its version, licence and content, as CycloneDX 1.6.

A record keeps one line for each package and the digest of the whole document, which is made from these lines alone: so
the document of a run can be written, and compared with the digest, on another machine and years later.

References: CycloneDX 1.6 (ECMA-424); Package URL (ECMA-427); SPDX licence expressions; PEP 376 (RECORD), PEP 639.
"""

import hashlib
import json
import platform
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from functools import cache
from importlib.metadata import Distribution, distributions
from typing import Any
from urllib.parse import quote

from circuits.errors import Refused

ROOT = "hybrid-codesign"

UNKNOWN = "unknown"
"""Licence of a package that names none."""

NAMED = {
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "the mit license (mit)": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
}
"""Names that packages write, in small letters, for licences of which SPDX has an identifier; only unmistakable ones."""

CLASSIFIER = "License :: "

LONGEST = 60
"""Letters of a licence's name; more is its text."""

OF_THE_INSTALLER = tuple(
    f".dist-info/{name}"
    for name in ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")
)
"""Files beside a package's metadata that say how it came here, and not what it is."""


@dataclass(frozen=True)
class Component:
    """One installed package.

    Attributes:
        name: As it writes it.
        version: Its version.
        licence: An SPDX expression, or the name that the package writes, or "unknown".
        sha256: Of the sorted lines "PATH SHA-256" of its files, by its RECORD; empty where it has none, and for one
            that is installed for editing.
        is_expression: Whether the licence is an SPDX expression; else it is a name.
    """

    name: str
    version: str
    licence: str
    sha256: str = ""
    is_expression: bool = True

    @property
    def purl(self) -> str:
        """Its Package URL."""
        return f"pkg:pypi/{quote(self.name.lower().replace('_', '-'))}@{quote(self.version, safe='.')}"


@cache
def installed() -> tuple[Component, ...]:
    """The packages of this environment, by name; of two of one name the one that is imported."""
    found: dict[str, Component] = {}
    for distribution in distributions():
        component = _component(distribution)
        if component is not None:
            found.setdefault(_key(component.name), component)
    return tuple(found[key] for key in sorted(found))


def kept(components: Iterable[Component] | None = None) -> dict[str, Any]:
    """What a record keeps: "python", "sha256" of the document, and "packages", name to "VERSION SHA-256 LICENCE".

    Args:
        components: The packages; None for those that are installed.
    """
    these = tuple(installed() if components is None else components)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {
        "python": python,
        "sha256": hashlib.sha256(document(these, python).encode()).hexdigest(),
        "packages": {one.name: _line(one) for one in these},
    }


def without_packages(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of its making, with the digest of the bill of materials and without its hundreds of lines.

    Args:
        provenance: See `hybrid.runs.provenance`.
    """
    software = provenance.get("software")
    if not isinstance(software, Mapping):
        return dict(provenance)
    return {**provenance, "software": {key: value for key, value in software.items() if key != "packages"}}


def of_record(entry: Mapping[str, Any], where: str) -> str:
    """The document of a record, as it was when the record was made.

    Args:
        entry: What `kept` gave.
        where: Name of the record, for messages.

    Raises:
        Refused: if the entry is damaged, or its lines do not give the document whose digest it holds.
    """
    try:
        components = [_of_line(name, line) for name, line in entry["packages"].items()]
        text, digest = document(components, entry["python"]), entry["sha256"]
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        raise Refused(f"{where}: its list of packages is damaged") from err
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise Refused(
            f"{where}: its list of packages does not give the document with the digest {digest} that it names"
        )
    return text


def document(components: Iterable[Component], python: str) -> str:
    """The bill of materials: JSON, the same bytes for the same packages.

    Args:
        components: All packages.
        python: Implementation and version of the interpreter, such as "CPython 3.12.4".
    """
    packages = sorted(components, key=lambda one: _key(one.name))
    root = next((_entry(one) | {"type": "application"} for one in packages if one.name == ROOT), None)
    implementation, _, version = python.partition(" ")
    interpreter = {"type": "platform", "bom-ref": "python", "name": implementation, "version": version}
    content: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root} if root else {},
        "components": [interpreter, *(_entry(one) for one in packages if one.name != ROOT)],
    }
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    content["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}"
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _line(one: Component) -> str:
    """All of a component but its name; a licence that is no expression stands in quotation marks."""
    licence = one.licence if one.is_expression else f'"{one.licence}"'
    return f"{one.version} {one.sha256 or '-'} {licence}"


def _of_line(name: str, line: str) -> Component:
    version, sha256, licence = line.split(" ", 2)
    named = licence.startswith('"')
    return Component(name, version, licence[1:-1] if named else licence, sha256.removeprefix("-"), not named)


def _entry(one: Component) -> dict[str, Any]:
    licence = {"expression": one.licence} if one.is_expression else {"license": {"name": one.licence}}
    hashes = {"hashes": [{"alg": "SHA-256", "content": one.sha256}]} if one.sha256 else {}
    purl = one.purl
    return {
        "type": "library",
        "bom-ref": purl,
        "name": one.name,
        "version": one.version,
        "purl": purl,
        "licenses": [licence],
    } | hashes


def _component(distribution: Distribution) -> Component | None:
    """One package; None for a folder that was left by one and says nothing of it."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    headers = HeaderParser().parsestr(text.partition("\n\n")[0])  # a description behind it may be long
    name, version = headers["Name"], headers["Version"]
    if not name or not version:
        return None
    licence = licence_of(headers)
    is_expression = bool(_expression(licence))
    return Component(str(name).strip(), str(version).strip(), licence, _content(distribution), is_expression)


def licence_of(headers: Message) -> str:
    """The licence that a package's metadata name: an SPDX expression where they give one, or a name, or "unknown".

    Args:
        headers: Of its METADATA.
    """
    if written := _expression(str(headers.get("License-Expression", ""))):
        return written
    first = str(headers.get("License", "")).strip().partition("\n")[0].strip()
    known = _known(first)
    if _expression(known):
        return known
    classifiers = [str(one) for one in headers.get_all("Classifier", []) if str(one).startswith(CLASSIFIER)]
    names = sorted({one.rpartition(" :: ")[2] for one in classifiers})
    if len(names) == 1 and _expression(_known(names[0])):
        return _known(names[0])
    if names:
        return "; ".join(names)
    return known if known and known.lower() != UNKNOWN and len(known) <= LONGEST else UNKNOWN


def _known(name: str) -> str:
    return NAMED.get(name.lower(), name)


@cache
def _expression(text: str) -> str:
    """The text as an SPDX expression in its usual form; empty if it is none."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(text)) if text and len(text) <= 10 * LONGEST else ""
    except InvalidLicenseExpression:
        return ""


def _content(distribution: Distribution) -> str:
    if '"editable"' in (distribution.read_text("direct_url.json") or ""):
        return ""
    lines = []
    for line in (distribution.read_text("RECORD") or "").splitlines():
        file, _, rest = line.rpartition(",sha256=")
        elsewhere = file.startswith(("/", '"/')) or "../" in file
        if rest and not elsewhere and not file.endswith((".pyc", *OF_THE_INSTALLER)):
            lines.append(f"{file} {rest.partition(',')[0]}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest() if lines else ""


def _key(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
