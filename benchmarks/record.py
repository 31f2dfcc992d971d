"""Writing a measurement down: the numbers, with what they were measured on and with."""

import json
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hybrid.runs.provenance import provenance

RESULTS = Path(__file__).parent / "results"


def write(name: str, numbers: dict[str, Any]) -> Path:
    """Print the numbers and write ``results/NAME.json`` with machine, versions and commit; returns its path."""
    path = RESULTS / f"{name}.json"
    save(path, numbers)
    print(json.dumps(numbers, indent=1))
    return path


def save(path: Path, numbers: dict[str, Any], packages: Iterable[str] = ()) -> None:
    """Write the numbers with machine, versions and commit; ``packages`` are more distributions to name a version of."""
    path.parent.mkdir(exist_ok=True)
    made = provenance()
    made.pop("software", None)  # every installed distribution, of which the packages named here are those that count
    made["packages"] = dict(sorted((made["packages"] | _versions(packages)).items()))
    path.write_text(json.dumps({"numbers": numbers, "made": made | {"commit": commit()}}, indent=1) + "\n")


def commit() -> str:
    """The commit that was measured, marked if files have changed since."""
    git = ["git", "-C", str(Path(__file__).parent)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
    others = ["--untracked-files=no", "--", ":/", ":(exclude)results"]  # the results themselves are being written
    changed = subprocess.run([*git, "status", "--porcelain", *others], capture_output=True, text=True)
    return head.stdout.strip() + ("+changes" if changed.stdout.strip() else "")


def _versions(packages: Iterable[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
