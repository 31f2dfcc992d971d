"""A run killed by SIGKILL at random moments and resumed has the history of an uninterrupted one, bit for bit."""

import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

import pytest

import hybrid
from circuits.errors import Refused
from hybrid import optimizers

sys.path.insert(0, str(Path(__file__).parent))
import killed_run

KILLS = int(os.environ.get("HYBRID_KILLS", "2"))
"""How often each run is killed; the continuous integration asks for ten."""

LIBRARIES = [
    "backends.statevector.engine",
    "hybrid.loop.minimize",
    "hybrid.optimizers",
    "jax",
    "optax.contrib",
    "qiskit.circuit.library",
    "scipy.optimize",
]
"""What runs import, which takes longer than they do: processes are forked from one that has imported it already."""


@pytest.fixture
def begin():
    """Start the run of a folder with an optimizer and a pause after each step, in seconds, in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)

    def started(*arguments):
        process = context.Process(target=killed_run.main, args=tuple(map(str, arguments)), daemon=True)
        process.start()
        return process

    return started


def exit_code(process):
    process.join()
    return process.exitcode


@pytest.mark.parametrize("optimizer", optimizers.names())
def test_killed_and_resumed_is_the_same_to_the_last_bit(optimizer, tmp_path, begin, wait_until):
    assert exit_code(begin(tmp_path / "whole", optimizer, 0)) == 0
    whole = hybrid.resume(tmp_path / "whole")
    rng = random.Random(optimizer)
    folder, interrupted = tmp_path / "killed", 0
    for _ in range(KILLS):
        process = begin(folder, optimizer, 0.025)  # some forty steps in a second
        wait_until((folder / "journal.sqlite").exists)
        time.sleep(rng.uniform(0.0, 1.0))
        process.kill()
        interrupted += exit_code(process) != 0
    assert interrupted > 0
    try:
        killed = hybrid.resume(folder)
    except Refused:  # killed before the folder was whole: nothing was lost, there was nothing yet
        assert not (folder / "spec.json").exists()
        assert exit_code(begin(folder, optimizer, 0)) == 0
        killed = hybrid.resume(folder)
    assert len(whole.history) > 5
    assert killed.history.same_bits(whole.history)
    assert killed.theta.tobytes() == whole.theta.tobytes()
    assert (killed.energy, killed.status) == (whole.energy, whole.status)
