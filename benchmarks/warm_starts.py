"""Evaluations that starts from the registry save: the LiH curve point by point, and 20 random MaxCut graphs.

Every problem is minimized twice with the same settings: cold, from the ansatz's own start (Hartree-Fock; a linear
ramp), and warm, from a registry that holds the warm runs before it. The first of each series has none before it and is
left out. Evaluations are rows with their gradients. The energies that both come to are stored, too: a start in the
basin of another minimum is worth nothing if that lies higher.

    python benchmarks/warm_starts.py
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import networkx as nx
import record
from qiskit import QuantumCircuit

import hybrid
from circuits import Problem, maxcut, molecule, qaoa, uccsd

BONDS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6, 2.8)
"""Of LiH, angstrom."""

NODES = (12, 14)
"""Enough that hardly two of the random graphs are the same."""

GRAPHS = 20
DEGREE = 3
LAYERS = 3
ACCURACY = 1e-6


def lih() -> Iterable[tuple[str, Problem, QuantumCircuit]]:
    for bond in BONDS:
        problem = molecule(f"Li 0 0 0; H 0 0 {bond}", basis="sto-3g", active_space=(2, 5))
        yield f"{bond} angstrom", problem, uccsd(problem)


def graphs() -> Iterable[tuple[str, Problem, QuantumCircuit]]:
    for seed in range(GRAPHS):
        n = NODES[seed % len(NODES)]
        problem = maxcut(nx.random_regular_graph(DEGREE, n, seed=seed))
        yield f"{n} nodes, seed {seed}", problem, qaoa(problem, layers=LAYERS)


def series(workloads: Iterable[tuple[str, Problem, QuantumCircuit]], place: Path) -> dict[str, Any]:
    """Cold and warm runs of a series of workloads, with a registry of its own."""
    os.environ["HYBRID_REGISTRY"] = str(place / "registry.sqlite")
    rows = []
    for k, (title, problem, circuit) in enumerate(workloads):
        row: dict[str, Any] = {"problem": title}
        for way, theta in (("cold", None), ("warm", "registry")):
            found = hybrid.minimize(
                circuit,
                problem,
                theta=theta,
                backend="statevector",
                accuracy=ACCURACY,
                folder=place / f"{k}-{way}",
                progress=False,
            )
            row[way] = {
                "evaluations": found.evaluations,
                "energy": found.energy,
                "error": found.error,
                "status": found.status,
                "start": found.start.partition(", entry ")[0],
            }
        rows.append(row)
        print(title, row["cold"]["evaluations"], row["warm"]["evaluations"], row["warm"]["start"], flush=True)
    warm = rows[1:]
    lower = [row["warm"]["energy"] - row["cold"]["energy"] for row in warm]
    return {
        "unit": problem.unit,
        "cold_median": median(row["cold"]["evaluations"] for row in warm),
        "warm_median": median(row["warm"]["evaluations"] for row in warm),
        "saved_median": median(1 - row["warm"]["evaluations"] / row["cold"]["evaluations"] for row in warm),
        "warm_needs_more": sum(row["warm"]["evaluations"] > row["cold"]["evaluations"] for row in warm),
        "warm_ends_lower": sum(difference < -10 * ACCURACY for difference in lower),
        "warm_ends_higher": sum(difference > 10 * ACCURACY for difference in lower),
        "runs": rows,
    }


def main() -> None:
    numbers: dict[str, Any] = {"settings": {"optimizer": "lbfgs", "accuracy": ACCURACY, "layers": LAYERS}}
    for name, workloads in (("lih", lih()), ("maxcut", graphs())):
        with tempfile.TemporaryDirectory() as place:
            numbers[name] = series(workloads, Path(place))
    record.save(record.RESULTS / "warm_starts.json", numbers)
    for name in ("lih", "maxcut"):
        print(name, {key: value for key, value in numbers[name].items() if key != "runs"})


if __name__ == "__main__":
    main()
