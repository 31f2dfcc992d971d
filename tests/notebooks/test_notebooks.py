"""Every notebook runs from top to bottom, and says what it promises."""

import json
import os
import queue
import time
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


INTERRUPTED = """
import hybrid, json, time
from circuits import hamiltonian_variational, tfim
def slowly():
    time.sleep(0.05)
    return False
p = tfim(4)
result = hybrid.minimize(hamiltonian_variational(p, layers=3), p, optimizer="adam", backend="reference",
                         max_steps=60, accuracy=1e-9, should_stop=slowly)
print(json.dumps([result.status, result.energy, len(result.history), result.message, str(result.folder)]))
"""


def test_an_interrupted_cell_keeps_the_best_and_goes_on(tmp_path):
    manager_of = pytest.importorskip("jupyter_client", reason="the extra 'notebooks' is not installed")
    manager, client = manager_of.manager.start_new_kernel(
        cwd=str(tmp_path), env=os.environ | {"PYTHONPATH": str(NOTEBOOKS.parent)}
    )

    def run(interrupt: bool) -> list:
        said: list[str] = []
        deadline = time.monotonic() + 120
        client.execute(INTERRUPTED)
        while True:
            if interrupt and list(tmp_path.glob("runs/*/journal.sqlite")):
                time.sleep(1.0)
                manager.interrupt_kernel()
                interrupt = False
            try:
                message = client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                assert time.monotonic() < deadline, "the cell did not end in two minutes"
                continue
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                said.append(message["content"]["text"])
            assert message["msg_type"] != "error", message["content"]
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and said:
                return json.loads("".join(said))

    try:
        stopped, finished = run(True), run(False)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert stopped[0] == "stopped"
    assert stopped[1] < 0
    assert 0 < stopped[2] < finished[2]
    assert "run the cell again" in stopped[3]
    assert finished[0] == "max_steps"
    assert finished[4] == stopped[4]  # the same folder
