"""Crates of other sites among one's own runs: checked before, nothing overwritten, nothing outside their folder."""

import json
import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import Refused
from hybrid.runs.crate import unpack
from hybrid.runs.crate.take_in import take_in
from hybrid.runs.crate.unpack import unpacked
from hybrid.runs.crate.write import write
from hybrid.runs.evidence import examine
from hybrid.runs.files import digest_of
from hybrid.runs.listing import entry_of, listing
from hybrid.runs.signature import sign

pytest.importorskip("rocrate.rocrate")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A run and a sweep of two points, and the crate of each, as another site has them."""
    home = tmp_path_factory.mktemp("theirs")
    for name, seed in (("run", 0), ("sweep/seed=1", 1), ("sweep/seed=2", 2)):
        circuit = hardware_efficient(2, layers=1)
        hybrid.minimize(circuit, tfim(2), backend="reference", seed=seed, folder=home / name, exact=False)
    for name in ("run", "sweep"):
        write(home / name, home / f"{name}.crate.zip", agent="Anna", terms="Ask us.")
    return home


def packed(source, output, *, put=(), without=()):
    """The crate again, with some files changed or put in, and others left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in (*without, *dict(put)):
                new.writestr(name, old.read(name))
        for name, content in put:
            new.writestr(name, content)
    return output


def test_a_run_of_another_site_is_one_of_ours(theirs, tmp_path):
    taken = take_in(theirs / "run.crate.zip", tmp_path / "ours" / "run")
    folder = taken.folder
    assert examine(folder).head == examine(theirs / "run").head == next(iter(taken.notes.heads.values()))
    assert hybrid.load(folder).history.same_bits(hybrid.load(theirs / "run").history)
    assert [entry["folder"] for entry in listing(tmp_path / "ours")] == [str(folder)]
    notes = json.loads((folder / "imported.json").read_text())
    assert notes["sha256"] == digest_of(theirs / "run.crate.zip")
    assert (notes["place"], notes["author"]) == (str(theirs / "run.crate.zip"), "#person-Anna")
    assert entry_of(folder)["imported"]["crate"] == "run.crate.zip"
    assert {path.name for path in folder.iterdir()} == {
        *("spec.json", "circuit.qpy", "hamiltonian.json", "journal.sqlite", "result.json", "imported.json")
    }


@pytest.mark.slow
def test_an_imported_run_is_verified_and_handed_on_again(theirs, tmp_path):
    folder = take_in(theirs / "run.crate.zip", tmp_path / "run").folder
    assert hybrid.verify(folder).passed
    again = take_in(write(folder, tmp_path / "again.zip"), tmp_path / "again")
    assert again.notes.heads == {"TFIM, 2 sites": examine(theirs / "run").head}


def test_a_sweep_comes_as_a_sweep_also_from_a_folder(theirs, tmp_path):
    with zipfile.ZipFile(theirs / "sweep.crate.zip") as file:
        file.extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked" / "notes.txt").write_text("mine")
    for source in (theirs / "sweep.crate.zip", tmp_path / "unpacked"):
        taken = take_in(source, tmp_path / f"from-{source.name}")
        assert taken.runs == ("seed=1", "seed=2")
        assert len(listing(taken.folder)) == 2
    assert taken.left == ("notes.txt",)


def test_nothing_is_overwritten(theirs, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_RUNS", str(tmp_path / "runs"))
    taken = take_in(theirs / "run.crate.zip")
    assert taken.folder == tmp_path / "runs" / "run"
    before = digest_of(taken.folder / "imported.json")
    with pytest.raises(Refused, match="is there already, and nothing is overwritten"):
        take_in(theirs / "sweep.crate.zip", taken.folder)
    assert digest_of(taken.folder / "imported.json") == before
    assert os.listdir(tmp_path / "runs") == ["run"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../outside", "leads out of it"),
        ("seed=1/../../outside", "leads out of it"),
        ("/outside", "no path inside it"),
        ("..\\outside", "no path inside it"),
        ("C:outside", "no path inside it"),
        ("a\x1b[2Jb", "cannot be printed"),
    ],
)
def test_what_leads_out_of_a_crate_is_refused_by_name(name, why, theirs, tmp_path):
    crate = packed(theirs / "run.crate.zip", tmp_path / "bad.zip", put=[(name, "x")])
    with pytest.raises(Refused, match=why) as refused:
        take_in(crate, tmp_path / "in" / "run")
    assert repr(name) in str(refused.value)
    assert os.listdir(tmp_path / "in") == []
    assert not list(tmp_path.rglob("outside"))


def test_links_and_devices_are_refused_by_name(theirs, tmp_path):
    for kind, why in ((stat.S_IFLNK, "which is a link"), (stat.S_IFIFO, "neither a file nor a folder")):
        entry = zipfile.ZipInfo("spec-of-another.json")
        entry.external_attr = (kind | 0o644) << 16
        crate = packed(theirs / "run.crate.zip", tmp_path / f"{kind}.zip", put=[(entry, "/etc/passwd")])
        with pytest.raises(Refused, match=f"'spec-of-another.json', .*{why}"):
            take_in(crate, tmp_path / "run")
    with zipfile.ZipFile(theirs / "run.crate.zip") as file:
        file.extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked" / "verification.json").symlink_to("/etc/passwd")
    with pytest.raises(Refused, match=r"holds 'verification.json', which is a link"):
        take_in(tmp_path / "unpacked", tmp_path / "run")


def test_what_would_fill_the_disk_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file, file.open("zeros", "w") as out:
        for _ in range(80):
            out.write(bytes(2**20))
    (tmp_path / "out").mkdir()
    with pytest.raises(Refused, match=r"bytes long and would be 83,886,080 unpacked, where 67,108,864 are the most"):
        unpacked(tmp_path / "bomb.zip", tmp_path / "out")
    assert os.listdir(tmp_path / "out") == []


def test_too_many_files_and_one_name_twice_are_refused(theirs, tmp_path, monkeypatch):
    with (
        zipfile.ZipFile(shutil.copy(theirs / "run.crate.zip", tmp_path / "twice.zip"), "a") as file,
        pytest.warns(UserWarning, match="Duplicate"),
    ):
        file.writestr("spec.json", "{}")
    with pytest.raises(Refused, match=r"holds 'spec.json' twice"):
        take_in(tmp_path / "twice.zip", tmp_path / "run")
    monkeypatch.setattr(unpack, "MOST_FILES", 5)
    with pytest.raises(Refused, match="and 5 are the most"):
        take_in(theirs / "run.crate.zip", tmp_path / "run")


def test_a_file_that_the_crate_does_not_describe_so_is_refused(theirs, tmp_path):
    for name in ("spec.json", "rerun.py", "journal.sqlite"):
        crate = packed(theirs / "run.crate.zip", tmp_path / f"{name}.zip", put=[(name, b"another")])
        with pytest.raises(Refused, match=f"{name} is not the file that the crate describes"):
            take_in(crate, tmp_path / "run")
    crate = packed(theirs / "run.crate.zip", tmp_path / "less.zip", without=["circuit.qpy"])
    with pytest.raises(Refused, match=r"describes 'circuit.qpy', which is not in it"):
        take_in(crate, tmp_path / "run")
    with pytest.raises(Refused, match=r"has no ro-crate-metadata.json"):
        take_in(theirs / "run", tmp_path / "run")


def test_a_record_that_was_changed_with_its_description_is_found_by_its_chain(theirs, tmp_path):
    with zipfile.ZipFile(theirs / "run.crate.zip") as file:
        file.extractall(tmp_path / "unpacked")
    spec, metadata = tmp_path / "unpacked" / "spec.json", tmp_path / "unpacked" / "ro-crate-metadata.json"
    before = digest_of(spec)
    spec.write_text(spec.read_text().replace('"seed": 0', '"seed": 7'))
    metadata.write_text(metadata.read_text().replace(before, digest_of(spec)))
    with pytest.raises(Refused, match=r"was changed after it was written: spec.json: changed"):
        take_in(tmp_path / "unpacked", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
def test_signatures_are_looked_at_before_a_crate_is_taken(theirs, tmp_path):
    key, run = tmp_path / "key", Path(shutil.copytree(theirs / "run", tmp_path / "signed"))
    for name in ("key", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    public = {name: (tmp_path / f"{name}.pub").read_text().split()[:2] for name in ("key", "other")}
    for name, words in public.items():
        (tmp_path / f"{name}.signers").write_text(f'anna@example.org namespaces="hybrid-run" {" ".join(words)}\n')
    file = sign(run, key)
    crate = write(run, tmp_path / "signed.zip")
    taken = take_in(crate, tmp_path / "ours", signers=tmp_path / "key.signers")
    assert list(taken.notes.signatures.values()) == [[file.name]]
    with pytest.raises(Refused, match=r"signed by none of other.signers"):
        take_in(crate, tmp_path / "no", signers=tmp_path / "other.signers")
    with pytest.raises(Refused, match="nobody has signed it"):
        take_in(theirs / "run.crate.zip", tmp_path / "no", signers=tmp_path / "key.signers")
    other = Path(shutil.copytree(theirs / "sweep" / "seed=1", tmp_path / "another"))
    shutil.copy(file, other)
    with pytest.raises(Refused, match="is not of this record"):
        take_in(write(other, tmp_path / "another.zip"), tmp_path / "no")


def test_the_command_takes_a_crate_in(theirs, tmp_path, cli):
    code, out, err = cli("import", theirs / "sweep.crate.zip", "--folder", tmp_path / "ours")
    assert (code, "seed=1, seed=2" in out) == (0, True), err
    code, out, _ = cli("compare", tmp_path / "ours", theirs / "run", "--json")
    assert (code, len(json.loads(out)["runs"])) == (0, 3)
    code, _, err = cli("import", theirs / "sweep.crate.zip", "--folder", tmp_path / "ours")
    assert (code, "nothing is overwritten" in err) == (2, True)


@pytest.mark.slow
def test_an_algorithm_comes_with_all_its_stages_and_is_verified_as_one(tmp_path):
    circuit = hardware_efficient(2, layers=1)
    options = {"levels": 2, "starts": 1, "backend": "reference", "seed": 1, "folder": tmp_path / "vqd"}
    hybrid.vqd(circuit, tfim(2), **options)
    ours = take_in(write(tmp_path / "vqd", tmp_path / "vqd.zip"), tmp_path / "ours").folder
    kept_back = {"lock", "imported.json"}
    names = [
        {path.relative_to(place) for path in place.rglob("*") if path.is_file() and path.name not in kept_back}
        for place in (tmp_path / "vqd", ours)
    ]
    assert names[0] == names[1]
    assert hybrid.verify(ours).passed
