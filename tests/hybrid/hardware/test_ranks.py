"""A study on hardware under MPI: only one rank sends jobs."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hybrid

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mpiexec") is None, reason="mpiexec is not on PATH")
@pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="mpi4py is not installed")
def test_two_ranks_send_each_job_once_and_end_with_the_bits_of_one(tmp_path):
    import filed

    runs, jobs = [], []
    for n_ranks in (1, 2):
        place = tmp_path / str(n_ranks)
        vendor = filed.Vendor(place / "vendor")
        (place / "study.toml").write_text(filed.STUDY.format(vendor=vendor.folder))
        launcher = ["mpiexec", "-n", str(n_ranks)] if n_ranks > 1 else []
        words = ["run", place / "study.toml", "--folder", place / "run", "--no-plot"]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{HERE}", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [*launcher, sys.executable, HERE / "filed.py", *words], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 3, done.stderr + done.stdout  # two steps do not converge
        runs.append(hybrid.resume(place / "run"))
        jobs.append(vendor.tags())
    alone, together = runs
    assert together.history.same_bits(alone.history)
    assert together.energy == alone.energy
    assert [len(set(tags)) for tags in jobs] == [len(tags) for tags in jobs] == [len(jobs[0])] * 2
    assert len(jobs[0]) > 5
