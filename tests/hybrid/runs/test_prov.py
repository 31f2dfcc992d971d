"""The lineage of runs as PROV-JSON, read back by the package prov, and as PROV-O in the crate."""

import json
import zipfile

import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import PolicyViolation, Refused
from hybrid.runs.crate.prov_json import export_prov
from hybrid.runs.crate.write import write
from hybrid.runs.files import digest_of

model = pytest.importorskip("prov.model")

ANNA = "https://orcid.org/0000-0002-1825-0097"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    circuit = hardware_efficient(2, layers=1)
    hybrid.minimize(circuit, tfim(2), backend="reference", folder=home / "first", exact=False)
    options = {"shots": 50, "optimizer": "spsa", "accuracy": 0.5, "max_steps": 3, "exact": False}
    start = f"run:{home / 'first'}"
    for seed in (1, 2):
        place = home / "sweep" / f"seed={seed}"
        hybrid.minimize(circuit, tfim(2), backend="ibm:fake_manila", seed=seed, theta=start, folder=place, **options)
    return home


def read_back(path):
    return model.ProvDocument.deserialize(str(path))


def records(document, kind):
    return {str(one.identifier): one for one in document.get_records(kind)}


def pairs(document, kind):
    """Both ends of each relation of a kind."""
    return {tuple(str(value) for _, value in one.formal_attributes[:2]) for one in document.get_records(kind)}


def test_the_package_reads_back_what_bound_the_result_to_all_that_it_came_from(home, tmp_path):
    run = home / "sweep" / "seed=1"
    document = read_back(export_prov(run, tmp_path / "run.json", agent=ANNA))
    entities, spec = records(document, model.ProvEntity), json.loads((run / "spec.json").read_text())
    first = digest_of(home / "first" / "result.json")
    calibration = spec["provenance"]["calibration"]
    names = {
        "run:spec.json", "run:circuit.qpy", "run:hamiltonian.json", "run:journal.sqlite", "run:result.json",
        "run:plan", "run:start", f"run:result-{first[:16]}",
    }  # fmt: skip
    assert names < set(entities)
    (device,) = set(entities) - names
    assert calibration["device"].replace(":", "%3A") in device
    derived = pairs(document, model.ProvDerivation)
    for source in (
        "run:spec.json",
        "run:circuit.qpy",
        "run:hamiltonian.json",
        "run:journal.sqlite",
        "run:start",
        device,
    ):
        assert ("run:result.json", source) in derived
    assert ("run:start", f"run:result-{first[:16]}") in derived
    assert pairs(document, model.ProvDelegation) == {(f"run:{_software(spec)}", "who:0000-0002-1825-0097")}
    assert ("run:run", "who:0000-0002-1825-0097") in pairs(document, model.ProvAssociation)
    plans = [
        str(value) for one in document.get_records(model.ProvAssociation) for _, value in one.formal_attributes[2:]
    ]
    assert "run:plan" in plans


def _software(spec):
    return f"hybrid-codesign-{spec['provenance']['packages']['hybrid-codesign']}"


def test_digests_numbers_and_times_survive(home, tmp_path):
    run = home / "sweep" / "seed=1"
    document = read_back(export_prov(run, tmp_path / "run.json"))
    result, entities = hybrid.load(run), records(document, model.ProvEntity)
    for name in ("spec.json", "journal.sqlite", "result.json"):
        said = {str(key): value for key, value in entities[f"run:{name}"].attributes}
        assert said["schema:sha256"] == digest_of(run / name)
    said = {str(key): value for key, value in entities["run:journal.sqlite"].attributes}
    assert said["hybrid:rows"] == len(result.history) == result.evaluations
    (activity,) = records(document, model.ProvActivity).values()
    created = json.loads((run / "spec.json").read_text())["provenance"]["created_utc"]
    assert activity.get_startTime().strftime("%Y-%m-%dT%H:%M:%SZ") == created
    assert activity.get_endTime() >= activity.get_startTime()


def test_a_sweep_is_one_document_and_writing_it_again_says_the_same(home, tmp_path):
    document = read_back(export_prov(home / "sweep", tmp_path / "sweep.json", agent="Anna"))
    assert set(records(document, model.ProvActivity)) == {"run:run-seed%3D1", "run:run-seed%3D2"}
    (tmp_path / "again.json").write_text(document.serialize())
    assert read_back(tmp_path / "again.json") == document
    assert "run:person-Anna" in records(document, model.ProvAgent)


def test_prov_o_in_the_crate_says_the_same(home, tmp_path):
    document = read_back(export_prov(home / "sweep", tmp_path / "sweep.json", agent=ANNA))
    with zipfile.ZipFile(write(home / "sweep", tmp_path / "sweep.zip", agent=ANNA)) as file:
        nodes = json.loads(file.read("provenance.jsonld"))["@graph"]
    derived = {
        (node["@id"].lstrip("#"), one["@id"].lstrip("#"))
        for node in nodes
        for one in node.get("prov:wasDerivedFrom", ())
    }
    assert {(f"run:{a}", f"run:{b}") for a, b in derived} == pairs(document, model.ProvDerivation)
    assert len(derived) > 20


def test_nothing_is_overwritten_and_restricted_data_stay(home, tmp_path, cli):
    (tmp_path / "there.json").write_text("{}")
    with pytest.raises(Refused, match="is there already"):
        export_prov(home / "first", tmp_path / "there.json")
    with pytest.raises(PolicyViolation, match="labelled 'open' are not handed on"):
        export_prov(home / "first", tmp_path / "new.json", labels=("internal",))
    code, out, err = cli("export", home / "first", "--format", "prov", "--agent", "Anna", "--json")
    assert code == 0, err
    assert read_back(json.loads(out)["path"]).get_records()
