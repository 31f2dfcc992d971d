"""Circuits in files: QPY, Qiskit's own format, and OpenQASM; what is written is read back and compared."""

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit, qasm3, qpy
from qiskit.circuit import AnnotatedOperation, ControlFlowOp, Delay, Gate, Instruction
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.synthesis import MatrixExponential

from circuits.errors import Refused, printable, shown
from circuits.files import read_bytes, write_bytes
from circuits.fingerprint import composition, difference
from circuits.interop.openqasm import from_qasm

MAX_BYTES = 256 << 20


def load_circuit(path: str | os.PathLike[str]) -> QuantumCircuit:
    """Read one circuit from a ``.qasm`` (OpenQASM 2 or 3) or ``.qpy`` file.

    Args:
        path: The file; its suffix decides.

    Returns:
        The circuit, as it is written.

    Raises:
        Refused: if the file is missing, damaged, of another kind, or holds not exactly one circuit.
    """
    path = _checked(path)
    if path.suffix == ".qasm":
        return from_qasm(path)[0]
    content = read_bytes(path, "circuit file", max_bytes=MAX_BYTES)
    try:
        return circuit_of(content)
    except Refused as err:
        raise Refused(f"{printable(path)} {err}") from err


def save_circuit(circuit: QuantumCircuit, path: str | os.PathLike[str]) -> None:
    """Write a circuit to a ``.qpy`` file, or as OpenQASM 3 to a ``.qasm`` file.

    A .qpy file keeps the circuit's whole meaning, its metadata, and the order of its parameters, or it is not written;
    gates of Qiskit's library that QPY cannot read back are written as what they are composed of.
    OpenQASM renames the elements of a parameter vector, so that the order of ``circuit.parameters`` may change, and
    holds decimal digits. Another process never sees half a file.

    Args:
        circuit: Any for QPY; OpenQASM 3 must be able to express its gates.
        path: The file; its suffix decides. An existing one is replaced.

    Raises:
        Refused: for another suffix, a folder that cannot be written to, or a circuit that would be another one when it
            is read back, such as one whose evolutions have a synthesis that QPY drops.
    """
    path = _checked(path)
    write_bytes(path, "circuit file", as_qpy(circuit) if path.suffix == ".qpy" else _as_qasm(circuit))


def circuit_of(content: bytes) -> QuantumCircuit:
    """The one circuit of a ``.qpy`` file's content.

    Raises:
        Refused: if it is damaged, no QPY, or holds not exactly one circuit.
    """
    try:
        circuits = _read(content)
    except Exception as err:
        raise Refused(f"is damaged or no QPY file: {_reason(err)}") from err
    if len(circuits) != 1 or not isinstance(circuits[0], QuantumCircuit):
        raise Refused(f"holds {len(circuits)} circuits; exactly one is expected")
    return circuits[0]


def as_qpy(circuit: QuantumCircuit) -> bytes:
    """The content of a ``.qpy`` file from which the circuit is read back with its whole meaning; see `save_circuit`.

    Raises:
        Refused: if it would be another circuit when it is read back.
    """
    try:
        return _written(circuit, circuit)
    except Refused as refusal:
        with contextlib.suppress(Exception):
            return _written(composed(circuit), circuit)
        raise Refused(f"the circuit cannot be written as .qpy: {_culprit(circuit) or refusal}") from refusal


def _read(content: bytes) -> list[Any]:
    circuits: list[Any] = qpy.load(io.BytesIO(content))
    for k, circuit in enumerate(circuits):
        if isinstance(circuit, QuantumCircuit) and any(item.name == "annotated" for item in circuit.data):
            circuits[k] = circuit.copy_empty_like()  # QPY forgets that circuits depend on parameters of such gates
            for item in circuit.data:
                circuits[k].append(item)
    return circuits


def _checked(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, (str, os.PathLike)):
        raise Refused(f"a circuit file must be named by a path, not by {shown(path)}")
    path = Path(path)
    if path.suffix not in (".qasm", ".qpy"):
        raise Refused(f"a circuit file ends in .qasm or .qpy, unlike {shown(str(path))}")
    return path


def _written(circuit: QuantumCircuit, meant: QuantumCircuit) -> bytes:
    """The file's content; refused with the reason if what is read back from it is not the circuit that is meant."""
    buffer = io.BytesIO()
    try:
        qpy.dump(circuit, buffer)
        (read,) = _read(buffer.getvalue())
        changed = difference(meant, read)
    except Exception as err:
        raise Refused(str(err) if isinstance(err, Refused) else f"QPY fails on it: {_reason(err)}") from err
    if changed is not None:
        raise Refused(f"{changed}, would be another one when it is read back")
    key = _changed_key(meant.metadata or {}, read.metadata or {})
    if key is not None:
        raise Refused(f"its metadata under {shown(key)} would be other ones when they are read back")
    if len(buffer.getvalue()) > MAX_BYTES:
        raise Refused(f"it would have {len(buffer.getvalue())} bytes; at most {MAX_BYTES} are read")
    return buffer.getvalue()


def _culprit(circuit: QuantumCircuit) -> str | None:
    """The first instruction that is not kept even alone, and what to do about it."""
    for k, item in enumerate(circuit.data):
        if item.is_standard_gate():
            continue
        alone = circuit.copy_empty_like()
        alone.metadata = {}
        alone.append(item)
        try:
            _written(alone, alone)
        except Refused as refusal:
            reason = "would be another one when it is read back"
            if isinstance(refusal.__cause__, Exception):
                reason += f" ({refusal})"
            cure = "put in its place what it is composed of (circuit.decompose), or settings that QPY keeps"
            if isinstance(item.operation, Delay):
                cure = "QPY keeps no unit of time but dt"
            return f"instruction {k}, '{item.name}', {reason}; {cure}"
    return None


def composed(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit with gates of no class of their own: each is known by what it is composed of."""
    copy = circuit.copy_empty_like()
    for item in circuit.data:
        copy.append(item.replace(operation=_composed(item.operation)))
    return copy


def _composed(operation: Any) -> Any:
    if isinstance(operation, ControlFlowOp):
        return operation.replace_blocks([composed(block) for block in operation.blocks])
    if isinstance(operation, AnnotatedOperation):
        return AnnotatedOperation(_composed(operation.base_op), operation.modifiers)
    parts = composition(operation)
    if parts is None and isinstance(operation, PauliEvolutionGate):
        # QPY keeps neither a label of more than 64 kB nor the exact exponential, which commuting strings have anyway.
        formula = None if isinstance(operation.synthesis, MatrixExponential) else operation.synthesis
        return PauliEvolutionGate(operation.operator, operation.time, label="exp(-it H)", synthesis=formula)
    if parts is None:
        return operation
    made = Gate(operation.name, operation.num_qubits, list(parts.parameters))
    if not isinstance(operation, Gate):
        made = Instruction(operation.name, operation.num_qubits, operation.num_clbits, list(parts.parameters))
    made.definition = composed(parts)
    return made


def _changed_key(metadata: dict[Any, Any], read: dict[Any, Any]) -> Any:
    """The first key whose value JSON changes, lists for tuples apart, or None."""
    return next((key for key in metadata if key not in read or _plain(metadata[key]) != _plain(read[key])), None)


def _plain(value: Any) -> str:
    """JSON with the types of keys."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{_plain(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_plain, value)) + "]"
    return json.dumps(value)


def _as_qasm(circuit: QuantumCircuit) -> bytes:
    try:
        text = qasm3.dumps(circuit)
    except Exception as err:
        raise Refused(f"the circuit cannot be written as .qasm: {_reason(err)}") from err
    try:
        read, _ = from_qasm(text)
    except Refused as err:
        raise Refused(
            f"the circuit cannot be written as .qasm, since it could not be read back ({err}); a .qpy file holds it"
        ) from err
    for what in ("num_qubits", "num_clbits", "num_parameters"):
        if getattr(circuit, what) != getattr(read, what):
            raise Refused(
                f"the circuit cannot be written as .qasm: its {what} is {getattr(circuit, what)}, but would be "
                f"{getattr(read, what)} when it is read back; a .qpy file holds it"
            )
    return text.encode()


def _reason(err: Exception) -> str:
    """What another library says, on one short line."""
    text = " ".join(str(getattr(err, "message", "") or err).split()) or type(err).__name__
    return "".join(c for c in text if c.isprintable())[:200]
