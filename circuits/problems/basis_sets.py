"""Basis sets by their names: the functions of each element, for calculations with all electrons."""

import os
import warnings
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any

from circuits.errors import Refused, shown, suggestion
from circuits.problems.geometry import ELEMENTS

COMMON = ("sto-3g", "6-31g", "6-31g*", "6-311g", "cc-pvdz", "cc-pvtz", "aug-cc-pvdz", "def2-svp", "def2-tzvp")
WIDE = ("def2-svp", "cc-pvdz", "sto-3g", "ano", "dyall-v2z")
"""Between them they have functions for all electrons of nearly all elements."""

FOR_POTENTIALS = ("gth", "ccecp", "bfd")
"""How the names of families begin that are made for potentials which stand in other files."""

INNERMOST = 1.5
"""Least exponent of the steepest s function over Z^2. The exponent that suits the two innermost electrons grows so; in
basis sets for all electrons this is 2 and more, where a potential takes the place of these electrons 1.2 and less."""

LONGEST = 100
"""Characters of a name."""


def load(name: str, symbols: Iterable[str], library: ModuleType) -> dict[str, Any]:
    """The functions of a basis set.

    Args:
        name: In PySCF's ways of writing: case, hyphens, underscores and spaces do not matter; polarization stands
            in parentheses as in ``"6-311++g(2d,2p)"``; ``"unc-"`` in front for a basis without contractions.
        symbols: Elements.
        library: The module `pyscf.gto`.

    Returns:
        For each element, shells in PySCF's form.

    Raises:
        Refused: for a name that PySCF does not know, an element that the basis set has no functions for, or one whose
            inner electrons it leaves to a potential. The exponents tell these where no potential is at hand.
    """
    if not isinstance(name, str):
        raise Refused(f"basis must be a name such as 'sto-3g', not {shown(name)}")
    plain = _plain(name)
    if len(name) > LONGEST or os.sep in name or _family(plain) not in _families(library):
        raise _unknown(name, plain, library)
    return {symbol: _functions(name, plain, symbol, library) for symbol in sorted(set(symbols))}


def _plain(name: str) -> str:
    """The name without what does not matter."""
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")


def _family(plain: str) -> str:
    """The name in the library's list: without contraction, polarization in parentheses, and what follows an @."""
    return plain.removeprefix("unc").partition("@")[0].partition("(")[0]


def _families(library: Any) -> set[str]:
    return {_plain(name) for name in (*library.basis.ALIAS, *library.basis.GTH_ALIAS)}


def _unknown(name: str, plain: str, library: Any) -> Refused:
    spelled = {_plain(common): common for common in COMMON}
    known = {family: spelled.get(family, family) for family in [*spelled, *sorted(_families(library))]}
    hint = suggestion(plain[:LONGEST], known, cutoff=0.75)
    for family, common in known.items():
        hint = hint.replace(f"'{family}'", f"'{common}'")
    return Refused(f"unknown basis {shown(name)}{hint or '.'} Common ones: {', '.join(COMMON)}")


def _functions(name: str, plain: str, symbol: str, library: Any) -> Any:
    shells = _shells(plain, symbol, library)
    if shells is None:
        raise Refused(f"basis {shown(name)} has no functions for {symbol}{_instead(symbol, library)}")
    if not _holds_all_electrons(plain, shells, symbol, library):
        raise Refused(
            f"basis {shown(name)} is made for a potential in the place of the nucleus and inner electrons of {symbol}, "
            f"which is not supported"
            f"{_instead(symbol, library)}"
        )
    return shells


def _shells(plain: str, symbol: str, library: Any) -> Any:
    """The shells, sorted by angular momentum, or None where there are none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where else the basis may be found
            # The space keeps PySCF from looking for a file of this name first, and means nothing to it in a name.
            shells = library.format_basis({symbol: f"{plain} "})[symbol]
    except Exception:  # noqa: BLE001 - the library raises whatever a name that it half knows leads it to
        return None
    return shells or None


@cache
def _instead(symbol: str, library: Any) -> str:
    """A basis set that has what is missing."""
    for name in WIDE:
        shells = _shells(_plain(name), symbol, library)
        if shells is not None and _holds_all_electrons(_plain(name), shells, symbol, library):
            return f"; choose another, such as '{name}'"
    return "; choose another"


def _holds_all_electrons(plain: str, shells: Any, symbol: str, library: Any) -> bool:
    if plain.startswith(FOR_POTENTIALS):
        return False
    charge = 1 + ELEMENTS.index(symbol)
    steepest = max((row[0] for shell in shells if shell[0] == 0 for row in _rows(shell)), default=0.0)
    return not _has_potential(plain, symbol, library) and (charge <= 2 or steepest >= INNERMOST * charge**2)


def _rows(shell: Any) -> list[Any]:
    """Rows [exponent, coefficients...] of a shell; a relativistic one holds a number before them."""
    return [row for row in shell[1:] if isinstance(row, (list, tuple))]


def _has_potential(plain: str, symbol: str, library: Any) -> bool:
    """Whether a file of the basis set holds a potential for the element, too."""
    files = library.basis.ALIAS.get(_family(plain), ())
    for file in (files,) if isinstance(files, str) else files:
        path = os.path.join(os.path.dirname(library.basis.__file__), file)
        try:
            if os.path.isfile(path) and library.basis.load_ecp(path, symbol):
                return True
        except RuntimeError:  # PySCF's way to say that there is none
            continue
    return False
