"""LiH with all twelve qubits and UCCSD (92 excitations): time to the converged minimum, backend against backend.

The whole minimization is timed, in turn on every backend. aer has no gradient of its own: one value is timed, and the
values that a parameter-shift gradient takes are counted. "target" is the first energy
within 1e-6 hartree of the minimum that a run with a hundred times the accuracy ends in.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import record

import backends
import hybrid
from backends.gradients.shift_rule import n_shifted
from circuits import molecule, uccsd

REPEATS = 3
WITHIN = 1e-6


def minimize(circuit, problem, backend: str, accuracy: float):
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = Path(folder) / "run"
        result = hybrid.minimize(circuit, problem, backend=backend, accuracy=accuracy, max_steps=300, folder=run)
        return time.perf_counter() - start, result


def main() -> None:
    problem = molecule("Li 0 0 0; H 0 0 1.6", basis="sto-3g")
    circuit = uccsd(problem)
    _, minimum = minimize(circuit, problem, "statevector", 1e-8)
    times = {name: [] for name in ("statevector", "lightning")}
    results = {}
    for _ in range(REPEATS):
        for name, seconds in times.items():
            took, results[name] = minimize(circuit, problem, name, WITHIN)
            seconds.append(took)
    numbers = {
        name: {
            "median_s": median(seconds),
            "min_s": min(seconds),
            "max_s": max(seconds),
            "evaluations": results[name].evaluations,
            "above_minimum_hartree": results[name].energy - minimum.energy,
            "evaluations_to_target": int(np.argmax(results[name].history.energy - minimum.energy < WITHIN)) + 1,
        }
        for name, seconds in times.items()
    }
    evaluate = backends.get("aer").prepare(circuit, problem.hamiltonian)
    evaluate(np.full(circuit.num_parameters, 0.01))
    start = time.perf_counter()
    evaluate(np.full(circuit.num_parameters, 0.02))
    numbers["aer"] = {"value_s": time.perf_counter() - start, "values_for_a_gradient": 1 + n_shifted(circuit)}
    numbers["lightning over statevector"] = median(times["lightning"]) / median(times["statevector"])
    numbers["minimum_hartree"] = minimum.energy
    numbers["exact_hartree"] = minimum.exact_energy
    record.write("lih", numbers)


if __name__ == "__main__":
    main()
