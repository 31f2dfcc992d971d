"""A kind of site from another package: the one of the documentation, as pip would leave it, and ones that are wrong."""

import json
import re
import sys
from pathlib import Path

import pytest

from circuits.errors import Refused
from hybrid.sites import kinds

PAGE = (Path(__file__).parents[3] / "docs" / "adding_a_site.md").read_text()

STUDY = """
[problem]
kind = "tfim"
n = 2
field = "{h}"
[ansatz]
kind = "hamiltonian_variational"
layers = 1
[backend]
name = "reference"
[sweep]
h = [0.5, 1.0]
"""


@pytest.fixture
def package(tmp_path_factory, monkeypatch):
    """Put a package there; the arguments are its module's text and its entry point."""

    def put(module, entry):
        site = tmp_path_factory.mktemp("site")
        info = site / "acme_spool-1.0.dist-info"
        info.mkdir()
        (site / "acme_spool.py").write_text(module)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-spool\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[hybrid.sites]\n{entry}\n")
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, "acme_spool", raising=False)
        kinds.load.cache_clear()

    yield put
    kinds.load.cache_clear()


def test_the_site_of_the_documentation_works(package, cli, tmp_path, monkeypatch):
    blocks = re.findall(r"```(python|toml)\n(.*?)```", PAGE, re.DOTALL)
    (module,) = [text for kind, text in blocks if kind == "python"]
    (entry,) = [text for kind, text in blocks if kind == "toml"]
    name, target = re.search(r'^(\w+) = "(\S+)"$', entry, re.MULTILINE).groups()
    package(module, f"{name} = {target}")
    spool = tmp_path / "spool"
    spool.mkdir()
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "sites.toml").write_text(f'[acme]\nkind = "spool"\nspool = "{spool}"\n')
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))

    def states():
        return [point["state"] for point in json.loads(cli("status", "sweep", "--json")[1])["points"]]

    assert json.loads(cli("sites", "--json")[1])["sites"][1]["reachable"]
    code, out, err = cli("submit", "study.toml", "--folder", "sweep", "--site", "acme", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["points"] == [0, 1]
    first, second = sorted(spool.iterdir())
    assert json.loads(first.read_text())[:2] == ["bash", str(tmp_path / "sweep" / "batch" / "job-1.sh")]
    first.rename(first.with_suffix(".running"))
    assert states() == ["running", "pending"]
    assert cli("cancel", "sweep", "1")[1] == "1 point cancelled\n"
    assert not second.exists()
    first.with_suffix(".running").rename(first.with_suffix(".done"))
    assert states() == ["interrupted", "cancelled"]
    assert cli("fetch", "sweep")[1] == "0 points fetched\n"


@pytest.mark.parametrize(
    ("module", "entry", "words"),
    [
        ("", "spool = acme_spool:Spool", "cannot be loaded: AttributeError"),
        ("import nothing_of_this_name", "spool = acme_spool:Spool", "cannot be loaded: ModuleNotFoundError"),
        ("Spool = 3", "spool = acme_spool:Spool", "no subclass of"),
    ],
)
def test_a_kind_that_is_none_is_refused(package, module, entry, words):
    package(module, entry)
    assert "spool" in kinds.names()
    with pytest.raises(Refused, match=words):
        kinds.load("spool")
    with pytest.raises(Refused, match="did you mean 'slurm'"):
        kinds.load("slrum")
