"""The cores of this machine that the job has, and those that this process takes of them."""

import os

JOB_CORES = "HYBRID_JOB_CORES"
"""Cores of this node that all ranks of a job have together, as numbers with commas; set where ranks divided them."""


def job_cores() -> list[int]:
    """The cores that the job has on this node: more than this process may use, where ranks divided them."""
    listed = os.environ.get(JOB_CORES)
    return sorted(map(int, listed.split(","))) if listed else own_cores()


def own_cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0))
