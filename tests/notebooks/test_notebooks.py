"""Every notebook runs from top to bottom, and says what it promises."""

from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def _stored(name):
    """A notebook as it is stored."""
    nbformat = pytest.importorskip("nbformat", reason="the extra 'notebooks' is not installed")
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)


def _execute(name, folder, changes=()):
    client = pytest.importorskip("nbclient", reason="the extra 'notebooks' is not installed")
    notebook = _stored(name)
    for cell in notebook.cells:
        for published, small in dict(changes).items():
            cell.source = cell.source.replace(published, small)
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


SMALL = {
    "choosing_a_backend": {},
    "classifier": {"layers, steps = 3, 60": "layers, steps = 1, 12"},
    "comparing_devices": {"max_steps=10": "max_steps=2", "shots = 1000": "shots = 200"},
    "lih_curve": {"1.0, 1.3, 1.6, 2.0, 2.5, 3.2": "1.6", "shots = 4000": "shots = 100"},
    "noisy_device": {"shots = 4000": "shots = 400", "max_steps=8": "max_steps=2"},
    "pennylane_and_optax": {"n = 6": "n = 3", "range(40)": "range(5)", "max_steps=40": "max_steps=5"},
    "qaoa": {"small, large = 10, 20": "small, large = 6, 8", "layers = 3": "layers = 1"},
    "scaling": {"n = 8": "n = 4"},
    "your_own": {},
}
"""Changes that make a notebook small enough for a test."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_the_others_run(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent))
    notebook = _execute(name, tmp_path, SMALL[name])
    text = str([cell.outputs for cell in notebook.cells if cell.cell_type == "code"])
    assert "Traceback" not in text
    for published in SMALL[name]:
        assert any(published in cell.source for cell in _stored(name).cells), f"{published} is not there any more"


def test_every_notebook_is_run():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == {"first_energy", *SMALL}


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path):
    notebook = _stored(path.stem)
    assert not any(cell.get("outputs") for cell in notebook.cells)
