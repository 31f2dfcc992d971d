"""Pauli propagation: whether its estimates cover its errors, and how fast it is beside pauli-prop.

Coverage: 200 random circuits of six kinds on 6 to 11 qubits, cut by random thresholds and sometimes by weight, against
the statevector. Speed: the 127 qubits of Kim et al., Nature 618, 500 (2023), beside pauli-prop where that is installed.

    python benchmarks/pauli_propagation.py
    python benchmarks/pauli_propagation.py --cases 20 --json trial.json    # a rehearsal
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import record
from propagated import EAGLE, KINDS, kicked_ising, random_case, z_on
from qiskit import QuantumCircuit

import backends
from backends import Batch
from backends.simulators.pauli_rotations import pauli_rotations, strings

SEED = 2026
THRESHOLDS = (1e-3, 1e-4)


def coverage(n_cases: int) -> dict[str, Any]:
    """How often the estimate is at least the error, over the cases in which strings were dropped."""
    rng, engine = np.random.default_rng(SEED), backends.get("statevector")
    kinds, errors, biases, n_drawn = [], [], [], 0
    while len(errors) < n_cases:
        n_drawn += 1
        kind, circuit, observable = random_case(rng, int(rng.integers(6, 12)))
        weight = int(rng.integers(3, 7)) if rng.random() < 0.2 else None
        backend = backends.get("pauli", threshold=float(10 ** rng.uniform(-4, -1.5)), max_weight=weight)
        found = backend.submit(Batch(circuit, observable)).result()
        if found.bias[0, 0] == 0:
            continue
        kinds.append(kind)
        biases.append(found.bias[0, 0])
        errors.append(abs(found.values[0, 0] - engine.submit(Batch(circuit, observable)).result().values[0, 0]))
    error, bias = np.array(errors), np.array(biases)
    held = error <= bias + 1e-9
    some = error > 1e-12
    return {
        "cases": n_cases,
        "drawn": n_drawn,
        "held": float(np.mean(held)),
        "held_by_kind": {kind: float(np.mean(held[np.array(kinds) == kind])) for kind in KINDS if kind in kinds},
        "median_estimate_over_error": float(np.median(bias[some] / error[some])),
        "median_error": float(np.median(error)),
        "largest_error_over_estimate": float(np.max(error / bias)),
    }


def speed(steps: int, theta: float) -> dict[str, Any]:
    """<Z_62>: values, estimates and seconds of both."""
    circuit, observable = kicked_ising(theta, steps), z_on([62], EAGLE)
    numbers: dict[str, Any] = {}
    for threshold in THRESHOLDS:
        evaluate = backends.get("pauli", threshold=threshold).prepare(circuit, observable)
        start = time.process_time()
        found = evaluate([])
        seconds = time.process_time() - start
        numbers[f"threshold {threshold:g}"] = {
            "value": found.values[0, 0],
            "bias": found.bias[0, 0],
            "cpu_s": seconds,
            "one_propagation": once(circuit, observable, threshold),
            "pauli-prop": theirs(circuit, observable, threshold),
        }
    return numbers


def once(circuit: QuantumCircuit, observable: Any, threshold: float) -> dict[str, float]:
    """One propagation of ours, without an estimate of the error."""
    from backends.statevector import native

    rotations, terms = pauli_rotations(circuit), strings(observable)
    angles = np.ascontiguousarray(rotations.at(np.empty((1, 0)))[0])
    start = time.process_time()
    found = native.propagate(
        rotations.x, rotations.z, angles, rotations.free, *terms, threshold, 0, 2**20, True, False, 0
    )
    return {"value": found.value, "cpu_s": time.process_time() - start, "most_terms": found.most_terms}


def theirs(circuit: QuantumCircuit, observable: Any, threshold: float) -> dict[str, float] | str:
    """The same by pauli-prop, its Clifford gates taken out first, as its documentation does."""
    try:
        from pauli_prop import propagation
    except ImportError:
        return "not installed"
    start = time.process_time()
    clifford, rest = propagation.evolve_through_cliffords(with_cliffords(circuit))
    gates = propagation.circuit_to_rotation_gates(rest)
    prepared_s = time.process_time() - start
    start = time.process_time()
    found, _ = propagation.propagate_through_rotation_gates(observable, gates, 2**20, threshold, "h")
    seconds = time.process_time() - start
    visible = found.paulis.evolve(clifford, frame="h")
    seen = ~np.any(np.asarray(visible.x), axis=1)
    signs = np.where(np.asarray(visible.phase) == 2, -1.0, 1.0)
    return {
        "value": float(np.sum(np.real(found.coeffs)[seen] * signs[seen])),
        "prepared_cpu_s": prepared_s,
        "cpu_s": seconds,
        "terms": len(found),
    }


def with_cliffords(circuit: QuantumCircuit) -> QuantumCircuit:
    """RZZ of -pi/2 by gates that are Cliffords by name."""
    plain = QuantumCircuit(circuit.num_qubits)
    for instruction in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in instruction.qubits]
        if instruction.operation.name == "rzz":
            plain.cz(*qubits)  # diag(1, 1, 1, -1) is exp(i pi/4 ZZ) with an S+ turned on both, up to a phase
            plain.sdg(qubits[0])
            plain.sdg(qubits[1])
        else:
            plain.append(instruction.operation, qubits)
    return plain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--json", type=Path, default=record.RESULTS / "pauli_propagation.json")
    asked = parser.parse_args()
    numbers: dict[str, Any] = {"coverage": coverage(asked.cases), "kicked Ising, 127 qubits": {}}
    print(numbers["coverage"], flush=True)
    for steps, theta in ((5, 0.3), (5, 0.7), (5, np.pi / 4), (20, 0.3)):
        numbers["kicked Ising, 127 qubits"][f"{steps} steps, theta {theta:.4g}"] = speed(steps, theta)
        print(numbers["kicked Ising, 127 qubits"], flush=True)
    record.save(asked.json, numbers, packages=("pauli-prop",))


if __name__ == "__main__":
    main()
