"""The statevector engine against Lightning's adjoint: value and gradient, in turn, in one process.

First calls (lowering, fusing and compiling included) and later ones are timed apart. The ratio is the rival's median
over the engine's; above one the engine is ahead.
"""

import os
import time
from statistics import median

import numpy as np
import record

import backends
from circuits import hardware_efficient, molecule, tfim, uccsd

REPEATS = 7


def compare(circuit, observable, precision: str, rows: int | None = None) -> dict[str, float]:
    rng = np.random.default_rng(1)
    theta = 0.3 * rng.normal(size=circuit.num_parameters if rows is None else (rows, circuit.num_parameters))
    functions, first, times = {}, {}, {"statevector": [], "lightning": []}
    for name in times:
        start = time.perf_counter()
        functions[name] = backends.get(name, precision=precision).value_and_grad(circuit, observable)
        functions[name](theta)
        first[name] = time.perf_counter() - start
    for k in range(REPEATS):
        for name, f in functions.items():
            start = time.perf_counter()
            f(theta + 0.01 * k)
            times[name].append(time.perf_counter() - start)
    return {
        "first_s": first["statevector"],
        "statevector_s": median(times["statevector"]),
        "statevector_min_s": min(times["statevector"]),
        "lightning_s": median(times["lightning"]),
        "lightning_min_s": min(times["lightning"]),
        "ratio_of_medians": median(times["lightning"]) / median(times["statevector"]),
        "ratio_of_minima": min(times["lightning"]) / min(times["statevector"]),
    }


def deep(layers: int) -> dict[str, float]:
    circuit = hardware_efficient(20, layers=layers)
    start = time.perf_counter()
    f = backends.get("statevector").value_and_grad(circuit, tfim(20).hamiltonian)
    theta = np.linspace(0, 1, circuit.num_parameters)
    f(theta)
    first = time.perf_counter() - start
    start = time.perf_counter()
    f(theta)
    return {"first_s": first, "statevector_s": time.perf_counter() - start}


def main() -> None:
    numbers: dict = {"cores": len(os.sched_getaffinity(0)), "load_at_start": os.getloadavg()[0]}
    for precision in ("double", "single"):
        for n in (12, 16, 20):
            circuit = hardware_efficient(n, layers=4)
            numbers[f"TFIM {n} qubits, 4 layers, {precision}"] = compare(circuit, tfim(n).hamiltonian, precision)
    geometry = {"LiH": "Li 0 0 0; H 0 0 1.6", "H2O": "O 0 0 0; H 0 0.757 0.587; H 0 -0.757 0.587"}
    for name, atoms in geometry.items():
        problem = molecule(atoms)
        numbers[f"UCCSD {name}, double"] = compare(uccsd(problem), problem.hamiltonian, "double")
    numbers["256 rows, 10 qubits, 6 layers, double"] = compare(
        hardware_efficient(10, layers=6), tfim(10).hamiltonian, "double", rows=256
    )
    numbers["20 qubits, 40 layers, double"] = deep(40)
    numbers["load_at_end"] = os.getloadavg()[0]
    record.write("statevector", numbers)


if __name__ == "__main__":
    main()
