"""The engine on a GPU: whether its numbers are right, how long it takes, and its memory, predicted and real.

Thirty random circuits of 4 to 14 qubits are computed in XLA on the GPU and on the processor (native kernels where they
are there) in both precisions, and values and gradients compared. Then a ring (two layers of rx, rz and cz, XXZ
observable) grows from 20 to 30 qubits, as far as the GPU's memory goes, one process for each size: first call, median
of later ones, predicted and real peak of memory. Lightning, Aer and TensorCircuit-NG do the same where they are there
for the GPU. All of it keeps to a budget of time: what it did not reach is stored as left out.

    python benchmarks/gpu.py --seconds 480
    python benchmarks/gpu.py --device cpu --circuits 4 --qubits 8 10 --json trial.json    # a rehearsal without a GPU
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import record
from contest.process import Left, Worker
from contest.rivals import PACKAGES
from contest.workloads import Workload, build

from backends import gpu

OURS = "statevector-xla"
RIVALS = ("lightning.gpu", "aer-gpu", "tensorcircuit")
TOLERANCE = {"double": 1e-9, "single": 2e-5}
"""Of values and derivatives, in sums of the absolute coefficients: about 1e5 roundings, and some hundred."""

ABSENT = ("not installed", "No module named", "needs a build", "needs the package")
"""Words of a rival that is not there, and need not be asked again."""

CHECK_SHARE = 0.4
"""Of the time, for the circuits that are compared."""

STORE_S = 5.0
"""Kept back at the end, seconds."""

CALLS = 3
NO_GPU = 2
"""Exit code where there is no GPU."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=480.0, help="time that all of it may take")
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu", help="cpu: a rehearsal")
    parser.add_argument("--circuits", type=int, default=30, help="random circuits to compare")
    parser.add_argument("--qubits", type=int, nargs="+", default=list(range(20, 31)), help="sizes of the ring")
    parser.add_argument("--json", type=Path, default=record.RESULTS / "gpu.json", help="where to store")
    parser.add_argument("--answer", nargs=2, metavar=("EXECUTOR", "PRECISION"), help=argparse.SUPPRESS)
    return parser.parse_args()


def random_circuits(count: int, precision: str) -> list[Workload]:
    """4 to 14 qubits; gates on random pairs and, every third time, layers of rotations and random pairs."""
    return [
        Workload("scattered", 4 + k % 11, 2, precision=precision, seed=k)  # type: ignore[arg-type]
        if k % 3 == 2
        else Workload("pairs", 4 + k % 11, 40, precision=precision, seed=k)  # type: ignore[arg-type]
        for k in range(count)
    ]


def answer(executor: str, precision: str, count: int) -> None:
    """Print value and gradient of each random circuit, one line of JSON each; the other side of `compared`."""
    import backends

    engine = backends.get("statevector", precision=precision, executor=executor)
    for workload in random_circuits(count, precision):
        case = build(workload)
        value, gradient = engine.value_and_grad(case.circuit, case.observable)(case.theta)
        print(json.dumps([float(value), np.asarray(gradient).tolist(), case.scale]), flush=True)


def compared(options: argparse.Namespace, until: float) -> dict[str, Any]:
    """Largest differences between the device and the processor, in sums of absolute coefficients."""
    from backends.statevector import native

    there = "native" if native.available() else "xla"
    sides = {
        (precision, executor, platform): answers(options.circuits, executor, precision, platform)
        for precision in TOLERANCE
        for executor, platform in (("xla", options.device), (there, "cpu"))
    }
    lines = {side: finished(process, until) for side, process in sides.items()}
    result: dict[str, Any] = {}
    for precision, tolerance in TOLERANCE.items():
        ours, (theirs, said) = lines[precision, "xla", options.device], lines[precision, there, "cpu"]
        pairs = list(zip(ours[0], theirs, strict=False))
        values = [abs(a[0] - b[0]) / a[2] for a, b in pairs]
        slopes = [float(np.max(np.abs(np.subtract(a[1], b[1])), initial=0.0)) / a[2] for a, b in pairs]
        result[precision] = {
            "against": f"{there} on the processor",
            "circuits": len(pairs),
            "left_out": options.circuits - len(pairs),
            "largest_difference_of_values": max(values, default=None),
            "largest_difference_of_gradients": max(slopes, default=None),
            "tolerance": tolerance,
            "agree": bool(pairs) and max(values + slopes) <= tolerance,
            "failed": ours[1] or said,
        }
    return result


def answers(count: int, executor: str, precision: str, platform: str) -> subprocess.Popen:
    words = ["--answer", executor, precision, "--circuits", str(count)]
    environment = os.environ | ({"JAX_PLATFORMS": "cpu"} if platform == "cpu" else {})
    return subprocess.Popen(
        [sys.executable, __file__, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finished(process: subprocess.Popen, until: float) -> tuple[list[Any], str]:
    """The answers that came in time, and the last words of a process that failed."""
    try:
        out, err = process.communicate(timeout=max(until - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        process.returncode = 0  # out of time is no failure
    whole = [line for line in out.splitlines(keepends=True) if line.endswith("\n")]
    last = err.strip().splitlines()[-1:] if process.returncode else []
    return [json.loads(line) for line in whole], "".join(last)[:300]


def steps(options: argparse.Namespace) -> Iterator[tuple[str, Workload]]:
    """What is measured, the most telling first: every second size in double precision, rivals, single, the others."""
    rivals = RIVALS if options.device == "gpu" else ()
    telling, others = options.qubits[::2], options.qubits[1::2]
    for precision, sizes, names in (
        ("double", telling, (OURS,)),
        ("double", telling, rivals),
        ("single", telling, (OURS,)),
        ("double", others, (OURS,)),
        ("single", telling, rivals),
        ("single", others, (OURS,)),
    ):
        for n in sizes:
            for name in names:
                yield name, Workload("ring", n, 2, precision=precision, device=options.device)  # type: ignore[arg-type]


def measured(name: str, workload: Workload, until: float, cache: str) -> dict[str, Any]:
    """First call, later calls and memory of one contestant in a process of its own, or why it left."""
    with used_bytes(workload.device) as used:
        try:
            worker = Worker(name, workload, limit_s=until - time.monotonic(), memory_share=0.9, cache=cache)

            def ask(do: str, **fields: int) -> dict[str, Any]:
                worker.limit_s = max(until - time.monotonic(), 0.1)
                return worker.ask(do, **fields)

            try:
                first = ask("first")
                seconds = []
                for k in range(CALLS):
                    if time.monotonic() + first["first_s"] > until:
                        break
                    seconds.append(ask("call", number=k, times=1)["seconds"])
                held = ask("memory")
            finally:
                worker.close()
        except Left as left:
            return {"failed": str(left)}
    spent = {"first_s": first["first_s"], "median_s": median(seconds) if seconds else None, "times_s": seconds}
    return {"value": first["value"], **spent, **held, "used_bytes": max(used) - min(used) if used else None}


@contextmanager
def used_bytes(device: str) -> Iterator[list[int]]:
    """What nvidia-smi sees in use on the first card, ten times a second; nothing on the processor."""
    used: list[int] = []
    if device == "cpu":
        yield used
        return
    query = ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "--loop-ms=100"]
    chosen = [f"--id={first}"] if (first := os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]) else []
    with subprocess.Popen(["nvidia-smi", *chosen, *query], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = process.stdout
        reader = threading.Thread(target=lambda: used.extend(int(line) * 2**20 for line in lines), daemon=True)
        reader.start()
        try:
            yield used
        finally:
            process.terminate()
            reader.join()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    start = time.monotonic()
    until = start + options.seconds - STORE_S
    numbers: dict[str, Any] = {
        "settings": {"seconds": options.seconds, "device": options.device, "calls": CALLS},
        "card": vars(gpu.first_card("the benchmark")) if options.device == "gpu" else None,
        "check": compared(options, start + CHECK_SHARE * options.seconds),
        "ring": {},
        "left_out": [],
    }
    with tempfile.TemporaryDirectory() as cache:
        absent: set[str] = set()
        for name, workload in steps(options):
            if name in absent:
                continue
            if time.monotonic() > until - STORE_S:
                numbers["left_out"].append(f"{name}, {workload.title}")
                continue
            print(f"{name}, {workload.title} ...", file=sys.stderr, flush=True)
            result = measured(name, workload, until, cache)
            numbers["ring"].setdefault(workload.title, {})[name] = result
            if any(words in result.get("failed", "") for words in ABSENT):
                absent.add(name)
            numbers["spent_s"] = time.monotonic() - start
            record.save(options.json, numbers, PACKAGES)  # after each, so that an interrupted run is not lost
    for rows in numbers["ring"].values():
        compare(rows)
    numbers["spent_s"] = time.monotonic() - start
    record.save(options.json, numbers, PACKAGES)
    return numbers


def compare(rows: dict[str, Any]) -> None:
    """Add to each rival how far its value is from the engine's."""
    ours = rows.get(OURS, {}).get("value")
    for name, row in rows.items():
        if name != OURS and ours is not None and "value" in row:
            row["difference"] = abs(float(row["value"]) - float(ours))


def has_gpu() -> bool:
    probe = "import jax; print(any(d.platform == 'gpu' for d in jax.devices()))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    return done.stdout.strip() == "True"


def main() -> int:
    options = arguments()
    if options.answer:
        answer(*options.answer, options.circuits)
        return 0
    if options.device == "gpu" and not has_gpu():
        print("JAX finds no GPU on this machine: install the extra cuda where there is one", file=sys.stderr)
        return NO_GPU
    if options.device == "gpu":  # one process after the other may take nearly all memory, and only what it needs
        os.environ |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "XLA_CLIENT_MEM_FRACTION": "0.95"}
    numbers = measure(options)
    print(json.dumps(numbers, indent=1))
    return 0 if all(one["agree"] for one in numbers["check"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
