"""How often the intervals that runs state hold the truth, on runs whose true energies are known.

Each run is a whole one, of 2 to 5 qubits, through `hybrid.minimize`; angles, problem and random numbers differ from run
to run. The truth comes from Qiskit's Statevector, from the density matrix of a noise model, from the closed form of a
synthetic device (see interval_coverage.py), from a long descent, or from the mean over many other runs.

400 statements are intervals at 95 %, of ten kinds. Apart from them stand bounds, which are to hold always, and the
estimate of what an optimizer has left, which never makes an interval by itself.

    python benchmarks/uncertainty_coverage.py
    python benchmarks/uncertainty_coverage.py --runs 5 --json trial.json    # a rehearsal
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import record
from interval_coverage import Synthetic, exponential, linear, quadratic
from qiskit.quantum_info import Statevector
from scipy.optimize import minimize

import backends
import hybrid
from backends.providers.device import Device
from circuits import Problem, hardware_efficient, heisenberg, tfim
from hybrid import Result, optimizers
from hybrid.runs.uncertainty import mean_over

RUNS = 40
"""Of each kind."""

SEEDS = 5
"""Runs that one mean over seeds is made of."""


@dataclass(frozen=True)
class Statement:
    """An interval, and what it ought to hold.

    Attributes:
        low: Lower end.
        high: Upper end.
        truth: The true value.
    """

    low: float
    high: float
    truth: float

    @property
    def held(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high


def run(seed: int, problem: Problem, *, layers: int = 1, steps: int = 1, **asked: Any) -> Result:
    """One whole run from random angles."""
    circuit = hardware_efficient(problem.n_qubits, layers=layers)
    theta = np.random.default_rng([7, seed]).uniform(-np.pi, np.pi, circuit.num_parameters)
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        return hybrid.minimize(
            circuit,
            problem,
            theta=theta,
            seed=seed,
            max_steps=steps,
            folder=folder,
            progress=False,
            **({"optimizer": "spsa", "exact": False} | asked),
        )


def problem_of(seed: int, least: int = 2) -> Problem:
    """One of at least so many qubits, and at most 5."""
    n = least + seed % (6 - least)
    return tfim(n, field=0.5 + 0.1 * (seed % 7)) if seed % 3 else heisenberg(n)


def true_energy(problem: Problem, theta: np.ndarray, layers: int = 1) -> float:
    """Of the circuit's state without noise, by Qiskit."""
    circuit = hardware_efficient(problem.n_qubits, layers=layers)
    return float(Statevector(circuit.assign_parameters(theta)).expectation_value(problem.hamiltonian).real)


def of_state(result: Result, truth: float) -> Statement:
    """The interval of the final state's energy."""
    stated = result.uncertainty
    assert stated is not None
    assert stated.low is not None
    assert stated.high is not None
    return Statement(stated.low, stated.high, truth)


def simulated(layers: int = 1, least: int = 2, **asked: Any) -> Callable[[int], Statement]:
    """Runs without noise, on a simulator; "backend" is a name and its options."""

    def statement(seed: int) -> Statement:
        problem, (name, options) = problem_of(seed, least), asked["backend"]
        backend = backends.get(name, **options)
        result = run(seed, problem, layers=layers, **(asked | {"backend": backend}))
        return of_state(result, true_energy(problem, result.theta, layers))

    return statement


def on_device(hardware: Callable[[int], Synthetic], *, shots: int, **options: Any) -> Callable[[int], Statement]:
    """Runs on a device whose noise mitigation takes away exactly."""

    def statement(seed: int) -> Statement:
        problem = problem_of(seed)
        result = run(seed, problem, backend=Device(hardware(problem.n_qubits), **options), shots=shots)
        return of_state(result, true_energy(problem, result.theta))

    return statement


@cache
def noise_model() -> Any:
    """Depolarizing gates on two qubits, and errors of measurement."""
    from qiskit_aer.noise import NoiseModel, ReadoutError, depolarizing_error

    model = NoiseModel(["rz", "sx", "x", "cz"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.02, 2), ["cz"])
    model.add_all_qubit_readout_error(ReadoutError([[0.97, 0.03], [0.06, 0.94]]))
    return model


def noisy(seed: int) -> Statement:
    """A noisy simulator with shots; what it would give for infinitely many is computed from its density matrix."""
    problem, device = problem_of(seed), backends.get("aer", noise=noise_model())
    result = run(seed, problem, backend=device, shots=200)
    circuit = hardware_efficient(problem.n_qubits, layers=1)
    told = device.prepare(circuit, problem.hamiltonian)(result.theta)
    assert not told.standard_errors.any()
    return of_state(result, float(told.values[0, 0]))


def stopped(seed: int) -> Statement | None:
    """An optimizer that is stopped early; asked is for the ground state, whose energy the run does not know.

    None where the run found a lower energy elsewhere, and said that its state bounds nothing.
    """
    problem = problem_of(seed)
    optimizer = ("lbfgs", optimizers.get("adam", learning_rate=0.1))[seed % 2]
    result = run(seed, problem, layers=2, steps=(20, 40, 80)[seed % 3], optimizer=optimizer, backend="statevector")
    assert result.uncertainty is not None
    ground = result.uncertainty.ground
    if ground.low is None or ground.high is None:
        return None
    return Statement(ground.low, ground.high, problem.exact_energy())


def left(seed: int) -> Statement | None:
    """How much lower the optimizer would have come, from where it was stopped; None where the run did not say."""
    problem = problem_of(seed)
    optimizer = ("lbfgs", optimizers.get("adam", learning_rate=0.1))[seed % 2]
    result = run(seed, problem, layers=2, steps=(20, 40, 80)[seed % 3], optimizer=optimizer, backend="statevector")
    assert result.uncertainty is not None
    part = next(part for part in result.uncertainty.parts if part.name == "optimizer")
    if part.below is None:
        return None
    circuit = hardware_efficient(problem.n_qubits, layers=2)
    slope = backends.get("statevector").value_and_grad(circuit, problem.hamiltonian)
    end = minimize(slope, result.theta, jac=True, method="BFGS", options={"maxiter": 5000, "gtol": 1e-10})
    return Statement(result.energy - part.below - 1e-9, result.energy + 1e-9, float(min(end.fun, result.energy)))


@cache
def population() -> tuple[float, ...]:
    """Energies of runs that differ in their seeds alone."""
    circuit_runs = range(10_000, 10_000 + SEEDS * RUNS)
    return tuple(_seeded(seed) for seed in circuit_runs)


def _seeded(seed: int) -> float:
    return run(seed, tfim(2), steps=3, backend="statevector", shots=100).energy


def seeds(seed: int) -> Statement:
    """The mean over seeds, from five of them; the truth is the mean over all that were drawn."""
    drawn = population()
    own = drawn[SEEDS * seed : SEEDS * (seed + 1)]
    others = [energy for k, energy in enumerate(drawn) if k // SEEDS != seed]
    interval = mean_over(own)
    assert interval.low is not None
    assert interval.high is not None
    return Statement(interval.low, interval.high, float(np.mean(others)))


INTERVALS: dict[str, Callable[[int], Statement | None]] = {
    "shots": simulated(backend=("statevector", {}), shots=200),
    "few shots": simulated(backend=("statevector", {}), shots=20),
    "noisy device": noisy,
    "readout corrected": on_device(lambda n: Synthetic(n, (0.04, 0.11)), shots=400, mitigation=["readout"]),
    "extrapolated, linear": on_device(lambda n: Synthetic(n, left=linear), shots=400, mitigation=["zne"]),
    "extrapolated, exponential": on_device(
        lambda n: Synthetic(n, left=exponential),
        shots=2000,
        mitigation={"zne": {"extrapolation": "exponential"}},
    ),
    "extrapolated, wrong curve": on_device(lambda n: Synthetic(n, left=quadratic), shots=2000, mitigation=["zne"]),
    "matrix product state, cut": simulated(
        layers=3, least=4, backend=("aer", {"method": "matrix_product_state", "max_bond_dimension": 2})
    ),
    "Pauli strings, cut": simulated(layers=2, accuracy=1.0, backend=("pauli", {"threshold": 0.03})),
    "several seeds": seeds,
}
"""Intervals at 95 %."""

BOUNDS: dict[str, Callable[[int], Statement | None]] = {
    "single precision": simulated(accuracy=0.01, backend=("statevector", {"precision": "single"})),
    "ground state, stopped early": stopped,
}
"""What is to hold always."""

ESTIMATES: dict[str, Callable[[int], Statement | None]] = {"left to the optimizer": left}
"""What is right to an order of magnitude."""

KINDS = INTERVALS | BOUNDS | ESTIMATES


def measure(kind: str, runs: Iterable[int]) -> dict[str, Any]:
    """How often the intervals of one kind hold the truth, and how wide they are beside the errors."""
    found = [KINDS[kind](seed) for seed in runs]
    said = [one for one in found if one is not None]
    errors = [abs((one.low + one.high) / 2 - one.truth) for one in said if np.isfinite(one.low + one.high)]
    halves = [(one.high - one.low) / 2 for one in said if np.isfinite(one.low + one.high)]
    return {
        "runs": len(found),
        "stated": len(said),
        "held": sum(one.held for one in said),
        "median_half_width": float(np.median(halves)),
        "median_error": float(np.median(errors)),
    }


def picture(kinds: dict[str, dict[str, Any]], path: Path) -> None:
    """Shares of intervals that hold the truth, with what chance explains of their distance from 95 %."""
    import matplotlib.pyplot as plt
    from scipy.stats import binom

    figure, ax = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
    names = [name for name in kinds if kinds[name]["stated"]]
    for y, name in enumerate(reversed(names)):
        n, held = kinds[name]["stated"], kinds[name]["held"]
        colour = "#1f5fa8" if name in INTERVALS else "#6b6b6b"
        if name in INTERVALS:
            low, high = binom.ppf([0.025, 0.975], n, 0.95) / n
            ax.plot([100 * low, 100 * high], [y, y], color="#c9d8ea", linewidth=9, solid_capstyle="butt", zorder=1)
        ax.plot(100 * held / n, y, "o", color=colour, zorder=2)
    ax.axvline(95, color="black", linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(names)), list(reversed(names)))
    ax.set_xlabel("intervals that hold the truth (%)")
    ax.set_title("Blue: stated at 95 %; bars: what chance explains. Grey: bounds and estimates", size=9)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def summary(kinds: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All intervals at 95 % together."""
    stated, held = (sum(one[key] for name, one in kinds.items() if name in INTERVALS) for key in ("stated", "held"))
    return {"stated": stated, "held": held / stated if stated else None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, help="of each kind")
    parser.add_argument("--only", nargs="+", default=None, help="kinds")
    parser.add_argument("--json", type=Path, default=record.RESULTS / "uncertainty_coverage.json")
    asked = parser.parse_args()
    start, kinds = time.process_time(), dict[str, Any]()
    for kind in asked.only or KINDS:
        before = time.process_time()
        kinds[kind] = found = measure(kind, range(asked.runs))
        wide = f"half width {found['median_half_width']:.1e}, error {found['median_error']:.1e}"
        held = f"{found['held']:>3} of {found['stated']}, {found['runs'] - found['stated']} said nothing"
        print(f"{kind:<28}{held}; {wide}; {time.process_time() - before:.0f} s", flush=True)
    together = summary(kinds)
    print(f"together, at 95 %: {together}; {time.process_time() - start:.0f} s of one core")
    record.save(asked.json, {"together": together, "kinds": kinds, "cpu_s": round(time.process_time() - start, 1)})
    picture(kinds, asked.json.with_suffix(".png"))


if __name__ == "__main__":
    main()
