"""Progress: one source, shown by a face that is given here instead of a terminal or a notebook."""

import subprocess
import sys
import threading

import pytest

import hybrid
from circuits import hardware_efficient, maxcut, tfim
from hybrid.terminal import cell, progress
from hybrid.terminal.progress import Progress


class Watched:
    """A face that keeps what it was asked to show."""

    next = 0.0

    def __init__(self):
        self.drawn, self.ended = [], []

    def draw(self, words, done, total):
        self.drawn.append((words, done, total))

    def end(self, words):
        self.ended.append(words)


@pytest.fixture
def face(monkeypatch):
    face = Watched()
    monkeypatch.setattr(progress, "_face", lambda: face)
    monkeypatch.setattr(progress, "REFRESH_S", 0.0)
    return face


def test_inner_work_is_shown_behind_the_outer(face):
    with Progress("sweep", 2) as outer:
        outer.update(0, "first")
        with Progress("pair", 3) as inner:
            inner.update(1, "-1.5 hartree")
    assert face.drawn[-1] == ("sweep: 0 of 2, first: pair: 1 of 3, -1.5 hartree", 1, 3)
    (ended,) = face.ended
    assert ended.startswith("sweep: ended, ")


def test_a_title_is_not_said_twice(face):
    with Progress("qaoa of pair") as outer:
        outer.update(0, "layers-1")
        with Progress("pair", 3) as inner:
            inner.update(1)
    assert face.drawn[-1][0] == "qaoa of pair: layers-1: 1 of 3"


def test_time_left_is_that_of_the_steps_after_the_first(face, monkeypatch):
    clock = iter([0.0, 100.0, 100.0, 100.0, 104.0, 104.0, 104.0, 104.0, 104.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with Progress("pair", 10) as work:
        work.update(1)  # took 100 s, compiling
        work.update(3)
    assert face.drawn[-1][0] == "pair: 3 of 10, at most 14 s left"


def test_it_is_drawn_no_more_often_than_allowed(face, monkeypatch):
    monkeypatch.setattr(progress, "REFRESH_S", 1000.0)
    with Progress("pair", 500) as work:
        for step in range(500):
            work.update(step)
    assert len(face.drawn) == 1


def test_what_is_not_to_be_shown_hides_what_is_in_it(face):
    with Progress("outer", shown=False), Progress("inner") as inner:
        inner.update(1)
    assert (face.drawn, face.ended) == ([], [])


def test_an_interrupt_is_told_by_the_last_line(face):
    with pytest.raises(KeyboardInterrupt), Progress("pair"):
        raise KeyboardInterrupt
    assert face.ended[0].startswith("pair: ended by KeyboardInterrupt, ")


def test_a_run_shows_its_energy_and_the_distance_from_exact(face, tmp_path):
    found = hybrid.minimize(hardware_efficient(2, layers=1), tfim(2), backend="reference", folder=tmp_path / "r")
    steps = [words for words, _, total in face.drawn if total == 200]
    assert f" of 200, {found.energy:.8f}" in steps[-1]
    assert "coupling, +" in steps[0]
    assert "from exact" in steps[0]
    assert face.ended[-1].startswith(f"TFIM, 2 sites: {found.status} after {found.steps} steps, {found.measured()}")


def test_a_run_without_progress_shows_none(face, tmp_path):
    ansatz = hardware_efficient(2, layers=1)
    hybrid.minimize(ansatz, tfim(2), backend="reference", folder=tmp_path / "r", progress=False)
    assert (face.drawn, face.ended) == ([], [])


def test_an_algorithm_ends_with_one_line_for_all_stages(face, tmp_path):
    square = maxcut([(0, 1), (1, 2), (2, 3), (3, 0)])
    hybrid.qaoa(square, layers=2, backend="statevector", folder=tmp_path / "q", samples=8)
    said = [words for words, *_ in face.drawn]
    assert any(words.startswith("qaoa of MaxCut, 4 nodes, 4 edges: layers-2: ") for words in said)
    assert len(face.ended) == 1


@pytest.mark.parametrize("variable", ["0", None])
def test_nobody_watches_a_pipe(variable, monkeypatch, tmp_path):
    code = "from hybrid.terminal.progress import _face; print(_face())"
    env = {} if variable is None else {progress.SWITCH: variable}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert said.stdout.strip() == "None"


def test_a_thread_is_not_watched():
    found = []
    thread = threading.Thread(target=lambda: found.append(cell.number()))
    thread.start()
    thread.join()
    assert found == [None]
