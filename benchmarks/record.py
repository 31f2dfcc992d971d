"""Writing a measurement down: the numbers, with what they were measured on and with."""

import json
import subprocess
from pathlib import Path
from typing import Any

from hybrid.runs.provenance import provenance

RESULTS = Path(__file__).parent / "results"


def write(name: str, numbers: dict[str, Any]) -> Path:
    """Write ``results/NAME.json`` with machine, versions and commit; returns its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"numbers": numbers, "made": provenance() | {"commit": commit()}}, indent=1) + "\n")
    print(json.dumps(numbers, indent=1))
    return path


def commit() -> str:
    """The commit that was measured, marked if files have changed since."""
    git = ["git", "-C", str(Path(__file__).parent)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    changed = subprocess.run([*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True)
    return head.stdout.strip() + ("+changes" if changed.stdout.strip() else "")
