"""What a policy says of records that are handed on: whether they may be, what goes out of them, and the note on use."""

import json
import zipfile

import pytest

import hybrid
from circuits import hardware_efficient, tfim
from circuits.errors import PolicyViolation
from hybrid.routing.exports import check_may_be_exported, words_withheld
from hybrid.routing.policy import Requester, decide

APPROVALS = """
[[approval]]
labels = ["restricted"]
exports = ["crate"]
approved_by = "Anna Person"
until = 2999-01-01

[[approval]]
labels = ["restricted"]
exports = ["*"]
approved_by = "Ben Person"
until = 2999-01-01
"""

EXPORT = """
[export]
withhold = ["path", "price"]
words = ["Falke"]
note = "Subject to EU 2021/821."
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    for label in ("open", "restricted"):
        circuit = hardware_efficient(2, layers=1)
        hybrid.minimize(circuit, tfim(2), backend="reference", folder=home / label, label=label, exact=False)
    return home


@pytest.fixture
def policy(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRID_POLICY", str(tmp_path / "policy.toml"))
    monkeypatch.setenv("HYBRID_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("hybrid.routing.policy.SITE_WIDE", tmp_path / "none.toml")
    return (tmp_path / "policy.toml").write_text


def test_benchmarks_ask_as_other_exports_do(policy, cli, tmp_path):
    bench = tmp_path / "bench"
    hybrid.bench("quick", only="qft", backends="statevector", shots=10, folder=bench, progress=False)
    policy("")
    assert cli("export", bench, "--format", "csv", "--output", tmp_path / "open.csv")[0] == 0
    policy("""
[[refusal]]
labels = ["open"]
exports = ["csv", "qedc"]
reason = "under embargo"
until = 2999-01-01
""")
    for form, place in (("csv", "closed.csv"), ("qedc", "plots")):
        code, _, err = cli("export", bench, "--format", form, "--output", tmp_path / place)
        assert (code, f"data labelled 'open' may not be exported as '{form}'" in err) == (4, True)
        assert "under embargo" in err
        assert not (tmp_path / place).exists()
        with pytest.raises(PolicyViolation, match="embargo"):
            hybrid.Bench.load(bench).export(tmp_path / place, kind=form)


def test_restricted_data_are_in_no_export_unless_two_persons_allow_it(home, policy, cli, tmp_path):
    pytest.importorskip("rocrate.rocrate")
    policy("")
    for form in ("csv", "json", "crate", "prov"):
        code, _, err = cli("export", home / "restricted", "--format", form)
        assert (code, f"data labelled 'restricted' may not be exported as '{form}'" in err) == (4, True)
        assert "2 different persons" in err
    policy(APPROVALS)
    code, _, err = cli("export", home / "restricted", "--crate", "--output", tmp_path / "run.zip")
    assert code == 0, err
    code, _, err = cli("export", home / "restricted")
    assert (code, "so far only Ben Person did" in err) == (4, True)
    decisions = [json.loads(line) for line in (tmp_path / "state" / "decisions.jsonl").read_text().splitlines()]
    assert [one["allowed"] for one in decisions] == [False] * 4 + [True, False]
    assert {one["purpose"] for one in decisions} == {"export"}


def test_other_data_are_exported_unless_somebody_refuses(home, policy):
    policy("")
    assert check_may_be_exported(home / "open", "crate") == ["open"]
    policy(APPROVALS)  # a file that says nothing of open data
    assert check_may_be_exported(home / "open", "crate") == ["open"]
    policy('[[refusal]]\nlabels = ["open", "internal"]\nexports = ["crate"]\nreason = "until the paper is out"\n')
    with pytest.raises(PolicyViolation, match="until the paper is out"):
        check_may_be_exported(home / "open", "crate")
    assert check_may_be_exported(home / "open", "csv") == ["open"]


def test_a_vendor_or_a_site_that_is_approved_is_no_export(policy):
    both = APPROVALS.replace("exports", "vendors").replace('"crate"', '"*"')
    policy(both)
    who = Requester("carla")
    assert decide("restricted", "ibm:ibm_fez", who=who).allowed
    assert not decide("restricted", "crate", kind="export", who=who).allowed


def test_all_points_of_a_sweep_count(home):
    with pytest.raises(PolicyViolation, match="may not be exported as 'crate'"):
        check_may_be_exported(home, "crate")


def test_what_a_policy_withholds_goes_out_whether_it_is_asked_for_or_not(home, policy, cli, tmp_path):
    pytest.importorskip("rocrate.rocrate")
    policy(EXPORT)
    words = words_withheld(asked=False, prices=False, known={})
    assert words is not None
    assert words.kinds == {"path", "price", "word"}
    assert words.known["Falke"] == "word"
    asked = words_withheld(asked=True, prices=False, known={"lab": "site"})
    assert asked is not None
    assert asked.kinds == {"host", "user", "path", "job", "account", "site", "word", "price"}
    code, out, err = cli("export", home / "open", "--crate", "--output", tmp_path / "run.zip", "--json")
    assert code == 0, err
    assert json.loads(out)["withheld"] == f"{tmp_path}/run.zip.withheld.json"
    with zipfile.ZipFile(tmp_path / "run.zip") as file:
        content = b"".join(file.read(name) for name in file.namelist())
        nodes = {node["@id"]: node for node in json.loads(file.read("ro-crate-metadata.json"))["@graph"]}
    assert str(home).encode() not in content
    assert nodes[nodes["./"]["usageInfo"]["@id"]]["text"] == "Subject to EU 2021/821."


def test_without_a_word_of_a_policy_nothing_is_withheld_unless_it_is_asked_for(policy):
    policy("")
    assert words_withheld(asked=False, prices=False, known={}) is None
    usual = words_withheld(asked=True, prices=False, known={})
    assert usual is not None
    assert "price" not in usual.kinds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[export]\nwithold = ["path"]\n', r"\[export\]: withold.*withhold"),
        ('[export]\nwithhold = ["colour"]\n', r"\[export\]: withhold"),
        ("[export]\nnote = 3\n", r"\[export\]: note"),
        ("export = 3\n", "export must be a table"),
    ],
)
def test_what_is_not_understood_stops_every_export(text, why, home, policy):
    policy(text)
    with pytest.raises(PolicyViolation, match=why):
        check_may_be_exported(home / "open", "crate")


def test_the_command_that_shows_policies_shows_it(policy, cli):
    policy(EXPORT)
    code, out, err = cli("policy", "show")
    assert code == 0, err
    assert "in what is exported: withhold path, price" in out
    assert json.loads(cli("policy", "show", "--json")[1])["files"][0]["export"]["words"] == ["Falke"]
