"""The software bill of materials: valid by the official schema, the same bytes each time, and kept with each run."""

import hashlib
import json
from email.message import Message
from importlib.metadata import version

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.runs import sbom
from hybrid.runs.sbom import Component, document, kept, licence_of, of_record

PYTHON = "CPython 3.12.4"


def valid(text):
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_the_document_of_this_environment_is_valid_and_complete():
    text = of_record(kept(), "here")
    assert valid(text)
    found = {one["name"]: one for one in json.loads(text)["components"]}
    for name in ("numpy", "qiskit", "jax", "scipy"):
        assert found[name]["version"] == version(name)
        assert found[name]["purl"] == str(PackageURL("pypi", name=name, version=version(name)))
        assert len(found[name]["hashes"][0]["content"]) == 64
    assert found["numpy"]["licenses"][0]["expression"].startswith("BSD-3-Clause")
    assert json.loads(text)["metadata"]["component"]["name"] == "hybrid-codesign"


def test_the_validator_refuses_what_is_no_such_document():
    assert not valid(of_record(kept(), "here").replace('"SHA-256"', '"SHA-255"'))


def test_the_same_packages_give_the_same_bytes_in_any_order_and_others_give_others(monkeypatch):
    some = [Component("b", "1", "MIT"), Component("A_c", "2+local", "unknown", "0" * 64, False)]
    text = document(some, PYTHON)
    assert document(some[::-1], PYTHON) == text
    assert valid(text)
    serials = {json.loads(document(one, PYTHON))["serialNumber"] for one in (some, some[:1], [])}
    assert len(serials) == 3
    sbom.installed.cache_clear()
    first = kept()
    sbom.installed.cache_clear()
    assert kept() == first
    entries = {one["name"]: one for one in json.loads(text)["components"]}
    assert entries["A_c"]["purl"] == "pkg:pypi/a-c@2%2Blocal"
    assert entries["A_c"]["licenses"] == [{"license": {"name": "unknown"}}]
    assert "hashes" not in entries["b"]


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ([("License-Expression", "apache-2.0 or mit")], "Apache-2.0 OR MIT"),
        ([("License", "MIT")], "MIT"),
        ([("License", "BSD 3-Clause License\n        \n        Copyright")], "BSD-3-Clause"),
        ([("License", "Apache License, Version 2.0")], "Apache-2.0"),
        ([("License", "UNKNOWN"), ("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
        ([("Classifier", "License :: OSI Approved :: BSD License")], "BSD License"),
        (
            [("Classifier", "License :: Public Domain"), ("Classifier", "License :: OSI Approved :: MIT License")],
            "MIT License; Public Domain",
        ),
        ([("License", "Our own terms")], "Our own terms"),
        ([("License", "UNKNOWN")], "unknown"),
        ([("License", "x" * 200)], "unknown"),
        ([], "unknown"),
    ],
)
def test_licences_are_expressions_where_the_metadata_give_one_and_never_guessed(headers, licence):
    metadata = Message()
    for name, value in headers:
        metadata[name] = value
    assert licence_of(metadata) == licence


def test_a_run_keeps_its_packages_and_the_document_can_be_printed_elsewhere(cli, tmp_path, monkeypatch):
    run = hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), max_steps=1, folder=tmp_path / "run")
    software = json.loads((run.folder / "spec.json").read_text())["provenance"]["software"]
    assert software["packages"]["numpy"].startswith(version("numpy"))
    monkeypatch.setattr(sbom, "distributions", lambda: ())  # as on a machine with other packages
    sbom.installed.cache_clear()
    code, out, _ = cli("sbom", "run")
    assert code == 0
    assert valid(out)
    assert hashlib.sha256(out.encode()).hexdigest() == software["sha256"]
    code, bare, _ = cli("sbom")
    assert code == 0
    assert [one["name"] for one in json.loads(bare)["components"]] == ["CPython"]
    sbom.installed.cache_clear()
    cli("export", "run", "--format", "json")
    (exported,) = json.loads((run.folder / "export.json").read_text())["runs"]
    assert "packages" not in exported["summary"]["provenance"]["software"]
    spec = json.loads((run.folder / "spec.json").read_text())
    del spec["provenance"]["software"]
    (run.folder / "spec.json").write_text(json.dumps(spec))
    code, _, err = cli("sbom", "run")
    assert (code, "before records kept" in " ".join(err.split())) == (2, True)
    (tmp_path / "empty").mkdir()
    assert cli("sbom", "empty")[0] == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry["packages"].update(numpy="1.0 - MIT"),
        lambda entry: entry["packages"].update(numpy="1.0"),
        lambda entry: entry["packages"].update(numpy=3),
        lambda entry: entry.pop("python"),
        lambda entry: entry.update(packages=[]),
    ],
)
def test_a_list_that_was_changed_is_refused(change):
    entry = json.loads(json.dumps(kept()))
    change(entry)
    with pytest.raises(Refused, match=r"run\.json: its list of packages"):
        of_record(entry, "run.json")
