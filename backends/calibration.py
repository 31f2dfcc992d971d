"""A short measurement of how fast a backend is on this machine: the numbers of its `Speed`, from probe circuits."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from backends.base import Backend, speed_name
from backends.cost import Footprint, Speed
from backends.machine import JOB_CORES, job_cores, own_cores
from backends.speed import keep, shipped
from circuits.secrets import is_hidden

PROBES = ((4, 1), (4, 8), (13, 2))
"""(qubits, layers) of the probe circuits."""

LARGEST = 2**16
"""Amplitudes of a probe, which decide for a density matrix with its 4^n of them."""

REPEATS = 5

SPREAD = 2.0
"""Of what is predicted from three probes."""


@dataclass(frozen=True)
class Probe:
    """One evaluation of one row, as work: the least that a footprint needs to know."""

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
    _time(backend, *probe(2, 1), derivative)  # what is loaded on first use is loaded now
    counted, first_s, row_s = [], [], []
    for n_qubits, layers in PROBES:
        circuit, observable = _fitting(backend, n_qubits, layers)
        counted.append(backend.footprint(Probe(circuit, (observable,), derivative)))
        first, row = _time(backend, circuit, observable, derivative)
        first_s.append(max(first - row, 0.0))
        row_s.append(row / counted[-1].values)
    name = speed_name(backend.capabilities(), counted[-1].kind, derivative=derivative)
    known = shipped(name)
    if known is not None and backend.library is None:  # some ways import a library, such as JAX, others none
        load = known.load
    if known is not None and len({one.kind for one in counted}) > 1:  # the probes went different ways
        times = row_s[-1] / known.row_s(counted[-1])
        speed = replace(known.times(overhead=times, cached=times, beyond=times), load=load, spread=SPREAD)
    else:
        speed = _speed(counted, first_s, row_s, load, known)
    keep(name, speed)
    return speed


def _speed(
    counted: list[Footprint], first_s: list[float], row_s: list[float], load: float, known: Speed | None
) -> Speed:
    """From the times of the probes, the third with more amplitudes, the second with more steps than the first."""
    steps, prepared = [one.n_steps for one in counted], [one.n_prepared for one in counted]
    step = max(row_s[1] - row_s[0], 0.0) / max(steps[1] - steps[0], 1.0)
    call = max(row_s[0] - steps[0] * step, 0.0)
    work = counted[2].passes * counted[2].amplitudes
    amplitude = max(row_s[2] - call - steps[2] * step, 0.0) / work
    first_step = max(first_s[1] - first_s[0], 0.0) / max(prepared[1] - prepared[0], 1.0)
    first = max(first_s[0] - prepared[0] * first_step, 0.0)
    far = None
    if known is not None and known.far is not None and known.amplitude:
        far = amplitude * known.far / known.amplitude  # no probe goes beyond the cache
    return Speed(call, step, amplitude, first, first_step, load, far, SPREAD)


def _can_be_made_apart(backend: Backend) -> bool:
    """Whether another process can make it from its name and options: it is not told secrets."""
    options = backend.origin.options if backend.origin is not None else {}
    return backend.origin is not None and not any(is_hidden(value) for value in options.values())


def _measured_apart(backend: Backend, derivative: bool) -> Speed:
    assert backend.origin is not None
    program = (
        "import os, sys, json, backends; from backends.calibration import measure; name, options, derivative, cores ="
        "json.loads(sys.argv[1]); os.sched_setaffinity(0, cores); found = measure(backends.get(name, **options), "
        "derivative=derivative); print(json.dumps(vars(found)))"
    )
    request = json.dumps([backend.origin.name, backend.origin.options, derivative, job_cores()])
    environment = {k: v for k, v in os.environ.items() if k != JOB_CORES}
    done = subprocess.run(
        [sys.executable, "-c", program, request], check=True, capture_output=True, text=True, env=environment
    )
    return Speed(**json.loads(done.stdout.splitlines()[-1]))


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
        circuit, observable = probe(n, layers)
        if backend.footprint(Probe(circuit, (observable,), derivative=False)).amplitudes <= LARGEST:
            return circuit, observable
    return probe(1, layers)


def probe(n_qubits: int, layers: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    """Layers of rotations and CNOTs on a chain, and the energy of a transverse-field Ising chain."""
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
    """Seconds of the first call on a new circuit, and the least of later ones: what else runs here only adds."""
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
    return first, min(seconds)
