"""Every notebook runs from top to bottom, and says what it promises."""

from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def _execute(name, folder):
    nbformat = pytest.importorskip("nbformat", reason="the extra 'notebooks' is not installed")
    client = pytest.importorskip("nbclient", reason="the extra 'notebooks' is not installed")
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    client.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def _outputs(cell, kind):
    return [output["data"][kind] for output in cell.outputs if kind in output.get("data", {})]


def test_first_energy(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent))
    notebook = _execute("first_energy", tmp_path)
    cells = {cell.source.split("(")[0].split("\n")[0]: cell for cell in notebook.cells if cell.cell_type == "code"}
    (plan,) = _outputs(cells["hybrid.plan"], "text/html")
    assert "statevector" in plan
    (result,) = _outputs(cells["result = hybrid.minimize"], "text/html")
    assert "-1.13730" in result
    assert "converged" in result
    assert _outputs(cells["result.plot"], "image/png")
    (verdict,) = _outputs(cells["result.verify"], "text/html")
    assert "passed" in verdict
    assert "failed" not in verdict
    (noisy,) = _outputs(cells["noisy = hybrid.minimize"], "text/html")
    assert "±" in noisy
    assert len(list((tmp_path / "runs").iterdir())) == 2


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path):
    nbformat = pytest.importorskip("nbformat", reason="the extra 'notebooks' is not installed")
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
