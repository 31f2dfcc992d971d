"""Credentials are in no record, message or picture of a value, however they came in and whatever fails."""

import json
import pickle
import sys
import traceback
from types import ModuleType

import pytest
from pydantic import SecretStr

import backends
import hybrid
from backends import registry
from backends.providers.family import Family
from backends.providers.hardware import JobState
from backends.providers.qiskit import QiskitDevice
from backends.simulators.reference import Reference
from circuits import hardware_efficient, tfim
from circuits.errors import FailedJob, Refused
from circuits.secrets import redacted
from hybrid.workload.spec import BackendSpec, backend_spec

LITERAL, STORED, CLUSTER = "lit-3f9a61c7", "env-77e2b0d4", "qrmi-5b1c9e88"
SECRETS = (LITERAL, STORED, CLUSTER)


class Acme(QiskitDevice):
    """A device whose vendor wants a key, and repeats it when it complains."""

    def __init__(self, key: str, fails: bool):
        from qiskit.providers.basic_provider import BasicSimulator

        super().__init__(BasicSimulator(), name="acme:one")
        self._key, self._fails = key, fails

    def prepare(self, circuit, observables):
        evaluate = super().prepare(circuit, observables)

        def answer(*args, **words):
            if self._fails:
                raise FailedJob(f"acme: 401 for https://me:{self._key}@acme.test/?token={self._key}")
            return evaluate(*args, **words)

        return answer


@pytest.fixture
def acme(monkeypatch):
    monkeypatch.setenv("ACME_API_KEY", STORED)
    monkeypatch.setenv("one_QRMI_IBM_QRS_IAM_APIKEY", CLUSTER)
    module = ModuleType("acme_with_key")

    def make(name: str, *, api_key: str, fails: bool = False, channel: str = "a", password: SecretStr | None = None):
        assert password is None or isinstance(password, SecretStr)
        return Acme(api_key, fails)

    module.ACME = Family(make, "machines that want a key")  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "acme_with_key", module)
    monkeypatch.setitem(registry.BUILT_IN, "acme", "acme_with_key:ACME")
    registry.load.cache_clear()
    yield
    registry.load.cache_clear()


REFERENCE = {"from": "environment", "name": "ACME_API_KEY"}
WAYS = {"literal": LITERAL, "from the environment": STORED, "hidden": SecretStr(LITERAL), "reference": REFERENCE}
SPSA = {"optimizer": "spsa", "max_steps": 2, "accuracy": 0.1, "shots": 50}


def check_none(*texts):
    for text in texts:
        for secret in SECRETS:
            assert secret not in text


def check_folder(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        for secret in SECRETS:
            assert secret.encode() not in content, f"{secret} in {path}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fails", [False, True])
def test_no_record_and_no_message_holds_a_key(acme, way, fails, tmp_path, capfd):
    backend = backends.get("acme:one", api_key=WAYS[way], password=SecretStr(CLUSTER), fails=fails)
    check_none(repr(backend.origin), str(vars(backend.origin)))
    small = hardware_efficient(2, layers=1), tfim(2)
    if fails:
        with pytest.raises(FailedJob) as failed:
            hybrid.minimize(*small, backend=backend, folder=tmp_path / "run", **SPSA)
        check_none(str(failed.value), "".join(traceback.format_exception(failed.value)))
        assert "401" in str(failed.value)
    else:
        run = hybrid.minimize(*small, backend=backend, folder=tmp_path / "run", **SPSA)
        check_none(repr(run), str(run.plan))
    check_folder(tmp_path)
    check_none(*capfd.readouterr())
    kept = json.loads((tmp_path / "run" / "spec.json").read_text())["backend"]
    if way in ("from the environment", "reference"):
        assert kept["options"]["api_key"] == REFERENCE
    else:
        assert "api_key" in kept["withheld"]
    assert kept["options"]["password"] == {"from": "environment", "name": "one_QRMI_IBM_QRS_IAM_APIKEY"}


def test_a_run_with_references_goes_on_from_its_folder_alone(acme, tmp_path, monkeypatch):
    small = hardware_efficient(2, layers=1), tfim(2)
    run = hybrid.minimize(*small, backend=backends.get("acme:one", api_key=REFERENCE), folder=tmp_path / "r", **SPSA)
    assert hybrid.resume(run.folder).energy == run.energy
    other = backends.get("acme:one", api_key=LITERAL)  # the same key from elsewhere is no other question
    assert hybrid.resume(run.folder, backend=other).energy == run.energy
    with pytest.raises(Refused, match="another backend"):
        hybrid.resume(run.folder, backend=backends.get("acme:one", api_key=LITERAL, channel="b"))
    monkeypatch.delenv("ACME_API_KEY")
    with pytest.raises(Refused, match="ACME_API_KEY of the environment, which is not set"):
        hybrid.resume(run.folder)


def test_references_survive_their_way_to_other_ranks(acme):
    origin = pickle.loads(pickle.dumps(backends.get("acme:one", api_key=LITERAL).origin))
    assert isinstance(backends.get(origin.name, **origin.options), Acme)
    assert backend_spec(backends.get("acme:one", api_key=LITERAL)) == BackendSpec(name="acme:one", withheld=["api_key"])


def test_a_value_that_is_refused_is_not_repeated(acme):
    for wrong in ({"api_key": 7_390_112}, {"api_key": [LITERAL]}):
        with pytest.raises(Refused, match="its value is secret") as refused:
            backends.get("acme:one", **wrong)
        check_none(str(refused.value))
        assert "7390112" not in str(refused.value)


STUDY = """
[problem]
kind = "tfim"
n = 2
[ansatz]
kind = "hardware_efficient"
layers = 1
[optimizer]
kind = "spsa"
max_steps = 2
accuracy = 0.1
[backend]
name = "acme:one"
shots = 50
{line}
"""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f'api_key = "{LITERAL}"', "may hold no secret"),
        (f'api_kye = "{LITERAL}"', "did you mean 'api_key'"),
        (f'api_token = "{LITERAL}"', "unknown key"),
        (f'channel = "https://me:{LITERAL}@acme.test"', "may hold no secret"),
        (f'channel = "{STORED}"', "may hold no secret"),
    ],
)
def test_a_study_file_holds_no_key_and_no_message_repeats_it(acme, cli, tmp_path, line, words):
    (tmp_path / "s.toml").write_text(STUDY.format(line=line))
    for command in (["run", "s.toml", "--folder", "r"], ["plan", "s.toml"], ["submit", "s.toml", "--site", "local"]):
        code, out, err = cli(*command)
        assert code == 2
        check_none(out, err)
        assert words in " ".join(err.split())


def test_a_study_file_may_say_where_the_key_is(acme, cli, tmp_path):
    (tmp_path / "s.toml").write_text(STUDY.format(line='api_key = {from = "environment", name = "ACME_API_KEY"}'))
    code, out, err = cli("run", "s.toml", "--folder", "r", "--json")
    assert code in (0, 3)
    check_none(out, err)
    check_folder(tmp_path / "r")
    assert json.loads((tmp_path / "r" / "spec.json").read_text())["backend"]["options"]["api_key"] == REFERENCE


def test_a_fault_is_traced_without_keys(acme, cli, tmp_path, monkeypatch):
    def broken(*args, **words):
        raise ValueError(f"refused Bearer {STORED}")

    monkeypatch.setattr(Reference, "prepare", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "traces"))
    (tmp_path / "traces").mkdir()
    (tmp_path / "s.toml").write_text(STUDY.format(line="").replace("acme:one", "reference"))
    code, out, err = cli("run", "s.toml", "--folder", "r")
    assert code != 0
    check_none(out, err)
    if any((tmp_path / "traces").iterdir()):
        check_folder(tmp_path / "traces")


@pytest.mark.parametrize(
    "lines",
    [
        f'setup = ["login --with {STORED}"]',
        f'environment = {{ ENDPOINT = "https://me:{LITERAL}@acme.test" }}',
        f'environment = {{ ONE_QRMI_APIKEY = "{LITERAL}" }}',
        f'api_token = "{LITERAL}"',
        f'acount = "{CLUSTER}"',
    ],
)
def test_a_site_file_holds_no_key_and_no_message_repeats_it(acme, lines, tmp_path, monkeypatch):
    from hybrid.sites.file import site

    (tmp_path / "sites.toml").write_text(f'[here]\nkind = "local"\n{lines}\n')
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    with pytest.raises(Refused) as refused:
        site("here")
    check_none(str(refused.value))


def test_a_script_names_no_variable_of_the_environment(acme, cli, tmp_path):
    (tmp_path / "s.toml").write_text(STUDY.format(line='api_key = {from = "environment", name = "ACME_API_KEY"}'))
    code, out, err = cli("submit", "s.toml", "--site", "local", "--folder", "b", "--dry-run")
    check_none(out, err)
    assert code in (0, 2)


def test_words_of_a_vendor_are_kept_without_keys(acme):
    assert redacted(f"a {STORED} b https://u:{LITERAL}@h/") == "a [secret] b https://[secret]@h/"
    assert STORED not in JobState("failed", f"no right for {STORED}").reason
    assert STORED not in str(FailedJob(f"no right for {STORED}"))
