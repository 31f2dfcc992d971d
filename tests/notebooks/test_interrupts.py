"""Cells that are interrupted, in a real kernel: they end, keep what is done, and go on when they are run again."""

import json
import os
import queue
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
jupyter_client = pytest.importorskip("jupyter_client", reason="the extra 'notebooks' is not installed")


class Kernel:
    """A session of IPython in a folder."""

    def __init__(self, folder):
        self.manager, self.client = jupyter_client.manager.start_new_kernel(
            cwd=str(folder), env=os.environ | {"PYTHONPATH": str(ROOT)}
        )

    def run(self, cell, *, interrupt_when=None):
        """Run a cell; its printed text, the name of its error or None, and what it took after the interrupt."""
        said, error, interrupted = [], None, None
        deadline = time.monotonic() + 120
        asked = self.client.execute(cell)
        while True:
            if interrupt_when is not None and interrupted is None and interrupt_when():
                time.sleep(0.5)
                self.manager.interrupt_kernel()
                interrupted = time.monotonic()
            try:
                message = self.client.get_iopub_msg(timeout=0.1)
            except queue.Empty:
                assert time.monotonic() < deadline, "the cell did not end in two minutes"
                continue
            if message["parent_header"].get("msg_id") != asked:
                continue
            content = message["content"]
            if message["msg_type"] == "stream" and content["name"] == "stdout":
                said.append(content["text"])
            if message["msg_type"] == "error":
                error, self.traceback = content["ename"], content["traceback"]
            if message["msg_type"] == "status" and content["execution_state"] == "idle":
                return "".join(said), error, None if interrupted is None else time.monotonic() - interrupted

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(tmp_path):
    running = Kernel(tmp_path)
    yield running
    running.close()


def begun(folder, pattern="runs/*/journal.sqlite"):
    return lambda: list(folder.glob(pattern))


SLOWLY = """
import hybrid, json, time
from circuits import hamiltonian_variational, maxcut, tfim
def slowly():
    time.sleep(0.05)
    return False
p = tfim(4)
ansatz = hamiltonian_variational(p, layers=3)
options = dict(optimizer="adam", backend="reference", max_steps=30, accuracy=1e-9, should_stop=slowly)
"""

ONE = """
result = hybrid.minimize(ansatz, p, **options)
print(json.dumps([result.status, result.energy, len(result.history), result.message, str(result.folder)]))
"""


def test_one_run_keeps_the_best_and_goes_on(kernel, tmp_path):
    kernel.run(SLOWLY)
    stopped, error, _ = kernel.run(ONE, interrupt_when=begun(tmp_path))
    assert error is None
    status, energy, evaluations, message, folder = json.loads(stopped)
    assert (status, energy < 0) == ("stopped", True)
    assert "run the cell again" in message
    finished = json.loads(kernel.run(ONE)[0])
    assert finished[0] == "max_steps"
    assert finished[2] > evaluations > 0
    assert finished[4] == folder
    assert json.loads(kernel.run(ONE)[0])[4] != folder, "a cell that was not interrupted begins anew"


LOOP = """
done = []
for seed in range(3):
    done.append(hybrid.minimize(ansatz, p, seed=seed, **options))
    print(json.dumps([seed, done[-1].status, str(done[-1].folder)]))
"""


def test_a_loop_of_runs_ends_with_the_cell(kernel, tmp_path):
    kernel.run(SLOWLY)
    said, error, took_s = kernel.run(LOOP, interrupt_when=lambda: len(begun(tmp_path)()) == 2)
    first, second = map(json.loads, said.splitlines())
    assert [first[1], second[1]] == ["max_steps", "stopped"]
    assert error == "Stopped"
    assert took_s < 30
    said, error, _ = kernel.run(LOOP)
    again = [json.loads(line) for line in said.splitlines()]
    assert error is None
    assert [row[1] for row in again] == ["max_steps"] * 3
    assert [row[2] for row in again[:2]] == [first[2], second[2]], "what was done is not done again"


QAOA = """
g = maxcut([(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 4), (4, 5), (5, 2), (3, 5)])
found = hybrid.qaoa(g, layers=4, backend="statevector", optimizer="adam", max_steps=800, accuracy=1e-14, samples=10)
print(found.folder, len(found.runs))
"""


def test_an_algorithm_ends_between_its_layers_and_goes_on(kernel, tmp_path):
    kernel.run(SLOWLY)
    said, error, took_s = kernel.run(QAOA, interrupt_when=begun(tmp_path, "runs/*/layers-2/journal.sqlite"))
    assert (said, error) == ("", "Stopped")
    assert took_s < 30
    first = tmp_path.joinpath(*next(tmp_path.glob("runs/*/layers-1/journal.sqlite")).parts)
    before = first.read_bytes()
    said, error, _ = kernel.run(QAOA)
    assert error is None
    folder, n_runs = said.split()
    assert n_runs == "4"
    assert first.is_relative_to(tmp_path / folder)
    assert first.read_bytes() == before


STAGES = {
    "qaoa": ("hybrid.qaoa(maxcut([(0, 1), (1, 2), (2, 0)]), layers=4, samples=4, {})", "layers-1", "layers-4"),
    "vqd": ("hybrid.vqd(hardware_efficient(2, layers=1), tfim(2), levels=2, {})", "level-0-start-0", "level-1-start-0"),
    "adapt": (
        "hybrid.adapt(tfim(2), pool=['YZ', 'ZY', 'YX', 'XY'], tolerance=1e-9, max_operators=4, {})",
        "operators-1",
        "operators-4",
    ),
    "classifier": ("hybrid.classifier(data, n_qubits=2, layers=1, {})", "training.sqlite", "predictions.json"),
}
"""For each algorithm a call, the stage in which it is interrupted, and one that must not begin then."""

SLOW_STEPS = """
import hybrid, json, time
import numpy as np
from circuits import hardware_efficient, maxcut, tfim
from hybrid.loop import optimize
at_once = optimize._standing
def slowly(*facts):
    time.sleep(0.1)
    return at_once(*facts)
optimize._standing = slowly
data = (np.array([[k % 7, k % 5] for k in range(24)], float), np.arange(24) % 2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_an_algorithm_ends_where_it_is_and_goes_on(kernel, tmp_path, name):
    call, stage, later = STAGES[name]
    if name == "classifier":
        pytest.importorskip("sklearn", reason="the extra 'learn' is not installed")
    options = "backend='reference', optimizer='adam', max_steps=50, accuracy=1e-14"
    cell = f"found = {call.format(options)}\nprint(found.folder)"
    assert kernel.run(SLOW_STEPS)[1] is None
    said, error, _ = kernel.run(cell, interrupt_when=begun(tmp_path, f"runs/*/{stage}"))
    assert (said, error) == ("", "Stopped")
    (folder,) = tmp_path.glob("runs/*")
    assert not (folder / later).exists()
    assert not (folder / "result.json").exists()
    kernel.run("optimize._standing = at_once")
    said, error, _ = kernel.run(cell)
    assert error is None
    assert said.strip() == str(folder.relative_to(tmp_path))
    assert (folder / "result.json").exists()
    assert len(list(tmp_path.glob("runs/*"))) == 1


BETWEEN = """
done = []
for seed in range(3):
    done.append(hybrid.minimize(ansatz, p, seed=seed, **(options | {"max_steps": 2})))
    print(done[-1].folder)
    if seed == 1 and first:
        open("between", "w").close()
        time.sleep(60)
"""


def test_an_interrupt_between_two_runs_ends_the_loop_and_nothing_is_done_again(kernel, tmp_path):
    kernel.run(SLOWLY + "first = True")
    said, error, _ = kernel.run(BETWEEN, interrupt_when=(tmp_path / "between").exists)
    assert error == "KeyboardInterrupt"
    before = said.split()
    assert len(before) == 2
    kernel.run("first = False")
    said, error, _ = kernel.run(BETWEEN)
    assert error is None
    assert said.split()[:2] == before
    assert len(begun(tmp_path)()) == 3
    said, _, _ = kernel.run(BETWEEN)
    assert not set(said.split()) & set(before), "a cell that was not interrupted begins anew"


def test_an_interrupted_loop_says_how_to_go_on_instead_of_a_traceback(kernel, tmp_path):
    kernel.run(SLOWLY)
    kernel.run(LOOP, interrupt_when=lambda: len(begun(tmp_path)()) == 1)
    assert len(kernel.traceback) == 1
    assert "running it again goes on" in kernel.traceback[0]


EXACT = """
import circuits.problems.exact as exact
def endless(*_):
    open("begun", "w").close()
    while True:
        time.sleep(0.01)
exact.lowest_eigenvalue = endless
import circuits.problems.problem
circuits.problems.problem.lowest_eigenvalue = endless
from qiskit.quantum_info import SparsePauliOp
hybrid.minimize(ansatz, SparsePauliOp("ZZZZ"), backend="reference")
"""


def test_an_exact_energy_is_interrupted_at_once(kernel, tmp_path):
    kernel.run(SLOWLY)
    _, error, took_s = kernel.run(EXACT, interrupt_when=(tmp_path / "begun").exists)
    assert error == "Stopped"
    assert took_s < 30
