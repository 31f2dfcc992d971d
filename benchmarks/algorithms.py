"""What the ready-made algorithms reach on small problems with known answers; draws docs/algorithms.png beside it."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import record

import hybrid
from circuits import hamiltonian_variational, hardware_efficient, maxcut, molecule, qaoa, tfim, uccsd
from hybrid.report.picture import ACCENT, INK, QUIET, Picture, finish

CHEMICAL_ACCURACY = 1.6e-3
PICTURE = Path(__file__).parents[1] / "docs" / "algorithms.png"
RANDOM_STARTS = 20


def run(ask: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return ask(*arguments, backend="statevector", folder=Path(folder) / "run", **options)


def of_qaoa(axes: Any) -> dict[str, Any]:
    """A cubic graph of 12 nodes, six layers; random starts; and its angles on graphs of another degree."""
    graph, layers = maxcut(nx.random_regular_graph(3, 12, seed=1)), 6
    found = run(hybrid.qaoa, graph, layers=layers)
    lowest = graph.exact_energy()
    rng, random = np.random.default_rng(0), []
    for _ in range(RANDOM_STARTS):
        theta = np.concatenate([rng.uniform(-np.pi / 4, np.pi / 4, layers), rng.uniform(-np.pi, np.pi, layers)])
        random.append(run(hybrid.minimize, qaoa(graph, layers=layers), graph, theta=theta))
    transferred = {}
    for degree in (3, 4, 5):
        other = maxcut(nx.random_regular_graph(degree, 12, seed=2))
        moved = run(hybrid.qaoa, other, layers=layers, start=found)
        before = moved.runs[0].history.energy[0] / other.exact_energy()
        transferred[str(degree)] = {"as_handed_on": before, "optimized": moved.ratio[-1]}
    ratios = [one.energy / lowest for one in random]
    depths = np.arange(1, layers + 1)
    axes.plot(np.full(len(ratios), layers), ratios, "o", ms=3, color=QUIET, label=f"{RANDOM_STARTS} random starts")
    axes.plot(depths, found.ratio, "o-", color=ACCENT, label="interpolated")
    axes.set(title="QAOA, cubic graph of 12", xlabel="layers", ylabel="approximation ratio")
    return {
        "ratio": found.ratio,
        "evaluations": sum(one.evaluations for one in found.runs),
        "random_starts": {"best": max(ratios), "median": float(np.median(ratios)), "worst": min(ratios)},
        "random_evaluations": float(np.mean([one.evaluations for one in random])),
        "best_cut": found.cut,
        "largest_cut": -lowest,
        "hits_in_1024": found.hits,
        "transferred": transferred,
    }


def of_vqd(axes: Any) -> dict[str, Any]:
    """Levels of a chain of four, and of hydrogen along its bond."""
    chain = run(hybrid.vqd, hardware_efficient(4, layers=4), tfim(4), levels=4)
    lengths, levels, exact = (0.5, 0.735, 1.0, 1.5, 2.0, 2.5), [], []
    for r in lengths:
        h2 = molecule(f"H 0 0 0; H 0 0 {r}")
        found = run(hybrid.vqd, uccsd(h2), h2, levels=4)
        levels.append(np.sort(found.energies))
        exact.append(found.exact)
    axes.plot(lengths, exact, "--", color=INK, lw=1)
    axes.plot(lengths, levels, "o", ms=4, color=ACCENT)
    axes.set(title="VQD, levels of H2", xlabel="bond (angstrom)", ylabel="energy (hartree)")
    return {
        "chain_errors": np.abs(chain.energies - chain.exact),
        "h2_largest_error": float(np.max(np.abs(np.array(levels) - np.array(exact)))),
    }


def of_adapt(axes: Any) -> dict[str, Any]:
    """LiH, two electrons in five orbitals, with both pools, against UCCSD."""
    lih, numbers = molecule("Li 0 0 0; H 0 0 1.6", active_space=(2, 5)), {}
    for pool, colour in (("fermionic", ACCENT), ("qubit", QUIET)):
        found = run(hybrid.adapt, lih, pool=pool, max_operators=12)
        errors = np.array([one.error for one in found.runs])
        axes.semilogy(np.arange(len(errors)), errors, "o-", ms=4, color=colour, label=f"{pool} pool")
        numbers[pool] = {
            "operators": len(found.chosen),
            "error_hartree": errors[-1],
            "operators_to_chemical_accuracy": int(np.argmax(errors < CHEMICAL_ACCURACY)),
            "status": found.status,
        }
    axes.axhline(CHEMICAL_ACCURACY, ls="--", lw=1, color=INK, label="chemical accuracy")
    axes.set(title="ADAPT-VQE, LiH (2, 5)", xlabel="operators", ylabel="error (hartree)")
    return numbers | {"uccsd_parameters": uccsd(lih).num_parameters}


def of_classifier(axes: Any) -> dict[str, Any]:
    """Three data sets, five seeds each: every seed holds out other rows."""
    numbers = {}
    for place, data in enumerate(("breast_cancer", "iris", "wine")):
        found = [run(hybrid.classifier, data, seed=seed) for seed in range(5)]
        numbers[data] = {
            key: [getattr(one, key) for one in found] for key in ("accuracy", "train_accuracy", "baseline", "chance")
        }
        for key, shift, colour in (("accuracy", -0.1, ACCENT), ("baseline", 0.1, QUIET)):
            label = {"accuracy": "circuit", "baseline": "logistic regression"}[key] if not place else None
            axes.plot(np.full(5, place + shift), numbers[data][key], "o", ms=4, color=colour, label=label)
        axes.plot([place - 0.2, place + 0.2], [np.mean(numbers[data]["chance"])] * 2, "--", color=INK, lw=1)
    axes.set(
        title="Classifier, 5 seeds (dashed: chance)", ylabel="accuracy held out", xlim=(-0.5, 2.5), ylim=(0.2, 1.02)
    )
    axes.set_xticks(range(3), ["breast cancer", "iris", "wine"])
    return numbers


def of_real_time(axes: Any) -> dict[str, Any]:
    """A quench of six spins, with growing depth."""
    problem, numbers = tfim(6), {}
    for layers, colour in ((2, QUIET), (4, INK), (6, ACCENT)):
        circuit = hamiltonian_variational(problem, layers=layers)
        start = np.zeros(circuit.num_parameters)
        found = run(hybrid.real_time_evolution, circuit, problem, time=2.0, theta=start)
        axes.semilogy(found.times[1:], 1 - found.fidelities[1:], color=colour, label=f"{layers} layers")
        numbers[str(layers)] = {
            "infidelity": 1 - found.fidelities[-1],
            "drift": found.drift,
            "distance": float(np.sqrt(2 - 2 * np.sqrt(found.fidelities[-1]))),
            "distance_bound": found.distance_bound,
        }
    axes.set(title="Real time, quench of 6 spins", xlabel="time", ylabel="infidelity")
    return numbers


def of_imaginary_time(axes: Any) -> dict[str, Any]:
    """Cooling of a chain of four from a random start."""
    problem = tfim(4)
    found = run(hybrid.imaginary_time_evolution, hardware_efficient(4, layers=3), problem, time=8.0)
    axes.semilogy(found.times, found.energies - found.exact_energy, color=ACCENT)
    axes.set(title="Imaginary time, 4 spins", xlabel="time", ylabel="energy above the lowest")
    return {
        "error": found.energy - found.exact_energy,
        "worst_fidelity_with_exact_evolution": float(np.min(found.fidelities)),
    }


def main() -> None:
    figure = Picture(figsize=(11, 6.4), layout="constrained")
    panels = figure.subplots(2, 3).ravel()
    parts = (of_qaoa, of_vqd, of_adapt, of_classifier, of_real_time, of_imaginary_time)
    numbers = {}
    for part, axes in zip(parts, panels, strict=True):
        numbers[part.__name__.removeprefix("of_")] = part(axes)
        finish(axes)
    figure.savefig(PICTURE, dpi=110)
    plain = {
        key: {k: np.asarray(v).tolist() if not isinstance(v, dict) else v for k, v in one.items()}
        for key, one in numbers.items()
    }
    record.write("algorithms", plain)


if __name__ == "__main__":
    main()
