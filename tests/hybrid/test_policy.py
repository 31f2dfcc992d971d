"""Where data with a label may go: the policy, at planning, at sending, on resume, and at a site."""

import json
import sys
from datetime import date, timedelta
from types import ModuleType

import pytest
from qiskit.providers import BackendV2, Options
from qiskit.providers.basic_provider import BasicSimulator

import backends
import hybrid
from backends import registry
from backends.providers.family import Family
from backends.providers.qiskit import QiskitDevice
from circuits import hardware_efficient, tfim
from circuits.errors import LostJob, PolicyViolation, RecordFailed
from hybrid.routing import policy
from hybrid.routing.policy import check_may_go, decide

LATER, BEFORE = date.today() + timedelta(days=30), date.today() - timedelta(days=1)


class Machine(BackendV2):
    """Stands for a vendor's machine: its jobs run on a simulator, and are counted."""

    def __init__(self):
        super().__init__(name="machine")
        self._simulator = BasicSimulator()
        self.sent = 0

    @property
    def target(self):
        return self._simulator.target

    @property
    def max_circuits(self):
        return None

    @classmethod
    def _default_options(cls):
        return Options()

    def run(self, run_input, **options):
        self.sent += 1
        return self._simulator.run(run_input, **options)


MACHINES: dict[str, Machine] = {}


@pytest.fixture
def vendor(monkeypatch):
    """A family of devices, "acme:NAME", whose machines count what is sent to them."""
    module = ModuleType("acme_for_tests")
    made = lambda name: QiskitDevice(MACHINES.setdefault(name, Machine()), name=f"acme:{name}")  # noqa: E731
    module.ACME = Family(made, "machines of Acme", example="one")  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "acme_for_tests", module)
    monkeypatch.setitem(registry.BUILT_IN, "acme", "acme_for_tests:ACME")
    registry.load.cache_clear()
    yield MACHINES
    MACHINES.clear()
    registry.load.cache_clear()


@pytest.fixture
def write(tmp_path, monkeypatch):
    def made(text, name="policy.toml"):
        (tmp_path / name).write_text(text)
        monkeypatch.setenv("HYBRID_POLICY", str(tmp_path / name))

    return made


def approval(labels=("internal",), vendors=(), sites=(), until=LATER):
    words = f"labels = {list(labels)}\nvendors = {list(vendors)}\nsites = {list(sites)}\n".replace("'", '"')
    return f'[[approval]]\n{words}approved_by = "data protection"\nuntil = {until.isoformat()}\n'


@pytest.fixture
def small():
    return hardware_efficient(2, layers=1), tfim(2)


SPSA = {"optimizer": "spsa", "max_steps": 2, "accuracy": 0.1, "shots": 50}


def log(folder):
    return [json.loads(line) for line in (folder / "decisions.jsonl").read_text().splitlines()]


def test_without_a_policy_only_open_data_go_to_vendors():
    assert decide("open", "acme:one").allowed
    assert not decide("internal", "acme:one").allowed
    assert not decide("restricted", "object:machine").allowed
    assert decide("restricted", "cluster", kind="site").allowed


def test_an_approval_names_labels_places_and_its_last_day(write):
    write(approval(vendors=["acme", "ibm:ibm_fez"], sites=["cluster"]) + approval(["open"], vendors=["*"]))
    assert decide("internal", "acme:one").allowed
    assert decide("internal", "IBM:ibm_fez").allowed
    assert decide("open", "object:machine").allowed
    assert decide("internal", "cluster", kind="site").allowed
    for label, place in [("internal", "ibm:ibm_kyiv"), ("restricted", "acme:one"), ("internal", "object:acme")]:
        assert not decide(label, place).allowed
    assert not decide("internal", "other", kind="site").allowed
    assert decide("internal", "acme:one", today=LATER).allowed
    ended = decide("internal", "acme:one", today=LATER + timedelta(days=1))
    assert ended.allowed is False
    assert f"by data protection ended on {LATER}" in ended.why


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[approvals]]", "'approvals'.*approval"),
        ("approval = 3", "must be a list"),
        (approval().replace("until", "untill"), "number 1.*untill|number 1: until"),
        (approval().replace('"data protection"', '""'), "approved_by"),
        (approval(["secret"]), r"labels\.0"),
        ('[[approval]]\nlabels = ["open"]\napproved_by = "me"', "until is missing"),
        ("= =", "not TOML"),
    ],
)
def test_a_policy_that_cannot_be_understood_keeps_everything_here(write, text, words):
    write(text)
    with pytest.raises(PolicyViolation, match=rf"policy\.toml.*({words}).*nothing leaves this machine"):
        check_may_go("open", "acme:one")


def test_a_policy_that_is_named_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HYBRID_POLICY", str(tmp_path / "gone.toml"))
    assert "gone.toml" in decide("open", "acme:one").why
    assert not decide("open", "acme:one").allowed


def test_the_policy_of_the_machine_cannot_be_widened(write, monkeypatch, tmp_path):
    (tmp_path / "machine.toml").write_text(approval(["open"], vendors=["acme"]))
    monkeypatch.setattr(policy, "SITE_WIDE", tmp_path / "machine.toml")
    assert decide("open", "acme:one").allowed
    write(approval(["open", "internal"], vendors=["*"]))
    assert decide("open", "acme:one").allowed
    assert not decide("internal", "acme:one").allowed
    assert not decide("open", "ibm:ibm_fez").allowed


@pytest.mark.parametrize("kind", ["name", "object"])
def test_nothing_is_sent_that_may_not_go(kind, vendor, small, tmp_path, decisions_kept_apart):
    machine = Machine()
    backend = "acme:one" if kind == "name" else machine
    with pytest.raises(PolicyViolation, match="'restricted' may not leave this machine for vendor"):
        hybrid.minimize(*small, backend=backend, label="restricted", folder=tmp_path / "run", **SPSA)
    assert not any(one.sent for one in (machine, *vendor.values()))
    (entry,) = log(decisions_kept_apart)
    assert entry["purpose"] == "plan"
    assert entry["allowed"] is False
    assert entry["label"] == "restricted"
    assert entry["vendor"] == ("acme:one" if kind == "name" else "object:machine")
    assert entry["who"]


def test_what_may_go_is_logged_beside_the_run_and_in_the_state_folder(vendor, small, tmp_path, decisions_kept_apart):
    run = hybrid.minimize(*small, backend="acme:one", folder=tmp_path / "run", **SPSA)
    assert vendor["one"].sent > 0
    sent = log(run.folder)
    assert len(sent) == vendor["one"].sent
    assert {(entry["purpose"], entry["allowed"], entry["vendor"]) for entry in sent} == {("send", True, "acme:one")}
    assert [entry for entry in log(decisions_kept_apart) if entry["purpose"] == "send"] == sent


def test_an_approval_that_ends_stops_a_run_and_its_resumption(vendor, write, small, tmp_path, monkeypatch):
    write(approval(vendors=["acme"]))
    allowed = 2
    real = policy.decide

    def ending(label, place, **words):
        nonlocal allowed
        if vendor["one"].sent >= allowed:
            write(approval(vendors=["acme"], until=BEFORE))
        return real(label, place, **words)

    monkeypatch.setattr(policy, "decide", ending)
    with pytest.raises(PolicyViolation, match="ended on"):
        hybrid.minimize(*small, backend="acme:one", label="internal", folder=tmp_path / "run", **SPSA)
    assert vendor["one"].sent == allowed
    with pytest.raises((PolicyViolation, LostJob)) as refused:
        hybrid.resume(tmp_path / "run")
    assert vendor["one"].sent == allowed
    assert "ended on" in str(refused.value) or "never arrived" in str(refused.value)


def test_a_finished_run_is_read_whatever_the_policy_says_now(vendor, write, small, tmp_path):
    run = hybrid.minimize(*small, backend="acme:one", folder=tmp_path / "run", **SPSA)
    sent = vendor["one"].sent
    write(approval(["open"], vendors=["ibm"]))
    assert hybrid.resume(run.folder).energy == run.energy
    assert vendor["one"].sent == sent


def test_the_loop_itself_refuses_what_was_planned_before(vendor, small, tmp_path):
    from hybrid.loop.minimize import run
    from hybrid.routing.plan import Plan, Way
    from hybrid.workload.workload import workload

    work = workload(*small, label="restricted", **SPSA)
    made = backends.get("acme:one")
    plan = Plan("as if allowed", (Way(made, made.predict(work)),), ())
    with pytest.raises(PolicyViolation):
        run(work, plan, folder=tmp_path / "run")
    assert vendor["one"].sent == 0


def test_an_algorithm_sends_nothing_that_may_not_go(vendor, tmp_path):
    from circuits import maxcut

    with pytest.raises(PolicyViolation):
        hybrid.qaoa(maxcut([(0, 1)]), backend="acme:one", label="internal", folder=tmp_path / "q", shots=50)
    assert all(machine.sent == 0 for machine in vendor.values())


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
label = "{label}"
"""


def test_the_commands_end_with_four(cli, vendor, write, tmp_path):
    (tmp_path / "s.toml").write_text(STUDY.format(name="acme:one", label="internal"))
    for command in (["plan", "s.toml"], ["run", "s.toml", "--folder", "r"]):
        code, _, err = cli(*command)
        assert (code, "may not leave" in " ".join(err.split())) == (4, True)
    code, _, err = cli("submit", "s.toml", "--site", "local", "--folder", "b")
    assert code == 4
    assert not (tmp_path / "b").exists()


def test_a_site_that_the_policy_does_not_name_gets_nothing(cli, write, tmp_path, monkeypatch):
    (tmp_path / "sites.toml").write_text('[cluster]\nkind = "slurm"\n')
    monkeypatch.setenv("HYBRID_SITES", str(tmp_path / "sites.toml"))
    (tmp_path / "s.toml").write_text(STUDY.format(name="statevector", label="internal"))
    write(approval(sites=["other"]))
    code, _, err = cli("submit", "s.toml", "--site", "cluster", "--folder", "b")
    assert code == 4
    assert "site 'cluster'" in " ".join(err.split())
    assert not (tmp_path / "b").exists()


def test_a_device_that_cannot_be_asked_is_refused_by_the_policy_first(cli, write, tmp_path):
    (tmp_path / "s.toml").write_text(STUDY.format(name="ibm:ibm_nowhere", label="restricted"))
    code, _, err = cli("plan", "s.toml")
    assert code == 4
    assert "restricted" in err


def test_a_decision_that_cannot_be_logged_sends_nothing(vendor, small, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HYBRID_STATE", str(tmp_path / "file"))
    with pytest.raises(RecordFailed, match="HYBRID_STATE"):
        hybrid.minimize(*small, backend="acme:one", folder=tmp_path / "run", **SPSA)
    assert vendor["one"].sent == 0


def test_the_folder_of_a_decision_may_be_given_as_text(tmp_path, decisions_kept_apart):
    check_may_go("open", "acme:one", folder=str(tmp_path))
    (entry,) = log(tmp_path)
    assert (entry["vendor"], entry["allowed"]) == ("acme:one", True)
