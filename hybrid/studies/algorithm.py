"""From the sections of a study file to an algorithm that is ready to be predicted and carried out."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid import optimizers
from hybrid.runs.start import PREFIX
from hybrid.studies.algorithm_sections import AlgorithmSection
from hybrid.studies.fields import InputPath
from hybrid.studies.sections import Spec

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from circuits import Problem
    from hybrid.algorithms.algorithm import Algorithm

OF_THE_FOLDER = ("backend", "mitigation", "budget", "failover", "folder", "progress")
"""Arguments of an algorithm's function that say how it is carried out, not what is asked."""


def algorithm_of(
    spec: Spec, *, problem: "Problem | None", circuit: "QuantumCircuit | None", theta: Any
) -> "Algorithm[Any]":
    """The algorithm of a study's point.

    Args:
        spec: Its sections, with [algorithm].
        problem: Of the section, if the algorithm needs one.
        circuit: The same of the ansatz.
        theta: Starting point, for an algorithm that takes one.

    Raises:
        Refused: if the parts do not fit each other, or the data are unfit.
    """
    section = spec.algorithm
    assert section is not None
    works_on = [part for part in (circuit, problem) if part is not None]
    given = section.arguments() | _settings(spec, section)
    if section.takes_theta:
        given["theta"] = theta
    return _MAKERS[section.kind](works_on, given)


def _settings(spec: Spec, section: AlgorithmSection) -> dict[str, Any]:
    """The arguments that all algorithms share, as far as the file gives them."""
    given: dict[str, Any] = {"seed": spec.run.seed, "label": spec.run.label}
    if not section.minimizes:
        return given
    given["shots"] = spec.backend.shots
    named = spec.optimizer.model_fields_set
    given |= {key: getattr(spec.optimizer, key) for key in ("max_steps", "accuracy") if key in named}
    if "kind" in named or spec.optimizer.model_extra:
        given["optimizer"] = optimizers.get(**spec.optimizer.description)
    return given


def _complete(function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that a file gives, and the function's own defaults for the others."""
    usual = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not parameter.empty and name not in OF_THE_FOLDER
    }
    return usual | given


def _qaoa(works_on: list[Any], given: dict[str, Any]) -> "Algorithm[Any]":
    from hybrid.algorithms import qaoa

    if isinstance(start := given.get("start"), InputPath):
        given["start"] = f"{PREFIX}{Path(start).parent}"
    return qaoa.prepared(*works_on, **_complete(qaoa.qaoa, given))


def _vqd(works_on: list[Any], given: dict[str, Any]) -> "Algorithm[Any]":
    from hybrid.algorithms import vqd

    return vqd.prepared(*works_on, **_complete(vqd.vqd, given))


def _adapt(works_on: list[Any], given: dict[str, Any]) -> "Algorithm[Any]":
    from hybrid.algorithms import adapt

    return adapt.prepared(*works_on, **_complete(adapt.adapt, given))


def _classifier(works_on: list[Any], given: dict[str, Any]) -> "Algorithm[Any]":
    from hybrid.algorithms import classifier
    from hybrid.algorithms.table import read_table

    classes, columns = given.pop("classes", None), given.pop("columns", None)
    if isinstance(given["data"], InputPath):
        given["data"] = read_table(given["data"], classes=classes, columns=columns)
    return classifier.prepared(*works_on, **_complete(classifier.classifier, given))


def _evolution(works_on: list[Any], given: dict[str, Any]) -> "Algorithm[Any]":
    from hybrid.algorithms import evolution

    usual = _complete(evolution.real_time_evolution, given)
    return evolution.prepared(usual.pop("direction"), *works_on, **usual)


_MAKERS: dict[str, Callable[[list[Any], dict[str, Any]], "Algorithm[Any]"]] = {
    "adapt": _adapt,
    "classifier": _classifier,
    "evolution": _evolution,
    "qaoa": _qaoa,
    "vqd": _vqd,
}
