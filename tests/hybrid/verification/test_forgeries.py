"""Records that were changed, swapped, cut or made up: none passes. Those that were moved, copied or killed: all do."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import hybrid
from circuits import hamiltonian_variational, tfim
from circuits.errors import Refused

sys.path.insert(0, str(Path(__file__).parent))

import forge

PROBLEM = tfim(3)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A converged run, one with the same circuit and seed on another Hamiltonian, and one that did not converge."""
    home = tmp_path_factory.mktemp("runs")
    circuit = hamiltonian_variational(PROBLEM, layers=3)
    for name, problem, options in (
        ("run", PROBLEM, {}),
        ("other", tfim(3, field=0.3), {}),
        ("short", PROBLEM, {"max_steps": 4}),
    ):
        hybrid.minimize(circuit, problem, backend="statevector", folder=home / name, **options)
    return home


@pytest.fixture
def run(runs, tmp_path):
    return Path(shutil.copytree(runs / "run", tmp_path / "run"))


FORGED = {
    "lower energy": forge.result("energy", value=lambda e: e - 1e-3),
    "energy in its last digits": forge.result("energy", value=lambda e: e * (1 + 1e-14)),
    "no energy": forge.result("energy", value=None),
    "higher exact energy": forge.result("exact_energy", value=-3.0),
    "no exact energy": forge.result("exact_energy", value=None),
    "error bar": forge.result("standard_error", value=0.5),
    "bias": forge.result("bias", value=0.5),
    "status": forge.result("status", value="stalled"),
    "message": forge.result("message", value="checked by hand"),
    "steps": forge.result("steps", value=lambda n: n - 1),
    "evaluations": forge.result("evaluations", value=lambda n: n - 1),
    "unit": forge.result("unit", value="hartree"),
    "problem in the result": forge.result("problem", value="something harder"),
    "backend in the result": forge.result("backend", value="a quantum computer"),
    "seconds": forge.result("seconds", "total", value=1e-3),
    "ranks": forge.result("ranks", value=1000),
    "rounding": forge.result("rounding", value=1e-9),
    "validated": forge.result("validated", value=-3.4),
    "one angle": forge.result("theta", 0, value=lambda x: x + 0.1),
    "angles reversed": forge.result("theta", value=lambda x: x[::-1]),
    "too few angles": forge.result("theta", value=lambda x: x[1:]),
    "result of another run": forge.swap("result.json"),
    "no result": forge.remove("result.json"),
    "bit of the result": forge.flip("result.json", 0.5),
    "accuracy": forge.spec("workload", "accuracy", value=1e-3),
    "seed": forge.spec("workload", "seed", value=7),
    "shots": forge.spec("workload", "shots", value=1000),
    "label": forge.spec("workload", "label", value="restricted"),
    "max_steps": forge.spec("workload", "max_steps", value=300),
    "start": forge.spec("workload", "theta", 0, value=0.5),
    "optimizer": forge.spec("workload", "optimizer", "memory", value=7),
    "backend": forge.spec("backend", "name", value="lightning"),
    "backend's options": forge.spec("backend", "options", value={"precision": "single"}),
    "exact energy of the record": forge.spec("problem", "exact_energy", value=-3.0),
    "name of the problem": forge.spec("problem", "name", value="something harder"),
    "source of the problem": forge.spec("problem", "source", "field", value=2.0),
    "plan": forge.spec("plan", "ways", value=[]),
    "versions": forge.spec("provenance", "packages", "qiskit", value="9.9"),
    "machine": forge.spec("provenance", "machine", value="a supercomputer"),
    "time": forge.spec("provenance", "created_utc", value="2020-01-01T00:00:00Z"),
    "notes": forge.spec("notes", value={"study": {}}),
    "format": forge.spec("format", value=1),
    "spec of another run": forge.swap("spec.json"),
    "deeper circuit": forge.circuit(4),
    "shallower circuit": forge.circuit(2),
    "coefficient": forge.hamiltonian(forge.put("terms", 0, 1, value=-1.001)),
    "sign of a coefficient": forge.hamiltonian(forge.put("terms", 0, 1, value=lambda c: -c)),
    "a term less": forge.hamiltonian(lambda content: content["terms"].pop()),
    "a term more": forge.hamiltonian(lambda content: content["terms"].append(["ZZZ", 0.1])),
    "Hamiltonian of another run": forge.swap("hamiltonian.json"),
    "no journal": forge.remove("journal.sqlite"),
    "empty journal": lambda run, other: (run / "journal.sqlite").write_bytes(b""),
    "journal of another Hamiltonian": forge.swap("journal.sqlite"),
    "journal and result of another Hamiltonian": forge.swap("journal.sqlite", "result.json"),
    "an energy": forge.rows("UPDATE evaluation SET energies = zeroblob(8) WHERE number = 3"),
    "an energy and its checksum": forge.rows(
        "UPDATE evaluation SET energies = zeroblob(8) WHERE number = 3", check=True
    ),
    "a gradient and its checksum": forge.rows(
        "UPDATE evaluation SET gradients = zeroblob(8 * n_params) WHERE number = 3", check=True
    ),
    "parameters and their checksum": forge.rows(
        "UPDATE evaluation SET theta = zeroblob(8 * n_params) WHERE number = 3", check=True
    ),
    "an error bar and its checksum": forge.rows(
        "UPDATE evaluation SET standard_errors = ? WHERE number = 3", b"\0" * 6 + b"\xf0?", check=True
    ),
    "time of an evaluation": forge.rows("UPDATE evaluation SET seconds = 1e-6 WHERE number = 3"),
    "clock of an evaluation": forge.rows("UPDATE evaluation SET finished_at = 0.0 WHERE number = 3"),
    "step of an evaluation": forge.rows("UPDATE evaluation SET step = step + 1 WHERE number = 3", check=True),
    "last evaluation gone": forge.rows("DELETE FROM evaluation WHERE number = (SELECT max(number) FROM evaluation)"),
    "an evaluation gone": forge.rows("DELETE FROM evaluation WHERE number = 2"),
    "an evaluation gone and the gap closed": forge.renumbered,
    "an evaluation twice": forge.repeated,
    "final energy in the journal": forge.last_energy(-1e-3),
    "whose journal": forge.rows("UPDATE journal SET value = 'somebody' WHERE key = 'bound'"),
    "nobody's journal": forge.rows("DELETE FROM journal"),
    "seal": forge.rows("UPDATE chain SET digest = zeroblob(32) WHERE kind = 'result'"),
    "no seal": forge.rows("DELETE FROM chain WHERE kind = 'result'"),
    "no chain": forge.rows("DROP TABLE chain"),
    "an empty chain": forge.rows("DELETE FROM chain"),
    "a link gone": forge.rows("DELETE FROM chain WHERE row = 9"),
    # Somebody who makes every digest fit again is found out by what the numbers mean.
    "knowingly: energy": forge.knowing(forge.result("energy", value=lambda e: e - 1e-3)),
    "knowingly: steps": forge.knowing(forge.result("steps", value=3)),
    "knowingly: angles": forge.knowing(forge.result("theta", value=lambda x: x[::-1])),
    "knowingly: energy everywhere": forge.last_energy(-1e-3, everywhere=True),
    "knowingly: exact energy": forge.knowing(
        forge.spec("problem", "exact_energy", value=-4.0), forge.result("exact_energy", value=-4.0)
    ),
    "knowingly: another interval": forge.knowing(
        forge.result("uncertainty", "state", "high", value=lambda high: high + 1e-3)
    ),
    "knowingly: a part of the uncertainty": forge.knowing(
        forge.result("uncertainty", "parts", value=lambda parts: parts[:-1])
    ),
    "knowingly: interval of another quantity": forge.knowing(
        forge.result("uncertainty", "state", "quantity", value="the ground state energy")
    ),
    "knowingly: another Hamiltonian": forge.knowing(forge.swap("hamiltonian.json")),
    "knowingly: another journal": forge.knowing(forge.swap("journal.sqlite", "result.json")),
    "knowingly: another seed": forge.knowing(forge.spec("workload", "theta", 0, value=0.5)),
    "knowingly: another circuit": forge.knowing(forge.circuit(4)),
    "knowingly: another optimizer": forge.knowing(forge.spec("workload", "optimizer", value={"kind": "adam"})),
    "knowingly: as an older version": lambda run, other: (
        forge.as_version_1(run),
        forge.edit(run / "result.json", forge.put("energy", value=-3.4)),
    ),
}
assert len(FORGED) >= 60


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_record_does_not_pass(kind, run, runs):
    FORGED[kind](run, runs / "other")
    try:
        verification = hybrid.verify(run)
    except Refused:
        return  # damaged beyond checking, and said so
    assert not verification.passed, str(verification)
    assert verification.verdict == "failed" or kind == "format", str(verification)


CONTINUED = [
    kind for kind in FORGED if not kind.startswith("knowingly") and kind not in ("no result", "no seal", "seal")
]


@pytest.mark.parametrize("kind", CONTINUED)
def test_a_forged_record_is_not_continued_as_if_it_were_whole(kind, run, runs):
    """What is handed out is what the true run came to, or nothing."""
    true = hybrid.resume(runs / "run")
    FORGED[kind](run, runs / "other")
    try:
        resumed = hybrid.resume(run)
    except Refused:
        return
    assert resumed.energy == true.energy
    assert resumed.theta.tobytes() == true.theta.tobytes()
    assert (resumed.status, resumed.steps, resumed.exact_energy) == (true.status, true.steps, true.exact_energy)


def test_a_run_that_has_not_converged_or_ended_fails_by_name(runs, tmp_path):
    verification = hybrid.verify(runs / "short")
    assert [check.name for check in verification.checks if check.outcome == "failed"] == ["status"]
    assert "max_steps" in str(verification)
    asked = iter([False] * 4 + [True] * 9)
    circuit = hamiltonian_variational(PROBLEM, layers=3)
    stopped = tmp_path / "stopped"
    hybrid.minimize(circuit, PROBLEM, backend="statevector", folder=stopped, should_stop=lambda: next(asked))
    verification = hybrid.verify(stopped)
    assert verification.verdict == "failed"
    assert "stopped" in str(verification)
    (stopped / "result.json").unlink()
    assert "has not ended" in str(hybrid.verify(stopped))


def test_a_foreign_journal_continues_no_run(runs, tmp_path):
    """The same ansatz and seed on another Hamiltonian ask at the same parameters first."""
    circuit = hamiltonian_variational(PROBLEM, layers=3)
    asked = iter([False] * 3 + [True] * 9)
    hybrid.minimize(circuit, PROBLEM, backend="statevector", folder=tmp_path / "run", should_stop=lambda: next(asked))
    shutil.copy(runs / "other" / "journal.sqlite", tmp_path / "run")
    with pytest.raises(Refused, match="another run"):
        hybrid.resume(tmp_path / "run")


class TestHonest:
    def test_as_it_was_left(self, run):
        assert hybrid.verify(run).passed

    def test_moved(self, run, tmp_path):
        assert hybrid.verify(run.rename(tmp_path / "elsewhere")).passed

    def test_resumed(self, runs, tmp_path):
        circuit = hamiltonian_variational(PROBLEM, layers=3)
        asked = iter([False] * 3 + [True] * 9)
        folder = tmp_path / "run"
        hybrid.minimize(circuit, PROBLEM, backend="statevector", folder=folder, should_stop=lambda: next(asked))
        hybrid.resume(folder)
        hybrid.resume(folder)
        assert hybrid.verify(folder).passed

    def test_killed_between_the_seal_and_the_result(self, run):
        """The journal knows a result that was never written: it is not there yet, and nobody is accused."""
        (run / "result.json").unlink()
        verification = hybrid.verify(run)
        assert {check.name: check.outcome for check in verification.checks}["chain"] == "passed"
        assert "announces it" in str(verification)
        assert hybrid.resume(run).status == "converged"
        assert hybrid.verify(run).passed

    def test_where_the_findings_cannot_be_written(self, run):
        (run / "verification.json").mkdir()
        verification = hybrid.verify(run)
        assert verification.passed
        assert "verification.json cannot be written" in verification.unwritten

    def test_on_a_read_only_file_system(self, run, tmp_path):
        there = tmp_path / "there"
        there.mkdir()
        mounted = subprocess.run(["mount", "--bind", "-o", "ro", run, there], capture_output=True)
        if mounted.returncode:
            pytest.skip(f"nothing can be mounted here: {mounted.stderr.decode().strip()}")
        try:
            verification = hybrid.verify(there)
        finally:
            subprocess.run(["umount", there], check=True)
        assert verification.passed
        assert "Read-only" in verification.unwritten

    def test_killed_while_it_committed(self, run, tmp_path):
        """SQLite's rollback file lies beside the journal; the last commit never happened."""
        whole = hybrid.verify(run)
        database = sqlite3.connect(run / "journal.sqlite", isolation_level=None)
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN")
        database.execute("CREATE TABLE noise (x)")
        for _ in range(50):
            database.execute("INSERT INTO noise VALUES (?)", (os.urandom(4000),))
        killed = Path(shutil.copytree(run, tmp_path / "killed"))
        database.execute("ROLLBACK")
        database.close()
        assert (killed / "journal.sqlite-journal").stat().st_size
        assert hybrid.verify(killed).passed == whole.passed

    @pytest.mark.parametrize("version", [2, 3])
    def test_made_before_records_were_chained(self, version, run):
        forge.without_chain(run, version)
        verification = hybrid.verify(run)
        assert verification.passed, str(verification)
        assert "made before records were chained" in str(verification)
        assert hybrid.resume(run).status == "converged"
        assert hybrid.verify(run).passed

    def test_of_an_older_version(self, run):
        forge.as_version_1(run)
        verification = hybrid.verify(run)
        assert verification.verdict == "incomplete", str(verification)
        assert "version 0.1" in str(verification)
        assert hybrid.resume(run).status == "converged"

    def test_of_an_older_version_that_was_killed(self, run):
        whole = hybrid.resume(run)
        forge.as_version_1(run)
        forge.rows("DELETE FROM evaluation WHERE number >= 3")(run, None)
        (run / "result.json").unlink()
        assert hybrid.resume(run).history.same_bits(whole.history)
