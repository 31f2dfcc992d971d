"""OpenQASM 2 and 3 programs as Qiskit circuits."""

import contextlib
import io
import os
import re
import traceback
from typing import Any

from qiskit import QuantumCircuit, qasm2, qasm3

from circuits.errors import Refused, printable, shown, suggestion
from circuits.files import read_text
from circuits.interop import qasm_limits

LONGEST_PATH = 4096
LONGEST_REASON = 300

_VERSION = re.compile(r"\s*OPENQASM\s+(\d{1,4})(?:\.\d{1,4})?\s*;")
_INCLUDE = re.compile(r"\binclude\s*([\"'])([^\"'\n]*)\1")
_INCLUDES = {2: "qelib1.inc", 3: "stdgates.inc"}
_PLACE = re.compile(r"(\d+),(\d+): (.*)", re.DOTALL)
_UNDEFINED = re.compile(r"'(\w{1,100})' (?:is not defined|before definition)")
_DEFINITION = re.compile(r"\bgate\s+(\w+)")

_KEYWORDS = ["barrier", "creg", "gate", "if", "include", "measure", "opaque", "qreg", "reset"]
_STDGATES = {
    1: "U h id p phase rx ry rz s sdg sx t tdg u1 u2 u3 x y z",
    2: "CX ch cp cphase crx cry crz cu cx cy cz swap",
    3: "ccx cswap",
}
_GATES: dict[int, dict[str, int]] = {
    2: {"U": 1, "CX": 2} | {gate.name: gate.num_qubits for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS},
    3: {name: n_qubits for n_qubits, names in _STDGATES.items() for name in names.split()},
}
"""Number of qubits of every gate that a program need not define, by version."""

_OTHER_NAMES = {
    "c3sx": "c3sqrtx",
    "ccnot": "ccx",
    "cnot": "cx",
    "fredkin": "cswap",
    "hadamard": "h",
    "not": "x",
    "toffoli": "ccx",
}
"""What others call a gate, and its name in OpenQASM."""


def from_qasm(text_or_path: str | os.PathLike[str]) -> tuple[QuantumCircuit, None]:
    """Read an OpenQASM 2 or 3 program.

    The circuit is kept as it is written, measurements included. An ``input float theta;`` of OpenQASM 3 becomes a
    Parameter. A program without a version line is OpenQASM 3, which makes it optional.

    Args:
        text_or_path: The program, or the path of a file (a Path, or a string without a semicolon).

    Returns:
        The circuit, and None: OpenQASM holds no observable.

    Raises:
        Refused: for text that is no OpenQASM, with the line; for an unknown gate, with the nearest right word; for text
            beyond the limits of `circuits.interop.qasm_limits`.

    >>> from_qasm('OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; h q[0]; cx q[0], q[1];')[0].count_ops()["cx"]
    1
    """
    if isinstance(text_or_path, str) and _is_text(text_or_path):
        text, name = text_or_path.removeprefix("\ufeff"), "OpenQASM text"
    elif isinstance(text_or_path, (str, os.PathLike)):
        name = printable(text_or_path)
        text = read_text(text_or_path, "OpenQASM file", max_bytes=max(qasm_limits.MAX_BYTES.values()))
    else:
        raise Refused(f"from_qasm takes OpenQASM text or the path of a file, not {shown(text_or_path)}")
    qasm_limits.check_size(len(text), 2, name)
    code = qasm_limits.code_of(text)
    if not code.strip():
        raise Refused(f"{name}: it holds no program")
    version = _version(code, name)
    qasm_limits.check(code, version, name)
    _check_includes(text, code, version, name)
    return _parse(text, code, version, name), None


def _is_text(text: str) -> bool:
    return ";" in text or "\n" in text or not text.strip() or len(text) > LONGEST_PATH


def _version(code: str, name: str) -> int:
    match = _VERSION.match(code)
    version = 3 if match is None else int(match[1])
    if version not in (2, 3):
        raise Refused(f"{name}: OpenQASM {version} is unknown; versions 2 and 3 are read")
    return version


def _check_includes(text: str, code: str, version: int, name: str) -> None:
    for match in _INCLUDE.finditer(code):
        file = text[match.start(2) : match.end(2)]
        if file != _INCLUDES[version]:
            line = 1 + text.count("\n", 0, match.start())
            cure = "other gates are to be defined in the text itself"
            if file == _INCLUDES[2]:
                cure = "a program in OpenQASM 2 starts with 'OPENQASM 2.0;'"
            raise Refused(
                f'{name}:{line}: include {shown(file)} is not read; OpenQASM {version} has "{_INCLUDES[version]}", '
                f"{cure}"
            )


def _parse(text: str, code: str, version: int, name: str) -> QuantumCircuit:
    try:
        if version == 2:
            own = set(_DEFINITION.findall(code))  # a gate that the text defines means what the text says
            return qasm2.loads(
                text,
                include_path=(),
                custom_instructions=[gate for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS if gate.name not in own],
                custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
            )
        with contextlib.redirect_stderr(io.StringIO()):  # the grammar prints what it then raises
            return qasm3.loads(text)
    except RecursionError as err:
        raise Refused(f"{name}: an expression or statement is nested too deeply") from err
    except Exception as err:
        raise _translated(err, text, code, version, name) from err


def _translated(err: Exception, text: str, code: str, version: int, name: str) -> Refused:
    place = _PLACE.search(str(getattr(err, "message", err)))
    if place is not None:
        line, column = int(place[1]), int(place[2])
        undefined = _UNDEFINED.search(place[3])
        if undefined is not None and _starts_statement(code, line, column):
            return _unknown_gate(undefined[1], _n_operands(code, line, column), code, version, f"{name}:{line}")
        return Refused(f"{name}:{line}: {_reason(place[3])}{_quoted(text, line)}")
    token = _offending_token(err)
    if token is not None:
        return Refused(f"{name}:{token.line}: OpenQASM {version} does not allow {shown(token.text)} here")
    line = _line_in_hand(err)
    reason = _reason(str(err) or type(err).__name__)
    if line is None:
        return Refused(f"{name}: it cannot be read as OpenQASM {version}: {reason}")
    what = "wrong number or kind of arguments: " if isinstance(err, TypeError) else ""
    return Refused(f"{name}:{line}: {what}{reason}{_quoted(text, line)}")


def _reason(words: str) -> str:
    """What a parser says, without the names of its own classes."""
    if "unbound parameters" in words:
        return "a parameter stands where a number is needed"
    if words.startswith("type error"):
        return "this arithmetic with parameters or types cannot be read"
    return words[:LONGEST_REASON]


def _quoted(text: str, line: int) -> str:
    """The line in question, which not all reasons name."""
    rows = text.split("\n", line)
    return f", in {shown(rows[line - 1].strip())}" if line <= len(rows) and rows[line - 1].strip() else ""


def _starts_statement(code: str, line: int, column: int) -> bool:
    """Whether the word there is called as a gate; an operand stands behind its gate's name."""
    before = code.split("\n", line)[line - 1][:column]
    return not before.strip() or before.rstrip()[-1] in ";{}@"


def _n_operands(code: str, line: int, column: int) -> int:
    """How many qubits or registers the gate there is called on."""
    rows = code.split("\n", line - 1)[-1]
    statement = rows[column:].partition(";")[0][:LONGEST_PATH]
    return 1 + statement.rpartition(")")[2].count(",")


def _unknown_gate(word: str, n_operands: int, code: str, version: int, where: str) -> Refused:
    included = _INCLUDE.search(code) is not None
    other = _OTHER_NAMES.get(word.lower())
    if word in _GATES[version] and not included:
        return Refused(f"{where}: gate '{word}' is not defined; include \"{_INCLUDES[version]}\" defines it")
    if other in _GATES[version]:
        return Refused(f"{where}: unknown gate '{word}'; did you mean '{other}'?")
    if word in _GATES[5 - version]:
        return Refused(
            f"{where}: gate '{word}' is not in \"{_INCLUDES[version]}\" of OpenQASM {version}; define it in the text"
        )
    alike = [gate for gate, n_qubits in _GATES[version].items() if n_qubits == n_operands]
    hint = suggestion(word, [*alike, *_DEFINITION.findall(code), *_KEYWORDS], cutoff=0.5)
    return Refused(f"{where}: unknown gate '{word}'" + (hint or f'; define it, or use one of "{_INCLUDES[version]}"'))


def _offending_token(err: Exception) -> Any:
    """Where the grammar of OpenQASM 3 stopped: it hides two causes down."""
    inner = err.__cause__
    while isinstance(inner, Exception):
        token = getattr(inner, "offendingToken", None)
        if token is not None:
            return token
        inner = next((arg for arg in inner.args if isinstance(arg, Exception)), None)
    return None


def _line_in_hand(err: Exception) -> int | None:
    """Line of the statement that the converter of OpenQASM 3 worked on when Qiskit's own error came through."""
    line = None
    for frame, _ in traceback.walk_tb(err.__traceback__):
        span = getattr(frame.f_locals.get("node"), "span", None)
        line = getattr(span, "start_line", line)
    return line
