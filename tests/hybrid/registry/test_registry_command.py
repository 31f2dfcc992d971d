import json

import pytest

import hybrid
from circuits import hamiltonian_variational, tfim


@pytest.fixture
def run(place, tmp_path):
    problem = tfim(2)
    circuit = hamiltonian_variational(problem, layers=1)
    return hybrid.minimize(circuit, problem, backend="reference", folder=tmp_path / "runs" / "chain")


def test_run_is_added_listed_and_shown(run, cli):
    assert cli("registry", "list")[1].endswith("registry.sqlite is empty\n")
    code, out, err = cli("registry", "add", "chain")
    assert (code, err) == (0, "")
    assert "TFIM, 2 sites" in out
    (entry,) = json.loads(cli("registry", "list", "--json")[1])["entries"]
    assert entry["theta"] == run.theta.tolist()
    code, out, err = cli("registry", "show", entry["result_sha256"][:8])
    assert code == 0
    assert "optimizer" in out
    assert "evaluations" in out


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["add"], "needs the folder or the name of a run"),
        (["show"], "takes one entry"),
        (["list", "chain"], "did you mean show, or add?"),
        (["add", "nothing"], "no such folder"),
        (["list", "--at", "mysql://there"], "postgresql://USER@HOST/DATABASE"),
    ],
)
def test_wrong_words_are_refused(run, cli, words, cure):
    code, _, err = cli("registry", *words)
    assert code == 2
    assert cure in err
