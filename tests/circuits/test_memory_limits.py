"""What a process may use: control groups as Linux shows them, its own limits, Slurm's grant."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from circuits import memory

MiB = 2**20


def group(folder: Path, **files) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"memory.{name}").write_text(f"{text}\n")


def process(folder: Path, groups: str, mounts: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup").write_text(groups)
    (folder / "mountinfo").write_text(mounts)
    return folder


def test_a_container_of_version_2(tmp_path):
    top = tmp_path / "cgroup"
    group(top, max="max", current=0, stat="inactive_file 0")
    stat = f"anon 5\ninactive_file {50 * MiB}"
    group(top / "job/step", max="max", high=800 * MiB, current=400 * MiB, stat=stat)
    group(top / "job", max=900 * MiB, current=700 * MiB, stat=stat)
    proc = process(tmp_path / "p", "0::/job/step\n", f"41 31 0:38 / {top} rw,relatime - cgroup2 cgroup2 rw\n")
    found = list(memory.control_groups(proc))
    assert [(limit.total_bytes, limit.free_bytes) for limit in found] == [
        (800 * MiB, 450 * MiB),
        (900 * MiB, 250 * MiB),
    ]


def test_a_job_of_version_1_beside_an_empty_version_2(tmp_path):
    one, two = tmp_path / "memory", tmp_path / "unified"
    none = 9223372036854771712
    group(one, limit_in_bytes=none, usage_in_bytes=10, stat="total_inactive_file 0")
    group(one / "slurm/job_7", limit_in_bytes=900 * MiB, usage_in_bytes=100 * MiB, stat="total_inactive_file 0")
    group(two)
    mounts = (
        f"35 31 0:32 / {one} rw,relatime - cgroup cgroup rw,memory\n30 31 0:30 / /x rw - cgroup cgroup rw,cpu\n"
        f"41 31 0:38 / {two} rw,relatime shared:3 - cgroup2 cgroup2 rw\n"
    )
    proc = process(tmp_path / "p", "4:memory:/slurm/job_7\n1:cpu:/\n0::/\n", mounts)
    (found,) = memory.control_groups(proc)
    assert (found.total_bytes, found.free_bytes) == (900 * MiB, 800 * MiB)


@pytest.mark.parametrize(("path", "root"), [("/docker/ab", "/docker/ab"), ("/", "/"), ("/../..", "/")])
def test_a_container_sees_its_group_as_the_root_of_the_mount(tmp_path, path, root):
    top = tmp_path / "memory"
    group(top, limit_in_bytes=900 * MiB, usage_in_bytes=0, stat="total_inactive_file 0")
    mounts = f"35 31 0:32 {root} {top} ro - cgroup cgroup rw,memory\n"
    proc = process(tmp_path / "p", f"4:memory:{path}\n", mounts)
    (found,) = memory.control_groups(proc)
    assert found.total_bytes == 900 * MiB


def test_a_system_without_control_groups(tmp_path):
    assert list(memory.control_groups(tmp_path / "nowhere")) == []


@pytest.mark.parametrize(
    ("variables", "granted"),
    [
        ({"SLURM_MEM_PER_NODE": "700"}, 700 * MiB),
        ({"SLURM_MEM_PER_CPU": "100", "SLURM_CPUS_ON_NODE": "6"}, 600 * MiB),
    ],
)
def test_what_slurm_granted(monkeypatch, variables, granted):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert memory.total_bytes() == granted
    assert 0 <= memory.free_bytes() <= granted - psutil.Process().memory_info().rss + 5 * MiB
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "0")  # the whole node
    monkeypatch.delenv("SLURM_MEM_PER_CPU", raising=False)
    assert memory.total_bytes() > granted


PROGRAM = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, resource.RLIM_INFINITY))
from circuits import memory
print(memory.total_bytes(), memory.free_bytes(), memory.tightest().name)
"""


def test_an_ulimit():
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    total, free, *name = done.stdout.split()
    assert int(total) == 900_000_000
    assert 0 < int(free) < 900_000_000
    assert name == ["ulimit", "-v"]
