"""What a rank takes of its node."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid.ranks.launcher import detect_launch, device_settings, divide_cores


@given(st.sets(st.integers(0, 200), min_size=1), st.integers(1, 40))
def test_cores_are_divided_evenly(cores, n_ranks):
    found = divide_cores([frozenset(cores)] * n_ranks)
    sizes = [len(own) for own in found]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
    assert set().union(*found) == cores or n_ranks > len(cores)
    if n_ranks <= len(cores):
        assert sum(sizes) == len(cores)


def test_ranks_bound_by_the_launcher_keep_their_cores():
    assert divide_cores([frozenset({4, 5}), frozenset({0}), frozenset({2, 9})]) == [[4, 5], [0], [2, 9]]


def test_one_rank_without_a_launcher_and_on_the_cluster_s_first_node():
    assert detect_launch({}).size == 1
    assert detect_launch({"SLURM_NTASKS": "64"}).size == 1, "a batch script's own process is not one of its tasks"
    assert detect_launch({"SLURM_STEP_NUM_TASKS": "64", "SLURM_PROCID": "3"}).rank == 3
    detect_launch({"PMI_SIZE": "2", "PMI_RANK": "0"}).check(2, "MPICH")


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, ["0", "1", "2", "0"]),
        ({"CUDA_VISIBLE_DEVICES": "5,7"}, ["5", "7", "5", "7"]),
        ({"CUDA_VISIBLE_DEVICES": "6"}, [None] * 4),
        ({"CUDA_VISIBLE_DEVICES": ""}, [None] * 4),
    ],
)
def test_each_rank_has_one_device_of_its_node(environment, found):
    chosen = [device_settings(rank, 4, environment, ["0", "1", "2"]) for rank in range(4)]
    assert [settings.get("CUDA_VISIBLE_DEVICES") for settings in chosen] == found
    shared = [settings.get("XLA_PYTHON_CLIENT_MEM_FRACTION") for settings in chosen]
    assert shared == ([None] * 4 if found[0] is None else ["0.38"] * 4)


def test_a_single_rank_keeps_all_devices():
    assert device_settings(0, 1, {}, ["0", "1"]) == {}
