"""What the toolkit itself costs: importing it, asking for help, and the loop around a 16-qubit simulation.

The starts are whole processes, in turn, with a bare interpreter as the yardstick. The loop's overhead is everything in
a run that is not an evaluation (optimizer, journal, bookkeeping), between the first evaluation and the last.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import record

import hybrid
from circuits import hardware_efficient, tfim

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


def loop(backend: str, layers: int, max_steps: int) -> dict[str, float]:
    problem = tfim(16)
    circuit = hardware_efficient(16, layers=layers)
    with tempfile.TemporaryDirectory() as folder:
        result = hybrid.minimize(
            circuit, problem, backend=backend, max_steps=max_steps, accuracy=1e-12, folder=Path(folder) / "run"
        )
    s = result.seconds
    around = s["optimize"] + s["record"] + s["other"]
    return {
        "evaluations": result.evaluations,
        "evaluate_s": s["evaluate"],
        "optimize_s": s["optimize"],
        "record_s": s["record"],
        "other_s": s["other"],
        "overhead_percent": 100 * around / s["evaluate"],
    }


if __name__ == "__main__":
    runs = {
        f"{backend}, {layers} layers": loop(backend, layers, 150)
        for backend, layers in (("lightning", 4), ("statevector", 4))
    }
    record.write("overhead", {"starts": starts(), "loop, TFIM 16 sites, L-BFGS, 150 steps": runs})
