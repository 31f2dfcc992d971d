"""What an algorithm was given, as files of its folder: with them, the folder says all that it rests on by itself.

problem.json        the Hamiltonian with every bit of its coefficients; of a graph its edges, too
circuit.qpy         the ansatz, where one was given
reference.qpy       the reference state that an ansatz grows from
pool.json           the operators that it grows by
data.npz            the rows of a classifier as angles, their classes, and how raw rows become angles

algorithm.json holds the digest of each.
"""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import FiniteFloat
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from circuits import Problem
from circuits.errors import Refused
from circuits.interop.qpy import as_qpy, circuit_of
from circuits.problems.graphs import Graph
from hybrid.algorithms.dataset import Dataset, Encoder
from hybrid.algorithms.pools import Generator
from hybrid.runs.files import checked, read_bytes, read_json, to_json
from hybrid.workload.spec import RecordModel

PROBLEM, CIRCUIT, REFERENCE, POOL, DATA = "problem.json", "circuit.qpy", "reference.qpy", "pool.json", "data.npz"

Terms = list[tuple[str, FiniteFloat]]


class StoredProblem(RecordModel):
    """A problem, as its file holds it; of a graph with the nodes and (i, j, weight) of its edges."""

    name: str
    unit: str
    source: dict[str, Any]
    n_qubits: int
    terms: Terms
    nodes: list[int | str] | None = None
    edges: list[tuple[int, int, FiniteFloat]] | None = None


class StoredGenerator(RecordModel):
    """An operator of a pool, as its file holds it; see `hybrid.algorithms.pools.Generator`."""

    name: str
    qubits: list[int]
    terms: Terms


class StoredPool(RecordModel):
    """A pool, as its file holds it."""

    operators: list[StoredGenerator]


def problem_files(problem: Problem) -> dict[str, bytes]:
    """The files of a problem, without its reference state."""
    graph = problem.structure if isinstance(problem.structure, Graph) else None
    stored = StoredProblem(
        name=problem.name,
        unit=problem.unit,
        source=dict(problem.source),
        n_qubits=problem.n_qubits,
        terms=_terms(problem.hamiltonian),
        nodes=None if graph is None else [node if isinstance(node, int) else str(node) for node in graph.nodes],
        edges=None if graph is None else list(graph.edges),
    )
    return {PROBLEM: to_json(stored.model_dump())}


def read_problem(folder: Path) -> Problem:
    """The problem in an algorithm's folder, with the reference state that lies there, if one does."""
    file, reference = folder / PROBLEM, folder / REFERENCE
    stored = checked(StoredProblem, read_json(file), file)
    return Problem(
        name=stored.name,
        hamiltonian=_operator(file, stored.terms, stored.n_qubits),
        unit=stored.unit,
        source=stored.source,
        reference_state=_circuit(reference) if reference.exists() else None,
        structure=None if stored.nodes is None else Graph(tuple(stored.nodes), tuple(stored.edges or ())),
    )


def circuit_files(circuit: QuantumCircuit) -> dict[str, bytes]:
    """The file of an ansatz.

    Raises:
        Refused: if it would be another circuit when it is read back.
    """
    return {CIRCUIT: as_qpy(circuit)}


def read_circuit(folder: Path) -> QuantumCircuit:
    """The ansatz in an algorithm's folder."""
    return _circuit(folder / CIRCUIT)


def pool_files(problem: Problem, operators: Sequence[Generator]) -> dict[str, bytes]:
    """The files of a pool, and of the reference state, if the problem has one."""
    stored = StoredPool(
        operators=[
            StoredGenerator(name=one.name, qubits=list(one.qubits), terms=_terms(one.operator)) for one in operators
        ]
    )
    reference = problem.reference_state
    return {POOL: to_json(stored.model_dump())} | ({} if reference is None else {REFERENCE: as_qpy(reference)})


def read_pool(folder: Path) -> tuple[Generator, ...]:
    """The pool in an algorithm's folder."""
    file = folder / POOL
    stored = checked(StoredPool, read_json(file), file)
    return tuple(
        Generator(one.name, _operator(file, one.terms, len(one.qubits)), tuple(one.qubits)) for one in stored.operators
    )


def data_files(data: Dataset) -> dict[str, bytes]:
    """The file of a classifier's rows."""
    arrays: dict[str, Any] = {field.name: getattr(data, field.name) for field in fields(Dataset)}
    arrays |= {f"encoder_{field.name}": getattr(data.encoder, field.name) for field in fields(Encoder)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: arrays[name] for name in arrays if name != "encoder"})
    return {DATA: buffer.getvalue()}


def read_data(folder: Path) -> Dataset:
    """The rows in a classifier's folder."""
    file = folder / DATA
    content = read_bytes(file)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        encoder = Encoder(**{field.name: arrays.pop(f"encoder_{field.name}") for field in fields(Encoder)})
        name, classes = str(arrays.pop("name")), tuple(map(str, arrays.pop("classes")))
        return Dataset(name=name, classes=classes, encoder=encoder, **arrays)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as err:
        raise Refused(f"{file} is damaged ({type(err).__name__}: {err}); restore it from a copy") from err


def _terms(operator: SparsePauliOp) -> Terms:
    return [(label, coefficient.real) for label, coefficient in operator.to_list()]


def _operator(file: Path, terms: Terms, n_qubits: int) -> SparsePauliOp:
    try:
        return SparsePauliOp.from_list(terms, num_qubits=n_qubits)
    except Exception as err:  # Qiskit raises whatever the damage leads it to
        raise Refused(f"{file} is damaged ({type(err).__name__}: {err})") from err


def _circuit(file: Path) -> QuantumCircuit:
    try:
        return circuit_of(read_bytes(file))
    except Refused as err:
        raise Refused(f"{file} {err}") from err
