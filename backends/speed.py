"""How fast each backend is on this machine: a short measurement, kept between sessions.

One row of parameters costs  t = call + passes (step + amplitudes * amplitude),  where a pass is one sweep over the
state (a gate, a group of terms of the observable; each backend counts its own, see `Footprint`). The times come from
probe circuits, for values and for gradients apart.
"""

import json
import os
import platform
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import platformdirs
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend
from backends.cores import JOB_CORES, job_cores, own_cores
from circuits.errors import RecordFailed

PROBES = ((4, 1), (4, 8), (13, 2))
"""(qubits, layers) of the probe circuits."""

LARGEST = 2**16
"""Amplitudes of a probe, which decide for a density matrix with its 4^n of them."""

COUNTS = 3
"""Raised when a backend counts its passes in another way, so that speeds from before are measured anew."""

REPEATS = 5


@dataclass(frozen=True)
class Speed:
    """Measured times of one backend on one machine, in seconds.

    Attributes:
        call: For each row of parameters, whatever its circuit.
        step: For each pass, whatever the size of the state.
        amplitude: For each pass and amplitude.
        first: Beyond all that, once for each new circuit (compilation).
        first_step: The same for each pass.
        load: Once for each process, to import the backend's library.
    """

    call: float
    step: float
    amplitude: float
    first: float
    first_step: float
    load: float

    def row_s(self, passes: float, amplitudes: float) -> float:
        """Predicted seconds for one row."""
        return self.call + passes * (self.step + amplitudes * self.amplitude)

    def compile_s(self, passes: float) -> float:
        """Predicted seconds before the first row."""
        return self.first + passes * self.first_step


@dataclass(frozen=True)
class _Probe:
    """The least that a footprint needs to know."""

    circuit: QuantumCircuit
    observables: tuple[SparsePauliOp, ...]
    derivative: bool
    n_rows: int = 1
    n_evaluations: int = 1
    precision: float | None = None
    shots: int | None = None


def stored(backend: Backend, *, derivative: bool) -> Speed | None:
    """The speed kept from an earlier measurement on this machine, or None."""
    entry = _read().get(_key(backend, derivative))
    try:
        numbers = {field.name: float(entry[field.name]) for field in fields(Speed)} if entry else None
    except (KeyError, TypeError, ValueError):
        numbers = None  # damaged from outside; it can be measured again
    return None if numbers is None else Speed(**numbers)


def measure(backend: Backend, *, derivative: bool) -> Speed:
    """Measure the backend's speed here and keep it.

    Args:
        backend: One that runs on this machine.
        derivative: Whether to time values with gradients or values alone.

    Returns:
        The speed; it is written to the user's cache folder, for every later session on this machine. Where ranks share
        the cores, a process of its own measures on all of them: what is chosen must not depend on the ranks.
    """
    if backend.origin is not None and own_cores() != job_cores():
        return _measured_apart(backend, derivative)
    load = _load_s(backend)
    _time(backend, *_probe(2, 1), derivative)  # what is loaded on first use is loaded now
    passes, amplitudes, first_s, row_s = [], [], [], []
    for n_qubits, layers in PROBES:
        circuit, observable = _fitting(backend, n_qubits, layers)
        footprint = backend.footprint(_Probe(circuit, (observable,), derivative))
        first, row = _time(backend, circuit, observable, derivative)
        passes.append(footprint.passes)
        amplitudes.append(footprint.amplitudes)
        first_s.append(max(first - row, 0.0))
        row_s.append(row)
    step = max(row_s[1] - row_s[0], 0.0) / max(passes[1] - passes[0], 1.0)
    call = max(row_s[0] - passes[0] * step, 0.0)
    amplitude = max(row_s[2] - call - passes[2] * step, 0.0) / (passes[2] * amplitudes[2])
    first_step = max(first_s[1] - first_s[0], 0.0) / max(passes[1] - passes[0], 1.0)
    first = max(first_s[0] - passes[0] * first_step, 0.0)
    speed = Speed(call, step, amplitude, first, first_step, load)
    keep(backend, speed, derivative=derivative)
    return speed


def keep(backend: Backend, speed: Speed, *, derivative: bool) -> None:
    """Write a speed to the user's cache folder; another process or thread never sees half a file.

    Raises:
        RecordFailed: if the folder cannot be written.
    """
    path = _path()
    scratch = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        entries = _read() | {_key(backend, derivative): asdict(speed)}
        scratch.write_text(json.dumps(entries, indent=1, sort_keys=True))
        scratch.replace(path)
    except OSError as err:
        raise RecordFailed(
            f"the measured speeds cannot be kept in {path} ({err.strerror}); "
            "set HYBRID_CACHE to a folder that can be written"
        ) from err


def _measured_apart(backend: Backend, derivative: bool) -> Speed:
    assert backend.origin is not None
    program = (
        "import os, sys, json, backends; from backends.speed import measure; name, options, derivative, cores ="
        "json.loads(sys.argv[1]); os.sched_setaffinity(0, cores); measure(backends.get(name, **options), derivative="
        "derivative)"
    )
    request = json.dumps([backend.origin.name, backend.origin.options, derivative, job_cores()])
    environment = {k: v for k, v in os.environ.items() if k != JOB_CORES}
    subprocess.run([sys.executable, "-c", program, request], check=True, capture_output=True, env=environment)
    speed = stored(backend, derivative=derivative)
    assert speed is not None
    return speed


def _load_s(backend: Backend) -> float:
    """Seconds that importing the backend's library takes in a fresh process."""
    if backend.library is None:
        return 0.0
    seconds = []
    for program in ("pass", f"import {backend.library}"):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return max(seconds[1] - seconds[0], 0.0)


def _fitting(backend: Backend, n_qubits: int, layers: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    """The largest probe, up to the given one, that the backend does in a moment: noise makes each gate costly."""
    can = backend.capabilities()
    for n in range(min(n_qubits, can.max_qubits or n_qubits, 8 if can.noise else n_qubits), 1, -1):
        circuit, observable = _probe(n, layers)
        if backend.footprint(_Probe(circuit, (observable,), derivative=False)).amplitudes <= LARGEST:
            return circuit, observable
    return _probe(1, layers)


def _probe(n_qubits: int, layers: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    theta = ParameterVector("t", 2 * n_qubits * layers)
    circuit = QuantumCircuit(n_qubits)
    for k in range(layers):
        for q in range(n_qubits):
            circuit.ry(theta[2 * (k * n_qubits + q)], q)
            circuit.rz(theta[2 * (k * n_qubits + q) + 1], q)
        for q in range(n_qubits - 1):
            circuit.cx(q, q + 1)
    bonds = [("ZZ", [q, q + 1], -1.0) for q in range(n_qubits - 1)]
    fields = [("X", [q], -1.0) for q in range(n_qubits)]
    return circuit, SparsePauliOp.from_sparse_list(bonds + fields, n_qubits)


def _time(backend: Backend, circuit: QuantumCircuit, observable: SparsePauliOp, derivative: bool):
    """Seconds of the first call on a new circuit, and the median of later ones."""
    theta = np.linspace(0.1, 1.0, circuit.num_parameters)
    start = time.perf_counter()
    f = backend.value_and_grad(circuit, observable) if derivative else backend.prepare(circuit, observable)
    f(theta)
    first = time.perf_counter() - start
    seconds = []
    for k in range(REPEATS):
        start = time.perf_counter()
        f(theta + 0.01 * (k + 1))
        seconds.append(time.perf_counter() - start)
        if sum(seconds) > 2.0:
            break
    return first, float(np.median(seconds))


def _key(backend: Backend, derivative: bool) -> str:
    can = backend.capabilities()
    kind = "gradient" if derivative else "value"
    return " | ".join((machine(), str(COUNTS), can.name, can.summary, can.precision, kind))


def machine() -> str:
    """Processor and number of cores that the job has: what a measured speed is valid for."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = models[0] if models else model
    return f"{model}, {len(job_cores())} cores"


def cache_folder() -> Path:
    """Where measurements and compiled programs are kept: HYBRID_CACHE, or the user's cache folder."""
    return Path(os.environ.get("HYBRID_CACHE", platformdirs.user_cache_path("hybrid")))


def _path() -> Path:
    return cache_folder() / "speeds.json"


def _read() -> dict:
    try:
        entries = json.loads(_path().read_text())
    except (OSError, ValueError):
        entries = None  # nothing was kept, or it was damaged from outside: it can be measured again
    return entries if isinstance(entries, dict) else {}
