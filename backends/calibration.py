"""A short measurement of how fast a backend is on this machine: the numbers of its `Speed`, from probe circuits."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend, speed_name
from backends.cost import Speed
from backends.machine import JOB_CORES, job_cores, own_cores
from backends.speed import keep, stored
from circuits.secrets import is_hidden

PROBES = ((4, 1), (4, 8), (13, 2))
"""(qubits, layers) of the probe circuits."""

LARGEST = 2**16
"""Amplitudes of a probe, which decide for a density matrix with its 4^n of them."""

REPEATS = 5


@dataclass(frozen=True)
class _Probe:
    """The least that a footprint needs to know."""

    circuit: QuantumCircuit
    observables: tuple[SparsePauliOp, ...]
    derivative: bool
    n_rows: int = 1
    n_evaluations: int = 1
    n_final: int = 0
    precision: float | None = None
    shots: int | None = None


def measure(backend: Backend, *, derivative: bool) -> Speed:
    """Measure the backend's speed here and keep it.

    Args:
        backend: One that runs on this machine.
        derivative: Whether to time values with gradients or values alone.

    Returns:
        The speed; it is written to the user's cache folder, for every later session on this machine. Where ranks share
        the cores, a process of its own measures on all of them: what is chosen must not depend on the ranks.
    """
    if _can_be_made_apart(backend) and own_cores() != job_cores():
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
    keep(speed_name(backend.capabilities(), derivative=derivative), speed)
    return speed


def _can_be_made_apart(backend: Backend) -> bool:
    """Whether another process can make it from its name and options: it is not told secrets."""
    options = backend.origin.options if backend.origin is not None else {}
    return backend.origin is not None and not any(is_hidden(value) for value in options.values())


def _measured_apart(backend: Backend, derivative: bool) -> Speed:
    assert backend.origin is not None
    program = (
        "import os, sys, json, backends; from backends.calibration import measure; name, options, derivative, cores ="
        "json.loads(sys.argv[1]); os.sched_setaffinity(0, cores); measure(backends.get(name, **options), derivative="
        "derivative)"
    )
    request = json.dumps([backend.origin.name, backend.origin.options, derivative, job_cores()])
    environment = {k: v for k, v in os.environ.items() if k != JOB_CORES}
    subprocess.run([sys.executable, "-c", program, request], check=True, capture_output=True, env=environment)
    speed = stored(speed_name(backend.capabilities(), derivative=derivative))
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
