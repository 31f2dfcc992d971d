"""Limits on OpenQASM text, checked in one linear pass before any parser sees it.

Parsers descend into every bracket and operator and build every gate that a line stands for; a few megabytes of nesting
or a ladder of gate definitions would end the process or fill the memory.
"""

import re

from circuits.errors import Refused

MAX_BYTES = {2: 4 << 20, 3: 1 << 19}
"""By language version; the parser of OpenQASM 3 needs some 10 s for its limit."""

MAX_DEPTH = 200
"""Of nested brackets."""

MAX_OPERATORS = 1000
"""In one statement."""

MAX_QUBITS = 100_000
"""Qubits and bits in all registers."""

MAX_DECLARATIONS = 5_000
"""Of gates and inputs; the parsers need time and memory for their square."""

MAX_GATES = {2: 3_000_000, 3: 100_000}
"""After expanding definitions and gates on whole registers; OpenQASM 3 is expanded, slowly, while it is read."""

_COMMENT_OR_STRING = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|\"[^\"\n]*\"|'[^'\n]*'", re.DOTALL)
_BLANKED = re.compile(r"[^\n]")
_NAME = re.compile(r"\s*([^\W\d]\w*)")
_REGISTER = re.compile(r"\b(?:[qc]reg\s+(\w+)\s*\[([^\[\]]*)\]|(?:qu)?bit\s*\[([^\[\]]*)\]\s*(\w+))")
_OPERATOR = re.compile(r"[-+*/%^~!@|&]")
_DECLARATION = re.compile(r"\b(?:gate|opaque|def|input|output)\b")
_HARDWARE_QUBIT = re.compile(r"\$(\d+)")


def code_of(text: str) -> str:
    r"""The program without its comments and what stands in its strings: spaces are there instead.

    Every character keeps its place, so that a place in the code is the same place in the text.

    >>> code_of('h q; // gate\ninclude "a";')
    'h q;        \ninclude " ";'
    """
    return _COMMENT_OR_STRING.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    if match[0][0] in "\"'":
        return match[0][0] + " " * (len(match[0]) - 2) + match[0][0]
    return _BLANKED.sub(" ", match[0])


def check(code: str, version: int, name: str) -> None:
    """Refuse a program that is too large, too deep, or stands for too many gates.

    Args:
        code: The whole program, without comments and strings (see `code_of`).
        version: 2 or 3.
        name: Of the text, for messages.

    Raises:
        Refused: with the limit that is exceeded, and the line where there is one.
    """
    check_size(len(code), version, name)
    _check_depth(code, name)
    _check_operators(code, name)
    _check_gates(code, version, _registers(code, name), name)


def check_size(n_bytes: int, version: int, name: str) -> None:
    """Refuse text that is too large for its parser."""
    if n_bytes > MAX_BYTES[version]:
        raise Refused(
            f"{name}: {n_bytes} bytes; at most {MAX_BYTES[version]} are read as OpenQASM {version}. "
            f"Larger circuits travel better as .qpy"
        )


def _check_depth(code: str, name: str) -> None:
    depth = 0
    for match in re.finditer(r"[()\[\]{}]", code):
        if match[0] in "([{":
            depth += 1
            if depth > MAX_DEPTH:
                line = 1 + code.count("\n", 0, match.start())
                raise Refused(f"{name}:{line}: brackets are nested deeper than {MAX_DEPTH}")
        else:
            depth = max(depth - 1, 0)


def _check_operators(code: str, name: str) -> None:
    if any(len(part) > MAX_OPERATORS and len(_OPERATOR.findall(part)) > MAX_OPERATORS for part in code.split(";")):
        raise Refused(f"{name}: more than {MAX_OPERATORS} operators in one statement")
    if len(_DECLARATION.findall(code)) > MAX_DECLARATIONS:
        raise Refused(f"{name}: more than {MAX_DECLARATIONS} gate definitions and inputs")


def _registers(code: str, name: str) -> dict[str, int]:
    registers = {}
    total = 0
    for match in _REGISTER.finditer(code):
        size = _size(match[2] or match[3] or "")
        registers[match[1] or match[4]] = size
        total += size
        if total > MAX_QUBITS:
            line = 1 + code.count("\n", 0, match.start())
            raise Refused(f"{name}:{line}: the registers together are longer than {MAX_QUBITS}")
    for match in _HARDWARE_QUBIT.finditer(code):
        if len(match[1]) > 6 or int(match[1]) >= MAX_QUBITS:
            line = 1 + code.count("\n", 0, match.start())
            raise Refused(f"{name}:{line}: the number of a hardware qubit is not below {MAX_QUBITS}")
    return registers


def _size(literal: str) -> int:
    """Of a register; 1 where it is no number, which the parser will refuse."""
    literal = literal.strip().replace("_", "")
    if len(literal) > 40:
        return MAX_QUBITS + 1
    try:
        return int(literal, 0 if literal.startswith("0") and literal.strip("0") else 10)
    except ValueError:
        return 1


def _check_gates(code: str, version: int, registers: dict[str, int], name: str) -> None:
    limit = MAX_GATES[version]
    if "gate" not in code and code.count(";") * max(registers.values(), default=1) <= limit:
        return
    sizes: dict[str, int] = {}
    defined: str | None = None  # the gate whose body is being read
    total = 0
    for statement, end in re.findall(r"([^;{}]*)([;{}]?)", code):
        call = statement.rpartition("@")[2]
        match = _NAME.match(call)
        if end == "{" and match is not None and match[1] == "gate":
            header = _NAME.match(call, match.end())
            defined = header[1] if header else ""
            sizes[str(defined)] = 0
        elif match is not None:
            gates = sizes.get(match[1], 1)
            if defined is not None:
                sizes[defined] += gates
                if sizes[defined] > limit:
                    raise Refused(f"{name}: gate '{defined}' stands for more than {limit} gates")
            else:
                total += gates * _width(call[match.end() :], registers)
                if total > limit:
                    raise Refused(f"{name}: the circuit has more than {limit} gates when all definitions are expanded")
        if end == "}":
            defined = None


def _width(operands: str, registers: dict[str, int]) -> int:
    """How many gates a call on these operands is: a bare register means one for each of its qubits."""
    return max((registers.get(word.strip(), 1) for word in operands.rpartition(")")[2].split(",")), default=1)
