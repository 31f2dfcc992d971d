from pathlib import Path

import pytest

from circuits.errors import Refused
from hybrid.sites import kinds
from hybrid.sites.file import read, site, template

ROOT = Path(__file__).parents[3]


@pytest.fixture
def sites(tmp_path, monkeypatch):
    file = tmp_path / "sites.toml"
    monkeypatch.setenv("HYBRID_SITES", str(file))

    def write(text):
        file.write_text(text)
        return file

    return write


def test_a_site_is_what_the_file_says(sites):
    sites('[lab]\nkind = "slurm"\naccount = "chem"\ntime = "1-12:00"\ngpus = 2\nmodules = ["python/3.11", "cuda"]\n')
    lab = site("lab")
    assert lab.kind == "slurm"
    assert (lab.account, lab.time, lab.gpus, lab.modules) == ("chem", "1-12:00", 2, ("python/3.11", "cuda"))
    assert site("local").kind == "local"


def test_a_byte_order_mark_is_no_content(sites):
    sites('\ufeff[lab]\nkind = "slurm"\n')
    assert site("lab").kind == "slurm"


def test_the_file_may_say_what_local_is(sites):
    sites('[local]\nkind = "local"\nthrottle = 3\n')
    assert site("local").throttle == 3


def test_without_a_file_there_is_this_machine_and_a_named_file_must_be_there(tmp_path, monkeypatch):
    monkeypatch.delenv("HYBRID_SITES", raising=False)
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / name)
    assert site("local").kind == "local"
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "gone.toml"))
    with pytest.raises(Refused, match=r"gone\.toml: no such file, but HYBRID_SITES"):
        site("local")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('kind = "slurm"\npartitoin = "x"', ["[lab]", "partitoin", "did you mean 'partition'"]),
        ('kind = "slum"', ["[lab]", "kind", "slum", "'slurm'"]),
        ('account = "chem"', ["[lab]", "kind", "missing", "'local'"]),
        ('kind = "local"\naccount = "chem"', ["[lab]", "account", "unknown key"]),
        ('kind = "slurm"\ntime = "two hours"', ["time", "hours:minutes:seconds"]),
        ('kind = "slurm"\ntime = "0:30"', ["time", "a minute at least"]),
        ('kind = "slurm"\ntime = "1"', ["time", "no time to work", "warn_s"]),
        ('kind = "slurm"\nranks = 0', ["ranks = 0", "a whole number from 1"]),
        ('kind = "slurm"\naccount = "a b"', ["account", "in one word"]),
        ('kind = "slurm"\noptions = ["constraint=x"]', ["options", "--constraint"]),
        ('kind = "slurm"\nqpu = "ibm_a"', ["qpu", "a list of quantum resources"]),
        ('kind = "slurm"\nqpu = ["ibm_a,ibm_b"]', ["qpu", "in one word each"]),
        ('kind = "slurm"\nqpu = ["ibm_a;rm"]', ["qpu", "in one word each"]),
        ('kind = "slurm"\nqpu = ["-a"]', ["qpu", "in one word each"]),
        ('kind = "slurm"\nqpu = ["ibm_a", "ibm_a"]', ["qpu", "ibm_a stands there twice"]),
        ('kind = "slurm"\nqpu = ["ibm_a"]\noptions = ["--qpu=ibm_b"]', ["--qpu is the toolkit's to give"]),
        ('kind = "slurm"\ngres = "qpu:0"', ["gres", '"qpu:2"']),
        ('kind = "slurm"\ngres = "qpu 2"', ["gres", '"qpu:2"']),
        ('kind = "slurm"\ngres = "qpu:2,"', ["gres", '"qpu:2"']),
        ('kind = "local"\nqpu = ["ibm_a"]', ["qpu", "unknown key"]),
        ('kind = "local"\nenvironment = { IBM_TOKEN = "abc" }', ["environment", "looks like a secret", "shell's"]),
        ('kind = "local"\nsetup = ["export API_KEY=abc"]', ["setup", "looks like a secret"]),
        ('kind = "local"\nenvironment = { "A-B" = "abc" }', ["environment", "A-B"]),
        ('kind = "local"\nsetup = ["a\\nb"]', ["setup", "one line"]),
        ('kind = "local', ["not TOML"]),
    ],
)
def test_what_is_wrong_is_said_with_file_site_and_key(sites, text, words):
    file = sites(f"[lab]\n{text}\n")
    with pytest.raises(Refused) as refused:
        site("lab")
    for word in [str(file), *words]:
        assert word in str(refused.value)
    assert "abc" not in str(refused.value), "a secret is never repeated"


def test_an_unknown_site_names_the_nearest_and_where_they_stand(sites):
    file = sites('[cluster]\nkind = "slurm"\n')
    with pytest.raises(Refused, match="did you mean 'cluster'") as refused:
        site("clutser")
    assert str(file) in str(refused.value)


def test_a_site_is_a_table(sites):
    with pytest.raises(Refused, match=r"throttle = 2: must be a table"):
        read(sites("throttle = 2\n"))


def test_the_file_to_start_from_is_understood(tmp_path):
    (tmp_path / "sites.toml").write_text(template())
    sites = read(tmp_path / "sites.toml")
    kept = {"local": "local", "cpu": "slurm", "nersc": "facility", "gpu": "slurm"}
    assert {name: site.kind for name, site in sites.items()} == kept


def test_the_documentation_names_every_key():
    text = (ROOT / "docs" / "batch.md").read_text()
    for kind in kinds.BUILT_IN:
        for key in kinds.load(kind).model_fields:
            assert f"`{key}`" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff[lab]", "not UTF-8"),
        (b"a = " + b"[" * 10**5, "nested too deeply"),
        (b"a = " + b"9" * 10**5, "not TOML"),
        (b'[lab]\nkind = "local"\nranks = 0x' + b"f" * 10**5, "more than 64 bits"),
        (b'[lab]\nkind = "local"\nranks = ' + b"9" * 400, "more than 64 bits"),
        (b'[lab]\nkind = ["local"]', "kind: unknown"),
        (b"[lab]\nkind = 1979-05-27", "kind: unknown"),
        (b'[lab]\nkind = "local"\nranks = inf', "ranks = "),
        (b'[lab]\nkind = "local"\nthrottle = true', "throttle = true"),
        (b'[lab]\nkind = "local"\nmodules = "gcc"', "modules = "),
        (b'[lab]\nkind = "local"\nenvironment = [["A", "b"]]', "environment: must be a table"),
        (b'[lab]\nkind = "local"\nenvironment = { A = 1, B = "abc" }', "environment: must be a table"),
        (b'[lab]\nkind = "local"\n[lab.setup]\na = 1', "setup = "),
        (b'[lab]\nkind = "slurm"\ntime = "' + b"9" * 5000 + b'"', "time: must be minutes"),
        (b'[lab]\nkind = "slurm"\ntime = "\xd9\xa3\xd9\xa0"', "time: must be minutes"),
        (b'["a\\nb"]\nkind = "local"', "the name of a site"),
        (b'["-n"]\nkind = "local"', "the name of a site"),
    ],
)
def test_a_damaged_file_is_one_line(sites, content, words):
    file = sites("")
    file.write_bytes(content)
    with pytest.raises(Refused, match=words) as refused:
        site("lab")
    assert "\n" not in str(refused.value)
    assert str(file) in str(refused.value)
    assert len(str(refused.value)) < 1000
    assert "abc" not in str(refused.value), "a secret is never repeated"


def test_a_file_of_windows_begins_with_a_byte_order_mark(sites):
    sites("").write_bytes(b'\xef\xbb\xbf[lab]\r\nkind = "local"\r\n')
    assert site("lab").kind == "local"


def test_a_folder_is_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path))
    with pytest.raises(Refused, match="cannot be read: Is a directory"):
        site("local")
