"""What a minimization asks, in words that are the same in every process: who asks the same gets the same bits."""

from collections.abc import Mapping, Sequence
from typing import Any

from circuits.fingerprint import fingerprint
from hybrid.workload.workload import Workload

SETTINGS = ("optimizer", "accuracy", "max_steps", "seed", "shots", "label")
"""Of a workload, besides what is minimized."""


def question(work: Workload, settings: Sequence[str] = SETTINGS) -> dict[str, Any]:
    """The workload as JSON-able values, but for its starting point; circuit and Hamiltonian as their fingerprints.

    Args:
        work: The workload.
        settings: Names of those of its attributes that count; `SETTINGS`, or some of them.

    Returns:
        "problem", "hamiltonian" and "circuit", then a key for each setting.
    """
    return {
        "problem": work.problem.name,
        "hamiltonian": fingerprint(work.problem.hamiltonian),
        "circuit": fingerprint(work.circuit),
        **{key: work.optimizer.describe() if key == "optimizer" else getattr(work, key) for key in settings},
    }


def differing(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """The keys in which two questions differ.

    Args:
        kept: The question in a record; keys that only it has are not compared.
        asked: The question that is asked now.
    """
    return [key for key in asked if kept.get(key) != asked[key]]
