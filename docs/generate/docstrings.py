"""Docstrings and signatures as reStructuredText: signs that it would take for markup are escaped, except in code."""

import re

from numpy.typing import ArrayLike
from sphinx.util.typing import stringify_annotation

CODE = re.compile(r"(``.+?``|:\w[\w:]*:`[^`]+`|`[^`\n]+`)")
MARKUP = re.compile(r"(?<!\\)([|*_\\])")
INITIAL = re.compile(r"^( *)(?=[A-Z]\. )")


def escape(app, what, name, obj, options, lines):
    """Escape the lines of a docstring in place, before its sections are read."""
    del app, name, obj, options
    if what == "property":
        lines.insert(0, "")  # or else what stands before a colon in its first line is taken for its type
    in_doctest, in_block, block_indent = False, False, 0
    for place, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if in_block and line.strip() and indent <= block_indent:
            in_block = False
        in_doctest = bool(line.strip()) and (in_doctest or line.lstrip().startswith(">>>"))
        if not in_doctest and not in_block:
            lines[place] = escaped(line)
        if not in_block and line.rstrip().endswith("::"):
            in_block, block_indent = True, indent


def short(app, what, name, obj, options, signature, returns):
    """A signature in which numpy's ArrayLike has that name, rather than the union of types that it stands for."""
    del app, what, name, obj, options
    union = stringify_annotation(ArrayLike, "smart")
    return tuple(part and part.replace(union, "~numpy.typing.ArrayLike") for part in (signature, returns))


def escaped(line: str) -> str:
    r"""One line with its signs escaped.

    >>> print(escaped("|0> and `|1>`, ``a_b`` or x_y*"))
    \|0> and `|1>`, ``a_b`` or x\_y\*
    >>> print(escaped("    O. Higgott, Quantum 3, 156 (2019)."))
        \O. Higgott, Quantum 3, 156 (2019).
    """
    parts = CODE.split(line)
    joined = "".join(part if place % 2 else MARKUP.sub(r"\\\1", part) for place, part in enumerate(parts))
    return INITIAL.sub(r"\1\\", joined)  # an author's initial, or else the number of a list
