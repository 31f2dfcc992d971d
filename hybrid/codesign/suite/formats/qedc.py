"""QED-C's format: one file of all applications for each backend, which qedclib 2.0 and its forerunner plot.

A file holds parallel lists, an entry for each width (and, where sizes have layers, for each of those). As in QED-C's
own files a time that was not measured is 0, and lists of what no entry has are empty. Its "fidelities" are on the scale
on which random outcomes are worth 0, its "hf_fidelities" Hellinger fidelities; applications whose score is neither are
left out. Depths are those of the circuits themselves and, "tr", in the gates rx, ry, rz and cx without a coupling map.

References:
    T. Lubinski et al., IEEE Trans. Quantum Eng. 4, 3100332 (2023), arXiv:2110.03137.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.transpiler import PassManager, generate_preset_pass_manager

from hybrid.codesign.suite.benchmark import Size
from hybrid.codesign.suite.features import measured
from hybrid.codesign.suite.formats.files import Written, labels
from hybrid.codesign.suite.registry import APPLICATIONS, application
from hybrid.runs.benchmark.record import BenchRecord, Number, Unit
from hybrid.runs.files import to_json

BASIS = ("rx", "ry", "rz", "cx")
"""QED-C's gates in which depths can be compared."""

API = "hybrid-codesign"

DEPTHS = ("avg_depths", "avg_xis", "avg_tr_depths", "avg_tr_xis", "avg_tr_n2qs")
TIMES = ("create_times", "elapsed_times", "exec_times")
NEVER = ("avg_exec_creating_times", "avg_exec_validating_times", "avg_exec_running_times")
"""What a record does not hold: phases inside a provider's execution."""


def written(record: BenchRecord) -> Written:
    """A file ``__data/DATA-BACKEND.json`` for each backend that did something QED-C has a place for."""
    files: dict[str, bytes] = {}
    done = [one for one in record.units if one.status == "done"]
    others = dict.fromkeys(one.application for one in done if _fidelities(one) is None)
    left_out = [f"{', '.join(others)}: the score is no fidelity of outcomes"] if others else []
    for one in record.units:
        if one.status != "done":
            left_out.append(f"{one.application} {one.size} on {record.backends[one.backend].label}: {one.status}")
    same = _same_versions(record)
    if not same:
        left_out.append("depths: the record was made with other versions, which may write other circuits")
    for number, label in enumerate(labels(record)):
        units = [one for one in done if one.backend == number and _fidelities(one) is not None]
        names = dict.fromkeys(one.application for one in units)
        apps = {
            TITLES.get(name, name): _application(label, [one for one in units if one.application == name], depths=same)
            for name in names
        }
        if apps:
            files[f"__data/DATA-{label}.json"] = to_json(apps)
    return Written(files, tuple(left_out))


def _application(label: str, units: Sequence[Unit], *, depths: bool) -> dict[str, Any]:
    units = sorted(units, key=lambda unit: (unit.n_qubits, unit.depth or 0))
    metrics: dict[str, list[Any]] = {"groups": [str(unit.n_qubits) for unit in units]}
    rows = [_depths(unit) for unit in units] if depths and units[0].application in APPLICATIONS else []
    metrics |= {name: [row[k] for row in rows] for k, name in enumerate(DEPTHS)}
    times = [_times(unit) for unit in units]
    for k, name in enumerate(TIMES):
        metrics[f"avg_{name}"] = [row[k] for row in times]
        metrics[f"std_{name}"] = [0.0] * len(units)
    for name, k in (("fidelities", 0), ("hf_fidelities", 1)):
        found = [pair[k] for pair in map(_fidelities, units) if pair is not None]
        metrics[f"avg_{name}"] = [one.value for one in found]
        metrics[f"std_{name}"] = [one.standard_error for one in found]
    metrics |= {name: [] for name in NEVER} | {"job_ids": [[] for _ in units]}
    ends = [datetime.fromisoformat(unit.finished_utc).timestamp() for unit in units]
    starts = [end - unit.seconds.total for end, unit in zip(ends, units, strict=True)]
    return {
        "backend_id": label,
        "api": API,
        "start_time": min(starts),
        "end_time": max(ends),
        "group_metrics": metrics,
    }


def _times(unit: Unit) -> tuple[float, float, float]:
    """Of a circuit: making it (never measured by itself), from sending it to having its result, running it."""
    spent = unit.seconds
    parts = (spent.transpile, spent.compile, spent.execute if spent.jobs is None else spent.jobs)
    elapsed = sum(part for part in parts if part is not None)
    return 0.0, elapsed / max(unit.n_circuits, 1), (spent.execute or 0.0) / max(unit.n_circuits, 1)


def _depths(unit: Unit) -> tuple[float, ...]:
    """Means over the circuits, which the unit's seed makes again."""
    tasks = application(unit.application).circuits(Size(unit.n_qubits, unit.depth), shots=unit.shots, seed=unit.seed)
    circuits = [measured(task) for task in tasks]
    moved = [_compiler().run(one) for one in circuits]
    rows = [
        (plain.depth(), _pairs(plain)[1], native.depth(), _pairs(native)[1], _pairs(native)[0])
        for plain, native in zip(circuits, moved, strict=True)
    ]
    return tuple(round(float(number), 3) for number in np.mean(rows, axis=0))


@cache
def _compiler() -> PassManager:
    """To QED-C's gates, as Qiskit compiles by default."""
    return generate_preset_pass_manager(2, basis_gates=list(BASIS), seed_transpiler=0)


def _pairs(circuit: QuantumCircuit) -> tuple[int, float]:
    """Gates on two qubits, and their part of all gates."""
    gates = [one for one in circuit.data if one.operation.name not in ("barrier", "measure")]
    pairs = sum(len(one.qubits) == 2 for one in gates)
    return pairs, pairs / len(gates) if gates else 0.0


def _same_versions(record: BenchRecord) -> bool:
    made_with = record.provenance["packages"]
    return all(made_with.get(name) == version(name) for name in ("hybrid-codesign", "qiskit", "numpy"))


def _fidelities(unit: Unit) -> tuple[Number, Number] | None:
    """The fidelity above guessing and the Hellinger fidelity; None where the application measures neither."""
    if "above_guessing" in unit.details and unit.score is not None:  # circuits of files
        return unit.details["above_guessing"], unit.score
    found = FIDELITIES.get(unit.application)
    return None if found is None else found(unit)


def _of_one_answer(name: str | None) -> Callable[[Unit], tuple[Number, Number]]:
    """Of circuits with one right answer, whose Hellinger fidelity is its probability."""

    def fidelities(unit: Unit) -> tuple[Number, Number]:
        found = unit.score if name is None else unit.details[name]
        assert found is not None
        guess = 0.5**unit.n_qubits
        above = max(0.0, (found.value - guess) / (1 - guess))
        return Number(value=above, standard_error=found.standard_error / (1 - guess)), found

    return fidelities


def _of_a_distribution(unit: Unit) -> tuple[Number, Number]:
    assert unit.score is not None
    return unit.score, unit.details["hellinger_fidelity"]


FIDELITIES: Mapping[str, Callable[[Unit], tuple[Number, Number]]] = {
    "qft": _of_one_answer(None),
    "mirror": _of_one_answer("right_answers"),
    "hamiltonian-simulation": _of_a_distribution,
}
"""Application to its two fidelities."""

TITLES: Mapping[str, str] = {
    "qft": "Quantum Fourier Transform (2)",
    "mirror": "Mirror Circuits",
    "hamiltonian-simulation": "Hamiltonian Simulation (Ising chain)",
}
"""Application to its name in QED-C's files: with the number of the method where it is one of QED-C's own."""
