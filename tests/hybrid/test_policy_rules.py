"""Rules of a policy: several persons, dates, users, money and shots; and what is told and logged of a decision."""

import hashlib
import json
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.errors import PolicyViolation
from hybrid.routing import policy
from hybrid.routing.policy import Requester, check_may_go, decide
from hybrid.routing.policy_file import parse, person
from hybrid.runs.budget import FILE, Budget, Spending

TODAY = date(2027, 3, 1)
ME = Requester("mara", "Mara Requester", frozenset({"chem", "users"}))


@pytest.fixture
def write(tmp_path, monkeypatch):
    def made(text):
        (tmp_path / "policy.toml").write_text(text)
        monkeypatch.setenv("HYBRID_POLICY", str(tmp_path / "policy.toml"))
        return tmp_path / "policy.toml"

    return made


def table(head="approval", **keys):
    if head == "approval":
        keys = {"labels": ["restricted"], "vendors": ["acme"], "approved_by": "Ada", "until": date(2027, 12, 31)} | keys
    words = {key: value.isoformat() if isinstance(value, date) else json.dumps(value) for key, value in keys.items()}
    return f"[[{head}]]\n" + "".join(f"{key} = {value}\n" for key, value in words.items())


def asked(label="restricted", place="acme:one", **words):
    return decide(label, place, today=TODAY, who=ME, **words)


def test_restricted_data_need_two_persons(write):
    file = write(table() + table(approved_by="Ben"))
    found = asked()
    assert found.allowed
    assert found.rule == f"{file}, line 1, [[approval]] number 1 and line 6, [[approval]] number 2"
    assert [line.partition(" ")[0] for line in found.approvals] == ["Ada", "Ben"]
    assert found.policies == ((str(file), hashlib.sha256(file.read_bytes()).hexdigest()),)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({}, "so far only Ada did"),
        ({"approved_by": "ADA  <ada@example.org>, legal"}, "so far only"),
        ({"approved_by": "mara"}, "mara asks and cannot approve it"),
        ({"approved_by": "Mara Requester, data protection"}, "mara asks and cannot approve it"),
        ({"approved_by": "Ben", "until": date(2027, 2, 28)}, "by Ben ended on 2027-02-28"),
        ({"approved_by": "Ben", "since": date(2027, 3, 2)}, "by Ben begins on 2027-03-02"),
        ({"approved_by": "Ben", "users": ["nils"]}, "by Ben is for other users than mara"),
        ({"approved_by": "Ben", "groups": ["physics"]}, "by Ben is for other users than mara"),
        ({"approved_by": "Ben", "vendors": ["acme:two"]}, "so far only Ada did"),
        ({"approved_by": "Ben", "labels": ["internal"]}, "so far only Ada did"),
    ],
)
def test_a_second_entry_that_is_no_second_approval(write, second, words):
    write(table() + table(**second))
    found = asked()
    assert not found.allowed
    assert words in found.why
    assert "2 different persons" in found.needed


def test_a_policy_may_ask_for_more_persons_and_never_for_fewer(write):
    write("[persons]\nrestricted = 3\ninternal = 2\n" + table() + table(approved_by="Ben"))
    assert "3 different persons must approve it, and so far only Ada and Ben did" in asked().why
    assert not asked("internal").allowed
    write("[persons]\nrestricted = 1\n" + table())
    assert "restricted must be a whole number from 2, not 1" in asked().why


def test_users_and_groups_are_those_of_the_process(write, monkeypatch):
    write(table(labels=["open"], users=["mara", "nils"]))
    assert asked("open").allowed
    assert not decide("open", "acme:one", today=TODAY, who=Requester("eve")).allowed
    write(table(labels=["open"], groups=["chem"]))
    assert asked("open").allowed
    monkeypatch.setenv("LOGNAME", "mara")
    monkeypatch.setenv("USER", "mara")
    assert policy.requester().login != "mara"


def test_a_refusal_goes_before_every_approval(write):
    file = write(
        table(labels=["open"], vendors=["*"])
        + table("refusal", labels=["open"], vendors=["acme:o*"], until=TODAY, reason="audit")
    )
    found = asked("open")
    assert (found.allowed, found.rule) == (False, f"{file}, line 6, [[refusal]] number 1")
    assert found.why.endswith("audit")
    assert asked("open", "acme:two").allowed
    assert decide("open", "acme:one", today=TODAY + timedelta(days=1), who=ME).allowed


@pytest.mark.parametrize(
    ("budget", "allowed"),
    [
        (Budget(usd=20, shots=1000), True),
        (Budget(usd=20.5, shots=1000), False),
        (Budget(usd=20), False),
        (Budget(), False),
        (None, True),  # at planning, before the budget of the run is known
    ],
)
def test_an_approval_of_so_much_holds_for_runs_whose_budget_is_within(write, budget, allowed):
    write(table(labels=["open"], max_usd=20, max_shots=1000))
    assert asked("open", budget=budget).allowed is allowed


def test_what_is_sent_is_held_to_the_granted_budget_and_the_log_says_which_policy(write, tmp_path):
    file = write(table(labels=["open"], max_usd=20, until=date.today()))
    (tmp_path / "run").mkdir()
    with pytest.raises(PolicyViolation, match=r"budget of at most usd = 20, and this one has no such limit"):
        check_may_go("open", "acme:one", folder=tmp_path / "run")
    Spending(tmp_path / "run" / FILE).grant(Budget(usd=5))
    check_may_go("open", "acme:one", folder=tmp_path / "run")
    refused, allowed = map(json.loads, (tmp_path / "run" / "decisions.jsonl").read_text().splitlines())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert refused["policies"] == allowed["policies"] == [{"file": str(file), "sha256": digest}]
    assert [refused["allowed"], allowed["allowed"]] == [False, True]
    assert "line 1" in allowed["rule"]
    assert allowed["approvals"] == [f"Ada until {date.today()} ({file}, line 1, [[approval]] number 1)"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("format = 2\n", "format 2 is of a later version"),
        ('format = "1"\n', "format must be a whole number"),
        ("maximum = 3\n", "'maximum'"),
        (table(max_euro=3), "line 1.*max_euro"),
        (table("refusal", labels=["secret"]), r"refusal.*labels\.0"),
        (table("refusal", labels=["open"], max_usd=3), "max_usd"),
        ("[persons]\nsecret = 2\n", "'secret'"),
        ("refusal = 3\n", "refusal must be a list"),
        (table(approved_by=", legal"), "must name a person"),
        (table(max_usd=-1), "max_usd"),
        (b"\xff\xfe", "not TOML"),
    ],
)
def test_a_policy_that_is_not_understood_refuses_everything(write, text, words):
    file = write("")
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    for label, place, kind in [("open", "acme:one", "vendor"), ("open", "cluster", "site")]:
        with pytest.raises(PolicyViolation, match=rf"(?s)policy\.toml.*{words}.*nothing leaves this machine"):
            check_may_go(label, place, kind=kind)


def test_an_unknown_label_goes_nowhere(write):
    assert "'secret'" in decide("secret", "cluster", kind="site").why
    assert not decide("secret", "cluster", kind="site").allowed
    write(table(labels=["open", "internal", "restricted"], vendors=["*"], sites=["*"]))
    assert not asked("secret").allowed


def test_a_policy_of_the_machine_that_is_a_link_to_nothing_refuses(monkeypatch, tmp_path):
    (tmp_path / "machine.toml").symlink_to(tmp_path / "gone.toml")
    monkeypatch.setattr(policy, "SITE_WIDE", tmp_path / "machine.toml")
    assert "cannot be read" in decide("open", "acme:one").why


def test_lines_are_not_told_where_heads_cannot_be_counted(tmp_path):
    text = 'approval = [{labels = ["open"], sites = ["a"], approved_by = "x", until = 2027-01-01}]\n'
    (where, _), *_ = parse(tmp_path, text.encode()).approvals
    assert (where.line, where.number) == (None, 1)
    text = table(reason="\n[[approval]]\n").replace("\\n", "\n").replace('"\n[[', '"""\n[[').replace(']]\n"', ']]\n"""')
    (where, rule), *_ = parse(tmp_path, text.encode()).approvals
    assert "[[approval]]" in rule.reason
    assert where.line is None


PEOPLE = ["Ada", "ada, legal", "Ben", "Cleo <c@example.org>", "mara", "Mara Requester, office"]
DAYS = st.integers(-3, 3).map(lambda days: TODAY + timedelta(days=days))
ENTRIES = st.fixed_dictionaries(
    {
        "labels": st.lists(st.sampled_from(["open", "internal", "restricted"]), min_size=1, max_size=3),
        "vendors": st.lists(st.sampled_from(["acme", "acme:one", "acme:*", "*", "other"]), max_size=2),
        "approved_by": st.sampled_from(PEOPLE),
        "until": DAYS,
    },
    optional={
        "since": DAYS,
        "users": st.lists(st.sampled_from(["mara", "nils"]), max_size=1),
        "groups": st.lists(st.sampled_from(["chem", "physics"]), max_size=1),
        "max_usd": st.integers(0, 20),
        "max_shots": st.integers(0, 20),
    },
)
BUDGETS = st.builds(Budget, usd=st.none() | st.integers(0, 20), shots=st.none() | st.integers(0, 20))
NAMES = {"Ada": "ada", "ada, legal": "ada", "Ben": "ben", "Cleo <c@example.org>": "cleo"}
"""Who somebody is; the one who asks is none of these."""


@settings(max_examples=300, deadline=None)
@given(entries=st.lists(ENTRIES, max_size=6), refusals=st.lists(ENTRIES, max_size=1), budget=BUDGETS)
def test_restricted_data_never_reach_a_vendor_without_two_valid_approvals(entries, refusals, budget):
    """Valid is written out here once more, in plain words, beside what the toolkit computes."""
    said = [{key: one[key] for key in ("labels", "vendors", "until")} for one in refusals]
    text = "".join(table(**one) for one in entries) + "".join(table("refusal", **one) for one in said)

    def names_it(one):
        return "restricted" in one["labels"] and any(
            word in ("acme", "acme:one", "acme:*", "*") for word in one["vendors"]
        )

    valid = {
        NAMES[one["approved_by"]]
        for one in entries
        if one["approved_by"] in NAMES
        and names_it(one)
        and one.get("since", TODAY) <= TODAY <= one["until"]
        and (
            (not one.get("users") and not one.get("groups"))
            or "mara" in one.get("users", [])
            or "chem" in one.get("groups", [])
        )
        and ("max_usd" not in one or (budget.usd is not None and budget.usd <= one["max_usd"]))
        and ("max_shots" not in one or (budget.shots is not None and budget.shots <= one["max_shots"]))
    }
    forbidden = any(names_it(one) and one["until"] >= TODAY for one in said)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "files", lambda: ["p.toml"])
        patch.setattr(policy, "content_of", lambda file: text.encode())
        found = asked(budget=budget)
    assert found.allowed is (len(valid) >= 2 and not forbidden)


def test_persons_are_the_same_however_they_are_written():
    assert person("Ada Byron, legal") == person(" ada  BYRON (home) <a@b>")
    assert person("Ada") != person("Ben")


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
name = "{name}"
[run]
label = "restricted"
[budget]
usd = 10
"""


def test_the_command_says_what_decided_and_what_would_be_needed(cli, write, tmp_path, decisions_kept_apart):
    (tmp_path / "s.toml").write_text(STUDY.format(name="ibm:ibm_nowhere"))
    later = date.today() + timedelta(days=9)
    write(table(vendors=["ibm"], until=later, max_usd=10))
    code, out, err = cli("policy", "check", "s.toml")
    assert code == 4
    assert "refused: restricted data, vendor ibm:ibm_nowhere" in out
    assert "line 1, [[approval]] number 1" in out
    assert "by 2 different persons" in out
    assert "may not leave" in err
    write(table(vendors=["ibm"], until=later, max_usd=10) + table(vendors=["ibm"], until=later, approved_by="Ben"))
    code, out, _ = cli("policy", "check", "s.toml", "--json")
    assert (code, json.loads(out)["allowed"]) == (0, True)
    assert len(json.loads(out)["decisions"][0]["approvals"]) == 2
    assert not decisions_kept_apart.exists()  # a question is no decision
    code, out, _ = cli("policy", "show")
    assert code == 0
    assert "approved_by Ben" in out
    assert cli("policy", "check", "s.toml", "--backend", "statevector", "--site", "local")[0] == 0
    for wrong in (["check"], ["show", "s.toml"], ["shwo"], ["check", "s.toml", "--site", "nowhere"]):
        assert cli("policy", *wrong)[0] == 2
    assert json.loads(cli("policy", "show", "--json")[1])["files"][0]["approvals"][0]["line"] == 1
