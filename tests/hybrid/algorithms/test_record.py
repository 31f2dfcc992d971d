"""What all algorithms have in common: a folder in which they continue after a kill."""

import time

import pytest

import hybrid
from circuits import maxcut
from circuits.errors import Refused

SQUARE = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]

PROGRAM = """
import sys, time
import hybrid, hybrid.loop
from circuits import maxcut
from hybrid.loop.evaluator import Evaluator

evaluate = Evaluator.__call__

def slowly(self, points, number):
    time.sleep(0.05)
    return evaluate(self, points, number)

Evaluator.__call__ = slowly
hybrid.qaoa(maxcut({edges}), layers=3, backend="statevector", folder=sys.argv[1])
"""


def ask(folder, **change):
    return hybrid.qaoa(maxcut(SQUARE), **({"layers": 3, "backend": "statevector", "folder": folder} | change))


def test_killed_and_called_again_is_the_same_to_the_last_bit(tmp_path, start, wait_until):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(edges=SQUARE))
    folder = tmp_path / "killed"
    process = start(program, folder)
    wait_until((folder / "layers-2" / "journal.sqlite").exists, process)
    time.sleep(0.2)
    process.kill()
    assert process.wait() != 0
    assert (folder / "layers-1" / "result.json").exists()
    assert not (folder / "result.json").exists()
    finished = (folder / "layers-1" / "journal.sqlite").read_bytes()
    killed, whole = ask(folder), ask(tmp_path / "whole")
    assert (folder / "layers-1" / "journal.sqlite").read_bytes() == finished
    for ours, theirs in zip(killed.runs, whole.runs, strict=True):
        assert ours.history.same_bits(theirs.history)
    assert (killed.bits, killed.hits) == (whole.bits, whole.hits)
    assert killed.theta.tobytes() == whole.theta.tobytes()


def test_a_finished_algorithm_is_read(tmp_path, monkeypatch):
    done = ask(tmp_path)
    monkeypatch.setattr("hybrid.loop.run_to_end.evaluator", None)
    monkeypatch.setattr("backends.statevector.engine.Statevector.sample", None)
    again = ask(tmp_path)
    assert again.theta.tobytes() == done.theta.tobytes()
    assert str(again) == str(done)


def test_auto_is_chosen_once(tmp_path, monkeypatch):
    monkeypatch.setattr("hybrid.algorithms.carry_out.candidates", lambda backend: ["reference", "statevector"])
    ask(tmp_path, backend="auto", layers=1)
    monkeypatch.setattr("hybrid.algorithms.carry_out.rank", None)
    ask(tmp_path, backend="auto", layers=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layers": 2}, "layers differ"),
        ({"seed": 1}, "seed differ"),
        ({"optimizer": "adam"}, "optimizer differ"),
        ({"backend": "reference"}, "another backend"),
    ],
)
def test_other_arguments_are_refused(tmp_path, change, words):
    ask(tmp_path, layers=1)
    with pytest.raises(Refused, match=words):
        ask(tmp_path, **({"layers": 1} | change))


def test_another_problem_is_refused(tmp_path):
    ask(tmp_path, layers=1)
    with pytest.raises(Refused, match="hamiltonian"):
        hybrid.qaoa(maxcut([(0, 1), (1, 2), (2, 3), (3, 0)]), layers=1, backend="statevector", folder=tmp_path)


def test_the_folder_of_a_run_is_refused(tmp_path):
    done = ask(tmp_path, layers=1)
    with pytest.raises(Refused, match="holds a run already"):
        ask(done.runs[0].folder)
    with pytest.raises(Refused, match="holds an algorithm"):
        hybrid.resume(tmp_path)
