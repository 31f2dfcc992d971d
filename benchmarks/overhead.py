"""What the toolkit itself costs: importing it, asking for help, and the loop around a 16-qubit simulation.

The starts are whole processes, in turn, with a bare interpreter as the yardstick. The loop's overhead is everything in
a run that is not an evaluation (optimizer, journal, bookkeeping): for each step, from runs of 20 and of 100 steps, and
once for each run.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import record

import hybrid
from circuits import hamiltonian_variational, hardware_efficient, tfim

REPEATS = 15


def seconds(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def starts() -> dict[str, dict[str, float]]:
    commands = {
        "python": (sys.executable, "-c", "pass"),
        "import hybrid": (sys.executable, "-c", "import hybrid"),
        "hybrid --help": (str(Path(sys.executable).with_name("hybrid")), "--help"),
    }
    for command in commands.values():
        seconds(*command)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            times[name].append(seconds(*command))
    return {name: {"median_s": median(t), "min_s": min(t), "max_s": max(t)} for name, t in times.items()}


CIRCUITS = {
    "hardware-efficient, 4 layers": (hardware_efficient(16, layers=4), tfim(16)),
    "examples/tfim16.toml": (hamiltonian_variational(tfim(16, periodic=True), layers=8), tfim(16, periodic=True)),
}


def around(name: str, backend: str, max_steps: int) -> tuple[float, float]:
    """Seconds of a run inside its evaluations, and outside them."""
    circuit, problem = CIRCUITS[name]
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        result = hybrid.minimize(circuit, problem, backend=backend, max_steps=max_steps, accuracy=1e-12, folder=run)
    s = result.seconds
    return s["evaluate"], s["optimize"] + s["record"] + s["other"]


def loop(name: str, backend: str) -> dict[str, float]:
    """What 80 more steps cost inside and outside of evaluations, and what any run costs once; medians of three."""
    rows = []
    for _ in range(3):
        short, long = around(name, backend, 20), around(name, backend, 100)
        inside, outside = long[0] - short[0], long[1] - short[1]
        rows.append((inside / 80, outside / 80, 100 * outside / inside, short[1] - outside / 4))
    columns = ("evaluation_s", "overhead_s_per_step", "overhead_percent", "overhead_s_once")
    return {column: median(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)}


if __name__ == "__main__":
    loops = {f"{name}, {backend}": loop(name, backend) for name in CIRCUITS for backend in ("lightning", "statevector")}
    record.write("overhead", {"starts": starts(), "loop, 16 qubits, L-BFGS": loops})
