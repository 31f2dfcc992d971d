"""OpenQASM 2 and 3 programs as Qiskit circuits."""

import contextlib
import difflib
import io
import os
import re
import traceback
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit, qasm2, qasm3

from circuits.errors import Refused
from circuits.interop import qasm_limits

LONGEST_PATH = 4096
LONGEST_REASON = 300

_VERSION = re.compile(r"\s*OPENQASM\s+(\d{1,4})(?:\.\d{1,4})?\s*;")
_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_INCLUDE = re.compile(r"\binclude\s*[\"']([^\"'\n]*)[\"']")
_INCLUDES = {2: "qelib1.inc", 3: "stdgates.inc"}
_PLACE = re.compile(r"(\d+),(\d+): (.*)", re.DOTALL)
_UNDEFINED = re.compile(r"'(\w{1,100})' (?:is not defined|before definition)")
_DEFINITION = re.compile(r"\bgate\s+(\w+)")

_GATES = (
    "barrier ccx ch cp crx cry crz cswap cu cu1 cu3 cx cy cz h id measure p reset rx rxx ry rz rzz s sdg swap sx sxdg "
    "t tdg u u1 u2 u3 x y z"
)
_STANDARD = tuple(_GATES.split())


def from_qasm(text_or_path: str | os.PathLike) -> tuple[QuantumCircuit, None]:
    """Read an OpenQASM 2 or 3 program.

    The circuit is kept as it is written, measurements included. An ``input float theta;`` of OpenQASM 3 becomes a
    Parameter.

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
        text, name = text_or_path, "OpenQASM text"
    elif isinstance(text_or_path, (str, os.PathLike)):
        text, name = _read(Path(text_or_path)), str(text_or_path)
    else:
        raise Refused(f"from_qasm takes OpenQASM text or the path of a file, not {text_or_path!r}")
    qasm_limits.check_size(len(text), 2, name)
    version = _version(text, name)
    qasm_limits.check(text, version, name)
    _check_includes(text, version, name)
    return _parse(text, version, name), None


def _is_text(text: str) -> bool:
    return ";" in text or "\n" in text or not text.strip() or len(text) > LONGEST_PATH


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise Refused(f"there is no OpenQASM file {path}")
        qasm_limits.check_size(path.stat().st_size, 2, str(path))
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as err:
        if isinstance(err, Refused):
            raise
        raise Refused(f"the OpenQASM file {path} cannot be read: {err}") from err


def _version(text: str, name: str) -> int:
    space = _SPACE.match(text)
    match = _VERSION.match(text, space.end() if space else 0)
    if match is None:
        raise Refused(f"{name}: it must start with its version, 'OPENQASM 2.0;' or 'OPENQASM 3.0;'")
    version = int(match[1])
    if version not in (2, 3):
        raise Refused(f"{name}: OpenQASM {version} is unknown; versions 2 and 3 are read")
    return version


def _check_includes(text: str, version: int, name: str) -> None:
    for match in _INCLUDE.finditer(text):
        if match[1] != _INCLUDES[version]:
            line = 1 + text.count("\n", 0, match.start())
            raise Refused(
                f'{name}:{line}: include "{match[1]}" is not read; OpenQASM {version} has "{_INCLUDES[version]}", '
                f"other gates are to be defined in the text itself"
            )


def _parse(text: str, version: int, name: str) -> QuantumCircuit:
    try:
        if version == 2:
            own = set(_DEFINITION.findall(text))  # a gate that the text defines means what the text says
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
        raise _translated(err, text, version, name) from err


def _translated(err: Exception, text: str, version: int, name: str) -> Refused:
    place = _PLACE.search(str(getattr(err, "message", err)))
    if place is not None:
        undefined = _UNDEFINED.search(place[3])
        if undefined is not None and _starts_statement(text, int(place[1]), int(place[2])):
            return _unknown_gate(undefined[1], text, version, f"{name}:{place[1]}")
        return Refused(f"{name}:{place[1]}: {place[3][:LONGEST_REASON]}")
    token = _offending_token(err)
    if token is not None:
        return Refused(f"{name}:{token.line}: OpenQASM {version} does not allow '{token.text[:100]}' here")
    reason = str(err)[:LONGEST_REASON] or type(err).__name__
    line = _line_in_hand(err)
    if line is None:
        return Refused(f"{name}: it cannot be read as OpenQASM {version}: {reason}")
    what = "wrong number or kind of arguments: " if isinstance(err, TypeError) else ""
    return Refused(f"{name}:{line}: {what}{reason}")


def _starts_statement(text: str, line: int, column: int) -> bool:
    """Whether the word there is called as a gate; an operand stands behind its gate's name."""
    before = text.split("\n", line)[line - 1][:column]
    return not before.strip() or before.rstrip()[-1] in ";{}@"


def _unknown_gate(word: str, text: str, version: int, where: str) -> Refused:
    if word in _STANDARD and "include" not in text:
        return Refused(f"{where}: gate '{word}' is not defined; include \"{_INCLUDES[version]}\" defines it")
    near = difflib.get_close_matches(word, [*_STANDARD, *_DEFINITION.findall(text)], n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else f'; define it, or use one of "{_INCLUDES[version]}"'
    return Refused(f"{where}: unknown gate '{word}'{hint}")


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
