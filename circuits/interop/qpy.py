"""Circuits in files: QPY, Qiskit's own lossless format, and OpenQASM."""

import os
from pathlib import Path

from qiskit import QuantumCircuit, qasm3, qpy

from circuits.errors import Refused
from circuits.interop.openqasm import from_qasm

MAX_BYTES = 256 << 20


def load_circuit(path: str | os.PathLike) -> QuantumCircuit:
    """Read one circuit from a ``.qasm`` (OpenQASM 2 or 3) or ``.qpy`` file.

    Args:
        path: The file; its suffix decides.

    Returns:
        The circuit, as it is written.

    Raises:
        Refused: if the file is missing, damaged, of another kind, or holds not exactly one circuit.
    """
    path = Path(path)
    _check_suffix(path)
    if path.suffix == ".qasm":
        return from_qasm(path)[0]
    try:
        with path.open("rb") as file:
            if file.seek(0, os.SEEK_END) > MAX_BYTES:
                raise Refused(f"{path} is larger than {MAX_BYTES >> 20} MiB")
            file.seek(0)
            circuits = qpy.load(file)
    except Refused:
        raise
    except OSError as err:
        raise Refused(f"the circuit file {path} cannot be read: {err}") from err
    except Exception as err:
        raise Refused(f"{path} is damaged or no QPY file: {str(err) or type(err).__name__}") from err
    if len(circuits) != 1 or not isinstance(circuits[0], QuantumCircuit):
        raise Refused(f"{path} holds {len(circuits)} circuits; exactly one is expected")
    return circuits[0]


def save_circuit(circuit: QuantumCircuit, path: str | os.PathLike) -> None:
    """Write a circuit to a ``.qpy`` file, which keeps everything, or as OpenQASM 3 to a ``.qasm`` file.

    OpenQASM renames the elements of a parameter vector, so that the order of ``circuit.parameters`` may change.
    Another process never sees half a file.

    Args:
        circuit: Any for QPY; OpenQASM 3 must be able to express its gates.
        path: The file; its suffix decides. An existing one is replaced.

    Raises:
        Refused: for another suffix, a folder that cannot be written to, or a circuit that the format cannot hold.
    """
    path = Path(path)
    _check_suffix(path)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with scratch.open("wb") as file:
            if path.suffix == ".qpy":
                qpy.dump(circuit, file)
            else:
                file.write(qasm3.dumps(circuit).encode())
        scratch.replace(path)
    except OSError as err:
        raise Refused(f"the circuit file {path} cannot be written: {err}") from err
    except Exception as err:
        raise Refused(f"the circuit cannot be written as {path.suffix}: {err}") from err
    finally:
        scratch.unlink(missing_ok=True)


def _check_suffix(path: Path) -> None:
    if path.suffix not in (".qasm", ".qpy"):
        raise Refused(f"a circuit file ends in .qasm or .qpy, unlike {path}")
