"""Predicted and measured times of counting on devices that are imitated here.

Circuits of 2 to 14 qubits on twelve devices, each with the CPU seconds of one row of parameters, the least of several
calls, on a circuit that is ready, and of what is spent once, imports of libraries apart. The weights of
`backends/providers/counting.py` and its two speeds were fitted to the first 30; the last 12 are held out.

    OMP_NUM_THREADS=1 python benchmarks/counting.py                          # some two minutes
    OMP_NUM_THREADS=1 python benchmarks/counting.py --first 3 --json trial.json
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import record
import speeds
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import backends
from backends.calibration import Probe
from backends.cost import Speed
from backends.speed import speed, speed_name
from circuits import hamiltonian_variational, hardware_efficient, heisenberg, tfim

ERRORS: dict[str, Any] = {"one_qubit_error": 3e-4, "two_qubit_error": 5e-3, "readout_error": 0.01}
TIMES = {"one_qubit_s": 4e-8, "two_qubit_s": 2e-7}

DEVICES: dict[str, tuple[str, dict[str, Any]]] = {
    "20 qubits, all-to-all": ("device", speeds.MODELLED),
    "line, no T1 or T2": ("device", {"n_qubits": 14, "topology": "line", **ERRORS}),
    "line": ("device", {"n_qubits": 14, "topology": "line", "t1": 1e-4, "t2": 5e-5, **ERRORS, **TIMES}),
    "line, idle and crosstalk": (
        "device",
        {
            "n_qubits": 14,
            "topology": "line",
            "t1": 2e-4,
            "t2": 1e-4,
            "idle": True,
            "crosstalk": 1e-3,
            **ERRORS,
            **TIMES,
        },
    ),
    "heavy-hex": ("device", {"n_qubits": 30, "topology": "heavy-hex", "t1": 2e-4, **ERRORS, **TIMES}),
    "grid": (
        "device",
        {"n_qubits": 16, "topology": "grid", "two_qubit_error": 5e-3, "t1": 2e-4, "gates": ["rz", "sx", "x", "cx"]}
        | TIMES,
    ),
    **{
        f"ibm:fake_{name}": (f"ibm:fake_{name}", {})
        for name in ("manila", "guadalupe", "torino", "lima", "perth", "sherbrooke")
    },
}

CASES = (
    ("20 qubits, all-to-all", "ring4x3", 1000),
    ("20 qubits, all-to-all", "ring6x3", 4000),
    ("20 qubits, all-to-all", "qaoa8x3", 1000),
    ("20 qubits, all-to-all", "uccsdH2", 1000),
    ("20 qubits, all-to-all", "hea8x2", 200),
    ("20 qubits, all-to-all", "ring10x3", 300),
    ("20 qubits, all-to-all", "ring12x3", 100),
    ("line, no T1 or T2", "ring4x3", 1000),
    ("line, no T1 or T2", "hva8x6", 1000),
    ("line, no T1 or T2", "ring8x3", 4000),
    ("line, no T1 or T2", "hea12x4", 100),
    ("line, no T1 or T2", "dense6x100", 500),
    ("heavy-hex", "ring6x3", 1000),
    ("heavy-hex", "ring10x3", 200),
    ("heavy-hex", "uccsdH2", 4000),
    ("line, idle and crosstalk", "ring4x3", 1000),
    ("line, idle and crosstalk", "ring8x3", 1000),
    ("ibm:fake_manila", "ring4x3", 1000),
    ("ibm:fake_manila", "uccsdH2", 1000),
    ("ibm:fake_manila", "ring2x3", 4000),
    ("ibm:fake_guadalupe", "ring8x3", 1000),
    ("ibm:fake_guadalupe", "ring12x3", 100),
    ("ibm:fake_guadalupe", "hea8x2", 1000),
    ("ibm:fake_guadalupe", "qaoa8x3", 2000),
    ("ibm:fake_torino", "ring4x3", 1000),
    ("ibm:fake_torino", "ring6x3", 4000),
    ("ibm:fake_torino", "uccsdH2", 1000),
    ("ibm:fake_torino", "qaoa8x3", 1000),
    ("ibm:fake_torino", "ring10x3", 100),
    ("20 qubits, all-to-all", "qaoa14x4", 20),
    ("line", "tfim5x2", 500),
    ("line", "heisenberg7x1", 2000),
    ("grid", "hea5x3", 1000),
    ("grid", "heisenberg9x1", 1000),
    ("grid", "heisenberg9x1", 200),
    ("ibm:fake_lima", "hea5x3", 1000),
    ("ibm:fake_lima", "tfim5x2", 100),
    ("ibm:fake_perth", "heisenberg7x1", 1000),
    ("ibm:fake_perth", "hea5x3", 300),
    ("ibm:fake_sherbrooke", "tfim5x2", 1000),
    ("ibm:fake_sherbrooke", "heisenberg9x1", 100),
    ("line", "heisenberg9x1", 400),
)
"""Device, circuit (its family, qubits and layers), and shots of each measured circuit."""

FITTED = 30
"""So many of the cases, the first, were fitted to."""


def circuits() -> dict[str, Callable[[], tuple[QuantumCircuit, SparsePauliOp]]]:
    """What makes each circuit with its observable."""
    made = dict(speeds.cases())
    for n in (7, 9):
        made[f"heisenberg{n}x1"] = lambda n=n: _variational(heisenberg(n), 1)
    made["tfim5x2"] = lambda: _variational(tfim(5), 2)
    made["hea5x3"] = lambda: (hardware_efficient(5, layers=3), heisenberg(5).hamiltonian)
    return made


def _variational(problem: Any, layers: int) -> tuple[QuantumCircuit, SparsePauliOp]:
    return hamiltonian_variational(problem, layers=layers), problem.hamiltonian


def measured(backend: backends.Backend, circuit: QuantumCircuit, H: SparsePauliOp, shots: int) -> tuple[float, float]:
    """CPU seconds of one row of parameters, and of what is spent once before it."""
    theta = np.linspace(0.1, 1, circuit.num_parameters)
    start = time.process_time()
    evaluate = backend.prepare(circuit, H)
    evaluate(theta, None, shots, 0)
    first, rows = time.process_time() - start, []
    while len(rows) < 2 or (sum(rows) < 0.5 and len(rows) < 6):
        start = time.process_time()
        evaluate(theta + 0.01 * len(rows), None, shots, 0)
        rows.append(time.process_time() - start)
        if rows[0] > 10:
            break
    return min(rows), max(first - min(rows), 0.0)


def main() -> None:
    """All cases in turn, in this process, which counts once before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, help="only so many of the cases")
    parser.add_argument("--json", type=Path, help="where to write instead of results/counting.json")
    asked = parser.parse_args()
    made, found = circuits(), []
    measured(backends.get("ibm:fake_manila"), *made["ring2x3"](), shots=100)
    for k, (device, case, shots) in enumerate(CASES[: asked.first]):
        name, options = DEVICES[device]
        circuit, H = made[case]()
        backend = backends.get(name, **options)
        counted = backend.footprint(Probe(circuit, (H,), False, shots=shots))
        known = speed(speed_name(backend.capabilities(), counted.kind, derivative=False))
        assert isinstance(known, Speed)
        row_s, once_s = measured(backend, circuit, H, shots)
        one = {"device": device, "circuit": case, "shots": shots, "kind": counted.kind, "held_out": k >= FITTED}
        times = {"row_s": row_s, "predicted_row_s": known.row_s(counted)}
        times |= {"once_s": once_s, "predicted_once_s": known.compile_s(counted) - known.load}
        one |= {name: float(f"{seconds:.3g}") for name, seconds in times.items()}
        found.append(one)
        print(one, flush=True)
    ratios = np.array([one["predicted_row_s"] / one["row_s"] for one in found])
    within = int(np.sum((ratios >= 0.5) & (ratios <= 2)))
    record.save(asked.json or record.RESULTS / "counting.json", {"within_2": within, "cases": found}, ["qiskit-aer"])
    print(f"{within} of {len(found)} rows within a factor of two")


if __name__ == "__main__":
    main()
