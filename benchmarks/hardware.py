"""What the toolkit adds to a vendor's own primitive for the same job: wall time of expectation values, taken in turns.

The same circuit, parameters, groups of terms and shots three times: through the toolkit; by the primitive that the
vendor offers, with circuits transpiled by Qiskit and values summed up by hand; and as bare counts by the device's `run`
on circuits that are bound already. Preparation is done once on all sides and is not timed.

Beside that, five qubits of a snapshot of 133 against a snapshot of 5: the same evaluation, by its fastest round.

    python benchmarks/hardware.py
    python benchmarks/hardware.py --rounds 3 --devices generic
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import record
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit.primitives import BackendSamplerV2
from qiskit.providers import BackendV2
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import Pauli, PauliList, SparsePauliOp

import backends
from circuits import hardware_efficient, heisenberg, tfim

QUBITS, ROWS, SHOTS, FEW_SHOTS = 5, 4, 4096, 1000
LARGE, SMALL = "ibm:fake_torino", "ibm:fake_manila"


def generic() -> tuple[BackendV2, Any]:
    device = GenericBackendV2(QUBITS, seed=1)
    return device, BackendSamplerV2(backend=device)


def manila() -> tuple[BackendV2, Any]:
    from qiskit_ibm_runtime.executor_sampler import Sampler
    from qiskit_ibm_runtime.fake_provider import FakeManilaV2

    device = FakeManilaV2()
    return device, Sampler(mode=device)


DEVICES: dict[str, Callable[[], tuple[BackendV2, Any]]] = {"generic": generic, "ibm:fake_manila": manila}
"""Name to a device and its vendor's sampler."""


def by_hand(device: BackendV2, sampler: Any, circuit: QuantumCircuit, H: SparsePauliOp) -> Callable:
    """Expectation values as somebody writes them who has the vendor's primitive alone."""
    groups = H.group_commuting(qubit_wise=True)
    manager = generate_preset_pass_manager(1, backend=device, seed_transpiler=0)
    measured = [manager.run(in_basis(circuit, group.paulis)) for group in groups]

    def evaluate(rows: np.ndarray) -> np.ndarray:
        result = sampler.run([(one, rows) for one in measured], shots=SHOTS).result()
        energies = np.zeros(len(rows))
        for group, answer in zip(groups, result, strict=True):
            (bits,) = answer.data.values()
            for label, coefficient in group.to_list():
                z = "".join("Z" if letter != "I" else "I" for letter in label)
                energies += coefficient.real * np.reshape(bits.expectation_values(Pauli(z)), -1)
        return energies

    return evaluate


def bare(device: Any, circuit: QuantumCircuit, H: SparsePauliOp, rows: np.ndarray) -> Callable:
    """Counts of the same circuits, and nothing else."""
    manager = generate_preset_pass_manager(1, backend=device, seed_transpiler=0)
    measured = [manager.run(in_basis(circuit, group.paulis)) for group in H.group_commuting(qubit_wise=True)]
    bound = [one.assign_parameters(row) for row in rows for one in measured]
    return lambda: device.run(bound, shots=SHOTS).result().get_counts()


def in_basis(circuit: QuantumCircuit, paulis: PauliList) -> QuantumCircuit:
    """The circuit, measured so that each of the strings can be read off."""
    full = circuit.copy()
    for q in range(circuit.num_qubits):
        letters = {label[::-1][q] for label in paulis.to_labels()} - {"I"}
        if letters == {"Y"}:
            full.sdg(q)
        if letters & {"X", "Y"}:
            full.h(q)
    full.measure_all()
    return full


def compare(name: str, rounds: int) -> dict[str, Any]:
    device, sampler = DEVICES[name]()
    circuit, H = hardware_efficient(QUBITS, layers=2), heisenberg(QUBITS).hamiltonian
    rows = np.random.default_rng(1).uniform(-1, 1, (ROWS, circuit.num_parameters))
    prepared = backends.get(device, optimization_level=1).prepare(circuit, H)
    theirs = by_hand(device, sampler, circuit, H)
    sides: dict[str, Callable] = {
        "toolkit": lambda: prepared(rows, shots=SHOTS).values[:, 0],
        "vendor": lambda: theirs(rows),
        "bare": bare(device, circuit, H, rows),
    }
    values = {side: call() for side, call in sides.items()}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, call in sides.items():
            start = time.perf_counter()
            call()
            seconds[side].append(time.perf_counter() - start)
    times = {f"{side}_s": median(taken) for side, taken in seconds.items()}
    over = {f"over_{side}_percent": 100 * (median(ratios(seconds, side)) - 1) for side in ("vendor", "bare")}
    apart = float(np.max(np.abs(values["toolkit"] - values["vendor"])))
    return {**times, **over, "values_apart": apart, "rounds": rounds}


def few_of_many(rounds: int) -> dict[str, Any]:
    """An evaluation on five qubits of a large snapshot, and on a snapshot of five qubits."""
    circuit, H = hardware_efficient(QUBITS, layers=2), tfim(QUBITS).hamiltonian
    theta = np.random.default_rng(0).uniform(-1, 1, circuit.num_parameters)
    prepared = {name: backends.get(name).prepare(circuit, H) for name in (LARGE, SMALL)}
    seconds: dict[str, list[float]] = {name: [] for name in prepared}
    for call in prepared.values():
        call(theta, shots=FEW_SHOTS, seed=0)
    for k in range(rounds):
        for name, call in prepared.items():
            start = time.perf_counter()
            call(theta, shots=FEW_SHOTS, seed=k)
            seconds[name].append(time.perf_counter() - start)
    fastest = {f"{name}_s": min(taken) for name, taken in seconds.items()}
    return {**fastest, "ratio": min(seconds[LARGE]) / min(seconds[SMALL]), "shots": FEW_SHOTS, "rounds": rounds}


def ratios(seconds: dict[str, list[float]], side: str) -> list[float]:
    """Of the toolkit's time to another side's, round by round."""
    return [a / b for a, b in zip(seconds["toolkit"], seconds[side], strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--devices", nargs="+", choices=DEVICES, default=list(DEVICES))
    options = parser.parse_args()
    numbers = {name: compare(name, options.rounds) for name in options.devices}
    numbers["five qubits of 133"] = few_of_many(options.rounds)
    record.write("hardware", {"qubits": QUBITS, "rows": ROWS, "shots": SHOTS, **numbers})


if __name__ == "__main__":
    main()
