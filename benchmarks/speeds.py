"""Measure the speeds that come with the package: many circuits on each backend, each number in one formula's words.

``python benchmarks/speeds.py measure`` times every way of every backend, each in a process of its own, on one thread
and in processor time, so that a machine that others use gives the numbers of a quiet one; it writes
``benchmarks/results/speeds.json``. ``python benchmarks/speeds.py fit`` counts the same circuits as the backends count
them now, fits `backends.cost.Speed` to them, and writes ``backends/speeds.json`` with this machine and the versions.
Where ``benchmarks/results/statevector.json`` has wall times of a quiet machine, these stand in place of large circuits.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from contest.workloads import Workload, build
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from scipy.optimize import nnls

import backends
from backends.calibration import Probe
from backends.cost import BEYOND, CACHED, Footprint, Speed
from backends.machine import machine
from backends.probe import rates
from backends.providers.counting import DENSITY_MATRIX, TRAJECTORIES
from backends.speed import speed_name
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, maxcut, molecule, qaoa, tfim, uccsd
from circuits.errors import Refused

RESULTS = Path(__file__).parent / "results" / "speeds.json"
SHIPPED = Path(backends.__file__).parent / "speeds.json"

MODELLED: dict[str, Any] = {
    "n_qubits": 20,
    "topology": "all-to-all",
    "one_qubit_error": 3e-4,
    "two_qubit_error": 5e-3,
    "readout_error": 0.01,
    "t1": 2e-4,
    "t2": 1.5e-4,
    "one_qubit_s": 4e-8,
    "two_qubit_s": 2e-7,
}
"""A device on which no circuit has to be routed."""

WAYS: tuple[tuple[str, dict[str, Any], int | None, bool], ...] = (
    ("statevector", {}, None, False),
    ("statevector", {}, None, True),
    ("statevector", {"precision": "single"}, None, False),
    ("statevector", {"precision": "single"}, None, True),
    ("statevector", {"executor": "xla"}, None, False),
    ("statevector", {"executor": "xla"}, None, True),
    ("statevector", {}, 1000, False),
    ("lightning", {}, None, False),
    ("lightning", {}, None, True),
    ("lightning", {"precision": "single"}, None, False),
    ("lightning", {"precision": "single"}, None, True),
    ("lightning", {}, 1000, False),
    ("aer", {}, None, False),
    ("aer", {"precision": "single"}, None, False),
    ("aer", {}, 1000, False),
    ("aer", {"method": "density_matrix"}, None, False),
    ("aer", {"method": "matrix_product_state"}, None, False),
    ("aer", {"method": "stabilizer"}, None, False),
    ("aer", {"method": "density_matrix", "noise": "fake_guadalupe"}, None, False),
    ("aer", {"method": "statevector", "noise": "fake_guadalupe"}, None, False),
    ("aer", {"method": "density_matrix", "noise": "fake_guadalupe"}, 1000, False),
    ("aer", {"method": "statevector", "noise": "fake_guadalupe"}, 1000, False),
    ("aer", {"method": "stabilizer"}, 1000, False),
    ("reference", {}, None, False),
    ("reference", {}, 1000, False),
    ("default.qubit", {}, None, False),
    ("default.qubit", {}, None, True),
    ("ibm:fake_guadalupe", {}, None, False),
    ("density", {"device": MODELLED}, None, False),
    ("density", {"device": MODELLED}, None, True),
    ("trajectories", {"device": MODELLED}, 200, False),
    ("device", MODELLED, 1000, False),
)
"""Name, options, shots, and whether gradients are asked for."""

JAX_S = 0.6
"""CPU time in which a fresh process imports JAX and what the engine compiles with it, at the rates of the shipped
probe; the load of its ways in XLA (median of seven)."""

QUIET = 16
"""Qubits from which on times of a quiet machine are taken, where there are some."""

QUIET_RESULTS = Path(__file__).parent / "results" / "statevector.json"

LIMIT_S = 3.0
"""A first call beyond which wider circuits are left out."""

LEAST_S = 1e-3
"""Of what is spent once: less is not told from noise."""

LARGEST = 2**23
"""Amplitudes."""


def cases() -> Iterator[tuple[str, Callable[[], tuple[QuantumCircuit, SparsePauliOp]]]]:
    """Names of circuits, and what makes each with its observable; narrow ones first in each family."""
    for n, layers in [*((n, 3) for n in (2, 4, 6, 8, 10, 12, 14, 16, 18, 20)), (6, 12), (10, 20), (14, 10), (18, 6)]:
        yield f"ring{n}x{layers}", lambda n=n, layers=layers: (_ring(n, layers), tfim(n).hamiltonian)
    for n, layers in ((8, 2), (12, 4), (16, 2), (20, 3)):
        yield f"hea{n}x{layers}", lambda n=n, layers=layers: (hardware_efficient(n, layers=layers), tfim(n).hamiltonian)
    for n, layers in ((8, 3), (14, 4), (18, 2)):
        yield f"qaoa{n}x{layers}", lambda n=n, layers=layers: _qaoa(n, layers)
    for n, layers in ((8, 6), (12, 8), (16, 4)):
        yield f"hva{n}x{layers}", lambda n=n, layers=layers: _variational(n, layers)
    for n, terms in ((6, 100), (10, 300), (14, 100)):
        yield f"dense{n}x{terms}", lambda n=n, terms=terms: (_ring(n, 2), _random_terms(n, terms))
    for n, gates in ((12, 150), (16, 100)):
        yield f"pairs{n}x{gates}", lambda n=n, gates=gates: (_pairs(n, gates), heisenberg(n).hamiltonian)
    yield "uccsdH2", lambda: _uccsd("H 0 0 0; H 0 0 0.7")
    yield "uccsdLiH", lambda: _uccsd("Li 0 0 0; H 0 0 1.6", active_space=(2, 5))
    yield "uccsdLiH12", lambda: _uccsd("Li 0 0 0; H 0 0 1.6")


def _ring(n: int, layers: int) -> QuantumCircuit:
    theta = ParameterVector("t", 2 * n * layers)
    circuit = QuantumCircuit(n)
    for k in range(layers):
        for q in range(n):
            circuit.ry(theta[2 * (k * n + q)], q)
            circuit.rz(theta[2 * (k * n + q) + 1], q)
        for q in range(n if n > 2 else n - 1):
            circuit.cx(q, (q + 1) % n)
    return circuit


def _pairs(n: int, gates: int) -> QuantumCircuit:
    rng, circuit, theta = np.random.default_rng(0), QuantumCircuit(n), ParameterVector("t", gates)
    for k in range(gates):
        a, b = map(int, rng.choice(n, 2, replace=False))
        (circuit.rx, circuit.ry, circuit.rz)[rng.integers(3)](theta[k], a)
        circuit.cz(a, b)
    return circuit


def _random_terms(n: int, terms: int) -> SparsePauliOp:
    rng = np.random.default_rng(1)
    return SparsePauliOp(["".join(rng.choice(list("IXYZ"), n)) for _ in range(terms)], rng.normal(size=terms))


def _qaoa(n: int, layers: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    problem = maxcut([tuple(map(int, edge)) for edge in nx.random_regular_graph(3, n, seed=1).edges])
    return qaoa(problem, layers=layers), problem.hamiltonian


def _variational(n: int, layers: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    problem = heisenberg(n)
    return hamiltonian_variational(problem, layers=layers), problem.hamiltonian


def _uccsd(geometry: str, **options: Any) -> tuple[QuantumCircuit, SparsePauliOp]:
    problem = molecule(geometry, basis="sto-3g", **options)
    return uccsd(problem), problem.hamiltonian


def _backend(name: str, options: dict[str, Any], n_qubits: int) -> backends.Backend:
    if name != "default.qubit":
        return backends.get(name, **options)
    import pennylane as qml

    return backends.get(qml.device("default.qubit", wires=n_qubits))


def time_way(name: str, options: dict[str, Any], shots: int | None, derivative: bool) -> list[dict[str, Any]]:
    """Times of all circuits that one way can do, in this process, which has computed nothing before."""
    start = time.process_time()
    _times(_backend(name, options, 2), _ring(2, 1), tfim(2).hamiltonian, shots, derivative)
    found: list[dict[str, Any]] = [{"case": "load", "first": time.process_time() - start}]
    if name == "statevector":
        import jax  # noqa: F401 - counted by `JAX_S`, not in the first circuit that XLA compiles
    slow = float("inf")
    for case, make in cases():
        try:
            circuit, observable = make()
            backend = _backend(name, options, circuit.num_qubits)
            footprint = backend.footprint(Probe(circuit, (observable,), derivative, shots=shots))
            if circuit.num_qubits >= slow or footprint.amplitudes > LARGEST:
                continue
            first, row = _times(backend, circuit, observable, shots, derivative)
        except Refused:
            continue
        found.append({"case": case, "first": first, "row": row})
        if first > LIMIT_S:
            slow = min(slow, circuit.num_qubits)
    return found


def _times(
    backend: backends.Backend, circuit: QuantumCircuit, observable: SparsePauliOp, shots: int | None, derivative: bool
) -> tuple[float, float]:
    """Processor seconds of the first call on a new circuit, preparation included, and the least of later ones."""
    theta = np.linspace(0.1, 1.0, circuit.num_parameters)
    start = time.process_time()
    f = _made(backend, circuit, observable, shots, derivative)
    f(theta)
    first, rows = time.process_time() - start, []
    while len(rows) < 2 or (len(rows) < 30 and sum(rows) < min(1.0, max(first, 0.2))):
        start = time.process_time()
        f(theta + 0.01 * (len(rows) + 1))
        rows.append(time.process_time() - start)
    return first, min(rows)


def _made(
    backend: backends.Backend, circuit: QuantumCircuit, observable: SparsePauliOp, shots: int | None, derivative: bool
) -> Callable[[np.ndarray], Any]:
    if derivative:
        both = backend.value_and_grad(circuit, observable, shots=shots)
        return lambda row: both(row)
    evaluate = backend.prepare(circuit, observable)
    return lambda row: evaluate(row, None, shots, 0)


def fit(
    footprints: Sequence[Footprint],
    first_s: Sequence[float | None],
    row_s: Sequence[float],
    disturbed: Sequence[bool],
    *,
    load: float,
) -> Speed:
    """The speed that comes nearest to the times in ratio, and the factor within which nine of ten lie.

    Rows that were disturbed count only for what is spent once.
    """
    calm = [k for k, not_used in enumerate(disturbed) if not not_used] or list(range(len(row_s)))
    rows = []
    for one in (footprints[k] for k in calm):
        work = one.passes * one.amplitudes * one.values
        share = float(np.clip(np.log(one.amplitudes / CACHED) / np.log(BEYOND / CACHED), 0, 1))
        rows.append([one.values, one.n_steps * one.values, work * (1 - share), work * share])
    (call, step, amplitude, far), row_ratios = _nearest(np.array(rows), np.array([row_s[k] for k in calm]))
    timed = [(one, first - row) for one, first, row in zip(footprints, first_s, row_s, strict=True) if first]
    once = np.maximum([seconds for _, seconds in timed], LEAST_S)
    prepared = np.array([[1.0, one.n_prepared] for one, _ in timed])
    (first, first_step), _ = _nearest(prepared, once) if timed else ((0.0, 0.0), None)
    spread = float(np.exp(np.quantile(np.abs(np.log(row_ratios)), 0.9)))
    return Speed(call, step, amplitude, first, first_step, load, far or None, max(round(1.3 * spread, 2), 1.5))


def _nearest(A: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients c >= 0 with A c near t in ratio, and the ratios (A c) / t."""
    A = A / t[:, None]
    scale = np.where(A.max(axis=0) > 0, A.max(axis=0), 1.0)
    weight, c = np.ones(len(t)), np.zeros(A.shape[1])
    for _ in range(40):
        c, _ = nnls(A / scale * weight[:, None], weight)
        ratio = np.maximum(A / scale @ c, 1e-3)
        off = np.where(np.abs(ratio - 1) > 1e-6, ratio, 1 + 1e-6)
        near = np.log(off) / (off - 1)  # of the logarithm, not the ratio
        weight = near / np.sqrt(np.maximum(np.abs(np.log(ratio)), 0.1))  # and of its size, not its square
    return c / scale, np.maximum(A / scale @ c, 1e-3)


def quiet_times() -> dict[tuple[str, str, bool], list[tuple[str, Callable[[], Any], float]]]:
    """Wall times of the engine and of Lightning: by backend, precision and whether with gradients; name, maker, s."""
    found: dict[tuple[str, str, bool], list[tuple[str, Callable[[], Any], float]]] = {}
    tasks = json.loads(QUIET_RESULTS.read_text())["numbers"]
    for task, contestant, name in (
        ("gradient", "statevector", "statevector"),
        ("energy", "statevector-energy", "statevector"),
        ("gradient", "lightning", "lightning"),
    ):
        for title, played in tasks[task].items():
            workload = Workload(**played["workload"])
            timed = played["contestants"].get(contestant, {}).get("min_s")
            if timed is None or workload.rows is not None or (workload.kind == "uccsd" and name == "lightning"):
                continue  # Lightning's own UCCSD is made of other gates there

            def make(workload: Workload = workload) -> tuple[QuantumCircuit, SparsePauliOp]:
                case = build(workload)
                return case.circuit, case.observable

            found.setdefault((name, workload.precision, task == "gradient"), []).append((title, make, timed))
    return found


def write_fit(measured: list[dict[str, Any]]) -> None:
    """Fit every speed, and write the file that comes with the package."""
    quiet = quiet_times()
    made = dict(cases()) | {case: make for ways in quiet.values() for case, make, _ in ways}
    known: dict[str, tuple[QuantumCircuit, SparsePauliOp]] = {}
    speeds: dict[str, Any] = {}
    for way in measured:
        name, options, shots, derivative = (way[key] for key in ("name", "options", "shots", "derivative"))
        groups: dict[str, list[tuple[str, Footprint, float | None, float, bool]]] = {}
        more = quiet.get((name, options.get("precision", "double"), derivative), []) if shots is None else []
        rows = [*way["rows"], *({"case": case, "row": row_s} for case, _, row_s in more)]
        for row in rows if "executor" not in options else way["rows"]:
            if row["case"] == "load":
                continue
            known.setdefault(row["case"], made[row["case"]]())
            circuit, observable = known[row["case"]]
            disturbed = bool(more) and "first" in row and circuit.num_qubits >= QUIET
            backend = _backend(name, options, circuit.num_qubits)
            counted = backend.footprint(Probe(circuit, (observable,), derivative, shots=shots))
            key = speed_name(backend.capabilities(), counted.kind, derivative=derivative)
            if counted.kind in (DENSITY_MATRIX, TRAJECTORIES):
                key = "*" + key[key.index(" |") :]
            groups.setdefault(key, []).append((row["case"], counted, row.get("first"), row["row"], disturbed))
        load = next(row["first"] for row in way["rows"] if row["case"] == "load")
        for key, group in groups.items():
            names, counted, first_s, row_s, disturbed = zip(*group, strict=True)
            own_load = (JAX_S if "in XLA" in key else 0.0) if name == "statevector" else load
            found = fit(counted, first_s, row_s, disturbed, load=own_load)
            speeds[key] = {k: float(f"{v:.3g}") if v is not None else None for k, v in asdict(found).items()}
            print(key, speeds[key])
            for case, one, row in zip(names, counted, row_s, strict=True):
                print(f"    {case:14} {row * 1e6:12.1f} us, times {found.row_s(one) * one.values / row:.2f}")
    SHIPPED.write_text(
        json.dumps(_here() | {"rates": asdict(rates()), "speeds": speeds}, indent=1, sort_keys=True) + "\n"
    )


def _here() -> dict[str, Any]:
    versions = {}
    for package in ("jaxlib", "numpy", "pennylane-lightning", "pennylane", "qiskit", "qiskit-aer"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "machine": machine(),
        "python": platform.python_version(),
        "versions": versions,
        "threads": "1, and 2 for states of 16 qubits or more",
    }


def main() -> None:
    """Measure, fit, or time one way for a process that measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fit", "way"))
    parser.add_argument("ways", nargs="*", type=int, help="numbers of ways in WAYS, to measure only these again")
    arguments = parser.parse_args()
    if arguments.what == "way":
        print(json.dumps(time_way(*WAYS[arguments.ways[0]])))
    elif arguments.what == "fit":
        write_fit(json.loads(RESULTS.read_text())["ways"])
    else:
        known = json.loads(RESULTS.read_text())["ways"] if arguments.ways else []
        found = {_title(way): way for way in known}
        for k in arguments.ways or range(len(WAYS)):
            command = [sys.executable, __file__, "way", str(k)]
            environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            rows = json.loads(done.stdout.splitlines()[-1])
            way = dict(zip(("name", "options", "shots", "derivative"), WAYS[k], strict=True)) | {"rows": rows}
            found[_title(way)] = way
            print(_title(way), len(rows), file=sys.stderr, flush=True)
            RESULTS.write_text(json.dumps(_here() | {"ways": list(found.values())}, indent=1) + "\n")


def _title(way: dict[str, Any]) -> str:
    return " ".join(str(way[key]) for key in ("name", "options", "shots", "derivative"))


if __name__ == "__main__":
    main()
