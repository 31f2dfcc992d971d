"""Progress in a notebook that is run without a browser: one line for each cell is left of it, or none."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CELLS = (
    """
import os
import hybrid
from circuits import hardware_efficient, tfim
from hybrid.terminal import progress
progress.SHOW_AFTER_S = progress.REFRESH_S = 0.0
p, ansatz = tfim(2), hardware_efficient(2, layers=1)
options = dict(backend="reference", max_steps=5, accuracy=1e-14)
""",
    "for seed in range(3):\n    hybrid.minimize(ansatz, p, seed=seed, **options)",
    "result = hybrid.minimize(ansatz, p, **options)",
    "result = hybrid.minimize(ansatz, p, progress=False, **options)",
    "hybrid.plan(ansatz, p, backend='reference')",
    "os.environ['HYBRID_PROGRESS'] = '0'\nresult = hybrid.minimize(ansatz, p, **options)",
)


def test_one_line_of_progress_is_left_of_each_cell(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="the extra 'notebooks' is not installed")
    client = pytest.importorskip("nbclient", reason="the extra 'notebooks' is not installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    _, loop, one, silent, plan, off = notebook.cells
    assert (silent.outputs, off.outputs) == ([], [])
    assert len([output for output in plan.outputs if "text/html" in output["data"]]) == 1
    (line,) = loop.outputs
    assert line["data"]["text/plain"].startswith("TFIM, 2 sites: max_steps after 5 steps, -")
    assert line["data"]["text/plain"].endswith(" (the last of 3 in this cell)")
    (line,) = one.outputs
    assert "the last of" not in line["data"]["text/plain"]
    assert set(line["data"]) == {"text/plain"}
