"""Signatures by OpenSSH itself: of the record as it is, by whom, and of nothing else."""

import shutil
import subprocess
from pathlib import Path

import pytest

import hybrid
from backends.providers.hardware import Charge
from circuits import hardware_efficient, maxcut, tfim
from circuits.errors import Refused
from hybrid.runs import signature
from hybrid.runs.evidence import examine
from hybrid.runs.jobs import JobRow, Place
from hybrid.runs.journal import Journal, read
from hybrid.runs.signature import judged, message, sign, signatures
from hybrid.verification.checks import CHECKS

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed (Debian: openssh-client)"
)


def keygen(*arguments, given=b""):
    return subprocess.run(["ssh-keygen", *map(str, arguments)], input=given, capture_output=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Two runs, two keys, and a file that allows the first one."""
    home = tmp_path_factory.mktemp("home")
    for seed in (0, 1):
        hybrid.minimize(
            hardware_efficient(2, layers=1), tfim(2), backend="reference", seed=seed, folder=home / f"run-{seed}"
        )
    for name in ("anna", "eve"):
        assert keygen("-q", "-t", "ed25519", "-N", "", "-C", name, "-f", home / name).returncode == 0
    key = " ".join((home / "anna.pub").read_text().split()[:2])
    (home / "signers").write_text(f'anna@site namespaces="hybrid-run" {key}\n')
    return home


@pytest.fixture
def run(home, tmp_path):
    return Path(shutil.copytree(home / "run-0", tmp_path / "run"))


def verdict(run, signers=None):
    return judged(signatures(run, signers), examine(run).seal[0], asked=signers is not None)


def test_a_signed_run_says_by_whom(run, home):
    path = sign(run, home / "anna")
    outcome, text = verdict(run, home / "signers")
    fingerprint = keygen("-l", "-f", home / "anna.pub").stdout.decode().split()[1]
    assert (outcome, text) == ("passed", f"signed by anna@site with {fingerprint}")
    assert verdict(run)[0] == "passed"
    found = examine(run)
    by_hand = ("-Y", "verify", "-f", home / "signers", "-I", "anna@site", "-n", "hybrid-run", "-s", path)
    text = f"hybrid run\nrows {found.rows}\nhead {found.head}\n"
    assert keygen(*by_hand, given=text.encode()).returncode == 0


def test_what_becomes_known_of_a_job_after_the_end_leaves_the_signature_good(run, home):
    sign(run, home / "anna")
    before = examine(run)
    with Journal(run / "journal.sqlite", read(run / "journal.sqlite").run_digest) as opened:
        opened.write_job(JobRow(Place("", 0, 0), 0, "digest", "tag", "device", 1, 1, Charge(), "done", 0.0))
    assert examine(run).rows == before.rows + 1
    assert verdict(run, home / "signers")[0] == "passed"
    sign(run, home / "anna")
    assert verdict(run, home / "signers")[0] == "passed"


def test_a_key_that_nobody_allows_is_no_signer(run, home):
    sign(run, home / "eve")
    assert verdict(run)[0] == "passed"  # a good signature, of whomever
    outcome, text = verdict(run, home / "signers")
    assert outcome == "failed"
    assert "is not in signers" in text
    sign(run, home / "anna")
    outcome, text = verdict(run, home / "signers")
    assert outcome == "passed"
    assert "anna@site" in text
    assert "somebody" in text


def test_a_signature_of_another_run_is_none_of_this(run, home, tmp_path):
    other = Path(shutil.copytree(home / "run-1", tmp_path / "other"))
    shutil.copy(sign(other, home / "anna"), run)
    for signers in (None, home / "signers"):
        outcome, text = verdict(run, signers)
        assert outcome == "failed"
        assert "is not of this record" in text


def test_a_signature_for_another_purpose_is_none_of_a_run(run, home):
    path, found = sign(run, home / "anna"), examine(run)
    made = keygen("-Y", "sign", "-q", "-f", home / "anna", "-n", "file", given=message(found.rows, found.head))
    path.write_bytes(made.stdout)
    assert verdict(run, home / "signers")[0] == "failed"


@pytest.mark.parametrize("content", [b"", b"no signature", b"-----BEGIN SSH SIGNATURE-----\nAAAA\n"])
def test_what_is_no_signature_is_named(run, home, content):
    sign(run, home / "anna").write_bytes(content)
    outcome, text = verdict(run)
    assert outcome == "failed"
    assert "is no signature" in text


def test_a_record_made_anew_is_not_the_one_that_was_signed(run, home, tmp_path):
    """The same question asked again: a chain that holds, with other times and another nonce."""
    path = sign(run, home / "anna")
    again = tmp_path / "again"
    hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", folder=again)
    shutil.copy(path, again)
    assert examine(again).faults == ()
    assert verdict(again, home / "signers")[0] == "failed"


def test_a_run_that_has_not_ended_or_was_changed_is_not_signed(run, home):
    result = (run / "result.json").read_bytes()
    (run / "result.json").unlink()
    with pytest.raises(Refused, match="has not ended"):
        sign(run, home / "anna")
    (run / "result.json").write_bytes(result.replace(b'"status"', b'"Status"'))
    with pytest.raises(Refused, match=r"result.json: changed"):
        sign(run, home / "anna")


def test_keys_and_files_that_are_missing_are_named(run, home, monkeypatch):
    with pytest.raises(Refused, match="no such key"):
        sign(run, home / "nobody")
    with pytest.raises(Refused, match="ssh-keygen cannot sign"):
        sign(run, home / "signers")
    with pytest.raises(Refused, match="no such file of allowed signers"):
        signatures(run, home / "nobody")
    monkeypatch.setattr(signature, "PROGRAM", "no-such-program")
    with pytest.raises(Refused, match="is not installed"):
        sign(run, home / "anna")


def test_commands_sign_and_check(run, home, cli, monkeypatch):
    for name in set(CHECKS) - {"record", "chain", "signature"}:
        monkeypatch.delitem(CHECKS, name)  # they are tested elsewhere, and take their time
    code, out, _ = cli("sign", run, "--key", home / "anna")
    assert (code, "signed:" in out) == (0, True)
    code, out, _ = cli("verify", run, "--signers", home / "signers", "--json")
    assert code == 0
    assert "signed by anna@site" in out


@pytest.mark.parametrize("kind", ["algorithm", "benchmark"])
def test_one_signature_stands_for_all_stages(kind, home, tmp_path, cli):
    folder = tmp_path / "whole"
    if kind == "algorithm":
        hybrid.qaoa(maxcut([(0, 1), (1, 2)]), layers=1, samples=9, backend="statevector", folder=folder)
    else:
        hybrid.bench("quick", backends="statevector", only="ghz", shots=20, folder=folder, progress=False)
    code, _, err = cli("sign", folder, "--key", home / "anna")
    assert (code, err) == (0, "")
    assert [path.parent for path in folder.rglob("signature-*.sig")] == [folder]
    assert verdict(folder, home / "signers")[0] == "passed"
    checks = {check.name: check for check in hybrid.verify(folder, signers=home / "signers").checks}
    assert checks["signature"].outcome == "passed"
    result = folder / "result.json"
    content = result.read_text()
    result.write_text(content.replace("0.", "1.", 1))
    with pytest.raises(Refused, match=r"result\.json: changed: it is not signed"):
        sign(folder, home / "anna")
    result.write_text(content)
    result.unlink()
    with pytest.raises(Refused, match="has not ended"):
        sign(folder, home / "anna")
