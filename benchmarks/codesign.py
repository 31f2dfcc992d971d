"""Co-design: how right the derivatives and the analytic model are, how long it takes, and what it says of generations.

- *derivatives*: of the energy by every noise parameter of a device, against central differences in the parameter's
  logarithm, at 4 to 10 qubits; the largest relative difference of each.
- *model*: the part of the error that is noise by the analytic model and by trajectories of 12 qubits, with the standard
  error of the trajectories.
- *sizes*: CPU seconds of a comparison of four topologies at 20, 50 and 100 qubits, the least of the turns, and the
  errors that it finds.
- *generations*: three devices, each better than the one before in all: their errors must be in that order.
- *bottleneck*: the first limit of an application while the two-qubit error falls and all else stays: it must move.

    OMP_NUM_THREADS=1 python benchmarks/codesign.py
    python benchmarks/codesign.py --sizes 20 --turns 1 --json trial.json      # a rehearsal
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import record

import hybrid
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, tfim
from hybrid.codesign.engines import Density
from hybrid.codesign.sensitivity import elasticity

DEVICE = {
    "one_qubit_error": 3e-4,
    "two_qubit_error": 4e-3,
    "readout_error": 0.01,
    "readout_bias": 0.2,
    "t1": 200e-6,
    "t2": 150e-6,
    "one_qubit_s": 40e-9,
    "two_qubit_s": 100e-9,
    "crosstalk": 1e-3,
    "leakage": 5e-4,
}

TOPOLOGIES = ["line", "heavy-hex", "grid", "all-to-all"]

GENERATIONS = {"two_qubit_error": (8e-3, 4e-3, 1e-3), "readout_error": (0.02, 0.01, 0.004), "t1": (1e-4, 2e-4, 4e-4)}

STEP = 1e-4


def codesign(*args: Any, **options: Any) -> Any:
    """`hybrid.codesign` with its record in a folder that goes."""
    with tempfile.TemporaryDirectory() as folder:
        return hybrid.codesign(*args, folder=Path(folder) / "record", progress=False, **options)


def derivatives() -> dict[str, dict[str, float]]:
    """The relative difference of each derivative from central differences, by the number of qubits."""
    found = {}
    for n in (4, 6, 8, 10):
        problem, circuit = tfim(n), hardware_efficient(n, layers=2)
        device = hybrid.Device(n, "line", **DEVICE)
        theta = np.random.default_rng(n).uniform(-1, 1, circuit.num_parameters)
        engine, noise = Density(circuit, problem.hamiltonian, device, 0).at(theta), device.values()
        slopes = engine.gradient(noise)
        differences = {}
        for name in device.parameters():
            up, down = (engine.value({**noise, name: noise[name] * (1 + sign * STEP)}) for sign in (1, -1))
            difference, slope = (up - down) / (2 * STEP), elasticity(name, noise, slopes)[1]
            differences[name] = abs(slope - difference) / abs(difference)
        found[str(n)] = differences
    return found


def model() -> dict[str, dict[str, float]]:
    """The error that is noise, by trajectories and by the model, of circuits on 12 qubits."""
    ring, chain = tfim(12, periodic=True), heisenberg(12)
    cases = {
        "transverse Ising ring, 2 layers, heavy-hex": (ring, hamiltonian_variational(ring, layers=2), "heavy-hex"),
        "Heisenberg chain, 1 layer, line": (chain, hamiltonian_variational(chain, layers=1), "line"),
    }
    found = {}
    for name, (problem, circuit, topology) in cases.items():
        device = hybrid.Device(12, topology, **DEVICE)
        point = codesign(circuit, problem, device=device, method="trajectories", shots=1000, seed=1).points[0]
        found[name] = {
            "noise": point.noise,
            "standard_error": point.standard_error,
            "model": point.modelled - point.noiseless,
        }
    return found


def sizes(n_qubits: list[int], turns: int) -> dict[str, dict[str, Any]]:
    """CPU seconds of a comparison of topologies, and the errors that it finds."""
    found: dict[str, dict[str, Any]] = {}
    for n in n_qubits:
        problem = tfim(n, periodic=True)
        circuit = hamiltonian_variational(problem, layers=2)
        first = hybrid.Device(n, TOPOLOGIES[0], **DEVICE)
        spent = []
        for _ in range(turns):
            start = time.process_time()
            answer = codesign(circuit, problem, device=[first, *TOPOLOGIES[1:]], method="model")
            spent.append(time.process_time() - start)
        errors = {name: point.error for name, point in zip(TOPOLOGIES, answer.points, strict=True)}
        found[str(n)] = {"cpu_s": spent, "least_cpu_s": min(spent), "errors": errors}
        print(n, found[str(n)], flush=True)
    return found


def generations() -> dict[str, Any]:
    """Errors of three devices, each better than the one before, and whether they are in that order."""
    problem = tfim(6)
    devices = [
        hybrid.Device(
            6, "line", **DEVICE | {name: values[k] for name, values in GENERATIONS.items()}, name=f"device {k}"
        )
        for k in range(3)
    ]
    points = codesign(hamiltonian_variational(problem, layers=2), problem, device=devices).points
    errors = [point.error for point in points]
    return {"errors": errors, "in_order": errors == sorted(errors, reverse=True)}


def bottleneck() -> dict[str, str | None]:
    """What limits an application first, by the two-qubit error."""
    problem = tfim(4)
    circuit = hamiltonian_variational(problem, layers=2)
    vary = {"two_qubit_error": [1e-2, 3e-3, 1e-3, 3e-4]}
    points = codesign(circuit, problem, device=hybrid.Device(4, "line", **DEVICE), vary=vary).points
    return {point.name: point.limit for point in points}


def main() -> None:
    """All parts in turn, written after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[20, 50, 100])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write instead of results/codesign.json")
    asked = parser.parse_args()
    parts = {
        "derivatives": derivatives,
        "sizes": lambda: sizes(asked.sizes, asked.turns),
        "generations": generations,
        "bottleneck": bottleneck,
        "model": model,
    }
    numbers: dict[str, Any] = {"device": DEVICE}
    for name, part in parts.items():
        numbers[name] = part()
        print(name, numbers[name], flush=True)
        record.save(asked.json or record.RESULTS / "codesign.json", numbers, ["qiskit-aer", "jax"])


if __name__ == "__main__":
    main()
