"""What was asked."""

import json
from typing import Any

from hybrid.report.page.html import Html, facts, section
from hybrid.runs.account import Account


def question(run: Account) -> Html:
    """Problem, ansatz, optimizer, accuracy, and what else decides the answer."""
    spec, circuit = run.record.spec, run.record.circuit
    work, study = spec.workload, spec.notes.get("study") or {}
    n_terms = len(run.record.hamiltonian)
    n_params = circuit.num_parameters
    pairs = [
        ("Problem", f"{spec.problem.name}: the lowest eigenvalue of {n_terms:,} Pauli terms on {_qubits(circuit)}"),
        ("Made from", settings(spec.problem.source)),
        ("Ansatz", settings(study["ansatz"]) if study.get("ansatz") else "a circuit that was given as it is"),
        ("Parameters", f"{n_params:,}; the run started from {_start(run)}"),
        ("Optimizer", settings(work.optimizer)),
        ("Accuracy", f"{work.accuracy:g} {run.unit}, in at most {work.max_steps:,} steps"),
        ("Shots", f"{work.shots:,} of each measured circuit" if work.shots else None),
        ("Asked of", backend(spec.backend.title, spec.backend.options)),
        ("Seed", work.seed),
        ("Data label", work.label),
        *((name, value if isinstance(value, str) else f"{value:g}") for name, value in run.values.items()),
    ]
    return section("Question", facts(pairs))


def settings(content: dict[str, Any]) -> str:
    """A section of a study file as text: its kind, then its settings."""
    others = {key: value for key, value in content.items() if key != "kind" and value is not None}
    told = ", ".join(f"{key} = {_short(value)}" for key, value in others.items())
    return ": ".join(part for part in (str(content.get("kind", "")), told) if part)


def backend(name: str, options: dict[str, Any]) -> str:
    """A backend with its options as text."""
    return settings({"kind": name, **options})


def _short(value: Any) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return said if len(said) <= 200 else said[:197] + "…"


def _qubits(circuit: Any) -> str:
    return f"{circuit.num_qubits} qubit" + ("s" if circuit.num_qubits != 1 else "")


def _start(run: Account) -> str:
    start = run.record.spec.notes.get("start")
    if isinstance(start, dict):
        return f"the end of the run {start.get('run', '?')}"
    return "angles that the record holds"
