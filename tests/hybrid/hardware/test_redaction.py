"""Records without the words that say where and by whom they were made: gone to the last byte, and still checked."""

import dataclasses
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import zipfile
from pathlib import Path

import filed
import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.runs import journal, redaction
from hybrid.runs.account import account
from hybrid.runs.agreement import agreement
from hybrid.runs.crate.take_in import take_in
from hybrid.runs.crate.words import KINDS, Words
from hybrid.runs.crate.write import write
from hybrid.runs.evidence import examine
from hybrid.verification.checks import chain as check_chain
from hybrid.verification.checks import record as check_record
from hybrid.verification.checks import replay as check_replay
from hybrid.verification.checks import signature as check_signature
from hybrid.verification.claim import claim

pytest.importorskip("rocrate.rocrate")

ALL = Words(frozenset(KINDS), {"anna": "user", "login07": "host", "lab-cluster": "site", "falke": "word"})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A run that sent jobs, went on elsewhere after a failure, and began where another run of anna's had ended."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        circuit, problem = hardware_efficient(2, layers=1), tfim(2)
        first = home / "anna" / "first"
        hybrid.minimize(circuit, problem, backend="reference", folder=first, exact=False)
        vendor, other = filed.Vendor(Path("vendor")), filed.Vendor(Path("other"))
        vendor.plan(fate=[""] * 17 + ["fail"])
        assert other.folder
        hybrid.minimize(
            circuit,
            dataclasses.replace(problem, name="chain of anna, falke on login07"),
            backend="filed:vendor",
            failover=["filed:other"],
            theta=f"run:{first}",
            optimizer="spsa",
            shots=100,
            accuracy=0.1,
            max_steps=2,
            folder=home / "run",
        )
    return home


@pytest.fixture(scope="module")
def crate(home):
    return write(home / "run", home / "run.crate.zip", redact=ALL)


@pytest.fixture
def ours(crate, tmp_path):
    """The redacted run, as another site takes it in."""
    return take_in(crate, tmp_path / "ours").folder


def everything(crate):
    with zipfile.ZipFile(crate) as file:
        return b"\n".join(file.read(name) for name in file.namelist())


def test_no_word_is_left_in_any_byte_of_the_crate(home, crate):
    rows = journal.read(home / "run" / "journal.sqlite").jobs
    ids, tags = ({getattr(row, name) for row in rows} - {None, ""} for name in ("id", "tag"))
    plain = everything(write(home / "run", home / "plain.zip"))
    content = everything(crate)
    assert len(rows) > 10
    for word in {"anna", "falke", "login07", str(home), *tags}:
        assert word.encode() in plain, word
        assert word.encode() not in content, word
    for word in ids:  # the lineage names jobs by their places, as in #run-job-3.0-0
        assert word.encode() in plain, word
        assert not re.search(rb"(?<![\w-])" + re.escape(word.encode()) + rb"(?![\w.-])", content), word


def test_the_crate_says_what_was_withheld_and_only_its_owner_can_tell_the_words(home, crate, ours):
    said = json.loads((ours / "redaction.json").read_text())
    kept = json.loads((home / "run.crate.zip.withheld.json").read_text())["withheld"]
    assert (home / "run.crate.zip.withheld.json").stat().st_mode & 0o777 == 0o600
    listed = {one["number"]: one for one in said["withheld"]}
    for one in kept:
        digest = hashlib.sha256(f"{one['salt']} {one['word']}".encode()).hexdigest()
        assert digest == listed[one["number"]]["sha256"]
        assert hashlib.sha256(one["word"].encode()).hexdigest() not in everything(crate).decode("latin-1")
    kinds = {one["kind"]: one["word"] for one in kept}
    assert set(kinds) == {"user", "host", "path", "job", "price", "word"}
    assert "spec.json/problem/name" in next(one["places"] for one in said["withheld"] if one["kind"] == "host")
    with zipfile.ZipFile(crate) as file:
        root = next(n for n in json.loads(file.read("ro-crate-metadata.json"))["@graph"] if n["@id"] == "./")
    assert "redacted: 1 host, " in root["description"]


def test_verify_names_the_redaction_and_checks_the_rest(home, ours):
    claimed = claim(ours, None, None, None)
    assert examine(ours).head == examine(home / "run").head
    assert check_record(claimed).outcome == "passed"
    found = check_chain(claimed)
    assert found.outcome == "passed"
    assert "redacted: 1 host, " in found.text
    assert "in failover rows, job rows, result.json, spec.json" in found.text
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)  # the devices are folders
        assert check_replay(claimed).outcome == "passed"


def test_values_are_kept_and_prices_are_unknown_rather_than_nothing(home, ours):
    found = agreement(home / "run", ours, names=("theirs", "ours"))
    assert found is not None
    assert found.verdict == "same bits"
    mine, yours = account(home / "run"), account(ours)
    assert (mine.charge.priced, mine.charge.usd > 0) == (True, True)
    assert (yours.charge.priced, yours.charge.usd) == (False, 0.0)
    assert [row.measured for row in yours.content.jobs] == [row.measured for row in mine.content.jobs]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE evaluation SET seconds = 1 WHERE number = 2", "evaluation, row 2: changed"),
        ("UPDATE job SET shots = 7 WHERE evaluation = 3", "job, row 3.0 (attempt 0): changed"),
        ("UPDATE job SET tag = 'another' WHERE evaluation = 3", "job, row 3.0 (attempt 0): changed"),
        ("DELETE FROM failover", "failover, row 1: missing"),
    ],
)
def test_what_is_changed_after_the_redaction_is_found(change, named, ours):
    with sqlite3.connect(ours / "journal.sqlite") as database:
        assert database.execute(change).rowcount > 0
    assert any(named in fault for fault in examine(ours).faults), examine(ours).faults


@pytest.mark.parametrize("name", ["spec.json", "result.json", "circuit.qpy"])
def test_files_that_are_changed_after_the_redaction_are_found(name, ours):
    (ours / name).write_bytes((ours / name).read_bytes() + b"\n")
    assert f"{name}: changed" in examine(ours).faults


def test_a_redaction_that_covers_values_is_not_believed(ours):
    said = json.loads((ours / "redaction.json").read_text())
    row = {"kind": "evaluation", "key": "2", "was": "0" * 64, "now": "1" * 64}
    for entry in (row, row | {"kind": "file", "key": "hamiltonian.json"}):
        (ours / "redaction.json").write_text(json.dumps(said | {"exchanged": [*said["exchanged"], entry]}))
        with pytest.raises(Refused, match="of which nothing is ever withheld"):
            redaction.read(ours)
        assert examine(ours).faults


def test_prices_are_kept_unless_somebody_asks(home, tmp_path):
    write(home / "run", tmp_path / "run.zip", redact=Words(known=ALL.known))
    ours = take_in(tmp_path / "run.zip", tmp_path / "ours").folder
    assert account(ours).charge == account(home / "run").charge


def test_what_cannot_be_redacted_is_refused(home, crate, ours, tmp_path):
    with pytest.raises(Refused, match="was redacted before"):
        write(ours, tmp_path / "again.zip", redact=ALL)
    with pytest.raises(Refused, match=r"circuit.qpy of the run holds the word 'QISKIT', which cannot be withheld"):
        write(home / "run", tmp_path / "no.zip", redact=Words(frozenset({"word"}), {"QISKIT": "word"}))
    assert not list(tmp_path.glob("no.zip*"))
    (tmp_path / "other.zip.withheld.json").write_text("{}")
    with pytest.raises(Refused, match=r"withheld\.json is there already"):
        write(home / "run", tmp_path / "other.zip", redact=ALL)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
def test_what_is_left_can_be_signed_and_a_signature_from_before_does_not_stand_for_it(home, tmp_path):
    from hybrid.runs.signature import sign

    key, run = tmp_path / "key", Path(shutil.copytree(home / "run", tmp_path / "run"))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    words = key.with_suffix(".pub").read_text().split()[:2]
    signers = tmp_path / "signers"
    signers.write_text(f'anna@example.org namespaces="hybrid-run" {" ".join(words)}\n')
    sign(run, key)
    before = take_in(write(run, tmp_path / "before.zip", redact=ALL), tmp_path / "before").folder
    found = check_signature(claim(before, None, None, signers))
    assert (found.outcome, "before words were withheld" in found.text) == ("unchecked", True)
    after = take_in(write(run, tmp_path / "after.zip", redact=ALL, key=key), tmp_path / "after", signers=signers).folder
    assert check_signature(claim(after, None, None, signers)).outcome == "passed"
    said = json.loads((after / "redaction.json").read_text())
    (after / "redaction.json").write_text(json.dumps(said | {"withheld": said["withheld"][1:]}))
    assert check_signature(claim(after, None, None, signers)).outcome == "failed"
