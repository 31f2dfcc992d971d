"""One piece of work in a process of its own: what it adds to the peak, and what was predicted.

The process imports the toolkit, builds the circuit and makes the backend; from there on its peak of resident memory
counts (VmHWM, which /proc/self/clear_refs sets back). What the work imports is in it.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import backends
import hybrid.routing.plan  # noqa: F401 - the toolkit, as whoever asks for a plan has imported it
from backends.batch import Batch
from backends.libraries import loaded_bytes
from footprints.works import CIRCUITS, Piece

HERE = Path(__file__).parent.parent


def measured(piece: Piece, limit_s: float = 120.0, *, bytecode: bool = True) -> dict[str, Any]:
    """Peak and prediction of a fresh process, or why there is none.

    Args:
        piece: The work.
        limit_s: Seconds for it.
        bytecode: Whether modules that Python has compiled before are found.

    Returns:
        With "status": "done" with "memory_bytes" and "predicted_bytes"; "over" the limit; or "failed" with a reason.
    """
    command = [sys.executable, "-m", "footprints.measure", json.dumps(piece.to_dict())]
    with TemporaryDirectory() as cache:  # nothing that another process compiled for XLA is found
        more = {"HYBRID_CACHE": cache} | ({} if bytecode else {"PYTHONPYCACHEPREFIX": cache})
        environment = os.environ | more | {"PYTHONPATH": str(HERE.parent)}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, cwd=HERE, env=environment)
        except subprocess.TimeoutExpired:
            return {"status": "over", "limit_s": limit_s}
    if done.returncode:
        return {"status": "failed", "reason": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def predicted(piece: Piece) -> dict[str, Any]:
    """What is predicted of it: "predicted_bytes", the part of it for its "library_bytes", and the "way"."""
    circuit, observable, rows = built(piece)
    batch = Batch(circuit, observable, rows, shots=piece.shots)
    work: Any = Asked(batch, piece.asked == "gradient", piece.calls)
    cost = backends.get(piece.backend, **piece.options).predict(work)
    return {
        "predicted_bytes": cost.memory_bytes,
        "library_bytes": loaded_bytes(cost.library),
        "way": cost.speed,
    }


def built(piece: Piece) -> tuple[QuantumCircuit, SparsePauliOp, np.ndarray]:
    """Circuit, observable and parameters of shape (rows, params)."""
    circuit, observable = CIRCUITS[piece.circuit](piece.size, piece.depth)
    return circuit, observable, 0.3 * np.random.default_rng(1).normal(size=(piece.rows, circuit.num_parameters))


def resident(what: str) -> int:
    """Bytes of this process: "VmRSS" now, "VmHWM" at most since `start`."""
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what))


def start() -> int:
    """Let the peak begin at what is resident now, and return that."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident("VmHWM")


def run(piece: Piece) -> dict[str, Any]:
    """Do the work here, then predict it."""
    circuit, observable, rows = built(piece)
    backends.get("statevector")
    before, begun = start(), time.perf_counter()
    _do(piece, backends.get(piece.backend, **piece.options), circuit, observable, rows)
    peak, seconds = resident("VmHWM"), time.perf_counter() - begun
    return {"status": "done", "memory_bytes": peak - before, "seconds": seconds} | predicted(piece)


class Asked:
    """A batch that is asked for so many times, or the gradients of its only observable."""

    def __init__(self, batch: Batch, derivative: bool, n_evaluations: int):
        self._batch, self.derivative, self.n_evaluations = batch, derivative, n_evaluations

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)


def _do(piece: Piece, backend: Any, circuit: QuantumCircuit, observable: SparsePauliOp, rows: np.ndarray) -> None:
    if piece.asked == "values":
        evaluate = backend.prepare(circuit, observable)
        for k in range(piece.calls):
            evaluate(rows + 0.01 * k, shots=piece.shots, seed=k)
    else:
        differentiate = backend.value_and_grad(circuit, observable, shots=piece.shots, seed=0)
        for k in range(piece.calls):
            differentiate(rows + 0.01 * k)


if __name__ == "__main__":
    print(json.dumps(run(Piece(**json.loads(sys.argv[1])))))
