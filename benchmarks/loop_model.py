"""The model of a run's time, against runs: one rank and the latency of messages predict what two ranks take.

Runs on one rank, on one core, and on two ranks, on a core each, take turns; each prediction is made from a run on one
rank and from messages measured between two ranks in the same round. Two runs on one rank side by side, which do not
know of each other, show what two cores at work cost by themselves; the model says nothing of that. Medians, with the
range.

    python benchmarks/loop_model.py [--small] [--repeats 5] [--json FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import record

from hybrid.codesign.machine.messages import Messages, shared_by
from hybrid.codesign.machine.model import machine_model
from hybrid.codesign.machine.repeated import repeated

STUDY = """
[problem]
kind = "tfim"
n = {n}
[ansatz]
kind = "hardware_efficient"
layers = {layers}
[optimizer]
kind = "cma-es"
population = {population}
max_steps = {steps}
accuracy = 1e-9
[backend]
name = "statevector"
[run]
exact = false
"""

CASES = {
    "16 qubits, 16 rows at once": {"n": 16, "layers": 8, "population": 16, "steps": 12},
    "16 qubits, 5 rows at once": {"n": 16, "layers": 8, "population": 5, "steps": 24},
    "12 qubits, 16 rows at once": {"n": 12, "layers": 2, "population": 16, "steps": 60},
}
SMALL = {"11 qubits, 8 rows at once": {"n": 11, "layers": 2, "population": 8, "steps": 10}}

PARTS = ("simulator", "communication")
"""That ranks change."""


def begin(place: Path, study: Path, n_ranks: int, core: int) -> subprocess.Popen:
    launcher = ["mpiexec", "-n", str(n_ranks)] if n_ranks > 1 else ["taskset", "-c", str(core)]
    command = [*launcher, sys.executable, "-m", "hybrid", "run", str(study), "--folder", str(place), "--no-plot"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen) -> None:
    _, said = process.communicate()
    if process.returncode not in (0, 3):  # not converging is no failure here
        raise SystemExit(f"a run ended with {process.returncode}: {said}")


def messages() -> Messages:
    command = ["mpiexec", "-n", "2", sys.executable, "-m", "hybrid", "machine", "--json"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Messages(found["latency_s"], found["bandwidth_bytes_s"])


def evaluated_s(seconds: dict[str, float]) -> float:
    return sum(seconds[part] for part in PARTS)


def compare(case: dict[str, int], repeats: int, cores: list[int], folder: Path) -> dict[str, Any]:
    study, rounds = folder / "study.toml", []
    study.write_text(STUDY.format(**case))
    for k in range(repeats):
        places = {name: folder / f"{name}-{k}" for name in ("one", "two", "left", "right")}
        end(begin(places["one"], study, 1, cores[0]))
        end(begin(places["two"], study, 2, cores[0]))
        for process in [
            begin(places[name], study, 1, core) for name, core in zip(("left", "right"), cores, strict=False)
        ]:
            end(process)
        here = messages()
        models = {name: machine_model(place, messages=here) for name, place in places.items()}
        predicted = models["one"].with_(ranks=2)
        beside = max(evaluated_s(dict(models[name].seconds)) for name in ("left", "right"))
        one, two, said = (evaluated_s(dict(m.seconds)) for m in (models["one"], models["two"], predicted))
        shared = shared_by(places["one"], 2, here)
        rounds.append(
            {
                "one rank, measured_s": one,
                "two ranks, predicted_s": said,
                "two ranks, measured_s": two,
                "measured over predicted": two / said,
                "side by side over one rank": beside / one,
                "measured over predicted, corrected for two cores at work": two / (said * beside / one),
                "messages, predicted_s": shared.messages_s,
                "messages and waiting, measured_s": models["two"].seconds["communication"],
                "latency_s": here.latency_s,
                "bandwidth_bytes_s": here.bandwidth_bytes_s,
            }
        )
    return {name: repeated(one[name] for one in rounds).to_dict() for name in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="one small run, to try it")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="instead of results/loop_model.json")
    chosen = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("two cores are needed, and this process may use one")
    numbers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"HYBRID_CACHE": str(Path(scratch) / "cache"), "OMP_NUM_THREADS": "1"}
        for number, (name, case) in enumerate((SMALL if chosen.small else CASES).items()):
            place = Path(scratch) / str(number)
            place.mkdir()
            numbers[name] = found = compare(case, chosen.repeats, cores, place)
            told = {what: found[what]["median"] for what in found}
            print(
                f"{name:<28} two ranks: predicted {told['two ranks, predicted_s']:.3f} s, measured "
                f"{told['two ranks, measured_s']:.3f} s ({told['measured over predicted']:.2f} times; "
                f"{told['measured over predicted, corrected for two cores at work']:.2f} where side by side costs "
                f"{told['side by side over one rank']:.2f})",
                flush=True,
            )
            record.save(chosen.json or record.RESULTS / "loop_model.json", numbers, packages=("mpi4py", "mpich"))


if __name__ == "__main__":
    main()
