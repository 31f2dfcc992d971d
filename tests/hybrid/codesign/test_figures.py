"""Pictures of records as files, each with the file that its numbers come from."""

import pytest

import hybrid
from circuits import hamiltonian_variational, tfim


@pytest.mark.slow
def test_a_record_gives_files_with_captions(cli, tmp_path):
    problem = tfim(3)
    circuit = hamiltonian_variational(problem, layers=1)
    line = hybrid.Device(3, "line", two_qubit_error=0.01, readout_error=0.02)
    hybrid.codesign(
        circuit, problem, device=[line, "all-to-all"], method="model", folder=tmp_path / "cd", progress=False
    )
    hybrid.bench("quick", backends=["reference"], only=["ghz"], folder=tmp_path / "b", progress=False)
    hybrid.minimize(circuit, problem, backend="reference", folder=tmp_path / "run", progress=False)
    expected = {"cd": {"tornado"}, "b": {"scores"}, "run": {"convergence", "speedups"}}
    sources = {"cd": "cd/result.json, pictures.tornado", "b": "b/bench.json", "run": "run/journal.sqlite"}
    for record, names in expected.items():
        code, out, err = cli("report", record, "--figures", f"{record}-figures")
        assert code == 0, err
        files = {path.name: path for path in (tmp_path / f"{record}-figures").iterdir()}
        assert set(files) == {f"{name}.{ending}" for name in names for ending in ("pdf", "svg")} | {"captions.md"}
        assert all(files[name].read_bytes().startswith(b"%PDF") for name in files if name.endswith(".pdf"))
        assert sources[record] in files["captions.md"].read_text(encoding="utf-8")
        assert str(files["captions.md"].relative_to(tmp_path)) in out
    code, _, err = cli("report", "run", "--figures", "run/journal.sqlite")
    assert (code, "is a file, and no folder" in err) == (2, True)


def test_several_runs_are_compared(cli, tmp_path):
    problem = tfim(2)
    for seed, name in enumerate(("one", "two")):
        circuit = hamiltonian_variational(problem, layers=1)
        hybrid.minimize(circuit, problem, backend="reference", seed=seed, folder=tmp_path / name, progress=False)
    code, _, err = cli("report", "one", "two", "--figures", "figures")
    assert code == 0, err
    assert {"comparison.pdf", "one-speedups.pdf", "two-convergence.pdf"} <= {
        path.name for path in (tmp_path / "figures").iterdir()
    }
