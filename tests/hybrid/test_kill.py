"""A run killed by SIGKILL at random moments and resumed has the history of an uninterrupted one, bit for bit."""

import os
import random
import time
from pathlib import Path

import pytest

import hybrid
from circuits.errors import Refused
from hybrid import optimizers

KILLS = int(os.environ.get("HYBRID_KILLS", "2"))
"""How often each run is killed; the continuous integration asks for ten."""

PROGRAM = Path(__file__).with_name("killed_run.py")


@pytest.mark.parametrize("optimizer", optimizers.names())
def test_killed_and_resumed_is_the_same_to_the_last_bit(optimizer, tmp_path, start, wait_until):
    assert start(PROGRAM, tmp_path / "whole", optimizer, 0).wait() == 0
    whole = hybrid.resume(tmp_path / "whole")
    rng = random.Random(optimizer)
    folder, interrupted = tmp_path / "killed", 0
    for _ in range(KILLS):
        process = start(PROGRAM, folder, optimizer, 0.025)  # some forty steps in a second
        wait_until((folder / "journal.sqlite").exists)
        time.sleep(rng.uniform(0.0, 1.0))
        process.kill()
        interrupted += process.wait() != 0
    assert interrupted > 0
    try:
        killed = hybrid.resume(folder)
    except Refused:  # killed before the folder was whole: nothing was lost, there was nothing yet
        assert not (folder / "spec.json").exists()
        assert start(PROGRAM, folder, optimizer, 0).wait() == 0
        killed = hybrid.resume(folder)
    assert len(whole.history) > 5
    assert killed.history.same_bits(whole.history)
    assert killed.theta.tobytes() == whole.theta.tobytes()
    assert (killed.energy, killed.status) == (whole.energy, whole.status)
