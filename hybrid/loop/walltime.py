"""When the scheduler will end this process."""

import os
import re
import subprocess
import time
from collections.abc import Mapping

from circuits.errors import Refused

END_TIME = "HYBRID_END_TIME"
"""Seconds since 1970 at which the process will be ended; set by the scripts of `hybrid submit`, or by hand."""


def end_time(environment: Mapping[str, str] = os.environ) -> float | None:
    """When this process will be ended, in seconds since 1970; None where nobody has set a limit.

    ``HYBRID_END_TIME`` says it, else Slurm's ``SLURM_JOB_END_TIME``; older Slurms, which do not set that, are asked.

    Args:
        environment: Environment variables.

    Raises:
        Refused: if a variable holds no number.
    """
    for variable in (END_TIME, "SLURM_JOB_END_TIME"):
        text = environment.get(variable, "")
        if text and not re.fullmatch(r"\d+(\.\d*)?", text):
            raise Refused(f"{variable}={text}: must be a number of seconds since 1970, as `date +%s` prints")
        if text:
            return float(text)
    job = environment.get("SLURM_JOB_ID")
    return None if job is None else _from_slurm(job)


def _from_slurm(job: str) -> float | None:
    """What `scontrol` says; None if it says nothing, as inside a container that only carries Slurm's variables."""
    try:
        output = subprocess.run(
            ["scontrol", "show", "job", job], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\bEndTime=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", output)
    return None if found is None else time.mktime(time.strptime(found[1], "%Y-%m-%dT%H:%M:%S"))
