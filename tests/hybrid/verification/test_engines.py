"""A verification computes the energy on engines other than the run's, names them, or says there are none."""

import pennylane as qml
import pytest
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator

import backends
import hybrid
from circuits import hamiltonian_variational, tfim
from hybrid.verification import engines
from hybrid.verification.engines import other_engines

PROBLEM = tfim(2)
CIRCUIT = hamiltonian_variational(PROBLEM, layers=2)


def others(*used):
    return [
        " ".join([one.origin.name, *map(str, one.origin.options.values())])
        for one in other_engines([one if isinstance(one, backends.base.Backend) else backends.get(one) for one in used])
    ]


ALL = {"lightning", "statevector", "reference", "aer statevector", "aer stabilizer", "aer matrix_product_state"}


@pytest.mark.parametrize(
    ("used", "own"),
    [
        (lambda: "statevector", {"statevector"}),
        (lambda: backends.get("statevector", precision="single"), {"statevector"}),
        (lambda: "lightning", {"lightning"}),
        (lambda: "reference", {"reference"}),
        (lambda: "aer", {"aer statevector"}),
        (lambda: backends.get("aer", method="stabilizer"), {"aer stabilizer"}),
        (lambda: AerSimulator(), {"aer statevector"}),
        (lambda: AerSimulator(method="matrix_product_state"), {"aer matrix_product_state"}),
        (lambda: qml.device("lightning.qubit", wires=2), {"lightning"}),
        (lambda: qml.device("default.qubit", wires=2), set()),
        (lambda: "ibm:fake_manila", {"aer statevector", "statevector"}),
        (lambda: GenericBackendV2(2), {"aer statevector", "statevector"}),
        (lambda: backends.get("aer", noise="ibm:fake_manila"), {"aer statevector", "statevector"}),
    ],
)
def test_no_engine_that_the_run_used_is_among_the_others(used, own):
    assert set(others(used())) == ALL - own


def test_all_backends_of_a_run_that_failed_over_are_its_own():
    assert set(others("lightning", "statevector")) == ALL - {"lightning", "statevector"}


@pytest.mark.parametrize("name", ["statevector", "lightning", "aer", "reference"])
def test_the_finding_names_the_engines_and_the_runs_own(name, tmp_path):
    result = hybrid.minimize(CIRCUIT, PROBLEM, backend=name, folder=tmp_path / "run")
    (check,) = [check for check in result.verify().checks if check.name == "energy on other engines"]
    assert check.outcome == "passed"
    values, _, used = check.finding.partition("; the run used ")
    assert used == name
    assert values.count(" on ") == 2
    assert f"on {name}," not in values
    assert f"on {name};" not in values


def test_a_run_replayed_was_computed_by_the_recorded_engine(tmp_path):
    hybrid.minimize(CIRCUIT, PROBLEM, backend="lightning", folder=tmp_path / "run")
    assert set(others(f"replay:{tmp_path / 'run'}")) == ALL - {"lightning"}


def test_where_only_the_runs_own_engine_is_here_nothing_is_claimed(tmp_path, monkeypatch):
    result = hybrid.minimize(CIRCUIT, PROBLEM, backend="lightning", folder=tmp_path / "run")
    monkeypatch.setattr(engines, "ENGINES", (("lightning", {}),))
    verification = result.verify()
    (check,) = [check for check in verification.checks if check.name == "energy on other engines"]
    assert check.outcome == "unchecked"
    assert "it came from lightning, which would only say the same again" in check.finding
    assert verification.verdict == "incomplete"
